/* net_start.c - an instance starts: what it gets on its networks, and the descriptors that make it so
 *
 * All under the lock of the run root: rows first, so that no address is given twice; then links; then rules and names.
 * What fails half-way is taken back by network_release, which finds it by the rows.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/io.h"
#include "base/ip.h"
#include "base/parse.h"
#include "engine/net_int.h"
#include "network/port.h"
#include "sys/ns.h"
#include "sys/rtnetlink.h"

static int no_memory(struct err *e)
{
	return err_set(e, ENOMEM, "out of memory");
}

static int give(struct boot *b, const char *name, int fd, struct err *e)
{
	fd = fd < 0 ? fd : fd_move_above_stdio(fd);
	if (fd < 0)
		return err_sys(e, -fd, "%s", name);
	if (boot_add_fd(b, name, fd) == 0)
		return 0;
	close(fd);
	return no_memory(e);
}

/* --- leases */

/* The kernel may still be busy with the link of the last run: so none has a name twice. */
char *net_link_name(void)
{
	char hex[9];

	engine_random_hex(4, hex);
	return str_printf("kv-%s", hex);
}

/* The first network that leads out has the default routes. */
int net_set_gateways(const struct network *n, bool route, struct net_port *p)
{
	const char *dns = n->v4.subnet ? n->v4.gateway : n->v6.gateway;

	route = route && !n->internal;
	if (route && n->v4.gateway)
		p->gateway = strdup(n->v4.gateway);
	if (route && n->v6.gateway)
		p->gateway6 = strdup(n->v6.gateway);
	if (n->driver == DRIVER_BRIDGE && dns && !p->dns)
		p->dns = strdup(dns);
	return (route && n->v4.gateway && !p->gateway) || (route && n->v6.gateway && !p->gateway6) ||
			       (n->driver == DRIVER_BRIDGE && dns && !p->dns)
		       ? -ENOMEM
		       : 0;
}

static int add_name(struct strv *names, const char *name)
{
	autofree char *lower = strdup(name);

	for (char *c = lower; c && *c; c++)
		if (*c >= 'A' && *c <= 'Z')
			*c = (char)(*c - 'A' + 'a');
	if (!lower)
		return -ENOMEM;
	return strv_has(names, lower) ? 0 : strv_add(names, lower);
}

static int set_names(const struct instance_spec *s, const struct net_attachment *a, struct strv *ret)
{
	autofree char *id = strndup(s->id, 12);
	int r = id ? add_name(ret, s->name) : -ENOMEM;

	for (size_t i = 0; i < a->aliases.n && r == 0; i++)
		r = add_name(ret, a->aliases.v[i]);
	return r == 0 ? add_name(ret, id) : r;
}

static bool has_route_before(const struct instance_spec *s, size_t index)
{
	for (size_t i = 0; i < index; i++)
		if (s->net.attachments[i].given.gateway || s->net.attachments[i].given.gateway6)
			return true;
	return false;
}

int net_fill_lease(const struct instance_spec *s, size_t index, const struct network *n, struct lease *ret,
		   struct err *e)
{
	const struct net_attachment *a = &s->net.attachments[index];
	struct lease l = { .egress_given = s->net.egress_given,
			   .egress_learn = s->net.egress_learn,
			   .dhcp = s->isolation == ISOLATION_VM && s->sandbox.system };
	struct net_spec published = { 0 };
	int r;

	l.instance = strdup(s->id);
	l.port.link = net_link_name();
	l.port.name = str_printf("eth%zu", index);
	l.port.mtu = n->mtu;
	r = l.instance && l.port.link && l.port.name ? 0 : -ENOMEM;
	if (r == 0)
		r = net_set_gateways(n, !has_route_before(s, index), &l.port);
	if (r == 0)
		r = set_names(s, a, &l.names);
	if (r == 0)
		r = strv_copy(&l.egress, &s->net.egress);
	if (r == 0)
		r = json_copy(&net_spec_table, &s->net, &published);
	if (r < 0) {
		lease_done(&l);
		return no_memory(e);
	}
	if (!index) {
		l.ports = take_ptr(published.ports);
		l.n_ports = published.n_ports;
		published.n_ports = 0;
	}
	l.rules = take_ptr(published.rules);
	l.n_rules = published.n_rules;
	published.n_rules = 0;
	json_done(&net_spec_table, &published);
	*ret = l;
	return 0;
}

