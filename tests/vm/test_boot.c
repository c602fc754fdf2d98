/* test_boot.c - real virtual machines under QEMU: what only the back end can tell of them
 *
 * What a user sees of them (streams, signals, limits, mounts, disks) is in tests/e2e/both.
 *
 * KETCH_BOX_KVM=1: QEMU with KVM, =kvm: our own hypervisor, where a stock kernel boots under it (in the bed, say).
 */
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "../unit/cm.h"
#include "base/auto.h"
#include "base/io.h"
#include "base/path.h"
#include "box.h"
#include "instance/stats.h"

#define SH(script) ((const char *const[]){ "sh", "-c", script, NULL })

static const char *const sleep_long[] = { "sleep", "1000", NULL };

static void with_admin(struct process *p)
{
	strv_add(&p->caps, "CAP_SYS_ADMIN");
}

/* --- processes */

static void the_exit_status_and_both_outputs_come_through(void **state)
{
	struct box *b = *state;

	assert_int_equal(box_once(b, SH("echo out; echo err >&2; exit 7"), NULL), 7);
	assert_string_equal(b->streams[0].out.data, "out\n");
	assert_string_equal(b->streams[0].err.data, "err\n");
}

static void a_command_that_is_not_there_is_127_and_the_machine_goes_on(void **state)
{
	struct box *b = *state;

	box_start(b);
	box_run(b, 0, sleep_long, NULL);
	box_run(b, 1, (const char *const[]){ "no-such-command", NULL }, NULL);
	assert_int_equal(box_wait_exit(b, 1), 127);
	assert_non_null(b->streams[1].failed);
	box_run(b, 2, SH("exit 3"), NULL);
	assert_int_equal(box_wait_exit(b, 2), 3);
}

/* --- what it may use */

static void a_seccomp_filter_is_applied(void **state)
{
	static const struct sock_filter deny_mkdir[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_mkdir, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | 42),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	int fd = memfd_create("filter", MFD_CLOEXEC);
	struct box *b = *state;

	assert_int_equal(write_full(fd, deny_mkdir, sizeof(deny_mkdir)), 0);
	boot_add_fd(&b->boot, "seccomp", fd);
	b->boot.spec.seccomp = strdup("sha256:0");
	box_start(b);
	box_run(b, 0, SH("mkdir /x; touch /y && echo y"), box_with_seccomp);
	box_wait_exit(b, 0);
	assert_string_equal(b->streams[0].out.data, "y\n");
	assert_non_null(strstr(b->streams[0].err.data, "mkdir"));
	box_shut_down(b);
}

static void statistics_are_answered(void **state)
{
	struct box *b = *state;
	struct stats st = { 0 };
	struct err e;

	box_start(b);
	box_run(b, 0, sleep_long, NULL);
	box_send(b, MSG_STATS, 0, NULL, 0);
	box_wait_stats(b);
	assert_int_equal(stats_parse(b->stats.data, b->stats.len, &st, &e), 0);
	assert_true(st.memory_bytes > 0 && st.pids > 0);
	/* less than the machine was given: the kernel does not count itself */
	assert_true(st.machine_bytes > 64 << 20 && st.machine_bytes < 2ULL << 30);
	assert_true(st.machine_available_bytes > st.machine_bytes / 4);
}

/* --- files */

/* A directory of the host to share; the box removes it. */
static const char *host_dir(struct box *b)
{
	assert_int_equal(mkdir(b->shared, 0755), 0);
	return b->shared;
}

static void put(const char *dir, const char *name, const char *text)
{
	autofree char *path = str_printf("%s/%s", dir, name);

	assert_int_equal(write_file_atomic(AT_FDCWD, path, 0644, text, strlen(text)), 0);
}

