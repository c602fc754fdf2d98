/* net_rate.c - --net-rate of an instance: on its ports as they come, and on those that it has */
#include "base/auto.h"
#include "engine/net_int.h"
#include "network/rate.h"

int net_set_rate(struct net_work *w, const struct lease *l, const struct net_rate *rate, struct err *e)
{
	bool any = rate->in_bps || rate->out_bps;

	return any && l->port.link ? rate_set(w->rt, l->port.link, l->instance, rate, e) : 0;
}

static int check(struct engine *en, const struct instance_spec *s, const struct lease *l, struct err *e)
{
	AUTO(network_done) struct network n = { 0 };
	int r = network_record_find(en->db, l->network, &n, e);

	return r < 0 ? r : net_check_driver(s, 1, &n, e);
}

int net_change_rate(struct engine *en, const struct instance_spec *s, struct err *e)
{
	AUTO(net_end) struct net_work w = NET_WORK_NONE;
	struct lease *list = NULL;
	size_t n = 0;
	int r = net_begin(en, &w, e);

	if (r == 0)
		r = lease_list(en->db, NULL, s->id, &list, &n, e);
	for (size_t i = 0; i < n && r == 0; i++)
		r = check(en, s, &list[i], e);
	for (size_t i = 0; i < n && r == 0; i++)
		if (list[i].port.link)
			r = rate_set(w.rt, list[i].port.link, s->id, &s->net.rate, e);
	leases_free(list, n);
	return r;
}
