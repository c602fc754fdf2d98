/* oci_container.c - containers and further processes for ketch-oci: the maker's side, until it may go */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/io.h"
#include "cgroup/oci.h"
#include "cgroup/ops.h"
#include "container/attributes.h"
#include "container/container_int.h"
#include "container/oci.h"
#include "container/seccomp_notify.h"
#include "sys/ns.h"
#include "sys/pidfd.h"

#define REPORT_MAX 1024

enum { STATUS_RUNTIME_FAILED = 255 };

/* --- the report of the child */

/* The filter's listener goes to its agent; until it answers, what the child asks waits in the kernel. */
static int pass_listener(const struct oci_start *st, const char *state, pid_t pid, int pidfd, int number,
			 struct err *e)
{
	AUTO(buf_done) struct buf text = { 0 };
	autoclose int fd = pidfd_get_fd(pidfd, number);

	if (fd < 0)
		return err_sys(e, -fd, "linux.seccomp: cannot fetch the listener");
	seccomp_notify_state(pid, st->listener_metadata, state, &text);
	return buf_ok(&text) ? seccomp_notify_send(st->listener, fd, &text, e)
			     : err_set(e, ENOMEM, "out of memory");
}

enum heard { HEARD_END, HEARD_READY, HEARD_LISTENER, HEARD_HOOKS };

/* What the child says next: nothing more, for its program runs; that it waits for start; which its listener is; that it is
 * the turn of the host's hooks; else what went wrong. */
static int hear(int report, int *ret_listener, int *ret_status, struct err *e)
{
	unsigned char what = 0;
	char text[REPORT_MAX + 1];
	ssize_t n = read_full(report, &what, 1);

	if (n == 0)
		return HEARD_END;
	if (n == 1 && what == 0)
		return HEARD_READY;
	if (n == 1 && what == REPORT_HOOKS)
		return HEARD_HOOKS;
	if (n == 1 && what == REPORT_LISTENER)
		return read_full(report, ret_listener, sizeof(*ret_listener)) == sizeof(*ret_listener)
			       ? HEARD_LISTENER
			       : err_set(e, EPROTO, "the process does not say which its listener is");
	*ret_status = n < 0 ? STATUS_RUNTIME_FAILED : what;
	if (n == 1)
		n = read_full(report, text, REPORT_MAX);
	if (n < 0)
		return err_sys(e, (int)-n, "cannot hear from the process");
	text[n] = '\0';
	return err_set(e, ECHILD, "%s", text);
}

/* The child was started for nothing: it goes, and is waited for, so that the cgroups can be removed. */
void oci_container_end(int pidfd)
{
	int status;

	pidfd_signal(pidfd, SIGKILL);
	pidfd_wait_end(pidfd, -1);
	pidfd_reap(pidfd, &status);
}

static int open_report(struct launch *l, int *ret_ours, struct err *e)
{
	int pair[2], r = pipe_cloexec(pair);

	if (r < 0)
		return err_sys(e, -r, "cannot make a pipe");
	*ret_ours = pair[0];
	/* out of the way of the descriptors that the process is to get */
	l->report = fcntl(pair[1], F_DUPFD_CLOEXEC, 3 + (int)l->oci->keep_fds);
	close(pair[1]);
	return l->report < 0 ? err_sys(e, errno, "cannot make a pipe") : 0;
}

