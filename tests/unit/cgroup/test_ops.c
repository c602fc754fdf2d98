/* test_ops.c - the cgroups of OCI containers on this host, whichever version it has: made, joined, frozen, signalled, watched
 * and removed.  Needs root and cgroups that may be written.
 */
#include "../cm.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "base/auto.h"
#include "base/io.h"
#include "base/json.h"
#include "cgroup/detect.h"
#include "cgroup/devices.h"
#include "cgroup/oci.h"
#include "cgroup/ops.h"
#include "cgroup/steps.h"
#include "sys/pidfd.h"

#define DEADLINE_MS 20000
#define MIB	    (INT64_C(1) << 20)

struct box {
	struct host_facts h;
	struct strv record;
	struct cgroups cg;
	char *top; /* "/ketch-test-PID": the first part of the path */
	pid_t pid; /* of a process in it; 0: none */
};

static int apply_enable(void *ctx, const struct step *s, struct err *e)
{
	return cgroup_step_enable(s, e);
}

static int apply_make(void *ctx, const struct step *s, struct err *e)
{
	struct box *b = ctx;

	return cgroup_step_make(s, &b->cg, e);
}

static int apply_set(void *ctx, const struct step *s, struct err *e)
{
	return cgroup_step_set(s, e);
}

static int apply_devices(void *ctx, const struct step *s, struct err *e)
{
	struct box *b = ctx;
	int r = cgroup_step_devices(s, &b->cg, e);

	return r < 0 ? r : 0;
}

static const struct step_op enable = { "enable", STAGE_HOST, apply_enable },
			    make = { "make", STAGE_HOST, apply_make }, set = { "set", STAGE_HOST, apply_set },
			    devices = { "devices", STAGE_HOST, apply_devices };
static const struct cgroup_rows rows = { &enable, &make, &set, &devices };

/* --- a box: made, removed with everything above it that was made for it */

static struct cgroup_oci_request request(const struct box *b, const struct oci_resources *res,
					 const char *path)
{
	return (struct cgroup_oci_request){
		.facts = &b->h, .id = "box", .path = path, .resources = res, .rows = &rows
	};
}

static int box_make(struct box *b, const struct oci_resources *res, struct err *e)
{
	autofree char *path = str_printf("%s/deep/box", b->top);
	struct cgroup_oci_request rq = request(b, res, path);
	AUTO(plan_done) struct plan p = { 0 };
	int r = cgroup_plan_oci(&rq, &p, &b->record, e);

	return r < 0 ? r : plan_apply(&p, STAGE_HOST, b, e);
}

static int box_update(struct box *b, const struct oci_resources *res, struct err *e)
{
	struct cgroup_oci_request rq = request(b, res, NULL);
	AUTO(plan_done) struct plan p = { 0 };
	int r = cgroup_plan_update(&rq, &b->record, &p, e);

	return r < 0 ? r : plan_apply(&p, STAGE_HOST, b, e);
}

static int setup(void **state)
{
	struct box *b = calloc(1, sizeof(*b));

	b->cg = (struct cgroups)CGROUPS_INIT;
	cgroup_detect_all(&b->h);
	b->top = str_printf("/ketch-test-%d", (int)getpid());
	*state = b;
	return 0;
}

static int teardown(void **state)
{
	struct box *b = *state;
	struct err e = { 0 };

	if (b->pid) {
		cgroup_record_remove(&b->record, &e);
		waitpid(b->pid, NULL, 0);
	}
	if (cgroup_record_remove(&b->record, &e) < 0)
		fail_msg("%s", e.msg);
	for (size_t i = 0; i < b->h.cgroups.n; i++) {
		const char *base = strchr(b->h.cgroups.v[i], '=') + 1;
		autofree char *deep = str_printf("%s%s/deep", base, b->top),
			      *top = str_printf("%s%s", base, b->top);

		rmdir(deep);
		rmdir(top);
	}
	cgroups_done(&b->cg);
	strv_done(&b->record);
	json_done(&host_facts_table, &b->h);
	free(b->top);
	free(b);
	return 0;
}

