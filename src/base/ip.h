/* ip.h - addresses of either family and their networks: text, order and arithmetic; pure
 *
 * Text is strict: "10.88.0.5", "fd00::5" and no zone, a prefix in decimal digits without a sign.
 */
#ifndef BASE_IP_H
#define BASE_IP_H

#include <stdbool.h>
#include <stdint.h>

struct ip {
	int family; /* AF_INET, AF_INET6; 0: none */
	uint8_t bytes[16]; /* in the network's order; AF_INET: the first four */
};

/* An address and how many of its bits are the network's. */
struct ip_prefix {
	struct ip ip;
	unsigned bits;
};

#define IP_TEXT_MAX 50 /* any address with its prefix, and a NUL */

/* 4 or 16 bytes, 32 or 128 bits. */
unsigned ip_len(int family);
unsigned ip_bits(int family);
/* 0 or -EINVAL. */
int ip_parse(const char *s, struct ip *ret);
/* "10.88.0.0/16": with a prefix; host bits may be set. */
int ip_parse_prefix(const char *s, struct ip_prefix *ret);
/* In the shortest form (RFC 5952); returns ret. */
const char *ip_print(const struct ip *ip, char ret[IP_TEXT_MAX]);
const char *ip_print_prefix(const struct ip_prefix *p, char ret[IP_TEXT_MAX]);

/* Below, at or above 0, as memcmp; families one after the other. */
int ip_compare(const struct ip *a, const struct ip *b);
/* The same network with no host bit set; with all of them. */
struct ip ip_first(const struct ip_prefix *p);
struct ip ip_last(const struct ip_prefix *p);
/* No host bit is set. */
bool ip_is_network(const struct ip_prefix *p);
bool ip_contains(const struct ip_prefix *p, const struct ip *ip);
bool ip_overlaps(const struct ip_prefix *a, const struct ip_prefix *b);
/* The n-th address behind; wraps around at the end of the family. */
struct ip ip_add(const struct ip *ip, uint64_t n);
/* How many addresses a network has; UINT64_MAX: that or more. */
uint64_t ip_count(const struct ip_prefix *p);
/* 127.0.0.0/8, ::1. */
bool ip_is_loopback(const struct ip *ip);
/* 0.0.0.0, ::. */
bool ip_is_any(const struct ip *ip);

/* "02:42:0a:58:00:05", upper-case digits too: 0 or -EINVAL. */
int mac_parse(const char *s, uint8_t ret[6]);
const char *mac_print(const uint8_t mac[6], char ret[18]);

#endif
