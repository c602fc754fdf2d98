/* landlock.h - landlock(7): a process gives up the file system but for named places; Linux 5.13 */
#ifndef SYS_LANDLOCK_H
#define SYS_LANDLOCK_H

#include <stdbool.h>

/* A rule set that forbids everything about files: a descriptor, or -ENOSYS or -EOPNOTSUPP where the kernel has none. */
int landlock_new(void);
/* Allows to read and execute (and, if `write`, to write existing files) what is at or below fd.  0 or -errno. */
int landlock_allow(int ruleset, int fd, bool write);
/* As landlock_allow by path; a path that does not exist is nothing to allow. */
int landlock_allow_path(int ruleset, const char *path, bool write);
/* Allows besides to make, write, rename and remove files in the directory fd. */
int landlock_allow_files(int ruleset, int fd);
/* Binds the calling thread, which must have no_new_privs, and all that it becomes. */
int landlock_enter(int ruleset);

#endif