static void close_if_open(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/* The child begins with the score that it is to have. */
static pid_t launch_scored(struct container *c, const struct launch *l, int *ret_pidfd, struct err *e)
{
	const struct opt_i64 *want = &l->oci->process->oom_score_adj;
	autoclose int proc = want->set ? open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;
	int64_t before, ignored;
	struct err none = { 0 };
	pid_t pid;
	int r;

	if (!want->set)
		return container_launch(c, l, ret_pidfd, e);
	r = attributes_set_score(want->v, proc, &before, e);
	pid = r < 0 ? r : container_launch(c, l, ret_pidfd, e);
	if (r == 0)
		attributes_set_score(before, proc, &ignored, &none);
	return pid;
}

/* --- create */

/* Somebody has to be asked before the child may go on: who maps its IDs, and hooks. */
static bool child_must_wait(const struct container *c, const struct oci_hooks *h)
{
	return (c->clone_flags & CLONE_NEWUSER) || h->prestart.n || h->create_runtime.n ||
	       h->create_container.n || h->start_container.n;
}

/* What the maker has to do for the child on its way. */
struct attendance {
	const struct oci_start *start;
	const struct oci_create *create; /* NULL: exec */
	struct buf state;
	pid_t pid;
	int pidfd, report, go; /* go -1: the child does not wait */
};

static void attendance_done(struct attendance *a)
{
	buf_done(&a->state);
	close_if_open(&a->pidfd);
	close_if_open(&a->report);
	close_if_open(&a->go);
}

static int do_hooks(struct attendance *a, struct err *e)
{
	int r = a->create->host_hooks(a->create->arg, &a->state, e);

	if (r == 0) {
		r = write_full(a->go, a->state.data, a->state.len);
		if (r < 0)
			err_sys(e, -r, "cannot speak to the process");
	}
	close_if_open(&a->go);
	return r;
}

/* Until the child needs nobody any more. */
static int attend(struct attendance *a, int *ret_status, struct err *e)
{
	for (;;) {
		const char *state = a->create ? a->state.data : a->start->state;
		int listener = -1, r = hear(a->report, &listener, ret_status, e);

		if (r == HEARD_LISTENER)
			r = pass_listener(a->start, state, a->pid, a->pidfd, listener, e);
		else if (r == HEARD_HOOKS && a->go >= 0)
			r = do_hooks(a, e);
		else
			return r;
		if (r < 0)
			return r;
	}
}

static int do_host_side(struct container *c, struct attendance *a, struct err *e)
{
	int r = a->go >= 0 ? launch_map_ids(c, a->pid, e) : 0;

	if (r == 0)
		r = a->create->made(a->create->arg, a->pid, &a->state, e);
	if (r < 0 || a->go < 0 || !(c->clone_flags & CLONE_NEWUSER))
		return r;
	r = write_full(a->go, "", 1);
	return r < 0 ? err_sys(e, -r, "cannot speak to the process") : 0;
}

static int open_go(struct launch *l, int *ret_ours, struct err *e)
{
	int pair[2], r = pipe_cloexec(pair);

	if (r < 0)
		return err_sys(e, -r, "cannot make a pipe");
	l->go = fcntl(pair[0], F_DUPFD_CLOEXEC, 3 + (int)l->oci->keep_fds);
	close(pair[0]);
	*ret_ours = l->go_parent = pair[1];
	return l->go < 0 ? err_sys(e, errno, "cannot make a pipe") : 0;
}

static int launch(struct container *c, struct launch *l, struct attendance *a, struct err *e)
{
	a->pid = launch_scored(c, l, &a->pidfd, e);
	close_if_open(&l->report);
	close_if_open(&l->go);
	return a->pid < 0 ? a->pid : 0;
}

static pid_t launch_and_wait(struct container *c, const struct oci_create *rq, struct launch *l,
			     int *ret_pidfd, struct err *e)
{
	AUTO(attendance_done)
	struct attendance a = { .start = &rq->start, .create = rq, .pidfd = -1, .report = -1, .go = -1 };
	int status, r = open_report(l, &a.report, e);

	if (r == 0 && child_must_wait(c, &rq->spec->hooks))
		r = open_go(l, &a.go, e);
	if (r == 0)
		r = launch(c, l, &a, e);
	if (r < 0)
		return r;
	r = do_host_side(c, &a, e);
	if (r == 0) {
		r = attend(&a, &status, e);
		if (r == HEARD_END)
			r = err_set(e, ECHILD, "the process ended before it could be started");
	}
	if (r < 0) {
		oci_container_end(a.pidfd);
		return r;
	}
	*ret_pidfd = take_fd(&a.pidfd);
	return a.pid;
}

pid_t oci_container_create(const struct oci_create *rq, struct strv *warnings, int *ret_pidfd, struct err *e)
{
	struct launch_oci oci = {
		.process = rq->start.process,
		.hooks = &rq->spec->hooks,
		.personality = rq->start.personality,
		.keyring = rq->start.keyring,
		.keep_fds = rq->start.keep_fds,
		.console = rq->start.console,
		.start = rq->fifo,
	};
	struct launch l = {
		.process = &rq->boot->spec.process,
		.stdio = { 0, 1, 2 },
		.report = -1,
		.go = -1,
		.main = true,
		.oci = &oci,
	};
	struct instance_state state = { 0 };
	struct container c;
	pid_t pid = container_prepare(&c, rq->boot, rq->plan, &state, e);

	c.filter_flags = rq->start.filter_flags;
	if (pid == 0)
		pid = launch_and_wait(&c, rq, &l, ret_pidfd, e);
	container_done(&c);
	if (strv_add_all(warnings, &state.warnings) < 0 && pid > 0)
		strv_done(warnings);
	json_done(&instance_state_table, &state);
	return pid;
}

/* --- restore */

/* The planner begins with them. */
static size_t count_cgroup_steps(const struct plan *p)
{
	const struct cgroup_rows *rows = &container_cgroup_rows;
	size_t n = 0;

	while (n < p->n && (p->steps[n].op == rows->enable || p->steps[n].op == rows->make ||
			    p->steps[n].op == rows->set || p->steps[n].op == rows->devices ||
			    p->steps[n].op == rows->scope))
		n++;
	return n;
}

int oci_container_make_cgroups(const struct plan *p, struct cgroups *ret, struct strv *warnings,
			       struct err *e)
{
	const struct plan part = { p->steps, count_cgroup_steps(p) };
	struct boot boot = { .n_fds = 0 };
	struct instance_state state = { 0 };
	struct container c;
	int r = container_prepare(&c, &boot, &part, &state, e);

	*ret = c.cgroups;
	c.cgroups = (struct cgroups)CGROUPS_INIT;
	container_done(&c);
	if (strv_add_all(warnings, &state.warnings) < 0 && r == 0)
		r = err_set(e, ENOMEM, "out of memory");
	json_done(&instance_state_table, &state);
	return r;
}

/* --- update */

int oci_container_update(const struct host_facts *h, const struct strv *cgroups, const char *id,
			 const struct oci_resources *resources, struct err *e)
{
	struct cgroup_oci_request rq = {
		.facts = h, .id = id, .resources = resources, .rows = &container_cgroup_rows
	};
	AUTO(plan_done) struct plan p = { 0 };
	struct boot boot = { .n_fds = 0 };
	struct instance_state state = { 0 };
	struct container c;
	int r = cgroup_plan_update(&rq, cgroups, &p, e);

	if (r < 0)
		return r;
	r = container_prepare(&c, &boot, &p, &state, e);
	container_done(&c);
	json_done(&instance_state_table, &state);
	return r;
}

/* --- exec */

/* The namespaces in which `pid` is not where we are: joining one's own user namespace would be refused. */
static int other_namespaces(pid_t pid, uint64_t *ret)
{
	static const struct {
		const char *name;
		uint64_t flag;
	} kinds[] = {
		{ "mnt", CLONE_NEWNS },	   { "pid", CLONE_NEWPID },	  { "ipc", CLONE_NEWIPC },
		{ "uts", CLONE_NEWUTS },   { "net", CLONE_NEWNET },	  { "user", CLONE_NEWUSER },
		{ "time", CLONE_NEWTIME }, { "cgroup", CLONE_NEWCGROUP },
	};
	uint64_t flags = 0;

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		char theirs[64], ours[64];
		struct stat a, b;

		snprintf(theirs, sizeof(theirs), "/proc/%d/ns/%s", (int)pid, kinds[i].name);
		snprintf(ours, sizeof(ours), "/proc/self/ns/%s", kinds[i].name);
		if (stat(theirs, &a) < 0) {
			if (errno != ENOENT || i == 0)
				return -errno;
			continue; /* a kernel without this type */
		}
		if (stat(ours, &b) == 0 && (a.st_ino != b.st_ino || a.st_dev != b.st_dev))
			flags |= kinds[i].flag;
	}
	*ret = flags;
	return 0;
}

