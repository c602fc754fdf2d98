/* base64.c - base64 (RFC 4648, section 4), with its padding; pure */
#include "base/base64.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void base64_add(struct buf *b, const void *data, size_t n)
{
	const unsigned char *p = data;

	for (; n; p += n < 3 ? n : 3, n -= n < 3 ? n : 3) {
		uint32_t bits = (uint32_t)p[0] << 16 | (n > 1 ? (uint32_t)p[1] << 8 : 0) | (n > 2 ? p[2] : 0);

		buf_addc(b, alphabet[bits >> 18]);
		buf_addc(b, alphabet[bits >> 12 & 63]);
		buf_addc(b, n > 1 ? alphabet[bits >> 6 & 63] : '=');
		buf_addc(b, n > 2 ? alphabet[bits & 63] : '=');
	}
}

int base64_decode(struct buf *b, const char *text, size_t n)
{
	uint32_t bits = 0;
	unsigned have = 0;

	if (n && n % 4 == 0 && text[n - 1] == '=')
		n -= text[n - 2] == '=' ? 2 : 1;
	if (n % 4 == 1)
		return -EINVAL;
	for (size_t i = 0; i < n; i++) {
		const char *p = text[i] ? strchr(alphabet, text[i]) : NULL;

		if (!p)
			return -EINVAL;
		bits = bits << 6 | (uint32_t)(p - alphabet);
		have += 6;
		if (have >= 8) {
			have -= 8;
			buf_addc(b, (char)(bits >> have));
		}
	}
	return bits & ((1U << have) - 1) ? -EINVAL : 0;
}
