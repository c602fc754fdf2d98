/* test_guest.c - the config of a guest: what is well-formed is taken, anything else refused whole */
#include <linux/filter.h>
#include <stdlib.h>

#include "../cm.h"
#include "base/auto.h"
#include "instance/guest.h"

#define SPEC "\"spec\":{\"id\":\"ab\",\"name\":\"n\""

static int parse(const char *text)
{
	struct guest_config c = { 0 };
	struct err e = { 0 };
	int r = guest_config_parse(text, strlen(text), &c, &e);

	if (r < 0)
		assert_true(e.msg[0]);
	json_done(&guest_config_table, &c);
	return r;
}

static void a_config_with_a_filter_is_taken(void **state)
{
	static const char text[] = "{" SPEC "},\"seccomp\":\"0600000000000050\"}";
	struct guest_config c = { 0 };
	struct err e = { 0 };
	size_t n = 0;
	struct sock_filter *f;

	assert_int_equal(guest_config_parse(text, strlen(text), &c, &e), 0);
	f = guest_config_filter(&c, &n);
	assert_non_null(f);
	assert_int_equal(n, sizeof(*f));
	assert_int_equal(f->code, BPF_RET | BPF_K);
	free(f);
	json_done(&guest_config_table, &c);
}

static void malformed_configs_are_refused(void **state)
{
	static const char *const texts[] = {
		"",
		"{}",
		"[]",
		"{\"spec\":{\"id\":\"ab\"}}",
		"{" SPEC "},\"unknown\":1}",
		"{" SPEC "},\"seccomp\":\"\"}",
		"{" SPEC "},\"seccomp\":\"06\"}",
		"{" SPEC ",\"mounts\":[{\"type\":\"bind\"}]}}",
		"{" SPEC ",\"mounts\":[{\"type\":\"bind\",\"target\":\"data\"}]}}",
		"{" SPEC "}} trailing",
	};

	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		if (parse(texts[i]) >= 0)
			fail_msg("taken: %s", texts[i]);
	assert_int_equal(parse("{" SPEC "}}"), 0);
}

static void a_filter_that_is_not_hexadecimal_gives_no_bytes(void **state)
{
	struct guest_config c = { .seccomp = (char[]){ "zz00000000000050" } };
	size_t n;

	assert_null(guest_config_filter(&c, &n));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_config_with_a_filter_is_taken),
		cmocka_unit_test(malformed_configs_are_refused),
		cmocka_unit_test(a_filter_that_is_not_hexadecimal_gives_no_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
