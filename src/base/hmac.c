/* hmac.c - HMAC-SHA256 (RFC 2104) */
#include "base/hmac.h"

#include <string.h>

#define BLOCK_BYTES 64

static void add_pad(struct sha256 *s, const uint8_t key[HMAC_KEY_BYTES], uint8_t with)
{
	uint8_t block[BLOCK_BYTES];

	memset(block, with, sizeof(block));
	for (unsigned i = 0; i < HMAC_KEY_BYTES; i++)
		block[i] ^= key[i];
	sha256_add(s, block, sizeof(block));
}

void hmac_init(struct hmac *h, const uint8_t key[HMAC_KEY_BYTES])
{
	memcpy(h->key, key, HMAC_KEY_BYTES);
	sha256_init(&h->inner);
	add_pad(&h->inner, key, 0x36);
}

void hmac_add(struct hmac *h, const void *data, size_t n)
{
	sha256_add(&h->inner, data, n);
}

void hmac_end(struct hmac *h, uint8_t ret[SHA256_BYTES])
{
	struct sha256 outer;
	uint8_t inner[SHA256_BYTES];

	sha256_end(&h->inner, inner);
	sha256_init(&outer);
	add_pad(&outer, h->key, 0x5c);
	sha256_add(&outer, inner, sizeof(inner));
	sha256_end(&outer, ret);
	explicit_bzero(h->key, sizeof(h->key));
}

int hmac_differ(const uint8_t a[SHA256_BYTES], const uint8_t b[SHA256_BYTES])
{
	uint8_t any = 0;

	for (unsigned i = 0; i < SHA256_BYTES; i++)
		any |= a[i] ^ b[i];
	return any;
}
