/* sha256.c - SHA-256 as FIPS 180-4 writes it: section 4.1.2 functions, 4.2.2 constants, 6.2.2 computation
 *
 * Fast enough for profiles, filters and keys, and it keeps libcrypto (1-2 ms of dynamic linking) out of the
 * start path.
 */
#include "base/sha256.h"

#include <string.h>

#include "base/parse.h"
#include "base/sha256_int.h"

const uint32_t sha256_k[64] = {
	0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
	0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
	0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
	0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
	0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
	0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
	0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
	0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

static uint32_t rotr(uint32_t x, unsigned n)
{
	return x >> n | x << (32 - n);
}

static uint32_t get_be32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static void put_be32(uint8_t *p, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		p[i] = (uint8_t)(v >> (24 - 8 * i));
}

static void schedule(const uint8_t block[64], uint32_t w[64])
{
	for (int t = 0; t < 16; t++)
		w[t] = get_be32(block + 4 * t);
	for (int t = 16; t < 64; t++) {
		uint32_t s0 = rotr(w[t - 15], 7) ^ rotr(w[t - 15], 18) ^ w[t - 15] >> 3;
		uint32_t s1 = rotr(w[t - 2], 17) ^ rotr(w[t - 2], 19) ^ w[t - 2] >> 10;

		w[t] = w[t - 16] + s0 + w[t - 7] + s1;
	}
}

/* One round; v[0]..v[7] are a..h, turned by `t` places instead of moved. */
static void round_of(uint32_t v[8], unsigned t, uint32_t kw)
{
	uint32_t a = v[(0u - t) & 7], b = v[(1 - t) & 7], c = v[(2 - t) & 7], e = v[(4 - t) & 7];
	uint32_t s1 = rotr(e, 6) ^ rotr(e, 11) ^ rotr(e, 25);
	uint32_t s0 = rotr(a, 2) ^ rotr(a, 13) ^ rotr(a, 22);
	uint32_t ch = (e & v[(5 - t) & 7]) ^ (~e & v[(6 - t) & 7]);
	uint32_t maj = (a & b) ^ (a & c) ^ (b & c);
	uint32_t t1 = v[(7 - t) & 7] + s1 + ch + kw;

	v[(3 - t) & 7] += t1;
	v[(7 - t) & 7] = t1 + s0 + maj;
}

void sha256_portable_compress(uint32_t h[8], const uint8_t block[64])
{
	uint32_t w[64], v[8];

	schedule(block, w);
	memcpy(v, h, sizeof(v));
#pragma GCC unroll 8
	for (unsigned t = 0; t < 64; t++)
		round_of(v, t, sha256_k[t] + w[t]);
	for (int i = 0; i < 8; i++)
		h[i] += v[i];
}

static void compress(uint32_t h[8], const uint8_t block[64])
{
	if (sha256_ni_works())
		sha256_ni_compress(h, block);
	else
		sha256_portable_compress(h, block);
}

void sha256_init(struct sha256 *s)
{
	*s = (struct sha256){ .h = { 0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c,
				     0x1f83d9ab, 0x5be0cd19 } };
}

void sha256_add(struct sha256 *s, const void *data, size_t n)
{
	const uint8_t *p = data;

	while (n > 0) {
		size_t have = s->n % 64, part = n < 64 - have ? n : 64 - have;

		memcpy(s->block + have, p, part);
		s->n += part;
		p += part;
		n -= part;
		if (s->n % 64 == 0)
			compress(s->h, s->block);
	}
}

void sha256_end(struct sha256 *s, uint8_t ret[SHA256_BYTES])
{
	static const uint8_t pad[64] = { 0x80 };
	uint64_t bits = s->n * 8;
	uint8_t length[8];

	put_be32(length, (uint32_t)(bits >> 32));
	put_be32(length + 4, (uint32_t)bits);
	sha256_add(s, pad, 1 + (119 - s->n % 64) % 64);
	sha256_add(s, length, sizeof(length));
	for (int i = 0; i < 8; i++)
		put_be32(ret + 4 * i, s->h[i]);
}

void sha256_hex(const void *data, size_t n, char ret[SHA256_HEX])
{
	uint8_t digest[SHA256_BYTES];
	struct sha256 s;

	sha256_init(&s);
	sha256_add(&s, data, n);
	sha256_end(&s, digest);
	hex_encode(digest, SHA256_BYTES, ret);
}
