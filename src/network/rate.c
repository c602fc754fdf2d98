/* rate.c - token buckets on the ports of instances */
#include "network/rate.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "base/parse.h"
#include "network/port.h"
#include "sys/tc.h"

#define HEADER_BYTES 18 /* Ethernet's, with a VLAN tag */
#define BURST_PARTS  20 /* by default: what goes in 50 ms ... */
#define BURST_LEAST  16384
#define QUEUE_PARTS  10 /* what waits beside it: 100 ms, at least one packet that the kernel has not cut yet */
#define QUEUE_LEAST  131072
#define MOST_BYTES   (1U << 30) /* of burst and queue */

/* --- words */

static int parse_bits(const char *number, uint64_t unit, uint64_t *ret)
{
	uint64_t milli;
	int r = parse_milli(number, &milli);

	if (r < 0)
		return r;
	if (milli > UINT64_MAX / unit)
		return -ERANGE;
	*ret = milli * unit / 1000 / 8;
	return milli && !*ret ? -EINVAL : 0;
}

static int parse_value(char *text, uint64_t *ret)
{
	static const struct {
		const char *name;
		uint64_t bits;
	} units[] = { { "kbit", 1000 }, { "mbit", 1000000 }, { "gbit", 1000000000 }, { "bit", 1 } };
	size_t len = strlen(text);

	for (size_t i = 0; i < ARRAY_LEN(units); i++) {
		size_t n = strlen(units[i].name);

		if (len <= n || strcasecmp(text + len - n, units[i].name) != 0)
			continue;
		text[len - n] = '\0';
		return parse_bits(text, units[i].bits, ret);
	}
	return parse_bytes(text, ret);
}

int rate_parse(const char *text, struct net_rate *r, struct err *e)
{
	autofree char *copy = strdup(text);
	char *way = copy ? strchr(copy, ':') : NULL;
	uint64_t value;

	if (!copy)
		return err_set(e, ENOMEM, "out of memory");
	if (way)
		*way++ = '\0';
	if ((way && strcmp(way, "in") != 0 && strcmp(way, "out") != 0) || parse_value(copy, &value) < 0)
		return err_set(e, EINVAL,
			       "--net-rate %.60s: wanted RATE[:in|out], as in 10mbit, 1.5gbit:in, or bytes a "
			       "second: 2m:out",
			       text);
	if (!way || !strcmp(way, "in"))
		r->in_bps = value;
	if (!way || !strcmp(way, "out"))
		r->out_bps = value;
	return 0;
}

/* --- links */

void rate_link(const char *link, char ret[RT_NAME_MAX])
{
	snprintf(ret, RT_NAME_MAX, "ki%.12s", link + (*link != '\0'));
}

static uint32_t at_most(uint64_t v)
{
	return v > MOST_BYTES ? MOST_BYTES : (uint32_t)v;
}

static struct tc_rate bucket(uint64_t bytes_s, uint64_t burst, uint32_t mtu)
{
	uint64_t queue = bytes_s / QUEUE_PARTS;

	if (!burst)
		burst = bytes_s / BURST_PARTS > BURST_LEAST ? bytes_s / BURST_PARTS : BURST_LEAST;
	if (burst < mtu + HEADER_BYTES) /* else nothing would ever pass */
		burst = mtu + HEADER_BYTES;
	if (queue < QUEUE_LEAST)
		queue = QUEUE_LEAST;
	return (struct tc_rate){ bytes_s, at_most(burst), at_most(burst + queue) };
}

static int run(int rt, struct nl_batch *b, const char *what, struct err *e)
{
	struct nl_failure f;
	int r = nl_run(rt, b, &f);

	return r < 0 ? err_sys(e, -r, "--net-rate: %s%s%s", what, f.text[0] ? ": " : "", f.text) : 0;
}

static int find_second(int rt, const char *name, const char *instance, struct rt_link_info *ret,
		       struct err *e)
{
	AUTO(nl_batch_done) struct nl_batch b = { 0 };
	char alias[RT_ALIAS_MAX];
	int r = rt_link_find(rt, name, ret);

	if (r == -ENODEV) {
		snprintf(alias, sizeof(alias), PORT_ALIAS_INSTANCE "%s", instance);
		rt_ifb_new(&b, &(struct rt_link){ .name = name, .alias = alias, .up = true });
		r = run(rt, &b, "interface of kind ifb", e);
		if (r < 0)
			return r;
		r = rt_link_find(rt, name, ret);
	}
	return r < 0 ? err_sys(e, -r, "--net-rate: interface %s", name) : 0;
}

static int set_out(int rt, const struct rt_link_info *port, const char *instance, const struct net_rate *rate,
		   struct err *e)
{
	AUTO(nl_batch_done) struct nl_batch b = { 0 };
	struct rt_link_info second;
	char name[RT_NAME_MAX];
	struct tc_rate bytes = bucket(rate->out_bps, rate->burst_bytes, port->mtu);
	int r;

	rate_link(port->name, name);
	r = find_second(rt, name, instance, &second, e);
	if (r < 0)
		return r;
	tc_rate_set(&b, second.index, &bytes);
	r = run(rt, &b, "out of the instance", e);
	if (r < 0)
		return r;
	tc_redirect(&b, port->index, second.index);
	r = nl_run(rt, &b, NULL);
	return r < 0 && r != -EEXIST ? err_sys(e, -r, "--net-rate: out of the instance") : 0;
}

int rate_clear(int rt, const char *link, struct err *e)
{
	AUTO(nl_batch_done) struct nl_batch b = { 0 };
	char name[RT_NAME_MAX];
	int r;

	rate_link(link, name);
	rt_link_remove(&b, &(struct rt_link){ .name = name });
	r = nl_run(rt, &b, NULL);
	return r < 0 && r != -ENODEV ? err_sys(e, -r, "interface %s", name) : 0;
}

/* What is not there is not to be lifted. */
static void lift(int rt, const struct rt_link_info *port, bool out)
{
	AUTO(nl_batch_done) struct nl_batch b = { 0 };

	if (out)
		tc_redirect_remove(&b, port->index);
	else
		tc_rate_remove(&b, port->index);
	nl_run(rt, &b, NULL);
}

int rate_set(int rt, const char *link, const char *instance, const struct net_rate *rate, struct err *e)
{
	AUTO(nl_batch_done) struct nl_batch b = { 0 };
	struct rt_link_info port;
	int r = rt_link_find(rt, link, &port);

	if (r < 0)
		return err_sys(e, -r, "--net-rate: port %s", link);
	if (rate->in_bps) {
		struct tc_rate bytes = bucket(rate->in_bps, rate->burst_bytes, port.mtu);

		tc_rate_set(&b, port.index, &bytes);
		r = run(rt, &b, "into the instance", e);
	} else {
		lift(rt, &port, false);
	}
	if (r < 0 || rate->out_bps)
		return r < 0 ? r : set_out(rt, &port, instance, rate, e);
	lift(rt, &port, true);
	return rate_clear(rt, link, e);
}
