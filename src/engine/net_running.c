/* net_running.c - the interfaces of an instance that runs come and go */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "container/etc_port.h"
#include "engine/ask.h"
#include "engine/net_attach.h"
#include "network/port.h"

/* The guest has a name for its cards, too. */
static void name_port(const struct net_spec *s, struct net_port *p)
{
	for (size_t i = 0; i < NET_MAX_ATTACHMENTS + 1; i++) {
		autofree char *name = str_printf("eth%zu", i);
		bool taken = false;

		for (size_t k = 0; k < s->n_attachments; k++)
			taken |= name && s->attachments[k].given.name &&
				 !strcmp(s->attachments[k].given.name, name);
		if (!taken && name) {
			free(p->name);
			p->name = take_ptr(name);
			return;
		}
	}
}

static int ask_guest(struct net_attach *c, const struct net_port *p, bool leave, struct err *e)
{
	const struct net_change change = { .leave = leave, .port = *p };

	return engine_ask_network(c->en, c->in, &change, e);
}

static int open_netns(struct net_attach *c, struct port_netns *ret, struct err *e)
{
	int fd = net_open_of(c->en, c->in, e);

	return fd < 0 ? fd : port_netns_open(fd, ret, e);
}

static int add_container_port(struct net_attach *c, const struct net_port *p, struct err *e)
{
	struct port_netns ns = { 0 };
	int r = open_netns(c, &ns, e);

	if (r == 0)
		r = port_container_add(c->w.rt, &c->n, c->under, c->in->spec.id, p, &ns, e);
	port_netns_done(&ns);
	return r;
}

/* In a machine the guest does it. */
static void change_etc(struct net_attach *c, const struct net_port *p, bool leaves)
{
	autoclose int root = net_open_root_of(c->en, c->in, NULL);

	if (root >= 0)
		etc_port_change(root, &c->in->spec, p, leaves);
}

static int add_port(struct net_attach *c, const struct net_port *p, struct err *e)
{
	int r;

	if (c->in->spec.isolation == ISOLATION_CONTAINER) {
		r = add_container_port(c, p, e);
		if (r == 0)
			change_etc(c, p, false);
		return r;
	}
	r = port_tap_move(c->w.rt, &c->n, c->under, p, e);
	if (r == 0) {
		r = ask_guest(c, p, false, e);
		if (r < 0)
			port_tap_move(c->w.rt, NULL, 0, p, NULL);
	}
	return r;
}

/* That of a macvlan network has no end outside. */
static int remove_container_port(struct net_attach *c, const struct net_port *p, struct err *e)
{
	struct port_netns ns = { 0 };
	int r;

	if (c->n.driver != DRIVER_MACVLAN) {
		port_remove(c->w.rt, p->link);
		return 0;
	}
	r = open_netns(c, &ns, e);
	if (r == 0)
		port_remove(ns.rt, p->name);
	port_netns_done(&ns);
	return r;
}

static int remove_port(struct net_attach *c, const struct net_port *p, struct err *e)
{
	int r;

	if (c->in->spec.isolation == ISOLATION_CONTAINER) {
		r = remove_container_port(c, p, e);
		if (r == 0)
			change_etc(c, p, true);
		return r;
	}
	r = ask_guest(c, p, true, e);
	return r < 0 ? r : port_tap_move(c->w.rt, NULL, 0, p, e);
}

/* A machine has one card to spare. */
static int take_spare(struct net_attach *c, struct lease *l, struct net_attachment *a, struct err *e)
{
	struct net_port spare = { 0 };
	int r;

	if (c->in->spec.isolation != ISOLATION_VM)
		return 0;
	r = net_spare(&c->in->spec, &spare, e);
	for (size_t i = 0; r == 0 && i < c->in->spec.net.n_attachments; i++) {
		const char *mac = c->in->spec.net.attachments[i].given.mac;

		if (mac && !strcmp(mac, spare.mac))
			r = err_set(e, EBUSY,
				    "%s: a virtual machine that runs can be put on one further network: stop "
				    "it first",
				    c->in->spec.name);
	}
	if (r == 0 && a->mac && strcmp(a->mac, spare.mac) != 0)
		r = err_set(
			e, ENOTSUP,
			"--mac-address: the card of a running virtual machine has its own: stop it first");
	if (r == 0) {
		free(l->port.link);
		free(a->mac);
		l->port.link = take_ptr(spare.link);
		a->mac = take_ptr(spare.mac);
	}
	json_done(&net_port_table, &spare);
	return r;
}