static void several_mounts_keep_their_places(void **state)
{
	struct box *b = *state;
	autofree char *file = NULL;

	put(host_dir(b), "one", "1\n");
	file = str_printf("%s/one", b->shared);
	box_mount(b, b->shared, "/dir", true);
	box_mount(b, "/etc/hostname", "/name", true);
	box_mount(b, file, "/etc/one", false);
	assert_int_equal(box_once(b, SH("ls /dir; cat /etc/one; wc -l < /name"), NULL), 0);
	assert_string_equal(b->streams[0].out.data, "one\n1\n1\n");
}

/* --- ends */

static void a_killed_machine_ends_without_a_reason(void **state)
{
	struct box *b = *state;

	box_start(b);
	box_run(b, 0, sleep_long, NULL);
	box_kill(b);
	assert_int_equal(b->why.no, 0);
}

static void a_machine_that_dies_alone_tells_why(void **state)
{
	struct box *b = *state;

	b->boot.spec.privileged = true;
	box_start(b);
	box_run(b, 0, SH("echo c > /proc/sysrq-trigger; sleep 100"), with_admin);
	box_wait(b, &b->ended);
	assert_int_not_equal(b->why.no, 0);
	assert_non_null(strstr(b->why.msg, "ended by itself"));
}

static bool has_line(const char *text, const char *line)
{
	const char *p = strstr(text, line);

	return p && p > text && p[-1] == '\n' && p[strlen(line)] == '\n';
}

static void the_vmm_runs_with_few_rights(void **state)
{
	struct box *b = *state;
	AUTO(buf_done) struct buf status = { 0 };
	char path[64], ours[64] = "", theirs[64] = "";

	box_start(b);
	snprintf(path, sizeof(path), "/proc/%d/status", b->state.pid);
	assert_int_equal(read_file(AT_FDCWD, path, 65536, &status), 0);
	assert_true(has_line(status.data, "NoNewPrivs:\t1"));
	assert_true(has_line(status.data, "Seccomp:\t2"));
	assert_true(has_line(status.data, "CapEff:\t0000000000000000"));
	assert_true(has_line(status.data, "CapPrm:\t0000000000000000"));
	assert_null(strstr(status.data, "\nUid:\t0\t"));
	snprintf(path, sizeof(path), "/proc/%d/ns/net", b->state.pid);
	assert_true(readlink(path, theirs, sizeof(theirs) - 1) > 0);
	assert_true(readlink("/proc/self/ns/net", ours, sizeof(ours) - 1) > 0);
	assert_string_not_equal(ours, theirs);
	for (size_t i = 0; i < b->state.warnings.n; i++)
		assert_null(strstr(b->state.warnings.v[i], "Landlock"));
}

/* Under emulation a guest's clock depends on what we tell it. */
static void the_guest_has_the_time_of_the_host(void **state)
{
	struct box *b = *state;
	time_t before;

	box_start(b);
	before = time(NULL);
	box_run(b, 0, SH("date +%s"), NULL);
	assert_int_equal(box_wait_exit(b, 0), 0);
	/* it lags by the way of one message */
	assert_in_range(atoll(b->streams[0].out.data), before - 1, time(NULL));
	box_shut_down(b);
}

static int set_up(void **state)
{
	*state = box_new();
	return 0;
}

static int tear_down(void **state)
{
	box_free(*state);
	return 0;
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

/* test_vm_boot [PATTERN]: only the tests whose name matches ("*ceiling*"). */
int main(int argc, char **argv)
{
	static const struct CMUnitTest tests[] = {
		TEST(the_exit_status_and_both_outputs_come_through),
		TEST(a_command_that_is_not_there_is_127_and_the_machine_goes_on),
		TEST(a_seccomp_filter_is_applied),
		TEST(statistics_are_answered),
		TEST(several_mounts_keep_their_places),
		TEST(a_killed_machine_ends_without_a_reason),
		TEST(a_machine_that_dies_alone_tells_why),
		TEST(the_vmm_runs_with_few_rights),
		TEST(the_guest_has_the_time_of_the_host),
	};
	const char *missing = box_missing();

	if (missing) {
		printf("1..0 # skip virtual machines cannot be tested here: %s\n", missing);
		return 77;
	}
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
