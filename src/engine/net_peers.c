/* net_peers.c - peers of rules that are names become addresses: of the instance of that name on the same network, else of
 * the network
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/ip.h"
#include "engine/net_int.h"
#include "network/rule.h"

#define NOBODY                                                                                               \
	"0.0.0.0/32" /* no packet comes from there: so a name that nobody has holds for nobody, and is still a rule */

void net_peers_done(struct net_peers *p)
{
	free(p->rules);
	strv_done(&p->words);
	*p = (struct net_peers){ 0 };
}

bool net_has_named_peers(const struct lease *l)
{
	for (size_t i = 0; i < l->n_rules; i++)
		if (l->rules[i].peer && !rule_peer_is_address(&l->rules[i]))
			return true;
	return false;
}

static int add(struct net_peers *p, const struct net_rule *like, char *peer)
{
	struct net_rule *grown = reallocarray(p->rules, p->n + 1, sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	p->rules = grown;
	grown[p->n] = *like;
	grown[p->n++].peer = peer;
	return 0;
}

/* text: with a prefix, or NULL; alone: the one address. */
static int add_address(struct net_peers *p, const struct net_rule *like, const char *text, bool alone)
{
	struct ip_prefix prefix;
	char address[IP_TEXT_MAX];

	if (!text || ip_parse_prefix(text, &prefix) < 0)
		return 0;
	if (alone)
		prefix.bits = ip_bits(prefix.ip.family);
	if (strv_add(&p->words, ip_print_prefix(&prefix, address)) < 0)
		return -ENOMEM;
	return add(p, like, p->words.v[p->words.n - 1]);
}

static int add_named(const struct lease *l, const struct net_rule *rule, const struct net_known *k,
		     struct net_peers *p)
{
	size_t before = p->n;
	int r = 0;

	for (size_t i = 0; i < k->n_leases && r == 0; i++) {
		const struct lease *other = &k->leases[i];

		if (strcmp(other->network, l->network) != 0 || !strv_has(&other->names, rule->peer))
			continue;
		r = add_address(p, rule, other->port.address, true);
		if (r == 0)
			r = add_address(p, rule, other->port.address6, true);
	}
	for (size_t i = 0; i < k->n_networks && r == 0 && p->n == before; i++) {
		if (strcmp(k->networks[i].name, rule->peer) != 0)
			continue;
		r = add_address(p, rule, k->networks[i].v4.subnet, false);
		if (r == 0)
			r = add_address(p, rule, k->networks[i].v6.subnet, false);
	}
	return r == 0 && p->n == before ? add_address(p, rule, NOBODY, true) : r;
}

int net_peers_resolve(const struct lease *l, const struct net_known *k, struct net_peers *ret)
{
	int r = 0;

	*ret = (struct net_peers){ 0 };
	for (size_t i = 0; i < l->n_rules && r == 0; i++) {
		const struct net_rule *rule = &l->rules[i];

		if (!rule->peer || rule_peer_is_address(rule))
			r = add(ret, rule, rule->peer);
		else
			r = add_named(l, rule, k, ret);
	}
	return r;
}
