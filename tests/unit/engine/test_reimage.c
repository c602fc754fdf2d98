/* test_reimage.c - an instance with another image: what was given stays, what the image said is what the new one says */
#include "../cm.h"

#include "base/auto.h"
#include "engine/reimage.h"

static struct image image_of(const char *config)
{
	AUTO(buf_done) struct buf text = { 0 };
	struct image im = { 0 };
	struct err e = { 0 };

	buf_addf(&text, "{\"os\":\"linux\",\"config\":%s,\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[]}}",
		 config);
	assert_int_equal(json_parse(&image_config_table, text.data, text.len, JSON_STRICT, &im.config, &e),
			 0);
	im.id = strdup("sha256:new");
	return im;
}

/* A process, as JSON, under the old image and the new one. */
static void expect(const char *was, const char *is, const char *spec, const char *want)
{
	struct image from = image_of(was), to = image_of(is);
	AUTO(buf_done) struct buf got = { 0 };
	struct instance_spec s = { 0 }, ret = { 0 };
	struct err e = { 0 };

	assert_int_equal(json_parse(&instance_spec_table, spec, strlen(spec), JSON_STRICT, &s, &e), 0);
	assert_int_equal(reimage_spec(&s, &from, &to, "app:2", &ret, &e), 0);
	assert_string_equal(ret.image, "app:2");
	assert_string_equal(ret.image_id, "sha256:new");
	assert_int_equal(json_print(&process_table, &ret.process, 0, &got), 0);
	if (!strstr(got.data, want))
		fail_msg("%s has no %s", got.data, want);
	json_done(&instance_spec_table, &s);
	json_done(&instance_spec_table, &ret);
	image_done(&from);
	image_done(&to);
}

static void the_command_of_the_image_is_that_of_the_new_one(void **state)
{
	expect("{\"Cmd\":[\"a\"]}", "{\"Cmd\":[\"b\"]}", "{\"process\":{\"args\":[\"a\"]}}",
	       "\"args\":[\"b\"]");
	expect("{\"Cmd\":[\"a\"]}", "{\"Cmd\":[\"b\"]}", "{\"process\":{\"args\":[\"mine\"]}}",
	       "\"args\":[\"mine\"]");
	expect("{\"Entrypoint\":[\"e\"],\"Cmd\":[\"a\"]}", "{\"Entrypoint\":[\"f\",\"g\"],\"Cmd\":[\"b\"]}",
	       "{\"entrypointWords\":1,\"process\":{\"args\":[\"e\",\"mine\"]}}",
	       "\"args\":[\"f\",\"g\",\"mine\"]");
	expect("{\"Entrypoint\":[\"e\"]}", "{\"Entrypoint\":[\"f\"]}",
	       "{\"entrypointWords\":1,\"process\":{\"args\":[\"mine\"]}}", "\"args\":[\"mine\"]");
}

static void variables_that_were_given_stay(void **state)
{
	expect("{\"Cmd\":[\"a\"],\"Env\":[\"A=1\",\"B=1\"]}", "{\"Cmd\":[\"a\"],\"Env\":[\"A=2\",\"C=2\"]}",
	       "{\"process\":{\"args\":[\"a\"],\"env\":[\"PATH=/x\",\"A=1\",\"B=1\",\"D=mine\"]}}",
	       "\"A=2\",\"C=2\",\"D=mine\"]");
	expect("{\"Cmd\":[\"a\"],\"Env\":[\"A=1\"]}", "{\"Cmd\":[\"a\"],\"Env\":[\"A=2\"]}",
	       "{\"process\":{\"args\":[\"a\"],\"env\":[\"A=mine\"]}}", "\"A=mine\"]");
}

static void user_and_directory_are_those_of_the_new_image_unless_they_were_given(void **state)
{
	expect("{\"Cmd\":[\"a\"],\"User\":\"u\",\"WorkingDir\":\"/w\"}",
	       "{\"Cmd\":[\"a\"],\"User\":\"v\",\"WorkingDir\":\"/x\"}",
	       "{\"process\":{\"args\":[\"a\"],\"user\":\"u\",\"cwd\":\"/w\"}}", "\"user\":\"v\"");
	expect("{\"Cmd\":[\"a\"],\"User\":\"u\"}", "{\"Cmd\":[\"a\"],\"User\":\"v\"}",
	       "{\"process\":{\"args\":[\"a\"],\"user\":\"mine\",\"cwd\":\"/\"}}", "\"user\":\"mine\"");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_command_of_the_image_is_that_of_the_new_one),
		cmocka_unit_test(variables_that_were_given_stay),
		cmocka_unit_test(user_and_directory_are_those_of_the_new_image_unless_they_were_given),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
