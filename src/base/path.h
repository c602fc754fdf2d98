/* path.h - paths in trees that somebody else may change
 *
 * In a foreign tree (a root, a volume) a path is resolved once, by openat2 with RESOLVE_IN_ROOT, and what
 * comes back is a descriptor.  Return a descriptor or 0, or -errno.
 */
#ifndef BASE_PATH_H
#define BASE_PATH_H

#include <sys/types.h>

/* openat2(RESOLVE_IN_ROOT | NO_MAGICLINKS): links are followed, but never out of `rootfd`. */
int open_in_root(int rootfd, const char *path, int flags, mode_t mode);
/* Opens what an O_PATH descriptor stands for, if it is of this type (S_IFREG, S_IFIFO), so that a tree of somebody else's
 * has no device opened.  -ENOENT: it is of another. */
int open_again(int path_fd, mode_t type, int flags);
/* As open_in_root, but a symbolic link anywhere in the path is -ELOOP. */
int open_in_root_nolinks(int rootfd, const char *path, int flags, mode_t mode);
/* As open_in_root, but ".." above the start, symbolic links and other mounts on the way are errors (-EXDEV, -ELOOP). */
int open_beneath(int dirfd, const char *path, int flags);
/* Makes every missing directory of `path` below rootfd and returns an O_PATH descriptor of the last. */
int mkdir_in_root(int rootfd, const char *path, mode_t mode);
/* As mkdir_in_root, but the last component becomes an empty file unless it exists; a link to nothing is followed
 * and its target made. */
int mkfile_in_root(int rootfd, const char *path, mode_t mode);
/* mkdir -p below dirfd for our own trees; returns a directory descriptor (O_RDONLY | O_DIRECTORY). */
int mkdir_open(int dirfd, const char *path, mode_t mode);
/* A directory that is removed already: nothing is found in it, and nothing can be made there. */
int open_no_dir(void);
/* rm -rf dirfd/name: never follows links, never leaves the file system it began on; missing is success,
 * and so is any depth. */
int remove_tree(int dirfd, const char *name);
/* fsync of a directory by descriptor. */
int sync_dir(int dirfd);
/* How this process would come to what a descriptor is of, as the kernel has it now: owned, or NULL.  For programs that take a
 * path and nothing else. */
char *fd_path(int fd);
/* Appends the names in a directory, but for those that begin with a dot; sorted. */
struct strv;
int list_dir(int dirfd, struct strv *ret);

#endif
