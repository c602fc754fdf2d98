/* network.c - networks come and go: what was asked becomes a record and a bridge */
#include "engine/network.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/auto.h"
#include "base/clock.h"
#include "engine/net_int.h"
#include "network/plan.h"
#include "network/port.h"
#include "sys/rtnetlink.h"

static int no_memory(struct err *e)
{
	return err_set(e, ENOMEM, "out of memory");
}

/* --- what is taken */

struct taken_list {
	struct plan_taken *v;
	size_t n;
};

static int add_taken(struct taken_list *l, const struct ip_prefix *net, const char *by, const char *name)
{
	struct plan_taken *more = reallocarray(l->v, l->n + 1, sizeof(*more));

	if (!more)
		return -ENOMEM;
	l->v = more;
	l->v[l->n] = (struct plan_taken){ .net = *net };
	snprintf(l->v[l->n++].by, sizeof(l->v->by), "%s%.40s", by, name);
	return 0;
}

static int add_networks(struct db *db, struct taken_list *l, struct err *e)
{
	struct network *list;
	size_t n;
	int r = network_record_list(db, &list, &n, e), k = 0;

	if (r < 0)
		return r;
	for (size_t i = 0; i < n && k == 0; i++) {
		const struct network_pool *pools[] = { &list[i].v4, &list[i].v6 };
		struct ip_prefix p;

		for (size_t f = 0; f < ARRAY_LEN(pools) && k == 0; f++)
			if (pools[f]->subnet && ip_parse_prefix(pools[f]->subnet, &p) == 0)
				k = add_taken(l, &p, "network ", list[i].name);
	}
	networks_free(list, n);
	return k < 0 ? no_memory(e) : 0;
}

static int add_routes(int rt, struct taken_list *l, struct err *e)
{
	struct rt_route *routes;
	size_t n;
	int r = rt_routes(rt, &routes, &n), k = 0;

	if (r < 0)
		return err_sys(e, -r, "routes of this host");
	for (size_t i = 0; i < n && k == 0; i++)
		if (routes[i].to.bits)
			k = add_taken(l, &routes[i].to, "a route of this host", "");
	free(routes);
	return k < 0 ? no_memory(e) : 0;
}

static int plan(struct net_work *w, struct network *n, bool v4, bool v6, struct err *e)
{
	struct taken_list taken = { 0 };
	int r = add_networks(w->en->db, &taken, e);

	if (r == 0 && n->driver == DRIVER_BRIDGE)
		r = add_routes(w->rt, &taken, e);
	if (r == 0)
		r = plan_network(n, v4, v6, taken.v, taken.n, e);
	free(taken.v);
	return r;
}

/* --- made */

static int set_id(struct network *n, struct err *e)
{
	n->id = calloc(1, NETWORK_ID_LEN + 1);
	if (!n->id)
		return no_memory(e);
	engine_random_hex(NETWORK_ID_LEN / 2, n->id);
	n->created_ns = clock_real_ns();
	return 0;
}

/* A name that has gone would be told only after the address plan. */
static int check_new(struct engine *en, const char *name, struct err *e)
{
	AUTO(network_done) struct network n = { 0 };
	struct err none;
	int r = network_record_find(en->db, name, &n, &none);

	if (r == -ENOENT || (r == 0 && strcmp(n.name, name) != 0))
		return 0;
	return r == 0 ? err_set(e, EEXIST, "network with name %s already exists", name) : r;
}

int network_create(struct engine *en, const struct network_request *rq, struct network *ret, struct err *e)
{
	AUTO(network_done) struct network n = { 0 };
	AUTO(net_end) struct net_work w;
	int under, r = net_begin(en, &w, e);

	if (r == 0)
		r = net_from_request(rq, &n, e);
	if (r == 0)
		r = net_ensure_defaults(en, e);
	if (r == 0)
		r = check_new(en, n.name, e);
	if (r == 0)
		r = set_id(&n, e);
	if (r == 0)
		r = plan(&w, &n, !rq->no_ipv4, rq->ipv6 || n.v6.subnet, e);
	if (r == 0)
		r = port_network_ensure(w.rt, &n, &under, e);
	if (r < 0)
		return r;
	r = network_record_add(en->db, &n, e);
	if (r == 0 && n.bridge) {
		r = net_renew_rules(&w, e);
		if (r < 0)
			network_record_remove(en->db, n.id, NULL);
	}
	if (r < 0) {
		port_network_remove(w.rt, &n, NULL);
		return r;
	}
	engine_tell_network(en, &n, "create", NULL);
	*ret = n;
	n = (struct network){ 0 };
	return 0;
}

static int add_default(struct engine *en, const char *name, int driver, struct err *e)
{
	AUTO(network_done) struct network n = { .driver = driver };
	struct net_work w = { .en = en, .rt = -1 };
	int r = set_id(&n, e);

	n.name = strdup(name);
	if (r == 0 && !n.name)
		r = no_memory(e);
	if (r == 0 && driver == DRIVER_BRIDGE) {
		r = w.rt = port_open_host(e);
		if (r >= 0)
			r = plan(&w, &n, true, false, e);
		if (w.rt >= 0)
			close(w.rt);
	}
	return r < 0 ? r : network_record_add(en->db, &n, e);
}

