/* port.h - links of the host: the bridge of a network, and on it the ends of instances; or (macvlan.h) a wire of the host's
 *
 * Whose a link is stands in its alias: "ketch network ID", "ketch instance ID" or "ketch pool ID" (of a network).  `rt` is a socket of rtnetlink in the
 * host's network namespace.
 */
#ifndef NETWORK_PORT_H
#define NETWORK_PORT_H

#include "base/err.h"
#include "network/network.h"

#define PORT_ALIAS_NETWORK  "ketch network "
#define PORT_ALIAS_INSTANCE "ketch instance "
#define PORT_ALIAS_POOL	    "ketch pool " /* of a network: nobody has it yet */

/* A network namespace that no process is in yet. */
struct port_netns {
	int fd; /* the namespace */
	int rt; /* a socket in it */
};

/* -EPERM with a sentence that names --network none. */
int port_open_host(struct err *e);

/* What the ports of a network are put on.  The bridge, made with its addresses unless it is there; 1: it is new; -EEXIST: an
 * interface of that name is somebody else's.  Of macvlan: macvlan_ensure. */
int port_network_ensure(int rt, const struct network *n, int *ret_index, struct err *e);
/* It may be gone already. */
int port_network_remove(int rt, const struct network *n, struct err *e);

/* A new namespace, with lo up. */
int port_netns_make(struct port_netns *ret, struct err *e);
/* That of a running instance (fd taken, also on failure). */
int port_netns_open(int fd, struct port_netns *ret, struct err *e);
void port_netns_done(struct port_netns *ns);

/* Of a container.  A pair: given->link on the bridge, given->name in the namespace, with all that was given; of macvlan
 * there is only the latter.  under: of port_network_ensure. */
int port_container_add(int rt, const struct network *n, int under, const char *instance,
		       const struct net_port *given, const struct port_netns *ns, struct err *e);
/* The same for a pair that is there already, as pool.h makes them: given->link, and in the namespace eth0, of that index, with its IPv6 settings.
 * -ENODEV: somebody has taken it away. */
int port_container_adopt(int rt, int bridge, const char *instance, const struct net_port *given, int index,
			 const struct port_netns *ns, struct err *e);
/* Of a machine.  A tap on the bridge (n NULL: on none), or a macvtap; its descriptor. */
int port_machine_add(int rt, const struct network *n, int under, const char *instance,
		     const struct net_port *given, struct err *e);
/* A tap that is there, on the bridge; off it (n NULL). */
int port_tap_move(int rt, const struct network *n, int bridge, const struct net_port *given, struct err *e);
/* It may be gone already.  Waits for the kernel, some 10 ms. */
void port_remove(int rt, const char *link);

#endif
