/* test_oci.c - linux.seccomp of the runtime-spec: what callers write, every word of it, mistakes, the cache
 *
 * profiles/: linux.seccomp as dockerd 20.10.24, Podman 4.3.1 and containerd 1.6.20 (ctr run --seccomp) gave it to a
 * runtime on Debian 12.
 */
#include "../cm.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/io.h"
#include "base/path.h"
#include "seccomp/bpf.h"
#include "seccomp/compile.h"
#include "seccomp/oci.h"

#define ALLOW	 ((uint32_t)SECCOMP_RET_ALLOW)
#define KILL	 ((uint32_t)SECCOMP_RET_KILL_PROCESS)
#define ERRNO(n) ((uint32_t)(SECCOMP_RET_ERRNO | (n)))
#define HIGH	 (UINT64_C(1) << 32)

static void build(const char *json, struct seccomp_oci *ret)
{
	struct err e = { 0 };

	if (seccomp_oci_build(NULL, json, ret, &e) < 0)
		fail_msg("%s: %s", json, e.msg);
}

static size_t length(const struct seccomp_oci *s)
{
	return s->program.len / sizeof(struct sock_filter);
}

struct call {
	uint32_t arch, nr;
	uint64_t args[3];
};

static uint32_t answer(const struct seccomp_oci *s, const struct call *c)
{
	struct seccomp_data d = { .nr = (int)c->nr, .arch = c->arch };
	uint32_t action = 0;

	memcpy(d.args, c->args, sizeof(c->args));
	assert_int_equal(
		bpf_run((const struct sock_filter *)(const void *)s->program.data, length(s), &d, &action),
		0);
	return action;
}

static void read_profile(const char *name, struct buf *ret)
{
	autofree char *path = str_printf("%s/%s.json", PROFILES, name);

	*ret = (struct buf){ 0 };
	assert_int_equal(read_file(AT_FDCWD, path, 1 << 20, ret), 0);
}

/* --- what callers write */

#define X64(nr)                                                                                              \
	{                                                                                                    \
		AUDIT_ARCH_X86_64, nr,                                                                       \
		{                                                                                            \
			0                                                                                    \
		}                                                                                            \
	}
#define I386(nr)                                                                                             \
	{                                                                                                    \
		AUDIT_ARCH_I386, nr,                                                                         \
		{                                                                                            \
			0                                                                                    \
		}                                                                                            \
	}
#define X32(nr)                                                                                              \
	{                                                                                                    \
		AUDIT_ARCH_X86_64, X32_BIT | (nr),                                                           \
		{                                                                                            \
			0                                                                                    \
		}                                                                                            \
	}

static const struct {
	struct call call;
	uint32_t want;
} docker_cases[] = {
	{ X64(0), ALLOW }, /* read */
	{ X64(165), ERRNO(EPERM) }, /* mount */
	{ X64(435), ERRNO(ENOSYS) }, /* clone3 */
	{ X64(999), ERRNO(ENOSYS) },
	{ { AUDIT_ARCH_X86_64, 56, { 0x10000000 } }, ERRNO(EPERM) }, /* clone, CLONE_NEWUSER */
	{ { AUDIT_ARCH_X86_64, 56, { 0x00010f00 } }, ALLOW },
	{ I386(3), ALLOW }, /* read */
	{ I386(0), ALLOW }, /* restart_syscall */
	{ I386(21), ERRNO(EPERM) }, /* mount */
	{ I386(165), ALLOW }, /* getresuid: another call than x86_64's 165 */
	{ I386(102), ALLOW }, /* socketcall */
	{ I386(117), ALLOW }, /* ipc */
	{ I386(403), ALLOW }, /* clock_gettime64 */
	{ I386(435), ERRNO(ENOSYS) },
	{ I386(999), ERRNO(ENOSYS) },
	{ { AUDIT_ARCH_I386, 120, { 0x10000000 } }, ERRNO(EPERM) }, /* clone */
	{ { AUDIT_ARCH_I386, 120, { 0x00010f00 } }, ALLOW },
	{ X32(0), ALLOW }, /* read */
	{ X32(520), ALLOW }, /* execve */
	{ X32(59), ERRNO(EPERM) }, /* x86_64's execve, which x32 has not */
	{ X32(165), ERRNO(EPERM) }, /* mount */
	{ X32(999), ERRNO(ENOSYS) },
	{ { AUDIT_ARCH_AARCH64, 0, { 0 } }, KILL },
	{ { 0, 0, { 0 } }, KILL },
};

