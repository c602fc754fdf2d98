/* test_boot_all.c - which instances a host starts when it comes up: Docker's rules */
#include "../cm.h"

#include "engine/engine.h"

static void the_policy_and_the_last_end_decide(void **state)
{
	static const struct {
		int kind, status;
		bool by_user, want;
	} cases[] = {
		{ RESTART_NO, STATUS_EXITED, false, false },
		{ RESTART_ON_FAILURE, STATUS_EXITED, false, false },
		{ RESTART_ALWAYS, STATUS_EXITED, false, true },
		{ RESTART_ALWAYS, STATUS_EXITED, true, true },
		{ RESTART_ALWAYS, STATUS_CREATED, false, false },
		{ RESTART_ALWAYS, STATUS_RUNNING, false, false },
		{ RESTART_ALWAYS, STATUS_PAUSED, false, false },
		{ RESTART_ALWAYS, STATUS_RESTARTING, false, false },
		{ RESTART_UNLESS_STOPPED, STATUS_EXITED, false, true },
		{ RESTART_UNLESS_STOPPED, STATUS_EXITED, true, false },
		{ RESTART_UNLESS_STOPPED, STATUS_CREATED, false, false },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct instance in = { .spec.restart.kind = cases[i].kind,
					     .state.status = cases[i].status,
					     .state.stopped_by_user = cases[i].by_user };

		if (engine_starts_at_boot(&in) != cases[i].want)
			fail_msg("case %zu: %s %s", i, restart_names[cases[i].kind],
				 status_names[cases[i].status]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(the_policy_and_the_last_end_decide) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
