/* network.c - networks come and go: what was asked becomes a record and a bridge */
#include "engine/network.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/parse.h"
#include "engine/net_int.h"
#include "network/plan.h"
#include "network/port.h"
#include "sys/rtnetlink.h"

#define NAME_MAX_LEN 128
#define MTU_MIN	     68
#define MTU_MAX	     65535
#define VLAN_MAX     4094

static int no_memory(struct err *e)
{
	return err_set(e, ENOMEM, "out of memory");
}

/* --- what was asked */

static int check_name(const char *s, struct err *e)
{
	size_t n = strlen(s);

	if (!n || n > NAME_MAX_LEN || strchr("_.-", *s) ||
	    strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-") != n)
		return err_set(e, EINVAL,
			       "invalid network name '%.140s': only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed",
			       s);
	return 0;
}

static int take_number(const char *value, uint32_t least, uint32_t most, uint32_t *ret)
{
	uint32_t n;

	if (parse_u32(value, &n) < 0 || n < least || n > most)
		return -EINVAL;
	*ret = n;
	return 0;
}

static int take_bool(const char *value, bool *ret)
{
	bool yes = !strcmp(value, "true") || !strcmp(value, "1") || !*value;

	if (!yes && strcmp(value, "false") != 0 && strcmp(value, "0") != 0)
		return -EINVAL;
	*ret = yes;
	return 0;
}

static int take_text(const char *value, char **ret)
{
	free(*ret);
	*ret = strdup(value);
	return *ret ? 0 : -ENOMEM;
}

static int opt_mtu(struct network *n, const char *v)
{
	return take_number(v, MTU_MIN, MTU_MAX, &n->mtu);
}

static int opt_vlan(struct network *n, const char *v)
{
	return take_number(v, 1, VLAN_MAX, &n->vlan);
}

static int opt_parent(struct network *n, const char *v)
{
	return *v && strlen(v) < NET_IFNAME_MAX ? take_text(v, &n->parent) : -EINVAL;
}

static int opt_bridge(struct network *n, const char *v)
{
	return take_text(v, &n->bridge);
}

static int opt_isolate(struct network *n, const char *v)
{
	return take_bool(v, &n->isolate);
}

static int opt_icc(struct network *n, const char *v)
{
	int r = take_bool(v, &n->isolate);

	n->isolate = !n->isolate;
	return r;
}

/* Ours (which are Podman's), and Docker's for the same. */
static const struct {
	const char *key;
	int (*take)(struct network *n, const char *value);
} options[] = {
	{ "mtu", opt_mtu },
	{ "vlan", opt_vlan },
	{ "parent", opt_parent },
	{ "isolate", opt_isolate },
	{ "com.docker.network.driver.mtu", opt_mtu },
	{ "com.docker.network.bridge.name", opt_bridge },
	{ "com.docker.network.bridge.enable_icc", opt_icc },
};

static int take_option(struct network *n, const char *text, struct err *e)
{
	size_t len = strcspn(text, "=");
	const char *value = text[len] ? text + len + 1 : "";

	for (size_t i = 0; i < ARRAY_LEN(options); i++) {
		int r;

		if (strlen(options[i].key) != len || strncmp(options[i].key, text, len) != 0)
			continue;
		r = options[i].take(n, value);
		if (r == -EINVAL)
			return err_set(e, EINVAL, "--opt %.100s: it cannot have this value", text);
		return r < 0 ? no_memory(e) : 0;
	}
	return err_set(e, EINVAL, "--opt %.100s: there is no such option", text);
}

static int take_driver(const char *name, struct network *n, struct err *e)
{
	const char *want = name && *name ? name : "bridge";

	if (!strcmp(want, "host") || !strcmp(want, "none") || !strcmp(want, "null"))
		return err_set(e, EPERM, "only one instance of \"%.10s\" network is allowed", want);
	for (int i = 0; i < DRIVER_N; i++)
		if (!strcmp(want, network_driver_names[i])) {
			n->driver = i;
			return 0;
		}
	return err_set(e, ENOTSUP, "--driver %.60s: there are bridge and macvlan", want);
}

static struct network_pool *pool_of(struct network *n, const char *text)
{
	return strchr(text, ':') ? &n->v6 : &n->v4;
}

/* Each text goes to the pool of its family. */
static int take_pools(const struct strv *texts, size_t member, const char *flag, struct network *n,
		      struct err *e)
{
	for (size_t i = 0; i < texts->n; i++) {
		char **to = (char **)(void *)((char *)pool_of(n, texts->v[i]) + member);

		if (*to)
			return err_set(e, EINVAL, "%s %.60s: there can be one for each of IPv4 and IPv6",
				       flag, texts->v[i]);
		*to = strdup(texts->v[i]);
		if (!*to)
			return no_memory(e);
	}
	return 0;
}

static int check_dns(const struct strv *dns, struct err *e)
{
	struct ip ip;

	for (size_t i = 0; i < dns->n; i++)
		if (ip_parse(dns->v[i], &ip) < 0)
			return err_set(e, EINVAL, "--dns %.60s: it is not an address", dns->v[i]);
	return 0;
}

static int check_driver(const struct network *n, struct err *e)
{
	if (n->driver == DRIVER_MACVLAN)
		return err_set(e, ENOTSUP, "--driver macvlan: there is only bridge yet");
	if (n->vlan || n->parent)
		return err_set(e, EINVAL, "--opt %s: it is for macvlan", n->vlan ? "vlan" : "parent");
	return 0;
}

static int from_request(const struct network_request *rq, struct network *n, struct err *e)
{
	int r = check_name(rq->name, e);

	if (r == 0)
		r = take_driver(rq->driver, n, e);
	n->internal = rq->internal;
	n->isolate = rq->isolate;
	for (size_t i = 0; i < rq->options.n && r == 0; i++)
		r = take_option(n, rq->options.v[i], e);
	if (r == 0)
		r = take_pools(&rq->subnets, offsetof(struct network_pool, subnet), "--subnet", n, e);
	if (r == 0)
		r = take_pools(&rq->gateways, offsetof(struct network_pool, gateway), "--gateway", n, e);
	if (r == 0)
		r = take_pools(&rq->ranges, offsetof(struct network_pool, range), "--ip-range", n, e);
	if (r == 0)
		r = check_dns(&rq->dns, e);
	if (r == 0)
		r = check_driver(n, e);
	if (r < 0)
		return r;
	n->name = strdup(rq->name);
	if (!n->name || strv_copy(&n->dns, &rq->dns) < 0 || strv_copy(&n->labels, &rq->labels) < 0 ||
	    strv_copy(&n->options, &rq->options) < 0)
		return no_memory(e);
	return 0;
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
	int bridge, r = net_begin(en, &w, e);

	if (r == 0)
		r = from_request(rq, &n, e);
	if (r == 0)
		r = net_ensure_defaults(en, e);
	if (r == 0)
		r = check_new(en, n.name, e);
	if (r == 0)
		r = set_id(&n, e);
	if (r == 0)
		r = plan(&w, &n, !rq->no_ipv4, rq->ipv6 || n.v6.subnet, e);
	if (r == 0 && n.driver == DRIVER_BRIDGE)
		r = port_bridge_ensure(w.rt, &n, &bridge, e);
	if (r < 0)
		return r;
	r = network_record_add(en->db, &n, e);
	if (r == 0 && n.bridge) {
		r = net_renew_rules(&w, e);
		if (r < 0)
			network_record_remove(en->db, n.id, NULL);
	}
	if (r < 0) {
		port_bridge_remove(w.rt, &n, NULL);
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
	int r = db_begin(w->en->db, &tx, e);

	if (r == 0)
		r = lease_sweep(w->en->db, n->id, &w->world, e);
	if (r == 0)
		r = db_commit(&tx, e);
	if (r == 0)
		r = net_clear_gone(w, true, e);
	return r < 0 ? r : lease_list(w->en->db, n->id, NULL, ret, ret_n, e);
}

int network_ports(struct engine *en, const struct network *n, struct lease **ret, size_t *ret_n,
		  struct err *e)
{
	AUTO(net_end) struct net_work w;
	int r = net_begin(en, &w, e);

	if (r == 0)
		r = list_ports(&w, n, ret, ret_n, e);
	if (r == 0 && *ret_n)
		net_mend_names(&w, n);
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
	if (r == 0)
		r = net_forget_network(&w, &n, e);
	if (r == 0)
		r = port_bridge_remove(w.rt, &n, e);
	if (r == 0)
		r = network_record_remove(en->db, n.id, e);
	if (r == 0)
		r = net_leave_host(&w, e);
	if (r == 0)
		engine_tell_network(en, &n, "destroy", NULL);
	return r;
}
