/* test_attributes.c - what a process is given besides its rights is there afterwards, or said; each in a child */
#include "../cm.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/ioprio.h>
#include <linux/keyctl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/io.h"
#include "container/attributes.h"
#include "container/lsm.h"
#include "sys/caps.h"
#include "sys/keyring.h"
#include "sys/procfs.h"

struct result { /* shared with the child */
	int r;
	struct err e;
	long value;
};

static int make_result(void **state)
{
	*state = mmap(NULL, sizeof(struct result), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	return *state == MAP_FAILED ? -1 : 0;
}

static int drop_result(void **state)
{
	return munmap(*state, sizeof(struct result));
}

static int open_proc(void)
{
	return open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
}

/* Runs fn in a child and waits for it. */
static void in_child(void (*fn)(struct result *res, const void *arg), struct result *res, const void *arg)
{
	int status;
	pid_t pid;

	memset(res, 0, sizeof(*res));
	pid = fork();
	if (pid == 0) {
		fn(res, arg);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

/* --- OOM score */

static void drop_resource(void)
{
	struct cap_sets s;

	if (caps_get(&s) < 0)
		_exit(1);
	s.effective &= ~(UINT64_C(1) << CAP_SYS_RESOURCE);
	s.permitted &= ~(UINT64_C(1) << CAP_SYS_RESOURCE);
	if (caps_set(&s) < 0)
		_exit(1);
}

static long score_now(void)
{
	AUTO(buf_done) struct buf b = { 0 };

	read_file(AT_FDCWD, "/proc/self/oom_score_adj", 24, &b);
	return b.data ? atol(b.data) : -9999;
}

static void set_scores(struct result *res, const void *arg)
{
	const int *scores = arg;
	autoclose int proc = open_proc();
	int64_t before = 0;

	drop_resource();
	for (int i = 0; i < 2 && res->r == 0; i++)
		res->r = attributes_set_score(scores[i], proc, &before, &res->e);
	if (before != scores[0]) /* of the second time */
		_exit(1);
	res->value = score_now();
}

static void an_oom_score_is_set_and_one_that_is_too_low_is_borne(void **state)
{
	struct result *res = *state;

	in_child(set_scores, res, (const int[]){ 300, 700 });
	assert_int_equal(res->r, 0);
	assert_int_equal(res->value, 700);
	in_child(set_scores, res, (const int[]){ 400, -1000 });
	assert_int_equal(res->r, 0);
	assert_int_equal(res->value, 400);
}

static void a_score_that_cannot_be_had_is_told_before(void **state)
{
	const struct oci_process low = { .oom_score_adj = { true, -1000 } },
				 high = { .oom_score_adj = { true, 1000 } }, none = { 0 };
	AUTO(strv_done) struct strv said = { 0 };

	assert_int_equal(attributes_warnings(&none, false, &said), 0);
	assert_int_equal(attributes_warnings(&high, false, &said), 0);
	assert_int_equal(attributes_warnings(&low, true, &said), 0);
	assert_int_equal(said.n, 0);
	assert_int_equal(attributes_warnings(&low, false, &said), 0);
	assert_int_equal(said.n, 1);
	assert_non_null(strstr(said.v[0], "this host does not let it be lowered to -1000"));
}

/* --- scheduling */

struct sched_case {
	struct oci_scheduler s;
	int policy; /* what is read back */
	long value; /* nice or priority */
	bool strong; /* needs rights */
};

static const struct sched_case sched_cases[] = {
	{ { .policy = (char *)"SCHED_OTHER", .nice = 7 }, SCHED_OTHER, 7, false },
	{ { .policy = (char *)"SCHED_BATCH", .nice = 3 }, SCHED_BATCH, 3, false },
	{ { .policy = (char *)"SCHED_IDLE" }, SCHED_IDLE, 0, false },
	{ { .policy = (char *)"SCHED_OTHER", .nice = -5 }, SCHED_OTHER, -5, true },
	{ { .policy = (char *)"SCHED_FIFO", .priority = 11 }, SCHED_FIFO, 11, true },
	{ { .policy = (char *)"SCHED_RR", .priority = 12 }, SCHED_RR, 12, true },
	{ { .policy = (char *)"SCHED_DEADLINE",
	    .runtime = 1000000,
	    .deadline = 10000000,
	    .period = 20000000 },
	  SCHED_DEADLINE,
	  0,
	  true },
};

static void set_scheduler(struct result *res, const void *arg)
{
	const struct sched_case *c = arg;
	const struct oci_process p = { .scheduler = c->s };
	struct sched_param param = { 0 };

	res->r = attributes_apply(&p, &res->e);
	sched_getparam(0, &param);
	if (c->policy == SCHED_FIFO || c->policy == SCHED_RR)
		res->value = param.sched_priority;
	else if (c->policy != SCHED_DEADLINE)
		res->value = getpriority(PRIO_PROCESS, 0);
	if (res->r == 0 && sched_getscheduler(0) != c->policy)
		res->r = 1;
}

static void every_policy_is_set(void **state)
{
	struct result *res = *state;

	for (size_t i = 0; i < ARRAY_LEN(sched_cases); i++) {
		const struct sched_case *c = &sched_cases[i];

		in_child(set_scheduler, res, c);
		if (c->strong && res->r == -EPERM) {
			print_message("not seen: %s\n", res->e.msg);
			continue;
		}
		if (res->r || res->value != c->value)
			fail_msg("%s: %d %s, %ld", c->s.policy, res->r, res->e.msg, res->value);
	}
}

static void flags_go_to_the_kernel(void **state)
{
	struct result *res = *state;
	char *reset = (char *)"SCHED_FLAG_RESET_ON_FORK", *bad = (char *)"SCHED_FLAG_X";
	struct sched_case c = { .s = { .policy = (char *)"SCHED_BATCH", .flags = { &reset, 1 } },
				.policy = SCHED_BATCH | SCHED_RESET_ON_FORK };

	in_child(set_scheduler, res, &c);
	assert_int_equal(res->r, 0);
	c.s.flags.v = &bad;
	in_child(set_scheduler, res, &c);
	assert_string_equal(res->e.msg, "process.scheduler.flags[0]: unknown flag \"SCHED_FLAG_X\"");
	c.s = (struct oci_scheduler){ .policy = (char *)"SCHED_ISO" };
	in_child(set_scheduler, res, &c);
	assert_string_equal(res->e.msg, "process.scheduler: cannot set SCHED_ISO: invalid argument");
}

static void set_io(struct result *res, const void *arg)
{
	const struct oci_process p = { .io_priority = *(const struct oci_io_priority *)arg };

	res->r = attributes_apply(&p, &res->e);
	res->value = syscall(SYS_ioprio_get, IOPRIO_WHO_PROCESS, 0);
}

static void io_priorities_are_set(void **state)
{
	struct result *res = *state;

	in_child(set_io, res, &(struct oci_io_priority){ (char *)"IOPRIO_CLASS_BE", 6 });
	assert_int_equal(res->r, 0);
	assert_int_equal(res->value, IOPRIO_CLASS_BE << IOPRIO_CLASS_SHIFT | 6);
	in_child(set_io, res, &(struct oci_io_priority){ (char *)"IOPRIO_CLASS_IDLE", 0 });
	assert_int_equal(res->r, 0);
	assert_int_equal(res->value >> IOPRIO_CLASS_SHIFT, IOPRIO_CLASS_IDLE);
	in_child(set_io, res, &(struct oci_io_priority){ (char *)"IOPRIO_CLASS_NONE", 0 });
	assert_int_equal(res->r, -EINVAL);
}

static void set_cpus(struct result *res, const void *arg)
{
	cpu_set_t set;

	res->r = attributes_set_cpus(arg, "initial", &res->e);
	sched_getaffinity(0, sizeof(set), &set);
	res->value = CPU_ISSET(0, &set) ? CPU_COUNT(&set) : -1;
}

static void cpus_are_a_list_of_ranges(void **state)
{
	static const char *const bad[] = { "x", "0-", "1-0", ",0", "0,", "0 ", "9999", "8191", "-1", "0--1" };
	struct result *res = *state;

	in_child(set_cpus, res, "0");
	assert_int_equal(res->r, 0);
	assert_int_equal(res->value, 1);
	in_child(set_cpus, res, "0-8191");
	assert_int_equal(res->r, 0);
	in_child(set_cpus, res, "");
	assert_int_equal(res->r, 0);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		in_child(set_cpus, res, bad[i]);
		if (res->r != -EINVAL || strncmp(res->e.msg, "process.execCPUAffinity.initial: ", 33))
			fail_msg("\"%s\": %d %s", bad[i], res->r, res->e.msg);
	}
}

/* --- personality, keyring */

static void set_personality(struct result *res, const void *arg)
{
	struct utsname u;

	res->r = attributes_set_personality(arg, &res->e);
	uname(&u);
	res->value = !strcmp(u.machine, "i686");
}

static void a_personality_is_32_or_64_bits(void **state)
{
	struct result *res = *state;

	in_child(set_personality, res, "LINUX32");
	assert_int_equal(res->r, 0);
	assert_int_equal(res->value, 1);
	in_child(set_personality, res, "LINUX");
	assert_int_equal(res->r, 0);
	assert_int_equal(res->value, 0);
	in_child(set_personality, res, "BSD");
	assert_string_equal(res->e.msg, "linux.personality.domain: unknown domain \"BSD\"");
}

static void join_keyring(struct result *res, const void *arg)
{
	char text[200] = "";

	res->r = keyring_join_session(arg, false);
	res->value = syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_SESSION_KEYRING, 0);
	syscall(SYS_keyctl, KEYCTL_DESCRIBE, KEY_SPEC_SESSION_KEYRING, text, sizeof(text) - 1);
	snprintf(res->e.msg, sizeof(res->e.msg), "%s", text);
}

static void a_container_has_a_session_keyring_of_its_own(void **state)
{
	struct result *res = *state;
	autofree char *name = str_printf("_ses.ketch-test-%d", (int)getpid());
	long own;

	if (syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_SESSION_KEYRING, 0) < 0 && errno == ENOSYS) {
		print_message("skipped: this kernel has no keyrings\n");
		skip();
	}
	in_child(join_keyring, res, name);
	assert_int_equal(res->r, 0);
	assert_non_null(strstr(res->e.msg, name));
	assert_non_null(strstr(res->e.msg, ";3f1b0000;")); /* its user may search it */
	own = syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_SESSION_KEYRING, 0);
	assert_true(res->value != own);
}

