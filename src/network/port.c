/* port.c - links of the host: the bridge of a network, and on it the ends of instances */
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/io.h"
#include "base/parse.h"
#include "instance/net_port.h"
#include "network/macvlan.h"
#include "network/port_int.h"
#include "sys/ns.h"
#include "sys/patience.h"
#include "sys/rtnetlink.h"
#include "sys/tap.h"

#define TAP_WAIT_MS 5000

int port_fail(struct err *e, int r, const struct nl_failure *f, const char *what)
{
	if (r == -EPERM)
		return err_set(e, EPERM,
			       "%s: networks need CAP_NET_ADMIN; without it there is --network none", what);
	return *f->text ? err_set(e, -r, "%s: %s", what, f->text) : err_sys(e, -r, "%s", what);
}

int port_open_host(struct err *e)
{
	int fd = nl_open(NETLINK_ROUTE);

	return fd < 0 ? err_sys(e, -fd, "rtnetlink") : fd;
}

/* --- bridges */

static void put_pool(struct nl_batch *b, int index, const struct network_pool *pool)
{
	struct ip_prefix a;

	if (!pool->subnet || ip_parse_prefix(pool->subnet, &a) < 0 || ip_parse(pool->gateway, &a.ip) < 0)
		return;
	rt_address_add(b, index, &a);
}

/* Its link-local address, which is the router's for its instances, is there at once; it believes no advertisement. */
static void set_ipv6(const struct network *n)
{
	const struct {
		const char *key, *value;
	} rows[] = { { "disable_ipv6", n->v6.subnet ? "0" : "1" },
		     { "accept_ra", "0" },
		     { "accept_dad", "0" } };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char path[96];

		snprintf(path, sizeof(path), "/proc/sys/net/ipv6/conf/%s/%s", n->bridge, rows[i].key);
		write_existing(AT_FDCWD, path, rows[i].value); /* a kernel without IPv6 has no such file */
	}
}

/* Its own: it would have that of one of its ports, and another one each time that goes.  Never that of an instance. */
static int bridge_mac(const struct network *n, uint8_t ret[6])
{
	char digits[9];

	ret[0] = 0x02;
	ret[1] = 0x44;
	snprintf(digits, sizeof(digits), "%.8s", n->id);
	return hex_decode(digits, 4, ret + 2);
}

static int bridge_make(int rt, const struct network *n, struct err *e)
{
	autofree char *alias = str_printf(PORT_ALIAS_NETWORK "%s", n->id),
		      *what = str_printf("bridge %s", n->bridge);
	AUTO(nl_batch_done) struct nl_batch b = { 0 };
	struct rt_link_info l = { 0 };
	struct nl_failure f = { 0 };
	uint8_t mac[6];
	int r;

	if (!alias || !what)
		return err_set(e, ENOMEM, "out of memory");
	if (bridge_mac(n, mac) < 0)
		return err_set(e, EINVAL, "network %s has no valid id", n->name);
	rt_bridge_new(&b, &(struct rt_link){ .name = n->bridge, .alias = alias, .mac = mac, .mtu = n->mtu });
	r = nl_run(rt, &b, &f);
	if (r == 0)
		r = rt_link_find(rt, n->bridge, &l);
	if (r < 0)
		return port_fail(e, r, &f, what);
	set_ipv6(n);
	put_pool(&b, l.index, &n->v4);
	put_pool(&b, l.index, &n->v6);
	rt_link_change(&b, &(struct rt_link){ .index = l.index, .up = true });
	r = nl_run(rt, &b, &f);
	if (r < 0)
		port_remove(rt, n->bridge);
	return r < 0 ? port_fail(e, r, &f, what) : 0;
}

static bool is_ours(const struct network *n, const struct rt_link_info *l)
{
	size_t prefix = strlen(PORT_ALIAS_NETWORK);

	return !strncmp(l->alias, PORT_ALIAS_NETWORK, prefix) && !strcmp(l->alias + prefix, n->id);
}

static int bridge_ensure(int rt, const struct network *n, int *ret_index, struct err *e)
{
	struct rt_link_info l = { 0 };
	int r = rt_link_find(rt, n->bridge, &l);
	bool made = r == -ENODEV;

	if (made) {
		r = bridge_make(rt, n, e);
		if (r < 0)
			return r;
		r = rt_link_find(rt, n->bridge, &l);
	}
	if (r < 0)
		return err_sys(e, -r, "bridge %s", n->bridge);
	if (!is_ours(n, &l))
		return err_set(e, EEXIST,
			       "bridge %s of network %s: there is an interface of this name that is not its",
			       n->bridge, n->name);
	*ret_index = l.index;
	return made;
}

