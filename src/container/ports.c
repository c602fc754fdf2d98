/* ports.c - interfaces for a container with users of its own
 *
 * Its network namespace has to belong to its user namespace, or root inside would have no right to it; so it comes with
 * the clone, and what the engine made in another one moves there.  Addresses do not move along.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>

#include "base/auto.h"
#include "container/container_int.h"
#include "instance/net_port.h"
#include "sys/ns.h"

static int apply_ports(void *ctx, const struct step *s, struct err *e)
{
	struct container *c = ctx;

	c->ports_from = source_fd(c, s->from);
	return c->ports_from < 0 ? err_set(e, EBADF, "the network is missing") : 0;
}
const struct step_op op_ports = { "ports", STAGE_HOST, apply_ports };

static int move_one(int rt, const struct net_port *p, int to, struct err *e)
{
	AUTO(nl_batch_done) struct nl_batch b = { 0 };
	struct rt_link_info l;
	int r = rt_link_find(rt, p->name, &l);

	if (r == 0) {
		rt_link_change(&b, &(struct rt_link){ .index = l.index, .netns_fd = to });
		r = nl_run(rt, &b, NULL);
	}
	return r < 0 ? err_sys(e, -r, "interface %s", p->name) : 0;
}

static int configure_one(int rt, const struct net_port *p, struct err *e)
{
	AUTO(nl_batch_done) struct nl_batch b = { 0 };
	struct net_port_addresses a;
	struct rt_link_info l;
	int r = net_port_parse(p, &a, e);

	if (r == 0)
		r = net_port_set_ipv6(p, p->name, e);
	if (r < 0)
		return r;
	r = rt_link_find(rt, p->name, &l);
	if (r == 0) {
		net_port_put(&b, l.index, p, &a);
		r = nl_run(rt, &b, NULL);
	}
	return r < 0 ? err_sys(e, -r, "interface %s", p->name) : 0;
}

/* All ports, one way or the other, by a socket of the namespace `ns`, which the caller leaves again. */
static int each_port(const struct net_spec *n, int ns, int to, struct err *e)
{
	int r = ns_join(ns, CLONE_NEWNET);
	autoclose int rt = r < 0 ? r : nl_open(NETLINK_ROUTE);

	if (rt < 0)
		return err_sys(e, -rt, "network namespace");
	for (size_t i = 0; i < n->n_attachments && r == 0; i++) {
		const struct net_port *p = &n->attachments[i].given;

		r = to >= 0 ? move_one(rt, p, to, e) : configure_one(rt, p, e);
	}
	return r;
}

int launch_move_ports(const struct container *c, pid_t pid, struct err *e)
{
	autoclose int back = -1, to = -1;
	int r;

	if (c->ports_from < 0)
		return 0;
	back = ns_open(0, "net");
	to = ns_open(pid, "net");
	if (back < 0 || to < 0)
		return err_sys(e, back < 0 ? -back : -to, "network namespace");
	r = each_port(&c->boot->spec.net, c->ports_from, to, e);
	if (r == 0)
		r = each_port(&c->boot->spec.net, to, -1, e);
	if (ns_join(back, CLONE_NEWNET) < 0)
		abort(); /* what follows would be done to the wrong network */
	return r;
}
