/* test_sha256.c - FIPS 180-4's examples, and both ways of doing a block */
#include "../cm.h"

#include <stdio.h>
#include <string.h>

#include "base/auto.h"
#include "base/sha256.h"
#include "base/sha256_int.h"

static const struct {
	const char *text, *digest;
} cases[] = {
	{ "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
	{ "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
	{ "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
	  "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1" },
};

static void the_standards_examples_come_out(void **state)
{
	char hex[SHA256_HEX];

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		sha256_hex(cases[i].text, strlen(cases[i].text), hex);
		assert_string_equal(hex, cases[i].digest);
	}
}

static void pieces_count_as_the_whole(void **state)
{
	static char text[1000];
	uint8_t whole[SHA256_BYTES], pieces[SHA256_BYTES];
	struct sha256 s;

	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = (char)(i * 7);
	sha256_init(&s);
	sha256_add(&s, text, sizeof(text));
	sha256_end(&s, whole);
	sha256_init(&s);
	for (size_t i = 0, n; i < sizeof(text); i += n) {
		n = i % 130 + 1 < sizeof(text) - i ? i % 130 + 1 : sizeof(text) - i;
		sha256_add(&s, text + i, n);
	}
	sha256_end(&s, pieces);
	assert_memory_equal(whole, pieces, SHA256_BYTES);
}

static void the_processors_instructions_agree_with_c(void **state)
{
	uint32_t a[8] = { 1, 2, 3, 4, 5, 6, 7, 8 }, b[8];
	uint8_t block[64];

	if (!sha256_ni_works()) {
		print_message("skipped: this processor has no SHA-NI\n");
		skip();
	}
	memcpy(b, a, sizeof(b));
	for (unsigned i = 0; i < 500; i++) {
		for (unsigned j = 0; j < sizeof(block); j++)
			block[j] = (uint8_t)(a[j % 8] >> j % 25);
		sha256_ni_compress(a, block);
		sha256_portable_compress(b, block);
		assert_memory_equal(a, b, sizeof(a));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_standards_examples_come_out),
		cmocka_unit_test(pieces_count_as_the_whole),
		cmocka_unit_test(the_processors_instructions_agree_with_c),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
