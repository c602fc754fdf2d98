/* firewall_elements.c - networks and instances as elements of the rule set's maps and sets */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "network/firewall_int.h"

#define INET   NFPROTO_INET
#define BRIDGE NFPROTO_BRIDGE

/* clang-format off */
#define RULE_KEY(ip) { ip, ip, FIELD_PROTOCOL, FIELD_PORT }

const struct fw_set_row fw_sets[FW_N] = {
	[FW_BRIDGES] = { "bridges", INET, { FIELD_LINK }, { 0 }, false, false },
	[FW_SAME] = { "same", INET, { FIELD_LINK, FIELD_LINK }, { 0 }, false, false },
	[FW_INTERNAL] = { "internal", INET, { FIELD_LINK }, { 0 }, false, false },
	[FW_SUBNETS4] = { "subnets4", INET, { FIELD_FAMILY, FIELD_IP4 }, { 0 }, true, false },
	[FW_SUBNETS6] = { "subnets6", INET, { FIELD_FAMILY, FIELD_IP6 }, { 0 }, true, false },
	[FW_LOCAL4] = { "local4", INET, { FIELD_LINK, FIELD_IP4 }, { 0 }, true, false },
	[FW_LOCAL6] = { "local6", INET, { FIELD_LINK, FIELD_IP6 }, { 0 }, true, false },
	[FW_MASQUERADE4] = { "masquerade4", INET, { FIELD_FAMILY, FIELD_IP4 }, { 0 }, true, false },
	[FW_MASQUERADE6] = { "masquerade6", INET, { FIELD_FAMILY, FIELD_IP6 }, { 0 }, true, false },
	[FW_APART] = { "apart", INET, { FIELD_LINK }, { 0 }, false, false },
	[FW_PUBLISHED4] = { "published4", INET, { FIELD_PROTOCOL, FIELD_IP4, FIELD_PORT }, { FIELD_IP4, FIELD_PORT }, false, false },
	[FW_PUBLISHED6] = { "published6", INET, { FIELD_PROTOCOL, FIELD_IP6, FIELD_PORT }, { FIELD_IP6, FIELD_PORT }, false, false },
	[FW_PUBLISHED_ANY4] = { "published_any4", INET, { FIELD_PROTOCOL, FIELD_PORT }, { FIELD_IP4, FIELD_PORT }, false, false },
	[FW_PUBLISHED_ANY6] = { "published_any6", INET, { FIELD_PROTOCOL, FIELD_PORT }, { FIELD_IP6, FIELD_PORT }, false, false },
	[FW_DENY_IN4] = { "deny_in4", INET, RULE_KEY(FIELD_IP4), { 0 }, true, false },
	[FW_DENY_IN6] = { "deny_in6", INET, RULE_KEY(FIELD_IP6), { 0 }, true, false },
	[FW_DENY_OUT4] = { "deny_out4", INET, RULE_KEY(FIELD_IP4), { 0 }, true, false },
	[FW_DENY_OUT6] = { "deny_out6", INET, RULE_KEY(FIELD_IP6), { 0 }, true, false },
	[FW_ALLOW_IN4] = { "allow_in4", INET, RULE_KEY(FIELD_IP4), { 0 }, true, false },
	[FW_ALLOW_IN6] = { "allow_in6", INET, RULE_KEY(FIELD_IP6), { 0 }, true, false },
	[FW_ALLOW_OUT4] = { "allow_out4", INET, RULE_KEY(FIELD_IP4), { 0 }, true, false },
	[FW_ALLOW_OUT6] = { "allow_out6", INET, RULE_KEY(FIELD_IP6), { 0 }, true, false },
	[FW_CLOSED_IN4] = { "closed_in4", INET, { FIELD_IP4 }, { 0 }, false, false },
	[FW_CLOSED_IN6] = { "closed_in6", INET, { FIELD_IP6 }, { 0 }, false, false },
	[FW_CLOSED_OUT4] = { "closed_out4", INET, { FIELD_IP4 }, { 0 }, false, false },
	[FW_CLOSED_OUT6] = { "closed_out6", INET, { FIELD_IP6 }, { 0 }, false, false },
	[FW_LIMITED4] = { "limited4", INET, { FIELD_IP4 }, { 0 }, false, false },
	[FW_LIMITED6] = { "limited6", INET, { FIELD_IP6 }, { 0 }, false, false },
	[FW_EGRESS4] = { "egress4", INET, { FIELD_IP4, FIELD_IP4 }, { 0 }, false, true },
	[FW_EGRESS6] = { "egress6", INET, { FIELD_IP6, FIELD_IP6 }, { 0 }, false, true },
	[FW_SEAL] = { "seal", INET, { FIELD_IP6 }, { 0 }, false, false },
	[FW_PORTS] = { "ports", BRIDGE, { FIELD_LINK }, { 0 }, false, false },
	[FW_RULED] = { "ruled", BRIDGE, { FIELD_LINK }, { 0 }, false, false },
	[FW_MACS] = { "macs", BRIDGE, { FIELD_LINK, FIELD_MAC }, { 0 }, false, false },
	[FW_REFLECTED] = { "reflected", BRIDGE, { FIELD_LINK, FIELD_LINK }, { 0 }, false, false },
	[FW_OWN4] = { "own4", BRIDGE, { FIELD_LINK, FIELD_MAC, FIELD_IP4 }, { 0 }, false, false },
	[FW_OWN6] = { "own6", BRIDGE, { FIELD_LINK, FIELD_MAC, FIELD_IP6 }, { 0 }, false, false },
	[FW_TARGET6] = { "target6", BRIDGE, { FIELD_LINK, FIELD_MAC, FIELD_TARGET }, { 0 }, false, false },
};
/* clang-format on */

