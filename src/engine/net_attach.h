/* net_attach.h - one instance comes onto one network, or leaves it */
#ifndef ENGINE_NET_ATTACH_H
#define ENGINE_NET_ATTACH_H

#include "engine/net_int.h"

/* One change of one instance. */
struct net_attach {
	struct engine *en;
	struct instance *in; /* ours, with what it was given */
	struct net_work w;
	struct network n;
	size_t index; /* of the attachment */
	int under; /* of port_network_ensure */
};

/* net_running.c: the attachment `index` gets a lease, a port and its rules now; all or nothing. */
int net_connect_running(struct net_attach *c, struct err *e);
/* The ports on this network go now; force: also where the guest does not give its card back. */
int net_disconnect_running(struct net_attach *c, bool force, struct err *e);

#endif
