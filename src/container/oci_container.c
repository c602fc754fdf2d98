/* oci_container.c - containers for ketch-oci: made, changed, ended */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <string.h>

#include "base/auto.h"
#include "cgroup/oci.h"
#include "container/oci_attend.h"
#include "sys/pidfd.h"

/* The child was started for nothing: it goes, and is waited for, so that the cgroups can be removed. */
void oci_container_end(int pidfd)
{
	int status;

	pidfd_signal(pidfd, SIGKILL);
	pidfd_wait_end(pidfd, -1);
	pidfd_reap(pidfd, &status);
}

static pid_t launch_and_wait(struct container *c, const struct oci_create *rq, struct launch *l,
			     int *ret_pidfd, struct err *e)
{
	AUTO(attendance_done) struct attendance a = ATTENDANCE(&rq->start, rq);
	int status, r = attend_launch(&a, c, l, true, e);

	if (r < 0)
		return r;
	r = attend_made(&a, c, e);
	if (r == 0) {
		r = attend_until_ready(&a, &status, e);
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
		.exe_mount = *rq->start.exe_mount,
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
	*rq->claim = c.cgroups.claim;
	c.cgroups.claim = CGROUP_CLAIM_INIT;
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
			    p->steps[n].op == rows->scope || p->steps[n].op == rows->warn))
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
			 const struct oci_resources *resources, struct strv *warnings, struct err *e)
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
	if (strv_add_all(warnings, &state.warnings) < 0 && r == 0)
		r = err_set(e, ENOMEM, "out of memory");
	json_done(&instance_state_table, &state);
	return r;
}