/* A child that is in the box and does `what` there. */
static void box_start(struct box *b, void (*what)(void))
{
	int go[2];
	char c = 0;

	assert_int_equal(pipe_cloexec(go), 0);
	b->pid = fork();
	assert_true(b->pid >= 0);
	if (b->pid == 0) {
		if (read(go[0], &c, 1) == 1 && cgroup_enter(&b->cg) == 0)
			what();
		_exit(99);
	}
	if (b->cg.unified >= 0) {
		char pid[16];

		snprintf(pid, sizeof(pid), "%d", (int)b->pid);
		assert_int_equal(write_existing(b->cg.unified, "cgroup.procs", pid), 0);
	}
	assert_int_equal(write(go[1], &c, 1), 1);
	close(go[0]);
	close(go[1]);
}

static int box_wait(struct box *b)
{
	autoclose int fd = pidfd_open_pid(b->pid);
	int status;

	if (pidfd_wait_end(fd, DEADLINE_MS) < 0)
		fail_msg("the child lives on");
	assert_int_equal(waitpid(b->pid, &status, 0), b->pid);
	b->pid = 0;
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static void sleep_on(void)
{
	for (;;)
		pause();
}

/* Waits until the child has reached what() in all hierarchies. */
static void wait_inside(const struct box *b)
{
	for (int i = 0; i < DEADLINE_MS; i++) {
		AUTO(strv_done) struct strv dirs = { 0 };
		size_t in = 0;

		assert_int_equal(cgroup_record_dirs(&b->record, &dirs), 0);
		for (size_t k = 0; k < dirs.n; k++) {
			struct strv one = { &dirs.v[k], 1 };

			in += cgroup_has_processes(&one) == 1;
		}
		if (in == dirs.n)
			return;
		poll(NULL, 0, 1);
	}
	fail_msg("the child does not come in");
}

static char *file_of(const struct box *b, const char *controller, const char *v1, const char *v2)
{
	bool is_v2;
	const char *dir = cgroup_record_dir(&b->record, controller, &is_v2);
	autofree char *path = dir ? str_printf("%s/%s", dir, is_v2 ? v2 : v1) : NULL;
	struct buf text = { 0 };

	if (!path || read_file(AT_FDCWD, path, 65536, &text) < 0)
		fail_msg("cannot read %s", path ? path : controller);
	while (text.len && text.data[text.len - 1] == '\n')
		text.data[--text.len] = '\0';
	return buf_take(&text);
}

static void expect_file(const struct box *b, const char *controller, const char *v1, const char *v2,
			const char *value)
{
	autofree char *have = file_of(b, controller, v1, v2);

	if (strcmp(have, value))
		fail_msg("%s: \"%s\" instead of \"%s\"", controller, have, value);
}

static struct opt_i64 some(int64_t v)
{
	return (struct opt_i64){ true, v };
}

static void skip_without_cgroups(const struct box *b)
{
	if (geteuid() != 0 || !cgroup_base(&b->h, "memory") || !cgroup_base(&b->h, "pids")) {
		print_message("skipped: needs root and memory and pids cgroups\n");
		skip();
	}
}

/* --- */

static void limits_reach_the_kernel_and_follow_updates(void **state)
{
	struct oci_resources res = { .memory.limit = some(64 * MIB), .pids_limit = some(7) };
	struct box *b = *state;
	struct err e = { 0 };

	skip_without_cgroups(b);
	if (cgroup_base(&b->h, "cpu"))
		res.cpu =
			(struct oci_cpu){ .shares = some(1024), .quota = some(20000), .period = some(50000) };
	if (cgroup_base(&b->h, "cpuset"))
		res.cpu.cpus = (char *)"0";
	if (box_make(b, &res, &e) < 0)
		fail_msg("%s", e.msg);
	expect_file(b, "memory", "memory.limit_in_bytes", "memory.max", "67108864");
	expect_file(b, "pids", "pids.max", "pids.max", "7");
	if (res.cpu.shares.set && strv_env_get(&b->record, "cpu"))
		expect_file(b, "cpu", "cpu.cfs_quota_us", NULL, "20000");
	else if (res.cpu.shares.set)
		expect_file(b, "cpu", NULL, "cpu.max", "20000 50000");
	if (res.cpu.cpus)
		expect_file(b, "cpuset", "cpuset.cpus", "cpuset.cpus", "0");
	for (int i = 0; i < 2; i++) { /* up and down again: the order of limit and swap must fit both */
		int64_t to = i ? 32 * MIB : 128 * MIB;
		struct oci_resources more = { .memory = { .limit = some(to), .swap = some(to) },
					      .pids_limit = some(-1) };
		autofree char *text = str_printf("%lld", (long long)to);

		if (res.cpu.shares.set)
			more.cpu.period = some(i ? 20000 : 100000);
		if (box_update(b, &more, &e) < 0)
			fail_msg("%s", e.msg);
		expect_file(b, "memory", "memory.limit_in_bytes", "memory.max", text);
		expect_file(b, "pids", "pids.max", "pids.max", "max");
		if (res.cpu.shares.set && !strv_env_get(&b->record, "cpu"))
			expect_file(b, "cpu", NULL, "cpu.max", i ? "20000 20000" : "20000 100000");
	}
}

static void a_limit_that_the_kernel_refuses_names_the_file(void **state)
{
	struct oci_resources res = { .cpu = { .quota = some(1) } };
	struct box *b = *state;
	struct err e = { 0 };

	skip_without_cgroups(b);
	assert_true(box_make(b, &res, &e) < 0);
	assert_non_null(strstr(e.msg, strv_env_get(&b->record, "cpu") ? "cpu.cfs_quota_us" : "cpu.max"));
}

static void device_rules_are_an_ordered_list(void **state)
{
	struct oci_device_rule rules[] = {
		{ .allow = true },
		{ .allow = false, .type = (char *)"a", .access = (char *)"rwm" },
		{ .allow = true, .type = (char *)"c", .major = some(10), .minor = some(229) },
		{ .allow = false,
		  .type = (char *)"c",
		  .major = some(10),
		  .minor = some(229),
		  .access = (char *)"w" },
	};
	struct oci_resources res = { .devices = rules, .n_devices = ARRAY_LEN(rules) };
	struct box *b = *state;
	struct err e = { 0 };

	skip_without_cgroups(b);
	if (!cgroup_base(&b->h, "devices"))
		return; /* a program here, which cannot be read; the next test tries it */
	if (box_make(b, &res, &e) < 0)
		fail_msg("%s", e.msg);
	expect_file(b, "devices", "devices.list", NULL,
		    "c 10:229 rm\nc *:* m\nb *:* m\nc 1:3 rwm\nc 1:5 rwm\nc 1:7 rwm\nc 1:8 rwm\nc 1:9 rwm\n"
		    "c 5:0 rwm\nc 5:2 rwm\nc 136:* rwm");
}

/* /dev/zero is forbidden wholly, /dev/null for reading. */
static void try_devices(void)
{
	if (open("/dev/zero", O_RDONLY) >= 0 || errno != EPERM)
		_exit(1);
	if (open("/dev/null", O_RDWR) >= 0 || errno != EPERM)
		_exit(2);
	_exit(open("/dev/null", O_WRONLY) >= 0 && open("/dev/full", O_RDWR) >= 0 ? 0 : 3);
}

static void the_last_device_rule_wins(void **state)
{
	static const char rules[] = "-a *:* rwm,a *:* rwm,-c 1:5 rwm,c 1:5 m,-c 1:3 r";
	struct oci_device_rule everything = { .allow = true };
	struct oci_resources res = { .devices = &everything, .n_devices = 1 };
	struct box *b = *state;
	struct err e = { 0 };
	const char *v1;
	int r;

	skip_without_cgroups(b);
	if (box_make(b, &res, &e) < 0)
		fail_msg("%s", e.msg);
	v1 = strv_env_get(&b->record, "devices");
	r = v1 ? devices_apply_v1(v1, rules, &e) : devices_apply_v2(b->cg.unified, rules, &e);
	if (r == -EPERM) {
		print_message("skipped: %s\n", e.msg);
		skip();
	}
	if (r < 0)
		fail_msg("%s", e.msg);
	box_start(b, try_devices);
	assert_int_equal(box_wait(b), 0);
}

static void a_cgroup_with_processes_is_somebody_elses(void **state)
{
	struct oci_resources res = { 0 };
	struct box *b = *state, again = *b;
	struct err e = { 0 };

	skip_without_cgroups(b);
	if (box_make(b, &res, &e) < 0)
		fail_msg("%s", e.msg);
	box_start(b, sleep_on);
	wait_inside(b);
	again.record = (struct strv){ 0 };
	again.cg = (struct cgroups)CGROUPS_INIT;
	assert_int_equal(box_make(&again, &res, &e), -EBUSY);
	assert_non_null(strstr(e.msg, "in use"));
	strv_done(&again.record);
	cgroups_done(&again.cg);
}

static void a_container_is_listed_frozen_joined_and_signalled(void **state)
{
	struct oci_resources res = { 0 };
	AUTO(pidv_done) struct pidv pids = { 0 };
	AUTO(cgroups_done) struct cgroups second = CGROUPS_INIT;
	struct box *b = *state;
	struct err e = { 0 };

	skip_without_cgroups(b);
	if (box_make(b, &res, &e) < 0)
		fail_msg("%s", e.msg);
	assert_int_equal(cgroup_pids(&b->record, &pids), 0);
	assert_int_equal(pids.n, 0);
	assert_int_equal(cgroup_signal_all(&b->record, SIGTERM, &e), 0);
	box_start(b, sleep_on);
	wait_inside(b);
	assert_int_equal(cgroup_pids(&b->record, &pids), 0);
	assert_int_equal(pids.n, 1);
	assert_int_equal(pids.v[0], b->pid);
	assert_int_equal(cgroup_is_frozen(&b->record), 0);
	if (cgroup_freeze(&b->record, &e) < 0)
		fail_msg("%s", e.msg);
	assert_int_equal(cgroup_is_frozen(&b->record), 1);
	assert_int_equal(cgroup_freeze(&b->record, &e), 0);
	assert_int_equal(cgroup_signal_all(&b->record, SIGTERM, &e), 1);
	if (b->cg.unified <
	    0) /* it was before: so it stays; on v2 a process that a signal ends leaves the ice */
		assert_int_equal(cgroup_is_frozen(&b->record), 1);
	assert_int_equal(cgroups_open(&b->record, b->pid, &second, &e), 0);
	assert_int_equal(second.n_tasks, b->cg.n_tasks);
	assert_int_equal(second.unified >= 0, b->cg.unified >= 0);
	assert_int_equal(cgroup_thaw(&b->record, &e), 0);
	assert_int_equal(box_wait(b), 128 + SIGTERM);
	assert_int_equal(cgroup_is_frozen(&b->record), 0);
}

static void kill_reaches_a_frozen_container(void **state)
{
	struct oci_resources res = { 0 };
	struct box *b = *state;
	struct err e = { 0 };

	skip_without_cgroups(b);
	if (box_make(b, &res, &e) < 0)
		fail_msg("%s", e.msg);
	box_start(b, sleep_on);
	wait_inside(b);
	assert_int_equal(cgroup_freeze(&b->record, &e), 0);
	assert_int_equal(cgroup_signal_all(&b->record, SIGKILL, &e), 1);
	assert_int_equal(box_wait(b), 128 + SIGKILL);
}

static void what_is_gone_is_not_frozen_and_has_nobody(void **state)
{
	AUTO(pidv_done) struct pidv pids = { 0 };
	AUTO(cgroups_done) struct cgroups cg = CGROUPS_INIT;
	struct oci_resources res = { 0 };
	struct box *b = *state;
	struct err e = { 0 };

	skip_without_cgroups(b);
	if (box_make(b, &res, &e) < 0 || cgroup_record_remove(&b->record, &e) < 0)
		fail_msg("%s", e.msg);
	assert_int_equal(cgroup_is_frozen(&b->record), -ENOENT);
	assert_int_equal(cgroup_freeze(&b->record, &e), -ENOENT);
	assert_int_equal(cgroup_pids(&b->record, &pids), 0);
	assert_int_equal(pids.n, 0);
	assert_int_equal(cgroups_open(&b->record, 0, &cg, &e), 0);
	assert_int_equal(cg.unified, -1);
	assert_int_equal(cgroup_record_remove(&b->record, &e), 0);
}

/* --- memory that runs out; statistics */

static void use_too_much(void)
{
	char *p = mmap(NULL, 64 * MIB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	for (int64_t i = 0; i < 64 * MIB; i += 4096)
		((volatile char *)p)[i] = 1;
	_exit(0);
}

static void expect_oom(struct cgroup_oom *o, int bit, int *told)
{
	while (!(*told & bit)) {
		struct pollfd p = { o->fd, POLLIN, 0 };
		int r;

		assert_int_equal(poll(&p, 1, DEADLINE_MS), 1);
		r = cgroup_oom_read(o);
		assert_true(r >= 0);
		*told |= r;
	}
}

static void memory_that_runs_out_is_told(void **state)
{
	struct oci_resources res = { .memory = { .limit = some(16 * MIB), .swap = some(16 * MIB) } };
	struct cgroup_oom o = { .fd = -1 };
	struct box *b = *state;
	struct err e = { 0 };
	int told = 0;

	skip_without_cgroups(b);
	if (box_make(b, &res, &e) < 0 || cgroup_oom_open(&b->record, &o, &e) < 0)
		fail_msg("%s", e.msg);
	assert_int_equal(cgroup_oom_read(&o), 0);
	box_start(b, use_too_much);
	assert_int_equal(box_wait(b), 128 + SIGKILL);
	expect_oom(&o, CGROUP_OOM_KILL, &told);
	assert_int_equal(cgroup_record_remove(&b->record, &e), 0);
	expect_oom(&o, CGROUP_OOM_END, &told);
	cgroup_oom_done(&o);
}

struct usage {
	struct {
		struct {
			uint64_t total, kernel, user;
		} usage;
	} cpu;
	struct {
		struct {
			uint64_t limit, usage;
		} usage;
	} memory;
	struct {
		uint64_t current, limit;
	} pids;
};

static const struct jfield cpu_usage_fields[] = {
	JK(J_U64, struct usage, cpu.usage.total, "total"),
	{ 0 },
};
static const struct jtable cpu_usage_table = { sizeof(struct usage), cpu_usage_fields };
static const struct jfield cpu_fields[] = {
	{ .type = J_OBJ, .key = "usage", .off = 0, .sub = &cpu_usage_table },
	{ 0 },
};
static const struct jtable cpu_table = { sizeof(struct usage), cpu_fields };
static const struct jfield memory_usage_fields[] = {
	JK(J_U64, struct usage, memory.usage.limit, "limit"),
	JK(J_U64, struct usage, memory.usage.usage, "usage"),
	{ 0 },
};
static const struct jtable memory_usage_table = { sizeof(struct usage), memory_usage_fields };
static const struct jfield memory_fields[] = {
	{ .type = J_OBJ, .key = "usage", .off = 0, .sub = &memory_usage_table },
	{ 0 },
};
static const struct jtable memory_table = { sizeof(struct usage), memory_fields };
static const struct jfield pids_fields[] = {
	JK(J_U64, struct usage, pids.current, "current"),
	JK(J_U64, struct usage, pids.limit, "limit"),
	{ 0 },
};
static const struct jtable pids_table = { sizeof(struct usage), pids_fields };
static const struct jfield usage_fields[] = {
	{ .type = J_OBJ, .key = "cpu", .off = 0, .sub = &cpu_table },
	{ .type = J_OBJ, .key = "memory", .off = 0, .sub = &memory_table },
	{ .type = J_OBJ, .key = "pids", .off = 0, .sub = &pids_table },
	{ 0 },
};
static const struct jtable usage_table = { sizeof(struct usage), usage_fields };

static void statistics_are_runcs(void **state)
{
	struct oci_resources res = { .memory.limit = some(64 * MIB), .pids_limit = some(9) };
	AUTO(buf_done) struct buf text = { 0 };
	struct usage u = { 0 };
	struct box *b = *state;
	struct err e = { 0 };

	skip_without_cgroups(b);
	if (box_make(b, &res, &e) < 0)
		fail_msg("%s", e.msg);
	box_start(b, sleep_on);
	wait_inside(b);
	assert_int_equal(cgroup_print_usage(&b->record, &text), 0);
	if (json_parse(&usage_table, text.data, text.len, JSON_UNIQUE, &u, &e) < 0)
		fail_msg("%s: %s", e.msg, text.data);
	if (u.pids.current != 1 || u.pids.limit != 9 || u.memory.usage.limit != 64 * MIB ||
	    !u.cpu.usage.total)
		fail_msg("%s", text.data);
	if (getenv("KETCH_SHOW"))
		print_message("%s\n", text.data);
}

#define BOX(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		BOX(limits_reach_the_kernel_and_follow_updates),
		BOX(a_limit_that_the_kernel_refuses_names_the_file),
		BOX(device_rules_are_an_ordered_list),
		BOX(the_last_device_rule_wins),
		BOX(a_cgroup_with_processes_is_somebody_elses),
		BOX(a_container_is_listed_frozen_joined_and_signalled),
		BOX(kill_reaches_a_frozen_container),
		BOX(what_is_gone_is_not_frozen_and_has_nobody),
		BOX(memory_that_runs_out_is_told),
		BOX(statistics_are_runcs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
