/* test_seccomp.c - what a profile allows, whoever compiles it, and the cache */
#include "../cm.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/io.h"
#include "base/path.h"
#include "seccomp/compile.h"
#include "seccomp/embedded.h"
#include "seccomp/seccomp.h"

#define ALLOW	 ((uint32_t)SECCOMP_RET_ALLOW)
#define KILL	 ((uint32_t)SECCOMP_RET_KILL_PROCESS)
#define ERRNO(n) ((uint32_t)(SECCOMP_RET_ERRNO | (n)))
#define RELEASE	 "6.1.0-13-amd64"
#define PODMAN	 "/usr/share/containers/seccomp.json"

static const char default_caps[] =
	"CAP_CHOWN CAP_DAC_OVERRIDE CAP_FOWNER CAP_FSETID CAP_KILL CAP_NET_BIND_SERVICE CAP_SETFCAP "
	"CAP_SETGID CAP_SETPCAP CAP_SETUID CAP_SYS_CHROOT";
static const char many_caps[] = "CAP_SYS_ADMIN CAP_NET_ADMIN CAP_NET_RAW CAP_SYS_PTRACE CAP_SYS_TIME CAP_BPF "
				"CAP_SYS_MODULE CAP_AUDIT_WRITE CAP_SYS_CHROOT CAP_SYS_NICE CAP_SYSLOG";

static void split(struct strv *s, const char *words)
{
	*s = (struct strv){ 0 };
	if (*words)
		assert_int_equal(strv_split(s, words, " "), 0);
}

/* The program of a profile's text, NULL: the built-in one. */
static void build(const char *text, const char *caps, struct buf *ret)
{
	AUTO(strv_done) struct strv c = { 0 };
	AUTO(buf_done) struct buf profile = { 0 };
	struct err e = { 0 };

	split(&c, caps);
	if (text)
		buf_adds(&profile, text);
	*ret = (struct buf){ 0 };
	if (seccomp_build(text ? &profile : NULL, &c, RELEASE, ret, &e) < 0)
		fail_msg("%s", e.msg);
}

static uint32_t answer(const struct buf *program, int nr, uint64_t a0, uint64_t a1, uint64_t a2)
{
	struct seccomp_data d = { .nr = nr, .arch = AUDIT_ARCH_X86_64, .args = { a0, a1, a2 } };
	uint32_t action = 0;

	assert_int_equal(bpf_run((const struct sock_filter *)(const void *)program->data,
				 program->len / sizeof(struct sock_filter), &d, &action),
			 0);
	return action;
}

/* --- the built-in profile */

/* What the built-in profile refuses with the default capabilities, of all that libseccomp has a name for. */
static const char refused[] = " _sysctl acct add_key afs_syscall bpf clock_settime create_module "
			      "delete_module epoll_ctl_old epoll_wait_old "
			      "fanotify_init finit_module fsconfig fsmount fsopen fspick get_kernel_syms "
			      "get_mempolicy getpmsg init_module "
			      "io_pgetevents io_uring_enter io_uring_register io_uring_setup ioperm iopl "
			      "kcmp kexec_file_load kexec_load "
			      "keyctl lookup_dcookie mbind migrate_pages modify_ldt mount mount_setattr "
			      "move_mount move_pages nfsservctl "
			      "open_by_handle_at open_tree perf_event_open pidfd_getfd pivot_root "
			      "process_madvise putpmsg query_module "
			      "quotactl quotactl_fd reboot request_key security set_mempolicy "
			      "set_mempolicy_home_node setdomainname sethostname "
			      "setns settimeofday swapoff swapon sysfs syslog tuxcall umount2 unshare uselib "
			      "userfaultfd ustat vhangup "
			      "vmsplice vserver ";
/* What it looks at the arguments for, all 0 here. */
static const char conditional[] = " clone personality socket ";

static bool is_word(const char *words, const char *word)
{
	char with_blanks[80];

	snprintf(with_blanks, sizeof(with_blanks), " %s ", word);
	return strstr(words, with_blanks);
}

