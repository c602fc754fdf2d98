/* net_port.h - an interface becomes what a port was given: its name, addresses and routes, in the instance's own network
 *
 * The same for the end of a veth pair that a container gets and for a card of a virtual machine, where ketch-guest does
 * it.
 */
#ifndef INSTANCE_NET_PORT_H
#define INSTANCE_NET_PORT_H

#include "base/err.h"
#include "instance/net_spec.h"
#include "sys/rtnetlink.h"

/* What a port has, out of its texts.  family 0: none. */
struct net_port_addresses {
	struct ip_prefix address, address6;
	struct ip gateway, gateway6;
};

/* Pure.  0 or -EINVAL with the text that is none: a card's address, a name, an address ... */
int net_port_check_mac(const struct net_port *p, struct err *e);
int net_port_parse(const struct net_port *p, struct net_port_addresses *ret, struct err *e);

/* Appends all that makes the link (down so far) the port: MTU, up, addresses, default routes.  a: of net_port_parse. */
void net_port_put(struct nl_batch *b, int index, const struct net_port *p,
		  const struct net_port_addresses *a);

/* Files of /proc/sys/net/ipv6/conf/NAME, before the link is up: nobody's advertisement is believed, an address is there at
 * once, and a port without an address of this family has none at all.  A kernel without IPv6 is no error. */
int net_port_set_ipv6(const struct net_port *p, const char *link, struct err *e);

#endif
