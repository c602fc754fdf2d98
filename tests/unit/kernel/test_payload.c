/* test_payload.c - unpacking kernels: each packing there and back, and everything crooked refused */
#include <errno.h>
#include <lzma.h>
#include <stdbool.h>
#include <zlib.h>
#include <zstd.h>

#include "../cm.h"
#include "base/auto.h"
#include "kernel/payload.h"

#define PLAIN_BYTES  50000
#define SHORT_BYTES  200 /* unpacked once for each byte that is cut or damaged */
#define PACKED_BYTES (PLAIN_BYTES + 1000)
/* Enough for what is packed here: each of thousands of decoders takes so much memory. */
#define DICTIONARY_BYTES (64 << 10)

static void fill(uint8_t *p, size_t n)
{
	uint32_t x = 1;

	/* some of it repeats, some does not, some looks like calls: what the x86 filter of xz changes */
	for (size_t i = 0; i < n; i++) {
		x = x * 1664525 + 1013904223;
		p[i] = i % 64 < 16 ? (uint8_t)(x >> 24) : i % 5 ? 0 : 0xe8;
	}
}

static size_t pack_gzip(const uint8_t *in, size_t n, uint8_t *out)
{
	z_stream z = { 0 };

	assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY), Z_OK);
	z.next_in = (Bytef *)(uintptr_t)in;
	z.avail_in = (uInt)n;
	z.next_out = out;
	z.avail_out = PACKED_BYTES;
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	deflateEnd(&z);
	return z.total_out;
}

/* As scripts/xz_wrap.sh of Linux has it for x86. */
static size_t pack_xz(const uint8_t *in, size_t n, uint8_t *out)
{
	lzma_options_lzma lzma;
	lzma_filter filters[] = { { .id = LZMA_FILTER_X86 },
				  { .id = LZMA_FILTER_LZMA2, .options = &lzma },
				  { .id = LZMA_VLI_UNKNOWN } };
	size_t at = 0;

	assert_false(lzma_lzma_preset(&lzma, 6));
	lzma.dict_size = DICTIONARY_BYTES;
	assert_int_equal(
		lzma_stream_buffer_encode(filters, LZMA_CHECK_CRC32, NULL, in, n, out, &at, PACKED_BYTES),
		LZMA_OK);
	return at;
}

static size_t pack_lzma(const uint8_t *in, size_t n, uint8_t *out)
{
	lzma_stream s = LZMA_STREAM_INIT;
	lzma_options_lzma lzma;

	assert_false(lzma_lzma_preset(&lzma, 9));
	lzma.dict_size = DICTIONARY_BYTES;
	assert_int_equal(lzma_alone_encoder(&s, &lzma), LZMA_OK);
	s.next_in = in;
	s.avail_in = n;
	s.next_out = out;
	s.avail_out = PACKED_BYTES;
	assert_int_equal(lzma_code(&s, LZMA_FINISH), LZMA_STREAM_END);
	lzma_end(&s);
	return s.total_out;
}

static size_t pack_zstd(const uint8_t *in, size_t n, uint8_t *out)
{
	size_t packed = ZSTD_compress(out, PACKED_BYTES, in, n, 19);

	assert_false(ZSTD_isError(packed));
	return packed;
}

/* The legacy frame with one block of nothing but literals. */
static size_t pack_lz4(const uint8_t *in, size_t n, uint8_t *out)
{
	uint8_t *p = out + 8;
	uint32_t length;

	memcpy(out, "\x02\x21\x4c\x18", 4);
	*p++ = 0xf0;
	for (length = (uint32_t)n - 15; length >= 255; length -= 255)
		*p++ = 255;
	*p++ = (uint8_t)length;
	memcpy(p, in, n);
	p += n;
	length = (uint32_t)(p - out - 8);
	memcpy(out + 4, &length, 4);
	return (size_t)(p - out);
}

static const struct packer {
	const char *name;
	size_t (*pack)(const uint8_t *in, size_t n, uint8_t *out);
	bool size_behind;
} packers[] = {
	{ "LZ4", pack_lz4, true },   { "gzip", pack_gzip, false }, { "xz", pack_xz, true },
	{ "zstd", pack_zstd, true }, { "LZMA", pack_lzma, true },
};

/* A payload as in a kernel; *ret_n its length, freed by the caller. */
static uint8_t *make(const struct packer *p, const uint8_t *plain, uint32_t n, size_t *ret_n)
{
	uint8_t *out = malloc(PACKED_BYTES + 4);

	*ret_n = p->pack(plain, n, out);
	if (p->size_behind) {
		memcpy(out + *ret_n, &n, 4);
		*ret_n += 4;
	}
	return out;
}

/* From a copy of just the size into room of just the size: what reaches beyond is found by the sanitizer. */
static int unpack(const void *data, size_t n, size_t out_n, const void *expected)
{
	autofree void *copy = malloc(n), *out = malloc(out_n + !out_n);
	const struct packing *p;
	int r;

	memcpy(copy, data, n);
	p = payload_packing(data);
	r = p ? payload_unpack(p, copy, n, out, out_n) : -EOPNOTSUPP;
	if (r == 0 && expected)
		assert_memory_equal(out, expected, out_n);
	return r;
}

