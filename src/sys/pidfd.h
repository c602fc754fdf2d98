/* pidfd.h - processes by descriptor: the only way Ketch signals anybody */
#ifndef SYS_PIDFD_H
#define SYS_PIDFD_H

#include <sys/types.h>

/* pidfd_open(2), O_CLOEXEC; pid <= 1 is -EINVAL. */
int pidfd_open_pid(pid_t pid);
/* pidfd_send_signal(2). */
int pidfd_signal(int pidfd, int signo);

#endif
