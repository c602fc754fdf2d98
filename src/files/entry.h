/* entry.h - one entry of a tar stream or of a tree: a file with all that is told about it but its content */
#ifndef FILES_ENTRY_H
#define FILES_ENTRY_H

#include <stdint.h>
#include <sys/stat.h>
#include <time.h>

#include "base/err.h"

#define PATH_BYTES_MAX 4095
#define PATH_NAME_MAX  255
#define PATH_DEPTH_MAX 256
#define LINK_BYTES_MAX 4095

#define XATTR_COUNT_MAX 128 /* of one entry */
#define XATTR_VALUE_MAX 65536 /* the kernel's own */
#define XATTR_BYTES_MAX 262144 /* names and values of one entry */

struct xattr {
	const char *name;
	const void *value;
	size_t n;
};

struct entry {
	const char *path; /* of entry_clean_path: "a/b"; "" is the root */
	mode_t mode; /* with its type; not looked at for a hard link */
	uid_t uid;
	gid_t gid;
	dev_t rdev;
	struct timespec mtime;
	uint64_t size; /* of a regular file */
	const char *hardlink; /* of entry_clean_path; NULL: none */
	const char *symlink; /* NULL: none */
	const struct xattr *xattrs;
	size_t n_xattrs;
};

/* "./a//b/" -> "a/b" in ret; refuses "..", and what is longer or deeper than the limits above. */
int entry_clean_path(const char *path, char ret[PATH_BYTES_MAX + 1], struct err *e);

#endif
