/* net_ports.c - ketch port add, rm: what the host publishes of an instance changes, in its record and, where it runs, now
 *
 * The record has ports as they were asked for, the lease of the first network those that were chosen, in the same order.
 * Both, the rules and what the monitor holds change under the lock of the networks.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/auto.h"
#include "engine/net_int.h"
#include "engine/request_int.h"

static int no_memory(struct err *e)
{
	return err_set(e, ENOMEM, "out of memory");
}

struct change {
	struct engine *en;
	struct instance in; /* ours, its spec as it is now */
	struct net_spec asked; /* its ports alone */
	int lock; /* of an instance that does not run: it begins afterwards */
	struct net_work w;
	bool runs;
	struct network n; /* where it runs: its first */
	struct lease lease;
};

static void change_done(struct change *c)
{
	net_end(&c->w);
	auto_close(&c->lock);
	instance_done(&c->in);
	json_done(&net_spec_table, &c->asked);
	network_done(&c->n);
	lease_done(&c->lease);
}

/* --- what there is */

static struct net_holder holder_of(struct change *c)
{
	return (struct net_holder){ &c->w, &c->in, &c->n, &c->lease };
}

static int find_lease(struct change *c, struct err *e)
{
	const struct net_attachment *a = c->in.spec.net.attachments;
	struct lease *list;
	size_t n;
	int r = lease_list(c->en->db, a->network, c->in.spec.id, &list, &n, e);

	if (r < 0)
		return r;
	if (n) {
		c->lease = list[0];
		list[0] = (struct lease){ 0 };
	}
	leases_free(list, n);
	if (!n || c->lease.n_ports != c->in.spec.net.n_ports)
		return err_set(e, EBUSY,
			       "%s has left the network that its ports were published on: restart it first",
			       c->in.spec.name);
	return network_record_find(c->en->db, a->network, &c->n, e);
}

/* Ports are published on the first network. */
static int check_first(struct engine *en, const struct instance_spec *s, struct err *e)
{
	AUTO(network_done) struct network n = { 0 };
	struct err none;

	if (network_record_find(en->db, s->net.attachments[0].network, &n, &none) == 0 &&
	    n.driver == DRIVER_MACVLAN)
		return err_set(e, ENOTSUP,
			       "network %s is of driver macvlan: %s has addresses of its own outside", n.name,
			       s->name);
	return 0;
}

static int begin_work(struct change *c, const struct instance *in, struct err *e)
{
	struct instance now = { .spec = in->spec, .state.status = in->state.status };
	int r = net_begin_for(c->en, &now, &c->lock, &c->w, e);

	c->runs = now.state.status == STATUS_RUNNING || now.state.status == STATUS_PAUSED;
	json_done(&instance_state_table, &now.state);
	return r;
}

static int begin(struct change *c, const struct instance *in, const struct net_request *rq, struct err *e)
{
	const struct net_request alone = { .publish = rq->publish, .publish_address = rq->publish_address };
	const struct image_run_config none = { 0 };
	const struct instance_spec *s = &c->in.spec;
	int r = request_ports(&alone, &none, &c->asked, e);

	if (r == 0)
		r = begin_work(c, in, e);
	if (r == 0) /* somebody may have changed it since */
		r = record_find(c->en->db, in->spec.id, &c->in.spec, e);
	if (r < 0)
		return r == -ENOENT ? err_set(e, ENOENT, "%s has gone", in->spec.name) : r;
	if (s->network != NETWORK_ATTACHED || !s->net.n_attachments)
		return err_set(e, EINVAL, "conflicting options: port publishing and --network %s",
			       s->network == NETWORK_ATTACHED ? "none" : network_names[s->network]);
	r = check_first(c->en, s, e);
	if (r < 0)
		return r;
	return c->runs ? find_lease(c, e) : 0;
}

/* --- lists */

