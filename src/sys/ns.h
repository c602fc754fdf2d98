/* ns.h - processes in new namespaces, and joining those of others */
#ifndef SYS_NS_H
#define SYS_NS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* As fork(2), with CLONE_NEW* flags and into the cgroup v2 directory cgroup_fd (-1: the caller's).  Returns 0 in
 * the child; in the parent the pid, with *ret_pidfd; or -errno. */
pid_t ns_clone(uint64_t flags, int cgroup_fd, int *ret_pidfd);
/* setns(2): fd is a namespace or a pidfd.  0 or -errno. */
int ns_join(int fd, int flags);
int ns_unshare(int flags);
/* Writes lines to the file "uid_map", "gid_map" or "setgroups" of our child `pid` (user_namespaces(7)). */
int ns_write_map(pid_t pid, const char *file, const char *lines);
/* Are we in the user namespace of the machine (or in a kernel that has none)? */
bool ns_is_first_user(void);
/* A descriptor of the namespace `kind` ("user", "pid") of a process; pid 0: our own. */
int ns_open(pid_t pid, const char *kind);
/* The network namespace that a socket is of; O_CLOEXEC. */
int ns_of_socket(int fd);

/* Runs fn in a child that has a mount namespace of its own, but our table of descriptors: it leaves its result in one of them
 * (dup3), and closes what else it opens.  Returns what fn does: 0 or -errno. */
int ns_run_apart(int (*fn)(const void *arg), const void *arg, int timeout_ms);

#endif
