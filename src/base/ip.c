/* ip.c - addresses of either family and their networks: text, order and arithmetic; pure */
#include "base/ip.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/parse.h"

unsigned ip_len(int family)
{
	return family == AF_INET6 ? 16 : 4;
}

unsigned ip_bits(int family)
{
	return ip_len(family) * 8;
}

int ip_parse(const char *s, struct ip *ret)
{
	struct ip ip = { .family = strchr(s, ':') ? AF_INET6 : AF_INET };

	if (inet_pton(ip.family, s, ip.bytes) != 1)
		return -EINVAL;
	*ret = ip;
	return 0;
}

int ip_parse_prefix(const char *s, struct ip_prefix *ret)
{
	const char *slash = strchr(s, '/');
	struct ip_prefix p;
	char text[IP_TEXT_MAX];
	uint32_t bits;

	if (!slash || (size_t)(slash - s) >= sizeof(text) || strlen(slash + 1) > 3)
		return -EINVAL;
	memcpy(text, s, (size_t)(slash - s));
	text[slash - s] = '\0';
	if (ip_parse(text, &p.ip) < 0 || parse_u32(slash + 1, &bits) < 0 || bits > ip_bits(p.ip.family))
		return -EINVAL;
	p.bits = bits;
	*ret = p;
	return 0;
}

const char *ip_print(const struct ip *ip, char ret[IP_TEXT_MAX])
{
	if (!inet_ntop(ip->family, ip->bytes, ret, IP_TEXT_MAX))
		ret[0] = '\0';
	return ret;
}

const char *ip_print_prefix(const struct ip_prefix *p, char ret[IP_TEXT_MAX])
{
	size_t n = strlen(ip_print(&p->ip, ret));

	snprintf(ret + n, IP_TEXT_MAX - n, "/%u", p->bits);
	return ret;
}

int ip_compare(const struct ip *a, const struct ip *b)
{
	if (a->family != b->family)
		return a->family < b->family ? -1 : 1;
	return memcmp(a->bytes, b->bytes, ip_len(a->family));
}

/* The bits of byte `at` that are the network's. */
static uint8_t byte_mask(unsigned bits, unsigned at)
{
	if (bits >= (at + 1) * 8)
		return 0xff;
	return bits <= at * 8 ? 0 : (uint8_t)(0xff00 >> (bits - at * 8));
}

struct ip ip_first(const struct ip_prefix *p)
{
	struct ip ip = p->ip;

	for (unsigned i = 0; i < ip_len(ip.family); i++)
		ip.bytes[i] &= byte_mask(p->bits, i);
	return ip;
}

struct ip ip_last(const struct ip_prefix *p)
{
	struct ip ip = p->ip;

	for (unsigned i = 0; i < ip_len(ip.family); i++)
		ip.bytes[i] |= (uint8_t)~byte_mask(p->bits, i);
	return ip;
}

bool ip_is_network(const struct ip_prefix *p)
{
	struct ip first = ip_first(p);

	return ip_compare(&first, &p->ip) == 0;
}

bool ip_contains(const struct ip_prefix *p, const struct ip *ip)
{
	if (p->ip.family != ip->family)
		return false;
	for (unsigned i = 0; i < ip_len(ip->family); i++)
		if ((p->ip.bytes[i] ^ ip->bytes[i]) & byte_mask(p->bits, i))
			return false;
	return true;
}

bool ip_overlaps(const struct ip_prefix *a, const struct ip_prefix *b)
{
	return a->bits < b->bits ? ip_contains(a, &b->ip) : ip_contains(b, &a->ip);
}

struct ip ip_add(const struct ip *ip, uint64_t n)
{
	struct ip sum = *ip;
	uint64_t carry = 0;

	for (unsigned i = ip_len(ip->family); i-- > 0; n >>= 8) {
		carry += sum.bytes[i] + (n & 0xff);
		sum.bytes[i] = (uint8_t)carry;
		carry >>= 8;
	}
	return sum;
}

uint64_t ip_count(const struct ip_prefix *p)
{
	unsigned host = ip_bits(p->ip.family) - p->bits;

	return host > 63 ? UINT64_MAX : (uint64_t)1 << host;
}

bool ip_is_loopback(const struct ip *ip)
{
	static const uint8_t one[16] = { [15] = 1 };

	return ip->family == AF_INET6 ? !memcmp(ip->bytes, one, 16) : ip->bytes[0] == 127;
}

bool ip_is_any(const struct ip *ip)
{
	static const uint8_t none[16];

	return !memcmp(ip->bytes, none, ip_len(ip->family));
}

static int digit(char c)
{
	return isdigit((unsigned char)c) ? c - '0' : (c | 0x20) - 'a' + 10;
}

int mac_parse(const char *s, uint8_t ret[6])
{
	uint8_t mac[6];

	if (strlen(s) != 17)
		return -EINVAL;
	for (int i = 0; i < 6; i++, s += 3) {
		if (!isxdigit((unsigned char)s[0]) || !isxdigit((unsigned char)s[1]) ||
		    s[2] != (i < 5 ? ':' : '\0'))
			return -EINVAL;
		mac[i] = (uint8_t)(digit(s[0]) << 4 | digit(s[1]));
	}
	memcpy(ret, mac, 6);
	return 0;
}

const char *mac_print(const uint8_t m[6], char ret[18])
{
	snprintf(ret, 18, "%02x:%02x:%02x:%02x:%02x:%02x", m[0], m[1], m[2], m[3], m[4], m[5]);
	return ret;
}
