/* test_boot.c - real virtual machines under QEMU: what a user sees of them */
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

/* Everything that a started machine gives back at its end, when the test ends it by force. */
static void end(struct box *b)
{
	box_kill(b);
	box_done(b);
}

/* --- processes */

static void the_exit_status_and_both_outputs_come_through(void **state)
{
	struct box b;

	box_init(&b);
	assert_int_equal(box_once(&b, SH("echo out; echo err >&2; exit 7"), NULL), 7);
	assert_string_equal(b.streams[0].out.data, "out\n");
	assert_string_equal(b.streams[0].err.data, "err\n");
	box_done(&b);
}

static void a_command_that_is_not_there_is_127_and_the_machine_goes_on(void **state)
{
	struct box b;

	box_init(&b);
	box_start(&b);
	box_run(&b, 0, sleep_long, NULL);
	box_run(&b, 1, (const char *const[]){ "no-such-command", NULL }, NULL);
	assert_int_equal(box_wait_exit(&b, 1), 127);
	assert_non_null(b.streams[1].failed);
	box_run(&b, 2, SH("exit 3"), NULL);
	assert_int_equal(box_wait_exit(&b, 2), 3);
	end(&b);
}

static void ten_megabytes_go_in_and_come_out_unchanged(void **state)
{
	const size_t n = 10 << 20;
	unsigned char *data = malloc(n);
	struct box b;

	for (size_t i = 0; i < n; i++)
		data[i] = (unsigned char)(i * 2654435761u >> 13);
	box_init(&b);
	box_start(&b);
	box_run(&b, 0, (const char *const[]){ "cat", NULL }, with_stdin);
	box_feed(&b, 0, data, n);
	assert_int_equal(box_wait_exit(&b, 0), 0);
	assert_int_equal(b.streams[0].out.len, n);
	assert_memory_equal(b.streams[0].out.data, data, n);
	box_shut_down(&b);
	box_done(&b);
	free(data);
}

static void a_terminal_has_a_size_and_can_be_resized(void **state)
{
	struct box b;

	box_init(&b);
	box_start(&b);
	box_run(&b, 0, SH("stty size; read x; stty size"), with_tty);
	box_wait_output(&b, 0, "33 77\r\n");
	box_resize(&b, 0, 44, 88);
	box_feed(&b, 0, "\n", 1);
	assert_int_equal(box_wait_exit(&b, 0), 0);
	assert_non_null(strstr(b.streams[0].out.data, "44 88"));
	box_shut_down(&b);
	box_done(&b);
}

static void a_signal_reaches_the_process(void **state)
{
	struct box b;

	box_init(&b);
	box_start(&b);
	box_run(&b, 0, SH("trap 'echo got; exit 5' TERM; echo up; while :; do sleep 1; done"), NULL);
	box_wait_output(&b, 0, "up\n");
	box_send_u32(&b, MSG_SIGNAL, 0, 15);
	assert_int_equal(box_wait_exit(&b, 0), 5);
	assert_non_null(strstr(b.streams[0].out.data, "got"));
	box_shut_down(&b);
	box_done(&b);
}

/* --- what it may use */

static void the_memory_ceiling_kills_and_is_flagged(void **state)
{
	struct box b;

	box_init(&b);
	b.boot.spec.resources.memory_bytes = 64 << 20;
	assert_int_equal(box_once(&b, (const char *const[]){ "tail", "/dev/zero", NULL }, NULL), 137);
	assert_int_equal(b.streams[0].flags & 1, 1);
	box_done(&b);
}

static void the_ceiling_inside_is_the_one_that_was_asked_for(void **state)
{
	struct box b;

	box_init(&b);
	b.boot.spec.resources.memory_bytes = 64 << 20;
	b.boot.spec.resources.pids = 20;
	assert_int_equal(box_once(&b, SH("cd /sys/fs/cgroup; cat memory.max pids.max"), NULL), 0);
	assert_string_equal(b.streams[0].out.data, "67108864\n20\n");
	box_done(&b);
}

