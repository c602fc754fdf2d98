/* net_resolve.c - networks that a new instance names become ids; whose network it shares */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "engine/net_int.h"
#include "network/plan.h"

static int check_addresses(const struct network *n, const struct net_attachment *a, struct err *e)
{
	struct ip ip;
	int r = 0;

	if (a->ip && ip_parse(a->ip, &ip) == 0)
		r = plan_check_address(n, &ip, "--ip", e);
	if (r == 0 && a->ip6 && ip_parse(a->ip6, &ip) == 0)
		r = plan_check_address(n, &ip, "--ip6", e);
	return r;
}

int net_resolve_one(struct engine *en, struct net_attachment *a, struct network *ret, struct err *e)
{
	struct network n = { 0 };
	int r = network_record_find(en->db, a->network_name, &n, e);

	if (r < 0)
		return r;
	if (!network_has_ports(&n))
		r = err_set(e, EINVAL, "network %s is for instances that are made with --network %s", n.name,
			    n.name);
	if (r == 0)
		r = check_addresses(&n, a, e);
	if (r == 0) {
		free(a->network);
		free(a->network_name);
		a->network = strdup(n.id);
		a->network_name = strdup(n.name);
		r = a->network && a->network_name ? 0 : err_set(e, ENOMEM, "out of memory");
	}
	if (r < 0)
		network_done(&n);
	else
		*ret = n;
	return r;
}

int net_check_driver(const struct instance_spec *s, size_t index, const struct network *n, struct err *e)
{
	const struct {
		bool wanted;
		const char *flag;
	} rows[] = {
		{ s->net.n_ports && !index, "-p" },
		{ s->net.n_rules, "--allow, --deny" },
		{ s->net.egress_given || s->net.egress_learn, "--egress" },
		{ s->net.rate.in_bps || s->net.rate.out_bps, "--net-rate" },
		{ s->isolation == ISOLATION_VM && s->sandbox.system,
		  "--system in a virtual machine, which asks for its address" },
	};

	if (n->driver != DRIVER_MACVLAN)
		return 0;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (rows[i].wanted)
			return err_set(
				e, ENOTSUP,
				"%s: network %s is of driver macvlan: what is on it does not pass this host",
				rows[i].flag, n->name);
	return 0;
}

static int resolve_all(struct engine *en, struct instance_spec *spec, bool make, struct err *e)
{
	struct net_spec *s = &spec->net;
	int r = 0;

	for (size_t i = 0; i < s->n_attachments && r == 0; i++) {
		struct network n = { 0 };

		r = net_resolve_one(en, &s->attachments[i], &n, e);
		if (r == 0)
			r = net_check_driver(spec, i, &n, e);
		/* a plan that is only shown makes none */
		if (r == -ENOENT && !make && !strcmp(s->attachments[i].network_name, NETWORK_DEFAULT))
			r = 0;
		network_done(&n);
		for (size_t k = 0; k < i && r == 0; k++)
			if (s->attachments[i].network && s->attachments[k].network &&
			    !strcmp(s->attachments[i].network, s->attachments[k].network))
				r = err_set(e, EINVAL, "network %s is given twice",
					    s->attachments[i].network_name);
	}
	return r;
}

static int resolve_other(struct engine *en, struct net_spec *s, struct err *e)
{
	AUTO(instance_done) struct instance other = { 0 };
	int r = engine_find(en, s->of, &other, e);

	if (r < 0)
		return err_wrap(e, r, "--network");
	if (other.spec.isolation != ISOLATION_CONTAINER)
		return err_set(e, EINVAL, "--network container:%s: a virtual machine shares nothing",
			       other.spec.name);
	if (other.spec.network == NETWORK_CONTAINER)
		return err_set(e, EINVAL, "--network container:%s: it has that of another itself",
			       other.spec.name);
	free(s->of);
	s->of = strdup(other.spec.id);
	return s->of ? 0 : err_set(e, ENOMEM, "out of memory");
}

int net_resolve(struct engine *en, struct instance_spec *s, bool make, struct err *e)
{
	int r = 0;

	if (s->network == NETWORK_CONTAINER)
		return resolve_other(en, &s->net, e);
	if (s->network != NETWORK_ATTACHED)
		return 0;
	if (make)
		r = net_ensure_defaults(en, e);
	return r < 0 ? r : resolve_all(en, s, make, e);
}
