/* rtnetlink.c - links, addresses and routes of a network namespace: what is made and changed */
#include "sys/rtnetlink.h"

#include <linux/if_addr.h>
#include <linux/if_bridge.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <string.h>
#include <sys/socket.h>

#define NEW (NLM_F_CREATE | NLM_F_EXCL)

static struct ifinfomsg link_header(const struct rt_link *l)
{
	return (struct ifinfomsg){
		.ifi_index = l->index,
		.ifi_flags = l->up ? IFF_UP : 0,
		.ifi_change = l->up || l->down ? IFF_UP : 0,
	};
}

static void put_link(struct nl_batch *b, const struct rt_link *l)
{
	if (l->name)
		nl_put_string(b, IFLA_IFNAME, l->name);
	if (l->mac)
		nl_put(b, IFLA_ADDRESS, l->mac, 6);
	if (l->mtu)
		nl_put_u32(b, IFLA_MTU, l->mtu);
	if (l->master)
		nl_put_u32(b, IFLA_MASTER, l->master > 0 ? (uint32_t)l->master : 0);
	if (l->netns_fd)
		nl_put_u32(b, IFLA_NET_NS_FD, (uint32_t)l->netns_fd);
}

static void link_message(struct nl_batch *b, unsigned type, unsigned flags, const struct rt_link *l)
{
	struct ifinfomsg h = link_header(l);

	nl_message(b, type, flags, &h, sizeof(h));
	put_link(b, l);
}

/* An alias is not taken with a new link. */
static void put_alias(struct nl_batch *b, const struct rt_link *l)
{
	const struct ifinfomsg h = { .ifi_index = l->index };

	if (!l->alias)
		return;
	nl_message(b, RTM_NEWLINK, 0, &h, sizeof(h));
	if (!l->index)
		nl_put_string(b, IFLA_IFNAME, l->name);
	nl_put(b, IFLA_IFALIAS, l->alias, strlen(l->alias));
}

/* IFLA_LINKINFO up to its data, whose attributes follow. */
struct kind {
	size_t info, data;
};

static struct kind kind_begin(struct nl_batch *b, const char *kind)
{
	struct kind k = { .info = nl_nest(b, IFLA_LINKINFO) };

	nl_put(b, IFLA_INFO_KIND, kind, strlen(kind));
	k.data = nl_nest(b, IFLA_INFO_DATA);
	return k;
}

static void kind_end(struct nl_batch *b, struct kind k)
{
	nl_nest_end(b, k.data);
	nl_nest_end(b, k.info);
}

void rt_veth_new(struct nl_batch *b, const struct rt_link *host, const struct rt_link *peer)
{
	struct ifinfomsg h = link_header(peer);
	struct kind k;
	size_t nest;

	link_message(b, RTM_NEWLINK, NEW, host);
	k = kind_begin(b, "veth");
	nest = nl_nest(b, VETH_INFO_PEER);
	nl_append(b, &h, sizeof(h));
	put_link(b, peer);
	nl_nest_end(b, nest);
	kind_end(b, k);
	put_alias(b, host);
}

void rt_bridge_new(struct nl_batch *b, const struct rt_link *l)
{
	struct kind k;

	link_message(b, RTM_NEWLINK, NEW, l);
	k = kind_begin(b, "bridge");
	nl_put_u32(b, IFLA_BR_STP_STATE, 0);
	nl_put_u32(b, IFLA_BR_FORWARD_DELAY, 0);
	kind_end(b, k);
	put_alias(b, l);
}

void rt_macvlan_new(struct nl_batch *b, const struct rt_link *l, const struct rt_macvlan *m)
{
	struct kind k;

	link_message(b, RTM_NEWLINK, NEW, l);
	nl_put_u32(b, IFLA_LINK, (uint32_t)m->parent);
	k = kind_begin(b, m->tap ? "macvtap" : "macvlan");
	nl_put_u32(b, IFLA_MACVLAN_MODE, m->apart ? MACVLAN_MODE_PRIVATE : MACVLAN_MODE_BRIDGE);
	kind_end(b, k);
	put_alias(b, l);
}

void rt_vlan_new(struct nl_batch *b, const struct rt_link *l, int parent, uint16_t vlan)
{
	struct kind k;

	link_message(b, RTM_NEWLINK, NEW, l);
	nl_put_u32(b, IFLA_LINK, (uint32_t)parent);
	k = kind_begin(b, "vlan");
	nl_put_u16(b, IFLA_VLAN_ID, vlan);
	kind_end(b, k);
	put_alias(b, l);
}

