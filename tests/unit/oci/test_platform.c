/* test_platform.c - which of several images is for a machine */
#include "../cm.h"

#include "base/auto.h"
#include "oci/platform.h"

#define S(x) ((char[]){ x })
#define MAN(os, arch, var)                                                                                   \
	{                                                                                                    \
		.media_type = S("application/vnd.oci.image.manifest.v1+json"), .platform = { arch, os, var } \
	}

static void the_best_that_runs_is_chosen(void **state)
{
	const struct descriptor list[] = {
		MAN(S("unknown"), S("unknown"), NULL), MAN(S("linux"), S("arm"), S("v6")),
		MAN(S("linux"), S("arm"), S("v7")),    MAN(S("linux"), S("arm64"), S("v8")),
		MAN(S("windows"), S("amd64"), NULL),   MAN(S("linux"), S("amd64"), S("v3")),
		MAN(S("linux"), S("amd64"), NULL),     { .media_type = S("text/plain") },
	};
	static const struct {
		const char *want;
		int index;
	} rows[] = {
		{ "linux/amd64", 6 }, { "linux/x86_64", 6 },   { "amd64", 6 },	      { "linux/amd64/v3", 5 },
		{ "linux/arm", 2 },   { "linux/arm/v7", 2 },   { "linux/arm/v6", 1 }, { "linux/arm/v5", -1 },
		{ "armhf", 2 },	      { "linux/arm64/v8", 3 }, { "aarch64", 3 },      { "linux/s390x", -1 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		AUTO(platform_want_done) struct platform_want w = { 0 };
		const struct descriptor *d;
		struct err e = { 0 };

		assert_int_equal(platform_parse(rows[i].want, &w, &e), 0);
		d = platform_choose(&w, list, ARRAY_LEN(list));
		assert_int_equal(d ? d - list : -1, rows[i].index);
	}
}

static void one_that_says_nothing_is_the_last_choice(void **state)
{
	const struct descriptor list[] = { MAN(NULL, NULL, NULL), MAN(S("linux"), S("arm64"), NULL) };
	AUTO(platform_want_done) struct platform_want arm = { 0 }, riscv = { 0 };
	struct err e = { 0 };

	assert_int_equal(platform_parse("linux/arm64", &arm, &e), 0);
	assert_int_equal(platform_parse("linux/riscv64", &riscv, &e), 0);
	assert_ptr_equal(platform_choose(&arm, list, 2), &list[1]);
	assert_ptr_equal(platform_choose(&riscv, list, 2), &list[0]);
}

static void what_is_no_platform_is_refused(void **state)
{
	static const char *const wrong[] = { "windows/amd64",  "linux/", "linux/arm/",
					     "linux/arm/v7/x", "a b",	 "/amd64" };

	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		AUTO(platform_want_done) struct platform_want w = { 0 };
		struct err e = { 0 };

		assert_true(platform_parse(wrong[i], &w, &e) < 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_best_that_runs_is_chosen),
		cmocka_unit_test(one_that_says_nothing_is_the_last_choice),
		cmocka_unit_test(what_is_no_platform_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
