/* pidfd.c - processes by descriptor: a number may be somebody else's by now, a descriptor never */
#include "sys/pidfd.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { TRACER_MS = 1000 }; /* it lets go of a process that has ended at its next wait */

int pidfd_open_pid(pid_t pid)
{
	long fd;

	if (pid <= 1) /* -1, 0 and 1 are never a workload's: an unchecked error code, or everybody */
		return -EINVAL;
	fd = syscall(SYS_pidfd_open, pid, 0);
	return fd < 0 ? -errno : (int)fd;
}

int pidfd_signal(int pidfd, int signo)
{
	return syscall(SYS_pidfd_send_signal, pidfd, signo, NULL, 0) < 0 ? -errno : 0;
}

static int reap(int pidfd, siginfo_t *si)
{
	*si = (siginfo_t){ 0 };
	while (waitid(P_PIDFD, (id_t)pidfd, si, WEXITED | WNOHANG) < 0)
		if (errno != EINTR)
			return -errno;
	return si->si_pid ? 0 : -EAGAIN;
}

int pidfd_reap(int pidfd, int *ret_status)
{
	siginfo_t si;
	int r = reap(pidfd, &si);

	/* Its end is seen by everybody at once, but a tracer (gdb, strace) reaps it before its parent can. */
	for (int ms = 0; r == -EAGAIN && ms < TRACER_MS && pidfd_wait_end(pidfd, 0) == 0; ms++) {
		poll(NULL, 0, 1);
		r = reap(pidfd, &si);
	}
	if (r < 0)
		return r;
	*ret_status = si.si_code == CLD_EXITED ? si.si_status : 128 + si.si_status;
	return 0;
}

int pidfd_wait_end(int pidfd, int timeout_ms)
{
	struct pollfd p = { .fd = pidfd, .events = POLLIN };
	int n;

	do
		n = poll(&p, 1, timeout_ms);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	return n ? 0 : -ETIMEDOUT;
}

int pidfd_get_fd(int pidfd, int number)
{
	long fd = syscall(SYS_pidfd_getfd, pidfd, number, 0);

	return fd < 0 ? -errno : (int)fd;
}
