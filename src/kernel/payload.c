/* payload.c - the packed kernel in a bzImage
 *
 * Linux marks the packing by nothing but its magic number (lib/decompress.c).  The last 4 bytes are the
 * unpacked size: in gzip's format they belong to the stream, behind the others Linux puts them
 * (scripts/Makefile.lib, size_append).
 *
 * One call unpacks all into room of that size, so that a bomb ends there.
 */
#include "kernel/payload.h"

#include <endian.h>
#include <errno.h>
#include <lzma.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

#include "base/auto.h"
#include "kernel/lz4_frame.h"

#define SIZE_BYTES  4
#define GZIP_ONLY   (16 + MAX_WBITS) /* inflateInit2's words for: a gzip header, the largest window */
#define LZMA_MEMORY (UINT64_C(192) << 20) /* Linux packs with dictionaries of up to 128 MiB */

struct packing {
	char magic[PAYLOAD_MAGIC_BYTES];
	unsigned char magic_n;
	bool size_behind; /* the size is no part of the stream */
	const char *name;
	int (*unpack)(const void *data, size_t n, void *out, size_t out_n);
};

static int unpack_gzip(const void *data, size_t n, void *out, size_t out_n)
{
	z_stream z = { .next_in = (z_const Bytef *)data,
		       .avail_in = (uInt)n,
		       .next_out = out,
		       .avail_out = (uInt)out_n };
	int r = inflateInit2(&z, GZIP_ONLY);

	if (r == Z_OK) {
		r = inflate(&z, Z_FINISH);
		inflateEnd(&z);
	}
	return r == Z_STREAM_END && !z.avail_in && !z.avail_out ? 0 : -EINVAL;
}

static int unpack_xz(const void *data, size_t n, void *out, size_t out_n)
{
	uint64_t memory = LZMA_MEMORY;
	size_t in_at = 0, out_at = 0;
	lzma_ret r = lzma_stream_buffer_decode(&memory, 0, NULL, data, &in_at, n, out, &out_at, out_n);

	return r == LZMA_OK && in_at == n && out_at == out_n ? 0 : -EINVAL;
}

static int unpack_lzma(const void *data, size_t n, void *out, size_t out_n)
{
	lzma_stream s = LZMA_STREAM_INIT;
	lzma_ret r = lzma_alone_decoder(&s, LZMA_MEMORY);

	s.next_in = data;
	s.avail_in = n;
	s.next_out = out;
	s.avail_out = out_n;
	if (r == LZMA_OK)
		r = lzma_code(&s, LZMA_FINISH);
	lzma_end(&s);
	return r == LZMA_STREAM_END && !s.avail_in && !s.avail_out ? 0 : -EINVAL;
}

static int unpack_zstd(const void *data, size_t n, void *out, size_t out_n)
{
	return ZSTD_decompress(out, out_n, data, n) == out_n ? 0 : -EINVAL;
}

static const struct packing packings[] = {
	{ "\x02\x21\x4c\x18", 4, true, "LZ4", lz4_frame_unpack },
	{ "\x1f\x8b", 2, false, "gzip", unpack_gzip },
	{ "\xfd\x37\x7a\x58", 4, true, "xz", unpack_xz },
	{ "\x28\xb5\x2f\xfd", 4, true, "zstd", unpack_zstd },
	{ "\x5d\x00\x00", 3, true, "LZMA", unpack_lzma },
};

const struct packing *payload_packing(const void *magic)
{
	for (size_t i = 0; i < ARRAY_LEN(packings); i++)
		if (!memcmp(magic, packings[i].magic, packings[i].magic_n))
			return &packings[i];
	return NULL;
}

const char *packing_name(const struct packing *p)
{
	return p->name;
}

size_t payload_unpacked_bytes(const void *data, size_t n)
{
	uint32_t v;

	if (n < SIZE_BYTES)
		return 0;
	memcpy(&v, (const char *)data + n - SIZE_BYTES, SIZE_BYTES);
	v = le32toh(v);
	return v <= PAYLOAD_UNPACKED_MAX ? v : 0;
}

int payload_unpack(const struct packing *p, const void *data, size_t n, void *out, size_t out_n)
{
	if (n < SIZE_BYTES || n > PAYLOAD_UNPACKED_MAX || !out_n || out_n > PAYLOAD_UNPACKED_MAX)
		return -EINVAL;
	return p->unpack(data, p->size_behind ? n - SIZE_BYTES : n, out, out_n);
}
