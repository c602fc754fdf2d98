/* times.h - times (and default ACLs) of directories, which can be set only when nothing is added any more
 *
 * Kept in a nameless file: two million directories must not take memory.
 */
#ifndef UNPACK_TIMES_H
#define UNPACK_TIMES_H

#include "unpack/tree.h"

struct times;

int times_open(int scratch_fd, struct times **ret, struct err *e);
struct times *times_close(struct times *ts);
/* acl: the attribute system.posix_acl_default, or NULL. */
int times_add(struct times *ts, const char *path, struct timespec mtime, const struct xattr *acl,
	      struct err *e);
/* Sets them in the order in which they were added; what is no directory any more is left alone. */
int times_apply(struct times *ts, int rootfd, struct err *e);

#endif
