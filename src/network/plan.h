/* plan.h - the address plan of a network: which subnet is free, which address is given next; pure */
#ifndef NETWORK_PLAN_H
#define NETWORK_PLAN_H

#include "base/err.h"
#include "base/ip.h"
#include "network/network.h"

/* Addresses that are somebody's: another network's, or those that a route of the host leads to. */
struct plan_taken {
	struct ip_prefix net;
	char by[64]; /* "network web", "a route of this host" */
};

/* Checks what was asked of a new network and completes it: subnets (want_v4, want_v6: also where none is given), gateways,
 * the name of its bridge.  Its id, name and driver are set. */
int plan_network(struct network *n, bool want_v4, bool want_v6, const struct plan_taken *taken,
		 size_t n_taken, struct err *e);

/* The next free address of a pool, neither its gateway nor, where it has none, the first: that is only given to who asks
 * for it.  used: ascending.  -ENOSPC. */
int plan_address(const struct network_pool *pool, const struct ip *used, size_t n_used, struct ip *ret);
/* May an instance have this address: in the subnet, not its first (nor last, IPv4), not the gateway? */
int plan_check_address(const struct network *n, const struct ip *ip, const char *flag, struct err *e);
/* The hardware address that goes with an address: Docker's 02:42 and the four bytes; of IPv6 the last four. */
void plan_mac(const struct ip *ip, uint8_t ret[6]);

#endif
