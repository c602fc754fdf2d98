/* scope.c - scope units of systemd, started, changed and stopped over D-Bus (org.freedesktop.systemd1(5)) */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/parse.h"
#include "cgroup/systemd.h"
#include "sys/dbus.h"
#include "sys/pidfd.h"

#define MANAGER "org.freedesktop.systemd1.Manager"

/* --- settings as D-Bus values */

static void put_number(struct buf *b, char type, const char *text)
{
	uint64_t v = *text == '-' ? (uint64_t)strtoll(text, NULL, 10) : strtoull(text, NULL, 10);

	if (type == 'y')
		dbus_put_byte(b, (uint8_t)v);
	else if (type == 'n' || type == 'q')
		dbus_put_u16(b, (uint16_t)v);
	else if (type == 'i' || type == 'u')
		dbus_put_u32(b, (uint32_t)v);
	else
		dbus_put_u64(b, v);
}

static void put_bytes(struct buf *b, const char *hex)
{
	size_t a = dbus_open_array(b, 1);
	uint8_t byte;

	for (; hex[0] && hex_decode((const char[]){ hex[0], hex[1], 0 }, 1, &byte) == 0; hex += 2)
		dbus_put_byte(b, byte);
	dbus_close_array(b, a, 1);
}

/* Strings, or pairs of them. */
static void put_list(struct buf *b, const char *text, bool pairs)
{
	size_t align = pairs ? 8 : 4, a = dbus_open_array(b, align);
	AUTO(strv_done) struct strv items = { 0 };

	if (strv_split(&items, text, ",") < 0)
		b->failed = true;
	for (size_t i = 0; i < items.n && *text; i++) {
		char *space = pairs ? strchr(items.v[i], ' ') : NULL;

		if (space) {
			*space = '\0';
			dbus_put_struct(b);
		}
		dbus_put_string(b, items.v[i]);
		if (space)
			dbus_put_string(b, space + 1);
	}
	dbus_close_array(b, a, align);
}

static void put_value(struct buf *b, const char *type, const char *value)
{
	if (!strcmp(type, "b"))
		dbus_put_u32(b, !strcmp(value, "true"));
	else if (!strcmp(type, "s"))
		dbus_put_string(b, value);
	else if (!strcmp(type, "ay"))
		put_bytes(b, value);
	else if (!strcmp(type, "as"))
		put_list(b, value, false);
	else if (!strcmp(type, "a(ss)"))
		put_list(b, value, true);
	else
		put_number(b, *type, value);
}

static void put_setting(struct buf *b, const char *line)
{
	const char *eq = strchr(line, '='), *space = eq ? strchr(eq, ' ') : NULL;
	autofree char *name = space ? strndup(line, (size_t)(eq - line)) : NULL;
	autofree char *type = space ? strndup(eq + 1, (size_t)(space - eq - 1)) : NULL;

	if (!name || !type) {
		b->failed = true;
		return;
	}
	dbus_put_struct(b);
	dbus_put_string(b, name);
	dbus_put_signature(b, type);
	put_value(b, type, space + 1);
}

/* a(sv); holder > 0: with the process to move. */
static void put_settings(struct buf *b, const char *settings, pid_t holder)
{
	size_t all = dbus_open_array(b, 8), pids;
	AUTO(strv_done) struct strv lines = { 0 };

	if (strv_split(&lines, settings, "\n") < 0)
		b->failed = true;
	for (size_t i = 0; i < lines.n; i++)
		if (*lines.v[i])
			put_setting(b, lines.v[i]);
	if (holder > 0) {
		dbus_put_struct(b);
		dbus_put_string(b, "PIDs");
		dbus_put_signature(b, "au");
		pids = dbus_open_array(b, 4);
		dbus_put_u32(b, (uint32_t)holder);
		dbus_close_array(b, pids, 4);
	}
	dbus_close_array(b, all, 8);
}

/* --- talking to the manager */

static int call(struct dbus *d, const char *member, const char *signature, const struct buf *body,
		struct dbus_message *ret)
{
	struct dbus_message m = { .destination = "org.freedesktop.systemd1",
				  .path = "/org/freedesktop/systemd1",
				  .interface = MANAGER,
				  .member = member,
				  .signature = signature };

