/* test_netlink.c - links, addresses and routes made in a network namespace of our own, and read back */
#include <errno.h>
#include <linux/rtnetlink.h>
#include <sched.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../cm.h"
#include "base/auto.h"
#include "base/io.h"
#include "sys/ns.h"
#include "sys/rtnetlink.h"

static int route; /* a socket in the namespace */

static struct ip_prefix net(const char *s)
{
	struct ip_prefix p;

	assert_int_equal(ip_parse_prefix(s, &p), 0);
	return p;
}

static struct rt_link_info link_of(const char *name)
{
	struct rt_link_info l = { 0 };

	assert_int_equal(rt_link_find(route, name, &l), 0);
	return l;
}

static int enter_namespace(void **state)
{
	if (unshare(CLONE_NEWNET) < 0 && unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0) {
		route = -1;
		print_message("skipped: no network namespace can be made here\n");
		return 0;
	}
	route = nl_open(NETLINK_ROUTE);
	return route < 0 ? -1 : 0;
}

static int leave_nothing(void **state)
{
	return route >= 0 ? close(route) : 0;
}

#define NEEDS_NAMESPACE                                                                                      \
	if (route < 0)                                                                                       \
	skip()

static void a_veth_on_a_bridge_with_its_other_end_elsewhere(void **state)
{
	static const uint8_t mac[6] = { 2, 0x42, 10, 88, 0, 5 };
	struct rt_address_info *addresses = NULL;
	struct rt_link_info bridge, veth, eth0, *links = NULL;
	struct nl_batch b = { 0 };
	int here, there, inner;
	size_t n;

	NEEDS_NAMESPACE;
	here = ns_open(0, "net");
	assert_int_equal(unshare(CLONE_NEWNET), 0);
	there = ns_open(0, "net");
	inner = nl_open(NETLINK_ROUTE);
	assert_int_equal(ns_join(here, CLONE_NEWNET), 0);

	rt_bridge_new(&b, &(struct rt_link){ .name = "kt-0000000a", .alias = "of us", .up = true });
	assert_int_equal(nl_run(route, &b, NULL), 0);
	bridge = link_of("kt-0000000a");
	assert_string_equal(bridge.kind, "bridge");
	assert_string_equal(bridge.alias, "of us");
	assert_true(bridge.up);
	rt_bridge_nf_call(&b, bridge.index, true);
	rt_veth_new(&b, &(struct rt_link){ .name = "kv0", .master = bridge.index, .mtu = 1400, .up = true },
		    &(struct rt_link){ .name = "eth0", .mac = mac, .netns_fd = there });
	assert_int_equal(nl_run(route, &b, NULL), 0);
	veth = link_of("kv0");
	assert_int_equal(veth.master, bridge.index);
	assert_int_equal(veth.mtu, 1400);
	rt_port_isolate(&b, veth.index, true);
	assert_int_equal(nl_run(route, &b, NULL), 0);

	assert_int_equal(rt_link_find(inner, "eth0", &eth0), 0);
	rt_link_change(&b, &(struct rt_link){ .index = eth0.index, .up = true });
	rt_address_add(&b, eth0.index, &(struct ip_prefix){ net("10.88.0.5/16").ip, 16 });
	rt_address_add(&b, eth0.index, &(struct ip_prefix){ net("fd00::5/64").ip, 64 });
	rt_route_add(&b, &(struct rt_route){ .to.ip.family = AF_INET, .via = net("10.88.0.1/16").ip });
	assert_int_equal(nl_run(inner, &b, NULL), 0);
	assert_int_equal(rt_links(inner, &links, &n), 0);
	assert_int_equal(n, 2);
	assert_memory_equal(links[1].mac, mac, 6);
	assert_true(links[1].up);
	assert_int_equal(rt_addresses(inner, &addresses, &n), 0);
	assert_true(n >= 2);
	assert_int_equal(addresses[0].index, eth0.index);
	assert_int_equal(addresses[0].address.bits, 16);
	free(addresses);
	free(links);
	close(inner);
	close(there);
	close(here);
}

