/* test_ranges.c - lists of small numbers */
#include "../cm.h"

#include <errno.h>

#include "base/auto.h"
#include "base/ranges.h"

static void lists_are_read_and_counted(void **state)
{
	static const struct {
		const char *text;
		unsigned count;
		size_t bytes;
	} rows[] = {
		{ "0", 1, 1 },
		{ "7", 1, 1 },
		{ "8", 1, 2 },
		{ "0-3", 4, 1 },
		{ "0-2,5", 4, 1 },
		{ "5,0-2,1-3", 5, 1 },
		{ "0-8191", 8192, 1024 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct ranges r;

		assert_int_equal(ranges_parse(rows[i].text, &r), 0);
		assert_int_equal(ranges_count(&r), rows[i].count);
		assert_int_equal(ranges_bytes(&r), rows[i].bytes);
	}
}

static void other_texts_are_refused(void **state)
{
	static const char *const bad[] = { "", ",", "1,", "-", "1-", "-1", "3-1", "a", "1 ", "1-2-3", "0x1" };
	struct ranges r;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		if (ranges_parse(bad[i], &r) != -EINVAL)
			fail_msg("'%s' was read", bad[i]);
	assert_int_equal(ranges_parse("0-8192", &r), -ERANGE);
	assert_int_equal(ranges_parse("99999", &r), -ERANGE);
}

static void a_list_is_within_another_or_not(void **state)
{
	static const struct {
		const char *list, *all;
		bool within;
	} rows[] = {
		{ "0-1", "0-1", true },
		{ "1", "0-3", true },
		{ "2", "0-1", false },
		{ "0-2", "0,2", false },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct ranges list, all;

		assert_int_equal(ranges_parse(rows[i].list, &list), 0);
		assert_int_equal(ranges_parse(rows[i].all, &all), 0);
		assert_int_equal(ranges_within(&list, &all), rows[i].within);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lists_are_read_and_counted),
		cmocka_unit_test(other_texts_are_refused),
		cmocka_unit_test(a_list_is_within_another_or_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
