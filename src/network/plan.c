/* plan.c - the address plan of a network: which subnet is free, which address is given next; pure */
#include "network/plan.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/auto.h"
#include "base/parse.h"

#define MIN_BITS_4 8
#define MAX_BITS_4 30 /* gateway and one instance */
#define MIN_BITS_6 16
#define MAX_BITS_6 126

static int no_memory(struct err *e)
{
	return err_set(e, ENOMEM, "out of memory");
}

/* --- subnets */

static const struct plan_taken *who_has(const struct ip_prefix *p, const struct plan_taken *taken, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (ip_overlaps(p, &taken[i].net))
			return &taken[i];
	return NULL;
}

/* Where networks without --subnet are: first those that nobody else uses by habit (Docker's are in 172.17 and on). */
static const struct {
	const char *first;
	unsigned bits, count;
} pools[] = { { "10.88.0.0", 16, 100 }, { "172.24.0.0", 16, 8 }, { "192.168.128.0", 20, 8 } };

static int choose_4(const struct plan_taken *taken, size_t n_taken, struct ip_prefix *ret, struct err *e)
{
	for (size_t i = 0; i < ARRAY_LEN(pools); i++)
		for (unsigned k = 0; k < pools[i].count; k++) {
			struct ip_prefix p = { .bits = pools[i].bits };
			struct ip first;

			if (ip_parse(pools[i].first, &first) < 0)
				continue;
			p.ip = ip_add(&first, (uint64_t)k << (32 - p.bits));
			if (who_has(&p, taken, n_taken))
				continue;
			*ret = p;
			return 0;
		}
	return err_set(e, ENOSPC, "no free subnet is left: name one with --subnet");
}

/* A unique local prefix (RFC 4193) whose random part is that of the network's id. */
static int choose_6(const char *id, const struct plan_taken *taken, size_t n_taken, struct ip_prefix *ret,
		    struct err *e)
{
	struct ip_prefix p = { .ip = { .family = AF_INET6, .bytes = { 0xfd } }, .bits = 64 };
	char digits[11];

	snprintf(digits, sizeof(digits), "%.10s", id);
	if (hex_decode(digits, 5, p.ip.bytes + 1) < 0 || who_has(&p, taken, n_taken))
		return err_set(e, ENOSPC, "no free IPv6 subnet was found: name one with --subnet");
	*ret = p;
	return 0;
}

static int check_subnet(const char *text, int family, struct ip_prefix *ret, struct err *e)
{
	bool v4 = family == AF_INET;
	struct ip_prefix p;
	char want[IP_TEXT_MAX];

	if (ip_parse_prefix(text, &p) < 0 || p.ip.family != family)
		return err_set(e, EINVAL, "invalid subnet %.60s: it is not ADDRESS/BITS", text);
	if (!ip_is_network(&p)) {
		p.ip = ip_first(&p);
		return err_set(e, EINVAL, "invalid subnet %.60s: it should be %s", text,
			       ip_print_prefix(&p, want));
	}
	if (p.bits < (v4 ? MIN_BITS_4 : MIN_BITS_6) || p.bits > (v4 ? MAX_BITS_4 : MAX_BITS_6))
		return err_set(e, EINVAL, "invalid subnet %.60s: the prefix must be %d to %d bits", text,
			       v4 ? MIN_BITS_4 : MIN_BITS_6, v4 ? MAX_BITS_4 : MAX_BITS_6);
	if (ip_is_loopback(&p.ip) || (v4 && (p.ip.bytes[0] >= 224 || p.ip.bytes[0] == 0)) ||
	    (!v4 && p.ip.bytes[0] == 0xff))
		return err_set(e, EINVAL, "invalid subnet %.60s: these addresses are not for hosts", text);
	*ret = p;
	return 0;
}

static int set_text(char **dst, const char *text, struct err *e)
{
	char *copy = strdup(text);

	if (!copy)
		return no_memory(e);
	free(*dst);
	*dst = copy;
	return 0;
}

static int plan_subnet(const struct network *n, struct network_pool *pool, int family,
		       const struct plan_taken *taken, size_t n_taken, struct ip_prefix *ret, struct err *e)
{
	const struct plan_taken *other;
	char text[IP_TEXT_MAX];
	int r;

	if (pool->subnet) {
		r = check_subnet(pool->subnet, family, ret, e);
		other = r < 0 ? NULL : who_has(ret, taken, n_taken);
		if (other)
			return err_set(e, EEXIST, "invalid pool request: %s overlaps with %s (%s)",
				       pool->subnet, other->by, ip_print_prefix(&other->net, text));
	} else {
		r = family == AF_INET ? choose_4(taken, n_taken, ret, e)
				      : choose_6(n->id, taken, n_taken, ret, e);
	}
	return r < 0 ? r : set_text(&pool->subnet, ip_print_prefix(ret, text), e);
}

/* Neither that of the network itself nor, in IPv4, the one that means all. */
static bool is_for_hosts(const struct ip_prefix *net, const struct ip *ip)
{
	struct ip first = ip_first(net), last = ip_last(net);

	return ip_contains(net, ip) && ip_compare(ip, &first) != 0 &&
	       (ip->family == AF_INET6 || ip_compare(ip, &last) != 0);
}

static int plan_range(const struct network_pool *pool, const struct ip_prefix *net, struct err *e)
{
	struct ip_prefix range;

	if (!pool->range)
		return 0;
	if (ip_parse_prefix(pool->range, &range) < 0 || !ip_is_network(&range))
		return err_set(e, EINVAL, "invalid --ip-range %.60s", pool->range);
	if (range.ip.family != net->ip.family || range.bits < net->bits || !ip_contains(net, &range.ip))
		return err_set(e, EINVAL, "no matching subnet for range %.60s", pool->range);
	return 0;
}