static void routes_are_listed_with_their_gateways(void **state)
{
	struct ip_prefix want = net("10.200.0.0/16");
	struct rt_route *routes = NULL;
	struct nl_batch b = { 0 };
	bool found = false;
	size_t n;

	NEEDS_NAMESPACE;
	rt_link_change(&b, &(struct rt_link){ .name = "lo", .up = true });
	assert_int_equal(nl_run(route, &b, NULL), 0);
	rt_address_add(&b, 1, &(struct ip_prefix){ net("10.100.0.1/24").ip, 24 });
	rt_route_add(&b, &(struct rt_route){ .to = want, .via = net("10.100.0.9/24").ip });
	assert_int_equal(nl_run(route, &b, NULL), 0);
	assert_int_equal(rt_routes(route, &routes, &n), 0);
	for (size_t i = 0; i < n; i++)
		found |= ip_compare(&routes[i].to.ip, &want.ip) == 0 && routes[i].to.bits == 16 &&
			 routes[i].via.bytes[3] == 9;
	assert_true(found);
	rt_route_remove(&b, &(struct rt_route){ .to = want });
	rt_address_remove(&b, 1, &(struct ip_prefix){ net("10.100.0.1/24").ip, 24 });
	assert_int_equal(nl_run(route, &b, NULL), 0);
	free(routes);
}

static void the_first_failure_of_a_batch_is_told(void **state)
{
	struct nl_failure failed;
	struct nl_batch b = { 0 };
	struct rt_link_info l;

	NEEDS_NAMESPACE;
	rt_bridge_new(&b, &(struct rt_link){ .name = "twice" });
	rt_bridge_new(&b, &(struct rt_link){ .name = "twice" });
	rt_link_change(&b, &(struct rt_link){ .name = "nobody", .up = true });
	assert_int_equal(nl_run(route, &b, &failed), -EEXIST);
	assert_int_equal(failed.message, 1);
	assert_int_equal(rt_link_find(route, "nobody", &l), -ENODEV);
	rt_link_remove(&b, &(struct rt_link){ .name = "twice" });
	assert_int_equal(nl_run(route, &b, NULL), 0);
	assert_int_equal(rt_link_find(route, "twice", &l), -ENODEV);
}

static void the_kernel_says_why(void **state)
{
	struct nl_failure failed;
	struct nl_batch b = { 0 };

	NEEDS_NAMESPACE;
	rt_route_add(&b, &(struct rt_route){ .to = net("10.250.0.0/16"), .via = net("10.251.0.1/16").ip });
	assert_int_equal(nl_run(route, &b, &failed), -ENETUNREACH);
	assert_string_equal(failed.text, "Nexthop has invalid gateway");
}

static void attributes_end_where_their_message_does(void **state)
{
	struct nl_batch b = { 0 };
	struct nl_attrs a;
	char text[4];
	size_t nest;

	nl_message(&b, RTM_NEWLINK, 0, "head", 4);
	nl_put_u8(&b, 1, 9);
	nest = nl_nest(&b, 2);
	nl_put_u32(&b, 3, 70000);
	nl_put_string(&b, 4, "abcdef");
	nl_nest_end(&b, nest);
	a = nl_message_attrs((void *)b.bytes.data, 4);
	assert_int_equal(nl_get_u8(a, 1), 9);
	assert_null(nl_find(a, 3));
	a = nl_nested(nl_find(a, 2));
	assert_int_equal(nl_get_u32(a, 3), 70000);
	nl_get_string(a, 4, text, sizeof(text));
	assert_string_equal(text, "abc");
	for (; a.end > a.at; a.end--)
		assert_true(!nl_find(a, 4) || nl_len(nl_find(a, 4)) == 7);
	nl_batch_done(&b);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_veth_on_a_bridge_with_its_other_end_elsewhere),
		cmocka_unit_test(routes_are_listed_with_their_gateways),
		cmocka_unit_test(the_first_failure_of_a_batch_is_told),
		cmocka_unit_test(the_kernel_says_why),
		cmocka_unit_test(attributes_end_where_their_message_does),
	};

	return cmocka_run_group_tests(tests, enter_namespace, leave_nothing);
}
