/* test_decode.c - streams: gzip in members and cut anywhere, hashing and reading ahead on the way */
#include "../cm.h"

#include <errno.h>
#include <isa-l/igzip_lib.h>
#include <stdlib.h>
#include <zstd.h>

#include "base/auto.h"
#include "base/buf.h"
#include "unpack/source.h"

#define N 300000

static unsigned char *text; /* N bytes that compress a little */

static int make_text(void **state)
{
	unsigned x = 1;

	text = malloc(N);
	for (int i = 0; i < N; i++) {
		x = x * 1103515245 + 12345;
		text[i] = x >> 16 & 15;
	}
	return hash_init();
}

static int free_text(void **state)
{
	free(text);
	return 0;
}

static void add_gzip(struct buf *b, const void *data, size_t n)
{
	struct isal_zstream z;
	unsigned char out[N + 1000];

	isal_deflate_stateless_init(&z);
	z.gzip_flag = IGZIP_GZIP;
	z.next_in = (uint8_t *)(uintptr_t)data;
	z.avail_in = (uint32_t)n;
	z.next_out = out;
	z.avail_out = sizeof(out);
	z.end_of_stream = 1;
	assert_int_equal(isal_deflate_stateless(&z), COMP_OK);
	buf_add(b, out, z.total_out);
}

/* Reads it all: 0, or the error. */
static int decode(const void *data, size_t n, struct buf *ret, struct err *e)
{
	struct source *s = source_thread(source_decode(source_memory(data, n)));
	const void *piece;
	ssize_t k;

	while ((k = source_read(s, &piece, e)) > 0)
		buf_add(ret, piece, (size_t)k);
	source_free(s);
	return (int)k;
}

static void gzip_members_follow_each_other(void **state)
{
	AUTO(buf_done) struct buf gz = { 0 }, out = { 0 };
	struct err e = { 0 };

	add_gzip(&gz, text, N);
	add_gzip(&gz, text, 0);
	add_gzip(&gz, "end", 3);
	assert_int_equal(decode(gz.data, gz.len, &out, &e), 0);
	assert_int_equal(out.len, N + 3);
	assert_memory_equal(out.data, text, N);
	assert_memory_equal(out.data + N, "end", 3);
}

static void gzip_cut_or_changed_anywhere_is_refused(void **state)
{
	AUTO(buf_done) struct buf gz = { 0 };
	struct err e = { 0 };

	add_gzip(&gz, text, 300);
	for (size_t n = 2; n < gz.len; n++) {
		AUTO(buf_done) struct buf out = { 0 };

		assert_true(decode(gz.data, n, &out, &e) < 0);
	}
	for (size_t i = gz.len - 8; i < gz.len - 4; i++) { /* the checksum */
		AUTO(buf_done) struct buf out = { 0 };

		gz.data[i] ^= 1;
		assert_true(decode(gz.data, gz.len, &out, &e) < 0);
		gz.data[i] ^= 1;
	}
}

static void zstd_cut_anywhere_is_refused(void **state)
{
	char z[2000];
	size_t n = ZSTD_compress(z, sizeof(z), text, 1000, 3);
	AUTO(buf_done) struct buf whole = { 0 };
	struct err e = { 0 };

	assert_int_equal(decode(z, n, &whole, &e), 0);
	assert_int_equal(whole.len, 1000);
	for (size_t k = 4; k < n; k++) {
		AUTO(buf_done) struct buf out = { 0 };

		assert_true(decode(z, k, &out, &e) < 0);
	}
}

static void what_is_not_compressed_goes_through(void **state)
{
	AUTO(buf_done) struct buf out = { 0 };
	struct err e = { 0 };

	assert_int_equal(decode(text, N, &out, &e), 0);
	assert_int_equal(out.len, N);
	assert_memory_equal(out.data, text, N);
}

static void a_hash_sees_what_goes_by(void **state)
{
	struct hash *h = hash_new();
	struct source *s = source_hash(source_thread(source_memory(text, N)), h);
	struct digest passing, whole;

	assert_int_equal(source_drain(s, NULL), 0);
	hash_end(h, &passing);
	hash_bytes(text, N, &whole);
	assert_true(digest_equal(&passing, &whole));
	source_free(s);
	hash_free(h);
}

static void a_reader_may_leave_early(void **state)
{
	AUTO(buf_done) struct buf gz = { 0 };
	const void *piece;
	struct source *s;

	for (int i = 0; i < 20; i++)
		add_gzip(&gz, text, N);
	s = source_thread(source_decode(source_memory(gz.data, gz.len)));
	assert_true(source_read(s, &piece, NULL) > 0);
	source_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gzip_members_follow_each_other),
		cmocka_unit_test(gzip_cut_or_changed_anywhere_is_refused),
		cmocka_unit_test(zstd_cut_anywhere_is_refused),
		cmocka_unit_test(what_is_not_compressed_goes_through),
		cmocka_unit_test(a_hash_sees_what_goes_by),
		cmocka_unit_test(a_reader_may_leave_early),
	};

	return cmocka_run_group_tests(tests, make_text, free_text);
}