void rt_ifb_new(struct nl_batch *b, const struct rt_link *l)
{
	link_message(b, RTM_NEWLINK, NEW, l);
	kind_end(b, kind_begin(b, "ifb"));
	put_alias(b, l);
}

void rt_link_change(struct nl_batch *b, const struct rt_link *l)
{
	link_message(b, RTM_NEWLINK, 0, l);
	if (l->alias)
		nl_put(b, IFLA_IFALIAS, l->alias, strlen(l->alias));
}

void rt_link_remove(struct nl_batch *b, const struct rt_link *l)
{
	link_message(b, RTM_DELLINK, 0,
		     &(struct rt_link){ .index = l->index, .name = l->index ? NULL : l->name });
}

static void change_port(struct nl_batch *b, int index, unsigned attribute, bool on)
{
	struct ifinfomsg h = { .ifi_family = AF_BRIDGE, .ifi_index = index };
	size_t nest;

	nl_message(b, RTM_SETLINK, 0, &h, sizeof(h));
	nest = nl_nest(b, IFLA_PROTINFO);
	nl_put_u8(b, attribute, on);
	nl_nest_end(b, nest);
}

void rt_port_isolate(struct nl_batch *b, int index, bool on)
{
	change_port(b, index, IFLA_BRPORT_ISOLATED, on);
}

void rt_port_hairpin(struct nl_batch *b, int index, bool on)
{
	change_port(b, index, IFLA_BRPORT_MODE, on);
}

void rt_bridge_nf_call(struct nl_batch *b, int index, bool on)
{
	struct kind k;

	link_message(b, RTM_NEWLINK, 0, &(struct rt_link){ .index = index });
	k = kind_begin(b, "bridge");
	nl_put_u8(b, IFLA_BR_NF_CALL_IPTABLES, on);
	nl_put_u8(b, IFLA_BR_NF_CALL_IP6TABLES, on);
	kind_end(b, k);
}

static void put_ip(struct nl_batch *b, unsigned type, const struct ip *ip)
{
	nl_put(b, type, ip->bytes, ip_len(ip->family));
}

static void address_message(struct nl_batch *b, unsigned type, unsigned flags, int index,
			    const struct ip_prefix *a)
{
	struct ifaddrmsg h = { .ifa_family = (uint8_t)a->ip.family,
			       .ifa_prefixlen = (uint8_t)a->bits,
			       .ifa_flags = IFA_F_NODAD,
			       .ifa_index = (uint32_t)index };
	struct ip broadcast = ip_last(a);

	nl_message(b, type, flags, &h, sizeof(h));
	put_ip(b, IFA_LOCAL, &a->ip);
	put_ip(b, IFA_ADDRESS, &a->ip);
	if (a->ip.family == AF_INET && a->bits < 31)
		put_ip(b, IFA_BROADCAST, &broadcast);
}

void rt_address_add(struct nl_batch *b, int index, const struct ip_prefix *a)
{
	address_message(b, RTM_NEWADDR, NEW, index, a);
}

void rt_address_remove(struct nl_batch *b, int index, const struct ip_prefix *a)
{
	address_message(b, RTM_DELADDR, 0, index, a);
}

static void route_message(struct nl_batch *b, unsigned type, unsigned flags, const struct rt_route *r)
{
	struct rtmsg h = { .rtm_family = (uint8_t)r->to.ip.family,
			   .rtm_dst_len = (uint8_t)r->to.bits,
			   .rtm_table = RT_TABLE_MAIN,
			   .rtm_protocol = RTPROT_BOOT,
			   .rtm_scope = r->via.family ? RT_SCOPE_UNIVERSE : RT_SCOPE_LINK,
			   .rtm_type = RTN_UNICAST };
	struct ip to = ip_first(&r->to);

	if (type == RTM_DELROUTE)
		h.rtm_scope = RT_SCOPE_NOWHERE; /* whichever it has */
	nl_message(b, type, flags, &h, sizeof(h));
	if (r->to.bits)
		put_ip(b, RTA_DST, &to);
	if (r->via.family)
		put_ip(b, RTA_GATEWAY, &r->via);
	if (r->index)
		nl_put_u32(b, RTA_OIF, (uint32_t)r->index);
	if (r->metric)
		nl_put_u32(b, RTA_PRIORITY, r->metric);
}

void rt_route_add(struct nl_batch *b, const struct rt_route *r)
{
	route_message(b, RTM_NEWROUTE, NEW, r);
}

void rt_route_remove(struct nl_batch *b, const struct rt_route *r)
{
	route_message(b, RTM_DELROUTE, 0, r);
}
