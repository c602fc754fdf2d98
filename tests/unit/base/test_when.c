/* test_when.c - durations and moments as a user types them */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "../cm.h"
#include "base/auto.h"
#include "base/clock.h"
#include "base/when.h"

static void durations_are_gos(void **state)
{
	static const struct {
		const char *text;
		int64_t ns;
	} good[] = {
		{ "0", 0 },
		{ "10m", 600 * NS_PER_S },
		{ "1h30m", 5400 * NS_PER_S },
		{ "1.5s", 1500000000 },
		{ ".5s", 500000000 },
		{ "300ms", 300000000 },
		{ "2us3ns", 2003 },
		{ "0.000000001s", 1 },
	};
	int64_t ns;

	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		if (parse_duration(good[i].text, &ns) != 0 || ns != good[i].ns)
			fail_msg("%s: %" PRId64, good[i].text, ns);
}

static void what_is_no_duration_is_refused(void **state)
{
	static const char *const bad[] = { "", "10", "m", "-5m", ".s", "1d", "5m ", " 5m", "1e3s", "1..5s" };
	int64_t ns;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		if (parse_duration(bad[i], &ns) != -EINVAL)
			fail_msg("accepted: %s", bad[i]);
	assert_int_equal(parse_duration("9999999999999h", &ns), -ERANGE);
	assert_int_equal(parse_duration("99999999999999999999s", &ns), -ERANGE);
}

static void moments_have_four_forms(void **state)
{
	const int64_t now = INT64_C(1700000600) * NS_PER_S;
	static const struct {
		const char *text;
		int64_t ns;
	} good[] = {
		{ "1700000000", INT64_C(1700000000) * NS_PER_S },
		{ "1700000000.25", INT64_C(1700000000) * NS_PER_S + 250000000 },
		{ "2023-11-14T22:13:20Z", INT64_C(1700000000) * NS_PER_S },
		{ "2023-11-14T23:13:20.5+01:00", INT64_C(1700000000) * NS_PER_S + 500000000 },
		{ "2023-11-14T22:13Z", INT64_C(1699999980) * NS_PER_S },
		{ "2023-11-14Z", INT64_C(1699920000) * NS_PER_S },
		{ "2023-11-14-02:00", INT64_C(1699927200) * NS_PER_S },
		/* without a zone: the user's */
		{ "2023-11-15T01:13:20", INT64_C(1700000000) * NS_PER_S },
		{ "2023-11-15T01:13:20.5", INT64_C(1700000000) * NS_PER_S + 500000000 },
		{ "2023-11-15T01:13", INT64_C(1699999980) * NS_PER_S },
		{ "2023-11-15T01", INT64_C(1699999200) * NS_PER_S },
		{ "2023-11-14", INT64_C(1699909200) * NS_PER_S },
		{ "10m", INT64_C(1700000000) * NS_PER_S },
	};
	int64_t ns;

	assert_int_equal(setenv("TZ", "MSK-3", 1), 0);
	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		if (parse_when(good[i].text, now, &ns) != 0 || ns != good[i].ns)
			fail_msg("%s: %" PRId64, good[i].text, ns);
	assert_int_equal(parse_when("yesterday", now, &ns), -EINVAL);
	assert_int_equal(parse_when("2023-11-14T22:13:20Zulu", now, &ns), -EINVAL);
	assert_int_equal(parse_when("2023-11-14T22:13:20.", now, &ns), -EINVAL);
	assert_int_equal(parse_when("2023-11-14T22:13:20 +01:00", now, &ns), -EINVAL);
	assert_int_equal(parse_when("2023-11-14.5", now, &ns), -EINVAL);
	assert_int_equal(parse_when("2023-11-14T", now, &ns), -EINVAL);
	assert_int_equal(parse_when("99999999999", now, &ns), -ERANGE);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(durations_are_gos),
		cmocka_unit_test(what_is_no_duration_is_refused),
		cmocka_unit_test(moments_have_four_forms),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