static void the_default_profile_refuses_exactly_what_the_table_says(void **state)
{
	AUTO(buf_done) struct buf p = { 0 };
	int named = 0;

	build(NULL, default_caps, &p);
	for (int nr = 0; nr <= 448; nr++) {
		char *name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_X86_64, nr);
		uint32_t want = ALLOW, got = answer(&p, nr, 0, 0, 0);

		if (!name || is_word(refused, name))
			want = ERRNO(EPERM);
		else if (!strcmp(name, "clone3"))
			want = ERRNO(ENOSYS);
		if (name && is_word(conditional, name))
			want = strcmp(name, "socket") ? ALLOW : ERRNO(EPERM);
		if (got != want)
			fail_msg("%d %s: %#x, not %#x", nr, name ? name : "(none)", got, want);
		named += name != NULL;
		free(name);
	}
	assert_true(named > 350);
}

static void calls_newer_than_the_profile_do_not_exist(void **state)
{
	AUTO(buf_done) struct buf p = { 0 };

	build(NULL, default_caps, &p);
	for (int nr = 480; nr < 1000; nr++)
		assert_int_equal(answer(&p, nr, 0, 0, 0), ERRNO(ENOSYS));
}

static void foreign_abis_end_the_process(void **state)
{
	static const uint32_t arches[] = { AUDIT_ARCH_I386, AUDIT_ARCH_AARCH64, 0 };
	AUTO(buf_done) struct buf p = { 0 };
	uint32_t action;

	build(NULL, default_caps, &p);
	assert_int_equal(answer(&p, 0x40000000, 0, 0, 0), KILL); /* x32 read */
	assert_int_equal(answer(&p, 0x40000000 + 520, 0, 0, 0), KILL);
	for (size_t i = 0; i < ARRAY_LEN(arches); i++) {
		struct seccomp_data d = { .nr = 4, .arch = arches[i] };

		assert_int_equal(
			bpf_run((const void *)p.data, p.len / sizeof(struct sock_filter), &d, &action), 0);
		assert_int_equal(action, KILL);
	}
}

struct conditional_case {
	const char *caps;
	int nr;
	uint64_t a0, a1, a2;
	uint32_t want;
};

#define HIGH (UINT64_C(1) << 32)

static const struct conditional_case conditional_cases[] = {
	{ default_caps, SYS_socket, AF_UNIX, 1, 0, ALLOW },
	{ default_caps, SYS_socket, AF_INET, 1, 6, ALLOW },
	{ default_caps, SYS_socket, AF_INET6, 1, 0, ALLOW },
	{ default_caps, SYS_socket, AF_INET | HIGH, 1, 0, ERRNO(EPERM) },
	{ default_caps, SYS_socket, AF_ALG, 5, 0, ERRNO(EPERM) },
	{ default_caps, SYS_socket, AF_VSOCK, 1, 0, ERRNO(EPERM) },
	{ default_caps, SYS_socket, AF_ALG | HIGH, 5, 0, ERRNO(EPERM) },
	{ default_caps, SYS_socket, AF_PACKET, 3, 0, ERRNO(EPERM) },
	{ many_caps, SYS_socket, AF_PACKET, 3, 0, ALLOW },
	{ many_caps, SYS_socket, AF_VSOCK, 1, 0, ERRNO(EPERM) },
	{ default_caps, SYS_socket, AF_NETLINK, 3, 0, ALLOW },
	{ default_caps, SYS_socket, AF_NETLINK, 3, 9, ERRNO(EINVAL) },
	{ many_caps, SYS_socket, AF_NETLINK, 3, 9, ALLOW },
	{ default_caps, SYS_socket, AF_NETLINK, 3, 12, ERRNO(EPERM) },
	{ many_caps, SYS_socket, AF_NETLINK, 3, 12, ALLOW },
	{ default_caps, SYS_socket, AF_NETLINK, 3, HIGH, ERRNO(EPERM) },
	{ default_caps, SYS_clone, 0x00010f00, 0, 0, ALLOW }, /* a thread's flags */
	{ default_caps, SYS_clone, 0x10000000, 0, 0, ERRNO(EPERM) }, /* CLONE_NEWUSER */
	{ default_caps, SYS_clone, 0x10000000 | HIGH, 0, 0, ERRNO(EPERM) },
	{ default_caps, SYS_clone, 0x00020011, 0, 0, ERRNO(EPERM) }, /* CLONE_NEWNS */
	{ many_caps, SYS_clone, 0x10000000, 0, 0, ALLOW },
	{ many_caps, SYS_clone3, 0, 0, 0, ALLOW },
	{ many_caps, SYS_unshare, 0x10000000, 0, 0, ALLOW },
	{ many_caps, SYS_mount, 0, 0, 0, ALLOW },
	{ default_caps, SYS_personality, 0xffffffff, 0, 0, ALLOW },
	{ default_caps, SYS_personality, 0x0040000, 0, 0, ERRNO(EPERM) }, /* ADDR_NO_RANDOMIZE */
	{ default_caps, SYS_chroot, 0, 0, 0, ALLOW },
	{ "", SYS_chroot, 0, 0, 0, ERRNO(EPERM) },
	{ "CAP_BPF", SYS_bpf, 0, 0, 0, ALLOW },
	{ many_caps, SYS_keyctl, 0, 0, 0, ERRNO(EPERM) },
	{ many_caps, SYS_io_uring_setup, 0, 0, 0, ERRNO(EPERM) },
	{ many_caps, SYS_userfaultfd, 0, 0, 0, ERRNO(EPERM) },
};

