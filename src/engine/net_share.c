/* net_share.c - the network namespace of an instance that runs: for another instance, and for routes in it */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/io.h"
#include "base/ip.h"
#include "engine/ask.h"
#include "engine/net_int.h"
#include "instance/net_change.h"
#include "network/port.h"
#include "sys/ns.h"
#include "sys/rtnetlink.h"

static int no_memory(struct err *e)
{
	return err_set(e, ENOMEM, "out of memory");
}

static bool is_there(const struct instance *in)
{
	return in->state.pid && (in->state.status == STATUS_RUNNING || in->state.status == STATUS_PAUSED);
}

/* What `name` of its directory in /proc is, by an opener of these. */
static int open_of(struct engine *en, struct instance *in, int (*opener)(pid_t pid, const char *name),
		   const char *name, struct err *e)
{
	int pid = in->state.pid, fd, r;

	if (!is_there(in))
		return err_set(e, ESRCH, "%s is not running", in->spec.name);
	fd = fd_move_above_stdio(opener(pid, name));
	if (fd < 0)
		return err_sys(e, -fd, "%s of %s", name, in->spec.name);
	/* the number may have gone to another process before the descriptor was open */
	r = truth_refresh(en, in, e);
	if (r == 0 && (!is_there(in) || in->state.pid != pid))
		r = err_set(e, ESRCH, "%s has ended", in->spec.name);
	if (r < 0) {
		close(fd);
		return r;
	}
	return fd;
}

int net_open_of(struct engine *en, struct instance *in, struct err *e)
{
	return open_of(en, in, ns_open, "net", e);
}

static int open_directory(pid_t pid, const char *name)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int net_open_root_of(struct engine *en, struct instance *in, struct err *e)
{
	return open_of(en, in, open_directory, "root", e);
}

/* --- default routes */

static int add_routes(const struct port_netns *ns, const struct net_port *p, struct err *e)
{
	AUTO(nl_batch_done) struct nl_batch b = { 0 };
	struct rt_route to = { 0 };
	struct rt_link_info l;
	int r = rt_link_find(ns->rt, p->name, &l);

	if (r < 0)
		return err_sys(e, -r, "%s", p->name);
	to.index = l.index;
	for (int i = 0; i < 2; i++) {
		const char *gateway = i ? p->gateway6 : p->gateway;

		if (!gateway || ip_parse(gateway, &to.via) < 0)
			continue;
		to.to.ip.family = to.via.family;
		rt_route_add(&b, &to);
	}
	r = nl_run(ns->rt, &b, NULL);
	return r < 0 && r != -EEXIST ? err_sys(e, -r, "default route over %s", p->name) : 0;
}

static int note_routes(struct engine *en, const struct instance *in, const struct network *n,
		       const struct net_port *p, struct err *e)
{
	struct lease *list;
	size_t count;
	int r = lease_list(en->db, n->id, in->spec.id, &list, &count, e);

	if (r < 0)
		return r;
	for (size_t i = 0; i < count && r == 0; i++) {
		json_done(&net_port_table, &list[i].port);
		r = json_copy(&net_port_table, p, &list[i].port) < 0 ? no_memory(e)
								     : lease_change(en->db, &list[i], e);
	}
	leases_free(list, count);
	return r;
}

static int route_inside(struct engine *en, struct instance *in, const struct net_port *p, struct err *e)
{
	struct port_netns ns = { 0 };
	int fd = net_open_of(en, in, e), r = fd < 0 ? fd : port_netns_open(fd, &ns, e);

	if (r == 0)
		r = add_routes(&ns, p, e);
	port_netns_done(&ns);
	return r;
}

static int ask_guest(struct engine *en, const struct instance *in, const struct net_port *p, struct err *e)
{
	const struct net_change change = { .port = *p };

	return engine_ask_network(en, in, &change, e);
}

int net_route_over(struct engine *en, struct instance *in, const struct network *n, struct net_port *p,
		   struct err *e)
{
	int r;

	if (net_set_gateways(n, true, p) < 0)
		return no_memory(e);
	r = in->spec.isolation == ISOLATION_VM ? ask_guest(en, in, p, e) : route_inside(en, in, p, e);
	return r < 0 ? r : note_routes(en, in, n, p, e);
}

/* --- --network container: */

/* It also looks like the other: its names in /etc are those. */
static int look_like(struct boot *b, const struct instance_spec *other, struct err *e)
{
	char *of = take_ptr(b->spec.net.of);

	json_done(&net_spec_table, &b->spec.net);
	free(b->spec.hostname);
	b->spec.hostname = other->hostname ? strdup(other->hostname) : NULL;
	if (json_copy(&net_spec_table, &other->net, &b->spec.net) < 0 ||
	    (other->hostname && !b->spec.hostname)) {
		free(of);
		return no_memory(e);
	}
	b->spec.net.of = of;
	return 0;
}

/* A veth is taken away when its instance ends, whoever is in the namespace; an interface of macvlan has no end outside. */
static int check_shareable(struct engine *en, const struct instance_spec *other, struct err *e)
{
	int r = 0;

	for (size_t i = 0; i < other->net.n_attachments && r == 0; i++) {
		AUTO(network_done) struct network n = { 0 };

		r = network_record_find(en->db, other->net.attachments[i].network, &n, e);
		if (r == 0 && n.driver == DRIVER_MACVLAN)
			r = err_set(
				e, ENOTSUP,
				"container:%s: it is on network %s of driver macvlan, which is not shared",
				other->name, n.name);
	}
	return r;
}

int net_share(struct engine *en, struct boot *b, struct err *e)
{
	AUTO(instance_done) struct instance other = { 0 };
	int fd, r = engine_find(en, b->spec.net.of, &other, e);

	if (r == 0)
		r = check_shareable(en, &other.spec, e);
	if (r < 0)
		return err_wrap(e, r, "--network");
	fd = net_open_of(en, &other, e);
	if (fd >= 0 && network_fill(en, &other, e) < 0) {
		close(fd);
		fd = -e->no;
	}
	if (fd < 0)
		return err_wrap(e, fd, "--network container");
	if (boot_add_fd(b, "ns/net", fd) < 0) {
		close(fd);
		return no_memory(e);
	}
	return look_like(b, &other.spec, e);
}