	if (body && !buf_ok(body))
		return -ENOMEM;
	m.body = body ? body->data : NULL;
	m.body_len = body ? body->len : 0;
	return dbus_call(d, &m, ret);
}

/* On a bus signals are only for those who ask. */
static int subscribe(struct dbus *d)
{
	AUTO(buf_done) struct buf rule = { 0 };
	struct dbus_message m = { .destination = "org.freedesktop.DBus",
				  .path = "/org/freedesktop/DBus",
				  .interface = "org.freedesktop.DBus",
				  .member = "AddMatch",
				  .signature = "s" };
	struct dbus_message answer;
	int r;

	dbus_put_string(&rule, "type='signal',interface='" MANAGER "',member='JobRemoved'");
	if (!buf_ok(&rule))
		return -ENOMEM;
	m.body = rule.data;
	m.body_len = rule.len;
	r = dbus_call(d, &m, &answer);
	return r < 0 ? r : call(d, "Subscribe", NULL, NULL, &answer);
}

static int open_bus(const char *path, struct dbus **ret)
{
	AUTO(dbus_close) struct dbus *d = NULL;
	int r = dbus_open(path, true, &d);

	if (r == 0)
		r = subscribe(d);
	if (r == 0)
		*ret = take_ptr(d);
	return r;
}

/* An address that was given counts; else systemd's own socket, which root and the manager's user may use; else the bus. */
static int open_manager(bool user, struct dbus **ret)
{
	const char *run = user ? getenv("XDG_RUNTIME_DIR") : "/run";
	autofree char *private = str_printf("%s/systemd/private", run ? run : "");
	bool given = false;
	autofree char *bus = dbus_bus_path(user, &given);

	if (!private || !bus)
		return -ENOMEM;
	if (given)
		return open_bus(bus, ret);
	return dbus_open(private, false, ret) == 0 ? 0 : open_bus(bus, ret);
}

static int manager(bool user, struct dbus **ret, struct err *e)
{
	int r = open_manager(user, ret);

	return r < 0 ? err_sys(e, -r, "--systemd-cgroup: cannot talk to systemd") : 0;
}

/* What systemd said, or what kept us from hearing it. */
static int refused(int r, const struct dbus_message *m, const char *unit, struct err *e)
{
	struct dbus_reader body = { m->body, m->body_len, 0 };
	const char *text = "";

	if (r != -EREMOTEIO)
		return err_sys(e, -r, "--systemd-cgroup: no answer about %s from systemd", unit);
	if (*m->signature != 's' || dbus_read_string(&body, &text) < 0)
		text = m->error;
	return err_set(e, EREMOTEIO, "systemd refuses %s: %s", unit, text);
}

static int wait_for_job(struct dbus *d, const char *job, const char *unit, struct err *e)
{
	int64_t end = clock_mono_ns() + DBUS_TIMEOUT_S * NS_PER_S;
	struct dbus_message m = { 0 };

	while (clock_mono_ns() < end) {
		const char *path, *name, *result;
		struct dbus_reader body;
		uint32_t id;
		int r = dbus_next(d, &m);

		if (r < 0)
			return refused(r, &m, unit, e);
		body = (struct dbus_reader){ m.body, m.body_len, 0 };
		if (m.type != DBUS_SIGNAL || strcmp(m.member, "JobRemoved") || strcmp(m.interface, MANAGER) ||
		    strcmp(m.signature, "uoss") || dbus_read_u32(&body, &id) < 0 ||
		    dbus_read_string(&body, &path) < 0 || dbus_read_string(&body, &name) < 0 ||
		    dbus_read_string(&body, &result) < 0 || strcmp(path, job))
			continue;
		if (!strcmp(result, "done"))
			return 0;
		return err_set(e, EREMOTEIO, "systemd could not do what %s needs: %s", unit, result);
	}
	return err_set(e, ETIMEDOUT, "systemd does not get done with %s", unit);
}