static void arguments_and_capabilities_decide(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(conditional_cases); i++) {
		const struct conditional_case *c = &conditional_cases[i];
		AUTO(buf_done) struct buf p = { 0 };
		uint32_t got;

		build(NULL, c->caps, &p);
		got = answer(&p, c->nr, c->a0, c->a1, c->a2);
		if (got != c->want)
			fail_msg("case %zu: %#x, not %#x", i, got, c->want);
	}
}

/* --- against others */

static void read_podman(struct buf *ret)
{
	*ret = (struct buf){ 0 };
	if (read_file(AT_FDCWD, PODMAN, 1 << 20, ret) == 0)
		return;
	print_message("skipped: no %s (Debian: golang-github-containers-common)\n", PODMAN);
	skip();
}

/* What podman's file does not name is newer than it: not its verdict. */
static bool podman_names(const struct buf *podman, int nr)
{
	char *name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_X86_64, nr);
	char quoted[80];

	snprintf(quoted, sizeof(quoted), "\"%s\"", name ? name : "");
	free(name);
	return strstr(podman->data, quoted);
}

static void compare_with_podman(const struct buf *podman, const char *caps)
{
	static const uint64_t third[] = { 0, 4, 6, 9, 12, 15, 16 };
	AUTO(buf_done) struct buf ours = { 0 }, theirs = { 0 };

	build(NULL, caps, &ours);
	build(podman->data, caps, &theirs);
	for (int nr = 0; nr <= 500; nr++) {
		if (nr > 334 && !podman_names(podman, nr))
			continue;
		for (int i = 0; i < 64 * (int)ARRAY_LEN(third); i++) {
			uint64_t first = nr == SYS_socket ? (uint64_t)i / ARRAY_LEN(third)
							  : UINT64_C(1) << i / ARRAY_LEN(third);
			uint64_t last = third[(size_t)i % ARRAY_LEN(third)];

			if (answer(&ours, nr, first, 0, last) == ALLOW &&
			    answer(&theirs, nr, first, 0, last) != ALLOW)
				fail_msg("call %d (%#lx, 0, %lu) is allowed here, refused by Podman", nr,
					 (unsigned long)first, (unsigned long)last);
		}
	}
}

static void nothing_is_allowed_that_podman_refuses(void **state)
{
	AUTO(buf_done) struct buf podman = { 0 };

	read_podman(&podman);
	compare_with_podman(&podman, default_caps);
	compare_with_podman(&podman, "");
}

static void make_rules(const char *text, size_t n, const char *caps, struct rules *ret)
{
	AUTO(strv_done) struct strv c = { 0 };
	AUTO(profile_done) struct profile p = { 0 };
	const struct rule_facts facts = { .caps = &c, .kernel_release = RELEASE };
	struct err e = { 0 };

	split(&c, caps);
	if (profile_parse(text, n, PROFILE_FILE, &p, &e) < 0 || rules_make(&p, &facts, ret, &e) < 0)
		fail_msg("%s", e.msg);
}

static void check_both_ways(const char *text, size_t n, const char *caps, size_t max_instructions)
{
	AUTO(rules_done) struct rules rs = { 0 };
	AUTO(buf_done) struct buf lib = { 0 }, compact = { 0 };
	struct sock_filter *f;
	struct err e = { 0 };

	make_rules(text, n, caps, &rs);
	assert_int_equal(compile_libseccomp(&rs, &lib, &e), 0);
	assert_int_equal(compile_compact(&rs, &compact), 0);
	assert_true(compile_equal(&rs, &lib, &compact));
	assert_true(compact.len / sizeof(struct sock_filter) <= max_instructions);
	/* and the proof can fail: one changed answer is noticed */
	f = (struct sock_filter *)(void *)(compact.data + compact.len) - 1;
	f->k ^= 1;
	assert_false(compile_equal(&rs, &lib, &compact));
}

