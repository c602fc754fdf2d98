/* test_host.c - the pieces around a machine: console log, disk, child processes */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../cm.h"
#include "base/auto.h"
#include "base/io.h"
#include "base/path.h"
#include "vm/child.h"
#include "vm/console.h"
#include "vm/disk.h"
#include "vm/running.h"

struct place {
	char path[32];
	int fd;
	struct loop *loop;
};

static int set_up(void **state)
{
	struct place *p = calloc(1, sizeof(*p));

	strcpy(p->path, "/tmp/ketch-test-XXXXXX");
	assert_non_null(mkdtemp(p->path));
	p->fd = open(p->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	p->loop = loop_new();
	*state = p;
	return 0;
}

static int tear_down(void **state)
{
	struct place *p = *state;

	loop_free(p->loop);
	close(p->fd);
	remove_tree(AT_FDCWD, p->path);
	free(p);
	return 0;
}

/* --- console */

static void the_log_of_a_console_keeps_the_end_and_stays_bounded(void **state)
{
	struct place *p = *state;
	AUTO(buf_done) struct buf log = { 0 };
	struct console c;
	int pair[2], lines = 0;

	assert_int_equal(pipe_cloexec(pair), 0);
	assert_int_equal(
		console_open(&c, p->loop, pair[0], openat(p->fd, "log", O_RDWR | O_CREAT | O_CLOEXEC, 0600)),
		0);
	for (; lines < 20000; lines++) {
		dprintf(pair[1], "line %d of a chatty kernel\r\n", lines);
		if (lines % 100 == 0)
			console_drain(&c);
	}
	dprintf(pair[1], "the \x1b[1m last\n  \n");
	close(pair[1]);
	console_drain(&c);
	assert_string_equal(c.last, "the ?[1m last");
	console_close(&c);
	assert_int_equal(read_file(p->fd, "log", 10 * CONSOLE_KEEP, &log), 0);
	assert_in_range(log.len, CONSOLE_KEEP / 2, CONSOLE_KEEP);
	assert_non_null(strstr(log.data, "line 19999 of"));
	assert_null(strstr(log.data, "line 10 of"));
}

/* --- disk */

static void a_disk_is_made_once_and_holds_almost_nothing(void **state)
{
	struct place *p = *state;
	struct stat first, again;
	struct err e = { 0 };
	int fd = vm_disk_open(p->fd, 0, &e);

	if (fd < 0)
		fail_msg("%s", e.msg);
	assert_int_equal(fstat(fd, &first), 0);
	close(fd);
	fd = vm_disk_open(p->fd, 0, &e);
	assert_int_equal(fstat(fd, &again), 0);
	close(fd);
	assert_int_equal(first.st_ino, again.st_ino);
	assert_int_equal(first.st_size, INT64_C(64) << 30);
	assert_in_range(first.st_blocks * 512, 1, 2 << 20);
}

static void a_small_disk_has_room_beside_its_journal(void **state)
{
	struct place *p = *state;
	struct err e = { 0 };
	autoclose int fd = vm_disk_open(p->fd, 64 << 20, &e);
	uint32_t blocks, free_blocks;
	struct stat st;

	if (fd < 0)
		fail_msg("%s", e.msg);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_size, 64 << 20);
	/* s_blocks_count_lo and s_free_blocks_count_lo of the superblock */
	assert_int_equal(pread(fd, &blocks, 4, 1024 + 4), 4);
	assert_int_equal(pread(fd, &free_blocks, 4, 1024 + 12), 4);
	assert_int_equal(blocks, (64 << 20) / 4096);
	assert_in_range(free_blocks, blocks * 85 / 100, blocks);
}

static unsigned syncs;

/* In the place of libc's. */
int fdatasync(int fd)
{
	syncs++;
	return fsync(fd);
}

static void a_disk_on_top_of_another_is_durable_before_it_has_its_name(void **state)
{
	struct place *p = *state;
	struct err e = { 0 };
	int base = openat(p->fd, "base", O_RDWR | O_CREAT | O_CLOEXEC, 0600), top;

	assert_int_equal(ftruncate(base, 1 << 20), 0);
	syncs = 0;
	top = vm_disk_open_above(p->fd, base, &e);
	assert_true(top >= 0);
	assert_int_equal(syncs, 1);
	close(top);
	top = vm_disk_open_above(p->fd, base, &e); /* it is there */
	assert_true(top >= 0);
	assert_int_equal(syncs, 1);
	close(top);
	close(base);
}

static void a_disk_that_cannot_be_made_leaves_nothing(void **state)
{
	struct err e = { 0 };
	int null = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	assert_true(vm_disk_open(null, 0, &e) < 0);
	assert_true(e.no > 0);
	close(null);
}

/* --- children */

struct heard {
	int status;
	bool ended;
};

static void on_ended(void *arg, struct child *c, int status)
{
	struct heard *h = arg;

	h->ended = true;
	h->status = status;
}

