/* sha256_int.h - one block of SHA-256, by the processor's own instructions or in C */
#ifndef BASE_SHA256_INT_H
#define BASE_SHA256_INT_H

#include <stdbool.h>
#include <stdint.h>

extern const uint32_t sha256_k[64]; /* FIPS 180-4 section 4.2.2 */

/* Does this processor have SHA-NI? */
bool sha256_ni_works(void);
void sha256_ni_compress(uint32_t h[8], const uint8_t block[64]);
void sha256_portable_compress(uint32_t h[8], const uint8_t block[64]);

#endif