/* One start. */
struct start {
	struct net_work *w;
	struct boot *b;
	struct network nets[NET_MAX_ATTACHMENTS];
	struct lease leases[NET_MAX_ATTACHMENTS];
	int under[NET_MAX_ATTACHMENTS]; /* of port_network_ensure */
	size_t n;
	bool new_bridge;
};

static void start_done(struct start *st)
{
	for (size_t i = 0; i < NET_MAX_ATTACHMENTS; i++) {
		network_done(&st->nets[i]);
		lease_done(&st->leases[i]);
	}
}

static int find_networks(struct start *st, struct err *e)
{
	struct net_spec *n = &st->b->spec.net;
	int r = 0;

	if (n->n_attachments > NET_MAX_ATTACHMENTS)
		return err_set(e, E2BIG, "an instance can be on %d networks", NET_MAX_ATTACHMENTS);
	for (size_t i = 0; i < n->n_attachments && r >= 0; i++) {
		r = network_record_find(st->w->en->db, n->attachments[i].network, &st->nets[i], e);
		if (r == -ENOENT) /* the id says nothing to anybody */
			r = err_set(e, ENOENT, "network %s not found", n->attachments[i].network_name);
		if (r == 0)
			r = net_check_driver(&st->b->spec, i, &st->nets[i], e);
		if (r == 0)
			r = port_network_ensure(st->w->rt, &st->nets[i], &st->under[i], e);
		st->new_bridge |= r > 0;
	}
	st->n = n->n_attachments;
	return r < 0 ? r : 0;
}

static int take_leases(struct start *st, struct err *e)
{
	struct instance_spec *s = &st->b->spec;
	AUTO(db_tx_done) struct db_tx tx = { 0 };
	int r = db_begin_live(st->w->en->db, &tx, e);

	for (size_t i = 0; i < st->n && r == 0; i++) {
		struct net_attachment *a = &s->net.attachments[i];

		r = net_fill_lease(s, i, &st->nets[i], &st->leases[i], e);
		if (r == 0)
			r = lease_take(st->w->en->db, &st->nets[i], a, &st->w->world, &st->leases[i], e);
		if (r == 0 && json_copy(&net_port_table, &st->leases[i].port, &a->given) < 0)
			r = no_memory(e);
	}
	return r < 0 ? r : net_commit(st->w, &tx, false, e);
}

/* Where no network has a name service: those of the networks themselves. */
static int set_resolvers(struct start *st, struct err *e)
{
	struct strv *to = &st->b->spec.net.dns;
	int r = 0;

	if (to->n)
		return 0;
	for (size_t i = 0; i < st->n; i++)
		if (st->nets[i].bridge)
			return 0;
	for (size_t i = 0; i < st->n && r == 0; i++)
		for (size_t k = 0; k < st->nets[i].dns.n && r == 0; k++)
			r = strv_add(to, st->nets[i].dns.v[k]);
	return r < 0 ? no_memory(e) : 0;
}

/* --- links */

static int add_container_ports(struct start *st, struct err *e)
{
	struct port_netns ns = { 0 };
	int fd, r = port_netns_make(&ns, e);

	for (size_t i = 0; i < st->n && r == 0; i++)
		r = port_container_add(st->w->rt, &st->nets[i], st->under[i], st->b->spec.id,
				       &st->leases[i].port, &ns, e);
	if (r == 0) {
		fd = ns.fd;
		ns.fd = 0;
		r = give(st->b, "ns/net", fd, e);
	}
	port_netns_done(&ns);
	return r;
}

