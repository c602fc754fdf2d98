/* test_gpg.c - only what one key of the keyring has signed, all of it and nothing else, is taken from gpgv
 *
 * gpg/ has messages of gpg 2.2: `good` and `other` are signed by a and b, `both` by both, `unsigned` is a message (another)
 * without signature, `detached` a signature of what `good` says, and the others are these, one behind the other.
 */
#include "../cm.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/io.h"
#include "image/gpg.h"

static void read_one(const char *name, struct buf *ret)
{
	if (read_file(AT_FDCWD, name, 1 << 20, ret) < 0)
		fail_msg("cannot read %s", name);
}

static void is_judged(const char *key, const char *message, const char *want)
{
	struct buf keys = { 0 }, keyring = { 0 }, text = { 0 }, out = { 0 };
	struct err e = { 0 };
	int r;

	read_one(key, &keys);
	read_one(message, &text);
	assert_int_equal(gpg_add_key(&keyring, keys.data, keys.len, &e), 0);
	r = gpg_verify(&keyring, &text, &out, &e);
	if (r < 0 && e.no == ENOENT) {
		print_message("%s\n", e.msg);
		skip();
	}
	assert_string_equal(r < 0 ? e.msg : out.data, want);
	assert_true(r == 0 || (r == -EPERM && out.len == 0));
	buf_done(&keys);
	buf_done(&keyring);
	buf_done(&text);
	buf_done(&out);
}

#define KEY(name)     GPG_DIR "/" name ".key"
#define MESSAGE(name) GPG_DIR "/" name ".pgp"

static void what_a_key_has_signed_is_given_out(void **state)
{
	is_judged(KEY("a"), MESSAGE("good"), "image\n");
	is_judged(KEY("two"), MESSAGE("good"), "image\n");
	is_judged(KEY("two"), MESSAGE("other"), "image\n");
}

static void other_keys_and_several_do_not_count(void **state)
{
	is_judged(KEY("a"), MESSAGE("other"), "it is signed by another key");
	is_judged(KEY("a"), MESSAGE("both"), "it is signed by another key");
	is_judged(KEY("two"), MESSAGE("both"), "it is no message with one signature");
}

static void what_was_put_together_does_not_count(void **state)
{
	is_judged(KEY("a"), MESSAGE("unsigned"), "it is no OpenPGP signature");
	is_judged(KEY("a"), MESSAGE("before"), "its signature is wrong");
	is_judged(KEY("a"), MESSAGE("behind"), "it is no message with one signature");
	is_judged(KEY("a"), MESSAGE("wrong"), "its signature is wrong");
	is_judged(KEY("a"), MESSAGE("detached"), "it is no message with one signature");
	is_judged(KEY("a"), KEY("a"), "it is no message with one signature");
	is_judged(KEY("a"), MESSAGE("junk"), "it is no OpenPGP signature");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_a_key_has_signed_is_given_out),
		cmocka_unit_test(other_keys_and_several_do_not_count),
		cmocka_unit_test(what_was_put_together_does_not_count),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
