/* test_systemd.c - units, their settings, and what is said to systemd, which a child plays here */
#include "../cm.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/io.h"
#include "cgroup/systemd.h"
#include "sys/dbus.h"
#include "sys/pidfd.h"

/* --- names */

static void cgroups_paths_name_units(void **state)
{
	static const struct {
		const char *path, *want; /* want: the cgroup; NULL: refused */
	} t[] = {
		{ NULL, "/system.slice/ketch-box.scope" },
		{ "", "/system.slice/ketch-box.scope" },
		{ "::x", "/system.slice/x.scope" },
		{ "machine.slice:libpod:0a", "/machine.slice/libpod-0a.scope" },
		{ "a-b-c.slice:cri:x", "/a.slice/a-b.slice/a-b-c.slice/cri-x.scope" },
		{ "-.slice:p:x", "/p-x.scope" },
		{ "system.slice:docker:x:y", NULL },
		{ "/docker/x", NULL },
		{ "a--b.slice:p:x", NULL },
		{ "-a.slice:p:x", NULL },
		{ "a-.slice:p:x", NULL },
		{ ".slice:p:x", NULL },
		{ "a.scope:p:x", NULL },
		{ "a/b.slice:p:x", NULL },
		{ "a.slice:p:", NULL },
		{ "a.slice:p:../x", NULL },
		{ "a.slice:p:x%n", NULL },
		{ "a.slice:p:x.slice", NULL },
	};
	const struct host_facts h = { .cgroup_mode = CGROUP_V2 };

	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		const struct cgroup_oci_request rq = {
			.facts = &h, .id = "box", .path = t[i].path, .systemd = true
		};
		autofree char *got = NULL;
		struct err e = { 0 };

		systemd_cgroup_path(&rq, &got, &e);
		if (!got != !t[i].want || (got && strcmp(got, t[i].want)))
			fail_msg("\"%s\": \"%s\" %s", t[i].path, got ? got : "", e.msg);
		if (!got && strncmp(e.msg, "linux.cgroupsPath: ", 19))
			fail_msg("\"%s\": %s", t[i].path, e.msg);
	}
}

static void without_root_the_users_manager_is_asked(void **state)
{
	struct host_facts h = { .cgroup_mode = CGROUP_V2 };
	const struct cgroup_oci_request rq = { .facts = &h, .id = "box", .systemd = true, .rootless = true };
	autofree char *path = NULL;
	struct err e = { 0 };

	strv_add(&h.cgroups, "unified=/c");
	strv_add(&h.own_cgroups, "unified=/c/user.slice/user-7.slice/user@7.service/app.slice/t.scope");
	assert_int_equal(systemd_cgroup_path(&rq, &path, &e), 0);
	assert_string_equal(path, "/user.slice/user-7.slice/user@7.service/user.slice/ketch-box.scope");
	strv_env_set(&h.own_cgroups, "unified=/c/system.slice/cron.service");
	assert_int_equal(systemd_cgroup_path(&rq, &path, &e), -ENOTSUP);
	json_done(&host_facts_table, &h);
}

/* --- settings */

static void annotations_are_values_of_gvariant(void **state)
{
	static const struct {
		const char *text, *want; /* NULL: refused */
	} t[] = {
		{ "true", "b true" },
		{ "'inactive-or-failed'", "s inactive-or-failed" },
		{ "\"a \\\" b\"", "s a \" b" },
		{ "''", "s " },
		{ "5", "i 5" },
		{ "-5", "i -5" },
		{ "uint64 18446744073709551615", "t 18446744073709551615" },
		{ "byte 255", "y 255" },
		{ "['a', \"b\"]", "as a,b" },
		{ "@as ['a']", "as a" },
		{ "[]", "as " },
		{ "byte 256", NULL },
		{ "uint32 -1", NULL },
		{ "4294967296", NULL },
		{ "uint64 18446744073709551616", NULL },
		{ "'open", NULL },
		{ "'a' b", NULL },
		{ "'a\nTasksMax=t 1'", NULL },
		{ "['a,b']", NULL },
		{ "['a'", NULL },
		{ "['a',", NULL },
		{ "[1]", NULL },
		{ "", NULL },
		{ "{}", NULL },
		{ "yes", NULL },
	};

	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		AUTO(buf_done) struct buf b = { 0 };
		int r = systemd_parse_variant(t[i].text, &b);

		if (r < 0 ? t[i].want != NULL : !t[i].want || strcmp(b.data, t[i].want))
			fail_msg("%s: %d %s", t[i].text, r, b.data ? b.data : "");
	}
}

