/* rate.h - how much a device may do in a second: two token buckets, of bytes and of operations
 *
 * A bucket holds at most `burst` tokens and gets `per_second` of them each second.  An operation may begin
 * while there is a token, and the bucket may then owe: so none is too large, its size need not be known
 * before, and the mean is kept.
 */
#ifndef VIRTIO_RATE_H
#define VIRTIO_RATE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/loop.h"

#define RATE_MOST                                                                                            \
	(UINT64_C(1)                                                                                         \
	 << 53) /* of any figure below, also where a larger one is asked for: sums cannot overflow */

struct rate_limit {
	uint64_t per_second; /* 0: no limit */
	uint64_t burst; /* 0: as much as comes in a tenth of a second */
};

struct rate_config {
	struct rate_limit bytes, ops;
};

struct rate_bucket {
	struct rate_limit limit;
	int64_t level; /* tokens; below zero: owed */
	int64_t rest; /* of a token, in 1/NS_PER_S */
	int64_t at_ns;
};

struct rate {
	struct rate_bucket bytes, ops;
	struct loop *loop;
	struct watch timer; /* fd -1: no limit */
	bool waiting; /* something was refused; the timer runs */
	void (*again)(void *arg);
	void *arg;
};

/* Makes the timer, if there is a limit.  `again` is called by the loop once there is a token, after a
 * refusal; no lock is held then.  0 or -errno. */
int rate_init(struct rate *r, const struct rate_config *c, struct loop *loop, void (*again)(void *arg),
	      void *arg);
void rate_done(struct rate *r);
/* By the thread of the loop only.  May an operation begin?  If not, `again` follows. */
bool rate_ready(struct rate *r);
/* It has begun, with so many bytes. */
void rate_charge(struct rate *r, uint64_t bytes);

#endif
