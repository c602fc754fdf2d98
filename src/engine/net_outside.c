/* net_outside.c - what the host knows of networks and ports beside their links: the rule set, and (net_names.c) names
 *
 * Both are made from leases, under the lock of the run root.  The rule set is looked at with each change, and put back
 * whole where somebody has flushed it; else a port is some elements, added by themselves.
 */
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/path.h"
#include "base/sha256.h"
#include "engine/net_int.h"
#include "network/forwarding.h"
#include "network/port.h"
#include "network/rate.h"

#define RUN_ROOT "/run/ketch"

static int no_memory(struct err *e)
{
	return err_set(e, ENOMEM, "out of memory");
}

/* Two stores on one host have a table each. */
struct firewall net_firewall(const struct engine *en)
{
	struct firewall fw = { .table = "ketch", .fd = -1 };
	char hex[SHA256_HEX];

	sha256_hex(en->run_root, strlen(en->run_root), hex);
	if (strcmp(en->run_root, RUN_ROOT) != 0)
		snprintf(fw.table, sizeof(fw.table), "ketch-%.8s", hex);
	return fw;
}

/* --- the rule set */

static bool has_rules(const struct lease *list, size_t n, const char *network)
{
	for (size_t i = 0; i < n; i++)
		if (list[i].n_rules && !strcmp(list[i].network, network))
			return true;
	return false;
}

static struct fw_network wall_of(const struct network *n, const struct lease *list, size_t n_list)
{
	struct fw_network f = { .subnet = n->v4.subnet,
				.subnet6 = n->v6.subnet,
				.internal = n->internal,
				.isolate = n->isolate,
				.masquerade = !n->internal,
				.bridge_filter = has_rules(list, n_list, n->id) };

	snprintf(f.id, sizeof(f.id), "%s", n->id);
	snprintf(f.bridge, sizeof(f.bridge), "%s", n->bridge);
	return f;
}

static struct fw_port gate_of(const struct lease *l, const struct fw_network *n)
{
	return (struct fw_port){ .instance = l->instance,
				 .network = n,
				 .given = &l->port,
				 .published = l->ports,
				 .n_published = l->n_ports,
				 .rules = l->rules,
				 .n_rules = l->n_rules,
				 .egress = l->egress_given,
				 .egress_learn = l->egress_learn };
}

/* All that there is, out of the records. */
struct world {
	struct network *networks;
	size_t n_networks;
	struct lease *leases;
	size_t n_leases;
	struct fw_model model;
	struct net_peers *peers; /* of each port of the model */
};

static void world_done(struct world *w)
{
	networks_free(w->networks, w->n_networks);
	leases_free(w->leases, w->n_leases);
	for (size_t i = 0; i < w->model.n_ports; i++)
		net_peers_done(&w->peers[i]);
	free(w->peers);
	free(w->model.networks);
	free(w->model.ports);
	strv_done(&w->model.apart);
}

static int add_port(struct world *w, const struct lease *l)
{
	const struct net_known known = { w->networks, w->leases, w->n_networks, w->n_leases };
	struct net_peers *peers = &w->peers[w->model.n_ports];
	struct fw_port *p = &w->model.ports[w->model.n_ports];
	int r;

	for (size_t i = 0; i < w->model.n_networks; i++) {
		if (strcmp(w->model.networks[i].id, l->network) != 0)
			continue;
		r = net_peers_resolve(l, &known, peers);
		*p = gate_of(l, &w->model.networks[i]);
		p->rules = peers->rules;
		p->n_rules = peers->n;
		w->model.n_ports++;
		return r;
	}
	return 0;
}

static int world_read(const struct net_work *nw, struct world *w, struct err *e)
{
	struct db *db = nw->en->db;
	int r = network_record_list(db, &w->networks, &w->n_networks, e);

	if (r == 0)
		r = lease_list(db, NULL, NULL, &w->leases, &w->n_leases, e);
	if (r < 0)
		return r;
	w->model.table = nw->wall.table;
	w->model.networks = calloc(w->n_networks + 1, sizeof(*w->model.networks));
	w->model.ports = calloc(w->n_leases + 1, sizeof(*w->model.ports));
	w->peers = calloc(w->n_leases + 1, sizeof(*w->peers));
	if (!w->model.networks || !w->model.ports || !w->peers)
		return no_memory(e);
	/* after a start of the host a bridge comes with the first instance that wants it */
	for (size_t i = 0; i < w->n_networks; i++)
		if (w->networks[i].bridge && if_nametoindex(w->networks[i].bridge))
			w->model.networks[w->model.n_networks++] =
				wall_of(&w->networks[i], w->leases, w->n_leases);
	for (size_t i = 0; i < w->n_leases && r == 0; i++)
		r = add_port(w, &w->leases[i]);
	return r < 0 ? no_memory(e) : 0;
}

#define NEEDS "networks need "

/* Where the sentence does not say it already. */
static int without_nft(int r, struct err *e)
{
	if ((r != -ENOENT && r != -EPERM) || !e || strstr(e->msg, NEEDS))
		return r;
	return err_wrap(e, r, NEEDS "nft and CAP_NET_ADMIN; without them there is --network none");
}

