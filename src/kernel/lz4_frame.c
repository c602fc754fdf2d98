/* lz4_frame.c - the LZ4 legacy frame, block by block */
#include "kernel/lz4_frame.h"

#include <endian.h>
#include <errno.h>
#include <limits.h>
#include <lz4.h>
#include <stdint.h>
#include <string.h>

#define MAGIC	  0x184c2102U
#define BLOCK_MAX (8U << 20) /* unpacked */

static uint32_t get_u32(const char *p)
{
	uint32_t v;

	memcpy(&v, p, 4);
	return le32toh(v);
}

int lz4_frame_unpack(const void *data, size_t n, void *out, size_t out_n)
{
	const char *p = data, *end = p + n;
	char *to = out, *to_end = to + out_n;

	if (n < 4 || get_u32(p) != MAGIC)
		return -EINVAL;
	for (p += 4; end - p >= 4;) {
		size_t room = (size_t)(to_end - to);
		uint32_t len = get_u32(p);
		int got;

		p += 4;
		if (len > (size_t)(end - p) || len > INT_MAX)
			return -EINVAL;
		got = LZ4_decompress_safe(p, to, (int)len, (int)(room < BLOCK_MAX ? room : BLOCK_MAX));
		if (got < 0)
			return -EINVAL;
		p += len;
		to += got;
	}
	return p == end && to == to_end ? 0 : -EINVAL;
}
