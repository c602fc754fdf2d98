/* child.c - the programs around a VM, started with few rights, watched to their end */
#include "vm/child.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/io.h"
#include "base/log.h"
#include "sys/ns.h"
#include "sys/pidfd.h"

#define FIRST_SPARE_FD 512 /* descriptors are parked above all numbers that a program gets */

/* --- in the new process */

static int move_fds(const struct child_spec *s)
{
	int parked[CHILD_MAX_FDS], null;

	for (size_t i = 0; i < s->n_fds; i++) {
		parked[i] = fcntl(s->fds[i].fd, F_DUPFD_CLOEXEC, FIRST_SPARE_FD);
		if (parked[i] < 0)
			return -errno;
	}
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null < 0 || dup2(null, 0) < 0 || dup2(null, 1) < 0 || dup2(s->say_fd, 2) < 0)
		return -errno;
	/* whatever else is open, with or without close-on-exec, goes */
	if (close_range(3, FIRST_SPARE_FD - 1, 0) < 0)
		return -errno;
	for (size_t i = 0; i < s->n_fds; i++)
		if (dup2(parked[i], s->fds[i].as) < 0)
			return -errno;
	return close_range(FIRST_SPARE_FD, ~0U, 0) < 0 ? -errno : 0;
}

/* There may be no such high numbers in the shell that we come from; the program gets the limit that it would have had. */
static int place_fds(const struct child_spec *s)
{
	struct rlimit given, more;
	int r;

	if (s->n_fds > CHILD_MAX_FDS)
		return -E2BIG;
	if (getrlimit(RLIMIT_NOFILE, &given) < 0)
		return -errno;
	more = (struct rlimit){ given.rlim_max, given.rlim_max };
	r = setrlimit(RLIMIT_NOFILE, &more) < 0 ? -errno : move_fds(s);
	return r < 0 ? r : setrlimit(RLIMIT_NOFILE, &given) < 0 ? -errno : 0;
}

static void reset_signals(void)
{
	sigset_t none;

	signal(SIGPIPE, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

__attribute__((noreturn)) static void become(const struct child_spec *s, pid_t parent)
{
	static char path[] = "PATH=/usr/sbin:/usr/bin:/sbin:/bin", lang[] = "LC_ALL=C";
	char *envp[] = { path, lang, NULL };
	struct err e = { 0 };
	int r;

	reset_signals();
	r = s->prepare ? s->prepare(s->arg, &e) : 0;
	if (r == 0) {
		r = place_fds(s);
		if (r < 0)
			err_sys(&e, -r, "descriptors");
	}
	/* after prepare: a change of user takes it back.  In a PID namespace of its own it cannot see whether its parent
	 * is still there: such a program must watch a socket of ours */
	if (r == 0 && (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 ||
		       (!(s->clone_flags & CLONE_NEWPID) && getppid() != parent)))
		_exit(127);
	if (r == 0) {
		execve(s->argv[0], s->argv, envp);
		err_sys(&e, errno, "%s", s->argv[0]);
	}
	dprintf(r == 0 ? 2 : s->say_fd, "%s\n", e.msg);
	_exit(127);
}

/* --- in the monitor */

static void on_end(void *arg, uint32_t events)
{
	struct child *c = arg;
	siginfo_t si = { 0 };
	int status;

	if (waitid(P_PIDFD, (id_t)c->pidfd, &si, WEXITED | WNOHANG) < 0 || !si.si_pid)
		return;
	status = si.si_code == CLD_EXITED ? si.si_status : 128 + si.si_status;
	loop_del(c->loop, &c->watch);
	close(c->pidfd);
	c->pid = 0;
	c->ended(c->arg, c, status);
}

int child_start(struct child *c, const struct child_spec *s, struct loop *l, struct err *e)
{
	pid_t self = getpid(), pid;
	int r, pidfd = -1;

	log_debug_argv("vm", s->name, (const char *const *)s->argv);
	pid = ns_clone(s->clone_flags, s->cgroup_fd, &pidfd);
	if (pid == 0)
		become(s, self);
	if (pid < 0)
		return err_sys(e, -pid, "%s", s->name);
	c->name = s->name;
	c->pid = pid;
	c->pidfd = pidfd;
	c->loop = l;
	c->watch = (struct watch){ .fd = pidfd, .events = EPOLLIN, .fn = on_end, .arg = c };
	r = loop_add(l, &c->watch);
	if (r < 0) {
		child_done(c);
		return err_sys(e, -r, "%s", s->name);
	}
	return 0;
}

void child_kill(struct child *c)
{
	if (c->pid)
		pidfd_signal(c->pidfd, SIGKILL);
}

void child_done(struct child *c)
{
	siginfo_t si;

	if (!c->pid)
		return;
	child_kill(c);
	loop_del(c->loop, &c->watch);
	while (waitid(P_PIDFD, (id_t)c->pidfd, &si, WEXITED) < 0 && errno == EINTR)
		;
	close(c->pidfd);
	c->pid = 0;
}
