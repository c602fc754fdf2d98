/* life.c - start, kill, pause, update, delete: what is done to a container that exists */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/io.h"
#include "base/log.h"
#include "base/path.h"
#include "cgroup/detect.h"
#include "cgroup/ops.h"
#include "container/hooks.h"
#include "container/oci.h"
#include "runtime/notify.h"
#include "runtime/runtime.h"
#include "sys/pidfd.h"

#define END_MS 10000

/* runtime.md#lifecycle: those that fail are logged, and the rest goes on. */
static void run_hooks(const struct container_ref *c, enum container_status status, bool stop)
{
	AUTO(oci_spec_done) struct oci_spec s = { 0 };
	AUTO(buf_done) struct buf state = { 0 };
	AUTO(strv_done) struct strv failed = { 0 };
	struct err e = { 0 };

	if (container_ref_config(c, &s, &e) < 0) {
		log_warn("%s", e.msg);
		return;
	}
	if (runtime_add_state(&c->record, status, STATE_PLAIN, &state) < 0)
		return;
	hooks_run_all(stop ? &s.hooks.poststop : &s.hooks.poststart, stop ? "poststop" : "poststart", &state,
		      &failed);
	for (size_t i = 0; i < failed.n; i++)
		log_warn("%s", failed.v[i]);
}

/* --- start */

static int check_startable(const struct container_ref *c, struct err *e)
{
	switch (c->status) {
	case CONTAINER_CREATED:
		return 0;
	case CONTAINER_CREATING:
		return err_set(e, EBUSY, "cannot start a container that is being created");
	case CONTAINER_STOPPED:
		return err_set(e, ESRCH, "cannot start a container that has stopped");
	case CONTAINER_RUNNING:
	case CONTAINER_PAUSED:
		break;
	}
	return err_set(e, EBUSY, "cannot start an already running container");
}

int runtime_start(const struct runtime *rt, const char *id, struct notify *ret_notify, struct err *e)
{
	AUTO(container_ref_done) struct container_ref c;
	AUTO(notify_done) struct notify notify = NOTIFY_NONE;
	autoclose int fifo = -1, pidfd = -1;
	int r = container_ref_open(rt, id, &c, e);

	if (r == 0)
		r = check_startable(&c, e);
	if (r < 0)
		return r;
	fifo = openat(c.dir, "start", O_WRONLY | O_NONBLOCK | O_CLOEXEC);
	if (fifo < 0)
		return err_set(e, ESRCH, "cannot start a container that has stopped");
	/* of two who start it at once one wins */
	if (unlinkat(c.dir, "start", 0) < 0)
		return err_set(e, EBUSY, "cannot start an already running container");
	pidfd = record_open_process(&c.record);
	r = notify_open(c.dir, c.record.pid, &notify, e);
	if (r < 0)
		return r;
	r = write_full(fifo, "", 1);
	if (r < 0)
		return err_sys(e, -r, "cannot start the container");
	if (c.record.poststart)
		run_hooks(&c, CONTAINER_RUNNING, false);
	if (notify.sock < 0 || pidfd < 0)
		return 0;
	if (ret_notify) {
		*ret_notify = notify;
		notify = NOTIFY_NONE;
	} else {
		notify_wait(&notify, pidfd);
	}
	return 0;
}

/* --- kill */

int runtime_kill(const struct runtime *rt, const char *id, int signo, bool all, struct err *e)
{
	AUTO(container_ref_done) struct container_ref c;
	autoclose int pidfd = -1;
	int r = container_ref_open(rt, id, &c, e);

	if (r < 0)
		return r;
	if (all && c.status == CONTAINER_CREATING)
		return err_set(e, ESRCH, "container not running");
	if (all) {
		r = cgroup_signal_all(&c.record.cgroups, signo, e);
		return r < 0 ? r : 0;
	}
	pidfd = record_open_process(&c.record);
	if (pidfd < 0)
		return err_set(e, ESRCH, "container not running");
	r = pidfd_signal(pidfd, signo);
	if (r == 0 && signo == SIGKILL && c.status == CONTAINER_PAUSED)
		cgroup_thaw(&c.record.cgroups, NULL); /* v1: a frozen process dies only when it is thawed */
	if (r == -ESRCH)
		return err_set(e, ESRCH, "container not running");
	return r < 0 ? err_sys(e, -r, "cannot signal the container") : 0;
}

