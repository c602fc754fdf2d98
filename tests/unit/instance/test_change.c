/* test_change.c - records of changes: whole ones, those that come in pieces, and what is none */
#include "../cm.h"

#include <errno.h>

#include "base/auto.h"
#include "instance/change.h"

static void records_come_one_by_one_however_they_are_cut(void **state)
{
	static const char text[] = "A/new\0C/etc\0D/a b\n";
	static const struct change want[] = { { 'A', "/new" }, { 'C', "/etc" }, { 'D', "/a b\n" } };
	struct buf in = { 0 };
	struct change c;
	size_t n = 0;

	for (size_t i = 0; i < sizeof(text); i++) {
		buf_add(&in, text + i, 1);
		while (change_peek(&in, &c) == 1) {
			assert_int_equal(c.kind, want[n].kind);
			assert_string_equal(c.path, want[n].path);
			change_drop(&in, &c);
			n++;
		}
	}
	assert_int_equal(n, 3);
	assert_int_equal(in.len, 0);
	buf_done(&in);
}

static void what_is_no_record_is_refused(void **state)
{
	static const struct {
		const char *text;
		size_t n;
	} bad[] = { { "B/x", 4 },
		    { "A", 2 },
		    { "", 1 },
		    { "A/", 3 },
		    { "Ax", 3 },
		    { "\0/x", 4 },
		    { "C0123456789abcde/x", 19 },
		    { "C0123456789abcdef", 18 },
		    { "C0123456789abcdeF/x", 20 } };
	struct change c;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct buf in = { 0 };

		buf_add(&in, bad[i].text, bad[i].n);
		assert_int_equal(change_peek(&in, &c), -EPROTO);
		buf_done(&in);
	}
}

static void a_path_has_a_longest_length(void **state)
{
	struct buf in = { 0 };
	struct change c;

	buf_adds(&in, "A/");
	while (in.len < CHANGE_RECORD_MAX - 1)
		buf_addc(&in, 'x');
	assert_int_equal(change_peek(&in, &c), 0);
	buf_addc(&in, '\0');
	assert_int_equal(change_peek(&in, &c), 1);
	in.data[CHANGE_RECORD_MAX - 1] = 'x';
	assert_int_equal(change_peek(&in, &c), -EPROTO);
	buf_done(&in);
}

static void a_stamp_may_stand_before_the_path(void **state)
{
	struct buf in = { 0 };
	struct change c;

	buf_add(&in, "C00000000000000af/x\0D/y", 24);
	assert_int_equal(change_peek(&in, &c), 1);
	assert_string_equal(c.path, "/x");
	assert_int_equal(c.stamp, 0xaf);
	change_drop(&in, &c);
	assert_int_equal(change_peek(&in, &c), 1);
	assert_string_equal(c.path, "/y");
	assert_int_equal(c.stamp, 0);
	buf_done(&in);
}

static void paths_are_in_the_order_of_a_walk(void **state)
{
	static const char *const walk[] = { "/a", "/a/b", "/a/b/c", "/a/b-", "/a-", "/a\xff" };

	for (size_t i = 0; i < ARRAY_LEN(walk); i++)
		for (size_t j = 0; j < ARRAY_LEN(walk); j++) {
			int r = change_compare_paths(walk[i], walk[j]);

			assert_int_equal((r > 0) - (r < 0), (i > j) - (i < j));
		}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(records_come_one_by_one_however_they_are_cut),
		cmocka_unit_test(what_is_no_record_is_refused),
		cmocka_unit_test(a_path_has_a_longest_length),
		cmocka_unit_test(a_stamp_may_stand_before_the_path),
		cmocka_unit_test(paths_are_in_the_order_of_a_walk),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
