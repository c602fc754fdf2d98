/* tc.c - messages to the kernel's traffic control */
#include "sys/tc.h"

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <linux/tc_act/tc_mirred.h>
#include <string.h>

#define INGRESS_HANDLE TC_H_MAKE(TC_H_INGRESS, 0)
#define MATCH_ALL_PRIO 1

static void message(struct nl_batch *b, unsigned type, unsigned flags, const struct tcmsg *m,
		    const char *kind)
{
	nl_message(b, type, flags, m, sizeof(*m));
	if (kind)
		nl_put_string(b, TCA_KIND, kind);
}

/* With TCA_TBF_BURST and TCA_TBF_RATE64 the kernel computes its tables itself (net/sched/sch_tbf.c). */
void tc_rate_set(struct nl_batch *b, int index, const struct tc_rate *r)
{
	const struct tcmsg m = { .tcm_ifindex = index,
				 .tcm_parent = TC_H_ROOT,
				 .tcm_handle = TC_H_MAKE(1 << 16, 0) };
	struct tc_tbf_qopt o = { .limit = r->queue_bytes,
				 .rate.linklayer = TC_LINKLAYER_ETHERNET,
				 .rate.rate = r->bytes_s > UINT32_MAX ? UINT32_MAX : (uint32_t)r->bytes_s };
	size_t nest;

	message(b, RTM_NEWQDISC, NLM_F_CREATE | NLM_F_REPLACE, &m, "tbf");
	nest = nl_nest(b, TCA_OPTIONS);
	nl_put(b, TCA_TBF_PARMS, &o, sizeof(o));
	nl_put_u32(b, TCA_TBF_BURST, r->burst_bytes);
	if (r->bytes_s > UINT32_MAX)
		nl_put(b, TCA_TBF_RATE64, &r->bytes_s, sizeof(r->bytes_s));
	nl_nest_end(b, nest);
}

void tc_rate_remove(struct nl_batch *b, int index)
{
	const struct tcmsg m = { .tcm_ifindex = index, .tcm_parent = TC_H_ROOT };

	message(b, RTM_DELQDISC, 0, &m, NULL);
}

static void put_redirect(struct nl_batch *b, int to)
{
	const struct tc_mirred mirred = { .action = TC_ACT_STOLEN,
					  .eaction = TCA_EGRESS_REDIR,
					  .ifindex = (uint32_t)to };
	size_t list = nl_nest(b, TCA_U32_ACT), one = nl_nest(b, 1), options;

	nl_put_string(b, TCA_ACT_KIND, "mirred");
	options = nl_nest(b, TCA_ACT_OPTIONS);
	nl_put(b, TCA_MIRRED_PARMS, &mirred, sizeof(mirred));
	nl_nest_end(b, options);
	nl_nest_end(b, one);
	nl_nest_end(b, list);
}

/* A filter with one key, which looks at no bit of the packet. */
static void put_match_all(struct nl_batch *b)
{
	const struct tc_u32_sel sel = { .flags = TC_U32_TERMINAL, .nkeys = 1 };
	uint8_t all[sizeof(sel) + sizeof(struct tc_u32_key)] = { 0 };

	memcpy(all, &sel, sizeof(sel));
	nl_put(b, TCA_U32_SEL, all, sizeof(all));
}

void tc_redirect(struct nl_batch *b, int index, int to)
{
	const struct tcmsg qdisc = { .tcm_ifindex = index,
				     .tcm_parent = TC_H_INGRESS,
				     .tcm_handle = INGRESS_HANDLE };
	const struct tcmsg filter = { .tcm_ifindex = index,
				      .tcm_parent = INGRESS_HANDLE,
				      .tcm_info = TC_H_MAKE(MATCH_ALL_PRIO << 16, htons(ETH_P_ALL)) };
	size_t nest;

	message(b, RTM_NEWQDISC, NLM_F_CREATE | NLM_F_EXCL, &qdisc, "ingress");
	message(b, RTM_NEWTFILTER, NLM_F_CREATE | NLM_F_EXCL, &filter, "u32");
	nest = nl_nest(b, TCA_OPTIONS);
	put_match_all(b);
	put_redirect(b, to);
	nl_nest_end(b, nest);
}

void tc_redirect_remove(struct nl_batch *b, int index)
{
	const struct tcmsg m = { .tcm_ifindex = index,
				 .tcm_parent = TC_H_INGRESS,
				 .tcm_handle = INGRESS_HANDLE };

	message(b, RTM_DELQDISC, 0, &m, NULL);
}