int net_renew_rules(struct net_work *w, struct err *e)
{
	AUTO(world_done) struct world all = { 0 };
	int r = world_read(w, &all, e);

	if (r == 0)
		r = without_nft(forwarding_host(&w->wall, w->dir, w->rt, &all.model, NULL, e), e);
	return r < 0 ? r : 0;
}

/* 1: they are as they were put there. */
static int rules_are_whole(struct net_work *w, struct err *e)
{
	struct fw_model m = { .table = w->wall.table };
	int r = forwarding_read(w->dir, &m, e);

	if (r == 0)
		r = firewall_is_whole(&w->wall, m.guard, e);
	strv_done(&m.apart);
	return r;
}

/* Who comes or goes may be named in rules, its own or those of others. */
int net_renew_named(struct net_work *w, struct err *e)
{
	AUTO(world_done) struct world all = { 0 };
	int r = lease_any_peer(w->en->db, e);

	if (r <= 0)
		return r;
	r = world_read(w, &all, e);
	for (size_t i = 0; i < all.model.n_ports && r == 0; i++)
		if (all.peers[i].words.n)
			r = firewall_port_rules(&w->wall, &all.model.ports[i], e);
	return r;
}

/* Its rules follow where they have names. */
static int open_gate(struct net_work *w, const struct network *n, const struct lease *l, struct err *e)
{
	const struct fw_network wall = wall_of(n, l, 1);
	struct fw_port gate = gate_of(l, &wall);
	int r = l->n_rules ? forwarding_bridge(w->rt, &wall, e) : 0;

	if (net_has_named_peers(l))
		gate.n_rules = 0;
	if (r == 0)
		r = firewall_port_add(&w->wall, &gate, e);
	return r == 0 && l->n_ports ? forwarding_port(w->rt, l->port.link, e) : r;
}

static void close_gate(struct net_work *w, const struct network *n, const struct lease *l)
{
	const struct fw_network wall = wall_of(n, l, 1);
	const struct fw_port gate = gate_of(l, &wall);

	firewall_port_remove(&w->wall, &gate, NULL);
}

int net_publish(struct net_work *w, const struct network *n, const struct lease *l,
		const struct published_port *p, bool add, struct err *e)
{
	const struct fw_network wall = wall_of(n, l, 1);
	const struct fw_port gate = gate_of(l, &wall);
	int r = rules_are_whole(w, e);

	if (r == 0)
		r = net_renew_rules(w, e);
	if (r >= 0)
		r = firewall_publish(&w->wall, &gate, p, add, e);
	if (r == 0 && add)
		r = forwarding_port(w->rt, l->port.link, e);
	return r < 0 ? without_nft(r, e) : 0;
}

/* --- ports */

int net_tell_port(struct net_work *w, const struct network *n, const struct lease *l, struct err *e)
{
	int r;

	if (!n->bridge) {
		r = net_renew_named(w, e);
		return r < 0 ? r : net_renew_names(w, n, e);
	}
	r = rules_are_whole(w, e);
	if (r == 0)
		r = net_renew_rules(w, e);
	if (r >= 0)
		r = open_gate(w, n, l, e);
	if (r == 0)
		r = net_renew_named(w, e);
	return r < 0 ? without_nft(r, e) : net_renew_names(w, n, e);
}

/* The network of a row, or nothing: it may be gone. */
static int network_of(struct net_work *w, const struct lease *l, struct network *ret)
{
	struct err none;

	return network_record_find(w->en->db, l->network, ret, &none);
}

void net_close_ports(struct net_work *w, const struct lease *list, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		AUTO(network_done) struct network net = { 0 };

		if (network_of(w, &list[i], &net) < 0)
			continue;
		if (net.driver == DRIVER_MACVLAN)
			port_remove(w->rt, list[i].port.link); /* a macvtap does not go with its descriptor */
		if (!net.bridge)
			continue;
		close_gate(w, &net, &list[i]);
		rate_clear(w->rt, list[i].port.link, NULL);
	}
	net_leave_names(w, list, n, NULL);
}

int net_forget_network(struct net_work *w, const struct network *n, struct err *e)
{
	const struct fw_network wall = wall_of(n, NULL, 0);

	if (!n->bridge)
		return 0;
	forwarding_forget(&wall);
	return firewall_network_remove(&w->wall, &wall, e);
}

static bool has_bridge(struct engine *en)
{
	struct network *list;
	size_t n;
	bool yes = false;

	if (network_record_list(en->db, &list, &n, NULL) < 0)
		return true;
	for (size_t i = 0; i < n; i++)
		yes |= list[i].bridge && if_nametoindex(list[i].bridge);
	networks_free(list, n);
	return yes;
}

int net_leave_host(struct net_work *w, struct err *e)
{
	int r;

	if (has_bridge(w->en))
		return 0;
	r = forwarding_restore(w->dir, e);
	return r > 0 ? firewall_remove(&w->wall, e) : r;
}
