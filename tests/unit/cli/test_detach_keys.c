/* test_detach_keys.c - the sequence is found however it is typed, and everything else is passed on */
#include "../cm.h"

#include <errno.h>

#include "cli/detach_keys.h"

static void the_words_are_dockers(void **state)
{
	static const struct {
		const char *text, *keys;
		size_t n;
	} good[] = {
		{ NULL, "\x10\x11", 2 },
		{ "ctrl-p,ctrl-q", "\x10\x11", 2 },
		{ "", "", 0 },
		{ "a", "a", 1 },
		{ "ctrl-@,ctrl-_", "\0\x1f", 2 },
		{ "ctrl-[,~", "\x1b~", 2 },
		{ "CTRL-A,DEL", "\x01\x7f", 2 },
	};
	static const char *const bad[] = { "ab", "ctrl-",    "ctrl-1", "ctrl-ab",
					   "a,", "\xc3\xa4", ",",      "a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q" };

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		struct detach_keys k = { 0 };
		struct err e = { 0 };

		assert_int_equal(detach_keys_parse(good[i].text, &k, &e), 0);
		assert_int_equal(k.n, good[i].n);
		assert_memory_equal(k.keys, good[i].keys, k.n);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct detach_keys k = { 0 };
		struct err e = { 0 };

		assert_int_equal(detach_keys_parse(bad[i], &k, &e), -EINVAL);
		assert_non_null(strstr(e.msg, "detach"));
	}
}

/* One byte at a time, and all at once. */
static void typed(const char *keys, const char *in, const char *want, bool want_found)
{
	for (size_t step = 1; step <= strlen(in); step += strlen(in) > 1 ? strlen(in) - 1 : 1) {
		struct detach_keys k = { 0 };
		char out[64], got[256] = "";
		bool found = false;
		size_t n;

		assert_int_equal(detach_keys_parse(keys, &k, NULL), 0);
		for (size_t at = 0; at < strlen(in) && !found; at += step) {
			size_t left = strlen(in) - at;

			found = detach_keys_feed(&k, in + at, left < step ? left : step, out, &n);
			strncat(got, out, n);
		}
		assert_int_equal(found, want_found);
		assert_string_equal(got, want);
	}
}

static void what_is_not_the_sequence_is_passed_on(void **state)
{
	typed("a,b", "xaby", "x", true);
	typed("a,b", "axb", "axb", false);
	typed("a,b", "aab", "a", true);
	typed("a,b", "xa", "x", false); /* may still become it */
	typed("a,a,b", "aaab", "a", true);
	typed("a,b,a,c", "ababac", "ab", true);
	typed("a", "xay", "x", true);
	typed("", "a\x10\x11", "a\x10\x11", false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_words_are_dockers),
		cmocka_unit_test(what_is_not_the_sequence_is_passed_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