static int bridge_remove(int rt, const struct network *n, struct err *e)
{
	AUTO(nl_batch_done) struct nl_batch b = { 0 };
	struct rt_link_info l = { 0 };
	struct nl_failure f = { 0 };
	int r = n->bridge ? rt_link_find(rt, n->bridge, &l) : -ENODEV;

	if (r == 0 && is_ours(n, &l)) {
		rt_link_remove(&b, &(struct rt_link){ .index = l.index });
		r = nl_run(rt, &b, &f);
	}
	return r < 0 && r != -ENODEV ? port_fail(e, r, &f, n->bridge) : 0;
}

int port_network_ensure(int rt, const struct network *n, int *ret_index, struct err *e)
{
	return n->driver == DRIVER_MACVLAN ? macvlan_ensure(rt, n, ret_index, e)
					   : bridge_ensure(rt, n, ret_index, e);
}

int port_network_remove(int rt, const struct network *n, struct err *e)
{
	return n->driver == DRIVER_MACVLAN ? macvlan_remove(rt, n, e) : bridge_remove(rt, n, e);
}

/* --- ports */

char *port_alias(const char *instance)
{
	return str_printf(PORT_ALIAS_INSTANCE "%s", instance);
}

int port_isolate(int rt, const struct network *n, const char *link, struct err *e)
{
	AUTO(nl_batch_done) struct nl_batch b = { 0 };
	struct nl_failure f = { 0 };
	int r;

	if (!n->isolate)
		return 0;
	rt_port_isolate(&b, (int)if_nametoindex(link), true);
	r = nl_run(rt, &b, &f);
	return r < 0 ? port_fail(e, r, &f, "--isolate") : 0;
}

int port_tap_move(int rt, const struct network *n, int bridge, const struct net_port *given, struct err *e)
{
	AUTO(nl_batch_done) struct nl_batch b = { 0 };
	struct nl_failure f = { 0 };
	int r;

	rt_link_change(
		&b, &(struct rt_link){
			    .name = given->link, .master = n ? bridge : -1, .mtu = given->mtu, .up = true });
	r = nl_run(rt, &b, &f);
	if (r < 0)
		return port_fail(e, r, &f, given->link);
	return n ? port_isolate(rt, n, given->link, e) : 0;
}

/* The card for a network to come has one name for all runs, and the kernel may still be busy with that of the last one. */
static int open_tap(const char *link)
{
	struct patience p = patience_for_ms(TAP_WAIT_MS);
	int fd;

	do
		fd = tap_open(link);
	while (fd == -EBUSY && patience_pause(&p) == 0);
	return fd;
}

static int tap_add(int rt, const char *alias, const struct net_port *given, struct err *e)
{
	AUTO(nl_batch_done) struct nl_batch b = { 0 };
	autoclose int tap = open_tap(given->link);
	struct nl_failure f = { 0 };
	int r;

	if (tap < 0)
		return port_fail(e, tap, &f, given->link);
	rt_link_change(&b, &(struct rt_link){ .name = given->link, .alias = alias });
	r = nl_run(rt, &b, &f);
	return r < 0 ? port_fail(e, r, &f, given->link) : take_fd(&tap);
}

int port_machine_add(int rt, const struct network *n, int under, const char *instance,
		     const struct net_port *given, struct err *e)
{
	autofree char *alias = port_alias(instance);
	autoclose int tap = -1;
	int r;

	if (!alias)
		return err_set(e, ENOMEM, "out of memory");
	if (n && n->driver == DRIVER_MACVLAN)
		return macvlan_tap_add(rt, n, under, alias, given, e);
	tap = tap_add(rt, alias, given, e);
	r = tap >= 0 && n ? port_tap_move(rt, n, under, given, e) : tap;
	return r < 0 ? r : take_fd(&tap);
}

void port_remove(int rt, const char *link)
{
	AUTO(nl_batch_done) struct nl_batch b = { 0 };

	rt_link_remove(&b, &(struct rt_link){ .name = link });
	nl_run(rt, &b, NULL);
}
