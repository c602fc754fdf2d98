/* dns_name.c - names of the DNS: text, order, what is below what, and addresses turned into names */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "network/dns.h"

static bool is_letter(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

static uint8_t lower(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? (uint8_t)(c | 0x20) : c;
}

int dns_name_parse(const char *text, struct dns_name *ret)
{
	struct dns_name n = { 0 };

	while (*text) {
		size_t len = strcspn(text, ".");

		if (len == 0 || len > DNS_LABEL_MAX || n.len + len + 2 > DNS_NAME_MAX)
			return -EINVAL;
		n.wire[n.len++] = (uint8_t)len;
		for (size_t i = 0; i < len; i++) {
			uint8_t c = lower((uint8_t)text[i]);

			if (!is_letter(c))
				return -EINVAL;
			n.wire[n.len++] = c;
		}
		n.labels++;
		text += len;
		text += *text == '.';
	}
	n.len++;
	if (!n.labels)
		return -EINVAL;
	*ret = n;
	return 0;
}

const char *dns_name_print(const struct dns_name *n, char ret[DNS_TEXT_MAX])
{
	size_t at = 0, out = 0;

	if (n->len <= 1)
		ret[out++] = '.';
	while (at + 1 < n->len) {
		size_t end = at + 1 + n->wire[at];

		if (at && out + 1 < DNS_TEXT_MAX)
			ret[out++] = '.';
		for (at++; at < end && out + 4 < DNS_TEXT_MAX; at++)
			if (is_letter(n->wire[at]))
				ret[out++] = (char)n->wire[at];
			else
				out += (size_t)snprintf(ret + out, 5, "\\%03u", n->wire[at]);
		at = end;
	}
	ret[out] = '\0';
	return ret;
}

int dns_name_compare(const struct dns_name *a, const struct dns_name *b)
{
	return a->len != b->len ? a->len - b->len : memcmp(a->wire, b->wire, a->len);
}

bool dns_name_equal(const struct dns_name *a, const struct dns_name *b)
{
	return dns_name_compare(a, b) == 0;
}

bool dns_name_below(const struct dns_name *n, const struct dns_name *parent, struct dns_name *ret)
{
	unsigned at = 0;

	if (n->labels <= parent->labels)
		return false;
	for (unsigned i = 0; i < (unsigned)(n->labels - parent->labels); i++)
		at += n->wire[at] + 1u;
	if (n->len - at != parent->len || memcmp(n->wire + at, parent->wire, parent->len) != 0)
		return false;
	*ret = (struct dns_name){ .len = (uint8_t)(at + 1), .labels = n->labels - parent->labels };
	memcpy(ret->wire, n->wire, at);
	return true;
}

/* --- reverse */

static int digit(uint8_t c, unsigned base)
{
	int v = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;

	return v < (int)base ? v : -1;
}

/* The label at `at` as a number below 256 in the shortest form. */
static int number(const uint8_t *label, unsigned base)
{
	int v = 0;

	if (label[0] == 0 || label[0] > 3 || (label[0] > 1 && label[1] == '0'))
		return -1;
	for (unsigned i = 1; i <= label[0]; i++) {
		int d = digit(label[i], base);

		if (d < 0)
			return -1;
		v = v * (int)base + d;
	}
	return v < 256 ? v : -1;
}

static bool reverse4(const struct dns_name *front, struct ip *ret)
{
	struct ip ip = { .family = AF_INET };
	unsigned at = 0;

	for (unsigned i = 4; i-- > 0; at += front->wire[at] + 1u) {
		int v = number(front->wire + at, 10);

		if (v < 0)
			return false;
		ip.bytes[i] = (uint8_t)v;
	}
	*ret = ip;
	return true;
}

static bool reverse6(const struct dns_name *front, struct ip *ret)
{
	struct ip ip = { .family = AF_INET6 };

	for (unsigned i = 0; i < 32; i++) {
		const uint8_t *label = front->wire + (size_t)i * 2;
		int v = label[0] == 1 ? digit(label[1], 16) : -1;

		if (v < 0)
			return false;
		ip.bytes[15 - i / 2] |= (uint8_t)(i & 1 ? v << 4 : v);
	}
	*ret = ip;
	return true;
}

bool dns_name_reverse(const struct dns_name *n, struct ip *ret)
{
	static const struct dns_name v4 = { 14, 2, "\7in-addr\4arpa" };
	static const struct dns_name v6 = { 10, 2, "\3ip6\4arpa" };
	struct dns_name front;

	if (dns_name_below(n, &v4, &front))
		return front.labels == 4 && reverse4(&front, ret);
	if (dns_name_below(n, &v6, &front))
		return front.labels == 32 && reverse6(&front, ret);
	return false;
}
