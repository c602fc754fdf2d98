/* test_batch.c - long-running programs: their lines, their status, and that all of them ends */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "../cm.h"
#include "base/auto.h"
#include "base/io.h"
#include "sys/batch.h"
#include "sys/pidfd.h"

static void add_line(void *arg, const char *line)
{
	buf_addf(arg, "[%s]", line);
}

static int run(const char *script, int log_fd, int stop_fd, struct buf *lines, int *ret_status)
{
	static char sh[] = "sh", c[] = "-c";
	AUTO(strv_done) struct strv env = { 0 };
	char *const argv[] = { sh, c, (char *)(uintptr_t)script, NULL };

	assert_int_equal(strv_add(&env, "X=given"), 0);
	return batch_run(&(struct batch){ argv, &env, log_fd, stop_fd, add_line, lines }, ret_status);
}

static int log_file(void)
{
	return memfd_create("log", MFD_CLOEXEC);
}

static void lines_log_and_status_come_back(void **state)
{
	AUTO(buf_done) struct buf lines = { 0 }, text = { 0 };
	autoclose int log = log_file();
	int status = -1;

	assert_int_equal(run("echo one; echo $X >&2; printf last; exit 3", log, -1, &lines, &status), 0);
	assert_int_equal(status, 3);
	assert_string_equal(lines.data, "[one][given][last]");
	assert_int_equal(lseek(log, 0, SEEK_SET), 0);
	assert_int_equal(read_to_end(log, 100, &text), 0);
	assert_string_equal(text.data, "one\ngiven\nlast");
}

static void long_lines_are_cut(void **state)
{
	AUTO(buf_done) struct buf lines = { 0 };
	autoclose int log = log_file();
	int status = -1;

	assert_int_equal(run("head -c 5000 /dev/zero | tr '\\0' x; echo; echo y", log, -1, &lines, &status),
			 0);
	assert_int_equal(lines.len, BATCH_LINE_MAX - 1 + 2 + 3);
	assert_int_equal(lseek(log, 0, SEEK_END), 5000 + 1 + 2);
}

static void a_missing_program_is_enoent(void **state)
{
	static char name[] = "no-such-program-here";
	autoclose int log = log_file();
	char *const argv[] = { name, NULL };
	int status;

	assert_int_equal(batch_run(&(struct batch){ .argv = argv, .log_fd = log, .stop_fd = -1 }, &status),
			 -ENOENT);
}

static void a_log_without_room_ends_it(void **state)
{
	AUTO(buf_done) struct buf lines = { 0 };
	autoclose int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
	int status;

	assert_int_equal(run("while :; do echo x; done", full, -1, &lines, &status), -ENOSPC);
}

/* The reader of what only those that live hold open sees the end once they are gone. */
static void wait_for_end(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	char c;

	while (poll(&p, 1, 20000) == 1 && read(fd, &c, 1) > 0)
		;
	assert_int_equal(poll(&p, 1, 0), 1);
	assert_int_equal(read(fd, &c, 1), 0);
}

/* A script that opens the FIFO `life` for writing, starts a grandchild that keeps it open, too, and stays. */
#define STAYS "exec 9>\"$LIFE\"; (trap '' TERM HUP INT; sleep 1000 & wait; wait) & echo up; wait"

struct stay {
	char dir[32];
	char *life, *script;
	int fd;
};

static void stay_init(struct stay *s, const char *script)
{
	strcpy(s->dir, "/tmp/ketch-test-XXXXXX");
	assert_non_null(mkdtemp(s->dir));
	s->life = str_printf("%s/life", s->dir);
	assert_int_equal(mkfifo(s->life, 0600), 0);
	s->fd = open(s->life, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	assert_true(s->fd >= 0);
	s->script = str_printf("LIFE=%s; %s", s->life, script);
}

static void stay_done(struct stay *s)
{
	close(s->fd);
	unlink(s->life);
	rmdir(s->dir);
	free(s->life);
	free(s->script);
}

static void write_byte(void *arg, const char *line)
{
	assert_int_equal(write(*(int *)arg, "s", 1), 1);
}

static void run_staying(const struct stay *s, int pair[2], int *ret_r)
{
	static char sh[] = "sh", c[] = "-c";
	autoclose int log = log_file();
	char *const argv[] = { sh, c, s->script, NULL };
	int status;

	*ret_r = batch_run(&(struct batch){ argv, NULL, log, pair[0], write_byte, &pair[1] }, &status);
}

static void stopped_it_ends_with_all_that_it_started(void **state)
{
	AUTO(stay_done) struct stay s;
	int pair[2], r = 0;

	if (geteuid() != 0)
		skip(); /* no PID namespace */
	stay_init(&s, STAYS);
	assert_int_equal(pipe_cloexec(pair), 0);
	run_staying(&s, pair, &r);
	assert_int_equal(r, -ECANCELED);
	wait_for_end(s.fd);
	close(pair[0]);
	close(pair[1]);
}

static void when_we_are_killed_all_of_it_ends(void **state)
{
	AUTO(stay_done) struct stay s;
	autoclose int pidfd = -1;
	int pair[2], never[2], r, status;
	pid_t pid;
	char c;

	if (geteuid() != 0)
		skip(); /* no PID namespace */
	stay_init(&s, STAYS);
	assert_int_equal(pipe_cloexec(pair), 0);
	assert_int_equal(pipe_cloexec(never), 0);
	pid = fork();
	if (pid == 0) {
		int ends[2] = { never[0], pair[1] };

		run_staying(&s, ends, &r);
		_exit(0);
	}
	assert_int_equal(read(pair[0], &c, 1), 1); /* it is up */
	pidfd = pidfd_open_pid(pid);
	assert_int_equal(pidfd_signal(pidfd, SIGKILL), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	wait_for_end(s.fd);
	for (int i = 0; i < 2; i++) {
		close(pair[i]);
		close(never[i]);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_log_and_status_come_back),
		cmocka_unit_test(long_lines_are_cut),
		cmocka_unit_test(a_missing_program_is_enoent),
		cmocka_unit_test(a_log_without_room_ends_it),
		cmocka_unit_test(stopped_it_ends_with_all_that_it_started),
		cmocka_unit_test(when_we_are_killed_all_of_it_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
