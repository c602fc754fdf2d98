/* test_log_details.c - which labels and variables go with a log, and what a tag becomes */
#include "../cm.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "base/auto.h"
#include "instance/log_details.h"

#define T(text) (char *)(uintptr_t)(text) /* borrowed: only read */

static void make_spec(struct instance_spec *s)
{
	*s = (struct instance_spec){
		.id = T("a4593a3e50ea81affd42e62327d2a4593a3e50ea81affd42e62327d2aaaabbbb"),
		.name = T("web"),
		.image = T("img"),
		.image_id = T("sha256:d722eb8799ef"),
	};
	assert_int_equal(strv_split(&s->labels, "a=1;c.d=e,f;com.example.x=y;empty=;X=label", ";"), 0);
	assert_int_equal(strv_split(&s->process.env, "PATH=/bin;X=y z;Ya=1", ";"), 0);
}

static void drop_spec(struct instance_spec *s)
{
	strv_done(&s->labels);
	strv_done(&s->process.env);
}

/* What dockerd 20.10 prints of the same. */
static void what_is_asked_for_is_said_sorted_and_escaped(void **state)
{
	static const struct {
		const char *labels, *labels_regex, *env, *env_regex, *tag, *expect;
	} rows[] = {
		{ NULL, NULL, NULL, NULL, NULL, "" },
		{ "a,b,nope", "^c\\.", "X,PATH", "^Y", "{{.Name}}/{{.ID}}/{{.ImageName}}",
		  "PATH=%2Fbin,X=y+z,Ya=1,a=1,c.d=e%2Cf,tag=web%2Fa4593a3e50ea%2Fimg" },
		{ "X", NULL, NULL, NULL, NULL, "X=label" },
		{ "X", NULL, "X", NULL, NULL, "X=y+z" }, /* one key, one value: the variable's */
		{ NULL, "example", NULL, NULL, NULL, "com.example.x=y" },
		{ NULL, "=y", NULL, NULL, NULL, "" }, /* of keys, not of values */
		{ "empty", NULL, NULL, NULL, NULL, "empty=" },
		{ "", NULL, ",", NULL, "", "" },
		{ "tag,a", NULL, NULL, NULL, "t", "a=1,tag=t" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct instance_spec s;
		AUTO(buf_done) struct buf out = { 0 };

		make_spec(&s);
		s.log = (struct log_spec){ .labels = T(rows[i].labels),
					   .labels_regex = T(rows[i].labels_regex),
					   .env = T(rows[i].env),
					   .env_regex = T(rows[i].env_regex),
					   .tag = T(rows[i].tag) };
		assert_int_equal(log_details_print(&s, &out), 0);
		assert_string_equal(out.data ? out.data : "", rows[i].expect);
		drop_spec(&s);
	}
}

static void a_tag_has_words_in_it(void **state)
{
	static const struct {
		const char *tag, *expect, *bad; /* bad NULL: it is right */
	} rows[] = {
		{ "plain", "plain", NULL },
		{ "{{.ID}}", "a4593a3e50ea", NULL },
		{ "<{{ .Name }}{{.ImageName}}>", "<webimg>", NULL },
		{ "{{.ImageID}} {{.ImageFullID}} {{.DaemonName}}", "sha256:d722e sha256:d722eb8799ef ketch",
		  NULL },
		{ "{{.FullID}}", "a4593a3e50ea81affd42e62327d2a4593a3e50ea81affd42e62327d2aaaabbbb", NULL },
		{ "}} {.Name}", "}} {.Name}", NULL },
		{ "x{{.Nope}}y{{.Name}}", "x{{.Nope}}yweb", "{{.Nope}}y{{.Name}}" },
		{ "{{", "{{", "{{" },
		{ "{{.Name", "{{.Name", "{{.Name" },
		{ "{{}}", "{{}}", "{{}}" },
		{ "{{ {{.Name}}", "{{ {{.Name}}", "{{ {{.Name}}" },
	};
	struct instance_spec s;

	make_spec(&s);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		autofree char *got = log_tag_expand(&s, rows[i].tag);
		const char *bad = NULL;

		assert_string_equal(got, rows[i].expect);
		assert_int_equal(log_tag_check(rows[i].tag, &bad), rows[i].bad ? -EINVAL : 0);
		if (rows[i].bad)
			assert_string_equal(bad, rows[i].bad);
	}
	drop_spec(&s);
}

static void an_expression_is_checked(void **state)
{
	assert_int_equal(log_regex_check("^com\\.(a|b)"), 0);
	assert_int_equal(log_regex_check("("), -EINVAL);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_asked_for_is_said_sorted_and_escaped),
		cmocka_unit_test(a_tag_has_words_in_it),
		cmocka_unit_test(an_expression_is_checked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
