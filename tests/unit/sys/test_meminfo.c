/* test_meminfo.c - the machine's memory from /proc/meminfo */
#include <errno.h>

#include "../cm.h"
#include "base/auto.h"
#include "sys/meminfo.h"

static void total_and_available_are_bytes(void **state)
{
	uint64_t total, available;

	assert_int_equal(meminfo_parse("MemTotal:         507844 kB\nMemFree: 1 kB\nMemAvailable:  43 kB\n",
				       &total, &available),
			 0);
	assert_int_equal(total, 507844ULL * 1024);
	assert_int_equal(available, 43 * 1024);
}

static void what_is_no_meminfo_is_refused(void **state)
{
	static const char *const bad[] = {
		"",
		"MemTotal: 5 kB\n",
		"MemTotal: 5 kB\nXMemAvailable: 5 kB\n",
		"MemTotal: 5 kB\nMemAvailable: kB\n",
		"MemTotal: 5 kB\nMemAvailable: 5 MB\n",
		"MemTotal: -5 kB\nMemAvailable: 5 kB\n",
		"MemTotal: 5 kB\nMemAvailable: 18446744073709551615 kB\n",
	};
	uint64_t total = 7, available = 7;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		if (meminfo_parse(bad[i], &total, &available) != -EINVAL)
			fail_msg("accepted: %s", bad[i]);
	assert_true(total == 7 && available == 7);
}

static void this_machine_has_memory(void **state)
{
	uint64_t total, available;

	assert_int_equal(meminfo_read(&total, &available), 0);
	assert_true(available > 0 && available <= total);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(total_and_available_are_bytes),
		cmocka_unit_test(what_is_no_meminfo_is_refused),
		cmocka_unit_test(this_machine_has_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
