/* test_kconfig.c - which wanted options a configuration has otherwise */
#include <errno.h>

#include "../cm.h"
#include "base/auto.h"
#include "base/buf.h"
#include "kernel/embedded.h"
#include "kernel/kconfig.h"

/* The lost ones, each with a blank behind it. */
static char *lost(const char *wanted, const char *config)
{
	AUTO(strv_done) struct strv s = { 0 };
	struct buf b = { 0 };

	assert_int_equal(kconfig_lost(wanted, config, &s, NULL), 0);
	for (size_t i = 0; i < s.n; i++)
		buf_addf(&b, "%s ", s.v[i]);
	return buf_take(&b);
}

static void what_is_otherwise_is_named(void **state)
{
	static const struct {
		const char *wanted, *config, *lost;
	} cases[] = {
		{ "", "", "" },
		{ "CONFIG_A=y\n", "CONFIG_A=y\n", "" },
		{ "CONFIG_A=y", "CONFIG_A=y", "" },
		{ "CONFIG_A=y\n", "", "A=y " },
		{ "CONFIG_A=y\n", "# CONFIG_A is not set\n", "A=y " },
		{ "CONFIG_A=y\n", "CONFIG_AB=y\nCONFIG_B=y\n", "A=y " },
		{ "CONFIG_AB=y\n", "CONFIG_A=y\n", "AB=y " },
		{ "CONFIG_A=y\n", "CONFIG_A=m\n", "A=y " },
		{ "CONFIG_A=y\n", "CONFIG_A=yes\n", "A=y " },
		{ "CONFIG_N=32\nCONFIG_S=\"-x y\"\n", "CONFIG_S=\"-x y\"\nCONFIG_N=33\n", "N=32 " },
		{ "CONFIG_S=\"\"\n", "CONFIG_S=\"x\"\n", "S=\"\" " },
		{ "# CONFIG_A is not set\n", "", "" },
		{ "# CONFIG_A is not set\n", "# CONFIG_A is not set\n", "" },
		{ "# CONFIG_A is not set\n", "CONFIG_A=y\n", "A=n " },
		{ "CONFIG_A=n\n", "CONFIG_A=y\n", "A=n " },
		{ "# words\n#\n# CONFIG_A is not settled\nCONFIG_B=y\n", "CONFIG_A=y\nCONFIG_B=y\n", "" },
		{ "# optional\nCONFIG_A=y\nCONFIG_B=y\n\nCONFIG_C=y\n", "", "C=y " },
		{ "# optional, but not quite\nCONFIG_A=y\n", "", "A=y " },
		{ "CONFIG_A=y\nCONFIG_B=y\n# CONFIG_C is not set\n", "CONFIG_C=y\n", "A=y B=y C=n " },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		autofree char *got = lost(cases[i].wanted, cases[i].config);

		assert_string_equal(got, cases[i].lost);
	}
}

static void what_is_no_option_is_refused(void **state)
{
	static const char *const bad[] = { "A=y\n",	  "CONFIG_A\n",	   "CONFIG_=y\n",     "CONFIG_A =y\n",
					   "CONFIG_A=\n", " CONFIG_A=y\n", "CONFIG_A=y\nx\n", "CONFIG_" };

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		AUTO(strv_done) struct strv s = { 0 };
		struct err e = { 0 };

		assert_int_equal(kconfig_lost(bad[i], "CONFIG_A=y\n", &s, &e), -EINVAL);
		assert_non_null(strstr(e.msg, "no option of a kernel"));
	}
}

static void our_own_options_can_be_read_and_name_none_twice(void **state)
{
	AUTO(strv_done) struct strv s = { 0 };
	autofree char *same = lost(embedded_kconfig, embedded_kconfig);

	assert_string_equal(same, "");
	assert_int_equal(kconfig_lost(embedded_kconfig, "", &s, NULL), 0);
	assert_true(s.n > 100);
	for (size_t i = 1; i < s.n; i++)
		for (size_t j = 0; j < i; j++)
			assert_string_not_equal(s.v[i], s.v[j]);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_otherwise_is_named),
		cmocka_unit_test(what_is_no_option_is_refused),
		cmocka_unit_test(our_own_options_can_be_read_and_name_none_twice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
