/* macvlan.h - networks of driver macvlan: their instances share the wire of an interface of the host
 *
 * Such a network has no bridge: what its instances send does not pass this host's network, so no rule of ours sees it.  With
 * a VLAN it has a link of its own on that interface, named after its id, alias as that of a bridge (port.h).
 */
#ifndef NETWORK_MACVLAN_H
#define NETWORK_MACVLAN_H

#include "network/port.h"
#include "sys/netlink.h"

/* The link whose wire is shared: the parent itself, or its VLAN, made unless it is there.  -ENODEV, -ENETDOWN. */
int macvlan_ensure(int rt, const struct network *n, int *ret_index, struct err *e);
/* The link of its VLAN; it may be gone already. */
int macvlan_remove(int rt, const struct network *n, struct err *e);

/* Appends an interface given->name in the namespace; it goes with that.  parent: of macvlan_ensure. */
void macvlan_put(struct nl_batch *b, const struct network *n, int parent, const struct net_port *given,
		 int netns);
/* A macvtap given->link on the host; its descriptor.  It is removed by port_remove. */
int macvlan_tap_add(int rt, const struct network *n, int parent, const char *alias,
		    const struct net_port *given, struct err *e);

#endif
