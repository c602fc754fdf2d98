/* port_container.c - ports of containers: a network namespace, and in it one end of each veth pair */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/io.h"
#include "instance/net_port.h"
#include "network/macvlan.h"
#include "network/port_int.h"
#include "sys/ns.h"
#include "sys/rtnetlink.h"

/* --- namespaces */

/* Our one thread steps into the namespace and back. */
static int socket_in(int ns)
{
	autoclose int back = ns_open(0, "net");
	int fd, r = back < 0 ? back : ns_join(ns, CLONE_NEWNET);

	if (r < 0)
		return r;
	fd = nl_open(NETLINK_ROUTE);
	r = ns_join(back, CLONE_NEWNET);
	if (r < 0)
		abort(); /* what follows would be done to the wrong network */
	return fd;
}

int port_netns_open(int fd, struct port_netns *ret, struct err *e)
{
	int rt = fd < 0 ? fd : socket_in(fd);

	if (rt < 0) {
		if (fd >= 0)
			close(fd);
		return err_sys(e, -rt, "network namespace");
	}
	*ret = (struct port_netns){ fd, rt };
	return 0;
}

static int netns_new(void)
{
	autoclose int back = ns_open(0, "net");
	int fd, r = back < 0 ? back : ns_unshare(CLONE_NEWNET);

	if (r < 0)
		return r;
	fd = fd_move_above_stdio(ns_open(0, "net"));
	r = ns_join(back, CLONE_NEWNET);
	if (r < 0)
		abort();
	return fd;
}

int port_netns_make(struct port_netns *ret, struct err *e)
{
	AUTO(nl_batch_done) struct nl_batch b = { 0 };
	struct nl_failure f = { 0 };
	int fd = netns_new(), r;

	if (fd == -EPERM)
		return err_set(
			e, EPERM,
			"network namespace: networks need CAP_SYS_ADMIN; without it there is --network none");
	r = port_netns_open(fd, ret, e);
	if (r < 0)
		return r;
	rt_link_change(&b, &(struct rt_link){ .name = "lo", .up = true });
	r = nl_run(ret->rt, &b, &f);
	if (r < 0)
		port_netns_done(ret);
	return r < 0 ? port_fail(e, r, &f, "lo of a network namespace") : 0;
}

void port_netns_done(struct port_netns *ns)
{
	if (ns->fd > 0)
		close(ns->fd);
	if (ns->rt > 0)
		close(ns->rt);
	*ns = (struct port_netns){ 0 };
}

/* --- ports */

/* Sysctls of a namespace are seen by who is in it. */
static int set_ipv6_inside(const struct port_netns *ns, const struct net_port *given, struct err *e)
{
	autoclose int back = ns_open(0, "net");
	int r = back < 0 ? back : ns_join(ns->fd, CLONE_NEWNET);

	if (r < 0)
		return err_sys(e, -r, "network namespace");
	r = net_port_set_ipv6(given, given->name, e);
	if (ns_join(back, CLONE_NEWNET) < 0)
		abort();
	return r;
}

/* mac: what it is to have; NULL: it has that. */
static int configure(const struct port_netns *ns, const struct net_port *given, int index, const uint8_t *mac,
		     struct err *e)
{
	AUTO(nl_batch_done) struct nl_batch b = { 0 };
	struct net_port_addresses a;
	struct nl_failure f = { 0 };
	int r = net_port_parse(given, &a, e);

	if (r < 0)
		return r;
	if (mac)
		rt_link_change(&b, &(struct rt_link){ .index = index, .mac = mac });
	net_port_put(&b, index, given, &a);
	r = nl_run(ns->rt, &b, &f);
	return r < 0 ? port_fail(e, r, &f, given->name) : 0;
}

static int configure_inside(const struct port_netns *ns, const struct net_port *given, struct err *e)
{
	int r = set_ipv6_inside(ns, given, e);
	struct nl_failure f = { 0 };
	struct rt_link_info l;

	if (r < 0)
		return r;
	r = rt_link_find(ns->rt, given->name, &l);
	return r < 0 ? port_fail(e, r, &f, given->name) : configure(ns, given, l.index, NULL, e);
}

/* The host's end goes up last: what the kernel then does about the cable it does behind our back, and while it does that
 * nothing else can be changed.  A bridge that it is on already is no change. */
static int raise_link(int rt, int bridge, const char *instance, const char *link, struct err *e)
{
	AUTO(nl_batch_done) struct nl_batch b = { 0 };
	autofree char *alias = port_alias(instance);
	struct nl_failure f = { 0 };
	int r;

	if (!alias)
		return err_set(e, ENOMEM, "out of memory");
	rt_link_change(&b, &(struct rt_link){ .name = link, .alias = alias, .master = bridge, .up = true });
	r = nl_run(rt, &b, &f);
	return r < 0 ? port_fail(e, r, &f, link) : 0;
}

static int add_veth(int rt, const struct network *n, int bridge, const struct net_port *given, int netns,
		    struct err *e)
{
	AUTO(nl_batch_done) struct nl_batch b = { 0 };
	struct nl_failure f = { 0 };
	uint8_t mac[6] = { 0 };
	int r;

	mac_parse(given->mac, mac);
	rt_veth_new(
		&b, &(struct rt_link){ .name = given->link, .master = bridge, .mtu = given->mtu },
		&(struct rt_link){ .name = given->name, .mac = mac, .mtu = given->mtu, .netns_fd = netns });
	r = nl_run(rt, &b, &f);
	return r < 0 ? port_fail(e, r, &f, given->link) : port_isolate(rt, n, given->link, e);
}

static int add_macvlan(int rt, const struct network *n, int parent, const struct net_port *given, int netns,
		       struct err *e)
{
	AUTO(nl_batch_done) struct nl_batch b = { 0 };
	struct nl_failure f = { 0 };
	int r;

	macvlan_put(&b, n, parent, given, netns);
	r = nl_run(rt, &b, &f);
	return r < 0 ? port_fail(e, r, &f, given->link) : 0;
}

int port_container_add(int rt, const struct network *n, int under, const char *instance,
		       const struct net_port *given, const struct port_netns *ns, struct err *e)
{
	bool macvlan = n->driver == DRIVER_MACVLAN;
	int r = net_port_check_mac(given, e);

	if (r == 0)
		r = macvlan ? add_macvlan(rt, n, under, given, ns->fd, e)
			    : add_veth(rt, n, under, given, ns->fd, e);
	if (r < 0)
		return r;
	r = configure_inside(ns, given, e);
	if (r == 0 && !macvlan)
		r = raise_link(rt, under, instance, given->link, e);
	if (r < 0)
		port_remove(ns->rt, given->name); /* with it goes the other end */
	return r;
}

int port_container_adopt(int rt, int bridge, const char *instance, const struct net_port *given, int index,
			 const struct port_netns *ns, struct err *e)
{
	uint8_t mac[6];
	int r = net_port_check_mac(given, e);

	if (r < 0)
		return r;
	mac_parse(given->mac, mac);
	r = configure(ns, given, index, mac, e);
	return r < 0 ? r : raise_link(rt, bridge, instance, given->link, e);
}
