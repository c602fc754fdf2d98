/* test_plan.c - plans against the golden texts: tests/golden/NAME.json {"spec", "facts"} -> NAME.plan
 *
 * test_plan DIR; with KETCH_GOLDEN=write the texts are written anew, to be looked at in the diff.
 */
#include "../cm.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/auto.h"
#include "base/io.h"
#include "container/container.h"

static const char *golden_dir;

struct golden {
	struct instance_spec spec;
	struct host_facts facts;
};

static const struct jfield golden_fields[] = {
	JO(struct golden, spec, "spec", &instance_spec_table),
	JO(struct golden, facts, "facts", &host_facts_table),
	{ 0 },
};
static const struct jtable golden_table = { sizeof(struct golden), golden_fields };

/* The plan as text, or "error: ...". */
static void make_plan(const char *path, struct buf *ret)
{
	AUTO(buf_done) struct buf text = { 0 };
	struct golden g = { 0 };
	struct plan p = { 0 };
	struct err e = { 0 };

	assert_int_equal(read_file(AT_FDCWD, path, 1 << 20, &text), 0);
	if (json_parse(&golden_table, text.data, text.len, JSON_STRICT, &g, &e) < 0)
		fail_msg("%s: %s", path, e.msg);
	if (container_backend.plan(&g.spec, &g.facts, &p, &e) == 0)
		plan_print(&p, ret);
	else
		buf_addf(ret, "error: %s\n", e.msg);
	plan_done(&p);
	json_done(&golden_table, &g);
}

static void check_one(const char *json)
{
	autofree char *plan = str_printf("%.*s.plan", (int)strlen(json) - 5, json);
	AUTO(buf_done) struct buf want = { 0 }, got = { 0 };

	make_plan(json, &got);
	if (getenv("KETCH_GOLDEN")) {
		assert_int_equal(write_file_atomic(AT_FDCWD, plan, 0644, got.data, got.len), 0);
		return;
	}
	if (read_file(AT_FDCWD, plan, 1 << 20, &want) < 0)
		fail_msg("%s is missing", plan);
	if (strcmp(want.data, got.data))
		fail_msg("%s is not what is planned now:\n%s", plan, got.data);
}

static void every_plan_is_the_golden_one(void **state)
{
	autofree char *pattern = str_printf("%s/*.json", golden_dir);
	glob_t g;

	assert_int_equal(glob(pattern, 0, NULL, &g), 0);
	assert_true(g.gl_pathc >= 10);
	for (size_t i = 0; i < g.gl_pathc; i++)
		check_one(g.gl_pathv[i]);
	globfree(&g);
}

static void a_plan_that_cannot_be_names_the_flag(void **state)
{
	static const struct {
		const char *spec, *text;
	} rows[] = {
		{ "{\"id\":\"a\",\"layers\":[\"x\"],\"process\":{}}", "no command" },
		{ "{\"id\":\"A\",\"layers\":[\"x\"],\"process\":{\"args\":[\"a\"]}}", "valid id" },
		{ "{\"id\":\"../x\",\"layers\":[\"x\"],\"process\":{\"args\":[\"a\"]}}", "valid id" },
		{ "{\"id\":\"a\",\"process\":{\"args\":[\"a\"]}}", "no layers" },
		{ "{\"id\":\"a\",\"layers\":[\"x\"],\"process\":{\"args\":[\"a\"]},\"resources\":{\"memory\":"
		  "1}}",
		  "--memory" },
		{ "{\"id\":\"a\",\"layers\":[\"x\"],\"process\":{\"args\":[\"a\"]},\"resources\":{"
		  "\"milliCpus\":1}}",
		  "--cpus" },
		{ "{\"id\":\"a\",\"layers\":[\"x\"],\"process\":{\"args\":[\"a\"]},\"userns\":true,"
		  "\"privileged\":true}",
		  "--userns" },
		{ "{\"id\":\"a\",\"layers\":[\"x\"],\"process\":{\"args\":[\"a\"]},\"hostname\":\"a\\nb\"}",
		  "--hostname" },
		{ "{\"id\":\"a\",\"layers\":[\"x\"],\"process\":{\"args\":[\"a\"]},\"mounts\":[{\"type\":"
		  "\"bind\",\"target\":\"/\"}]}",
		  "cannot mount on \"/\"" },
		{ "{\"id\":\"a\",\"layers\":[\"x\"],\"process\":{\"args\":[\"a\"]},\"mounts\":[{\"type\":"
		  "\"bind\",\"target\":\"a\"}]}",
		  "cannot mount on \"a\"" },
		{ "{\"id\":\"a\",\"layers\":[\"x\"],\"process\":{\"args\":[\"a\"]},\"mounts\":[{\"type\":"
		  "\"tmpfs\",\"target\":\"/a\","
		  "\"options\":\"size=1m,huge=always\"}]}",
		  "unknown option \"huge=always\"" },
		{ "{\"id\":\"a\",\"layers\":[\"x\"],\"process\":{\"args\":[\"a\"]},\"mounts\":[{\"type\":"
		  "\"tmpfs\",\"target\":\"/a\","
		  "\"options\":\"size=\"}]}",
		  "unknown option \"size=\"" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct host_facts none = { 0 };
		struct instance_spec s = { 0 };
		struct plan p = { 0 };
		struct err e = { 0 };

		assert_int_equal(json_parse(&instance_spec_table, rows[i].spec, strlen(rows[i].spec),
					    JSON_STRICT, &s, &e),
				 0);
		assert_true(container_backend.plan(&s, &none, &p, &e) < 0);
		if (!strstr(e.msg, rows[i].text))
			fail_msg("%s: %s", rows[i].spec, e.msg);
		plan_done(&p);
		json_done(&instance_spec_table, &s);
	}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_plan_is_the_golden_one),
		cmocka_unit_test(a_plan_that_cannot_be_names_the_flag),
	};

	golden_dir = argc > 1 ? argv[1] : "tests/golden";
	return cmocka_run_group_tests(tests, NULL, NULL);
}
