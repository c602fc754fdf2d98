/* net_lease.c - what a lease says of an instance, but for its addresses: link, names, gateways, ports, rules */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "engine/net_int.h"

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
		return err_set(e, ENOMEM, "out of memory");
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