/* macvlan has a gateway only where one is named: it is not ours. */
static int plan_gateway(const struct network *n, struct network_pool *pool, const struct ip_prefix *net,
			struct err *e)
{
	char text[IP_TEXT_MAX];
	struct ip ip;

	if (!pool->gateway && n->driver == DRIVER_MACVLAN)
		return 0;
	if (!pool->gateway) {
		ip = ip_add(&net->ip, 1);
		return set_text(&pool->gateway, ip_print(&ip, text), e);
	}
	if (ip_parse(pool->gateway, &ip) < 0)
		return err_set(e, EINVAL, "invalid --gateway %.60s", pool->gateway);
	if (!is_for_hosts(net, &ip))
		return err_set(e, EINVAL, "no matching subnet for gateway %.60s", pool->gateway);
	return set_text(&pool->gateway, ip_print(&ip, text), e);
}

static int plan_pool(const struct network *n, struct network_pool *pool, int family,
		     const struct plan_taken *taken, size_t n_taken, struct err *e)
{
	struct ip_prefix net;
	int r = plan_subnet(n, pool, family, taken, n_taken, &net, e);

	if (r == 0)
		r = plan_range(pool, &net, e);
	return r < 0 ? r : plan_gateway(n, pool, &net, e);
}

static int check_no_pool(const struct network_pool *p, const char *family, struct err *e)
{
	return p->subnet || p->gateway || p->range
		       ? err_set(e, EINVAL, "--subnet, --gateway and --ip-range of %s want %s to be on",
				 family, family)
		       : 0;
}

static int plan_bridge(struct network *n, struct err *e)
{
	if (n->driver != DRIVER_BRIDGE)
		return 0;
	if (!n->bridge)
		n->bridge = str_printf("kt-%.8s", n->id);
	if (!n->bridge)
		return no_memory(e);
	if (!*n->bridge || strlen(n->bridge) >= NET_IFNAME_MAX || strpbrk(n->bridge, "/: \t\n%") ||
	    !strcmp(n->bridge, ".") || !strcmp(n->bridge, ".."))
		return err_set(e, EINVAL, "'%.40s' cannot be the name of an interface", n->bridge);
	return 0;
}

int plan_network(struct network *n, bool want_v4, bool want_v6, const struct plan_taken *taken,
		 size_t n_taken, struct err *e)
{
	int r = 0;

	if (!want_v4 && !want_v6)
		return err_set(e, EINVAL, "a network has IPv4, IPv6 or both");
	r = want_v4 ? plan_pool(n, &n->v4, AF_INET, taken, n_taken, e) : check_no_pool(&n->v4, "IPv4", e);
	if (r == 0)
		r = want_v6 ? plan_pool(n, &n->v6, AF_INET6, taken, n_taken, e)
			    : check_no_pool(&n->v6, "IPv6", e);
	return r < 0 ? r : plan_bridge(n, e);
}

/* --- addresses */

static bool has(const struct ip *used, size_t n, const struct ip *ip)
{
	size_t low = 0;

	while (low < n) {
		size_t mid = low + (n - low) / 2;
		int c = ip_compare(ip, &used[mid]);

		if (c == 0)
			return true;
		if (c < 0)
			n = mid;
		else
			low = mid + 1;
	}
	return false;
}

int plan_address(const struct network_pool *pool, const struct ip *used, size_t n_used, struct ip *ret)
{
	struct ip_prefix net, range;
	struct ip gateway;
	uint64_t tries;

	if (ip_parse_prefix(pool->subnet, &net) < 0 ||
	    ip_parse_prefix(pool->range ? pool->range : pool->subnet, &range))
		return -EINVAL;
	/* where none is named, most wires have theirs at the first address */
	if (!pool->gateway || ip_parse(pool->gateway, &gateway) < 0)
		gateway = ip_add(&net.ip, 1);
	tries = ip_count(&range);
	/* each of n_used can be in the way once; and the network's own, the last, and the gateway */
	if (tries > n_used + 4)
		tries = n_used + 4;
	for (uint64_t i = 0; i < tries; i++) {
		struct ip ip = ip_add(&range.ip, i);

		if (!is_for_hosts(&net, &ip) || ip_compare(&ip, &gateway) == 0 || has(used, n_used, &ip))
			continue;
		*ret = ip;
		return 0;
	}
	return -ENOSPC;
}

int plan_check_address(const struct network *n, const struct ip *ip, const char *flag, struct err *e)
{
	const struct network_pool *pool = ip->family == AF_INET ? &n->v4 : &n->v6;
	char text[IP_TEXT_MAX];
	struct ip_prefix net;
	struct ip gateway;

	ip_print(ip, text);
	if (!pool->subnet || ip_parse_prefix(pool->subnet, &net) < 0)
		return err_set(e, EINVAL, "%s %s: network %s has no %s", flag, text, n->name,
			       ip->family == AF_INET ? "IPv4" : "IPv6");
	if (!is_for_hosts(&net, ip))
		return err_set(e, EINVAL, "%s %s: no configured subnet contains it: network %s is %s", flag,
			       text, n->name, pool->subnet);
	if (pool->gateway && ip_parse(pool->gateway, &gateway) == 0 && ip_compare(ip, &gateway) == 0)
		return err_set(e, EADDRINUSE, "%s %s: it is the gateway of network %s", flag, text, n->name);
	return 0;
}

void plan_mac(const struct ip *ip, uint8_t ret[6])
{
	ret[0] = 0x02;
	ret[1] = 0x42;
	memcpy(ret + 2, ip->bytes + (ip->family == AF_INET ? 0 : 12), 4);
}