void fw_elements_done(struct fw_elements *l)
{
	free(l->v);
	*l = (struct fw_elements){ 0 };
}

/* Never NULL: what cannot be kept goes where nobody looks, and l->r tells. */
struct nft_element *fw_element_new(struct fw_elements *l, int set, const char *owner)
{
	static struct fw_element nowhere;
	struct fw_element *grown =
		l->n & (l->n - 1) ? l->v : realloc(l->v, (l->n ? 2 * l->n : 1) * sizeof(*l->v));

	if (!grown) {
		l->r = -ENOMEM;
		nowhere = (struct fw_element){ 0 };
		return &nowhere.el;
	}
	l->v = grown;
	grown[l->n] = (struct fw_element){ .set = set };
	snprintf(grown[l->n].el.comment, NFT_COMMENT_MAX, "%s", owner);
	return &grown[l->n++].el;
}

static void put(uint8_t *bytes, uint8_t *len, const void *part, size_t n)
{
	memcpy(bytes + *len, part, n);
	*len = (uint8_t)(*len + (n + 3) / 4 * 4);
}

void fw_key(struct nft_element *el, const void *from, const void *to, size_t n)
{
	put(el->key, &el->key_len, from, n);
	if (to)
		put(el->end, &el->end_len, to, n);
}

void fw_data(struct nft_element *el, const void *data, size_t n)
{
	put(el->data, &el->data_len, data, n);
}

/* --- parts of keys */

static void key_link(struct nft_element *el, const char *name, bool range)
{
	char padded[NET_IFNAME_MAX] = "";

	memcpy(padded, name, strnlen(name, sizeof(padded) - 1));
	fw_key(el, padded, range ? padded : NULL, sizeof(padded));
}

static void key_protocol(struct nft_element *el, int protocol)
{
	uint8_t number = protocol == PORT_UDP ? IPPROTO_UDP : IPPROTO_TCP;

	fw_key(el, &number, NULL, sizeof(number));
}

static void key_port(struct nft_element *el, uint32_t port)
{
	uint16_t be = htons((uint16_t)port);

	fw_key(el, &be, NULL, sizeof(be));
}

static int of_family(int set4, int family)
{
	return set4 + (family == AF_INET6);
}

/* --- networks */

static void add_link(struct fw_elements *l, int set, const char *link, const char *owner)
{
	key_link(fw_element_new(l, set, owner), link, false);
}

static void add_subnet(const struct fw_network *n, const char *text, const char *owner, struct fw_elements *l)
{
	struct ip_prefix p;
	struct ip first, last;
	struct nft_element *el;
	uint8_t family;

	if (!text)
		return;
	if (ip_parse_prefix(text, &p) < 0) {
		l->r = -EINVAL;
		return;
	}
	first = ip_first(&p);
	last = ip_last(&p);
	family = p.ip.family == AF_INET6 ? NFPROTO_IPV6 : NFPROTO_IPV4;
	for (int i = 0; i < (n->masquerade && !n->internal ? 2 : 1); i++) {
		el = fw_element_new(l, of_family(i ? FW_MASQUERADE4 : FW_SUBNETS4, p.ip.family), owner);
		fw_key(el, &family, &family, sizeof(family));
		fw_key(el, first.bytes, last.bytes, ip_len(p.ip.family));
	}
	el = fw_element_new(l, of_family(FW_LOCAL4, p.ip.family), owner);
	key_link(el, n->bridge, true);
	fw_key(el, first.bytes, last.bytes, ip_len(p.ip.family));
}

void fw_network_elements(const struct fw_network *n, struct fw_elements *l)
{
	char owner[NFT_COMMENT_MAX];
	struct nft_element *same;

	snprintf(owner, sizeof(owner), "network %s", n->id);
	add_link(l, FW_BRIDGES, n->bridge, owner);
	if (!n->isolate) {
		same = fw_element_new(l, FW_SAME, owner);
		key_link(same, n->bridge, false);
		key_link(same, n->bridge, false);
	}
	if (n->internal)
		add_link(l, FW_INTERNAL, n->bridge, owner);
	add_subnet(n, n->subnet, owner, l);
	add_subnet(n, n->subnet6, owner, l);
}

/* --- instances */

