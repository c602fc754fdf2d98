/* oci_exec.c - a further process in a container of ketch-oci */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "cgroup/ops.h"
#include "container/oci_attend.h"
#include "sys/ns.h"
#include "sys/pidfd.h"
#include "sys/signals.h"

/* The namespaces in which `pid` is not where we are: joining one's own user namespace would be refused. */
static int other_namespaces(pid_t pid, uint64_t *ret)
{
	uint64_t flags = 0;

	for (size_t i = 0; i < ARRAY_LEN(ns_kinds); i++) {
		char theirs[64], ours[64];
		struct stat a, b;

		snprintf(theirs, sizeof(theirs), "/proc/%d/ns/%s", (int)pid, ns_kinds[i].name);
		snprintf(ours, sizeof(ours), "/proc/self/ns/%s", ns_kinds[i].name);
		if (stat(theirs, &a) < 0) {
			if (errno != ENOENT || ns_kinds[i].flag == CLONE_NEWPID)
				return -errno;
			continue; /* a kernel without this type */
		}
		if (stat(ours, &b) == 0 && (a.st_ino != b.st_ino || a.st_dev != b.st_dev))
			flags |= ns_kinds[i].flag;
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
	return cgroups_open(rq->cgroups, rq->exactly_there ? 0 : rq->init, &c->cgroups, e);
}

static pid_t launch_exec(struct container *c, const struct oci_exec *rq, struct launch *l, int *ret_pidfd,
			 int *ret_status, struct err *e)
{
	AUTO(attendance_done) struct attendance a = ATTENDANCE(&rq->start, NULL);
	bool must_wait = l->oci->exe_mount >= 0 || rq->start.listener >= 0;
	int r;

	a.hold_signals = rq->hold_signals;
	if (rq->hold_signals && !must_wait)
		signals_hold();
	r = attend_launch(&a, c, l, must_wait, e);
	if (r < 0)
		return r;
	r = attend_until_ready(&a, ret_status, e);
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
		.exe_mount = *rq->start.exe_mount,
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

	*ret_status = OCI_STATUS_FAILED;
	pid = prepare_exec(&c, rq, &p, &state, e);
	c.filter_flags = rq->start.filter_flags;
	if (pid == 0)
		pid = launch_exec(&c, rq, &l, ret_pidfd, ret_status, e);
	container_done(&c);
	json_done(&instance_state_table, &state);
	return pid;
}
