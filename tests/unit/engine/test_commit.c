/* test_commit.c - the config of an image that is made of an instance */
#include "../cm.h"

#include <signal.h>

#include "base/auto.h"
#include "engine/engine.h"

/* From the image's config and a spec, both as JSON: the config of the new image. */
static struct image_config commit(const char *image, const char *spec)
{
	AUTO(buf_done) struct buf text = { 0 };
	struct image_config im = { 0 }, ret = { 0 };
	struct instance_spec s = { 0 };
	struct err e = { 0 };

	buf_addf(&text, "{\"os\":\"linux\",\"config\":%s}", image);
	assert_int_equal(json_parse(&image_config_table, text.data, text.len, JSON_STRICT, &im, &e), 0);
	assert_int_equal(json_parse(&instance_spec_table, spec, strlen(spec), JSON_STRICT, &s, &e), 0);
	if (!s.stop_signal)
		s.stop_signal = SIGTERM;
	assert_int_equal(engine_commit_config(&s, &im, &ret, &e), 0);
	json_done(&image_config_table, &im);
	json_done(&instance_spec_table, &s);
	return ret;
}

static void expect(const char *image, const char *spec, const char *want)
{
	AUTO(buf_done) struct buf got = { 0 };
	struct image_config c = commit(image, spec);

	assert_int_equal(json_print(&image_run_config_table, &c.config, 0, &got), 0);
	assert_string_equal(got.data, want);
	json_done(&image_config_table, &c);
}

static void the_command_of_the_instance_becomes_that_of_the_image(void **state)
{
	expect("{\"Cmd\":[\"sh\"]}", "{\"process\":{\"args\":[\"ls\",\"/\"]}}", "{\"Cmd\":[\"ls\",\"/\"]}");
	expect("{\"Entrypoint\":[\"a\",\"b\"],\"Cmd\":[\"c\"]}",
	       "{\"entrypointWords\":2,\"process\":{\"args\":[\"a\",\"b\",\"x\"]}}",
	       "{\"Entrypoint\":[\"a\",\"b\"],\"Cmd\":[\"x\"]}");
	/* --entrypoint z */
	expect("{\"Entrypoint\":[\"a\"],\"Cmd\":[\"c\"]}",
	       "{\"entrypointWords\":1,\"process\":{\"args\":[\"z\",\"c\"]}}",
	       "{\"Entrypoint\":[\"z\"],\"Cmd\":[\"c\"]}");
}

#define PATH "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

static void what_every_instance_is_given_is_not_in_the_image(void **state)
{
	expect("{}",
	       "{\"hostname\":\"h\",\"process\":{\"args\":[\"a\"],\"terminal\":true,"
	       "\"env\":[\"" PATH "\",\"HOSTNAME=h\",\"TERM=xterm\",\"A=1\"]}}",
	       "{\"Env\":[\"A=1\"],\"Cmd\":[\"a\"]}");
	expect("{\"Env\":[\"" PATH "\",\"TERM=dumb\"]}",
	       "{\"hostname\":\"h\",\"process\":{\"args\":[\"a\"],"
	       "\"env\":[\"" PATH "\",\"HOSTNAME=other\",\"TERM=xterm\"]}}",
	       "{\"Env\":[\"" PATH "\",\"HOSTNAME=other\",\"TERM=xterm\"],\"Cmd\":[\"a\"]}");
}

static void the_rest_is_of_the_image_but_for_what_run_was_told(void **state)
{
	expect("{\"User\":\"u\",\"WorkingDir\":\"/w\",\"ExposedPorts\":{\"80/tcp\":{}},\"Volumes\":{\"/"
	       "v\":{}},"
	       "\"Labels\":{\"a\":\"1\"},\"StopSignal\":\"SIGQUIT\"}",
	       "{\"process\":{\"args\":[\"a\"],\"user\":\"n\",\"cwd\":\"/"
	       "x\"},\"labels\":{\"a\":\"2\",\"b\":\"3\"},"
	       "\"stopSignal\":10}",
	       "{\"User\":\"n\",\"ExposedPorts\":{\"80/tcp\":{}},\"Cmd\":[\"a\"],\"Volumes\":{\"/v\":{}},"
	       "\"WorkingDir\":\"/x\",\"Labels\":{\"a\":\"2\",\"b\":\"3\"},\"StopSignal\":\"SIGUSR1\"}");
	expect("{}", "{\"process\":{\"args\":[\"a\"],\"cwd\":\"/\"}}", "{\"Cmd\":[\"a\"]}");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_command_of_the_instance_becomes_that_of_the_image),
		cmocka_unit_test(what_every_instance_is_given_is_not_in_the_image),
		cmocka_unit_test(the_rest_is_of_the_image_but_for_what_run_was_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
