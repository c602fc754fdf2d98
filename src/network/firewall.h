/* firewall.h - the rule set of a store: one nft table of family inet, one of family bridge (docs/design/010)
 *
 * Chains and rules are always the same; networks and instances are elements of maps and sets.  The whole is put there by
 * one `nft -f`, in one transaction, from a model that is made from the records; afterwards what changes is a netlink
 * transaction of elements.  Each element has its owner in its comment: the id of an instance, or "network ID".
 *
 * Whoever changes it or makes a model holds a lock of the store meanwhile, so that what is put back is never older than
 * what is there.
 */
#ifndef NETWORK_FIREWALL_H
#define NETWORK_FIREWALL_H

#include "base/err.h"
#include "base/ip.h"
#include "base/strv.h"
#include "instance/net_spec.h"

#define FW_TABLE_MAX  24
#define FW_TEXT_BYTES 8

/* The rule set of one store.  Start from its table and fd -1; the socket is opened with the first use.  To close it waits some
 * 10 ms for the kernel, where something was removed: nobody should hold a lock meanwhile. */
struct firewall {
	char table[FW_TABLE_MAX]; /* "ketch", "ketch-1a2b3c4d" */
	int fd;
	bool whole; /* firewall_is_whole said so, of the text with this digest */
	uint8_t text[FW_TEXT_BYTES];
	uint32_t generation; /* the kernel's number of what was looked at, with our own changes since */
};
void firewall_close(struct firewall *fw);

struct fw_network {
	char id[33];
	char bridge[NET_IFNAME_MAX];
	const char *subnet, *subnet6; /* CIDR; NULL: none of this family */
	bool internal; /* nothing is forwarded out of it or into it */
	bool masquerade;
	bool bridge_filter; /* an instance on it has rules: frames between its ports pass the inet family, too */
	bool isolate; /* its ports keep its instances apart, and the gateway is no way round */
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
	bool egress_learn; /* nothing is kept out */
};

enum fw_guard { FW_GUARD4 = 1, FW_GUARD6 = 2 };

struct fw_model {
	const char *table; /* "ketch", "ketch-1a2b3c4d" */
	struct fw_network *networks;
	size_t n_networks;
	struct fw_port *ports;
	size_t n_ports;
	unsigned guard; /* enum fw_guard: families in which the host was no router (network/forwarding.h) */
	struct strv apart; /* its interfaces then: nothing is forwarded between these */
};

/* The whole as text for `nft -f -`; pure. */
int firewall_script(const struct fw_model *m, struct buf *out, struct err *e);

/* 1: chains and rules are there as they were put there; 0: not, and firewall_ensure has to put them back; -errno. */
int firewall_is_whole(struct firewall *fw, unsigned guard, struct err *e);
/* That they were whole is noted in a directory before the lock is given up, unless somebody else has changed any rule
 * meanwhile; who recalls it first, after the lock was taken, need not look.  Nothing where there is no note, or it is old. */
void firewall_note(const struct firewall *fw, int dir_fd);
void firewall_recall(struct firewall *fw, int dir_fd);
/* Is all there as the model says?  Puts it back whole if chains or rules are not, else adds elements that are missing,
 * and says so: *ret_mended how many (may be NULL).  -ENOENT: no nft on the host; -EPERM. */
int firewall_ensure(struct firewall *fw, const struct fw_model *m, size_t *ret_mended, struct err *e);
/* Takes the tables away: the last network of the store has gone. */
int firewall_remove(struct firewall *fw, struct err *e);

/* Elements of one network (firewall_ensure adds them) or port, in one transaction.  Adding takes the place of what an instance
 * left behind that had the same address or published port; removing what is not there, or is somebody else's by now, is no error. */
int firewall_network_remove(struct firewall *fw, const struct fw_network *n, struct err *e);
int firewall_port_add(struct firewall *fw, const struct fw_port *p, struct err *e);
/* instance and given are enough. */
int firewall_port_remove(struct firewall *fw, const struct fw_port *p, struct err *e);
/* Its rules have changed, or what they mean. */
int firewall_port_rules(struct firewall *fw, const struct fw_port *p, struct err *e);
/* One published port of a running instance. */
int firewall_publish(struct firewall *fw, const struct fw_port *p, const struct published_port *pub, bool add,
		     struct err *e);
/* From now on, for ttl_s seconds, a port with .egress may reach this address outside.  For ketch-net: p needs instance and
 * given. */
int firewall_egress_add(struct firewall *fw, const struct fw_port *p, const struct ip *to, unsigned ttl_s,
			struct err *e);

/* Owners of elements (ids of instances, "network ID") that are in the table, each once; none where there is no table. */
int firewall_owners(struct firewall *fw, struct strv *ret, struct err *e);

#endif
