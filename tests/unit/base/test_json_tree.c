/* test_json_tree.c - any JSON becomes a tree, and the tree the same text */
#include "../cm.h"

#include "base/auto.h"
#include "base/json_tree.h"

static void what_is_read_is_printed_again(void **state)
{
	static const char *const texts[] = {
		"null",
		"true",
		"-1",
		"18446744073709551615",
		"-9223372036854775808",
		"0.25",
		"1e+21",
		"1e-07",
		"\"a\\\"b\\n\xc3\xa9\"",
		"[]",
		"{}",
		"[1,[2,[null,{}]],\"x\"]",
		"{\"b\":1,\"a\":{\"\":[]}}",
	};

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		AUTO(json_tree_done) struct json_value v = { 0 };
		AUTO(buf_done) struct buf out = { 0 };
		struct err e = { 0 };

		if (json_tree_parse(texts[i], strlen(texts[i]), &v, &e) < 0)
			fail_msg("%s: %s", texts[i], e.msg);
		json_tree_print(&v, &out);
		assert_string_equal(out.data, texts[i]);
	}
}

static void numbers_are_printed_in_their_shortest_form(void **state)
{
	static const struct {
		double v;
		const char *text;
	} cases[] = { { 0, "0" },
		      { -1.5, "-1.5" },
		      { 100, "100" },
		      { 1e20, "100000000000000000000" },
		      { 0.1 + 0.2, "0.30000000000000004" },
		      { 1e21, "1e+21" },
		      { 5e-324, "5e-324" } };

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		AUTO(buf_done) struct buf out = { 0 };

		json_add_real(&out, cases[i].v);
		assert_string_equal(out.data, cases[i].text);
	}
}

static void what_is_no_json_is_refused_with_its_place(void **state)
{
	static const struct {
		const char *text, *words;
	} cases[] = {
		{ "", "not JSON at line 1, column 1: a value is wanted" },
		{ "{\"a\":[1,x]}", "a[1]: not JSON at line 1, column 9: a value is wanted" },
		{ "{\"a\":1,\"a\":2}", "a: " },
		{ "[1", "not JSON" },
		{ "1 2", "not JSON" },
		{ "1e999", "1e999 is out of range" },
		{ "nul", "not JSON" },
		{ "\"\\u0000\"", "a string holds a NUL" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct json_value v;
		struct err e = { 0 };

		assert_true(json_tree_parse(cases[i].text, strlen(cases[i].text), &v, &e) < 0);
		if (!strstr(e.msg, cases[i].words))
			fail_msg("%s: %s", cases[i].text, e.msg);
		assert_int_equal(v.kind, JSON_NULL);
	}
}

static void members_are_found_and_hidden(void **state)
{
	static const char text[] = "{\"a\":1,\"b\":\"x\"}";
	AUTO(json_tree_done) struct json_value v = { 0 };
	AUTO(buf_done) struct buf out = { 0 };
	struct err e = { 0 };

	assert_int_equal(json_tree_parse(text, strlen(text), &v, &e), 0);
	assert_string_equal(json_tree_find(&v, "b")->value.string, "x");
	assert_null(json_tree_find(&v, "c"));
	assert_null(json_tree_find(&v.members[0].value, "a"));
	v.members[0].hidden = true;
	json_tree_print(&v, &out);
	assert_string_equal(out.data, "{\"b\":\"x\"}");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_read_is_printed_again),
		cmocka_unit_test(numbers_are_printed_in_their_shortest_form),
		cmocka_unit_test(what_is_no_json_is_refused_with_its_place),
		cmocka_unit_test(members_are_found_and_hidden),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
