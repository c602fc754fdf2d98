/* network.h - networks as commands ask for them: made, listed, removed; instances come onto them and leave
 *
 *	ROOT/ketch.db             tables network, lease (network/network.h, network/lease.h)
 *	RUN_ROOT/networks/lock    held while links, leases, rules and names are changed
 *	RUN_ROOT/networks/ID/     what its name service works with (network/names.h)
 */
#ifndef ENGINE_NETWORK_H
#define ENGINE_NETWORK_H

#include "engine/engine.h"
#include "network/lease.h"
#include "network/network.h"

/* What was asked of a new network, as text.  NULL, empty: not given. */
struct network_request {
	char *name, *driver;
	struct strv subnets, gateways, ranges; /* at most one of each family */
	bool no_ipv4, ipv6, internal, isolate;
	struct strv options, labels, dns;
};

/* *ret by network_done.  -EEXIST. */
int network_create(struct engine *en, const struct network_request *rq, struct network *ret, struct err *e);
/* By name, id or unique prefix of the id. */
int network_find(struct engine *en, const char *name, struct network *ret, struct err *e);
/* By name; those that every store has among them. */
int network_list(struct engine *en, struct network **ret, size_t *ret_n, struct err *e);
/* -EBUSY: "network x has active endpoints". */
int network_remove(struct engine *en, const char *name, struct err *e);
/* What instances that run have on a network; those of others have gone before. */
int network_ports(struct engine *en, const struct network *n, struct lease **ret, size_t *ret_n,
		  struct err *e);
/* How many ports are ready in its pool. */
int network_pool_ready(struct engine *en, const struct network *n, uint32_t *ret, struct err *e);
/* Fills in what a running instance was given: addresses, and ports of the host that were chosen. */
int network_fill(struct engine *en, struct instance *in, struct err *e);

/* An instance comes onto a network: at once where it runs, else with its next start.  rq: its addresses and aliases. */
int network_connect(struct engine *en, const char *network, const struct instance *in,
		    const struct net_request *rq, struct err *e);
/* force: what is wrong with the instance does not matter. */
int network_disconnect(struct engine *en, const char *network, const struct instance *in, bool force,
		       struct err *e);
/* Ports are published: at once where it runs, else with its next start.  rq: publish, publish_address.  All or
 * none.  *ret->ports (by json_done of net_spec_table): these, with the host
 * ports that were chosen.  -EADDRINUSE names who has it. */
int network_publish(struct engine *en, const struct instance *in, const struct net_request *rq,
		    struct net_spec *ret, struct err *e);
/* The other way round; what is connected stays so.  A spec without a port of the host means all that lead to its own.
 * -ENOENT: one of them is not published. */
int network_unpublish(struct engine *en, const struct instance *in, const struct net_request *rq,
		      struct err *e);
/* Rows, rules and names of an instance that does not run any more go; nothing is done where there are none. */
int network_release(struct engine *en, const char *instance, struct err *e);

#endif
