/* test_verity.c - the fs-verity digest of a file, against what `fsverity digest` (package fsverity) says; CRC32C */
#include "../cm.h"

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/crc32c.h"
#include "base/io.h"
#include "base/parse.h"
#include "base/verity.h"

#define DATA_BYTES 12288

/* The file: byte i is 7 i + i / 4096 up to DATA_BYTES, then zeros. */
static const struct {
	uint64_t bytes;
	const char *digest;
} cases[] = {
	{ 8192, "870c5a8845344e284913be24101260588059e053bc58a58aa1fb4072b4d486f2" },
	{ 528384,
	  "6cacd60e9ce558604ce68e32c180af18b91064e40b87c42401dfef5349120126" }, /* one level is just full */
	{ 1048576, "3226a3fd9cd696110f5d2fd4757205929f433a634cab3b78e9b4c4419753f059" },
	{ 70000640,
	  "a1ffbfc2b768ce87879f70e9bbe2f24066f44db75b2caa218f06cb14d50ddf27" }, /* three, a broken block */
};

static void fill(unsigned char data[DATA_BYTES])
{
	for (size_t i = 0; i < DATA_BYTES; i++)
		data[i] = (unsigned char)(i * 7 + i / 4096);
}

static void expect(const uint8_t is[SHA256_BYTES], const char *want)
{
	char hex[SHA256_HEX];

	hex_encode(is, SHA256_BYTES, hex);
	assert_string_equal(hex, want);
}

static void a_stream_has_the_digest_of_the_file(void **state)
{
	static struct verity v;
	unsigned char data[DATA_BYTES];
	uint8_t digest[SHA256_BYTES];

	fill(data);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		uint64_t n = cases[i].bytes < DATA_BYTES ? cases[i].bytes : DATA_BYTES;

		for (size_t piece = 1; piece <= DATA_BYTES; piece = piece * 3 + 1) {
			verity_init(&v);
			for (uint64_t at = VERITY_BLOCK; at < n; at += piece)
				verity_add(&v, data + at, n - at < piece ? n - at : piece);
			verity_add(&v, NULL, (cases[i].bytes - n) / 2);
			verity_add(&v, NULL, (cases[i].bytes - n) - (cases[i].bytes - n) / 2);
			verity_end(&v, data, digest);
			expect(digest, cases[i].digest);
		}
	}
}

static void a_file_is_read_whole(void **state)
{
	autoclose int fd = memfd_create("file", MFD_CLOEXEC);
	unsigned char data[DATA_BYTES];
	uint8_t digest[SHA256_BYTES];

	fill(data);
	assert_int_equal(pwrite_full(fd, data, 8192, 0), 0);
	assert_int_equal(verity_of_file(fd, digest), 0);
	expect(digest, cases[0].digest);
	assert_int_equal(ftruncate(fd, 100), 0);
	assert_int_equal(verity_of_file(fd, digest), -EINVAL);
}

static void crc32c_is_that_of_rfc_3720(void **state)
{
	assert_int_equal(~crc32c(~0U, "123456789", 9), 0xe3069283U);
	assert_int_equal(~crc32c(crc32c(~0U, "1234", 4), "56789", 5), 0xe3069283U);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_stream_has_the_digest_of_the_file),
		cmocka_unit_test(a_file_is_read_whole),
		cmocka_unit_test(crc32c_is_that_of_rfc_3720),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