int net_ensure_defaults(struct engine *en, struct err *e)
{
	static const struct {
		const char *name;
		int driver;
	} rows[] = { { NETWORK_DEFAULT, DRIVER_BRIDGE }, { "host", DRIVER_HOST }, { "none", DRIVER_NONE } };
	int r = 0;

	for (size_t i = 0; i < ARRAY_LEN(rows) && r == 0; i++) {
		AUTO(network_done) struct network n = { 0 };
		struct err why;

		r = network_record_find(en->db, rows[i].name, &n, &why);
		if (r == -ENOENT)
			r = add_default(en, rows[i].name, rows[i].driver, &why);
		if (r == -EEXIST) /* another command was faster */
			r = 0;
		if (r < 0 && e)
			*e = why;
	}
	return r;
}

/* --- found */

int network_find(struct engine *en, const char *name, struct network *ret, struct err *e)
{
	int r = net_ensure_defaults(en, e);

	return r < 0 ? r : network_record_find(en->db, name, ret, e);
}

int network_list(struct engine *en, struct network **ret, size_t *ret_n, struct err *e)
{
	int r = net_ensure_defaults(en, e);

	return r < 0 ? r : network_record_list(en->db, ret, ret_n, e);
}

/* Of those that run; under the lock. */
static int list_ports(struct net_work *w, const struct network *n, struct lease **ret, size_t *ret_n,
		      struct err *e)
{
	AUTO(db_tx_done) struct db_tx tx = { 0 };
	int r = db_begin_live(w->en->db, &tx, e);

	if (r == 0)
		r = lease_sweep(w->en->db, n->id, &w->world, e);
	if (r == 0)
		r = net_commit(w, &tx, true, e);
	return r < 0 ? r : lease_list(w->en->db, n->id, NULL, ret, ret_n, e);
}

int network_ports(struct engine *en, const struct network *n, struct lease **ret, size_t *ret_n,
		  struct err *e)
{
	AUTO(net_end) struct net_work w = NET_WORK_NONE;
	int r;

	if (image_store_state(en->images) != STORE_WHOLE) /* nothing can be swept there */
		return lease_list(en->db, n->id, NULL, ret, ret_n, e);
	r = net_begin(en, &w, e);
	if (r == 0)
		r = list_ports(&w, n, ret, ret_n, e);
	if (r == 0 && *ret_n) {
		net_mend_names(&w, n);
		net_mend_relays(&w, n);
	}
	return r;
}

/* What one row says, in the place of what was asked for. */
static void fill_one(struct net_spec *n, struct lease *l)
{
	for (size_t i = 0; i < n->n_attachments; i++) {
		struct net_attachment *a = &n->attachments[i];

		if (a->network && !strcmp(a->network, l->network)) {
			json_done(&net_port_table, &a->given);
			a->given = l->port;
			l->port = (struct net_port){ 0 };
		}
	}
	for (size_t i = 0; i < l->n_ports && l->n_ports == n->n_ports; i++)
		n->ports[i].host_port = l->ports[i].host_port;
}

int network_fill(struct engine *en, struct instance *in, struct err *e)
{
	struct lease *list;
	size_t n;
	int r;

	if (in->spec.network != NETWORK_ATTACHED || !instance_is_live(&in->state))
		return 0;
	r = lease_list(en->db, NULL, in->spec.id, &list, &n, e);
	if (r < 0)
		return r;
	for (size_t i = 0; i < n; i++)
		fill_one(&in->spec.net, &list[i]);
	leases_free(list, n);
	return 0;
}

/* --- removed */

static int in_use(struct engine *en, const struct network *n, const struct lease *l, struct err *e)
{
	AUTO(instance_done) struct instance in = { 0 };
	bool found = record_find(en->db, l->instance, &in.spec, NULL) == 0;

	return err_set(
		e, EBUSY,
		"error while removing network: network %s has active endpoints (name:\"%.60s\" id:\"%.12s\")",
		n->name, found ? in.spec.name : "", l->instance);
}

int network_remove(struct engine *en, const char *name, struct err *e)
{
	AUTO(network_done) struct network n = { 0 };
	AUTO(net_end) struct net_work w;
	struct lease *ports = NULL;
	size_t n_ports = 0;
	int r = net_begin(en, &w, e);

	if (r == 0)
		r = network_record_find(en->db, name, &n, e);
	if (r == 0 && !network_has_ports(&n))
		return err_set(e, EPERM, "%s is a pre-defined network and cannot be removed", n.name);
	if (r == 0)
		r = list_ports(&w, &n, &ports, &n_ports, e);
	if (r < 0)
		return r;
	if (n_ports)
		r = in_use(en, &n, &ports[0], e);
	leases_free(ports, n_ports);
	if (r == 0) /* it may live where the command was killed that took the last one off */
		r = net_renew_names(&w, &n, e);
	if (r == 0)
		r = net_forget_network(&w, &n, e);
	if (r == 0)
		r = port_network_remove(w.rt, &n, e);
	if (r == 0)
		r = network_record_remove(en->db, n.id, e);
	if (r == 0)
		r = net_leave_host(&w, e);
	if (r == 0)
		engine_tell_network(en, &n, "destroy", NULL);
	return r;
}