static int append(struct published_port **list, size_t *n, const struct published_port *p, struct err *e)
{
	struct published_port *more = reallocarray(*list, *n + 1, sizeof(*more));

	if (!more)
		return no_memory(e);
	*list = more;
	more[*n] = *p;
	more[*n].host_ip = strdup(p->host_ip);
	return more[*n].host_ip ? (++*n, 0) : no_memory(e);
}

static void take_out(struct published_port *list, size_t *n, size_t i)
{
	free(list[i].host_ip);
	memmove(&list[i], &list[i + 1], (--*n - i) * sizeof(*list));
}

/* --- add */

static int add_running(struct change *c, struct err *e)
{
	const struct net_holder h = holder_of(c);
	struct lease *l = &c->lease;
	size_t before = l->n_ports;
	int r = 0;

	for (size_t i = 0; i < c->asked.n_ports && r == 0; i++) {
		struct published_port p = c->asked.ports[i]; /* borrows */

		r = net_hold(&h, &p, e);
		if (r < 0)
			break;
		r = append(&l->ports, &l->n_ports, &p, e);
		if (r < 0)
			net_let_go(&h, &p, NULL);
	}
	if (r == 0)
		r = lease_change(c->en->db, l, e);
	for (size_t i = before; i < l->n_ports && r == 0; i++)
		r = net_publish(&c->w, &c->n, l, &l->ports[i], true, e);
	return r;
}

/* What add_running did. */
static void undo(struct change *c)
{
	const struct net_holder h = holder_of(c);
	struct lease *l = &c->lease;
	size_t before = c->in.spec.net.n_ports;

	while (l->n_ports > before) {
		const struct published_port *p = &l->ports[l->n_ports - 1];

		net_publish(&c->w, &c->n, l, p, false, NULL);
		net_let_go(&h, p, NULL);
		take_out(l->ports, &l->n_ports, l->n_ports - 1);
	}
	lease_change(c->en->db, l, NULL);
}

/* One that does not run has no sockets that would tell. */
static int check_record(const struct change *c, struct err *e)
{
	const struct net_spec *s = &c->in.spec.net;

	if (s->n_ports + c->asked.n_ports > PUBLISHED_MAX)
		return err_set(e, E2BIG, "-p: more than %d ports", PUBLISHED_MAX);
	for (size_t i = 0; i < c->asked.n_ports; i++)
		for (size_t k = 0; k < s->n_ports; k++) {
			const struct published_port *a = &c->asked.ports[i], *b = &s->ports[k];

			if (a->host_port && !a->host_last && !b->host_last && net_ports_meet(a, b))
				return err_set(e, EADDRINUSE, "-p: port %u/%s of %s is in use by %s",
					       a->host_port, port_protocol_names[a->protocol], a->host_ip,
					       c->in.spec.name);
		}
	return 0;
}

/* The record alone, as it was asked for. */
static int add_record(struct change *c, struct err *e)
{
	struct instance_spec s = c->in.spec; /* borrows but for the ports */
	int r = 0;

	s.net.ports = NULL;
	s.net.n_ports = 0;
	for (size_t i = 0; i < c->in.spec.net.n_ports && r == 0; i++)
		r = append(&s.net.ports, &s.net.n_ports, &c->in.spec.net.ports[i], e);
	for (size_t i = 0; i < c->asked.n_ports && r == 0; i++)
		r = append(&s.net.ports, &s.net.n_ports, &c->asked.ports[i], e);
	if (r == 0)
		r = record_change_net(c->en->db, &s, e);
	for (size_t i = 0; i < s.net.n_ports; i++)
		free(s.net.ports[i].host_ip);
	free(s.net.ports);
	return r;
}

int network_publish(struct engine *en, const struct instance *in, const struct net_request *rq,
		    struct net_spec *ret, struct err *e)
{
	AUTO(change_done) struct change c = { .en = en, .lock = -1, .w = { .lock = -1, .rt = -1 } };
	struct net_spec done = { 0 };
	size_t before;
	int r = begin(&c, in, rq, e);

