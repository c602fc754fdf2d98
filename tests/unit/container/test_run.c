/* test_run.c - processes in containers: exit status, errors, users, exec, signals; as root */
#include "rig.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>

static void the_exit_status_is_the_commands(void **state)
{
	static const struct {
		const char *spec;
		uint32_t status;
	} rows[] = {
		{ "{\"process\":{\"args\":[\"/bin/true\"]}}", 0 },
		{ "{\"process\":{\"args\":[\"true\"]}}", 0 },
		{ "{\"process\":{\"args\":[\"sh\",\"-c\",\"exit 42\"]}}", 42 },
		{ "{\"process\":{\"args\":[\"sh\",\"-c\",\"(kill -9 $$) ; exit 3\"]}}", 3 },
		{ "{\"process\":{\"args\":[\"sh\",\"-c\",\"sh -c 'kill -15 $$'; exit $?\"]}}", 143 },
		{ "{\"init\":true,\"process\":{\"args\":[\"sh\",\"-c\",\"exit 7\"]}}", 7 },
		{ "{\"init\":true,\"process\":{\"args\":[\"sh\",\"-c\",\"kill -9 $$\"]}}", 137 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct rig *r = rig_run(rows[i].spec);

		if (!r->s[0].exited || r->s[0].status != rows[i].status)
			fail_msg("%s: status %u text %s", rows[i].spec, r->s[0].status, r->s[0].text.data);
		rig_done(r);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_exit_status_is_the_commands),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
