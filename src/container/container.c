/* container.c - one instance: its host steps, and the first moments of a process in it
 *
 * How a process comes to be: container_launch clones.  The child of stream 0 is in its new namespaces at once
 * and applies the STAGE_INSIDE steps, the last of which becomes the user's process.  The child of an exec
 * is in the PID namespace already (it is set for children before the clone), joins the others by the pidfd of
 * the first process and becomes its process.  Either reports a failure through a pipe that exec closes.
 *
 * In the child only static code of this program runs: no NSS, no locale, nothing loaded (security.md A10).
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/io.h"
#include "container/container_int.h"
#include "container/rights.h"
#include "sys/ns.h"
#include "sys/pidfd.h"
#include "sys/signals.h"

/* --- trees */

int tree_add(struct container *c, const char *name, int fd)
{
	struct tree *trees = reallocarray(c->trees, c->n_trees + 1, sizeof(*trees));
	char *copy = strdup(name);

	if (trees)
		c->trees = trees;
	if (!trees || !copy) {
		free(copy);
		close(fd);
		return -ENOMEM;
	}
	c->trees[c->n_trees++] = (struct tree){ copy, fd };
	return 0;
}

int tree_get(const struct container *c, const char *name)
{
	for (size_t i = 0; i < c->n_trees; i++)
		if (!strcmp(c->trees[i].name, name))
			return c->trees[i].fd;
	return -ENOENT;
}

void tree_drop(struct container *c, const char *name)
{
	for (size_t i = 0; i < c->n_trees; i++) {
		if (strcmp(c->trees[i].name, name))
			continue;
		free(c->trees[i].name);
		close(c->trees[i].fd);
		c->trees[i] = c->trees[--c->n_trees];
		return;
	}
}

int source_fd(const struct container *c, const char *from)
{
	return from && !strncmp(from, "fd:", 3) ? boot_fd(c->boot, from + 3) : -ENOENT;
}

/* --- the instance */

int container_prepare(struct container *c, const struct boot *b, const struct plan *p,
		      struct instance_state *state, struct err *e)
{
	*c = (struct container){
		.boot = b,
		.plan = p,
		.state = state,
		.cgroups = CGROUPS_INIT,
		.init_pidfd = -1,
		.root = -1,
		.dev = -1,
		.proc = -1,
		.cover_dir = -1,
		.cover_file = -1,
		.scratch = -1,
		.terminal = -1,
		.init_root = -1,
		.host_proc = -1,
		.ports_from = -1,
		.by_user = geteuid() != 0,
	};
	/* rlimits are raised with a capability of the host's user namespace, which a process of another lacks */
	c->can_raise = rights_can_raise() && !(b->spec.userns && !b->facts.in_guest);
	if (rights_warnings(&b->spec.process, c->can_raise, &state->warnings) < 0)
		return err_set(e, ENOMEM, "out of memory");
	return plan_apply(p, STAGE_HOST, c, e);
}

void container_done(struct container *c)
{
	for (size_t i = 0; i < c->n_trees; i++) {
		close(c->trees[i].fd);
		free(c->trees[i].name);
	}
	free(c->trees);
	for (size_t i = 0; i < c->n_joins; i++)
		close(c->joins[i].fd);
	c->n_joins = 0;
	free(c->time_offsets);
	free(c->system_cgroup);
	c->system_cgroup = NULL;
	free(c->uid_map);
	free(c->gid_map);
	c->time_offsets = c->uid_map = c->gid_map = NULL;
	free(c->filter.filter);
	cgroups_done(&c->cgroups);
	if (c->init_pidfd >= 0)
		close(c->init_pidfd);
	if (c->init_root >= 0)
		close(c->init_root);
	c->trees = NULL;
	c->n_trees = 0;
	c->filter.filter = NULL;
	c->init_pidfd = -1;
}

/* --- the child */

void launch_report(const struct launch *l, int status, const struct err *e)
{
	char head = (char)status;

	/* one write below PIPE_BUF: the parent gets it whole */
	char text[sizeof(e->msg) + 1];
	size_t n = strlen(e->msg);

	text[0] = head;
	memcpy(text + 1, e->msg, n);
	/* after the wait for `start` nobody listens but who reads the container's stderr */
	if (write(l->report, text, n + 1) < 0 && l->oci)
		dprintf(2, "ketch-oci: %s\n", e->msg);
}

int launch_report_listener(const struct launch *l, int listener, struct err *e)
{
	unsigned char text[1 + sizeof(listener)] = { REPORT_LISTENER };

	memcpy(text + 1, &listener, sizeof(listener));
	return write(l->report, text, sizeof(text)) < 0
		       ? err_sys(e, errno, "cannot tell of the seccomp listener")
		       : 0;
}

bool launch_parent_has_gone(const struct launch *l)
{
	struct pollfd p = { .fd = l->report };

	return poll(&p, 1, 0) > 0 && (p.revents & POLLERR);
}