static struct opt_i64 some(int64_t v)
{
	return (struct opt_i64){ true, v };
}

static int print_settings(int mode, const char *annotation, struct buf *out, struct err *e)
{
	struct host_facts h = { .cgroup_mode = mode };
	struct oci_resources res = {
		.memory = { .limit = some(1000), .swap = some(1500) },
		.cpu = { .shares = some(1024), .quota = some(12345), .cpus = (char *)"0,2-3,9" },
		.pids_limit = some(-1)
	};
	AUTO(strv_done) struct strv annotations = { 0 };
	struct cgroup_oci_request rq = {
		.facts = &h, .id = "box", .resources = &res, .annotations = &annotations
	};
	struct oci_planner pl = { .rq = &rq, .resources = &res, .e = e };
	struct systemd_unit u = { (char *)"x.slice", (char *)"y.scope" };

	strv_add(&annotations, annotation);
	systemd_print_scope(&pl, &u, out);
	return pl.r;
}

static void resources_are_settings(void **state)
{
	static const char v2[] =
		"Description=s ketch container box\nSlice=s x.slice\nDelegate=b true\nDefaultDependencies=b "
		"false\n"
		"CollectMode=s inactive-or-failed\nMemoryAccounting=b true\nCPUAccounting=b true\n"
		"TasksAccounting=b true\nIOAccounting=b true\nMemoryMax=t 1000\nMemorySwapMax=t "
		"500\nCPUWeight=t 100\n"
		"AllowedCPUs=ay 0d02\nCPUQuotaPerSecUSec=t 130000\nTasksMax=t 18446744073709551615\n"
		"DevicePolicy=s strict\nDeviceAllow=a(ss) char-* m,block-* m,/dev/char/1:3 rwm,/dev/char/1:5 "
		"rwm,"
		"/dev/char/1:7 rwm,/dev/char/1:8 rwm,/dev/char/1:9 rwm,/dev/char/5:0 rwm,/dev/char/5:2 rwm,"
		"char-136 rwm\nTimeoutStopUSec=t 3000000\n";
	AUTO(buf_done) struct buf a = { 0 }, b = { 0 }, c = { 0 };
	struct err e = { 0 };

	assert_int_equal(print_settings(CGROUP_V2, "org.systemd.property.TimeoutStopSec=uint32 3", &a, &e),
			 0);
	assert_string_equal(a.data, v2);
	assert_int_equal(print_settings(CGROUP_HYBRID, "other=1", &b, &e), 0);
	assert_non_null(strstr(b.data, "\nBlockIOAccounting=b true\nMemoryLimit=t 1000\nCPUShares=t 1024\n"));
	assert_int_equal(print_settings(CGROUP_V2, "org.systemd.property.A=b\nc", &c, &e), -EINVAL);
	assert_non_null(strstr(e.msg, "annotations.org.systemd.property.A: "));
}

/* --- a fake systemd: answers one connection as of a bus, and writes what was asked */

struct fake {
	char dir[32], *socket, *log;
	pid_t pid;
};