/* The address of a port in one family; false: it has none. */
static bool own_address(const struct fw_port *p, int family, struct ip *ret, struct fw_elements *l)
{
	const char *text = family == AF_INET6 ? p->given->address6 : p->given->address;
	struct ip_prefix prefix;

	if (!text)
		return false;
	if (ip_parse_prefix(text, &prefix) < 0 || prefix.ip.family != family) {
		l->r = -EINVAL;
		return false;
	}
	*ret = prefix.ip;
	return true;
}

static void add_own(const struct fw_port *p, int set, const uint8_t mac[6], const struct ip *ip,
		    struct fw_elements *l)
{
	struct nft_element *el = fw_element_new(l, set, p->instance);

	key_link(el, p->given->link, false);
	fw_key(el, mac, NULL, 6);
	fw_key(el, ip->bytes, NULL, ip_len(ip->family));
}

/* The link-local address that the kernel makes of a MAC (RFC 4291, appendix A). */
static struct ip link_local(const uint8_t mac[6])
{
	struct ip ip = { .family = AF_INET6,
			 .bytes = { 0xfe, 0x80, [8] = mac[0] ^ 2, mac[1], mac[2], 0xff, 0xfe, mac[3], mac[4],
				    mac[5] } };

	return ip;
}

/* What its frames may say about where they come from. */
static void add_identity(const struct fw_port *p, struct fw_elements *l)
{
	struct nft_element *el;
	struct ip own[2];
	uint8_t mac[6];
	size_t n = 0;

	if (!p->given->link)
		return;
	if (!p->given->mac || mac_parse(p->given->mac, mac) < 0) {
		l->r = -EINVAL;
		return;
	}
	add_link(l, FW_PORTS, p->given->link, p->instance);
	el = fw_element_new(l, FW_REFLECTED, p->instance);
	key_link(el, p->given->link, false);
	key_link(el, p->given->link, false);
	el = fw_element_new(l, FW_MACS, p->instance);
	key_link(el, p->given->link, false);
	fw_key(el, mac, NULL, sizeof(mac));
	if (own_address(p, AF_INET, &own[0], l))
		add_own(p, FW_OWN4, mac, &own[0], l);
	own[n++] = link_local(mac);
	if (own_address(p, AF_INET6, &own[1], l))
		n++;
	for (size_t i = 0; i < n; i++) {
		add_own(p, FW_OWN6, mac, &own[i], l);
		add_own(p, FW_TARGET6, mac, &own[i], l);
	}
}

/* [::1] has a relay: Linux routes nothing out of it. */
void fw_published_elements(const struct fw_port *p, const struct published_port *pub, struct fw_elements *l)
{
	struct nft_element *el;
	struct ip host, own;
	uint16_t port = htons((uint16_t)pub->port);

	if (ip_parse(pub->host_ip, &host) < 0) {
		l->r = -EINVAL;
		return;
	}
	if (!own_address(p, host.family, &own, l) || (host.family == AF_INET6 && ip_is_loopback(&host)))
		return;
	el = fw_element_new(l, of_family(ip_is_any(&host) ? FW_PUBLISHED_ANY4 : FW_PUBLISHED4, host.family),
			    p->instance);
	key_protocol(el, pub->protocol);
	if (!ip_is_any(&host))
		fw_key(el, host.bytes, NULL, ip_len(host.family));
	key_port(el, pub->host_port);
	fw_data(el, own.bytes, ip_len(own.family));
	fw_data(el, &port, sizeof(port));
}

void fw_egress_element(const struct fw_port *p, const struct ip *to, uint64_t ttl_ms, struct fw_elements *l)
{
	struct nft_element *el;
	struct ip own;

	if (!own_address(p, to->family, &own, l))
		return;
	el = fw_element_new(l, of_family(FW_EGRESS4, to->family), p->instance);
	fw_key(el, own.bytes, NULL, ip_len(own.family));
	fw_key(el, to->bytes, NULL, ip_len(to->family));
	el->timeout_ms = ttl_ms;
}

static bool is_limited(const struct fw_port *p)
{
	return p->egress && !p->egress_learn;
}

void fw_port_elements(const struct fw_port *p, struct fw_elements *l)
{
	static const int families[] = { AF_INET, AF_INET6 };

	add_identity(p, l);
	if (p->given->link && (p->n_rules || is_limited(p)))
		add_link(l, FW_RULED, p->given->link, p->instance);
	for (size_t i = 0; i < p->n_published; i++)
		fw_published_elements(p, &p->published[i], l);
	for (size_t i = 0; i < 2; i++) {
		struct ip own;

		if (!own_address(p, families[i], &own, l))
			continue;
		fw_rule_elements(p, &own, l);
		if (is_limited(p))
			fw_key(fw_element_new(l, of_family(FW_LIMITED4, own.family), p->instance), own.bytes,
			       NULL, ip_len(own.family));
	}
}

void fw_model_elements(const struct fw_model *m, struct fw_elements *l)
{
	for (size_t i = 0; i < m->n_networks; i++)
		fw_network_elements(&m->networks[i], l);
	for (size_t i = 0; i < m->n_ports; i++)
		fw_port_elements(&m->ports[i], l);
	for (size_t i = 0; m->guard && i < m->apart.n; i++)
		add_link(l, FW_APART, m->apart.v[i], "forwarding");
}