/* --- a procfs that is none, and labels */

static void private_mounts(void)
{
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		_exit(1);
}

static void set_in_fake_proc(struct result *res, const void *arg)
{
	autoclose int proc = -1;
	int64_t before;

	private_mounts();
	if (mount("none", "/proc", "tmpfs", 0, NULL) < 0 || mkdir("/proc/1", 0755) < 0 ||
	    symlink("1", "/proc/self") < 0)
		_exit(1);
	close(open("/proc/1/oom_score_adj", O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
	proc = open_proc();
	res->r = attributes_set_score(500, proc, &before, &res->e);
}

static void set_over_mounted(struct result *res, const void *arg)
{
	autoclose int proc = -1;
	int64_t before;

	private_mounts();
	if (mount("/dev/null", "/proc/self/oom_score_adj", NULL, MS_BIND, NULL) < 0)
		_exit(1);
	proc = open_proc();
	res->r = attributes_set_score(500, proc, &before, &res->e);
}

static void need_root(void)
{
	if (geteuid()) {
		print_message("skipped: needs root\n");
		skip();
	}
}

static void what_lies_on_proc_is_not_written_to(void **state)
{
	struct result *res = *state;

	need_root();
	in_child(set_in_fake_proc, res, NULL);
	assert_int_equal(res->r, -EXDEV);
	in_child(set_over_mounted, res, NULL);
	assert_int_equal(res->r, -EXDEV);
	assert_non_null(strstr(res->e.msg, "process.oomScoreAdj"));
}

static bool apparmor_is_on(void)
{
	AUTO(buf_done) struct buf b = { 0 };

	return read_file(AT_FDCWD, "/sys/module/apparmor/parameters/enabled", 8, &b) == 0 && b.data &&
	       *b.data == 'Y';
}

static void set_apparmor(struct result *res, const void *arg)
{
	autoclose int proc = open_proc();

	res->r = lsm_label_set_exec(proc, arg, NULL, &res->e);
}

static void a_profile_that_cannot_be_had_is_an_error(void **state)
{
	struct result *res = *state;

	in_child(set_apparmor, res, "");
	assert_int_equal(res->r, 0);
	in_child(set_apparmor, res, "unconfined");
	assert_int_equal(res->r, 0);
	in_child(set_apparmor, res, "ketch-test-not-loaded");
	assert_true(res->r < 0);
	assert_string_equal(res->e.msg,
			    apparmor_is_on()
				    ? "apparmor failed to apply profile: \"ketch-test-not-loaded\" is "
				      "not loaded"
				    : "apparmor failed to apply profile: this kernel does not have "
				      "AppArmor enabled");
}

static void set_selinux(struct result *res, const void *arg)
{
	autoclose int proc = open_proc();

	res->r = lsm_label_set_exec(proc, NULL, arg, &res->e);
}

static void a_label_without_selinux_is_an_error(void **state)
{
	struct result *res = *state;

	if (access("/sys/fs/selinux/enforce", F_OK) == 0) {
		print_message("skipped: SELinux is on\n");
		skip();
	}
	in_child(set_selinux, res, "system_u:system_r:container_t:s0");
	assert_string_equal(res->e.msg,
			    "selinux label is specified in config, but selinux is disabled or not "
			    "supported");
}

/* Set by hand for a kernel with AppArmor: the name of a profile that is loaded. */
static void run_confined(struct result *res, const void *arg)
{
	autoclose int proc = open_proc();
	autofree char *script = str_printf("grep -qx '%s (.*)' /proc/self/attr/current", (const char *)arg);

	res->r = lsm_label_set_exec(proc, arg, NULL, &res->e);
	if (res->r == 0)
		execl("/bin/sh", "sh", "-c", script, NULL);
	_exit(1);
}

static void a_loaded_profile_confines_the_program(void **state)
{
	const char *profile = getenv("KETCH_TEST_APPARMOR");

	if (!profile || !apparmor_is_on()) {
		print_message(
			"skipped: no AppArmor, or KETCH_TEST_APPARMOR does not name a loaded profile\n");
		skip();
	}
	in_child(run_confined, *state, profile);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, make_result, drop_result)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_oom_score_is_set_and_one_that_is_too_low_is_borne),
		TEST(a_score_that_cannot_be_had_is_told_before),
		TEST(every_policy_is_set),
		TEST(flags_go_to_the_kernel),
		TEST(io_priorities_are_set),
		TEST(cpus_are_a_list_of_ranges),
		TEST(a_personality_is_32_or_64_bits),
		TEST(a_container_has_a_session_keyring_of_its_own),
		TEST(what_lies_on_proc_is_not_written_to),
		TEST(a_profile_that_cannot_be_had_is_an_error),
		TEST(a_label_without_selinux_is_an_error),
		TEST(a_loaded_profile_confines_the_program),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