static void processes_beyond_the_ceiling_are_refused(void **state)
{
	struct box b;

	box_init(&b);
	b.boot.spec.resources.pids = 10;
	box_once(&b, SH("i=0; while [ $i -lt 30 ]; do sleep 50 & i=$((i+1)); done; echo all"), NULL);
	assert_null(b.streams[0].out.data);
	assert_non_null(strstr(b.streams[0].err.data, "fork"));
	box_done(&b);
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
	struct box b;

	box_init(&b);
	assert_int_equal(write_full(fd, deny_mkdir, sizeof(deny_mkdir)), 0);
	boot_add_fd(&b.boot, "seccomp", fd);
	b.boot.spec.seccomp = strdup("sha256:0");
	box_start(&b);
	box_run(&b, 0, SH("mkdir /x; touch /y && echo y"), box_with_seccomp);
	box_wait_exit(&b, 0);
	assert_string_equal(b.streams[0].out.data, "y\n");
	assert_non_null(strstr(b.streams[0].err.data, "mkdir"));
	box_shut_down(&b);
	box_done(&b);
}

static void statistics_are_answered(void **state)
{
	struct box b;

	box_init(&b);
	box_start(&b);
	box_run(&b, 0, sleep_long, NULL);
	box_send(&b, MSG_STATS, 0, NULL, 0);
	box_wait_stats(&b);
	assert_non_null(strstr(b.stats.data, "memory"));
	end(&b);
}

/* --- files */

static char *host_dir(char ret[32])
{
	strcpy(ret, "/tmp/ketch-share-XXXXXX");
	assert_non_null(mkdtemp(ret));
	return ret;
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
	char dir[32];
	struct box b;

	put(host_dir(dir), "host", "from host\n");
	box_init(&b);
	box_mount(&b, dir, "/data", false);
	assert_int_equal(box_once(&b, SH("cat /data/host; echo from guest > /data/guest"), NULL), 0);
	assert_string_equal(b.streams[0].out.data, "from host\n");
	assert_file(dir, "guest", "from guest\n");
	box_done(&b);
	remove_tree(AT_FDCWD, dir);
}

/* Inside, root may do what it likes with the guest's own mount flags: the host refuses all the same. */
static void a_read_only_bind_mount_is_read_only_on_the_host_side(void **state)
{
	char dir[32];
	struct box b;

	put(host_dir(dir), "f", "safe\n");
	box_init(&b);
	b.boot.spec.privileged = true;
	box_mount(&b, dir, "/data", true);
	box_start(&b);
	box_run(&b, 0,
		SH("echo x > /data/f; mkdir /m; mount -o remount,rw /data; mount -t virtiofs mount0 /m; "
		   "mount -o remount,rw /m; echo x > /m/f; echo x > /m/new; rm /m/f; chmod 777 /m/f; cat "
		   "/m/f"),
		with_admin);
	box_wait_exit(&b, 0);
	assert_string_equal(b.streams[0].out.data, "safe\n");
	assert_file(dir, "f", "safe\n");
	box_shut_down(&b);
	box_done(&b);
	remove_tree(AT_FDCWD, dir);
}

static void a_file_is_shared_without_its_neighbours(void **state)
{
	autofree char *file = NULL;
	char dir[32];
	struct box b;

	put(host_dir(dir), "one", "1\n");
	put(dir, "secret", "2\n");
	file = str_printf("%s/one", dir);
	box_init(&b);
	b.boot.spec.privileged = true;
	box_mount(&b, file, "/etc/one", false);
	box_start(&b);
	box_run(&b, 0,
		SH("cat /etc/one; echo new > /etc/one; mkdir /m; mount -t virtiofs mount0 /m; ls /m; touch "
		   "/m/x"),
		with_admin);
	box_wait_exit(&b, 0);
	assert_string_equal(b.streams[0].out.data, "1\nfile\n");
	assert_file(dir, "one", "new\n");
	box_shut_down(&b);
	box_done(&b);
	remove_tree(AT_FDCWD, dir);
}