/* The card for a network to come: it is always the same one, so that nobody has to keep its name. */
int net_spare(const struct instance_spec *s, struct net_port *ret, struct err *e)
{
	uint8_t mac[6] = { 0x02, 0x43 };
	char text[18], digits[9];

	snprintf(digits, sizeof(digits), "%.8s", s->id);
	if (hex_decode(digits, 4, mac + 2) < 0)
		return err_set(e, EINVAL, "the instance has no valid id");
	ret->link = str_printf("ks-%s", digits);
	ret->mac = strdup(mac_print(mac, text));
	return ret->link && ret->mac ? 0 : no_memory(e);
}

static int add_machine_ports(struct start *st, struct err *e)
{
	struct instance_spec *s = &st->b->spec;
	char name[32];
	int r = 0;

	for (size_t i = 0; i < st->n && r == 0; i++) {
		int fd = port_machine_add(st->w->rt, &st->nets[i], st->under[i], s->id, &st->leases[i].port,
					  e);

		snprintf(name, sizeof(name), "tap/%zu", i);
		r = fd < 0 ? fd : give(st->b, name, fd, e);
	}
	if (r == 0)
		r = net_spare(s, &s->net.spare, e);
	if (r == 0) {
		int fd = port_machine_add(st->w->rt, NULL, 0, s->id, &s->net.spare, e);

		snprintf(name, sizeof(name), "tap/%zu", st->n);
		r = fd < 0 ? fd : give(st->b, name, fd, e);
	}
	return r;
}

/* --- the rest of the host */

static int tell(struct start *st, struct err *e)
{
	int r = st->new_bridge ? net_renew_rules(st->w, e) : 0;

	for (size_t i = 0; i < st->n && r == 0; i++)
		r = net_tell_port(st->w, &st->nets[i], &st->leases[i], e);
	for (size_t i = 0; i < st->n && r == 0; i++)
		r = net_set_rate(st->w, &st->leases[i], &st->b->spec.net.rate, e);
	return r;
}

/* --- all */

/* Of an instance whose monitor starts it again somebody may have changed the networks until now. */
static int take_attachments(struct engine *en, struct boot *b, struct err *e)
{
	struct instance_spec now = { 0 };
	struct net_spec before = b->spec.net;
	int r = record_find(en->db, b->spec.id, &now, e);

	if (r == 0) {
		b->spec.net = now.net;
		now.net = before;
	}
	json_done(&instance_spec_table, &now);
	return r;
}

static int attach(struct engine *en, struct boot *b, struct err *e)
{
	AUTO(net_end) struct net_work w;
	AUTO(start_done) struct start st = { .w = &w, .b = b };
	int r = net_begin(en, &w, e);

	w.boot = b;
	if (r == 0)
		r = take_attachments(en, b, e);
	if (r == 0)
		r = find_networks(&st, e);
	if (r == 0 && st.nets[0].bridge)
		r = net_reserve_all(&w, &st.nets[0], b, e);
	if (r == 0)
		r = take_leases(&st, e);
	if (r == 0)
		r = set_resolvers(&st, e);
	if (r == 0)
		r = b->spec.isolation == ISOLATION_VM ? add_machine_ports(&st, e)
						      : add_container_ports(&st, e);
	if (r == 0)
		r = tell(&st, e);
	return r == 0 && st.nets[0].bridge ? net_relay(b, &st.leases[0].port, e) : r;
}

int net_start(struct engine *en, struct boot *b, struct err *e)
{
	int r;

	if (b->files_only)
		b->spec.network = NETWORK_NONE;
	if (b->spec.network == NETWORK_CONTAINER)
		return net_share(en, b, e);
	if (b->spec.network != NETWORK_ATTACHED)
		return 0;
	r = attach(en, b, e);
	if (r < 0)
		net_release_held(en, b->spec.id, true, NULL);
	return r;
}