static void reset_signals(const struct container *c)
{
	sigset_t none;

	signals_reset(c->ignored_signals);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* A new user namespace knows no IDs before its parent has mapped them. */
static int wait_for_ids(struct container *c, const struct launch *l, struct err *e)
{
	char byte;

	if (l->go < 0)
		return 0;
	close(l->go_parent);
	if ((c->clone_flags & CLONE_NEWUSER) && read_full(l->go, &byte, 1) != 1)
		return err_set(e, EPIPE, "the parent has gone");
	return 0;
}

static int take_root_of_userns(const struct container *c, struct err *e)
{
	if (!(c->clone_flags & CLONE_NEWUSER))
		return 0;
	if (setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0)
		return err_sys(e, errno, "cannot become root of the user namespace");
	return 0;
}

/* Into somebody else's mount namespace, to the directory of the same name there. */
static int join_mounts(const struct container *c, struct err *e)
{
	for (size_t i = 0; i < c->n_joins; i++) {
		autofree char *cwd = c->joins[i].flag == CLONE_NEWNS ? getcwd(NULL, 0) : NULL;
		int r;

		if (c->joins[i].flag != CLONE_NEWNS)
			continue;
		r = ns_join(c->joins[i].fd, CLONE_NEWNS);
		if (r < 0 || !cwd || chdir(cwd) < 0)
			return err_sys(e, r < 0 ? -r : errno,
				       "linux.namespaces: cannot enter the mount namespace");
	}
	return 0;
}

static void close_exe_mount(const struct launch *l)
{
	unsigned char closed = REPORT_CLOSED;

	close(l->oci->exe_mount);
	write_full(l->report, &closed, 1); /* fails when the parent dies, and we with it */
}

/* The files of /proc/PID of a process that is not dumpable are root's: a user could not map its IDs. */
static bool is_mapped_by_user(const struct container *c, const struct launch *l)
{
	return c->by_user && l->main && l->go >= 0 && (c->clone_flags & CLONE_NEWUSER);
}

static int make_inside(struct container *c, const struct launch *l, struct err *e)
{
	int r = wait_for_ids(c, l, e);

	if (is_mapped_by_user(c, l))
		prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	if (r == 0)
		r = join_mounts(c, e);
	if (r == 0)
		r = take_root_of_userns(c, e);
	if (r == 0 && c->own_cgroupns) {
		/* A8: the container sees its own cgroup as the top and nothing of the host's tree */
		r = ns_unshare(CLONE_NEWCGROUP);
		if (r < 0)
			return err_sys(e, -r, "cannot make a cgroup namespace");
	}
	return r;
}

static int join_inside(struct container *c, const struct launch *l, struct err *e)
{
	int flags = (int)(c->clone_flags & ~(uint64_t)CLONE_NEWPID) | (c->own_cgroupns ? CLONE_NEWCGROUP : 0);
	int r;

	for (size_t i = 0; i < c->n_joins && !l->oci; i++)
		flags |= c->joins[i].flag & ~CLONE_NEWPID;
	if (c->user_entered)
		flags &= ~CLONE_NEWUSER;
	r = ns_join(c->init_pidfd, flags);

	if (r < 0)
		return err_sys(e, -r, "cannot enter the container");
	if ((c->clone_flags & CLONE_NEWUSER) && (setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0))
		return err_sys(e, errno, "cannot become root of the user namespace");
	if (c->init_root >= 0 && (fchdir(c->init_root) < 0 || chroot(".") < 0))
		return err_sys(e, errno, "cannot enter the root of the container");
	c->root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (c->root < 0)
		return err_sys(e, errno, "cannot open the root of the container");
	return l->oci && l->process->tty ? terminal_make(c, l, e) : 0;
}

/* A shield of the monitor is not the workload's; a score that cannot be lowered may stay. */
static void set_oom_score(const struct container *c)
{
	char text[16];

	snprintf(text, sizeof(text), "%d", c->boot->spec.resources.oom_score_adj);
	write_existing(AT_FDCWD, "/proc/self/oom_score_adj", text);
}

static __attribute__((noreturn)) void child_run(struct container *c, const struct launch *l)
{
	struct err e = { 0 };
	int status = 125, r;

	/* A1: nobody inside may look into this process, nor reopen the program behind its /proc/PID/exe, before
	 * exec has replaced it.  First of all, before any namespace is shared with the container. */
	if (!is_mapped_by_user(c, l))
		prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	if (!l->oci)
		set_oom_score(c);
	/* if the parent dies now, so does all this; again after the change of user, which clears it */
	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	if (l->report_parent > 0)
		close(l->report_parent);
	if (launch_parent_has_gone(l))
		_exit(status);
	if (l->oci && l->oci->exe_mount >= 0)
		close_exe_mount(l);
	if (l->oci || c->boot->spec.sandbox.apparmor)
		c->host_proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	reset_signals(c);
	umask(0);
	c->launch = l;
	r = l->copy && l->copy->apart ? 0 : cgroup_enter(&c->cgroups);
	if (r < 0)
		err_sys(&e, -r, "cannot enter the cgroups");
	else if (l->main)
		r = make_inside(c, l, &e);
	else
		r = join_inside(c, l, &e);
	if (r == 0 && l->copy)
		r = copy_become(c, l, &status, &e);
	else if (r == 0 && !l->main)
		r = process_become(c, l, &status, &e);
	else if (r == 0)
		r = plan_apply(c->plan, STAGE_INSIDE, c, &e);
	(void)r; /* they return only failures */
	launch_report(l, status, &e);
	_exit(status);
}

/* --- the parent */

pid_t container_launch(struct container *c, const struct launch *l, int *ret_pidfd, struct err *e)
{
	pid_t pid;

	c->ignored_signals = signals_ignored();
	pid = launch_clone(c, l, ret_pidfd, e);
	if (pid == 0)
		child_run(c, l);
	return pid;
}
