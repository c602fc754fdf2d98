/* pool_make.c - the half of `ketch-net pool` that has rights: it makes a port whenever the other half wants one */
#include <errno.h>
#include <linux/capability.h>
#include <linux/sockios.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/io.h"
#include "network/jail.h"
#include "network/pool_int.h"
#include "sys/confine.h"
#include "sys/ns.h"
#include "sys/rtnetlink.h"
#include "sys/scm.h"

#define CAPS	((UINT64_C(1) << CAP_NET_ADMIN) | (UINT64_C(1) << CAP_SYS_ADMIN))
#define FDS_ONE 3 /* of a port while it is made */

/* --- its jail */

static void allow_with(struct filter *f, int call, unsigned argument, uint32_t value)
{
	filter_if(f, (uint32_t)call, 4);
	filter_load_arg(f, argument);
	filter_allow(f, value);
	filter_kill(f);
}

/* mmap: never memory that is code. */
static int seal(void)
{
	static const int calls[] = {
		SYS_sendmsg, SYS_sendto, SYS_recvmsg,	      SYS_recvfrom,	SYS_setsockopt, SYS_close,
		SYS_brk,     SYS_munmap, SYS_mremap,	      SYS_madvise,	SYS_getrandom,	SYS_openat,
		SYS_write,   SYS_futex,	 SYS_restart_syscall, SYS_rt_sigreturn, SYS_exit_group
	};
	struct filter f;

	filter_begin(&f);
	allow_with(&f, SYS_unshare, 0, CLONE_NEWNET);
	allow_with(&f, SYS_setns, 1, CLONE_NEWNET);
	allow_with(&f, SYS_socket, 0, AF_NETLINK);
	allow_with(&f, SYS_ioctl, 1, SIOCGSKNS);
	allow_with(&f, SYS_mmap, 2, PROT_READ | PROT_WRITE);
	for (size_t i = 0; i < ARRAY_LEN(calls); i++)
		filter_allow(&f, (uint32_t)calls[i]);
	filter_kill(&f);
	return filter_enter(&f);
}

static int enter_jail(const struct pool_maker *m)
{
	const int fds[] = { m->link_fd, m->rt, m->netns_fd, m->settings_fd };

	return jail_enter(&(struct jail){ .fds = fds,
					  .n_fds = ARRAY_LEN(fds),
					  .opens = FDS_ONE,
					  .writes_fd = m->settings_fd,
					  .uid = JAIL_UID_MAKER,
					  .caps = CAPS,
					  .seal = seal });
}

/* --- a port */

static void name_link(char ret[NET_IFNAME_MAX])
{
	unsigned char bytes[4];

	if (getrandom(bytes, sizeof(bytes), 0) != sizeof(bytes))
		_exit(1);
	snprintf(ret, NET_IFNAME_MAX, "kv-%02x%02x%02x%02x", bytes[0], bytes[1], bytes[2], bytes[3]);
}

static int make_pair(const struct pool_maker *m, int inside, const char *link)
{
	AUTO(nl_batch_done) struct nl_batch b = { 0 };
	char alias[sizeof(PORT_ALIAS_POOL) + NETWORK_ID_LEN];
	struct rt_link_info info;
	int r = rt_link_find(m->rt, m->bridge, &info);

	if (r < 0)
		return r;
	snprintf(alias, sizeof(alias), PORT_ALIAS_POOL "%.*s", NETWORK_ID_LEN, m->id);
	rt_veth_new(&b,
		    &(struct rt_link){ .name = link, .alias = alias, .master = info.index, .mtu = m->mtu },
		    &(struct rt_link){ .name = "eth0", .mtu = m->mtu, .netns_fd = inside });
	r = nl_run(m->rt, &b, NULL);
	if (r < 0 || !m->isolate)
		return r;
	r = rt_link_find(m->rt, link, &info);
	if (r < 0)
		return r;
	rt_port_isolate(&b, info.index, true);
	return nl_run(m->rt, &b, NULL);
}

static int finish_inside(int rt, int32_t *ret_index)
{
	AUTO(nl_batch_done) struct nl_batch b = { 0 };
	struct rt_link_info info;
	int r = rt_link_find(rt, "eth0", &info);

	if (r < 0)
		return r;
	*ret_index = info.index;
	rt_link_change(&b, &(struct rt_link){ .name = "lo", .up = true });
	rt_link_change(&b, &(struct rt_link){ .index = info.index, .up = true });
	return nl_run(rt, &b, NULL);
}

/* What net_port_set_ipv6 sets. */
static int set_ipv6(const struct pool_maker *m)
{
	static const char *const keys[] = { "disable_ipv6", "accept_ra", "accept_dad", "autoconf" };
	int r = 0;

	for (size_t i = 0; i < (m->ipv6 ? ARRAY_LEN(keys) : 1) && r == 0; i++) {
		char path[64];

		snprintf(path, sizeof(path), "ipv6/conf/eth0/%s", keys[i]);
		r = write_existing(m->settings_fd, path, i || m->ipv6 ? "0" : "1");
		r = r == -ENOENT ? 0 : r; /* a kernel without IPv6 */
	}
	return r;
}

/* In a new namespace, which the caller leaves again.  What fails half-way goes with that. */
static int make_inside(const struct pool_maker *m)
{
	struct pool_message ready = { .link = "" };
	autoclose int rt = nl_open(NETLINK_ROUTE);
	autoclose int netns = rt < 0 ? rt : ns_of_socket(rt);
	int r = netns;

	name_link(ready.link);
	if (r >= 0)
		r = make_pair(m, netns, ready.link);
	if (r >= 0)
		r = set_ipv6(m);
	if (r >= 0)
		r = finish_inside(rt, &ready.index);
	return r < 0 ? r : scm_send(m->link_fd, netns, &ready, sizeof(ready));
}

static int make_one(const struct pool_maker *m)
{
	int r = ns_unshare(CLONE_NEWNET);

	if (r < 0)
		return r;
	r = make_inside(m);
	if (ns_join(m->netns_fd, CLONE_NEWNET) < 0)
		_exit(1); /* what follows would be done to the wrong network */
	return r;
}

void pool_make(struct pool_maker *m)
{
	char byte;

	if (enter_jail(m) < 0)
		_exit(1);
	while (recv(m->link_fd, &byte, 1, 0) == 1)
		if (make_one(m) < 0)
			break; /* the network goes, or the host has no room: its next command starts a new one */
	_exit(0);
}
