/* test_net_port.c - what a port was given: texts that are taken or refused, and a link that becomes it (in a network
 * namespace of its own) */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../cm.h"
#include "base/auto.h"
#include "base/io.h"
#include "instance/net_change.h"
#include "instance/net_port.h"
#include "sys/tap.h"

#define T(s) ((char *)(uintptr_t)(s))

static const struct net_port whole = {
	.name = T("eth0"),
	.mac = T("02:42:0a:58:00:05"),
	.address = T("10.88.0.5/16"),
	.address6 = T("fd00::5/64"),
	.gateway = T("10.88.0.1"),
	.gateway6 = T("fd00::1"),
	.mtu = 1400,
};

/* --- texts */

static void what_is_given_is_taken_apart(void **state)
{
	struct net_port_addresses a;
	char text[IP_TEXT_MAX];
	struct err e;

	assert_int_equal(net_port_parse(&whole, &a, &e), 0);
	assert_string_equal(ip_print_prefix(&a.address, text), "10.88.0.5/16");
	assert_string_equal(ip_print_prefix(&a.address6, text), "fd00::5/64");
	assert_string_equal(ip_print(&a.gateway, text), "10.88.0.1");
	assert_string_equal(ip_print(&a.gateway6, text), "fd00::1");
}

static void a_port_may_have_one_family_or_none(void **state)
{
	struct net_port p = { .name = T("eth0"), .mac = T("02:00:00:00:00:01") };
	struct net_port_addresses a;
	struct err e;

	assert_int_equal(net_port_parse(&p, &a, &e), 0);
	assert_int_equal(a.address.ip.family + a.address6.ip.family + a.gateway.family + a.gateway6.family,
			 0);
}

static void what_is_none_is_named(void **state)
{
	static const struct {
		size_t member;
		const char *text;
	} bad[] = {
		{ offsetof(struct net_port, mac), NULL },
		{ offsetof(struct net_port, mac), "02:42:0a:58:00" },
		{ offsetof(struct net_port, name), NULL },
		{ offsetof(struct net_port, name), "" },
		{ offsetof(struct net_port, name), "../eth0" },
		{ offsetof(struct net_port, name), "eth%d" },
		{ offsetof(struct net_port, name), "sixteen-letters-" },
		{ offsetof(struct net_port, address), "10.88.0.5" },
		{ offsetof(struct net_port, address), "10.88.0.5/33" },
		{ offsetof(struct net_port, address), "fd00::5/64" },
		{ offsetof(struct net_port, address6), "10.88.0.5/16" },
		{ offsetof(struct net_port, address6), "fd00::5" },
		{ offsetof(struct net_port, gateway), "10.88.0.1/16" },
		{ offsetof(struct net_port, gateway), "gateway" },
		{ offsetof(struct net_port, gateway6), "10.88.0.1" },
	};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct net_port_addresses a;
		struct net_port p = whole;
		struct err e = { 0 };

		*(char **)((char *)&p + bad[i].member) = T(bad[i].text);
		if (net_port_parse(&p, &a, &e) != -EINVAL ||
		    !strstr(e.msg, bad[i].text ? bad[i].text : "\"\""))
			fail_msg("case %zu: %s", i, e.msg);
	}
}

static void a_change_is_parsed_and_checked(void **state)
{
	static const struct {
		const char *json;
		int r;
	} cases[] = {
		{ "{\"port\":{\"name\":\"eth1\",\"mac\":\"02:00:00:00:00:01\",\"address\":\"10.0.0.2/8\"}}",
		  0 },
		{ "{\"leave\":true,\"port\":{\"mac\":\"02:00:00:00:00:01\"}}", 0 },
		{ "{\"leave\":true,\"port\":{}}", -EINVAL },
		{ "{\"port\":{\"mac\":\"02:00:00:00:00:01\"}}", -EINVAL },
		{ "{\"port\":{\"name\":\"eth1\",\"mac\":\"02:00:00:00:00:01\",\"address\":\"10.0.0.2\"}}",
		  -EINVAL },
		{ "{\"join\":true}", -EINVAL },
		{ "{", -EINVAL },
		{ "", -EINVAL },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct net_change c = { 0 };
		struct err e = { 0 };
		int r = net_change_parse(cases[i].json, strlen(cases[i].json), &c, &e);

		if (r != cases[i].r)
			fail_msg("case %zu: %d %s", i, r, e.msg);
		json_done(&net_change_table, &c);
	}
}

/* --- a link */

