/* tc.h - rates of interfaces: token buckets on what they send, and by way of a second interface on what they receive
 *
 * Functions append messages to a batch of rtnetlink (tc(8), tc-tbf(8)); links are indexes.
 */
#ifndef SYS_TC_H
#define SYS_TC_H

#include <stdint.h>

#include "sys/netlink.h"

struct tc_rate {
	uint64_t bytes_s;
	uint32_t burst_bytes; /* that go at once; at least a packet's */
	uint32_t queue_bytes; /* that wait at most, the burst among them; what is more is dropped */
};

/* What the link sends.  Takes the place of another rate. */
void tc_rate_set(struct nl_batch *b, int index, const struct tc_rate *r);
/* -ENOENT: it has none. */
void tc_rate_remove(struct nl_batch *b, int index);
/* What the link receives is sent by `to` (an ifb, which gives it back), and so has that one's rate. */
void tc_redirect(struct nl_batch *b, int index, int to);
/* -ENOENT, -EINVAL: nothing was redirected. */
void tc_redirect_remove(struct nl_batch *b, int index);

#endif
