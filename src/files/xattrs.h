/* xattrs.h - the extended attributes of one file, as an entry wants them */
#ifndef FILES_XATTRS_H
#define FILES_XATTRS_H

#include <stdbool.h>

#include "base/buf.h"
#include "files/entry.h"

#define XATTR_NAMES_MAX 65536 /* the kernel's limit for the list of names */

/* Start from { 0 }; filled again by each read. */
struct xattrs {
	struct xattr list[XATTR_COUNT_MAX]; /* sorted by name */
	size_t n;
	char names[XATTR_NAMES_MAX];
	struct buf values;
};

void xattrs_done(struct xattrs *x);
/* Those that `keeps` says yes to (NULL: all) of the file behind fd, which is not O_PATH; or, where fd is -1, of `name` in the
 * working directory, which is not followed.  A file system without attributes has none. */
int xattrs_read(int fd, const char *name, bool (*keeps)(const char *attribute), struct xattrs *x,
		struct err *e);

#endif
