/* crc32c.c - the checksum of EROFS, ext4 and iSCSI (RFC 3720), of small things */
#include "base/crc32c.h"

#define POLYNOMIAL 0x82f63b78U

uint32_t crc32c(uint32_t seed, const void *data, size_t n)
{
	const uint8_t *p = data;

	for (; n; n--) {
		seed ^= *p++;
		for (int bit = 0; bit < 8; bit++)
			seed = seed >> 1 ^ (seed & 1 ? POLYNOMIAL : 0);
	}
	return seed;
}
