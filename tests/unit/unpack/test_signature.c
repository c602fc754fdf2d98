/* test_signature.c - what GPG has signed is for this image, under this name, and nothing else (containers-signature(5)) */
#include "../cm.h"

#include <string.h>

#include "base/buf.h"
#include "unpack/signature.h"

#define HEX   "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define IMAGE "\"image\":{\"docker-manifest-digest\":\"sha256:" HEX "\"}"
#define NAMED "\"identity\":{\"docker-reference\":\"h.example/x:1\"}"
#define TYPE  "\"type\":\"atomic container signature\""
#define ALL   "{\"critical\":{" TYPE "," IMAGE "," NAMED "},\"optional\":{\"creator\":\"c 1\",\"timestamp\":1}}"

static int check(const char *text, const char *reference, bool repository, struct err *e)
{
	char name[64];
	const struct job_signer signer = { .gpg = true,
					   .reference = strcpy(name, reference),
					   .repository = repository };
	struct digest d;

	assert_int_equal(digest_parse("sha256:" HEX, &d), 0);
	return signature_check_gpg(text, strlen(text), &signer, &d, e);
}

static void the_right_one_is_taken(void **state)
{
	struct err e = { 0 };

	assert_int_equal(check(ALL, "h.example/x:1", false, &e), 0);
	assert_int_equal(check(ALL, "h.example/x", true, &e), 0);
	assert_int_equal(check("{\"optional\":{},\"critical\":{" NAMED "," TYPE "," IMAGE "}}",
			       "h.example/x:1", false, &e),
			 0);
}

static void another_name_is_refused(void **state)
{
	static const struct {
		const char *reference;
		bool repository;
	} cases[] = { { "h.example/x:2", false }, { "h.example/x", false }, { "h.example/", true },
		      { "h.example/x:1", true },  { "h.example", true },    { "i.example/x:1", false } };

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct err e = { 0 };

		assert_true(check(ALL, cases[i].reference, cases[i].repository, &e) < 0);
		assert_non_null(strstr(e.msg, "it is signed as h.example/x:1, not as "));
	}
}

static void what_says_more_less_or_something_else_is_refused(void **state)
{
	static const char *const cases[] = {
		"",
		"{}",
		"[]",
		"{\"critical\":{" TYPE "," IMAGE "," NAMED "}}",
		"{\"critical\":{" TYPE "," IMAGE "},\"optional\":{}}",
		"{\"critical\":{" TYPE "," NAMED "},\"optional\":{}}",
		"{\"critical\":{" IMAGE "," NAMED "},\"optional\":{}}",
		"{\"critical\":{" TYPE "," IMAGE "," NAMED ",\"x\":1},\"optional\":{}}",
		"{\"critical\":{" TYPE "," IMAGE "," NAMED "},\"optional\":{},\"x\":1}",
		"{\"critical\":{" TYPE "," IMAGE "," NAMED "," NAMED "},\"optional\":{}}",
		"{\"critical\":{\"type\":\"cosign container image signature\"," IMAGE "," NAMED
		"},\"optional\":{}}",
		"{\"critical\":{" TYPE ",\"image\":{\"docker-manifest-digest\":\"sha256:b" HEX "\"}," NAMED
		"},\"optional\":{}}",
		"{\"critical\":{" TYPE ",\"image\":{\"docker-manifest-digest\":\"sha512:" HEX "\"}," NAMED
		"},\"optional\":{}}",
		"{\"critical\":{" TYPE ",\"image\":{}," NAMED "},\"optional\":{}}",
		"{\"critical\":{" TYPE "," IMAGE
		",\"identity\":{\"docker-reference\":null}},\"optional\":{}}",
		ALL "x",
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct err e = { 0 };

		if (check(cases[i], "h.example/x:1", false, &e) == 0)
			fail_msg("taken: %s", cases[i]);
		assert_int_not_equal(*e.msg, '\0');
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_right_one_is_taken),
		cmocka_unit_test(another_name_is_refused),
		cmocka_unit_test(what_says_more_less_or_something_else_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
