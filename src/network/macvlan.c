/* macvlan.c - networks of driver macvlan: the wire that they share, and interfaces on it */
#include "network/macvlan.h"

#include <errno.h>
#include <string.h>

#include "base/auto.h"
#include "base/ip.h"
#include "sys/rtnetlink.h"
#include "sys/tap.h"

/* --- the wire */

static int find_parent(int rt, const struct network *n, struct rt_link_info *ret, struct err *e)
{
	int r = rt_link_find(rt, n->parent, ret);

	if (r == -ENODEV)
		return err_set(e, ENODEV, "--opt parent=%s: this host has no such interface", n->parent);
	if (r < 0)
		return err_sys(e, -r, "--opt parent=%s", n->parent);
	if (!ret->up)
		return err_set(e, ENETDOWN, "--opt parent=%s: this interface is down", n->parent);
	return 0;
}

static char *vlan_link(const struct network *n)
{
	return str_printf("kl-%.8s", n->id);
}

static int vlan_make(int rt, const struct network *n, const char *link, int parent, struct err *e)
{
	AUTO(nl_batch_done) struct nl_batch b = { 0 };
	autofree char *alias = str_printf(PORT_ALIAS_NETWORK "%s", n->id);
	struct nl_failure f = { 0 };
	int r;

	if (!alias)
		return err_set(e, ENOMEM, "out of memory");
	rt_vlan_new(&b, &(struct rt_link){ .name = link, .alias = alias, .mtu = n->mtu, .up = true }, parent,
		    (uint16_t)n->vlan);
	r = nl_run(rt, &b, &f);
	if (r == -EOPNOTSUPP)
		return err_set(e, ENOTSUP, "--opt vlan=%u: this host's kernel has no VLANs (module 8021q)",
			       n->vlan);
	return r < 0 ? err_sys(e, -r, "VLAN %u of %s%s%s", n->vlan, n->parent, *f.text ? ": " : "", f.text)
		     : 0;
}

static int vlan_ensure(int rt, const struct network *n, int parent, int *ret_index, struct err *e)
{
	autofree char *link = vlan_link(n);
	struct rt_link_info l;
	int r = link ? rt_link_find(rt, link, &l) : -ENOMEM;

	if (r == -ENODEV) {
		r = vlan_make(rt, n, link, parent, e);
		if (r < 0)
			return r;
		r = rt_link_find(rt, link, &l);
	}
	if (r < 0)
		return err_sys(e, -r, "VLAN %u of %s", n->vlan, n->parent);
	*ret_index = l.index;
	return 0;
}

int macvlan_ensure(int rt, const struct network *n, int *ret_index, struct err *e)
{
	struct rt_link_info parent;
	int r = find_parent(rt, n, &parent, e);

	if (r < 0)
		return r;
	*ret_index = parent.index;
	return n->vlan ? vlan_ensure(rt, n, parent.index, ret_index, e) : 0;
}

int macvlan_remove(int rt, const struct network *n, struct err *e)
{
	AUTO(nl_batch_done) struct nl_batch b = { 0 };
	autofree char *link = n->vlan ? vlan_link(n) : NULL;
	int r;

	if (!link)
		return n->vlan ? err_set(e, ENOMEM, "out of memory") : 0;
	rt_link_remove(&b, &(struct rt_link){ .name = link });
	r = nl_run(rt, &b, NULL);
	return r < 0 && r != -ENODEV ? err_sys(e, -r, "VLAN %u of %s", n->vlan, n->parent) : 0;
}

/* --- on it */

void macvlan_put(struct nl_batch *b, const struct network *n, int parent, const struct net_port *given,
		 int netns)
{
	uint8_t mac[6] = { 0 };

	mac_parse(given->mac, mac);
	rt_macvlan_new(
		b, &(struct rt_link){ .name = given->name, .mac = mac, .mtu = given->mtu, .netns_fd = netns },
		&(struct rt_macvlan){ .parent = parent, .apart = n->isolate });
}

int macvlan_tap_add(int rt, const struct network *n, int parent, const char *alias,
		    const struct net_port *given, struct err *e)
{
	AUTO(nl_batch_done) struct nl_batch b = { 0 };
	struct nl_failure f = { 0 };
	struct rt_link_info l;
	uint8_t mac[6] = { 0 };
	int r;

	mac_parse(given->mac, mac); /* frames to another address would not come */
	rt_macvlan_new(
		&b,
		&(struct rt_link){
			.name = given->link, .alias = alias, .mac = mac, .mtu = given->mtu, .up = true },
		&(struct rt_macvlan){ .parent = parent, .tap = true, .apart = n->isolate });
	r = nl_run(rt, &b, &f);
	if (r == 0)
		r = rt_link_find(rt, given->link, &l);
	if (r == 0)
		r = tap_open_macvtap(given->link, l.index);
	if (r >= 0)
		return r;
	port_remove(rt, given->link);
	return err_sys(e, -r, "macvtap on %s%s%s", n->parent, *f.text ? ": " : "", f.text);
}
