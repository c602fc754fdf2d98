/* test_boot.c - real virtual machines under QEMU: what a user sees of them
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

static void with_stdin(struct process *p)
{
	p->stdin_open = true;
}

static void with_tty(struct process *p)
{
	p->stdin_open = true;
	p->tty = true;
	p->rows = 33;
	p->cols = 77;
}

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

static void ten_megabytes_go_in_and_come_out_unchanged(void **state)
{
	const size_t n = 10 << 20;
	unsigned char *data = malloc(n);
	struct box *b = *state;

	for (size_t i = 0; i < n; i++)
		data[i] = (unsigned char)(i * 2654435761u >> 13);
	box_start(b);
	box_run(b, 0, (const char *const[]){ "cat", NULL }, with_stdin);
	box_feed(b, 0, data, n);
	assert_int_equal(box_wait_exit(b, 0), 0);
	assert_int_equal(b->streams[0].out.len, n);
	assert_memory_equal(b->streams[0].out.data, data, n);
	box_shut_down(b);
	free(data);
}

static void a_terminal_has_a_size_and_can_be_resized(void **state)
{
	struct box *b = *state;

	box_start(b);
	box_run(b, 0, SH("stty size; read x; stty size"), with_tty);
	box_wait_output(b, 0, "33 77\r\n");
	box_resize(b, 0, 44, 88);
	box_feed(b, 0, "\n", 1);
	assert_int_equal(box_wait_exit(b, 0), 0);
	assert_non_null(strstr(b->streams[0].out.data, "44 88"));
	box_shut_down(b);
}

static void a_signal_reaches_the_process(void **state)
{
	struct box *b = *state;

	box_start(b);
	box_run(b, 0, SH("trap 'echo got; exit 5' TERM; echo up; while :; do sleep 1; done"), NULL);
	box_wait_output(b, 0, "up\n");
	box_send_u32(b, MSG_SIGNAL, 0, 15);
	assert_int_equal(box_wait_exit(b, 0), 5);
	assert_non_null(strstr(b->streams[0].out.data, "got"));
	box_shut_down(b);
}

/* --- what it may use */

static void the_memory_ceiling_kills_and_is_flagged(void **state)
{
	struct box *b = *state;

	b->boot.spec.resources.memory_bytes = 64 << 20;
	assert_int_equal(box_once(b, (const char *const[]){ "tail", "/dev/zero", NULL }, NULL), 137);
	assert_int_equal(b->streams[0].flags & 1, 1);
}

static void the_ceiling_inside_is_the_one_that_was_asked_for(void **state)
{
	struct box *b = *state;

	b->boot.spec.resources.memory_bytes = 64 << 20;
	b->boot.spec.resources.pids = 20;
	assert_int_equal(box_once(b, SH("cd /sys/fs/cgroup; cat memory.max pids.max"), NULL), 0);
	assert_string_equal(b->streams[0].out.data, "67108864\n20\n");
}

static void processes_beyond_the_ceiling_are_refused(void **state)
{
	struct box *b = *state;

	b->boot.spec.resources.pids = 10;
	box_once(b, SH("i=0; while [ $i -lt 30 ]; do sleep 50 & i=$((i+1)); done; echo all"), NULL);
	assert_null(b->streams[0].out.data);
	assert_non_null(strstr(b->streams[0].err.data, "fork"));
}

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

static void assert_file(const char *dir, const char *name, const char *text)
{
	AUTO(buf_done) struct buf b = { 0 };
	autofree char *path = str_printf("%s/%s", dir, name);

	assert_int_equal(read_file(AT_FDCWD, path, 4096, &b), 0);
	assert_string_equal(b.data, text);
}

static void a_bind_mount_is_seen_and_written_from_both_sides(void **state)
{
	struct box *b = *state;

	put(host_dir(b), "host", "from host\n");
	box_mount(b, b->shared, "/data", false);
	assert_int_equal(box_once(b, SH("cat /data/host; echo from guest > /data/guest"), NULL), 0);
	assert_string_equal(b->streams[0].out.data, "from host\n");
	assert_file(b->shared, "guest", "from guest\n");
}

/* Inside, root may do what it likes with the guest's own mount flags: the host refuses all the same. */
static void a_read_only_bind_mount_is_read_only_on_the_host_side(void **state)
{
	struct box *b = *state;

	put(host_dir(b), "f", "safe\n");
	b->boot.spec.privileged = true;
	box_mount(b, b->shared, "/data", true);
	box_start(b);
	box_run(b, 0,
		SH("echo x > /data/f; mkdir /m; mount -o remount,rw /data; mount -t virtiofs mount0 /m; "
		   "mount -o remount,rw /m; echo x > /m/f; echo x > /m/new; rm /m/f; chmod 777 /m/f; cat "
		   "/m/f"),
		with_admin);
	box_wait_exit(b, 0);
	assert_string_equal(b->streams[0].out.data, "safe\n");
	assert_file(b->shared, "f", "safe\n");
	box_shut_down(b);
}

static void a_file_is_shared_without_its_neighbours(void **state)
{
	autofree char *file = NULL;
	struct box *b = *state;

	put(host_dir(b), "one", "1\n");
	put(b->shared, "secret", "2\n");
	file = str_printf("%s/one", b->shared);
	b->boot.spec.privileged = true;
	box_mount(b, file, "/etc/one", false);
	box_start(b);
	box_run(b, 0,
		SH("cat /etc/one; echo new > /etc/one; mkdir /m; mount -t virtiofs mount0 /m; ls /m; touch "
		   "/m/x"),
		with_admin);
	box_wait_exit(b, 0);
	assert_string_equal(b->streams[0].out.data, "1\nfile\n");
	assert_file(b->shared, "one", "new\n");
	box_shut_down(b);
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

static void what_was_written_is_there_at_the_next_start_and_the_disk_stays_sparse(void **state)
{
	struct box *b = *state;
	struct stat st;

	assert_int_equal(box_once(b, SH("echo kept > /kept"), NULL), 0);
	box_restart(b);
	box_run(b, 0, SH("cat /kept"), NULL);
	assert_int_equal(box_wait_exit(b, 0), 0);
	assert_string_equal(b->streams[0].out.data, "kept\n");
	box_shut_down(b);
	assert_int_equal(fstat(boot_fd(&b->boot, "disk"), &st), 0);
	assert_in_range(st.st_blocks * 512, 0, 8 << 20);
}

static void a_read_only_root_is_refused_writing(void **state)
{
	struct box *b = *state;

	b->boot.spec.read_only = true;
	assert_int_equal(box_once(b, SH("touch /x || exit 9"), NULL), 9);
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
		TEST(ten_megabytes_go_in_and_come_out_unchanged),
		TEST(a_terminal_has_a_size_and_can_be_resized),
		TEST(a_signal_reaches_the_process),
		TEST(the_memory_ceiling_kills_and_is_flagged),
		TEST(the_ceiling_inside_is_the_one_that_was_asked_for),
		TEST(processes_beyond_the_ceiling_are_refused),
		TEST(a_seccomp_filter_is_applied),
		TEST(statistics_are_answered),
		TEST(a_bind_mount_is_seen_and_written_from_both_sides),
		TEST(a_read_only_bind_mount_is_read_only_on_the_host_side),
		TEST(a_file_is_shared_without_its_neighbours),
		TEST(several_mounts_keep_their_places),
		TEST(what_was_written_is_there_at_the_next_start_and_the_disk_stays_sparse),
		TEST(a_read_only_root_is_refused_writing),
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
