/* test_health.c - what the results of health checks mean, and what is run */
#include <stdlib.h>
#include <string.h>

#include "../cm.h"
#include "base/auto.h"
#include "base/clock.h"
#include "instance/health.h"

static const struct image_healthcheck check = { .start_period_ns = 10 * NS_PER_S, .retries = 3 };

static bool note(struct health_state *s, int exit_code, int64_t since_s)
{
	const struct health_result r = { 1, 2, exit_code, strdup("x") };

	return health_note(&check, s, &r, since_s * NS_PER_S);
}

static void done(struct health_state *s)
{
	json_done(&health_state_table, s);
}

static void failures_in_a_row_make_it_unhealthy_and_one_success_well_again(void **state)
{
	AUTO(done) struct health_state s = { .status = HEALTH_STARTING };

	assert_true(note(&s, 0, 20));
	assert_int_equal(s.status, HEALTH_HEALTHY);
	assert_false(note(&s, 1, 21));
	assert_false(note(&s, 1, 22));
	assert_int_equal(s.status, HEALTH_HEALTHY);
	assert_true(note(&s, -1, 23));
	assert_int_equal(s.status, HEALTH_UNHEALTHY);
	assert_int_equal(s.failing_streak, 3);
	assert_false(note(&s, 2, 24));
	assert_true(note(&s, 0, 25));
	assert_int_equal(s.failing_streak, 0);
	assert_int_equal(s.status, HEALTH_HEALTHY);
	assert_int_equal(s.n_results, HEALTH_RESULTS);
	assert_int_equal(s.results[0].exit_code, 1);
	assert_int_equal(s.results[4].exit_code, 0);
}

static void while_it_starts_failures_do_not_count_until_it_was_well(void **state)
{
	AUTO(done) struct health_state s = { .status = HEALTH_STARTING };

	for (int i = 0; i < 5; i++)
		assert_false(note(&s, 1, 1));
	assert_int_equal(s.status, HEALTH_STARTING);
	assert_int_equal(s.failing_streak, 0);
	note(&s, 0, 2);
	for (int i = 0; i < 3; i++)
		note(&s, 1, 3);
	assert_int_equal(s.status, HEALTH_UNHEALTHY);
}

static void while_it_starts_checks_have_an_interval_of_their_own(void **state)
{
	const struct image_healthcheck c = { .interval_ns = 30,
					     .start_interval_ns = 5,
					     .start_period_ns = 100 };
	const struct image_healthcheck without = { .interval_ns = 30, .start_period_ns = 100 };
	struct health_state s = { .status = HEALTH_STARTING };

	assert_int_equal(health_interval(&c, &s, 99), 5);
	assert_int_equal(health_interval(&c, &s, 100), 30);
	assert_int_equal(health_interval(&without, &s, 0), 30);
	s.status = HEALTH_HEALTHY;
	assert_int_equal(health_interval(&c, &s, 0), 30);
}

static void after_the_start_period_they_do(void **state)
{
	AUTO(done) struct health_state s = { .status = HEALTH_STARTING };

	note(&s, 1, 9);
	assert_false(note(&s, 1, 10));
	assert_false(note(&s, 1, 11));
	assert_true(note(&s, 1, 12));
	assert_int_equal(s.status, HEALTH_UNHEALTHY);
}

static void a_check_is_a_command_or_a_line_for_a_shell(void **state)
{
	static const struct {
		const char *test[4], *args[4];
	} cases[] = {
		{ { "CMD", "curl", "x y" }, { "curl", "x y" } },
		{ { "CMD-SHELL", "curl | grep" }, { "/bin/sh", "-c", "curl | grep" } },
		{ { "NONE" }, { NULL } },
		{ { "CMD" }, { NULL } },
		{ { NULL }, { NULL } },
		{ { "curl", "x" }, { NULL } },
	};
	char *terminal_args[] = { (char *)"main", NULL };
	const struct process main = { .args = { terminal_args, 1 }, .user = (char *)"web", .tty = true };

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct image_healthcheck c = { 0 };
		struct process p = { 0 };

		for (size_t k = 0; k < 4 && cases[i].test[k]; k++)
			strv_add(&c.test, cases[i].test[k]);
		assert_int_equal(health_is_checked(&c), cases[i].args[0] != NULL);
		if (cases[i].args[0]) {
			assert_int_equal(health_process(&c, &main, &p), 0);
			for (size_t k = 0; cases[i].args[k]; k++)
				assert_string_equal(p.args.v[k], cases[i].args[k]);
			assert_string_equal(p.user, "web");
			assert_false(p.tty);
		}
		strv_done(&c.test);
		json_done(&process_table, &p);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(failures_in_a_row_make_it_unhealthy_and_one_success_well_again),
		cmocka_unit_test(while_it_starts_failures_do_not_count_until_it_was_well),
		cmocka_unit_test(while_it_starts_checks_have_an_interval_of_their_own),
		cmocka_unit_test(after_the_start_period_they_do),
		cmocka_unit_test(a_check_is_a_command_or_a_line_for_a_shell),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
