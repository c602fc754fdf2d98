/* net_connect.c - an instance comes onto a network, or leaves it: with its next start, or now */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/auto.h"
#include "engine/net_attach.h"
#include "engine/request_int.h"

static int no_memory(struct err *e)
{
	return err_set(e, ENOMEM, "out of memory");
}

static bool runs(const struct instance *in)
{
	return in->state.status == STATUS_RUNNING || in->state.status == STATUS_PAUSED;
}

static void change_done(struct net_attach *c)
{
	net_end(&c->w);
	network_done(&c->n);
}

static ssize_t find_attachment(const struct net_spec *s, const char *network)
{
	for (size_t i = 0; i < s->n_attachments; i++)
		if (s->attachments[i].network && !strcmp(s->attachments[i].network, network))
			return (ssize_t)i;
	return -1;
}

static int check_mode(const struct instance_spec *s, struct err *e)
{
	if (s->network == NETWORK_ATTACHED)
		return 0;
	if (s->network == NETWORK_NONE)
		return err_set(
			e, EPERM,
			"container cannot be connected to multiple networks with one of the networks in "
			"private (none) mode");
	return err_set(
		e, EPERM,
		"container sharing network namespace with another container or host cannot be connected "
		"to any other network");
}

/* Without a network of its own it has none that it could leave, in Docker's words where it has them. */
static int check_leaves(const struct instance_spec *s, const struct network *n, struct err *e)
{
	if (s->network == NETWORK_NONE && n->driver == DRIVER_NONE)
		return err_set(e, EPERM,
			       "container %s has --network none for its life: make it anew with another",
			       s->name);
	if (s->network == NETWORK_HOST && n->driver == DRIVER_HOST)
		return err_set(
			e, EPERM,
			"container cannot be disconnected from host network or connected to host network");
	return 0;
}

/* --- the record */

/* The cards of a machine are there from its start, and their wires are taps. */
static int check_driver(const struct net_attach *c, struct err *e)
{
	const struct instance_spec *s = &c->in->spec;

	if (c->n.driver == DRIVER_MACVLAN && s->isolation == ISOLATION_VM && runs(c->in))
		return err_set(
			e, ENOTSUP,
			"%s: a virtual machine that runs keeps its cards on networks of driver macvlan, "
			"such as %s: stop it first",
			s->name, c->n.name);
	return net_check_driver(s, s->net.n_attachments, &c->n, e);
}

static int begin(struct net_attach *c, const struct instance *in, struct instance *mine, int *ret_lock,
		 struct err *e)
{
	int r = json_copy(&instance_table, in, mine) < 0 ? no_memory(e) : 0;

	if (r == 0)
		r = net_begin_for(c->en, mine, ret_lock, &c->w, e);
	if (r == 0) { /* somebody may have changed it since */
		json_done(&instance_spec_table, &mine->spec);
		r = record_find(c->en->db, in->spec.id, &mine->spec, e);
	}
	c->in = mine;
	return r == 0 ? network_fill(c->en, mine, e) : r;
}

/* What was given stands in leases, not in the record. */
static int record(struct net_attach *c, struct err *e)
{
	struct net_spec *s = &c->in->spec.net;

	for (size_t i = 0; i < s->n_attachments; i++)
		json_done(&net_port_table, &s->attachments[i].given);
	return record_change_net(c->en->db, &c->in->spec, e);
}

static void tell(struct net_attach *c, const char *action)
{
	autofree char *who = str_printf("container=%s", c->in->spec.id);

	engine_tell_network(c->en, &c->n, action, who);
}

static int add_attachment(struct net_spec *s, struct net_attachment *a, struct err *e)
{
	struct net_attachment *more;

	if (s->n_attachments >= NET_MAX_ATTACHMENTS)
		return err_set(e, E2BIG, "an instance can be on %d networks", NET_MAX_ATTACHMENTS);
	more = reallocarray(s->attachments, s->n_attachments + 1, sizeof(*more));
	if (!more)
		return no_memory(e);
	s->attachments = more;
	more[s->n_attachments++] = *a;
	*a = (struct net_attachment){ 0 };
	return 0;
}

static int connect(struct net_attach *c, struct net_attachment *a, struct err *e)
{
	struct net_spec *s = &c->in->spec.net;
	int r = check_mode(&c->in->spec, e);

	if (r == 0)
		r = net_resolve_one(c->en, a, &c->n, e);
	if (r == 0 && find_attachment(s, c->n.id) >= 0)
		r = err_set(e, EEXIST, "endpoint with name %s already exists in network %s", c->in->spec.name,
			    c->n.name);
	c->index = s->n_attachments;
	if (r == 0)
		r = check_driver(c, e);
	if (r == 0)
		r = add_attachment(s, a, e);
	if (r == 0 && runs(c->in))
		r = net_connect_running(c, e);
	return r == 0 ? record(c, e) : r;
}

int network_connect(struct engine *en, const char *network, const struct instance *in,
		    const struct net_request *rq, struct err *e)
{
	AUTO(change_done) struct net_attach c = { .en = en, .w = { .lock = -1, .rt = -1 } };
	AUTO(instance_done) struct instance mine = { 0 };
	autoclose int lock = -1;
	struct net_attachment a = { 0 };
	int r = request_attachment(network, rq, &a, e);

	if (r == 0)
		r = begin(&c, in, &mine, &lock, e);
	if (r == 0)
		r = connect(&c, &a, e);
	json_done(&net_attachment_table, &a);
	if (r == 0)
		tell(&c, "connect");
	return r;
}

static int disconnect(struct net_attach *c, const char *network, bool force, struct err *e)
{
	struct net_spec *s = &c->in->spec.net;
	int r = network_record_find(c->en->db, network, &c->n, e);
	ssize_t at = r < 0 ? -1 : find_attachment(s, c->n.id);

	if (r == 0)
		r = check_leaves(&c->in->spec, &c->n, e);
	if (r < 0)
		return r;
	if (at < 0)
		return err_set(e, ENOENT, "container %s is not connected to network %s", c->in->spec.name,
			       c->n.name);
	r = check_driver(c, e);
	if (r == 0 && runs(c->in))
		r = net_disconnect_running(c, force, e);
	if (r < 0)
		return r;
	json_done(&net_attachment_table, &s->attachments[at]);
	memmove(&s->attachments[at], &s->attachments[at + 1],
		(--s->n_attachments - (size_t)at) * sizeof(*s->attachments));
	return record(c, e);
}

int network_disconnect(struct engine *en, const char *network, const struct instance *in, bool force,
		       struct err *e)
{
	AUTO(change_done) struct net_attach c = { .en = en, .w = { .lock = -1, .rt = -1 } };
	AUTO(instance_done) struct instance mine = { 0 };
	autoclose int lock = -1;
	int r = begin(&c, in, &mine, &lock, e);

	if (r == 0)
		r = disconnect(&c, network, force, e);
	if (r == 0)
		tell(&c, "disconnect");
	return r;
}
