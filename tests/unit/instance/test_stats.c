/* test_stats.c - statistics that a guest sends: believed only when they can be true */
#include <string.h>

#include "../cm.h"
#include "base/auto.h"
#include "instance/stats.h"

static void what_was_printed_is_parsed_again(void **state)
{
	const struct stats st = { 1 << 20, 1 << 10, 42, 3, 7, 8, 9, 10, UINT64_MAX, 5 };
	AUTO(buf_done) struct buf b = { 0 };
	struct stats again;
	struct err e;

	assert_int_equal(json_print(&stats_table, &st, JSON_ALL, &b), 0);
	assert_int_equal(stats_parse(b.data, b.len, &again, &e), 0);
	assert_memory_equal(&again, &st, sizeof(st));
}

static void what_cannot_be_true_is_refused(void **state)
{
	static const char *const bad[] = {
		"",
		"[]",
		"{\"memoryBytes\":-1}",
		"{\"memoryBytes\":1e400}",
		"{\"memoryBytes\":1.5}",
		"{\"memoryBytes\":NaN}",
		"{\"memoryBytes\":\"1\"}",
		"{\"pids\":1,\"pids\":2}",
		"{\"pids\":1,\"else\":2}",
		"{\"pids\":1}{}",
		"{\"memoryBytes\":1,\"cacheBytes\":2}",
		"{\"machineBytes\":1,\"machineAvailableBytes\":2}",
	};
	struct stats st;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct err e = { 0 };

		if (stats_parse(bad[i], strlen(bad[i]), &st, &e) >= 0 || !e.msg[0])
			fail_msg("accepted: %s", bad[i]);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_printed_is_parsed_again),
		cmocka_unit_test(what_cannot_be_true_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