static int index_of(int nl, const char *name)
{
	struct rt_link_info l;

	assert_int_equal(rt_link_find(nl, name, &l), 0);
	return l.index;
}

/* A tap, which every kernel has that has a network of ours; it stays to the end of the program. */
static int new_link(int nl, const char *name)
{
	assert_true(tap_open(name) >= 0);
	return index_of(nl, name);
}

static char setting(const char *link, const char *key)
{
	AUTO(buf_done) struct buf b = { 0 };
	autofree char *path = str_printf("/proc/sys/net/ipv6/conf/%s/%s", link, key);

	return read_file(AT_FDCWD, path, 64, &b) == 0 ? b.data[0] : '?';
}

static bool has_address(int nl, int index, const char *want)
{
	struct rt_address_info *v;
	char text[IP_TEXT_MAX];
	bool found = false;
	size_t n;

	assert_int_equal(rt_addresses(nl, &v, &n), 0);
	for (size_t i = 0; i < n; i++)
		found |= v[i].index == index && !strcmp(ip_print_prefix(&v[i].address, text), want);
	free(v);
	return found;
}

static bool has_default(int nl, int index, const char *via)
{
	struct rt_route *v;
	char text[IP_TEXT_MAX];
	bool found = false;
	size_t n;

	assert_int_equal(rt_routes(nl, &v, &n), 0);
	for (size_t i = 0; i < n; i++)
		found |= v[i].index == index && !v[i].to.bits && v[i].via.family &&
			 !strcmp(ip_print(&v[i].via, text), via);
	free(v);
	return found;
}

static void configure(int nl, int index, const char *link, const struct net_port *p)
{
	AUTO(nl_batch_done) struct nl_batch b = { 0 };
	struct net_port_addresses a;
	struct nl_failure failed;
	struct err e;

	assert_int_equal(net_port_parse(p, &a, &e), 0);
	assert_int_equal(net_port_set_ipv6(p, link, &e), 0);
	net_port_put(&b, index, p, &a);
	if (nl_run(nl, &b, &failed) < 0)
		fail_msg("%s", failed.text);
}

static void a_link_becomes_the_port(void **state)
{
	autoclose int nl = nl_open(NETLINK_ROUTE);
	int index = new_link(nl, "kt0");
	struct rt_link_info l;

	configure(nl, index, "kt0", &whole);
	assert_int_equal(rt_link_find(nl, "kt0", &l), 0);
	assert_true(l.up);
	assert_int_equal(l.mtu, 1400);
	assert_true(has_address(nl, index, "10.88.0.5/16"));
	assert_true(has_default(nl, index, "10.88.0.1"));
	if (access("/proc/sys/net/ipv6", F_OK) < 0)
		return;
	assert_true(has_address(nl, index, "fd00::5/64"));
	assert_true(has_default(nl, index, "fd00::1"));
	assert_int_equal(setting("kt0", "accept_ra"), '0');
	assert_int_equal(setting("kt0", "disable_ipv6"), '0');
}

static void a_port_without_ipv6_has_no_address_of_it_at_all(void **state)
{
	autoclose int nl = nl_open(NETLINK_ROUTE);
	int index = new_link(nl, "kt1");
	struct net_port p = whole;
	struct rt_address_info *v;
	size_t n;

	p.address = T("10.89.0.5/16"); /* the other link has the other network, and the default route */
	p.address6 = p.gateway = p.gateway6 = NULL;
	configure(nl, index, "kt1", &p);
	assert_int_equal(rt_addresses(nl, &v, &n), 0);
	for (size_t i = 0; i < n; i++)
		assert_false(v[i].index == index && v[i].address.ip.family == AF_INET6);
	free(v);
}

int main(void)
{
	const struct CMUnitTest pure[] = {
		cmocka_unit_test(what_is_given_is_taken_apart),
		cmocka_unit_test(a_port_may_have_one_family_or_none),
		cmocka_unit_test(what_is_none_is_named),
		cmocka_unit_test(a_change_is_parsed_and_checked),
	};
	const struct CMUnitTest links[] = {
		cmocka_unit_test(a_link_becomes_the_port),
		cmocka_unit_test(a_port_without_ipv6_has_no_address_of_it_at_all),
	};
	int r = cmocka_run_group_tests(pure, NULL, NULL);

	if (unshare(CLONE_NEWNET) < 0 || tap_open("kt") < 0) {
		printf("links are skipped: no network namespace, or no /dev/net/tun (%s)\n", strerror(errno));
		return r;
	}
	return r + cmocka_run_group_tests(links, NULL, NULL);
}
