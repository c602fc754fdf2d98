/* launch.c - how a process of a container is born: in new namespaces, in those of others, or both
 *
 * New namespaces come with the clone itself.  Those of others are entered by the parent first and left again, since a
 * child of a new user namespace would have no right to enter them.  A user namespace of somebody else's cannot be left
 * again: a helper enters it and clones the child as its own sibling.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/io.h"
#include "cgroup/ops.h"
#include "container/container_int.h"
#include "sys/ns.h"
#include "sys/pidfd.h"

#define HELPER_MS 10000

/* --- entering and leaving */

struct way_back {
	struct ns_join own[MAX_JOINS + 1];
	size_t n;
};

static int remember(struct way_back *w, int flag)
{
	int fd = ns_open(0, ns_name((uint64_t)flag));

	if (fd < 0)
		return fd;
	w->own[w->n++] = (struct ns_join){ fd, flag };
	return 0;
}

static int enter_joins(const struct container *c, struct way_back *w)
{
	int r = 0;

	for (size_t i = 0; i < c->n_joins && r == 0; i++) {
		/* the child enters a mount namespace by itself: it would take our working directory from us */
		if (c->joins[i].flag == CLONE_NEWUSER || c->joins[i].flag == CLONE_NEWNS)
			continue;
		r = w ? remember(w, c->joins[i].flag) : 0;
		if (r == 0)
			r = ns_join(c->joins[i].fd, c->joins[i].flag);
	}
	return r;
}

/* Offsets can be set only while nobody is in the namespace: so it is made for our children, then they are born. */
static int enter_time(const struct container *c, struct way_back *w)
{
	int r;

	if (!(c->clone_flags & CLONE_NEWTIME))
		return 0;
	r = w ? remember(w, CLONE_NEWTIME) : 0;
	if (r == 0)
		r = ns_unshare(CLONE_NEWTIME);
	return r == 0 ? write_existing(AT_FDCWD, "/proc/self/timens_offsets", c->time_offsets) : r;
}

static int go_back(struct way_back *w)
{
	int r = 0;

	while (w->n--) {
		int k = ns_join(w->own[w->n].fd, w->own[w->n].flag);

		r = k < 0 ? k : r;
		close(w->own[w->n].fd);
	}
	w->n = 0;
	return r;
}

/* --- the first process of a container */

static uint64_t new_flags(const struct container *c)
{
	return c->clone_flags & ~(uint64_t)CLONE_NEWTIME;
}

static pid_t clone_main(struct container *c, int *ret_pidfd, struct err *e)
{
	struct way_back w = { .n = 0 };
	int r = enter_joins(c, &w), k;
	pid_t pid = -1;

	if (r == 0)
		r = enter_time(c, &w);
	if (r == 0) {
		pid = ns_clone(new_flags(c), c->cgroups.unified, ret_pidfd);
		if (pid == 0)
			return 0;
	}
	k = go_back(&w);
	if (r < 0)
		return err_sys(e, -r, "linux.namespaces: cannot enter a namespace");
	if (pid < 0)
		return err_sys(e, -pid, "cannot start a process");
	if (k < 0) {
		pidfd_signal(*ret_pidfd, SIGKILL);
		return err_sys(e, -k, "cannot leave the namespaces of the container again");
	}
	return pid;
}

static int user_join(const struct container *c)
{
	for (size_t i = 0; i < c->n_joins; i++)
		if (c->joins[i].flag == CLONE_NEWUSER)
			return c->joins[i].fd;
	return -1;
}

/* In the helper: into the cgroups while we may, then the user namespace, and all that it owns.  Returns 0 in the
 * child. */
