/* rtnetlink_list.c - links, addresses and routes of a network namespace: what is there */
#include <errno.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "sys/rtnetlink.h"

#define DUMP_TRIES 5 /* each begins anew because something changed meanwhile */

/* Answers become elements of one array. */
struct list {
	char *v;
	size_t n, size; /* elements, bytes of one */
	bool (*read)(void *element, const struct nlmsghdr *m); /* false: not one that is wanted */
};

static int take(void *arg, const struct nlmsghdr *m)
{
	struct list *l = arg;
	char *grown = l->n & (l->n - 1) ? l->v : realloc(l->v, (l->n ? l->n * 2 : 1) * l->size);

	if (!grown)
		return -ENOMEM;
	l->v = grown;
	memset(l->v + l->n * l->size, 0, l->size);
	if (l->read(l->v + l->n * l->size, m))
		l->n++;
	return 0;
}

static int dump(int fd, unsigned type, struct list *l)
{
	int r = -EAGAIN;

	for (int i = 0; i < DUMP_TRIES && r == -EAGAIN; i++) {
		struct nl_batch b = { 0 };
		struct ifinfomsg h = { 0 }; /* the longest of the three headers, which begin with a family */

		l->n = 0;
		nl_message(&b, type, NLM_F_DUMP, &h, type == RTM_GETLINK ? sizeof(h) : sizeof(struct rtmsg));
		r = nl_ask(fd, &b, take, l, NULL);
	}
	if (r < 0) {
		free(l->v);
		l->v = NULL;
	}
	return r;
}

static bool has_header(const struct nlmsghdr *m, unsigned type, size_t len)
{
	return m->nlmsg_type == type && m->nlmsg_len >= NLMSG_LENGTH(len);
}

static bool read_link(void *element, const struct nlmsghdr *m)
{
	const struct ifinfomsg *h = NLMSG_DATA(m);
	struct nl_attrs a = nl_message_attrs(m, sizeof(*h));
	struct rt_link_info *l = element;
	const struct nlattr *mac;

	if (!has_header(m, RTM_NEWLINK, sizeof(*h)))
		return false;
	l->index = h->ifi_index;
	l->up = h->ifi_flags & IFF_UP;
	l->master = (int)nl_get_u32(a, IFLA_MASTER);
	l->parent = (int)nl_get_u32(a, IFLA_LINK);
	l->mtu = nl_get_u32(a, IFLA_MTU);
	nl_get_string(a, IFLA_IFNAME, l->name, sizeof(l->name));
	nl_get_string(a, IFLA_IFALIAS, l->alias, sizeof(l->alias));
	nl_get_string(nl_nested(nl_find(a, IFLA_LINKINFO)), IFLA_INFO_KIND, l->kind, sizeof(l->kind));
	mac = nl_find(a, IFLA_ADDRESS);
	if (mac && nl_len(mac) >= sizeof(l->mac))
		memcpy(l->mac, nl_data(mac), sizeof(l->mac));
	return true;
}

static int take_link(void *arg, const struct nlmsghdr *m)
{
	*(struct rt_link_info *)arg = (struct rt_link_info){ 0 };
	return read_link(arg, m) ? 0 : -EPROTO;
}

int rt_link_find(int fd, const char *name, struct rt_link_info *ret)
{
	struct nl_batch b = { 0 };
	struct ifinfomsg h = { 0 };

	nl_message(&b, RTM_GETLINK, 0, &h, sizeof(h));
	nl_put_string(&b, IFLA_IFNAME, name);
	return nl_ask(fd, &b, take_link, ret, NULL);
}

int rt_links(int fd, struct rt_link_info **ret, size_t *ret_n)
{
	struct list l = { .size = sizeof(**ret), .read = read_link };
	int r = dump(fd, RTM_GETLINK, &l);

	if (r < 0)
		return r;
	*ret = (struct rt_link_info *)(void *)l.v;
	*ret_n = l.n;
	return 0;
}

static bool read_ip(struct nl_attrs a, unsigned type, int family, struct ip *ret)
{
	const struct nlattr *at = nl_find(a, type);

	if (!at || nl_len(at) != ip_len(family))
		return false;
	ret->family = family;
	memcpy(ret->bytes, nl_data(at), ip_len(family));
	return true;
}

static bool is_ip(int family)
{
	return family == AF_INET || family == AF_INET6;
}

static bool read_address(void *element, const struct nlmsghdr *m)
{
	const struct ifaddrmsg *h = NLMSG_DATA(m);
	struct nl_attrs a = nl_message_attrs(m, sizeof(*h));
	struct rt_address_info *i = element;

	if (!has_header(m, RTM_NEWADDR, sizeof(*h)) || !is_ip(h->ifa_family))
		return false;
	i->index = (int)h->ifa_index;
	i->address.bits = h->ifa_prefixlen;
	return read_ip(a, IFA_LOCAL, h->ifa_family, &i->address.ip) ||
	       read_ip(a, IFA_ADDRESS, h->ifa_family, &i->address.ip);
}

int rt_addresses(int fd, struct rt_address_info **ret, size_t *ret_n)
{
	struct list l = { .size = sizeof(**ret), .read = read_address };
	int r = dump(fd, RTM_GETADDR, &l);

	if (r < 0)
		return r;
	*ret = (struct rt_address_info *)(void *)l.v;
	*ret_n = l.n;
	return 0;
}

static bool read_route(void *element, const struct nlmsghdr *m)
{
	const struct rtmsg *h = NLMSG_DATA(m);
	struct nl_attrs a = nl_message_attrs(m, sizeof(*h));
	struct rt_route *r = element;

	if (!has_header(m, RTM_NEWROUTE, sizeof(*h)) || !is_ip(h->rtm_family) ||
	    h->rtm_table != RT_TABLE_MAIN)
		return false;
	r->to = (struct ip_prefix){ .ip.family = h->rtm_family, .bits = h->rtm_dst_len };
	if (h->rtm_dst_len && !read_ip(a, RTA_DST, h->rtm_family, &r->to.ip))
		return false;
	read_ip(a, RTA_GATEWAY, h->rtm_family, &r->via);
	r->index = (int)nl_get_u32(a, RTA_OIF);
	r->metric = nl_get_u32(a, RTA_PRIORITY);
	return true;
}

int rt_routes(int fd, struct rt_route **ret, size_t *ret_n)
{
	struct list l = { .size = sizeof(**ret), .read = read_route };
	int r = dump(fd, RTM_GETROUTE, &l);

	if (r < 0)
		return r;
	*ret = (struct rt_route *)(void *)l.v;
	*ret_n = l.n;
	return 0;
}
