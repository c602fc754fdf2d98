/* sha256.h - SHA-256 (FIPS 180-4) of small things: cache keys and names of files; bulk data goes through OpenSSL */
#ifndef BASE_SHA256_H
#define BASE_SHA256_H

#include <stddef.h>
#include <stdint.h>

#define SHA256_BYTES 32
#define SHA256_HEX   65 /* hex digits and the NUL */

struct sha256 {
	uint32_t h[8];
	uint64_t n; /* bytes so far */
	uint8_t block[64];
};

void sha256_init(struct sha256 *s);
void sha256_add(struct sha256 *s, const void *data, size_t n);
void sha256_end(struct sha256 *s, uint8_t ret[SHA256_BYTES]);
/* Of one piece, as lower-case hex digits. */
void sha256_hex(const void *data, size_t n, char ret[SHA256_HEX]);

#endif
