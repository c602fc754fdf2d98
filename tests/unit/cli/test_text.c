/* test_text.c - tables, sizes and foreign names as a terminal sees them */
#include "../cm.h"

#include "base/buf.h"
#include "base/clock.h"
#include "cli/text.h"

static void what_could_move_the_cursor_never_gets_through(void **state)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{ "", "" },
		{ "plain", "plain" },
		{ "über 日本", "über 日本" },
		{ "a\033[31mb", "a?[31mb" },
		{ "a\nb\tc\rd", "a?b?c?d" },
		{ "del\x7f", "del?" },
		{ "c1 \xc2\x9b"
		  "31m",
		  "c1 ?31m" }, /* U+009B: CSI in one character */
		{ "c1 \xc2\x85", "c1 ?" },
		{ "raw \x9b", "raw ?" },
		{ "cut \xe2\x82", "cut ??" },
		{ "long \xc0\xaf", "long ??" }, /* an overlong slash */
		{ "surrogate \xed\xa0\x80", "surrogate ???" },
		{ "big \xf4\x90\x80\x80", "big ????" },
		{ "rlo \xe2\x80\xae"
		  "exe",
		  "rlo ?exe" },
		{ "zero \xe2\x80\x8b", "zero ?" },
		{ "bom \xef\xbb\xbf", "bom ?" },
		{ "line \xe2\x80\xa8", "line ?" },
		{ "isolate \xe2\x81\xa6", "isolate ?" },
		{ "ok \xf0\x9f\x98\x80", "ok \xf0\x9f\x98\x80" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct buf b = { 0 };

		text_add(&b, cases[i].text);
		buf_adds(&b, "");
		assert_string_equal(b.data, cases[i].want);
		buf_done(&b);
	}
}

static void long_text_ends_with_an_ellipsis(void **state)
{
	static const struct {
		const char *text;
		size_t max;
		const char *want;
	} cases[] = {
		{ "abc", 3, "abc" },	    { "abcd", 3, "ab…" },
		{ "äöüß", 4, "äöüß" },	    { "äöüßx", 4, "äöü…" },
		{ "a\033\033b", 3, "a?…" }, { "nginx -g 'daemon off;'", 20, "nginx -g 'daemon of…" },
		{ "x", (size_t)-1, "x" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct buf b = { 0 };

		text_add_cut(&b, cases[i].text, cases[i].max);
		assert_string_equal(b.data, cases[i].want);
		buf_done(&b);
	}
}

static void a_line_begins_and_ends_with_a_word(void **state)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{ "One two.  Three", "One two.\nThree\n" }, /* the width lies in, or behind, the two */
		{ "One twos.  Three", "One twos.\nThree\n" },	    { "One.  Two", "One.  Two\n" },
		{ "One\n  two\n\nthree", "One\n  two\n\nthree\n" }, /* its own indents stay */
		{ "OneTwoThree four", "OneTwoThr\nee four\n" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct buf b = { 0 };

		text_add_wrapped(&b, cases[i].text, 9);
		assert_string_equal(b.data, cases[i].want);
		buf_done(&b);
	}
}

static void sizes_have_three_digits(void **state)
{
	static const struct {
		uint64_t bytes;
		const char *want;
	} cases[] = {
		{ 0, "0B" },
		{ 1, "1B" },
		{ 999, "999B" },
		{ 1000, "1kB" },
		{ 1234, "1.23kB" },
		{ 72800000, "72.8MB" },
		{ 999499, "999kB" },
		{ 999500, "1MB" },
		{ 1500000000, "1.5GB" },
		{ 4195, "4.2kB" },
		{ UINT64_MAX, "18.4EB" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct buf b = { 0 };

		text_add_size(&b, cases[i].bytes);
		assert_string_equal(b.data, cases[i].want);
		buf_done(&b);
	}
}

static void times_are_worded_as_docker_words_them(void **state)
{
	static const struct {
		int64_t seconds;
		const char *want;
	} cases[] = {
		{ -5, "Less than a second ago" },
		{ 0, "Less than a second ago" },
		{ 1, "1 second ago" },
		{ 59, "59 seconds ago" },
		{ 60, "About a minute ago" },
		{ 3599, "59 minutes ago" },
		{ 3600, "About an hour ago" },
		{ 86400, "24 hours ago" },
		{ 3 * 86400, "3 days ago" },
		{ 15 * 86400, "2 weeks ago" },
		{ 70 * 86400, "2 months ago" },
		{ 800 * 86400, "2 years ago" },
	};
	struct buf b = { 0 };

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		text_add_ago(&b, 1000 * 86400 * NS_PER_S, (1000 * 86400 - cases[i].seconds) * NS_PER_S);
		assert_string_equal(b.data, cases[i].want);
		buf_done(&b);
	}
	text_add_time(&b, 0);
	assert_string_equal(b.data, "0001-01-01T00:00:00Z");
	buf_done(&b);
}

static void ids_are_short_and_without_algorithm(void **state)
{
	struct buf b = { 0 };

	text_add_short_id(&b, "sha256:0123456789abcdef0123");
	text_add_short_id(&b, "/");
	text_add_short_id(&b, "ab");
	assert_string_equal(b.data, "0123456789ab/ab");
	buf_done(&b);
}

static void columns_line_up_by_characters(void **state)
{
	static const char *const headings[] = { "ID", "NAME", "LAST", NULL };
	struct buf out = { 0 }, cell = { 0 };
	struct table t;

	table_start(&t, headings);
	table_add(&t, "1");
	table_add(&t, "x");
	buf_adds(&cell, "end");
	table_add_buf(&t, &cell);
	assert_int_equal(table_print(&t, &out), 0);
	assert_string_equal(out.data, "ID        NAME      LAST\n1         x         end\n");
	buf_done(&out);
	table_add(&t, "1234567ä\n");
	table_add(&t, "a much longer name");
	table_add(&t, "");
	assert_int_equal(table_print(&t, &out), 0);
	assert_string_equal(out.data, "ID          NAME                 LAST\n"
				      "1           x                    end\n"
				      "1234567ä?   a much longer name   \n");
	buf_done(&out);
	table_done(&t);
}

static void a_cell_that_had_no_memory_fails_the_table(void **state)
{
	static const char *const headings[] = { "ID", NULL };
	struct buf out = { 0 }, cell = { .failed = true };
	struct table t;

	table_start(&t, headings);
	table_add_buf(&t, &cell);
	assert_true(table_print(&t, &out) < 0);
	buf_done(&out);
	table_done(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_could_move_the_cursor_never_gets_through),
		cmocka_unit_test(long_text_ends_with_an_ellipsis),
		cmocka_unit_test(a_line_begins_and_ends_with_a_word),
		cmocka_unit_test(sizes_have_three_digits),
		cmocka_unit_test(times_are_worded_as_docker_words_them),
		cmocka_unit_test(ids_are_short_and_without_algorithm),
		cmocka_unit_test(columns_line_up_by_characters),
		cmocka_unit_test(a_cell_that_had_no_memory_fails_the_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
