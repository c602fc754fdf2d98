/* test_conf.c - configuration files: what is read, and where an error is */
#include "../cm.h"

#include <errno.h>

#include "base/auto.h"
#include "base/buf.h"
#include "opts/conf.h"

static int add(void *arg, const char *key, const char *value, struct err *e)
{
	buf_addf(arg, "%s=[%s]", key, value);
	return strcmp(key, "refused") ? 0 : err_set(e, EINVAL, "this key is refused");
}

static int parse(const char *text, struct buf *out, struct err *e)
{
	buf_adds(out, "");
	return conf_parse("f", text, strlen(text), add, out, e);
}

static void pairs_are_read(void **state)
{
	static const struct {
		const char *text, *pairs;
	} cases[] = {
		{ "", "" },
		{ "\n \t\n# x = 1\n  # y\n", "" },
		{ "a=1", "a=[1]" },
		{ "  a_b-C9 \t=  1 2\t \n", "a-b-C9=[1 2]" },
		{ "a = 1\r\nb = 2\r\n", "a=[1]b=[2]" },
		{ "a = 1 # one\nb = x#y", "a=[1]b=[x#y]" },
		{ "a = \" x # y \"  # quoted\nb = \"\"", "a=[ x # y ]b=[]" },
		{ "a = b = c", "a=[b = c]" },
		{ "a = caf\xc3\xa9", "a=[caf\xc3\xa9]" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		AUTO(buf_done) struct buf out = { 0 };
		struct err e = { 0 };

		if (parse(cases[i].text, &out, &e) < 0)
			fail_msg("%s: %s", cases[i].text, e.msg);
		assert_string_equal(out.data ? out.data : "", cases[i].pairs);
	}
}

static void an_error_names_file_and_line(void **state)
{
	static const struct {
		const char *text, *words;
	} cases[] = {
		{ "a = 1\n[section]\n", "f:2: there are no sections, only KEY = VALUE" },
		{ "a", "f:1: KEY = VALUE is wanted, not \"a\"" },
		{ "\n\n= 1", "f:3: KEY = VALUE is wanted, not \"= 1\"" },
		{ "a b = 1", "f:1: KEY = VALUE is wanted, not \"a b = 1\"" },
		{ "a =", "f:1: the value is missing (\"\" is an empty one)" },
		{ "a = # x", "f:1: the value is missing (\"\" is an empty one)" },
		{ "a = \"x", "f:1: the closing quote is missing" },
		{ "a = \"x\" y", "f:1: \"y\" stands behind the quoted value" },
		{ "a = \x1b[0m", "f:1: a control character stands in it" },
		{ "a = 1\nrefused = 1\nb = 2", "f:2: this key is refused" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		AUTO(buf_done) struct buf out = { 0 };
		struct err e = { 0 };

		assert_int_equal(parse(cases[i].text, &out, &e), -EINVAL);
		assert_string_equal(e.msg, cases[i].words);
	}
}

static void a_nul_is_no_end(void **state)
{
	AUTO(buf_done) struct buf out = { 0 };
	struct err e = { 0 };

	assert_int_equal(conf_parse("f", "a = 1\0b\n", 8, add, &out, &e), -EINVAL);
	assert_string_equal(e.msg, "f:1: a control character stands in it");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(pairs_are_read),
		cmocka_unit_test(an_error_names_file_and_line),
		cmocka_unit_test(a_nul_is_no_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
