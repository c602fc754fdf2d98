/* untar.h - reads a tar stream (ustar, PAX, GNU's long names) entry by entry; any byte of it may be hostile
 *
 * Small and without locale, plug-ins or helper programs, for what enters a container or runs in a guest: libarchive
 * brings iconv and nl_langinfo along with every entry (security.md A10).  Image layers are read by unpack/tar.h.
 * Refused: sparse files, types beyond POSIX, a PAX global header that says anything about files, and paths that
 * entry_clean_path refuses.
 */
#ifndef FILES_UNTAR_H
#define FILES_UNTAR_H

#include <sys/types.h>

#include "files/entry.h"

struct untar;

/* Reads from fd, borrowed, to its end.  NULL: no memory. */
struct untar *untar_new(int fd);
struct untar *untar_free(struct untar *u);
/* The next entry; *ret points into u until the next call.  What was not read of the content before is
 * skipped.  1: here it is; 0: the end mark; or -errno. */
int untar_next(struct untar *u, struct entry *ret, struct err *e);
/* The next piece of the entry's content: its length, *ret valid until the next call; 0 at its end; or -errno. */
ssize_t untar_read(struct untar *u, const void **ret, struct err *e);
/* Behind the end mark: reads what its writer still fills up with, so that it can end in peace. */
int untar_drain(struct untar *u, struct err *e);

#endif
