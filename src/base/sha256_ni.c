/* sha256_ni.c - SHA-256 by SHA-NI (Intel SDM volume 2, SHA256RNDS2 SHA256MSG1 SHA256MSG2)
 *
 * The instructions keep the state as two registers, ABEF and CDGH, and take the message four words at a time.
 */
#include <immintrin.h>
#include <sys/platform/x86.h>

#include "base/sha256_int.h"

#define WITH_SHA __attribute__((target("sha,sse4.1")))

/* The C library asked the processor already: CPUID costs 15 us each time in a virtual machine. */
bool sha256_ni_works(void)
{
	return CPU_FEATURE_ACTIVE(SHA); /* every processor that has it has SSE4.1 */
}

/* Words 4i..4i+3 of the schedule from the sixteen before them. */
WITH_SHA static __m128i next_words(const __m128i w[4])
{
	__m128i sum = _mm_add_epi32(_mm_sha256msg1_epu32(w[0], w[1]), _mm_alignr_epi8(w[3], w[2], 4));

	return _mm_sha256msg2_epu32(sum, w[3]);
}

WITH_SHA static void rounds(__m128i *abef, __m128i *cdgh, const uint8_t block[64])
{
	const __m128i swap = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);
	__m128i w[4] = { 0 }, kw, next;

	for (int i = 0; i < 16; i++) {
		if (i < 4)
			next = _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)(const void *)block + i),
						swap);
		else
			next = next_words(w);
		w[0] = w[1];
		w[1] = w[2];
		w[2] = w[3];
		w[3] = next;
		kw = _mm_add_epi32(next, _mm_loadu_si128((const __m128i *)(const void *)&sha256_k[4 * i]));
		*cdgh = _mm_sha256rnds2_epu32(*cdgh, *abef, kw);
		*abef = _mm_sha256rnds2_epu32(*abef, *cdgh, _mm_shuffle_epi32(kw, 0x0e));
	}
}

WITH_SHA void sha256_ni_compress(uint32_t h[8], const uint8_t block[64])
{
	__m128i abef = _mm_set_epi32((int)h[0], (int)h[1], (int)h[4], (int)h[5]);
	__m128i cdgh = _mm_set_epi32((int)h[2], (int)h[3], (int)h[6], (int)h[7]);
	uint32_t v[8];

	rounds(&abef, &cdgh, block);
	_mm_storeu_si128((__m128i *)(void *)v, abef); /* f e b a */
	_mm_storeu_si128((__m128i *)(void *)(v + 4), cdgh); /* h g d c */
	h[0] += v[3];
	h[1] += v[2];
	h[2] += v[7];
	h[3] += v[6];
	h[4] += v[1];
	h[5] += v[0];
	h[6] += v[5];
	h[7] += v[4];
}