/* A container without a mount namespace of its own lives in a part of another's. */
static int open_root(pid_t pid)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/root", (int)pid);
	fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static int prepare_exec(struct container *c, const struct oci_exec *rq, struct plan *p,
			struct instance_state *state, struct err *e)
{
	uint64_t flags = 0;
	int r = 0;

	if (boot_fd(rq->boot, "seccomp") >= 0)
		r = plan_add(p, &op_seccomp, "filter", "fd:seccomp", NULL, 0);
	if (r < 0)
		return err_set(e, ENOMEM, "out of memory");
	r = container_prepare(c, rq->boot, p, state, e);
	if (r < 0)
		return r;
	c->init_pidfd = pidfd_open_pid(rq->init);
	r = c->init_pidfd < 0 ? c->init_pidfd : other_namespaces(rq->init, &flags);
	if (r < 0)
		return err_sys(e, -r, "cannot enter the container");
	c->clone_flags = flags;
	c->init_root = open_root(rq->init);
	if (c->init_root < 0)
		return err_sys(e, -c->init_root, "cannot enter the container");
	return cgroups_open(rq->cgroups, rq->init, &c->cgroups, e);
}

static pid_t launch_exec(struct container *c, const struct oci_exec *rq, struct launch *l, int *ret_pidfd,
			 int *ret_status, struct err *e)
{
	AUTO(attendance_done)
	struct attendance a = { .start = &rq->start, .pidfd = -1, .report = -1, .go = -1 };
	int r = open_report(l, &a.report, e);

	if (r == 0)
		r = launch(c, l, &a, e);
	if (r < 0)
		return r;
	r = attend(&a, ret_status, e);
	if (r < 0) {
		oci_container_end(a.pidfd);
		return r;
	}
	*ret_pidfd = take_fd(&a.pidfd);
	return a.pid;
}

pid_t oci_container_exec(const struct oci_exec *rq, int *ret_pidfd, int *ret_status, struct err *e)
{
	struct launch_oci oci = {
		.process = rq->start.process,
		.personality = rq->start.personality,
		.keyring = rq->start.keyring,
		.keep_fds = rq->start.keep_fds,
		.console = rq->start.console,
		.start = -1,
	};
	struct launch l = {
		.process = &rq->boot->spec.process,
		.stdio = { 0, 1, 2 },
		.report = -1,
		.go = -1,
		.oci = &oci,
	};
	AUTO(plan_done) struct plan p = { 0 };
	struct instance_state state = { 0 };
	struct container c;
	pid_t pid;

	*ret_status = STATUS_RUNTIME_FAILED;
	pid = prepare_exec(&c, rq, &p, &state, e);
	c.filter_flags = rq->start.filter_flags;
	if (pid == 0)
		pid = launch_exec(&c, rq, &l, ret_pidfd, ret_status, e);
	container_done(&c);
	json_done(&instance_state_table, &state);
	return pid;
}
