/* place.h - a path in a tree that somebody else may change, as a directory and a name in it
 *
 * The directory is a descriptor, found by openat2 with RESOLVE_IN_ROOT: no link leads out of the tree, whatever
 * happens meanwhile.  What is done with the name follows no link (security.md A3, B6).
 */
#ifndef FILES_PLACE_H
#define FILES_PLACE_H

#include <stdbool.h>

#include "files/entry.h"

struct place {
	int dir_fd; /* O_PATH; -1: none */
	char name[PATH_NAME_MAX + 1]; /* "." is dir_fd itself */
};

/* Finds `path` below rootfd ("" and relative paths begin there, too).  follow: a link at its end is resolved.  Whether
 * the name exists is not looked at.  0, or -errno without a message; *ret by place_done. */
int place_find(int rootfd, const char *path, bool follow, struct place *ret);
void place_done(struct place *p);
/* What a copy of `path` is called: "/a/b/" -> "b"; "" where only its content has names: "/a/.", "..", "/". */
int place_name(const char *path, char ret[PATH_NAME_MAX + 1]);

#endif