static const char every_operator[] =
	"{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"syscalls\":["
	"{\"names\":[\"read\"],\"action\":\"SCMP_ACT_ALLOW\",\"args\":[{\"index\":0,\"value\":5,\"op\":"
	"\"SCMP_CMP_NE\"}]},"
	"{\"names\":[\"write\"],\"action\":\"SCMP_ACT_ALLOW\",\"args\":[{\"index\":1,\"value\":4294967296,"
	"\"op\":\"SCMP_CMP_LT\"}]},"
	"{\"names\":[\"open\"],\"action\":\"SCMP_ACT_ALLOW\",\"args\":[{\"index\":2,\"value\":4294967299,"
	"\"op\":\"SCMP_CMP_LE\"}]},"
	"{\"names\":[\"close\"],\"action\":\"SCMP_ACT_TRAP\",\"args\":[{\"index\":3,\"value\":7,\"op\":"
	"\"SCMP_CMP_EQ\"},"
	"{\"index\":4,\"value\":8,\"op\":\"SCMP_CMP_GT\"}]},"
	"{\"names\":[\"stat\"],\"action\":\"SCMP_ACT_LOG\",\"args\":[{\"index\":5,\"value\":"
	"18446744073709551615,\"op\":\"SCMP_CMP_GE\"}]},"
	"{\"names\":[\"fstat\"],\"action\":\"SCMP_ACT_KILL_PROCESS\",\"args\":[{\"index\":0,\"value\":"
	"18446744069414584335,"
	"\"valueTwo\":4294967297,\"op\":\"SCMP_CMP_MASKED_EQ\"}]},"
	"{\"names\":[\"poll\"],\"action\":\"SCMP_ACT_ALLOW\",\"args\":[{\"index\":0,\"value\":1,\"op\":"
	"\"SCMP_CMP_EQ\"},"
	"{\"index\":0,\"value\":2,\"op\":\"SCMP_CMP_EQ\"}]},"
	"{\"names\":[\"ioctl\"],\"action\":\"SCMP_ACT_TRACE\",\"errnoRet\":9},"
	"{\"names\":[\"getpid\",\"no_such_call_yet\"],\"action\":\"SCMP_ACT_ERRNO\",\"errno\":\"ENXIO\"}]}";

static void our_program_is_shorter_and_the_same_as_libseccomps(void **state)
{
	AUTO(buf_done) struct buf podman = { 0 };

	check_both_ways(every_operator, strlen(every_operator), "", 100);
	check_both_ways(embedded_profile, embedded_profile_len, default_caps, 100);
	check_both_ways(embedded_profile, embedded_profile_len, many_caps, 100);
	check_both_ways(embedded_profile, embedded_profile_len, "", 100);
	read_podman(&podman);
	check_both_ways(podman.data, podman.len, default_caps, 110);
}

static void every_operator_means_what_it_says(void **state)
{
	AUTO(buf_done) struct buf p = { 0 };

	build(every_operator, "", &p);
	assert_int_equal(answer(&p, SYS_read, 5, 0, 0), ERRNO(EPERM));
	assert_int_equal(answer(&p, SYS_read, 5 | HIGH, 0, 0), ALLOW);
	assert_int_equal(answer(&p, SYS_write, 0, HIGH - 1, 0), ALLOW);
	assert_int_equal(answer(&p, SYS_write, 0, HIGH, 0), ERRNO(EPERM));
	assert_int_equal(answer(&p, SYS_open, 0, 0, HIGH + 3), ALLOW);
	assert_int_equal(answer(&p, SYS_open, 0, 0, HIGH + 4), ERRNO(EPERM));
	assert_int_equal(answer(&p, SYS_fstat, HIGH + 1, 0, 0), KILL);
	assert_int_equal(answer(&p, SYS_fstat, HIGH + 0xf1, 0, 0), KILL);
	assert_int_equal(answer(&p, SYS_fstat, 3, 0, 0), ERRNO(EPERM));
	assert_int_equal(answer(&p, SYS_poll, 2, 0, 0), ALLOW); /* a repeated index: either */
	assert_int_equal(answer(&p, SYS_ioctl, 0, 0, 0), SECCOMP_RET_TRACE | 9);
	assert_int_equal(answer(&p, SYS_getpid, 0, 0, 0), ERRNO(ENXIO));
}

