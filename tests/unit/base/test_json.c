/* test_json.c - tables turn JSON into structs and back */
#include "../cm.h"

#include <errno.h>

#include "base/json.h"
#include "base/strv.h"

struct inner {
	char *name;
	uint64_t big;
};

struct outer {
	char *text;
	bool yes;
	int small;
	int64_t num;
	struct strv list, map, keys;
	int colour;
	struct inner in;
	struct inner *many;
	size_t n_many;
};

static const char *const colours[] = { "red", "green", NULL };
static const struct jfield inner_fields[] = { J(J_STR, struct inner, name),
					      J(J_U64, struct inner, big),
					      { 0 } };
static const struct jtable inner_table = { sizeof(struct inner), inner_fields };
static const struct jfield outer_fields[] = {
	J(J_STR, struct outer, text),
	J(J_BOOL, struct outer, yes),
	J(J_INT, struct outer, small),
	J(J_I64, struct outer, num),
	J(J_STRV, struct outer, list),
	J(J_MAP, struct outer, map),
	J(J_KEYS, struct outer, keys),
	JE(struct outer, colour, "colour", colours),
	JO(struct outer, in, "in", &inner_table),
	JA(struct outer, many, n_many, "many", &inner_table),
	{ 0 },
};
static const struct jtable outer_table = { sizeof(struct outer), outer_fields };

static const char whole[] =
	"{\"text\":\"a\\\"b\\n\\u0001\",\"yes\":true,\"small\":-3,\"num\":9223372036854775807,"
	"\"list\":[\"x\",\"\"],\"map\":{\"k\":\"v=w\"},\"keys\":{\"80/tcp\":{}},\"colour\":\"green\","
	"\"in\":{\"name\":\"n\",\"big\":18446744073709551615},\"many\":[{\"big\":1},{\"name\":\"q\"}]}";

static int parse(const char *text, int flags, struct outer *o)
{
	struct err e = { 0 };

	memset(o, 0, sizeof(*o));
	return json_parse(&outer_table, text, strlen(text), flags, o, &e);
}

static void what_is_printed_is_what_was_parsed(void **state)
{
	struct buf b = { 0 };
	struct outer o, copy;

	assert_int_equal(parse(whole, JSON_STRICT, &o), 0);
	assert_string_equal(o.map.v[0], "k=v=w");
	assert_true(o.in.big == UINT64_MAX);
	assert_int_equal(o.n_many, 2);
	assert_int_equal(json_copy(&outer_table, &o, &copy), 0);
	assert_int_equal(json_print(&outer_table, &copy, 0, &b), 0);
	assert_string_equal(b.data, whole);
	buf_done(&b);
	json_done(&outer_table, &o);
	json_done(&outer_table, &copy);
}

static void bad_input_is_refused_and_leaves_nothing(void **state)
{
	static const char *const bad[] = {
		"",
		"[]",
		"{",
		"{} {}",
		"{\"text\":1}",
		"{\"yes\":\"true\"}",
		"{\"small\":2147483648}",
		"{\"num\":9223372036854775808}",
		"{\"num\":1.5}",
		"{\"in\":{\"big\":-1}}",
		"{\"list\":{}}",
		"{\"list\":[1]}",
		"{\"map\":{\"a=b\":\"c\"}}",
		"{\"map\":[]}",
		"{\"colour\":\"blue\"}",
		"{\"many\":[1]}",
		"{\"text\":\"a\\u0000b\"}",
		"{\"text\":\"a\",}",
		"{'text':'a'}",
		"nul",
	};
	struct outer o;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_true(parse(bad[i], 0, &o) < 0);
		assert_null(o.text);
	}
}

static void an_unknown_key_is_refused_only_when_strict(void **state)
{
	struct outer o;

	assert_int_equal(parse("{\"other\":1}", JSON_STRICT, &o), -EINVAL);
	assert_int_equal(parse("{\"other\":1}", 0, &o), 0);
	json_done(&outer_table, &o);
}

static void a_key_given_twice_is_refused_when_unique(void **state)
{
	struct outer o;

	assert_int_equal(parse("{\"text\":\"a\",\"text\":\"b\"}", 0, &o), 0);
	assert_string_equal(o.text, "b");
	json_done(&outer_table, &o);
	assert_int_equal(parse("{\"text\":\"a\",\"t\\u0065xt\":\"b\"}", JSON_UNIQUE, &o), -EINVAL);
	assert_int_equal(parse("{\"x\":[{\"y\":{\"z\":1}},{\"y\":1,\"y\":{\"z\":1}}]}", JSON_UNIQUE, &o),
			 -EINVAL);
	assert_int_equal(parse("{\"text\":\"a:\\\\\",\"x\":[{\"x\":{\"x\":\"\\\":\"}}]}", JSON_UNIQUE, &o),
			 0);
	json_done(&outer_table, &o);
}

static void deep_nesting_is_refused(void **state)
{
	char text[4000];
	struct outer o;

	memset(text, '[', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	assert_true(parse(text, 0, &o) < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_printed_is_what_was_parsed),
		cmocka_unit_test(bad_input_is_refused_and_leaves_nothing),
		cmocka_unit_test(an_unknown_key_is_refused_only_when_strict),
		cmocka_unit_test(a_key_given_twice_is_refused_when_unique),
		cmocka_unit_test(deep_nesting_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
