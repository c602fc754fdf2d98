/* test_format.c - templates give what Go's text/template gives (expected.json), and refuse what it refuses */
#include "../cm.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "base/auto.h"
#include "base/io.h"
#include "format/format.h"

#define MAX_FILE (16U << 20)

static struct json_value load(const char *path)
{
	AUTO(buf_done) struct buf text = { 0 };
	struct json_value v;
	struct err e = { 0 };

	if (read_file(AT_FDCWD, path, MAX_FILE, &text) < 0)
		fail_msg("%s: cannot be read", path);
	if (json_tree_parse(text.data, text.len, &v, &e) < 0)
		fail_msg("%s: %s", path, e.msg);
	return v;
}

static int expand(const char *template, int flags, const struct json_value *v, struct buf *out, struct err *e)
{
	struct format *f;
	int r = format_parse(template, flags, &f, e);

	if (r < 0)
		return r;
	r = format_run(f, v, out, e);
	format_free(f);
	return r;
}

/* Where Go prints that a verb does not fit ("%!d(string=x)"), we refuse. */
static bool agrees(const char *template, const struct json_member *expected, const struct json_value *data)
{
	const char *wanted = expected ? expected->value.string : NULL;
	AUTO(buf_done) struct buf out = { 0 };
	struct err e = { 0 };
	int r = expand(template, 0, data, &out, &e);
	const char *got = r < 0 ? NULL : out.data ? out.data : "";

	if (wanted && strstr(wanted, "%!"))
		wanted = NULL;
	if (got && wanted ? !strcmp(got, wanted) : !got && !wanted)
		return true;
	print_error("template: %s\n  wanted: %s\n     got: %s\n", template, wanted ? wanted : "an error",
		    got ? got : e.msg);
	return false;
}

static const char *dir; /* of the data */
static const char *more; /* a file like expected.json, or NULL */

static void templates_give_what_go_gives(void **state)
{
	autofree char *data_path = str_printf("%s/data.json", dir),
		      *path = str_printf("%s/expected.json", dir);
	AUTO(json_tree_done) struct json_value data = load(data_path);
	AUTO(json_tree_done) struct json_value expected = load(more ? more : path);
	size_t bad = 0;

	assert_int_equal(expected.kind, JSON_ARRAY);
	assert_true(expected.n > 100);
	for (size_t i = 0; i < expected.n; i++) {
		const struct json_value *one = &expected.items[i];

		bad += !agrees(json_tree_find(one, "template")->value.string, json_tree_find(one, "output"),
			       &data);
	}
	assert_int_equal(bad, 0);
}

struct word_case {
	const char *template, *words;
};

static const struct json_value *small(void)
{
	static struct json_value v;
	static const char text[] =
		"{\"Names\":\"x\",\"Labels\":{\"com.example.a-b\":\"1\"},\"None\":null,\"timeNano\":7}";
	struct err e;

	if (v.kind == JSON_NULL)
		assert_int_equal(json_tree_parse(text, sizeof(text) - 1, &v, &e), 0);
	return &v;
}

static void fields_are_found_in_gos_letters(void **state)
{
	static const char text[] =
		"{\"Id\":\"i\",\"HostConfig\":{\"NanoCpus\":2,\"Nanocpus\":1,\"lower\":3}}";
	static const struct word_case cases[] = {
		{ "{{.ID}} {{.HostConfig.NanoCPUs}} {{.HostConfig.Nanocpus}}", "i 2 1" },
		{ "{{.HostConfig.Lower}}", NULL }, /* a key of a map is what it is */
		{ "{{.hostconfig}}", NULL },
	};
	AUTO(json_tree_done) struct json_value v = { 0 };
	struct err e = { 0 };

	assert_int_equal(json_tree_parse(text, sizeof(text) - 1, &v, &e), 0);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		AUTO(buf_done) struct buf out = { 0 };
		int r = expand(cases[i].template, 0, &v, &out, &e);

		assert_int_equal(r < 0, !cases[i].words);
		if (cases[i].words)
			assert_string_equal(out.data, cases[i].words);
	}
}

