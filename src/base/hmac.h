/* hmac.h - HMAC-SHA256 (RFC 2104): who wrote this had the key */
#ifndef BASE_HMAC_H
#define BASE_HMAC_H

#include "base/sha256.h"

#define HMAC_KEY_BYTES 32

struct hmac {
	struct sha256 inner;
	uint8_t key[HMAC_KEY_BYTES];
};

void hmac_init(struct hmac *h, const uint8_t key[HMAC_KEY_BYTES]);
void hmac_add(struct hmac *h, const void *data, size_t n);
void hmac_end(struct hmac *h, uint8_t ret[SHA256_BYTES]);
/* Takes the same time wherever they differ. */
int hmac_differ(const uint8_t a[SHA256_BYTES], const uint8_t b[SHA256_BYTES]);

#endif
