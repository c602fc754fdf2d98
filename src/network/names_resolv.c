/* names_resolv.c - who the host asks: the nameserver lines of resolv.conf(5) */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "network/names_int.h"

#define DNS_PORT 53
#define BLANKS	 " \t\r"

struct ip address_ip(const union address *a)
{
	struct ip ip = { .family = a->any.sa_family };

	if (ip.family == AF_INET)
		memcpy(ip.bytes, &a->v4.sin_addr, 4);
	else
		memcpy(ip.bytes, &a->v6.sin6_addr, 16);
	return ip;
}

socklen_t address_len(const union address *a)
{
	return a->any.sa_family == AF_INET ? sizeof(a->v4) : sizeof(a->v6);
}

/* "fe80::1%3": a zone by number; names of links are for who may ask the kernel. */
static bool take_zone(char *text, uint32_t *ret)
{
	char *zone = strchr(text, '%');

	*ret = 0;
	if (!zone)
		return true;
	*zone++ = '\0';
	for (; *zone >= '0' && *zone <= '9' && *ret < 1u << 24; zone++)
		*ret = *ret * 10 + (uint32_t)(*zone - '0');
	return *ret && !*zone;
}

bool upstream_add(struct upstreams *u, const char *text)
{
	union address *a = &u->at[u->n];
	char copy[IP_TEXT_MAX + 16];
	uint32_t zone;
	struct ip ip;

	if (u->n == UPSTREAMS_MAX || (size_t)snprintf(copy, sizeof(copy), "%s", text) >= sizeof(copy) ||
	    !take_zone(copy, &zone) || ip_parse(copy, &ip) < 0)
		return false;
	memset(a, 0, sizeof(*a));
	if (ip.family == AF_INET) {
		a->v4 = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons(DNS_PORT) };
		memcpy(&a->v4.sin_addr, ip.bytes, 4);
	} else {
		a->v6 = (struct sockaddr_in6){ .sin6_family = AF_INET6,
					       .sin6_port = htons(DNS_PORT),
					       .sin6_scope_id = zone };
		memcpy(&a->v6.sin6_addr, ip.bytes, 16);
	}
	u->n++;
	return true;
}

void resolv_parse(const char *text, size_t n, struct upstreams *ret)
{
	static const char word[] = "nameserver";

	*ret = (struct upstreams){ 0 };
	while (n) {
		const char *end = memchr(text, '\n', n);
		size_t len = end ? (size_t)(end - text) : n;
		char line[128];
		char *at = line + sizeof(word) - 1;

		snprintf(line, sizeof(line), "%.*s", (int)(len < sizeof(line) ? len : sizeof(line) - 1),
			 text);
		if (!strncmp(line, word, sizeof(word) - 1) && strspn(at, BLANKS)) {
			at += strspn(at, BLANKS);
			at[strcspn(at, BLANKS "#;")] = '\0';
			upstream_add(ret, at);
		}
		len += end != NULL;
		text += len;
		n -= len;
	}
}