static void every_abi_that_docker_lists_is_filtered_by_its_own_numbers(void **state)
{
	AUTO(seccomp_oci_done) struct seccomp_oci s = { 0 };
	AUTO(buf_done) struct buf text = { 0 };

	read_profile("docker", &text);
	build(text.data, &s);
	for (size_t i = 0; i < ARRAY_LEN(docker_cases); i++) {
		uint32_t got = answer(&s, &docker_cases[i].call);

		if (got != docker_cases[i].want)
			fail_msg("%#x %#x: %#x, not %#x", docker_cases[i].call.arch, docker_cases[i].call.nr,
				 got, docker_cases[i].want);
	}
	assert_int_equal(s.flags, 0);
	assert_null(s.listener_path);
}

/* The same by libseccomp alone. */
static void compile_theirs(const char *json, struct rules *ret_rules, struct buf *ret)
{
	AUTO(profile_done) struct profile p = { 0 };
	struct strv none = { 0 };
	const struct rule_facts facts = { .caps = &none, .kernel_release = "", .all_abis = true };
	struct err e = { 0 };

	if (profile_parse(json, strlen(json), PROFILE_OCI, &p, &e) < 0 ||
	    rules_make(&p, &facts, ret_rules, &e) < 0 || compile_libseccomp(ret_rules, ret, &e) < 0)
		fail_msg("%s", e.msg);
}

static void callers_profiles_become_short_programs_that_libseccomp_agrees_with(void **state)
{
	static const char *const names[] = { "docker", "podman", "containerd" };

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		AUTO(seccomp_oci_done) struct seccomp_oci s = { 0 };
		AUTO(rules_done) struct rules rules = { 0 };
		AUTO(buf_done) struct buf text = { 0 }, theirs = { 0 };
		struct sock_filter *end;

		read_profile(names[i], &text);
		build(text.data, &s);
		compile_theirs(text.data, &rules, &theirs);
		assert_int_equal(rules.n, 3);
		assert_true(compile_equal(&rules, &theirs, &s.program));
		if (length(&s) > 270 || length(&s) * 4 > theirs.len / sizeof(struct sock_filter))
			fail_msg("%s: %zu instructions, libseccomp %zu", names[i], length(&s),
				 theirs.len / sizeof(struct sock_filter));
		/* and the proof can fail */
		end = (struct sock_filter *)(void *)(s.program.data + s.program.len) - 1;
		end->k ^= 1;
		assert_false(compile_equal(&rules, &theirs, &s.program));
	}
}

static void without_architectures_the_native_one_is_alone(void **state)
{
	AUTO(seccomp_oci_done) struct seccomp_oci s = { 0 };

	build("{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{\"names\":[\"getppid\"],\"action\":"
	      "\"SCMP_ACT_ERRNO\"}]}",
	      &s);
	assert_int_equal(answer(&s, &(struct call)X64(0)), ALLOW);
	assert_int_equal(answer(&s, &(struct call)X64(110)), ERRNO(EPERM));
	assert_int_equal(answer(&s, &(struct call)X64(999)), ALLOW); /* the default lets newer calls pass */
	assert_int_equal(answer(&s, &(struct call)I386(3)), KILL);
	assert_int_equal(answer(&s, &(struct call)X32(0)), KILL);
	assert_int_equal(answer(&s, &(struct call)X64(UINT32_MAX)), ALLOW);
}