static void old_kernels_get_less(void **state)
{
	static const char text[] =
		"{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"syscalls\":[{\"names\":[\"ptrace\"],"
		"\"action\":\"SCMP_ACT_ALLOW\",\"includes\":{\"minKernel\":\"4.8\"}},"
		"{\"names\":[\"read\"],\"action\":\"SCMP_ACT_ALLOW\",\"excludes\":{\"minKernel\":"
		"\"5.0\"}}]}";
	static const struct {
		const char *release;
		uint32_t ptrace, read;
	} cases[] = {
		{ "4.7.10", ERRNO(EPERM), ALLOW },
		{ "4.8", ALLOW, ALLOW },
		{ "4.19.0-25-amd64", ALLOW, ALLOW },
		{ "10.0", ALLOW, ERRNO(EPERM) },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		AUTO(buf_done) struct buf p = { 0 }, profile = { 0 };
		struct strv none = { 0 };
		struct err e = { 0 };

		buf_adds(&profile, text);
		assert_int_equal(seccomp_build(&profile, &none, cases[i].release, &p, &e), 0);
		assert_int_equal(answer(&p, SYS_ptrace, 0, 0, 0), cases[i].ptrace);
		assert_int_equal(answer(&p, SYS_read, 0, 0, 0), cases[i].read);
	}
}

/* --- bad profiles */

#define WITH(rest) "{\"defaultAction\":\"SCMP_ACT_ERRNO\"," rest "}"
#define CALL(rest) WITH("\"syscalls\":[{\"names\":[\"read\"],\"action\":\"SCMP_ACT_ALLOW\"," rest "}]")
#define ARG(rest)  CALL("\"args\":[{" rest "}]")

static const char *const bad_profiles[] = {
	"",
	"null",
	"[]",
	"{}",
	"{",
	"{\"defaultAction\":\"\"}",
	"{\"defaultAction\":5}",
	"{\"defaultAction\":\"ALLOW\"}",
	"{\"defaultAction\":\"SCMP_ACT_ALLOW\"}", /* refuses nothing */
	"{\"defaultAction\":\"SCMP_ACT_NOTIFY\"}",
	"{\"defaultAction\":\"scmp_act_errno\"}",
	"{\"syscalls\":[]}",
	WITH("\"defaultErrnoRet\":4096"),
	WITH("\"defaultErrnoRet\":-1"),
	WITH("\"defaultErrnoRet\":\"EPERM\""),
	WITH("\"defaultErrno\":\"ENOTANERRNO\""),
	WITH("\"defaultErrno\":\"EPERM\",\"defaultErrnoRet\":38"),
	WITH("\"architectures\":[\"x86\"]"),
	WITH("\"architectures\":[\"SCMP_ARCH_X86_64\"],\"archMap\":[{\"architecture\":\"SCMP_ARCH_X86_64\"}"
	     "]"),
	WITH("\"archMap\":[{\"architecture\":\"amd64\"}]"),
	WITH("\"archMap\":[{}]"),
	WITH("\"flags\":[\"SECCOMP_FILTER_FLAG_LOG\"]"),
	WITH("\"listenerPath\":\"/run/x\""),
	WITH("\"sysCalls\":[]"),
	WITH("\"syscalls\":{}"),
	WITH("\"syscalls\":[5]"),
	WITH("\"syscalls\":[{}]"),
	WITH("\"syscalls\":[{\"names\":[\"read\"]}]"),
	WITH("\"syscalls\":[{\"names\":[],\"action\":\"SCMP_ACT_ALLOW\"}]"),
	WITH("\"syscalls\":[{\"name\":\"read\",\"names\":[\"write\"],\"action\":\"SCMP_ACT_ALLOW\"}]"),
	WITH("\"syscalls\":[{\"names\":[\"read\"],\"action\":\"SCMP_ACT_PERMIT\"}]"),
	WITH("\"syscalls\":[{\"names\":[\"read\"],\"action\":\"SCMP_ACT_NOTIFY\"}]"),
	WITH("\"syscalls\":[{\"names\":\"read\",\"action\":\"SCMP_ACT_ALLOW\"}]"),
	WITH("\"syscalls\":[{\"names\":[1],\"action\":\"SCMP_ACT_ALLOW\"}]"),
	CALL("\"errnoRet\":70000"),
	CALL("\"arg\":[]"),
	CALL("\"args\":{}"),
	CALL("\"includes\":{\"cap\":[]}"),
	CALL("\"includes\":{\"caps\":[\"SYS_ADMIN\"]}"),
	CALL("\"excludes\":{\"caps\":[\"CAP_\"]}"),
	CALL("\"includes\":{\"minKernel\":\"four\"}"),
	CALL("\"includes\":{\"minKernel\":\"4\"}"),
	CALL("\"includes\":{\"minKernel\":\"4.8x\"}"),
	ARG("\"index\":6,\"value\":1,\"op\":\"SCMP_CMP_EQ\""),
	ARG("\"index\":-1,\"value\":1,\"op\":\"SCMP_CMP_EQ\""),
	ARG("\"index\":0,\"value\":1"),
	ARG("\"index\":0,\"value\":1,\"op\":\"==\""),
	ARG("\"index\":0,\"value\":-1,\"op\":\"SCMP_CMP_EQ\""),
	ARG("\"index\":0,\"value\":1.5,\"op\":\"SCMP_CMP_EQ\""),
	WITH("\"syscalls\":[]") "x",
};

