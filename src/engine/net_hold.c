/* net_hold.c - the socket of a published port and its relay (network/relay6.h), which the monitor of an instance that runs has */
#include <errno.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/log.h"
#include "engine/ask.h"
#include "engine/net_int.h"
#include "network/relay6.h"

static int ask(const struct net_holder *h, enum port_step step, const char *name, int fd, struct err *e)
{
	return engine_ask_port(h->w->en, h->in, step, name, fd, e);
}

static int hold_relay(const struct net_holder *h, const struct published_port *p, int fd, struct err *e)
{
	struct relay_port to = { .fd = fd, .protocol = p->protocol, .port = p->port };
	char name[NET_PORT_NAME_MAX];
	autoclose int life = -1;

	if (!relay6_serves(p) || !net_own_address(&h->lease->port, &to.to))
		return 0;
	life = relay6_start(&to, 1, e);
	if (life < 0)
		return life;
	net_port_name("relay6", p, name);
	return ask(h, PORT_HOLD, name, life, e);
}

int net_let_go(const struct net_holder *h, const struct published_port *p, struct err *e)
{
	char name[NET_PORT_NAME_MAX];
	int r;

	net_port_name("port", p, name);
	r = ask(h, PORT_LET_GO, name, -1, e);
	if (r < 0 || !relay6_serves(p))
		return r;
	net_port_name("relay6", p, name);
	return ask(h, PORT_LET_GO, name, -1, e);
}

int net_hold(const struct net_holder *h, struct published_port *p, struct err *e)
{
	char name[NET_PORT_NAME_MAX];
	autoclose int fd = net_reserve(h->w, h->n, p, e);
	int r = fd < 0 ? fd : 0;

	if (r < 0)
		return r;
	net_port_name("port", p, name);
	r = ask(h, PORT_HOLD, name, fd, e);
	if (r == 0)
		r = hold_relay(h, p, fd, e);
	if (r < 0)
		net_let_go(h, p, NULL);
	return r;
}

/* --- relays that were killed */

/* One that was published later has a relay of its own, the others have one together. */
static bool has_lost_relay(const struct net_holder *h, const struct published_port *p)
{
	char name[NET_PORT_NAME_MAX];
	int r;

	net_port_name("relay6", p, name);
	r = ask(h, PORT_LOOK, name, -1, NULL);
	if (r == -ENOENT)
		r = ask(h, PORT_LOOK, "relay6", -1, NULL);
	return r == -ENXIO;
}

/* Its socket goes, too: what a killed one had not accepted would wait there for ever. */
static void mend(const struct net_holder *h, struct published_port *p)
{
	struct err e;

	if (!relay6_serves(p) || !has_lost_relay(h, p))
		return;
	if (net_let_go(h, p, &e) < 0 || net_hold(h, p, &e) < 0)
		log_warn("port %u of %s on %s: %s", p->host_port, h->in->spec.name, p->host_ip, e.msg);
}

void net_mend_relays(struct net_work *w, const struct network *n)
{
	struct lease *list;
	size_t n_list;

	if (lease_list(w->en->db, n->id, NULL, &list, &n_list, NULL) < 0)
		return;
	for (size_t i = 0; i < n_list; i++) {
		AUTO(instance_done) struct instance in = { 0 };
		const struct net_holder h = { w, &in, n, &list[i] };

		if (list[i].n_ports && record_find(w->en->db, list[i].instance, &in.spec, NULL) == 0)
			for (size_t k = 0; k < list[i].n_ports; k++)
				mend(&h, &list[i].ports[k]);
	}
	leases_free(list, n_list);
}
