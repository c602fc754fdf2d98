/* firewall_rules.c - --allow and --deny of an instance as elements of sets
 *
 * A rule is a box in three dimensions: peers, protocols, ports.  The kernel takes no boxes that overlap in one set, so what
 * a rule has in common with those before it is cut off.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "network/firewall_int.h"

#define MAX_BOXES                                                                                            \
	256 /* of one set and instance; 64 rules that cross each other in the worst way have fewer */

enum { PEER, PROTOCOL, PORT, DIMENSIONS };
static const uint8_t with_ports[] = { IPPROTO_TCP, IPPROTO_UDP };

/* Numbers of up to sixteen bytes, the first the most significant. */
struct span {
	uint8_t from[16], to[16];
	size_t n;
};

struct box {
	struct span at[DIMENSIONS];
};

struct boxes {
	struct box v[MAX_BOXES];
	size_t n;
	bool full;
};

static void box_add(struct boxes *l, const struct box *b)
{
	if (l->n == MAX_BOXES)
		l->full = true;
	else
		l->v[l->n++] = *b;
}

static void step(uint8_t *number, size_t n, int by)
{
	for (size_t i = n; i-- > 0;) {
		number[i] = (uint8_t)(number[i] + by);
		if (number[i] != (by > 0 ? 0 : 0xff))
			break;
	}
}

static bool meet(const struct box *a, const struct box *b)
{
	for (int i = 0; i < DIMENSIONS; i++)
		if (memcmp(a->at[i].from, b->at[i].to, a->at[i].n) > 0 ||
		    memcmp(b->at[i].from, a->at[i].to, a->at[i].n) > 0)
			return false;
	return true;
}

/* Adds what of a is not in b. */
static void add_difference(struct box a, const struct box *b, struct boxes *l)
{
	if (!meet(&a, b)) {
		box_add(l, &a);
		return;
	}
	for (int i = 0; i < DIMENSIONS; i++) {
		struct span *mine = &a.at[i];
		const struct span *cut = &b->at[i];
		struct box part = a;

		if (memcmp(mine->from, cut->from, mine->n) < 0) {
			memcpy(part.at[i].to, cut->from, mine->n);
			step(part.at[i].to, mine->n, -1);
			box_add(l, &part);
			memcpy(mine->from, cut->from, mine->n);
		}
		part = a;
		if (memcmp(mine->to, cut->to, mine->n) > 0) {
			memcpy(part.at[i].from, cut->to, mine->n);
			step(part.at[i].from, mine->n, 1);
			box_add(l, &part);
			memcpy(mine->to, cut->to, mine->n);
		}
	}
}

/* Adds what of the box is in none of those that are there. */
static int add_disjoint(struct boxes *all, const struct box *b)
{
	autofree struct boxes *parts = calloc(1, sizeof(*parts));
	size_t there = all->n;

	if (!parts)
		return -ENOMEM;
	box_add(parts, b);
	for (size_t i = 0; i < there; i++) {
		autofree struct boxes *next = calloc(1, sizeof(*next));

		if (!next)
			return -ENOMEM;
		for (size_t k = 0; k < parts->n; k++)
			add_difference(parts->v[k], &all->v[i], next);
		next->full |= parts->full;
		*parts = *next;
	}
	for (size_t k = 0; k < parts->n; k++)
		box_add(all, &parts->v[k]);
	return all->full || parts->full ? -E2BIG : 0;
}

/* --- a rule */

static void set_span(struct span *s, const void *from, const void *to, size_t n)
{
	memcpy(s->from, from, n);
	memcpy(s->to, to, n);
	s->n = n;
}

