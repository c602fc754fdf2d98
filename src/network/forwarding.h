/* forwarding.h - what the host must be for networks: it forwards, its bridges route 127.0.0.0/8, Docker lets us pass
 *
 *	RUN_ROOT/networks/forwarding-ipv4, -ipv6   the interfaces that were there when we switched forwarding on
 *
 * A host that was no router does not become one: between the interfaces of that list, and hardware that comes later, the
 * rule set drops what is forwarded (struct fw_model, apart).
 */
#ifndef NETWORK_FORWARDING_H
#define NETWORK_FORWARDING_H

#include "network/firewall.h"

/* Switches forwarding on where it is off.  dir_fd: RUN_ROOT/networks.  m->guard and m->apart (empty before) tell where
 * the host was no router. */
int forwarding_ensure(int dir_fd, bool ipv6, struct fw_model *m, struct err *e);
/* The same without changing anything. */
int forwarding_read(int dir_fd, struct fw_model *m, struct err *e);
/* No network needs it any more: switches off what we switched on, unless interfaces have come since that are not for us to
 * judge (another engine's, a VPN's).  1: it is as it was before us; 0: it stays on, and so must the rule set. */
int forwarding_restore(int dir_fd, struct err *e);

/* What a bridge of ours needs of the kernel: route_localnet, and with bridge_filter that its frames pass the inet family.
 * rt: of nl_open(NETLINK_ROUTE).  -ENOTSUP: there is no br_netfilter. */
int forwarding_bridge(int rt, const struct fw_network *n, struct err *e);

/* The port of a bridge on which something is published: where the frames of bridges pass the inet family (our doing, or
 * Docker's for all of them) what an instance sends to its own published port leaves by the port that it came from. */
int forwarding_port(int rt, const char *link, struct err *e);

/* Docker's FORWARD policy drops what is not its own; its chain DOCKER-USER is its door for others.  Where that is, the
 * bridges are accepted there: what may pass is for our own chains to say, but into Docker's bridges (docker0, br-...) it is
 * for Docker's. */
int docker_user_ensure(const struct fw_network *networks, size_t n, struct err *e);

/* firewalld rejects what comes through interfaces that it does not know: where it runs our bridges are in its zone `trusted`,
 * unless somebody has put them into another.  What it refuses is a warning. */
void firewalld_ensure(const struct fw_network *networks, size_t n);

/* What is left of a network that goes in Docker's chain and firewalld's zone. */
void forwarding_forget(const struct fw_network *n);

/* All of that and the rule set: whole, as firewall_ensure.  m: guard and apart are filled in here, the caller frees apart. */
int forwarding_host(struct firewall *fw, int dir_fd, int rt, struct fw_model *m, size_t *ret_mended,
		    struct err *e);

#endif
