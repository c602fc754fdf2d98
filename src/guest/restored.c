/* restored.c - a machine that was restored becomes another one: new random numbers, names, addresses; then its work goes on */
#include <errno.h>

#include "container/container.h"
#include "guest/guest_state.h"
#include "guest/identity.h"

void restored_await_identity(struct guest *g)
{
	container_detach(g->running);
	g->seeded = false;
	g->state = RESTORED;
}

void restored_take_seed(struct guest *g, const struct msg *m)
{
	struct err e = { 0 };

	g->seeded = identity_seed(m->data, m->len, &e) == 0;
	if (!g->seeded)
		guest_say_on_console(e.msg);
}

/* Who it is now; all else of the spec was made long ago. */
static void take_over(struct instance_spec *of, struct instance_spec *from)
{
	struct instance_spec was = *of;

	of->id = from->id;
	of->name = from->name;
	of->hostname = from->hostname;
	of->net = from->net;
	from->id = was.id;
	from->name = was.name;
	from->hostname = was.hostname;
	from->net = was.net;
}

static int become(struct guest *g, struct guest_config *c, struct err *e)
{
	int r = identity_change(g->instance.pid, &g->boot.spec, &c->spec, e);

	if (r < 0)
		return r;
	take_over(&g->boot.spec, &c->spec);
	msg_put(conn_out(g->conn), MSG_READY, 0, NULL, 0);
	conn_flush(g->conn);
	return 0;
}

void restored_become(struct guest *g, const struct msg *m)
{
	struct guest_config c = { 0 };
	struct err e = { 0 };
	int r = g->seeded ? guest_config_parse(m->data, m->len, &c, &e)
			  : err_set(&e, EPROTO, "no seed came from the host");

	if (r == 0)
		r = container_has_begun(g->running) ? become(g, &c, &e) : guest_begin_anew(g, &c, &e);
	if (r < 0)
		guest_send_failed(g, 0, e.msg);
	json_done(&guest_config_table, &c);
}

void restored_go_on(struct guest *g)
{
	g->state = UP;
	container_attach(g->running);
}
