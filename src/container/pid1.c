/* pid1.c - the small init of --init: one process under it, whose signals it passes on and whose end is its own
 *
 * It stays in this program's code: no root file is needed, and it keeps no right but to signal its child.
 */
#include <errno.h>
#include <linux/capability.h>
#include <linux/close_range.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "container/container_int.h"
#include "sys/caps.h"
#include "sys/ns.h"
#include "sys/pidfd.h"

/* Reaps whatever has ended; returns the status of the process itself, or -1 while it runs. */
static int reap(pid_t child)
{
	siginfo_t si;
	int status = -1;

	for (;;) {
		memset(&si, 0, sizeof(si));
		if (waitid(P_ALL, 0, &si, WEXITED | WNOHANG) < 0 || !si.si_pid)
			return status;
		if (si.si_pid == child)
			status = si.si_code == CLD_EXITED ? si.si_status : 128 + si.si_status;
	}
}

static __attribute__((noreturn)) void look_after(pid_t child, int pidfd, const sigset_t *all)
{
	for (;;) {
		siginfo_t si;
		int status, signo = sigwaitinfo(all, &si);

		if (signo == SIGCHLD) {
			status = reap(child);
			if (status >= 0)
				_exit(status);
		} else if (signo > 0) {
			pidfd_signal(pidfd, signo);
		}
	}
}

/* It is root inside with nothing to do: what it keeps could only be misused. */
static int shed_rights(void)
{
	struct cap_sets kill_only = { .permitted = 1 << CAP_KILL, .effective = 1 << CAP_KILL };
	int r = caps_limit_bounding(0);

	if (r == 0)
		r = caps_set(&kill_only);
	return r == 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ? -errno : r;
}

int pid1_run(const struct container *c, const struct launch *l, int *ret_status, struct err *e)
{
	sigset_t all, none;
	int pidfd = -1, r;
	pid_t child;

	sigfillset(&all);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &all, NULL);
	child = ns_clone(0, -1, &pidfd);
	if (child < 0)
		return err_sys(e, -child, "cannot start a process");
	if (child == 0) {
		sigprocmask(SIG_SETMASK, &none, NULL);
		return process_become(c, l, ret_status, e);
	}
	if (dup2(pidfd, 3) < 0)
		_exit(125);
	/* also our copy of the report: its end must come with the exec of the child, the pipes' with its death */
	syscall(SYS_close_range, 4, ~0U, 0);
	syscall(SYS_close_range, 0, 2, 0);
	r = shed_rights();
	if (r < 0)
		_exit(125); /* the kernel ends the child with us */
	prctl(PR_SET_NAME, "ketch-init", 0, 0, 0);
	look_after(child, 3, &all);
}