static void answer(int fd, const struct dbus_message *to, enum dbus_type type, const char *error,
		   const char *object)
{
	AUTO(buf_done) struct buf body = { 0 }, out = { 0 };
	struct dbus_message m = { .type = type, .serial = 1, .reply_to = to->serial, .error = error };

	if (error || object) {
		dbus_put_string(&body, error ? "as was said" : object);
		m.signature = error ? "s" : "o";
	}
	m.body = body.data;
	m.body_len = body.len;
	dbus_print(&m, &out);
	assert_int_equal(write_full(fd, out.data, out.len), 0);
}

static void job_removed(int fd, const char *job, const char *result)
{
	AUTO(buf_done) struct buf body = { 0 }, out = { 0 };
	struct dbus_message m = { .type = DBUS_SIGNAL,
				  .serial = 2,
				  .path = "/org/freedesktop/systemd1",
				  .interface = "org.freedesktop.systemd1.Manager",
				  .member = "JobRemoved",
				  .signature = "uoss" };

	dbus_put_u32(&body, 1);
	dbus_put_string(&body, job);
	dbus_put_string(&body, "x.scope");
	dbus_put_string(&body, result);
	m.body = body.data;
	m.body_len = body.len;
	dbus_print(&m, &out);
	assert_int_equal(write_full(fd, out.data, out.len), 0);
}

/* The unit's name decides what happens to it. */
static void serve_call(int fd, const struct dbus_message *m, FILE *log)
{
	struct dbus_reader r = { m->body, m->body_len, 0 };
	bool starts = !strcmp(m->member, "StartTransientUnit"), stops = !strcmp(m->member, "StopUnit");
	const char *unit = "";

	if (*m->signature == 's')
		dbus_read_string(&r, &unit);
	fprintf(log, "%s %s %s\n", m->member, m->signature, strstr(m->member, "Unit") ? unit : "");
	fflush(log);
	if (starts && !strcmp(unit, "bad.scope"))
		return answer(fd, m, DBUS_ERROR, "org.freedesktop.DBus.Error.InvalidArgs", NULL);
	if (stops && !strcmp(unit, "gone.scope"))
		return answer(fd, m, DBUS_ERROR, "org.freedesktop.systemd1.NoSuchUnit", NULL);
	if (starts && !strcmp(unit, "there.scope"))
		return answer(fd, m, DBUS_ERROR, "org.freedesktop.systemd1.UnitExists", NULL);
	if (!starts && !stops)
		return answer(fd, m, DBUS_RETURN, NULL, NULL);
	job_removed(fd, "/job/1", "failed"); /* somebody else's */
	answer(fd, m, DBUS_RETURN, NULL, "/job/2");
	job_removed(fd, "/job/1", "failed");
	job_removed(fd, "/job/2", strcmp(unit, "fails.scope") ? "done" : "failed");
}

static void serve(int fd, FILE *log)
{
	AUTO(buf_done) struct buf in = { 0 };
	char bytes[4096];
	struct dbus_message m;
	ssize_t n;

	n = read(fd, bytes, sizeof(bytes)); /* all of the greeting is sent at once */
	if (n < 15 || memcmp(bytes, "\0AUTH EXTERNAL ", 15) || memcmp(bytes + n - 7, "BEGIN\r\n", 7) ||
	    write_full(fd, "OK 0123456789abcdef0123456789abcdef\r\n", 37) < 0)
		return;
	while ((n = read(fd, bytes, sizeof(bytes))) > 0) {
		buf_add(&in, bytes, (size_t)n);
		while (in.len && (n = dbus_parse(in.data, in.len, &m)) > 0) {
			serve_call(fd, &m, log);
			buf_drop(&in, (size_t)n);
		}
	}
}