	if (r == 0)
		r = check_record(&c, e);
	if (r < 0)
		return r;
	before = c.in.spec.net.n_ports;
	if (c.runs)
		r = add_running(&c, e);
	for (size_t i = before; c.runs && i < c.lease.n_ports && r == 0; i++)
		r = append(&done.ports, &done.n_ports, &c.lease.ports[i], e);
	if (r == 0)
		r = add_record(&c, e);
	if (r == 0) {
		*ret = done;
		return 0;
	}
	if (c.runs)
		undo(&c);
	json_done(&net_spec_table, &done);
	return r;
}

/* --- rm */

static bool is_meant(const struct published_port *spec, const struct published_port *p)
{
	uint32_t last = spec->host_last ? spec->host_last : spec->host_port;

	return p->protocol == spec->protocol && p->port == spec->port && !strcmp(p->host_ip, spec->host_ip) &&
	       (!spec->host_port || (p->host_port >= spec->host_port && p->host_port <= last));
}

static bool is_asked(const struct change *c, const struct published_port *p)
{
	for (size_t i = 0; i < c->asked.n_ports; i++)
		if (is_meant(&c->asked.ports[i], p))
			return true;
	return false;
}

static int check_published(const struct change *c, const struct published_port *list, size_t n, struct err *e)
{
	for (size_t i = 0; i < c->asked.n_ports; i++) {
		const struct published_port *a = &c->asked.ports[i];
		bool found = false;

		for (size_t k = 0; k < n; k++)
			found |= is_meant(a, &list[k]);
		if (!found && a->host_port)
			return err_set(e, ENOENT, "no public port '%s:%u:%u/%s' published for %s", a->host_ip,
				       a->host_port, a->port, port_protocol_names[a->protocol],
				       c->in.spec.name);
		if (!found)
			return err_set(e, ENOENT, "no public port '%s::%u/%s' published for %s", a->host_ip,
				       a->port, port_protocol_names[a->protocol], c->in.spec.name);
	}
	return 0;
}

static int withdraw(struct change *c, const struct published_port *p, struct err *e)
{
	const struct net_holder h = holder_of(c);
	int r = net_publish(&c->w, &c->n, &c->lease, p, false, e);

	return r == 0 ? net_let_go(&h, p, e) : r;
}

/* Those that have gone are out of both lists, also where the next one fails. */
static int remove_ports(struct change *c, struct err *e)
{
	struct net_spec *s = &c->in.spec.net;
	int r = 0;

	for (size_t i = s->n_ports; i-- > 0 && r == 0;) {
		struct published_port *p = c->runs ? &c->lease.ports[i] : &s->ports[i];

		if (!is_asked(c, p))
			continue;
		if (c->runs)
			r = withdraw(c, p, e);
		if (r < 0)
			break;
		if (c->runs)
			take_out(c->lease.ports, &c->lease.n_ports, i);
		take_out(s->ports, &s->n_ports, i);
	}
	return r;
}

int network_unpublish(struct engine *en, const struct instance *in, const struct net_request *rq,
		      struct err *e)
{
	AUTO(change_done) struct change c = { .en = en, .lock = -1, .w = { .lock = -1, .rt = -1 } };
	int r = begin(&c, in, rq, e), saved = 0;

	if (r == 0)
		r = c.runs ? check_published(&c, c.lease.ports, c.lease.n_ports, e)
			   : check_published(&c, c.in.spec.net.ports, c.in.spec.net.n_ports, e);
	if (r < 0)
		return r;
	r = remove_ports(&c, e);
	if (c.runs)
		saved = lease_change(en->db, &c.lease, r < 0 ? NULL : e);
	if (saved == 0)
		saved = record_change_net(en->db, &c.in.spec, r < 0 ? NULL : e);
	return r < 0 ? r : saved;
}