static int run_child(struct place *p, const char *script, const struct child_fd *fds, size_t n_fds,
		     int say_fd)
{
	const char *const argv[] = { "/bin/sh", "-c", script, NULL };
	const struct child_spec spec = { .name = "child",
					 .argv = (char *const *)(uintptr_t)argv,
					 .fds = fds,
					 .n_fds = n_fds,
					 .say_fd = say_fd,
					 .cgroup_fd = -1 };
	struct heard h = { 0 };
	struct child c = { .ended = on_ended, .arg = &h };
	struct err e = { 0 };

	assert_int_equal(child_start(&c, &spec, p->loop, &e), 0);
	while (!h.ended)
		assert_true(loop_once(p->loop, 10000) > 0);
	assert_int_equal(c.pid, 0);
	child_done(&c);
	return h.status;
}

static void a_child_has_its_descriptors_under_their_numbers_and_no_other(void **state)
{
	struct place *p = *state;
	AUTO(buf_done) struct buf said = { 0 };
	int pair[2],
		stray = open("/dev/null", O_RDONLY); /* not close-on-exec, as a careless caller leaves it */
	struct child_fd fds[2];
	int others = 0;

	assert_int_equal(pipe_cloexec(pair), 0);
	/* crossed numbers: each wants the place of the other */
	fds[0] = (struct child_fd){ pair[1], pair[0] };
	fds[1] = (struct child_fd){ pair[0], pair[1] };
	assert_int_equal(
		run_child(p, "for f in /proc/self/fd/*; do echo ${f##*/} >&2; done", fds, 2, pair[1]), 0);
	close(pair[1]);
	close(stray);
	assert_int_equal(read_to_end(pair[0], 4096, &said), 0);
	close(pair[0]);
	for (char *line = strtok(said.data, "\n"); line; line = strtok(NULL, "\n")) {
		int n = atoi(line);

		/* one is the directory that the shell reads */
		if (n > 2 && n != fds[0].as && n != fds[1].as && others++)
			fail_msg("descriptor %d got through", n);
	}
	assert_int_equal(others, 1);
}

static void how_a_child_ended_is_told(void **state)
{
	assert_int_equal(run_child(*state, "exit 3", NULL, 0, 2), 3);
	assert_int_equal(run_child(*state, "kill -9 $$", NULL, 0, 2), 128 + SIGKILL);
}

static void a_limit_of_few_descriptors_is_passed_on_and_in_nobodys_way(void **state)
{
	const struct child_fd fd = { 2, 3 };
	struct rlimit all, few;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &all), 0);
	few = (struct rlimit){ 200, all.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	assert_int_equal(run_child(*state, "test $(ulimit -Sn) = 200", &fd, 1, 2), 0);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &all), 0);
}

static void a_program_that_is_not_there_is_127_and_says_so(void **state)
{
	struct place *p = *state;
	AUTO(buf_done) struct buf said = { 0 };
	const char *const argv[] = { "/no/such/program", NULL };
	struct heard h = { 0 };
	struct child c = { .ended = on_ended, .arg = &h };
	struct child_spec spec = { .name = "x", .argv = (char *const *)(uintptr_t)argv, .cgroup_fd = -1 };
	struct err e = { 0 };
	int pair[2];

	assert_int_equal(pipe_cloexec(pair), 0);
	spec.say_fd = pair[1];
	assert_int_equal(child_start(&c, &spec, p->loop, &e), 0);
	while (!h.ended)
		assert_true(loop_once(p->loop, 10000) > 0);
	close(pair[1]);
	read_to_end(pair[0], 4096, &said);
	close(pair[0]);
	assert_int_equal(h.status, 127);
	assert_non_null(strstr(said.data, "/no/such/program"));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

static void a_boot_that_is_too_slow_names_the_limit(void **state)
{
	static const struct {
		struct resources r;
		const char *text;
	} rows[] = {
		{ { 0 }, "the virtual machine did not boot in 120 s" },
		{ { .cpu_milli = 2000 }, "the virtual machine did not boot in 120 s" },
		{ { .cpu_milli = 10 },
		  "the virtual machine did not boot in 120 s: --cpus 0.010 leaves it too little to" },
		{ { .cpu_period_us = 100000, .cpu_quota_us = 5000 },
		  "the virtual machine did not boot in 120 s: --cpus 0.050 leaves it too little to" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct instance_spec s = { .resources = rows[i].r };
		struct err e = { 0 };

		running_late_boot(&s, &e);
		assert_int_equal(e.no, ETIMEDOUT);
		assert_string_equal(e.msg, rows[i].text);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(the_log_of_a_console_keeps_the_end_and_stays_bounded),
		TEST(a_disk_is_made_once_and_holds_almost_nothing),
		TEST(a_small_disk_has_room_beside_its_journal),
		TEST(a_disk_on_top_of_another_is_durable_before_it_has_its_name),
		TEST(a_disk_that_cannot_be_made_leaves_nothing),
		TEST(a_child_has_its_descriptors_under_their_numbers_and_no_other),
		TEST(how_a_child_ended_is_told),
		TEST(a_limit_of_few_descriptors_is_passed_on_and_in_nobodys_way),
		TEST(a_program_that_is_not_there_is_127_and_says_so),
		TEST(a_boot_that_is_too_slow_names_the_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