static void a_record_is_printed_as_a_struct(void **state)
{
	static const char text[] = "{\"P\":{\"Name\":\"no\",\"Count\":0,\"Config\":{\"a\":\"b\"}}}";
	AUTO(json_tree_done) struct json_value v = { 0 };
	AUTO(buf_done) struct buf out = { 0 };
	struct err e = { 0 };

	assert_int_equal(json_tree_parse(text, sizeof(text) - 1, &v, &e), 0);
	json_tree_find(&v, "P")->value.record = true;
	assert_int_equal(expand("{{.P}} {{.P.Name}}", 0, &v, &out, &e), 0);
	assert_string_equal(out.data, "{no 0 map[a:b]} no");
}

static void an_error_says_where_and_what(void **state)
{
	static const struct word_case cases[] = {
		{ "{{.Name}}",
		  "template parsing error: template: :1:2: no field .Name (did you mean .Names?)" },
		{ "a\n  {{.Qqqq}}", "template parsing error: template: :2:4: no field .Qqqq" },
		{ "{{.qqqq}}", "template parsing error: template: :1:2: no field .qqqq" },
		{ "{{.Labels.Qqqq}}", "template parsing error: template: :1:2: no field .Qqqq" },
		{ "{{.Names.x}}", "template parsing error: template: :1:2: no field .x in a string" },
		{ "{{uper .Names}}", "template parsing error: template: :1:2: function \"uper\" not defined "
				     "(did you mean upper?)" },
		{ "{{.Names", "template parsing error: template: :1:8: unclosed action" },
		{ "{{if .Names}}",
		  "template parsing error: template: :1:2: unexpected EOF: {{end}} is missing" },
		{ "{{len 3}}", "template parsing error: template: :1:2: len: a number has no length" },
		{ "{{printf \"%d\" .Names}}",
		  "template parsing error: template: :1:2: printf: %d does not print a string" },
		{ "{{join .Names}}", "template parsing error: template: :1:2: wrong number of arguments for "
				     "join: want 2, got 1" },
		{ "{{template \"x\"}}",
		  "template parsing error: template: :1:2: template \"x\" not defined" },
		{ "{{define \"x\"}}", "template parsing error: template: :1:2: unexpected EOF: {{end}} is "
				      "missing" },
		{ "{{break}}", "template parsing error: template: :1:2: {{break}} outside {{range}}" },
		{ "{{define \"x\"}}{{template \"x\"}}{{end}}{{template \"x\"}}",
		  "template parsing error: template: :1:16: more than 100 templates or 200 variables inside "
		  "one another" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		AUTO(buf_done) struct buf out = { 0 };
		struct err e = { 0 };

		assert_int_equal(expand(cases[i].template, 0, small(), &out, &e), -EINVAL);
		assert_string_equal(e.msg, cases[i].words);
		assert_int_equal(out.len, 0);
	}
}

static void check(const char *template, int flags, const char *wanted)
{
	AUTO(buf_done) struct buf out = { 0 };
	struct err e = { 0 };

	if (expand(template, flags, small(), &out, &e) < 0)
		fail_msg("%s: %s", template, e.msg);
	assert_string_equal(out.data ? out.data : "", wanted);
}

static void what_is_ours_differs_from_go(void **state)
{
	check("{{index .Labels \"nope\"}}|", 0, "|");
	check("{{.Labels \"com.example.a-b\"}}", 0, "1");
	check("{{.Labels \"nope\"}}|{{\"com.example.a-b\" | .Labels}}", 0, "|1");
	check("{{len .None}}", 0, "0");
	check("{{.TimeNano}} {{.timeNano}}", 0, "7 7");
	check("{{.Labels.nope}}{{.Labels.nope.more}}{{if .Labels.nope}}x{{end}}", 0, "<no value><no value>");
}

static void escapes_are_taken_in_text_alone(void **state)
{
	check("a\\tb\\n{{\"\\t\"}}\\x\\", FORMAT_ESCAPES, "a\tb\n\t\\x\\");
	check("a\\tb\\n", 0, "a\\tb\\n");
}

static void headings_are_left_as_they_are(void **state)
{
	static const char text[] = "{{lower .Names}}\t{{json .Names}}\t{{.Names \"com.example.a-b\"}}";
	struct json_value heading = { .kind = JSON_STRING, .string = (char[]){ "NAMES" } };
	struct json_member member = { .key = (char[]){ "Names" }, .value = heading };
	struct json_value headings = { .kind = JSON_OBJECT, .n = 1, .members = &member };
	AUTO(buf_done) struct buf out = { 0 };
	struct err e = { 0 };
	struct format *f;

	assert_int_equal(format_parse(text, 0, &f, &e), 0);
	assert_int_equal(format_run_headings(f, &headings, &out, &e), 0);
	assert_string_equal(out.data, "NAMES\tNAMES\tA B");
	format_free(f);
}

static void hidden_members_are_seen_only_by_name(void **state)
{
	struct err e = { 0 };
	AUTO(buf_done) struct buf out = { 0 };
	AUTO(json_tree_done) struct json_value v = { 0 };

	assert_int_equal(json_tree_parse("{\"a\":1,\"b\":2}", 13, &v, &e), 0);
	json_tree_find(&v, "a")->hidden = true;
	assert_int_equal(
		expand("{{json .}}{{.}}{{len .}}{{range $k, $v := .}}{{$k}}{{end}}{{.a}}", 0, &v, &out, &e),
		0);
	assert_string_equal(out.data, "{\"b\":2}map[b:2]1b1");
}

/* --- limits */

static void add_times(struct buf *b, const char *s, size_t n)
{
	while (n--)
		buf_adds(b, s);
}

static void check_refused(const struct buf *template, const char *words)
{
	AUTO(buf_done) struct buf out = { 0 };
	struct err e = { 0 };

	assert_true(expand(template->data, 0, small(), &out, &e) < 0);
	if (!strstr(e.msg, words))
		fail_msg("\"%s\" is not in: %s", words, e.msg);
	assert_int_equal(out.len, 0);
}

static void depth_has_a_limit(void **state)
{
	AUTO(buf_done) struct buf b = { 0 }, p = { 0 };

	add_times(&b, "{{if 1}}", 100000 / 8 / 2);
	check_refused(&b, "more than 50 levels");
	buf_adds(&p, "{{");
	add_times(&p, "(", 60000);
	check_refused(&p, "more than 50 levels");
}

static void length_has_a_limit(void **state)
{
	AUTO(buf_done) struct buf b = { 0 };

	add_times(&b, "x", 65537);
	check_refused(&b, "more than 65536 bytes");
}

static void steps_output_and_memory_have_limits(void **state)
{
	AUTO(buf_done) struct buf ranges = { 0 }, doubles = { 0 }, wide = { 0 };

	buf_adds(&ranges, "{{$x := split \"");
	add_times(&ranges, "a", 1000);
	buf_adds(&ranges, "\" \"\"}}{{range $x}}{{range $x}}{{range $x}}{{end}}{{end}}{{end}}");
	check_refused(&ranges, "more than 1000000 steps");
	buf_adds(&doubles, "{{$x := \"aaaaaaaaaaaaaaaa\"}}");
	add_times(&doubles, "{{$x = print $x $x}}", 60);
	check_refused(&doubles, "");
	buf_adds(&wide, "{{$x := split \"");
	add_times(&wide, "a", 1000);
	buf_adds(&wide, "\" \"\"}}{{range $x}}{{range $x}}");
	add_times(&wide, " ", 1000);
	buf_adds(&wide, "{{end}}{{end}}");
	check_refused(&wide, "bytes of output");
}

int main(int argc, char **argv)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(templates_give_what_go_gives),
		cmocka_unit_test(fields_are_found_in_gos_letters),
		cmocka_unit_test(a_record_is_printed_as_a_struct),
		cmocka_unit_test(an_error_says_where_and_what),
		cmocka_unit_test(what_is_ours_differs_from_go),
		cmocka_unit_test(escapes_are_taken_in_text_alone),
		cmocka_unit_test(headings_are_left_as_they_are),
		cmocka_unit_test(hidden_members_are_seen_only_by_name),
		cmocka_unit_test(depth_has_a_limit),
		cmocka_unit_test(length_has_a_limit),
		cmocka_unit_test(steps_output_and_memory_have_limits),
	};

	if (argc < 2) {
		fprintf(stderr, "usage: %s DATA_DIR [EXPECTED]\n", argv[0]);
		return 2;
	}
	dir = argv[1];
	more = argv[2];
	return cmocka_run_group_tests(tests, NULL, NULL);
}
