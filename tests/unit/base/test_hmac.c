/* test_hmac.c - HMAC-SHA256 against RFC 4231, as far as its keys have our length after padding with zeroes */
#include "../cm.h"

#include <string.h>

#include "base/hmac.h"
#include "base/parse.h"

/* A key shorter than a block is padded with zeroes: those of the RFC that fit into ours are the same key. */
static const struct {
	const char *key, *data, *mac;
	size_t n_key;
} cases[] = {
	{ "\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b", "Hi There",
	  "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7", 20 },
	{ "Jefe", "what do ya want for nothing?",
	  "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843", 4 },
};

static void known_answers(void **state)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint8_t key[HMAC_KEY_BYTES] = { 0 }, mac[SHA256_BYTES];
		char hex[SHA256_HEX];
		struct hmac h;

		memcpy(key, cases[i].key, cases[i].n_key);
		hmac_init(&h, key);
		/* in two pieces */
		hmac_add(&h, cases[i].data, 3);
		hmac_add(&h, cases[i].data + 3, strlen(cases[i].data) - 3);
		hmac_end(&h, mac);
		hex_encode(mac, sizeof(mac), hex);
		assert_string_equal(hex, cases[i].mac);
	}
}

static void any_bit_makes_a_difference(void **state)
{
	uint8_t a[SHA256_BYTES] = { 0 }, b[SHA256_BYTES] = { 0 };

	assert_false(hmac_differ(a, b));
	for (unsigned bit = 0; bit < 8 * sizeof(b); bit++) {
		b[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_true(hmac_differ(a, b));
		b[bit / 8] = 0;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known_answers),
		cmocka_unit_test(any_bit_makes_a_difference),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