/* A call whose answer is a job, and the end of that job. */
static int do_job(struct dbus *d, const char *member, const char *unit, const struct buf *body, struct err *e)
{
	const char *signature = !strcmp(member, "StopUnit") ? "ss" : "ssa(sv)a(sa(sv))";
	struct dbus_message m = { 0 };
	struct dbus_reader answer;
	autofree char *job = NULL;
	const char *path;
	int r = call(d, member, signature, body, &m);

	if (r == -EREMOTEIO && !strcmp(m.error, "org.freedesktop.systemd1.NoSuchUnit"))
		return err_set(e, ENOENT, "%s is not there", unit);
	if (r == -EREMOTEIO && !strcmp(m.error, "org.freedesktop.systemd1.UnitExists"))
		return err_set(e, EEXIST, "systemd has a unit %s already", unit);
	if (r < 0)
		return refused(r, &m, unit, e);
	answer = (struct dbus_reader){ m.body, m.body_len, 0 };
	if (strcmp(m.signature, "o") || dbus_read_string(&answer, &path) < 0)
		return err_set(e, EBADMSG, "systemd's answer about %s is no job", unit);
	job = strdup(path);
	return job ? wait_for_job(d, job, unit, e) : err_set(e, ENOMEM, "out of memory");
}

/* --- the process in a new scope */

static pid_t start_holder(int *ret_pidfd)
{
	pid_t parent = getpid(), pid = fork();

	if (pid == 0) {
		close_range(0, ~0U, 0); /* whoever waits for the end of our output must not wait for this */
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		while (getppid() == parent)
			pause();
		_exit(0);
	}
	if (pid < 0)
		return -errno;
	*ret_pidfd = pidfd_open_pid(pid);
	return pid;
}

void systemd_holder_end(struct cgroups *cg)
{
	int status;

	if (cg->holder < 0)
		return;
	pidfd_signal(cg->holder, SIGKILL);
	pidfd_wait_end(cg->holder, CGROUP_DEADLINE_MS);
	pidfd_reap(cg->holder, &status);
	close(cg->holder);
	cg->holder = -1;
}

/* One that failed is kept until somebody has seen it. */
static void forget_failed(struct dbus *d, const char *unit)
{
	AUTO(buf_done) struct buf body = { 0 };
	struct dbus_message m;

	dbus_put_string(&body, unit);
	call(d, "ResetFailedUnit", "s", &body, &m);
}

int systemd_scope_start(const char *unit, bool user, const char *settings, struct cgroups *cg, struct err *e)
{
	AUTO(dbus_close) struct dbus *d = NULL;
	AUTO(buf_done) struct buf body = { 0 };
	int r = manager(user, &d, e);
	pid_t pid;

	if (r < 0)
		return r;
	pid = start_holder(&cg->holder);
	if (pid < 0 || cg->holder < 0)
		return err_sys(e, pid < 0 ? -pid : -cg->holder, "cannot start the first process of %s", unit);
	dbus_put_string(&body, unit);
	dbus_put_string(&body, "replace");
	put_settings(&body, settings, pid);
	dbus_close_array(&body, dbus_open_array(&body, 8), 8); /* no units beside it */
	r = do_job(d, "StartTransientUnit", unit, &body, e);
	if (r != -EEXIST)
		return r;
	forget_failed(d, unit);
	return do_job(d, "StartTransientUnit", unit, &body, e);
}

int systemd_scope_update(const char *unit, bool user, const char *settings, struct err *e)
{
	AUTO(dbus_close) struct dbus *d = NULL;
	AUTO(buf_done) struct buf body = { 0 };
	struct dbus_message m = { 0 };
	int r = manager(user, &d, e);

	if (r < 0)
		return r;
	dbus_put_string(&body, unit);
	dbus_put_u32(&body, true); /* until the unit ends */
	put_settings(&body, settings, 0);
	r = call(d, "SetUnitProperties", "sba(sv)", &body, &m);
	return r < 0 ? refused(r, &m, unit, e) : 0;
}

int systemd_scope_stop(const char *unit, bool user, struct err *e)
{
	AUTO(dbus_close) struct dbus *d = NULL;
	AUTO(buf_done) struct buf body = { 0 };
	int r = manager(user, &d, e);

	if (r < 0)
		return r;
	dbus_put_string(&body, unit);
	dbus_put_string(&body, "replace");
	r = do_job(d, "StopUnit", unit, &body, e);
	return r == -ENOENT ? 0 : r;
}
