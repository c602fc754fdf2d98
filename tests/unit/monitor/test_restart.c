/* test_restart.c - Docker's rules: who is started again, and after how long */
#include "../cm.h"

#include "base/clock.h"
#include "monitor/restart.h"

static void a_policy_decides_by_the_end(void **state)
{
	static const struct {
		struct restart_policy policy;
		int exit_code, restarts;
		bool by_user;
		int want; /* ms */
	} cases[] = {
		{ { RESTART_NO, 0 }, 1, 0, false, -1 },
		{ { RESTART_ALWAYS, 0 }, 0, 0, false, 100 },
		{ { RESTART_ALWAYS, 0 }, 137, 1000, false, 100 },
		{ { RESTART_ALWAYS, 0 }, 137, 0, true, -1 },
		{ { RESTART_UNLESS_STOPPED, 0 }, 0, 0, false, 100 },
		{ { RESTART_UNLESS_STOPPED, 0 }, 0, 0, true, -1 },
		{ { RESTART_ON_FAILURE, 0 }, 0, 0, false, -1 },
		{ { RESTART_ON_FAILURE, 0 }, 1, 1000, false, 100 },
		{ { RESTART_ON_FAILURE, 3 }, 1, 2, false, 100 },
		{ { RESTART_ON_FAILURE, 3 }, 1, 3, false, -1 },
		{ { RESTART_ON_FAILURE, 3 }, 0, 0, false, -1 },
		{ { RESTART_ON_FAILURE, 3 }, 1, 0, true, -1 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct instance_state s = { .exit_code = cases[i].exit_code,
						  .restarts = cases[i].restarts,
						  .stopped_by_user = cases[i].by_user };

		assert_int_equal(restart_wait_ms(&cases[i].policy, &s), cases[i].want);
	}
}

static void the_wait_doubles_up_to_a_minute(void **state)
{
	const struct restart_policy always = { RESTART_ALWAYS, 0 };
	struct instance_state s = { .started_ns = NS_PER_S, .finished_ns = 2 * NS_PER_S };
	int want = 100;

	for (int i = 0; i < 20; i++) {
		s.backoff_ms = restart_wait_ms(&always, &s);
		assert_int_equal(s.backoff_ms, want);
		want = want < 30000 ? want * 2 : 60000;
	}
}

static void who_ran_for_long_begins_with_the_first_wait(void **state)
{
	const struct restart_policy always = { RESTART_ALWAYS, 0 };
	struct instance_state s = { .started_ns = NS_PER_S,
				    .finished_ns = 11 * NS_PER_S,
				    .backoff_ms = 51200 };

	assert_int_equal(restart_wait_ms(&always, &s), 100);
	s.finished_ns--;
	assert_int_equal(restart_wait_ms(&always, &s), 60000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_policy_decides_by_the_end),
		cmocka_unit_test(the_wait_doubles_up_to_a_minute),
		cmocka_unit_test(who_ran_for_long_begins_with_the_first_wait),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
