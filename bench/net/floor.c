/* floor.c - what a bridge network costs the kernel for one container: the same calls as the engine's, and nothing else
 *
 *	floor BRIDGE NUMBER       a network namespace, a veth pair, addresses and routes; prints the microseconds
 *	floor BRIDGE NUMBER tap   a machine's tap, on the bridge
 */
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "sys/ns.h"
#include "sys/rtnetlink.h"
#include "sys/tap.h"

static double now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static void need(int r, const char *what)
{
	if (r >= 0)
		return;
	fprintf(stderr, "floor: %s: %s\n", what, strerror(-r));
	exit(1);
}

static void make_tap(const char *name, const char *on)
{
	double begin = now_us();
	struct rt_link_info bridge;
	struct nl_batch b = { 0 };
	int host = nl_open(NETLINK_ROUTE);

	need(host, "socket");
	need(rt_link_find(host, on, &bridge), on);
	need(tap_open(name), name);
	rt_link_change(
		&b, &(struct rt_link){ .name = name, .alias = "floor", .master = bridge.index, .up = true });
	need(nl_run(host, &b, NULL), name);
	printf("%.1f\n", now_us() - begin);
}

int main(int argc, char **argv)
{
	struct rt_link_info bridge, eth0;
	struct ip_prefix address;
	struct nl_batch b = { 0 };
	int back, there, host, inside;
	char name[16], text[32];
	double begin;
	unsigned n;

	if (argc != 3 && (argc != 4 || strcmp(argv[3], "tap") != 0))
		return 2;
	n = (unsigned)atoi(argv[2]) % 60000 + 2;
	snprintf(name, sizeof(name), "kf-%u-%u", (unsigned)getpid() % 10000, n);
	if (argc == 4) {
		make_tap(name, argv[1]);
		return 0;
	}
	snprintf(text, sizeof(text), "10.210.%u.%u/16", n / 256, n % 256);
	need(ip_parse_prefix(text, &address), text);
	begin = now_us();
	host = nl_open(NETLINK_ROUTE);
	need(host, "socket");
	need(rt_link_find(host, argv[1], &bridge), argv[1]);
	back = ns_open(0, "net");
	need(ns_unshare(CLONE_NEWNET), "namespace");
	there = ns_open(0, "net");
	inside = nl_open(NETLINK_ROUTE);
	need(ns_join(back, CLONE_NEWNET), "back");
	rt_veth_new(&b,
		    &(struct rt_link){ .name = name, .alias = "floor", .master = bridge.index, .up = true },
		    &(struct rt_link){ .name = "eth0", .netns_fd = there });
	need(nl_run(host, &b, NULL), "veth");
	need(rt_link_find(inside, "eth0", &eth0), "eth0");
	rt_link_change(&b, &(struct rt_link){ .name = "lo", .up = true });
	rt_link_change(&b, &(struct rt_link){ .index = eth0.index, .up = true });
	rt_address_add(&b, eth0.index, &address);
	ip_parse("10.210.0.1", &address.ip);
	rt_route_add(&b,
		     &(struct rt_route){ .to.ip.family = AF_INET, .via = address.ip, .index = eth0.index });
	need(nl_run(inside, &b, NULL), "addresses");
	printf("%.1f\n", now_us() - begin);
	return 0;
}