/* --- pause, resume, update */

int runtime_pause(const struct runtime *rt, const char *id, bool pause, struct err *e)
{
	AUTO(container_ref_done) struct container_ref c;
	int r = container_ref_open(rt, id, &c, e);

	if (r < 0)
		return r;
	if (pause && c.status != CONTAINER_RUNNING && c.status != CONTAINER_CREATED)
		return err_set(e, EINVAL, "container not running or created: %s",
			       container_status_names[c.status]);
	if (!pause && c.status != CONTAINER_PAUSED)
		return err_set(e, EINVAL, "container not paused");
	return pause ? cgroup_freeze(&c.record.cgroups, e) : cgroup_thaw(&c.record.cgroups, e);
}

int runtime_update(const struct runtime *rt, const char *id, const struct buf *json, struct err *e)
{
	AUTO(container_ref_done) struct container_ref c;
	AUTO(oci_resources_done) struct oci_resources res = { 0 };
	AUTO(strv_done) struct strv warnings = { 0 };
	struct host_facts facts = { 0 };
	int r = container_ref_open(rt, id, &c, e);

	if (r < 0)
		return r;
	r = oci_resources_parse(json->data ? json->data : "", json->len, &res, e);
	if (r == 0 && c.status == CONTAINER_STOPPED)
		r = err_set(e, ESRCH, "container not running");
	if (r < 0)
		return r;
	cgroup_detect_all(&facts);
	r = oci_container_update(&facts, &c.record.cgroups, id, &res, &warnings, e);
	for (size_t i = 0; i < warnings.n; i++)
		log_warn("%s", warnings.v[i]);
	json_done(&host_facts_table, &facts);
	return r;
}

/* --- delete */

static int check_deletable(const struct container_ref *c, bool force, struct err *e)
{
	if (force || c->status == CONTAINER_STOPPED)
		return 0;
	if (c->status == CONTAINER_CREATING)
		return err_set(e, EBUSY, "cannot delete container %s that is being created", c->record.id);
	return err_set(e, EBUSY, "cannot delete container %s that is not stopped: %s", c->record.id,
		       container_status_names[c->status]);
}

/* While it is made there may be more than is recorded: its maker is waited for, or, where that was killed, the child that
 * dies with it.  Then what is recorded is read again.  Not so while CRIU makes it, whose processes cgroups name. */
static int wait_for_maker(const struct runtime *rt, const char *id, struct container_ref *c, struct err *e)
{
	if (c->record.pid || c->record.restoring)
		return 0;
	if (record_lock(c->dir, END_MS) < 0)
		return err_set(e, EBUSY, "cannot delete container %s: it is still being created", id);
	container_ref_done(c);
	return container_ref_open(rt, id, c, e);
}

static void end_process(const struct record *r)
{
	autoclose int pidfd = record_open_process(r);

	if (pidfd < 0)
		return;
	pidfd_signal(pidfd, SIGKILL);
	cgroup_thaw(&r->cgroups, NULL); /* a frozen process dies only when it is thawed */
	pidfd_wait_end(pidfd, END_MS);
}

int runtime_delete(const struct runtime *rt, const char *id, bool force, struct err *e)
{
	AUTO(container_ref_done) struct container_ref c;
	int r = container_ref_open(rt, id, &c, e);

	if (r == 0)
		r = check_deletable(&c, force, e);
	if (r == 0)
		r = wait_for_maker(rt, id, &c, e);
	if (r == -ENOENT && force)
		return 0;
	if (r < 0)
		return r;
	end_process(&c.record);
	record_unmount(&c.record);
	r = record_remove_cgroups(&c.record, e);
	if (r < 0)
		return r;
	if (c.record.poststop)
		run_hooks(&c, CONTAINER_STOPPED, true);
	r = remove_tree(rt->dir, id);
	return r < 0 ? err_sys(e, -r, "cannot remove the directory of the container") : 0;
}