static void what_was_written_is_there_at_the_next_start_and_the_disk_stays_sparse(void **state)
{
	struct box b;
	struct stat st;

	box_init(&b);
	assert_int_equal(box_once(&b, SH("echo kept > /kept"), NULL), 0);
	box_restart(&b);
	box_run(&b, 0, SH("cat /kept"), NULL);
	assert_int_equal(box_wait_exit(&b, 0), 0);
	assert_string_equal(b.streams[0].out.data, "kept\n");
	box_shut_down(&b);
	assert_int_equal(fstat(boot_fd(&b.boot, "disk"), &st), 0);
	assert_in_range(st.st_blocks * 512, 0, 8 << 20);
	box_done(&b);
}

static void a_read_only_root_is_refused_writing(void **state)
{
	struct box b;

	box_init(&b);
	b.boot.spec.read_only = true;
	assert_int_equal(box_once(&b, SH("touch /x || exit 9"), NULL), 9);
	box_done(&b);
}

/* --- ends */

static void a_killed_machine_ends_without_a_reason(void **state)
{
	struct box b;

	box_init(&b);
	box_start(&b);
	box_run(&b, 0, sleep_long, NULL);
	box_kill(&b);
	assert_int_equal(b.why.no, 0);
	box_done(&b);
}

static void a_machine_that_dies_alone_tells_why(void **state)
{
	struct box b;

	box_init(&b);
	b.boot.spec.privileged = true;
	box_start(&b);
	box_run(&b, 0, SH("echo c > /proc/sysrq-trigger; sleep 100"), with_admin);
	box_wait(&b, &b.ended);
	assert_int_not_equal(b.why.no, 0);
	assert_non_null(strstr(b.why.msg, "ended by itself"));
	box_done(&b);
}

/* Under emulation a guest's clock depends on what we tell it. */
static void the_guest_has_the_time_of_the_host(void **state)
{
	struct box b;
	long long there;

	box_init(&b);
	assert_int_equal(box_once(&b, SH("date +%s"), NULL), 0);
	there = atoll(b.streams[0].out.data);
	assert_in_range(there, time(NULL) - 10, time(NULL));
	box_done(&b);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_exit_status_and_both_outputs_come_through),
		cmocka_unit_test(a_command_that_is_not_there_is_127_and_the_machine_goes_on),
		cmocka_unit_test(ten_megabytes_go_in_and_come_out_unchanged),
		cmocka_unit_test(a_terminal_has_a_size_and_can_be_resized),
		cmocka_unit_test(a_signal_reaches_the_process),
		cmocka_unit_test(the_memory_ceiling_kills_and_is_flagged),
		cmocka_unit_test(the_ceiling_inside_is_the_one_that_was_asked_for),
		cmocka_unit_test(processes_beyond_the_ceiling_are_refused),
		cmocka_unit_test(a_seccomp_filter_is_applied),
		cmocka_unit_test(statistics_are_answered),
		cmocka_unit_test(a_bind_mount_is_seen_and_written_from_both_sides),
		cmocka_unit_test(a_read_only_bind_mount_is_read_only_on_the_host_side),
		cmocka_unit_test(a_file_is_shared_without_its_neighbours),
		cmocka_unit_test(what_was_written_is_there_at_the_next_start_and_the_disk_stays_sparse),
		cmocka_unit_test(a_read_only_root_is_refused_writing),
		cmocka_unit_test(a_killed_machine_ends_without_a_reason),
		cmocka_unit_test(a_machine_that_dies_alone_tells_why),
		cmocka_unit_test(the_guest_has_the_time_of_the_host),
	};
	const char *missing = box_missing();

	if (missing) {
		printf("1..0 # skip virtual machines cannot be tested here: %s\n", missing);
		return 77;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
