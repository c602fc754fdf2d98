/* test_gpg_key.c - keys with and without armour become one keyring */
#include "../cm.h"

#include <string.h>

#include "image/gpg.h"

#define BEGIN "-----BEGIN PGP PUBLIC KEY BLOCK-----\n"
#define END   "-----END PGP PUBLIC KEY BLOCK-----\n"

static void is_keyring(const char *text, const char *want)
{
	struct buf keyring = { 0 };
	struct err e = { 0 };

	if (gpg_add_key(&keyring, text, strlen(text), &e) < 0)
		fail_msg("%s", e.msg);
	assert_string_equal(keyring.data, want);
	buf_done(&keyring);
}

static void armour_is_taken_off(void **state)
{
	is_keyring("\x99 as it is", "\x99 as it is");
	is_keyring("pub: words\n" BEGIN "\n"
		   "YWJj\nZGVm\n=abcd\n" END,
		   "abcdef");
	is_keyring(BEGIN "Version: x\nComment: y\n\nYWJj\n" END, "abc");
	is_keyring("-----BEGIN PGP PUBLIC KEY BLOCK-----\r\n\r\nYWJj\r\n=abcd\r\n" END, "abc");
	is_keyring(BEGIN "\nYWJj\n=abcd\n" END "\n" BEGIN "\nZGVm\n" END, "abcdef");
}

static void what_is_no_key_is_refused(void **state)
{
	static const char *const cases[] = { "",
					     "text",
					     BEGIN,
					     BEGIN END,
					     BEGIN "YWJj\n" END,
					     BEGIN "\nYWJj\n",
					     BEGIN "\n!!!!\n" END,
					     BEGIN "\n" END,
					     "-----BEGIN PUBLIC KEY-----\n\nYWJj\n" };

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct buf keyring = { 0 };
		struct err e = { 0 };

		if (gpg_add_key(&keyring, cases[i], strlen(cases[i]), &e) == 0)
			fail_msg("taken: %s", cases[i]);
		assert_string_equal(e.msg, "it is no OpenPGP key");
		buf_done(&keyring);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(armour_is_taken_off),
		cmocka_unit_test(what_is_no_key_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
