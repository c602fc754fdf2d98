/* request_rules.c - --allow, --deny, --net-rate and --net-burst */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "engine/request_int.h"
#include "network/rate.h"
#include "network/rule.h"

static int no_memory(struct err *e)
{
	return err_set(e, ENOMEM, "out of memory");
}

static int take_rules(const struct strv *texts, bool allow, struct net_spec *n, struct err *e)
{
	for (size_t i = 0; i < texts->n; i++) {
		struct net_rule *more = reallocarray(n->rules, n->n_rules + 1, sizeof(*more));
		int r;

		if (!more)
			return no_memory(e);
		n->rules = more;
		more[n->n_rules] = (struct net_rule){ 0 };
		r = rule_parse(texts->v[i], allow, &more[n->n_rules++], e);
		if (r < 0)
			return r;
	}
	return 0;
}

int request_rate(const struct strv *rates, uint64_t burst, struct net_rate *ret, struct err *e)
{
	int r = 0;

	for (size_t i = 0; i < rates->n && r == 0; i++)
		r = rate_parse(rates->v[i], ret, e);
	if (r == 0 && burst)
		ret->burst_bytes = burst;
	if (r == 0 && burst && !ret->in_bps && !ret->out_bps)
		r = err_set(e, EINVAL, "--net-burst needs --net-rate");
	return r;
}

int request_rules(const struct net_request *rq, struct instance_spec *s, struct err *e)
{
	bool given = rq->allow.n || rq->deny.n || rq->rates.n || rq->burst_bytes;
	int r;

	if (given && s->network != NETWORK_ATTACHED)
		return err_set(e, EINVAL,
			       "--allow, --deny and --net-rate are for instances on networks of ours");
	r = take_rules(&rq->allow, true, &s->net, e);
	if (r == 0)
		r = take_rules(&rq->deny, false, &s->net, e);
	if (r == 0)
		r = rules_check(s->net.rules, s->net.n_rules, e);
	return r == 0 ? request_rate(&rq->rates, rq->burst_bytes, &s->net.rate, e) : r;
}
