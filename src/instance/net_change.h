/* net_change.h - what MSG_NETWORK carries: the instance comes onto a network, or leaves one, while it runs
 *
 * The host's side is done by the engine; this is for the guest of a virtual machine, which gives a card that it has to spare
 * its name and addresses, or lets it go.  Of a card that is on its network already it takes the default routes alone.
 */
#ifndef INSTANCE_NET_CHANGE_H
#define INSTANCE_NET_CHANGE_H

#include "base/err.h"
#include "instance/net_spec.h"

struct net_change {
	bool leave;
	struct net_port port; /* its card is known by its mac, all that is needed to leave */
};

extern const struct jtable net_change_table;

/* Parses and checks one. */
int net_change_parse(const char *text, size_t n, struct net_change *ret, struct err *e);

#endif
