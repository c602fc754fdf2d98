/* network.h - networks of a store: what one is, and its record
 *
 *	ROOT/ketch.db   tables network, lease (network/lease.h)
 *
 * A network is its record; its bridge is made with it, and again by the first start after the host came up.
 */
#ifndef NETWORK_NETWORK_H
#define NETWORK_NETWORK_H

#include "base/err.h"
#include "base/json.h"
#include "base/strv.h"
#include "db/db.h"
#include "instance/net_spec.h"

#define NETWORK_ID_LEN	32
#define NETWORK_DEFAULT "bridge"

enum network_driver { DRIVER_BRIDGE, DRIVER_MACVLAN, DRIVER_HOST, DRIVER_NONE, DRIVER_N };
extern const char *const network_driver_names[]; /* "bridge", "macvlan", "host", "null", NULL */

/* What Docker calls an IPAM config.  All text; NULL: none. */
struct network_pool {
	char *subnet; /* "10.88.0.0/16": the network has this family */
	char *gateway; /* "10.88.0.1": an address of the bridge; of macvlan: of a router outside, NULL: none */
	char *range; /* addresses are given out of this part */
};

struct network {
	char *id; /* 32 hex digits */
	char *name;
	int driver; /* enum network_driver */
	struct network_pool v4, v6;
	bool internal; /* nothing is forwarded out of it or into it */
	bool isolate; /* its instances do not reach each other */
	uint32_t mtu; /* 0: the kernel's */
	uint32_t vlan; /* 0: none; of macvlan: the tag of its frames on the parent */
	uint32_t pool; /* so many ports of containers are kept ready (pool.h) while an instance is on it */
	char *parent; /* of macvlan: an interface of the host */
	char *bridge; /* its own interface; NULL: it has none */
	struct strv dns; /* resolvers; none: those of the host */
	struct strv labels, options; /* "key=value" */
	int64_t created_ns;
};
extern const struct jtable network_table;

void network_done(struct network *n);
void networks_free(struct network *n, size_t count);
/* Is it one of those that every store has: bridge, host, none? */
bool network_is_default(const struct network *n);
/* Do its instances have interfaces? */
bool network_has_ports(const struct network *n);

/* --- records */
int network_record_init(struct db *db, struct err *e);
/* -EEXIST: the name is taken. */
int network_record_add(struct db *db, const struct network *n, struct err *e);
/* By name, id or unique prefix of the id; -ENOENT "network x not found". */
int network_record_find(struct db *db, const char *name, struct network *ret, struct err *e);
/* By name. */
int network_record_list(struct db *db, struct network **ret, size_t *ret_n, struct err *e);
int network_record_remove(struct db *db, const char *id, struct err *e);

#endif
