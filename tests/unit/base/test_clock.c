/* test_clock.c - RFC 3339 in and out */
#include "../cm.h"

#include "base/auto.h"
#include "base/clock.h"

static void times_are_read_with_any_offset_and_fraction(void **state)
{
	static const struct {
		const char *text;
		int64_t ns;
	} good[] = {
		{ "1970-01-01T00:00:00Z", 0 },
		{ "1970-01-01T00:00:01.5Z", 1500000000 },
		{ "1970-01-01T00:00:00.123456789Z", 123456789 },
		{ "1970-01-01T02:00:00+02:00", 0 },
		{ "1969-12-31T18:30:00-05:30", 0 },
		{ "1969-12-31T23:59:59Z", -1000000000 },
		{ "2026-11-20T16:37:48.000000001Z", 1795192668000000001 },
	};
	static const char *const bad[] = { "",
					   "now",
					   "2026-11-20",
					   "2026-11-20T16:37:48",
					   "2026-11-20T16:37:48+2:00",
					   "2026-11-20T16:37:48+02:00x",
					   "2026-11-20T16:37:48++2:00",
					   "2026-11-20T16:37:48+ 2:00",
					   "2026-11-20T16:37:48+02:-1",
					   "2026-11-20T16:37:48+24:00",
					   "2262-04-11T23:47:16.9Z",
					   "2026-11-20T16:37:48 Z",
					   "2026-13-20T16:37:48Z",
					   "2026-11-20T16:37:48.Zx",
					   "0001-01-01T00:00:00Z",
					   "9999-01-01T00:00:00Z" };
	int64_t ns;

	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		assert_int_equal(rfc3339_parse(good[i].text, &ns), 0);
		assert_true(ns == good[i].ns);
	}
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		if (rfc3339_parse(bad[i], &ns) == 0)
			fail_msg("accepted: %s", bad[i]);
}

static void what_is_written_is_read_back(void **state)
{
	char text[RFC3339_LEN];
	int64_t ns;

	rfc3339_format(1795192668123456789, text);
	assert_string_equal(text, "2026-11-20T16:37:48.123456789Z");
	assert_int_equal(rfc3339_parse(text, &ns), 0);
	assert_true(ns == 1795192668123456789);
	rfc3339_format(-1, text);
	assert_string_equal(text, "1969-12-31T23:59:59.999999999Z");
	assert_int_equal(rfc3339_parse(text, &ns), 0);
	assert_int_equal(ns, -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(times_are_read_with_any_offset_and_fraction),
		cmocka_unit_test(what_is_written_is_read_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