static void each_packing_is_known_and_unpacked(void **state)
{
	autofree uint8_t *plain = malloc(PLAIN_BYTES);

	fill(plain, PLAIN_BYTES);
	for (size_t i = 0; i < ARRAY_LEN(packers); i++) {
		size_t n;
		autofree uint8_t *data = make(&packers[i], plain, PLAIN_BYTES, &n);

		assert_non_null(payload_packing(data));
		assert_string_equal(packing_name(payload_packing(data)), packers[i].name);
		assert_int_equal(payload_unpacked_bytes(data, n), PLAIN_BYTES);
		assert_int_equal(unpack(data, n, PLAIN_BYTES, plain), 0);
	}
}

static void it_must_fill_its_room_exactly(void **state)
{
	autofree uint8_t *plain = malloc(PLAIN_BYTES);

	fill(plain, PLAIN_BYTES);
	for (size_t i = 0; i < ARRAY_LEN(packers); i++) {
		size_t n;
		autofree uint8_t *data = make(&packers[i], plain, PLAIN_BYTES, &n);

		assert_int_equal(unpack(data, n, PLAIN_BYTES - 1, NULL), -EINVAL);
		assert_int_equal(unpack(data, n, PLAIN_BYTES + 1, NULL), -EINVAL);
		assert_int_equal(unpack(data, n, 1, NULL), -EINVAL);
		assert_int_equal(unpack(data, n, 0, NULL), -EINVAL);
	}
}

static void it_is_refused_wherever_it_ends(void **state)
{
	autofree uint8_t *plain = malloc(PLAIN_BYTES);

	fill(plain, SHORT_BYTES);
	for (size_t i = 0; i < ARRAY_LEN(packers); i++) {
		size_t whole;
		autofree uint8_t *data = make(&packers[i], plain, SHORT_BYTES, &whole);

		for (size_t n = PAYLOAD_MAGIC_BYTES; n < whole; n++)
			assert_int_equal(unpack(data, n, SHORT_BYTES, NULL), -EINVAL);
		assert_int_equal(unpack(data, whole, SHORT_BYTES, plain), 0);
	}
}

static void what_follows_the_stream_is_refused(void **state)
{
	autofree uint8_t *plain = malloc(PLAIN_BYTES);

	fill(plain, SHORT_BYTES);
	for (size_t i = 0; i < ARRAY_LEN(packers); i++) {
		size_t n;
		autofree uint8_t *data = make(&packers[i], plain, SHORT_BYTES, &n);

		memset(data + n, 0, 4);
		assert_int_equal(unpack(data, n + 4, SHORT_BYTES, NULL), -EINVAL);
	}
}

static void a_damaged_byte_is_found_or_harmless(void **state)
{
	autofree uint8_t *plain = malloc(PLAIN_BYTES);

	fill(plain, SHORT_BYTES);
	for (size_t i = 0; i < ARRAY_LEN(packers); i++) {
		size_t n;
		autofree uint8_t *data = make(&packers[i], plain, SHORT_BYTES, &n);

		for (size_t at = 0; at < n; at++) {
			data[at] ^= 0x55;
			unpack(data, n, SHORT_BYTES, NULL);
			data[at] ^= 0x55;
		}
		assert_int_equal(unpack(data, n, SHORT_BYTES, plain), 0);
	}
}

/* A GiB of zeros, packed to a MiB, that says it has 4 KiB. */
static void a_bomb_ends_where_its_room_ends(void **state)
{
	const size_t max = 2u << 20;
	autofree uint8_t *out = malloc(max), *zeros = calloc(1, 1 << 20), *room = malloc(4096);
	z_stream z = { 0 };

	assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY), Z_OK);
	z.next_out = out;
	z.avail_out = (uInt)max;
	for (int i = 0; i < 1024; i++) {
		z.next_in = zeros;
		z.avail_in = 1 << 20;
		assert_int_equal(deflate(&z, i == 1023 ? Z_FINISH : Z_NO_FLUSH),
				 i == 1023 ? Z_STREAM_END : Z_OK);
	}
	deflateEnd(&z);
	assert_int_equal(payload_unpacked_bytes(out, z.total_out), 0); /* 1 GiB is too much to be said, too */
	assert_int_equal(payload_unpack(payload_packing(out), out, z.total_out, room, 4096), -EINVAL);
}

static void a_size_out_of_bounds_is_none(void **state)
{
	static const struct {
		uint32_t says;
		size_t size;
	} cases[] = {
		{ 0, 0 },
		{ 1, 1 },
		{ PAYLOAD_UNPACKED_MAX, PAYLOAD_UNPACKED_MAX },
		{ PAYLOAD_UNPACKED_MAX + 1, 0 },
		{ UINT32_MAX, 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		assert_int_equal(payload_unpacked_bytes(&cases[i].says, 4), cases[i].size);
	assert_int_equal(payload_unpacked_bytes("\1\1\1", 3), 0);
}

static void another_packing_is_unknown(void **state)
{
	static const char others[][5] = { "BZh9", "\x89LZO", "\177ELF", "MZ", "\x04\x22\x4d\x18" };

	for (size_t i = 0; i < ARRAY_LEN(others); i++)
		assert_null(payload_packing(others[i]));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_packing_is_known_and_unpacked),
		cmocka_unit_test(it_must_fill_its_room_exactly),
		cmocka_unit_test(it_is_refused_wherever_it_ends),
		cmocka_unit_test(what_follows_the_stream_is_refused),
		cmocka_unit_test(a_damaged_byte_is_found_or_harmless),
		cmocka_unit_test(a_bomb_ends_where_its_room_ends),
		cmocka_unit_test(a_size_out_of_bounds_is_none),
		cmocka_unit_test(another_packing_is_unknown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