static void bad_profiles_are_refused_with_one_line(void **state)
{
	struct strv none = { 0 };

	assert_true(ARRAY_LEN(bad_profiles) >= 30);
	for (size_t i = 0; i < ARRAY_LEN(bad_profiles); i++) {
		AUTO(buf_done) struct buf profile = { 0 }, out = { 0 };
		struct err e = { 0 };

		buf_adds(&profile, bad_profiles[i]);
		if (!profile.data)
			buf_add(&profile, "", 0);
		if (seccomp_build(&profile, &none, RELEASE, &out, &e) >= 0)
			fail_msg("accepted: %s", bad_profiles[i]);
		if (!e.msg[0] || strchr(e.msg, '\n') || strlen(e.msg) > 200)
			fail_msg("%s: \"%s\"", bad_profiles[i], e.msg);
		assert_int_equal(out.len, 0);
	}
}

/* --- the cache */

struct cache {
	char dir[64];
	struct strv caps;
};

static int make_cache(void **state)
{
	struct cache *c = calloc(1, sizeof(*c));

	strcpy(c->dir, "/tmp/ketch-test.XXXXXX");
	if (!mkdtemp(c->dir))
		return -1;
	split(&c->caps, default_caps);
	*state = c;
	return 0;
}

static int remove_cache(void **state)
{
	struct cache *c = *state;

	strv_done(&c->caps);
	remove_tree(AT_FDCWD, c->dir);
	free(c);
	return 0;
}

static char *open_default(const struct cache *c, const char *profile, size_t *ret_instructions)
{
	struct err e = { 0 };
	char *digest = NULL;
	struct stat st;
	int fd = -1;

	if (seccomp_filter_open(c->dir, profile, &c->caps, &digest, &fd, &e) < 0)
		fail_msg("%s", e.msg);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(lseek(fd, 0, SEEK_CUR), 0);
	*ret_instructions = (size_t)st.st_size / sizeof(struct sock_filter);
	close(fd);
	return digest;
}

static void damage(const struct cache *c, const char *digest)
{
	char path[200];
	int fd;

	snprintf(path, sizeof(path), "%s/%s.bpf", c->dir, strchr(digest, ':') + 1);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, "x", 1, 20), 1);
	close(fd);
}

static void the_cache_gives_the_same_filter_and_heals(void **state)
{
	const struct cache *c = *state;
	size_t n, again;
	autofree char *first = open_default(c, "default", &n), *second = open_default(c, "default", &again);
	autofree char *healed = NULL;
	struct err e = { 0 };
	int fd;

	assert_true(n > 20 && n <= 100);
	assert_string_equal(first, second);
	assert_int_equal(n, again);
	damage(c, first);
	assert_int_equal(seccomp_filter_reopen(c->dir, first, &e), -EBADMSG);
	healed = open_default(c, "default", &again);
	assert_string_equal(first, healed);
	fd = seccomp_filter_reopen(c->dir, first, &e);
	assert_true(fd >= 0);
	close(fd);
}

