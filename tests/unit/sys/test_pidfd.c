/* test_pidfd.c - processes by descriptor: their ends */
#include <errno.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../cm.h"
#include "base/auto.h"
#include "sys/pidfd.h"

enum { HELD_MS = 100, WAIT_MS = 10000 };

/* A child that ends with status 7 when the pipe's other end is closed. */
static pid_t child_that_waits(const int hold[2])
{
	pid_t pid = fork();
	char c;

	assert_true(pid >= 0);
	if (pid == 0) {
		close(hold[1]);
		_exit(read(hold[0], &c, 1) == 0 ? 7 : 1);
	}
	return pid;
}

static void what_runs_is_not_reaped_what_ended_is_once(void **st)
{
	autoclose int pidfd = -1;
	int hold[2], status = -1;

	assert_int_equal(pipe(hold), 0);
	pidfd = pidfd_open_pid(child_that_waits(hold));
	assert_true(pidfd >= 0);
	assert_int_equal(pidfd_reap(pidfd, &status), -EAGAIN);
	assert_int_equal(pidfd_signal(pidfd, SIGKILL), 0);
	assert_int_equal(pidfd_wait_end(pidfd, WAIT_MS), 0);
	assert_int_equal(pidfd_reap(pidfd, &status), 0);
	assert_int_equal(status, 128 + SIGKILL);
	assert_int_equal(pidfd_reap(pidfd, &status), -ECHILD);
	close(hold[0]);
	close(hold[1]);
}

/* Traces it, says so, and looks for its end only HELD_MS after it. */
static void trace(pid_t pid, int pidfd, int told)
{
	if (ptrace(PTRACE_SEIZE, pid, NULL, NULL) < 0 || write(told, "t", 1) != 1)
		_exit(1);
	if (pidfd_wait_end(pidfd, WAIT_MS) < 0)
		_exit(2);
	usleep(HELD_MS * 1000);
	_exit(waitpid(pid, NULL, __WALL) == pid ? 0 : 3);
}

static void what_a_tracer_holds_back_is_reaped_when_it_lets_go(void **st)
{
	autoclose int pidfd = -1;
	int hold[2], told[2], status = -1;
	pid_t pid, tracer;
	char c;

	assert_int_equal(pipe(hold) | pipe(told), 0);
	pid = child_that_waits(hold);
	pidfd = pidfd_open_pid(pid);
	tracer = fork();
	assert_true(pidfd >= 0 && tracer >= 0);
	if (tracer == 0) {
		close(hold[1]);
		trace(pid, pidfd, told[1]);
	}
	assert_int_equal(read(told[0], &c, 1), 1);
	close(hold[1]);
	assert_int_equal(pidfd_wait_end(pidfd, WAIT_MS), 0);
	assert_int_equal(pidfd_reap(pidfd, &status), 0);
	assert_int_equal(status, 7);
	assert_int_equal(waitpid(tracer, &status, 0), tracer);
	assert_int_equal(status, 0);
	close(hold[0]);
	close(told[0]);
	close(told[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_runs_is_not_reaped_what_ended_is_once),
		cmocka_unit_test(what_a_tracer_holds_back_is_reaped_when_it_lets_go),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
