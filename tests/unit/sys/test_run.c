/* test_run.c - helper programs: their status, what they say, and their deadline */
#include <errno.h>

#include "../cm.h"
#include "base/auto.h"
#include "base/clock.h"
#include "sys/run.h"

static int run(const char *script, int timeout_ms, struct buf *said, int *ret_status)
{
	const char *const argv[] = { "sh", "-c", script, NULL };

	return run_program(argv, -1, timeout_ms, said, ret_status);
}

static void status_and_stderr_come_back(void **state)
{
	AUTO(buf_done) struct buf said = { 0 };
	int status;

	assert_int_equal(run("echo lost; echo why >&2; exit 4", 10000, &said, &status), 0);
	assert_int_equal(status, 4);
	assert_string_equal(said.data, "why\n");
	assert_int_equal(run("kill -15 $$", 10000, NULL, &status), 0);
	assert_int_equal(status, 128 + 15);
}

static void much_on_stderr_is_cut_and_does_not_block(void **state)
{
	AUTO(buf_done) struct buf said = { 0 };
	int status;

	assert_int_equal(run("i=0; while [ $i -lt 20000 ]; do echo 0123456789 >&2; i=$((i+1)); done", 20000,
			     &said, &status),
			 0);
	assert_in_range(said.len, 1, RUN_MAX_SAID + 512);
}

static void who_is_late_is_killed(void **state)
{
	int64_t start = clock_mono_ns();
	int status;

	assert_int_equal(run("exec sleep 100", 50, NULL, &status), -ETIMEDOUT);
	assert_true(clock_mono_ns() - start < 10 * NS_PER_S);
}

static void a_missing_program_is_enoent(void **state)
{
	const char *const argv[] = { "no-such-program-here", NULL };
	int status;

	assert_int_equal(run_program(argv, -1, 1000, NULL, &status), -ENOENT);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(status_and_stderr_come_back),
		cmocka_unit_test(much_on_stderr_is_cut_and_does_not_block),
		cmocka_unit_test(who_is_late_is_killed),
		cmocka_unit_test(a_missing_program_is_enoent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