static void the_order_of_capabilities_makes_no_other_key(void **state)
{
	struct cache *c = *state;
	size_t n;
	autofree char *first = open_default(c, "default", &n), *second = NULL;
	char *swap = c->caps.v[0];
	struct stat st;
	long changed_ns;

	assert_int_equal(stat(c->dir, &st), 0);
	changed_ns = st.st_mtim.tv_nsec;
	c->caps.v[0] = c->caps.v[1];
	c->caps.v[1] = swap;
	second = open_default(c, "default", &n);
	assert_string_equal(first, second);
	assert_int_equal(stat(c->dir, &st), 0);
	assert_int_equal(changed_ns, st.st_mtim.tv_nsec); /* nothing was written */
}

static void strange_digests_are_refused(void **state)
{
	static const char *const bad[] = {
		"",
		"sha256:",
		"sha256:../../../../etc/passwd",
		"x",
		"sha256:ABCDEF0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF0123456789",
		"sha256:0000000000000000000000000000000000000000000000000000000000000000",
	};
	const struct cache *c = *state;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct err e = { 0 };

		assert_true(seccomp_filter_reopen(c->dir, bad[i], &e) < 0);
		assert_true(e.msg[0]);
	}
}

static void a_missing_profile_is_one_line(void **state)
{
	const struct cache *c = *state;
	struct err e = { 0 };
	char *digest = NULL;
	int fd = -1;

	assert_int_equal(seccomp_filter_open(c->dir, "/nonexistent.json", &c->caps, &digest, &fd, &e),
			 -ENOENT);
	assert_string_equal(e.msg, "seccomp profile /nonexistent.json: no such file or directory");
	assert_null(digest);
}

/* --- the kernel takes it */

static int call(long nr, long a, long b, long c)
{
	errno = 0;
	return syscall(nr, a, b, c) < 0 ? errno : 0;
}

static int under_the_filter(const struct buf *p)
{
	struct sock_fprog prog = { .len = (unsigned short)(p->len / sizeof(struct sock_filter)),
				   .filter = (void *)p->data };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog, 0, 0) < 0)
		return 1;
	if (call(SYS_getpid, 0, 0, 0) || call(SYS_unshare, 0x10000000, 0, 0) != EPERM)
		return 2;
	if (call(SYS_clone3, 0, 0, 0) != ENOSYS || call(SYS_socket, AF_ALG, SOCK_SEQPACKET, 0) != EPERM)
		return 3;
	if (call(SYS_socket, AF_UNIX, SOCK_STREAM, 0) || call(999, 0, 0, 0) != ENOSYS)
		return 4;
	__asm__ volatile("int $0x80" : : "a"(20) : "memory"); /* getpid as i386 counts */
	return 5;
}

static void the_kernel_takes_it_and_acts(void **state)
{
	AUTO(buf_done) struct buf p = { 0 };
	int status;
	pid_t child;

	build(NULL, default_caps, &p);
	child = fork();
	if (child == 0) {
		signal(SIGSEGV, SIG_DFL);
		_exit(under_the_filter(&p));
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	if (WIFEXITED(status))
		fail_msg("exit %d", WEXITSTATUS(status));
	/* a kernel without the entry for i386 does not ask the filter */
	if (WTERMSIG(status) == SIGSEGV)
		print_message("no int 0x80 in this kernel: what the filter does with it was not seen\n");
	else
		assert_int_equal(WTERMSIG(status), SIGSYS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_default_profile_refuses_exactly_what_the_table_says),
		cmocka_unit_test(calls_newer_than_the_profile_do_not_exist),
		cmocka_unit_test(foreign_abis_end_the_process),
		cmocka_unit_test(arguments_and_capabilities_decide),
		cmocka_unit_test(nothing_is_allowed_that_podman_refuses),
		cmocka_unit_test(our_program_is_shorter_and_the_same_as_libseccomps),
		cmocka_unit_test(every_operator_means_what_it_says),
		cmocka_unit_test(old_kernels_get_less),
		cmocka_unit_test(bad_profiles_are_refused_with_one_line),
		cmocka_unit_test_setup_teardown(the_cache_gives_the_same_filter_and_heals, make_cache,
						remove_cache),
		cmocka_unit_test_setup_teardown(the_order_of_capabilities_makes_no_other_key, make_cache,
						remove_cache),
		cmocka_unit_test_setup_teardown(strange_digests_are_refused, make_cache, remove_cache),
		cmocka_unit_test_setup_teardown(a_missing_profile_is_one_line, make_cache, remove_cache),
		cmocka_unit_test(the_kernel_takes_it_and_acts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
