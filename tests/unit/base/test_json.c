/* test_json.c - tables turn JSON into structs and back */
#include "../cm.h"

#include <errno.h>
#include <stdio.h>

#include "base/json.h"
#include "base/strv.h"

struct inner {
	char *name;
	uint64_t big;
};

struct device {
	char *name; /* the key */
	struct opt_i64 handles;
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
	uint32_t id;
	struct opt_i64 limit;
	struct i64v groups;
	char *raw;
	struct device *devices;
	size_t n_devices;
	bool has_part, part_yes;
};

static const char *const colours[] = { "red", "green", NULL };
static const struct jfield inner_fields[] = { J(J_STR, struct inner, name),
					      J(J_U64, struct inner, big),
					      { 0 } };
static const struct jtable inner_table = { sizeof(struct inner), inner_fields };
static const struct jfield device_fields[] = { J(J_OPT_I64, struct device, handles), { 0 } };
static const struct jtable device_table = { sizeof(struct device), device_fields };
/* an object of the text that is no struct of its own */
static const struct jfield part_fields[] = {
	{ .type = J_BOOL, .key = "yes", .off = offsetof(struct outer, part_yes), .must = true },
	{ 0 },
};
static const struct jtable part_table = { sizeof(struct outer), part_fields, .closed = true };
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
	J(J_U32, struct outer, id),
	J(J_OPT_I64, struct outer, limit),
	J(J_I64V, struct outer, groups),
	J(J_RAW, struct outer, raw),
	JM(struct outer, devices, n_devices, "devices", &device_table),
	JV(struct outer, has_part, "part", &part_table),
	{ 0 },
};
static const struct jtable outer_table = { sizeof(struct outer), outer_fields };

static const char whole[] =
	"{\"text\":\"a\\\"b\\n\\u0001\",\"yes\":true,\"small\":-3,\"num\":9223372036854775807,"
	"\"list\":[\"x\",\"\"],\"map\":{\"k\":\"v=w\"},\"keys\":{\"80/tcp\":{}},\"colour\":\"green\","
	"\"in\":{\"name\":\"n\",\"big\":18446744073709551615},\"many\":[{\"big\":1},{\"name\":\"q\"}],"
	"\"id\":4294967295,\"limit\":0,\"groups\":[-1,0,7],\"raw\":{\"a\":[1,\" \\\" :\"]},"
	"\"devices\":{\"mlx.0\":{\"handles\":-5},\"rxe\":{}},\"part\":{\"yes\":true}}";

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