static pid_t helper_clone(struct container *c, bool main)
{
	int r = cgroup_enter(&c->cgroups), pidfd;

	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	if (r == 0 && c->cgroups.unified >= 0)
		r = write_existing(c->cgroups.unified, "cgroup.procs", "0");
	if (r == 0)
		r = main ? ns_join(user_join(c), CLONE_NEWUSER)
			 : ns_join(c->init_pidfd, CLONE_NEWUSER | (int)(c->clone_flags & CLONE_NEWPID));
	if (r == 0 && (setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0))
		r = -errno;
	c->user_entered = true;
	if (r == 0 && !main)
		return ns_clone(CLONE_PARENT, -1, &pidfd);
	if (r == 0)
		r = enter_joins(c, NULL);
	if (r == 0)
		r = enter_time(c, NULL);
	return r < 0 ? r : ns_clone(new_flags(c) | CLONE_PARENT, -1, &pidfd);
}

static pid_t clone_through_user(struct container *c, bool main, int *ret_pidfd, struct err *e)
{
	autoclose int helper = -1, in = -1, out = -1;
	int pair[2], status, r = pipe_cloexec(pair);
	pid_t pid = -1;

	if (r < 0)
		return err_sys(e, -r, "cannot make a pipe");
	in = pair[0];
	out = pair[1];
	r = ns_clone(0, -1, &helper);
	if (r == 0) {
		pid = helper_clone(c, main);
		if (pid == 0)
			return 0;
		_exit(write_full(out, &pid, sizeof(pid)) < 0);
	}
	close(out);
	out = -1;
	if (r < 0)
		return err_sys(e, -r, "cannot start a process");
	if (read_full(in, &pid, sizeof(pid)) != sizeof(pid))
		pid = -EPIPE;
	pidfd_wait_end(helper, HELPER_MS);
	pidfd_reap(helper, &status);
	if (pid < 0)
		return err_sys(e, -pid, "%scannot start a process in the user namespace",
			       main ? "linux.namespaces: " : "");
	*ret_pidfd = pidfd_open_pid(pid); /* our own child: the number is still its */
	return *ret_pidfd < 0 ? err_sys(e, -*ret_pidfd, "the process is gone") : pid;
}

/* --- a further process */

/* Our next child is born in the PID namespace of the container, so no process between has to fork again. */
static pid_t clone_exec(struct container *c, int cgroup, int *ret_pidfd, struct err *e)
{
	autoclose int own = container_has_namespace(c, CLONE_NEWPID) ? ns_open(0, "pid") : -1;
	int r = own >= 0 ? ns_join(c->init_pidfd, CLONE_NEWPID) : 0;
	pid_t pid;

	if (r < 0)
		return err_sys(e, -r, "cannot enter the container");
	pid = ns_clone(0, cgroup, ret_pidfd);
	if (pid && own >= 0)
		ns_join(own, CLONE_NEWPID);
	return pid < 0 ? err_sys(e, -pid, "cannot start a process") : pid;
}

/* An init system has gone below its cgroup, where no process may be any more once it hands controllers down: the newcomer
 * goes where it went. */
static pid_t clone_beside(struct container *c, int *ret_pidfd, struct err *e)
{
	autoclose int beside = c->system_cgroup ? cgroup_open_of(c->system_cgroup, c->state->pid) : -1;

	return clone_exec(c, beside >= 0 ? beside : c->cgroups.unified, ret_pidfd, e);
}

static bool is_apart(const struct launch *l)
{
	return l->copy && l->copy->apart;
}

pid_t launch_clone(struct container *c, const struct launch *l, int *ret_pidfd, struct err *e)
{
	/* a user has no right to the other namespaces of his container before he is in its user namespace */
	if (!l->main && c->by_user && (c->clone_flags & CLONE_NEWUSER))
		return clone_through_user(c, false, ret_pidfd, e);
	if (!l->main)
		return is_apart(l) ? clone_exec(c, -1, ret_pidfd, e) : clone_beside(c, ret_pidfd, e);
	return user_join(c) >= 0 ? clone_through_user(c, true, ret_pidfd, e) : clone_main(c, ret_pidfd, e);
}
