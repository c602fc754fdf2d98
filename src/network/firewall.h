/* firewall.h - the rule set of a store: one nft table of family inet, one of family bridge (docs/design/010)
 *
 * What stands in it is made from a model, which is made from the records; nothing is ever read back from it but whether it
 * is whole.  Chains and rules are put there once, by one `nft -f`; instances are elements of maps and sets, a netlink
 * transaction each.
 */
#ifndef NETWORK_FIREWALL_H
#define NETWORK_FIREWALL_H

#include "base/err.h"
#include "instance/net_spec.h"

struct fw_network {
	char id[33];
	char bridge[NET_IFNAME_MAX];
	const char *subnet, *subnet6; /* CIDR; NULL: none of this family */
	bool internal; /* nothing is forwarded out of it or into it */
	bool masquerade;
	bool bridge_filter; /* an instance on it has rules: frames between its ports pass the inet family, too */
};

/* One attachment of a running instance. */
struct fw_port {
	const char *instance; /* id, in the comment of its elements */
	const struct fw_network *network;
	const struct net_port *given;
	const struct published_port *published; /* on its first attachment only */
	size_t n_published;
	const struct net_rule *rules; /* peers that are names are resolved by the caller into CIDRs */
	size_t n_rules;
	bool egress; /* only what egress sets hold may be reached outside */
	bool egress_learn;
};

struct fw_model {
	const char *table; /* "ketch", "ketch-1a2b3c4d" */
	struct fw_network *networks;
	size_t n_networks;
	struct fw_port *ports;
	size_t n_ports;
};

/* Is the table there as the model says?  Puts it back whole if not.  -ENOENT: no nft on the host; -EPERM. */
int firewall_ensure(const struct fw_model *m, struct err *e);
/* Elements of one port, in one transaction.  Removing what is not there is no error. */
int firewall_port_add(const char *table, const struct fw_port *p, struct err *e);
int firewall_port_remove(const char *table, const struct fw_port *p, struct err *e);
/* One published port of a running instance. */
int firewall_publish(const char *table, const struct fw_port *p, const struct published_port *pub, bool add,
		     struct err *e);
/* Takes the tables away: the last network of the store has gone. */
int firewall_remove(const char *table, struct err *e);

#endif