static int take_lease(struct net_attach *c, struct lease *l, struct net_attachment *a, struct err *e)
{
	AUTO(db_tx_done) struct db_tx tx = { 0 };
	int r = db_begin_live(c->en->db, &tx, e);

	if (r == 0)
		r = lease_take(c->en->db, &c->n, a, &c->w.world, l, e);
	return r < 0 ? r : net_commit(&c->w, &tx, true, e);
}

static void forget(struct net_attach *c, const struct lease *l)
{
	if (c->in->spec.isolation == ISOLATION_CONTAINER)
		remove_container_port(c, &l->port, NULL);
	net_close_ports(&c->w, l, 1);
	lease_remove(c->en->db, c->n.id, c->in->spec.id, NULL);
	net_renew_named(&c->w, NULL);
}

int net_connect_running(struct net_attach *c, struct err *e)
{
	struct net_attachment *asked = &c->in->spec.net.attachments[c->index], a = { 0 };
	AUTO(lease_done) struct lease l = { 0 };
	int r = port_network_ensure(c->w.rt, &c->n, &c->under, e);

	if (r > 0)
		r = net_renew_rules(&c->w, e);
	if (r == 0)
		r = net_fill_lease(&c->in->spec, c->index, &c->n, &l, e);
	if (r == 0 && json_copy(&net_attachment_table, asked, &a) < 0)
		r = err_set(e, ENOMEM, "out of memory");
	if (r == 0)
		r = take_spare(c, &l, &a, e);
	if (r == 0) {
		name_port(&c->in->spec.net, &l.port);
		r = take_lease(c, &l, &a, e);
	}
	if (r == 0) {
		r = add_port(c, &l.port, e);
		if (r == 0)
			r = net_tell_port(&c->w, &c->n, &l, e);
		if (r == 0)
			r = net_set_rate(&c->w, &l, &c->in->spec.net.rate, e);
		if (r < 0)
			forget(c, &l);
	}
	json_done(&net_attachment_table, &a);
	return r;
}

/* With the network that had the default routes they went: the next one that leads out gets them. */
static int route_again(struct net_attach *c, const struct lease *gone, struct err *e)
{
	struct net_spec *s = &c->in->spec.net;

	if (!gone->port.gateway && !gone->port.gateway6)
		return 0;
	for (size_t i = 0; i < s->n_attachments; i++) {
		AUTO(network_done) struct network n = { 0 };
		struct net_port *p = &s->attachments[i].given;

		if (!strcmp(s->attachments[i].network, gone->network) || !p->link)
			continue;
		if (network_record_find(c->en->db, s->attachments[i].network, &n, e) < 0)
			return -e->no;
		if (n.internal || (!n.v4.gateway && !n.v6.gateway))
			continue;
		return net_route_over(c->en, c->in, &n, p, e);
	}
	return 0;
}

int net_disconnect_running(struct net_attach *c, bool force, struct err *e)
{
	struct lease *list;
	size_t n;
	int r = lease_list(c->en->db, c->n.id, c->in->spec.id, &list, &n, e);

	if (r < 0)
		return r;
	for (size_t i = 0; i < n; i++) {
		r = remove_port(c, &list[i].port, e);
		if (r < 0 && !force)
			break;
		forget(c, &list[i]);
		r = route_again(c, &list[i], e);
	}
	leases_free(list, n);
	return r;
}