static void calls_of_i386_behind_socketcall_and_ipc_are_found(void **state)
{
	AUTO(seccomp_oci_done) struct seccomp_oci s = { 0 };

	build("{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"architectures\":[\"SCMP_ARCH_X86\"],\"syscalls\":["
	      "{\"names\":[\"connect\",\"accept\",\"shmget\",\"semop\"],\"action\":\"SCMP_ACT_ERRNO\"}]}",
	      &s);
	assert_int_equal(answer(&s, &(struct call){ AUDIT_ARCH_I386, 102, { 3 } }), ERRNO(EPERM));
	assert_int_equal(answer(&s, &(struct call){ AUDIT_ARCH_I386, 102, { 5 } }), ERRNO(EPERM));
	assert_int_equal(answer(&s, &(struct call){ AUDIT_ARCH_I386, 102, { 1 } }), ALLOW);
	assert_int_equal(answer(&s, &(struct call){ AUDIT_ARCH_I386, 117, { 23 } }), ERRNO(EPERM));
	assert_int_equal(answer(&s, &(struct call){ AUDIT_ARCH_I386, 117, { 1 } }), ERRNO(EPERM));
	assert_int_equal(answer(&s, &(struct call){ AUDIT_ARCH_I386, 117, { 2 } }), ALLOW);
	assert_int_equal(answer(&s, &(struct call)I386(362)), ERRNO(EPERM)); /* connect */
	assert_int_equal(answer(&s, &(struct call)I386(395)), ERRNO(EPERM)); /* shmget */
	assert_int_equal(answer(&s, &(struct call)X64(42)), ERRNO(EPERM)); /* connect */
}

/* --- every word */

static const struct {
	const char *op;
	uint64_t arg;
	bool wide, narrow; /* does it hold on x86_64, on i386? */
} operator_cases[] = {
	{ "\"value\":5,\"op\":\"SCMP_CMP_EQ\"", 5, true, true },
	{ "\"value\":5,\"op\":\"SCMP_CMP_EQ\"", 5 | HIGH, false, true },
	{ "\"value\":5,\"op\":\"SCMP_CMP_NE\"", 5, false, false },
	{ "\"value\":5,\"op\":\"SCMP_CMP_NE\"", 6, true, true },
	{ "\"value\":5,\"op\":\"SCMP_CMP_LT\"", 4, true, true },
	{ "\"value\":5,\"op\":\"SCMP_CMP_LT\"", 5, false, false },
	{ "\"value\":5,\"op\":\"SCMP_CMP_LE\"", 5, true, true },
	{ "\"value\":5,\"op\":\"SCMP_CMP_LE\"", 6, false, false },
	{ "\"value\":5,\"op\":\"SCMP_CMP_LE\"", HIGH, false, true },
	{ "\"value\":5,\"op\":\"SCMP_CMP_GE\"", 5, true, true },
	{ "\"value\":5,\"op\":\"SCMP_CMP_GE\"", 4, false, false },
	{ "\"value\":5,\"op\":\"SCMP_CMP_GT\"", 6, true, true },
	{ "\"value\":5,\"op\":\"SCMP_CMP_GT\"", 5, false, false },
	{ "\"value\":5,\"op\":\"SCMP_CMP_GT\"", HIGH, true, false },
	{ "\"value\":12,\"valueTwo\":4,\"op\":\"SCMP_CMP_MASKED_EQ\"", 0xf4, true, true },
	{ "\"value\":12,\"valueTwo\":4,\"op\":\"SCMP_CMP_MASKED_EQ\"", 0x07, true, true },
	{ "\"value\":12,\"valueTwo\":4,\"op\":\"SCMP_CMP_MASKED_EQ\"", 0x0f, false, false },
	{ "\"value\":18446744073709551615,\"op\":\"SCMP_CMP_EQ\"", UINT64_MAX, true, true },
};

