/* rtnetlink.h - links, addresses and routes of a network namespace
 *
 * Functions that return nothing append a message to a batch, which nl_run has done, all with one call; what they mean is
 * in rtnetlink(7).  A link is known by its index, or where that is 0 by its name.
 */
#ifndef SYS_RTNETLINK_H
#define SYS_RTNETLINK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/ip.h"
#include "sys/netlink.h"

#define RT_NAME_MAX  16 /* IFNAMSIZ: with its NUL */
#define RT_ALIAS_MAX 256

/* What is made or changed.  Zero: not said. */
struct rt_link {
	const char *name;
	int index;
	const char *alias; /* seen by people ("ip link"), and by our audits */
	const uint8_t *mac; /* six bytes */
	uint32_t mtu;
	int master; /* index of its bridge; -1: it leaves the one that it is in */
	int netns_fd; /* moves there (never 0: descriptors of ours are above stdio) */
	bool up, down;
};

/* --- making; two ends of a wire, in one message */
void rt_veth_new(struct nl_batch *b, const struct rt_link *host, const struct rt_link *peer);
/* No spanning tree, no delay. */
void rt_bridge_new(struct nl_batch *b, const struct rt_link *l);
struct rt_macvlan {
	int parent; /* index of the link whose wire it shares */
	bool tap; /* its frames are for a descriptor (tap_open_macvtap) */
	bool apart; /* it does not reach others on this parent (mode private); else they reach each other (mode bridge) */
};
void rt_macvlan_new(struct nl_batch *b, const struct rt_link *l, const struct rt_macvlan *m);
void rt_vlan_new(struct nl_batch *b, const struct rt_link *l, int parent, uint16_t vlan);
/* What is led into it (sys/tc.h) comes back to where it was. */
void rt_ifb_new(struct nl_batch *b, const struct rt_link *l);

/* --- changing.  name with an index: it is renamed (which wants it down on older kernels) */
void rt_link_change(struct nl_batch *b, const struct rt_link *l);
void rt_link_remove(struct nl_batch *b, const struct rt_link *l);
/* Frames from an isolated port of a bridge do not reach other isolated ones. */
void rt_port_isolate(struct nl_batch *b, int index, bool on);
/* A frame may leave by the port that it came from. */
void rt_port_hairpin(struct nl_batch *b, int index, bool on);
/* Frames that a bridge passes on also go through the iptables hooks of the inet family. */
void rt_bridge_nf_call(struct nl_batch *b, int index, bool on);

/* --- addresses and routes.  No duplicate address detection: addresses are given once */
void rt_address_add(struct nl_batch *b, int index, const struct ip_prefix *a);
void rt_address_remove(struct nl_batch *b, int index, const struct ip_prefix *a);
/* to.bits 0: the default route of its family.  via: family 0 is none. */
struct rt_route {
	struct ip_prefix to;
	struct ip via;
	int index;
	uint32_t metric; /* 0: the kernel's */
};
void rt_route_add(struct nl_batch *b, const struct rt_route *r);
void rt_route_remove(struct nl_batch *b, const struct rt_route *r);

/* --- what is there.  fd: of nl_open(NETLINK_ROUTE); lists are freed by free() */
struct rt_link_info {
	int index;
	char name[RT_NAME_MAX], alias[RT_ALIAS_MAX], kind[16]; /* kind "": of hardware, lo */
	int master, parent; /* indexes; 0: none */
	uint8_t mac[6];
	uint32_t mtu;
	bool up;
};
/* -ENODEV: there is none of that name. */
int rt_link_find(int fd, const char *name, struct rt_link_info *ret);
int rt_links(int fd, struct rt_link_info **ret, size_t *ret_n);

struct rt_address_info {
	int index;
	struct ip_prefix address;
};
int rt_addresses(int fd, struct rt_address_info **ret, size_t *ret_n);
/* Of the main table. */
int rt_routes(int fd, struct rt_route **ret, size_t *ret_n);

#endif
