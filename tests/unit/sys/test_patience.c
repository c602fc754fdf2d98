/* test_patience.c - waiting for a lock of somebody else: it is got, the time is over, the process is to end */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../cm.h"
#include "base/auto.h"
#include "sys/patience.h"

enum { SHORT_MS = 20, LONG_MS = 600000 };

/* The file, opened once more: its locks are another's. */
static int open_again(int fd)
{
	char path[32];
	int again;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	again = open(path, O_RDWR | O_CLOEXEC);
	assert_true(again >= 0);
	return again;
}

static int new_file(void)
{
	int fd = memfd_create("lock", MFD_CLOEXEC);

	assert_true(fd >= 0);
	return fd;
}

static void a_free_lock_is_taken_at_once(void **st)
{
	autoclose int fd = new_file(), other = open_again(fd);

	assert_int_equal(flock_within_ms(fd, LOCK_SH, 0), 0);
	assert_int_equal(flock_within_ms(other, LOCK_SH, 0), 0);
}

static void what_stays_held_is_given_up(void **st)
{
	autoclose int fd = new_file(), other = open_again(fd);

	assert_int_equal(flock(other, LOCK_EX), 0);
	assert_int_equal(flock_within_ms(fd, LOCK_EX, SHORT_MS), -EBUSY);
	assert_int_equal(flock_within_ms(fd, LOCK_SH, 0), -EBUSY);
}

static void it_is_got_when_the_other_lets_go(void **st)
{
	autoclose int fd = new_file();
	int hold[2];
	pid_t pid;
	char c;

	assert_int_equal(pipe(hold), 0);
	pid = fork();
	if (pid == 0) { /* holds it until we have begun to wait, as nearly as can be told */
		int own = open_again(fd);

		if (flock(own, LOCK_EX) < 0 || write(hold[1], "", 1) != 1)
			_exit(1);
		usleep(SHORT_MS * 1000);
		_exit(0);
	}
	assert_int_equal(read(hold[0], &c, 1), 1);
	assert_int_equal(flock_within_ms(fd, LOCK_EX, LONG_MS), 0);
	close(hold[0]);
	close(hold[1]);
}

static void who_is_to_end_is_told_once(void **st)
{
	autoclose int fd = new_file(), other = open_again(fd);
	struct patience p = patience_for_ms(LONG_MS);
	sigset_t held;

	sigemptyset(&held);
	sigaddset(&held, SIGTERM);
	assert_int_equal(sigprocmask(SIG_BLOCK, &held, NULL), 0);
	assert_int_equal(raise(SIGTERM), 0);
	assert_int_equal(flock(other, LOCK_EX), 0);
	assert_int_equal(flock_within_ms(fd, LOCK_EX, LONG_MS), -EINTR);
	assert_int_equal(patience_pause(&p), 0);
}

static void what_is_no_file_is_an_error(void **st)
{
	assert_int_equal(flock_within_ms(-1, LOCK_EX, LONG_MS), -EBADF);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_free_lock_is_taken_at_once),
		cmocka_unit_test(what_stays_held_is_given_up),
		cmocka_unit_test(it_is_got_when_the_other_lets_go),
		cmocka_unit_test(what_is_no_file_is_an_error),
		cmocka_unit_test(who_is_to_end_is_told_once), /* the last: the signal stays pending */
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