static void every_operator_compares_what_the_abi_passes(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(operator_cases); i++) {
		AUTO(seccomp_oci_done) struct seccomp_oci s = { 0 };
		uint64_t arg = operator_cases[i].arg;
		autofree char *json = str_printf(
			"{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"architectures\":[\"SCMP_ARCH_X86\","
			"\"SCMP_ARCH_X86_64\"],\"syscalls\":[{\"names\":[\"dup\"],\"action\":\"SCMP_ACT_"
			"LOG\","
			"\"args\":[{\"index\":0,%s}]}]}",
			operator_cases[i].op);

		build(json, &s);
		if ((answer(&s, &(struct call){ AUDIT_ARCH_X86_64, SYS_dup, { arg } }) == SECCOMP_RET_LOG) !=
		    operator_cases[i].wide)
			fail_msg("%s of %#lx on x86_64", operator_cases[i].op, (unsigned long)arg);
		if ((answer(&s, &(struct call){ AUDIT_ARCH_I386, 41, { arg } }) == SECCOMP_RET_LOG) !=
		    operator_cases[i].narrow)
			fail_msg("%s of %#lx on i386", operator_cases[i].op, (unsigned long)arg);
	}
}

static int load(const struct seccomp_oci *s)
{
	struct sock_fprog prog = { .len = (unsigned short)length(s), .filter = (void *)s->program.data };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -1;
	return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, s->flags, &prog);
}