/* what is wrong -> how the message begins */
static const struct bad {
	const char *text, *message;
} bad[] = {
	{ "", "not JSON at line 1, column 1: a value is wanted" },
	{ "[]", "wrong type, an object is wanted" },
	{ "{", "not JSON at line 1, column 2: a key in quotes is wanted" },
	{ "{} {}", "not JSON at line 1, column 4: text behind the value" },
	{ "{\n\"in\" : {]\n", "in: not JSON at line 2, column 9: a key in quotes is wanted" },
	{ "{\"text\":1}", "text: wrong type, a string is wanted" },
	{ "{\"text\":}", "text: not JSON at line 1, column 9: a value is wanted" },
	{ "{\"text\":nul}", "text: not JSON at line 1, column 9: a value is wanted" },
	{ "{\"text\" \"a\"}", "not JSON at line 1, column 9: \":\" is wanted" },
	{ "{\"text\":\"a\" \"x\":1}", "not JSON at line 1, column 13: \",\" or \"}\" is wanted" },
	{ "{\"text\":\"a", "text: not JSON at line 1, column 11: a string has no end" },
	{ "{\"text\":\"a\\", "text: not JSON at line 1, column 11: a malformed escape" },
	{ "{\"text\":\"a\\x\"}", "text: not JSON at line 1, column 11: a malformed escape" },
	{ "{\"text\":\"\\u12g4\"}", "text: not JSON" },
	{ "{\"text\":\"\\ud800\"}", "text: not JSON" },
	{ "{\"text\":\"\\ud800\\u0041\"}", "text: not JSON" },
	{ "{\"text\":\"\\udc00\"}", "text: not JSON" },
	{ "{\"text\":\"a\nb\"}", "text: not JSON at line 1, column 11: a control character in a string" },
	{ "{\"text\":\"a\\u0000b\"}", "text: a string holds a NUL" },
	{ "{\"a\\u0000b\":1}", "a string holds a NUL" },
	{ "{\"yes\":\"true\"}", "yes: wrong type, true or false is wanted" },
	{ "{\"small\":2147483648}", "small: 2147483648 is out of range" },
	{ "{\"num\":9223372036854775808}", "num: 9223372036854775808 is out of range" },
	{ "{\"num\":-9223372036854775809}", "num: -9223372036854775809 is out of range" },
	{ "{\"num\":1.5}", "num: 1.5: a whole number is wanted" },
	{ "{\"num\":1e3}", "num: 1e3: a whole number is wanted" },
	{ "{\"num\":01}", "num: not JSON" },
	{ "{\"num\":+1}", "num: not JSON" },
	{ "{\"num\":-}", "num: not JSON" },
	{ "{\"num\":1.}", "num: not JSON" },
	{ "{\"num\":1e}", "num: not JSON" },
	{ "{\"num\":NaN}", "num: not JSON" },
	{ "{\"in\":{\"big\":-1}}", "in.big: -1 is out of range" },
	{ "{\"in\":{\"big\":18446744073709551616}}", "in.big: 18446744073709551616 is out of range" },
	{ "{\"in\":[]}", "in: wrong type, an object is wanted" },
	{ "{\"list\":{}}", "list: wrong type, an array is wanted" },
	{ "{\"list\":[\"a\",1]}", "list[1]: wrong type, a string is wanted" },
	{ "{\"list\":[\"a\",]}", "list[1]: not JSON" },
	{ "{\"map\":{\"a=b\":\"c\"}}", "map[\"a=b\"]: \"=\" in a key" },
	{ "{\"map\":{\"a.b\":1}}", "map[\"a.b\"]: wrong type, a string is wanted" },
	{ "{\"map\":[]}", "map: wrong type, an object is wanted" },
	{ "{\"colour\":\"blue\"}", "colour: unknown value \"blue\"" },
	{ "{\"many\":[{},{\"big\":\"\"}]}", "many[1].big: wrong type, a number is wanted" },
	{ "{\"many\":[1]}", "many[0]: wrong type, an object is wanted" },
	{ "{\"id\":4294967296}", "id: 4294967296 is out of range" },
	{ "{\"limit\":true}", "limit: wrong type, a number is wanted" },
	{ "{\"groups\":[1,{}]}", "groups[1]: wrong type, a number is wanted" },
	{ "{\"raw\":[1,}", "raw[1]: not JSON" },
	{ "{\"devices\":{\"a\":{\"handles\":[]}}}", "devices.a.handles: wrong type" },
	{ "{\"devices\":{\"a\":1}}", "devices.a: wrong type" },
	{ "{\"part\":{}}", "part.yes: missing" },
	{ "{\"part\":{\"yes\":null}}", "part.yes: missing" },
	{ "{\"part\":{\"yes\":true,\"x\":1}}", "part.x: unknown key" },
	{ "{\"text\":\"a\",}", "not JSON" },
	{ "{'text':'a'}", "not JSON" },
	{ "{/**/}", "not JSON" },
	{ "nul", "not JSON" },
};

static void bad_input_is_refused_by_its_place_and_leaves_nothing(void **state)
{
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct err e = { 0 };
		struct outer o = { 0 };

		assert_true(json_parse(&outer_table, bad[i].text, strlen(bad[i].text), 0, &o, &e) < 0);
		if (strncmp(e.msg, bad[i].message, strlen(bad[i].message)) != 0)
			fail_msg("%s\n gives %s\n not   %s", bad[i].text, e.msg, bad[i].message);
		assert_null(o.text);
	}
}

