/* pidfd.h - processes by descriptor: a number may be somebody else's by now, a descriptor never
 *
 * The only place of the tree that signals processes.  Return 0 or -errno.
 */
#ifndef SYS_PIDFD_H
#define SYS_PIDFD_H

#include <sys/types.h>

/* A descriptor of process `pid`; refuses pids <= 1. */
int pidfd_open_pid(pid_t pid);
int pidfd_signal(int pidfd, int signo);
/* Reaps our child if it has ended: *ret_status is 0..255, or 128 + the signal that ended it.  -EAGAIN: it runs.
 * Of one that has ended and is traced (gdb, strace) it waits a second for the tracer, which reaps it first. */
int pidfd_reap(int pidfd, int *ret_status);
/* Waits for the end of any process, at most timeout_ms; -ETIMEDOUT. */
int pidfd_wait_end(int pidfd, int timeout_ms);
/* A copy of the process's descriptor `number`, O_CLOEXEC.  Needs the right to trace it. */
int pidfd_get_fd(int pidfd, int number);

#endif