static int fake_setup(void **state)
{
	struct fake *f = calloc(1, sizeof(*f));
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	autofree char *address = NULL;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	strcpy(f->dir, "/tmp/ketch-test.XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	f->socket = str_printf("%s/bus", f->dir);
	f->log = str_printf("%s/log", f->dir);
	strcpy(a.sun_path, f->socket);
	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(listen(fd, 4), 0);
	f->pid = fork();
	if (f->pid == 0) {
		FILE *log = fopen(f->log, "we");

		for (;;) {
			autoclose int c = accept(fd, NULL, NULL);

			serve(c, log);
		}
	}
	close(fd);
	address = str_printf("unix:path=%s", f->socket);
	setenv("DBUS_SYSTEM_BUS_ADDRESS", address, 1);
	*state = f;
	return 0;
}

static int fake_teardown(void **state)
{
	struct fake *f = *state;

	kill(f->pid, SIGKILL);
	waitpid(f->pid, NULL, 0);
	unlink(f->socket);
	unlink(f->log);
	rmdir(f->dir);
	free(f->socket);
	free(f->log);
	free(f);
	return 0;
}

static void expect_log(const struct fake *f, const char *want)
{
	AUTO(buf_done) struct buf b = { 0 };

	assert_int_equal(read_file(AT_FDCWD, f->log, 65536, &b), 0);
	if (!b.data || strcmp(b.data, want))
		fail_msg("systemd heard:\n%s", b.data ? b.data : "");
}

#define GREETING "Hello  \nAddMatch s \nSubscribe  \n"

static void a_scope_is_started_changed_and_stopped(void **state)
{
	struct cgroups cg = CGROUPS_INIT;
	struct err e = { 0 };
	int holder;

	if (systemd_scope_start("x.scope", false, "Slice=s a.slice\nTasksMax=t 1\nAllowedCPUs=ay 03\n", &cg,
				&e) < 0)
		fail_msg("%s", e.msg);
	assert_true(cg.holder >= 0);
	holder = dup(cg.holder);
	cgroups_done(&cg);
	assert_int_equal(cg.holder, -1);
	assert_int_equal(pidfd_wait_end(holder, 0), 0); /* its process has ended before */
	close(holder);
	assert_int_equal(systemd_scope_update("x.scope", false, "TasksMax=t 2\n", &e), 0);
	assert_int_equal(systemd_scope_stop("x.scope", false, &e), 0);
	assert_int_equal(systemd_scope_stop("gone.scope", false, &e), 0);
	expect_log(*state, GREETING "StartTransientUnit ssa(sv)a(sa(sv)) x.scope\n" GREETING
				    "SetUnitProperties sba(sv) x.scope\n" GREETING
				    "StopUnit ss x.scope\n" GREETING "StopUnit ss gone.scope\n");
}

static void what_systemd_refuses_is_told(void **state)
{
	struct cgroups cg = CGROUPS_INIT;
	struct err e = { 0 };

	assert_true(systemd_scope_start("bad.scope", false, "Slice=s a.slice\n", &cg, &e) < 0);
	assert_string_equal(e.msg, "systemd refuses bad.scope: as was said");
	cgroups_done(&cg);
	assert_true(systemd_scope_start("fails.scope", false, "Slice=s a.slice\n", &cg, &e) < 0);
	assert_non_null(strstr(e.msg, "fails.scope needs: failed"));
	cgroups_done(&cg);
	assert_int_equal(systemd_scope_start("there.scope", false, "Slice=s a.slice\n", &cg, &e), -EEXIST);
	cgroups_done(&cg);
	setenv("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/nonexistent/bus", 1);
	assert_true(systemd_scope_start("x.scope", false, "", &cg, &e) < 0);
	assert_non_null(strstr(e.msg, "cannot talk to systemd"));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(cgroups_paths_name_units),
		cmocka_unit_test(without_root_the_users_manager_is_asked),
		cmocka_unit_test(annotations_are_values_of_gvariant),
		cmocka_unit_test(resources_are_settings),
		cmocka_unit_test_setup_teardown(a_scope_is_started_changed_and_stopped, fake_setup,
						fake_teardown),
		cmocka_unit_test_setup_teardown(what_systemd_refuses_is_told, fake_setup, fake_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