static void escapes_become_the_characters_they_name(void **state)
{
	struct outer o;

	assert_int_equal(
		parse("{\"text\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0041\\u00e9\\u20AC\\ud83d\\ude00\"}", 0, &o),
		0);
	assert_string_equal(o.text, "\"\\/\b\f\n\r\tA\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80");
	json_done(&outer_table, &o);
	assert_int_equal(parse("{\"te\\u0078t\":\"a\",\"yes\":null,\"num\":null,\"part\":null}", 0, &o), 0);
	assert_string_equal(o.text, "a");
	assert_false(o.has_part);
	json_done(&outer_table, &o);
}

static void only_utf8_is_accepted_when_asked_for(void **state)
{
	static const char *const good[] = { "\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80", "\xed\x9f\xbf",
					    "\xf4\x8f\xbf\xbf" };
	static const char *const broken[] = { "\x80",
					      "\xc1\x80",
					      "\xc2",
					      "\xc2g",
					      "\xe0\x9f\xbf",
					      "\xed\xa0\x80",
					      "\xf0\x8f\xbf\xbf",
					      "\xf4\x90\x80\x80",
					      "\xf5\x80\x80\x80",
					      "\xff",
					      "\xe2\x82" };
	char text[64];
	struct outer o;

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		snprintf(text, sizeof(text), "{\"text\":\"%s\"}", good[i]);
		assert_int_equal(parse(text, JSON_UTF8, &o), 0);
		assert_string_equal(o.text, good[i]);
		json_done(&outer_table, &o);
	}
	for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
		snprintf(text, sizeof(text), "{\"text\":\"%s\"}", broken[i]);
		assert_int_equal(parse(text, JSON_UTF8, &o), -EINVAL);
		assert_int_equal(parse(text, 0, &o), 0);
		assert_string_equal(o.text, broken[i]);
		json_done(&outer_table, &o);
	}
}

static void an_unknown_key_is_refused_only_when_strict(void **state)
{
	struct outer o;

	assert_int_equal(parse("{\"other\":1}", JSON_STRICT, &o), -EINVAL);
	assert_int_equal(parse("{\"other\":1}", 0, &o), 0);
	json_done(&outer_table, &o);
}

static void assert_twice(const char *text, const char *message)
{
	struct err e = { 0 };
	struct outer o = { 0 };

	assert_int_equal(json_parse(&outer_table, text, strlen(text), JSON_UNIQUE, &o, &e), -EINVAL);
	assert_string_equal(e.msg, message);
}

static void a_key_given_twice_is_refused_when_unique(void **state)
{
	struct outer o;

	assert_int_equal(parse("{\"text\":\"a\",\"text\":\"b\"}", 0, &o), 0);
	assert_string_equal(o.text, "b");
	json_done(&outer_table, &o);
	assert_int_equal(parse("{\"text\":\"a\",\"t\\u0065xt\":\"b\"}", JSON_UNIQUE, &o), -EINVAL);
	assert_twice("{\"in\":{\"x\":0},\"list\":[],\"in\":{}}", "in: given twice");
	assert_twice("{\"raw\":[0,{\"a b\":{},\"a b\":1}]}", "raw[1][\"a b\"]: given twice");
	assert_twice("{\"map\":{\"1\":\"\",\"2\":\"\",\"3\":\"\",\"4\":\"\",\"5\":\"\",\"6\":\"\",\"7\":\"\","
		     "\"8\":\"\",\"9\":\"\","
		     "\"a\":\"\",\"b\":\"\",\"c\":\"\",\"d\":\"\",\"e\":\"\",\"f\":\"\",\"g\":\"\",\"h\":"
		     "\"\",\"3\":\"\"}}",
		     "map.3: given twice");
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
		cmocka_unit_test(bad_input_is_refused_by_its_place_and_leaves_nothing),
		cmocka_unit_test(escapes_become_the_characters_they_name),
		cmocka_unit_test(only_utf8_is_accepted_when_asked_for),
		cmocka_unit_test(an_unknown_key_is_refused_only_when_strict),
		cmocka_unit_test(a_key_given_twice_is_refused_when_unique),
		cmocka_unit_test(deep_nesting_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