/* 0: not of this family. */
static int peer_span(const struct net_rule *r, int family, struct span *ret)
{
	struct ip_prefix p = { .ip.family = family };
	struct ip first, last;

	if (r->peer && ip_parse_prefix(r->peer, &p) < 0) {
		if (ip_parse(r->peer, &p.ip) < 0)
			return -EINVAL;
		p.bits = ip_bits(p.ip.family);
	}
	if (p.ip.family != family)
		return 0;
	first = ip_first(&p);
	last = ip_last(&p);
	set_span(ret, first.bytes, last.bytes, ip_len(family));
	return 1;
}

static uint8_t protocol_number(const char *name, int family)
{
	if (!strcmp(name, "icmp"))
		return family == AF_INET6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP;
	return strcmp(name, "udp") == 0 ? IPPROTO_UDP : IPPROTO_TCP;
}

/* The protocols that a rule is about: one, all of them, or with a port alone those that have ports. */
static int add_boxes(const struct net_rule *r, int family, struct box *b, struct boxes *all)
{
	static const uint8_t zero, most = 0xff;
	uint16_t ports[2] = { htons((uint16_t)r->port_first),
			      htons((uint16_t)(r->port_last ? r->port_last : UINT16_MAX)) };
	int err = 0;

	set_span(&b->at[PORT], &ports[0], &ports[1], sizeof(ports[0]));
	if (r->protocol || !r->port_last) {
		uint8_t one = r->protocol ? protocol_number(r->protocol, family) : 0;

		set_span(&b->at[PROTOCOL], r->protocol ? &one : &zero, r->protocol ? &one : &most, 1);
		return add_disjoint(all, b);
	}
	for (size_t i = 0; i < ARRAY_LEN(with_ports) && err == 0; i++) {
		uint8_t one = with_ports[i];

		set_span(&b->at[PROTOCOL], &one, &one, 1);
		err = add_disjoint(all, b);
	}
	return err;
}

/* --- the instance's */

static void add_elements(const struct fw_port *p, int set, const struct ip *own, const struct boxes *all,
			 struct fw_elements *l)
{
	for (size_t i = 0; i < all->n; i++) {
		struct nft_element *el = fw_element_new(l, set, p->instance);

		fw_key(el, own->bytes, own->bytes, ip_len(own->family));
		for (int k = 0; k < DIMENSIONS; k++)
			fw_key(el, all->v[i].at[k].from, all->v[i].at[k].to, all->v[i].at[k].n);
	}
}

static void add_set(const struct fw_port *p, const struct ip *own, bool allow, bool out,
		    struct fw_elements *l)
{
	int set = (allow ? FW_ALLOW_IN4 : FW_DENY_IN4) + (out ? FW_DENY_OUT4 - FW_DENY_IN4 : 0) +
		  (own->family == AF_INET6);
	autofree struct boxes *all = calloc(1, sizeof(*all));
	struct box b = { 0 };

	if (!all)
		l->r = -ENOMEM;
	for (size_t i = 0; i < p->n_rules && all; i++) {
		const struct net_rule *rule = &p->rules[i];
		int r = rule->allow == allow && rule->out == out ? peer_span(rule, own->family, &b.at[PEER])
								 : 0;

		if (r > 0)
			r = add_boxes(rule, own->family, &b, all);
		if (r < 0)
			l->r = r;
	}
	if (all)
		add_elements(p, set, own, all, l);
}

/* What is allowed by name leaves the rest of its direction denied. */
static bool is_closed(const struct fw_port *p, bool out)
{
	for (size_t i = 0; i < p->n_rules; i++)
		if (p->rules[i].allow && p->rules[i].out == out)
			return true;
	return false;
}

void fw_rule_elements(const struct fw_port *p, const struct ip *own, struct fw_elements *l)
{
	for (int out = 0; out < 2; out++) {
		add_set(p, own, false, out, l);
		add_set(p, own, true, out, l);
		if (is_closed(p, out))
			fw_key(fw_element_new(
				       l, (out ? FW_CLOSED_OUT4 : FW_CLOSED_IN4) + (own->family == AF_INET6),
				       p->instance),
			       own->bytes, NULL, ip_len(own->family));
	}
}
