/* crc32c.h - the checksum of EROFS, ext4 and iSCSI (RFC 3720), of small things */
#ifndef BASE_CRC32C_H
#define BASE_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/* seed: ~0 to begin with; the result is not complemented, as file systems keep it. */
uint32_t crc32c(uint32_t seed, const void *data, size_t n);

#endif