/* getppid under the filter: exit status 0 (it worked), its errno, 200 (an errno of 0), or 128 + the signal. */
static int run_under(const struct seccomp_oci *s)
{
	int status;
	pid_t child = fork();

	if (child == 0) {
		long r;

		signal(SIGSYS, SIG_DFL); /* cmocka's would go on with the tests */
		if (load(s) < 0)
			_exit(100);
		r = syscall(SYS_getppid);
		_exit(r < 0 ? errno : r == 0 ? 200 : 0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static const struct {
	const char *rest, *flags;
	int want;
} action_cases[] = {
	{ "\"action\":\"SCMP_ACT_ERRNO\"", "", EPERM },
	{ "\"action\":\"SCMP_ACT_ERRNO\",\"errnoRet\":18", "", EXDEV },
	{ "\"action\":\"SCMP_ACT_ERRNO\",\"errnoRet\":0", "", 200 },
	{ "\"action\":\"SCMP_ACT_KILL\"", "", 128 + SIGSYS },
	{ "\"action\":\"SCMP_ACT_KILL_THREAD\"", "", 128 + SIGSYS },
	{ "\"action\":\"SCMP_ACT_KILL_PROCESS\"", "", 128 + SIGSYS },
	{ "\"action\":\"SCMP_ACT_TRAP\"", "", 128 + SIGSYS },
	{ "\"action\":\"SCMP_ACT_LOG\"", "", 0 },
	{ "\"action\":\"SCMP_ACT_TRACE\"", "", ENOSYS }, /* nobody traces */
	{ "\"action\":\"SCMP_ACT_TRACE\",\"errnoRet\":7", "", ENOSYS },
	{ "\"action\":\"SCMP_ACT_ALLOW\"", "", 0 },
	{ "\"action\":\"SCMP_ACT_ERRNO\"", "\"SECCOMP_FILTER_FLAG_TSYNC\"", EPERM },
	{ "\"action\":\"SCMP_ACT_ERRNO\"", "\"SECCOMP_FILTER_FLAG_LOG\"", EPERM },
	{ "\"action\":\"SCMP_ACT_ERRNO\"", "\"SECCOMP_FILTER_FLAG_SPEC_ALLOW\"", EPERM },
	{ "\"action\":\"SCMP_ACT_ERRNO\"", "\"SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV\"", EPERM },
	{ "\"action\":\"SCMP_ACT_ERRNO\"", "\"SECCOMP_FILTER_FLAG_LOG\",\"SECCOMP_FILTER_FLAG_SPEC_ALLOW\"",
	  EPERM },
};

static void the_kernel_does_what_every_action_and_flag_says(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(action_cases); i++) {
		AUTO(seccomp_oci_done) struct seccomp_oci s = { 0 };
		autofree char *json = str_printf(
			"{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"flags\":[%s],\"syscalls\":[{\"names\":["
			"\"getppid\"],%s}]}",
			action_cases[i].flags, action_cases[i].rest);
		int got;

		build(json, &s);
		got = run_under(&s);
		if (got != action_cases[i].want)
			fail_msg("%s, flags %s: %d, not %d", action_cases[i].rest, action_cases[i].flags, got,
				 action_cases[i].want);
	}
}

/* A call as i386 counts, from a 64-bit program. */
static int call_i386(int nr)
{
	int r;

	__asm__ volatile("int $0x80"
			 : "=a"(r)
			 : "a"(nr), "b"(0), "c"(0), "d"(0)
			 : "memory", "r8", "r9", "r10", "r11");
	return r;
}

/* Where the kernel has no entry for them, int 0x80 is SIGSEGV. */
static bool has_i386(void)
{
	pid_t child = fork();
	int status;

	if (child == 0) {
		signal(SIGSEGV, SIG_DFL);
		_exit(call_i386(20) != getpid());
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	return status == 0;
}

static void calls_of_i386_are_filtered_for_real(void **state)
{
	AUTO(seccomp_oci_done) struct seccomp_oci s = { 0 };
	AUTO(buf_done) struct buf text = { 0 };
	int status;
	pid_t child;

	if (!has_i386()) {
		print_message("skipped: this kernel has no calls of i386\n");
		skip();
	}
	read_profile("docker", &text);
	build(text.data, &s);
	child = fork();
	if (child == 0) {
		if (load(&s) < 0)
			_exit(1);
		if (call_i386(20) != getpid())
			_exit(2);
		_exit(call_i386(21) == -EPERM && call_i386(999) == -ENOSYS ? 0 : 3); /* 21: mount */
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

static void flags_and_the_listener_come_out(void **state)
{
	AUTO(seccomp_oci_done) struct seccomp_oci s = { 0 }, quiet = { 0 };

	build("{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"flags\":[\"SECCOMP_FILTER_FLAG_LOG\","
	      "\"SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV\"],\"listenerPath\":\"/run/agent.sock\","
	      "\"listenerMetadata\":\"who\",\"syscalls\":[{\"names\":[\"mknod\",\"sendmsg\"],\"action\":"
	      "\"SCMP_ACT_NOTIFY\"}]}",
	      &s);
	assert_int_equal(s.flags, SECCOMP_FILTER_FLAG_LOG | SECCOMP_FILTER_FLAG_NEW_LISTENER | 1u << 5);
	assert_string_equal(s.listener_path, "/run/agent.sock");
	assert_string_equal(s.listener_metadata, "who");
	assert_int_equal(answer(&s, &(struct call)X64(SYS_mknod)), SECCOMP_RET_USER_NOTIF);
	build("{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"flags\":[\"SECCOMP_FILTER_FLAG_TSYNC\"],"
	      "\"listenerPath\":\"\",\"syscalls\":null,\"later\":{\"keys\":1}}",
	      &quiet);
	assert_int_equal(quiet.flags, SECCOMP_FILTER_FLAG_TSYNC);
	assert_null(quiet.listener_path);
}

static const struct {
	const char *action;
	uint32_t newer;
} newer_cases[] = {
	{ "SCMP_ACT_ERRNO", ERRNO(ENOSYS) },
	{ "SCMP_ACT_KILL", ERRNO(ENOSYS) },
	{ "SCMP_ACT_KILL_PROCESS", ERRNO(ENOSYS) },
	{ "SCMP_ACT_TRAP", ERRNO(ENOSYS) },
	{ "SCMP_ACT_TRACE", SECCOMP_RET_TRACE | EPERM },
	{ "SCMP_ACT_LOG", SECCOMP_RET_LOG },
};

static void newer_calls_are_enosys_unless_the_default_lets_them_pass(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(newer_cases); i++) {
		AUTO(seccomp_oci_done) struct seccomp_oci s = { 0 };
		autofree char *json = str_printf("{\"defaultAction\":\"%s\",\"syscalls\":[{\"names\":["
						 "\"read\",\"openat2\"],\"action\":\"SCMP_ACT_ALLOW\"}]}",
						 newer_cases[i].action);

		build(json, &s);
		assert_int_equal(answer(&s, &(struct call)X64(SYS_openat2)), ALLOW);
		assert_int_equal(answer(&s, &(struct call)X64(SYS_openat2 + 1)), newer_cases[i].newer);
		assert_int_not_equal(answer(&s, &(struct call)X64(SYS_openat2 - 1)), ERRNO(ENOSYS));
	}
}

/* --- mistakes */

#define WITH(rest) "{\"defaultAction\":\"SCMP_ACT_ERRNO\"," rest "}"
#define CALL(rest) WITH("\"syscalls\":[{\"names\":[\"read\"]," rest "}]")
#define ARG(rest)  CALL("\"action\":\"SCMP_ACT_ALLOW\",\"args\":[{" rest "}]")

static const struct {
	const char *json, *message;
} mistakes[] = {
	{ "[]", NULL },
	{ "5", NULL },
	{ "{", NULL },
	{ "{}", "defaultAction: missing" },
	{ "{\"defaultAction\":\"X\"}", "defaultAction: unknown action \"X\"" },
	{ "{\"defaultAction\":\"scmp_act_allow\"}", "defaultAction: unknown action \"scmp_act_allow\"" },
	{ "{\"defaultAction\":\"SCMP_ACT_NOTIFY\"}", "defaultAction: SCMP_ACT_NOTIFY cannot be the default" },
	{ "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"defaultErrnoRet\":1}",
	  "defaultErrnoRet: SCMP_ACT_ALLOW takes no errno" },
	{ "{\"defaultAction\":7}", NULL },
	{ WITH("\"defaultErrnoRet\":4096"), "defaultErrnoRet: 4096 is not 0 to 4095" },
	{ WITH("\"defaultErrnoRet\":-1"), "defaultErrnoRet: -1 is not 0 to 4095" },
	{ WITH("\"architectures\":[\"SCMP_ARCH_X86_64\",\"amd64\"]"),
	  "architectures[1]: unknown architecture \"amd64\"" },
	{ WITH("\"architectures\":\"SCMP_ARCH_X86_64\""), NULL },
	{ WITH("\"flags\":[\"SECCOMP_FILTER_FLAG_NEW_LISTENER\"]"),
	  "flags[0]: unknown flag \"SECCOMP_FILTER_FLAG_NEW_LISTENER\"" },
	{ WITH("\"flags\":{}"), NULL },
	{ WITH("\"listenerPath\":5"), NULL },
	{ WITH("\"syscalls\":{}"), NULL },
	{ WITH("\"syscalls\":[null]"), NULL },
	{ WITH("\"syscalls\":[{}]"), "syscalls[0].names: missing" },
	{ WITH("\"syscalls\":[{\"names\":[\"read\"],\"action\":\"SCMP_ACT_LOG\"},{\"names\":[]}]"),
	  "syscalls[1].names: missing" },
	{ CALL("\"args\":[]"), "syscalls[0].action: missing" },
	{ CALL("\"action\":\"X\""), "syscalls[0].action: unknown action \"X\"" },
	{ CALL("\"action\":\"SCMP_ACT_NOTIFY\""),
	  "listenerPath: missing, as syscalls[0] is SCMP_ACT_NOTIFY" },
	{ WITH("\"listenerPath\":\"/"
	       "x\",\"syscalls\":[{\"names\":[\"write\"],\"action\":\"SCMP_ACT_NOTIFY\"}]"),
	  "syscalls[0].action: SCMP_ACT_NOTIFY cannot be used for write" },
	{ CALL("\"action\":\"SCMP_ACT_KILL\",\"errnoRet\":1"),
	  "syscalls[0].errnoRet: SCMP_ACT_KILL takes no errno" },
	{ CALL("\"action\":\"SCMP_ACT_ERRNO\",\"errnoRet\":65536"),
	  "syscalls[0].errnoRet: 65536 is not 0 to 4095" },
	{ CALL("\"action\":\"SCMP_ACT_ERRNO\",\"errnoRet\":\"EPERM\""), NULL },
	{ ARG("\"index\":6,\"value\":1,\"op\":\"SCMP_CMP_EQ\""),
	  "syscalls[0].args[0].index: 6 is not 0 to 5" },
	{ ARG("\"index\":0,\"value\":1"), "syscalls[0].args[0].op: unknown operator \"\"" },
	{ ARG("\"index\":0,\"value\":1,\"op\":\"SCMP_CMP_GE\"},{\"index\":1,\"value\":1,\"op\":\"==\""),
	  "syscalls[0].args[1].op: unknown operator \"==\"" },
	{ ARG("\"index\":-1,\"value\":1,\"op\":\"SCMP_CMP_EQ\""), NULL },
	{ ARG("\"index\":0,\"value\":-1,\"op\":\"SCMP_CMP_EQ\""), NULL },
	{ ARG("\"index\":0,\"value\":18446744073709551616,\"op\":\"SCMP_CMP_EQ\""), NULL },
};

static void a_mistake_is_one_line_that_begins_with_its_place(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(mistakes); i++) {
		struct seccomp_oci s = { 0 };
		struct err e = { 0 };
		autofree char *want = str_printf("linux.seccomp.%s", mistakes[i].message);

		if (seccomp_oci_build(NULL, mistakes[i].json, &s, &e) >= 0)
			fail_msg("accepted: %s", mistakes[i].json);
		if (strncmp(e.msg, "linux.seccomp", 13) || strchr(e.msg, '\n') || s.program.data)
			fail_msg("%s: \"%s\"", mistakes[i].json, e.msg);
		if (mistakes[i].message && strcmp(e.msg, want))
			fail_msg("\"%s\", not \"%s\"", e.msg, want);
	}
}

/* --- the cache */

static int make_dir(void **state)
{
	char *dir = strdup("/tmp/ketch-test.XXXXXX");

	*state = dir;
	return mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **state)
{
	remove_tree(AT_FDCWD, *state);
	free(*state);
	return 0;
}

static const char notifying[] =
	"{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"flags\":[\"SECCOMP_FILTER_FLAG_LOG\"],\"listenerPath\":"
	"\"/run/a\",\"syscalls\":[{\"names\":[\"mknod\"],\"action\":\"SCMP_ACT_NOTIFY\"}]}";

static void build_in(const char *dir, const char *json, struct seccomp_oci *ret)
{
	struct err e = { 0 };

	if (seccomp_oci_build(dir, json, ret, &e) < 0)
		fail_msg("%s", e.msg);
}

/* The one file of the cache. */
static char *find_file(const char *dir)
{
	autofree char *command = str_printf("find %s -name '*.bpf' -type f", dir);
	FILE *f = popen(command, "r");
	char line[300] = "";

	assert_non_null(f);
	assert_non_null(fgets(line, sizeof(line), f));
	pclose(f);
	line[strcspn(line, "\n")] = '\0';
	return strdup(line);
}

static ino_t inode(const char *path)
{
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	return st.st_ino;
}

static void assert_same(const struct seccomp_oci *a, const struct seccomp_oci *b)
{
	assert_int_equal(a->program.len, b->program.len);
	assert_memory_equal(a->program.data, b->program.data, a->program.len);
	assert_int_equal(a->flags, b->flags);
	assert_string_equal(a->listener_path, b->listener_path);
}

static void the_cache_gives_the_same_and_heals(void **state)
{
	autofree char *dir = str_printf("%s/new/dir", (char *)*state), *file = NULL;
	AUTO(seccomp_oci_done) struct seccomp_oci first = { 0 }, second = { 0 }, third = { 0 };
	struct stat st;
	ino_t was;
	int fd;

	build_in(dir, notifying, &first);
	assert_int_equal(stat(dir, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	file = find_file(dir);
	was = inode(file);
	build_in(dir, notifying, &second);
	assert_same(&first, &second);
	assert_int_equal(inode(file), was); /* nothing was made anew */
	fd = open(file, O_WRONLY | O_CLOEXEC);
	assert_int_equal(pwrite(fd, "x", 1, 40), 1);
	close(fd);
	build_in(dir, notifying, &third);
	assert_same(&first, &third);
	assert_int_not_equal(inode(file), was);
}

static void an_entry_that_others_own_or_may_write_is_not_believed(void **state)
{
	const char *dir = *state;
	AUTO(seccomp_oci_done) struct seccomp_oci first = { 0 }, second = { 0 };
	autofree char *file = NULL;
	ino_t was;

	build_in(dir, notifying, &first);
	file = find_file(dir);
	was = inode(file);
	assert_int_equal(chmod(file, 0622), 0);
	build_in(dir, notifying, &second);
	assert_same(&first, &second);
	assert_int_not_equal(inode(file), was);
	if (geteuid()) {
		print_message("the other half is skipped: it needs root\n");
		return;
	}
	seccomp_oci_done(&second);
	was = inode(file);
	assert_int_equal(chown(file, 1000, 1000), 0);
	build_in(dir, notifying, &second);
	assert_same(&first, &second);
	assert_int_not_equal(inode(file), was);
}

static void a_directory_that_others_may_write_is_no_cache(void **state)
{
	const char *dir = *state;
	AUTO(seccomp_oci_done) struct seccomp_oci s = { 0 };
	struct stat st;

	assert_int_equal(chmod(dir, 0777), 0);
	build_in(dir, notifying, &s);
	assert_int_equal(stat(dir, &st), 0);
	assert_int_equal(st.st_nlink, 2);
	assert_int_equal(rmdir(dir), 0); /* it is empty */
	assert_int_equal(mkdir(dir, 0700), 0);
}

static size_t count_names(const char *path)
{
	DIR *d = opendir(path);
	size_t n = 0;

	assert_non_null(d);
	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

static void a_cache_does_not_grow_for_ever(void **state)
{
	const char *dir = *state;
	AUTO(seccomp_oci_done) struct seccomp_oci s = { 0 };
	autoclose int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char name[16];

	for (int i = 0; i < 1100; i++) {
		snprintf(name, sizeof(name), "%d", i);
		assert_int_equal(symlinkat("x", fd, name), 0);
	}
	build_in(dir, notifying, &s);
	assert_int_equal(count_names(dir), 4); /* with "." and ".." */
}

static void where_there_can_be_no_cache_the_filter_is_compiled(void **state)
{
	AUTO(seccomp_oci_done) struct seccomp_oci s = { 0 };

	build_in("/proc/self/nothing", notifying, &s);
	assert_true(s.program.len > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_abi_that_docker_lists_is_filtered_by_its_own_numbers),
		cmocka_unit_test(callers_profiles_become_short_programs_that_libseccomp_agrees_with),
		cmocka_unit_test(without_architectures_the_native_one_is_alone),
		cmocka_unit_test(calls_of_i386_behind_socketcall_and_ipc_are_found),
		cmocka_unit_test(every_operator_compares_what_the_abi_passes),
		cmocka_unit_test(the_kernel_does_what_every_action_and_flag_says),
		cmocka_unit_test(calls_of_i386_are_filtered_for_real),
		cmocka_unit_test(flags_and_the_listener_come_out),
		cmocka_unit_test(newer_calls_are_enosys_unless_the_default_lets_them_pass),
		cmocka_unit_test(a_mistake_is_one_line_that_begins_with_its_place),
		cmocka_unit_test_setup_teardown(the_cache_gives_the_same_and_heals, make_dir, remove_dir),
		cmocka_unit_test_setup_teardown(an_entry_that_others_own_or_may_write_is_not_believed,
						make_dir, remove_dir),
		cmocka_unit_test_setup_teardown(a_directory_that_others_may_write_is_no_cache, make_dir,
						remove_dir),
		cmocka_unit_test_setup_teardown(a_cache_does_not_grow_for_ever, make_dir, remove_dir),
		cmocka_unit_test(where_there_can_be_no_cache_the_filter_is_compiled),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
