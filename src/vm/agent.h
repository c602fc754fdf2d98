/* agent.h - the host's side of the conversation with ketch-guest, whatever hypervisor carries it
 *
 * States: WAIT_HELLO -HELLO / CLOCK, CONFIG-> WAIT_READY -READY-> UP; a guest that breaks the protocol is
 * reported by `lost` and heard no more.
 */
#ifndef VM_AGENT_H
#define VM_AGENT_H

#include "base/loop.h"
#include "vm/streams.h"
#include "wire/msg.h"

struct agent;

struct agent_ops {
	void (*ready)(void *arg);
	/* A checked message of a process, or the answer to a question. */
	void (*message)(void *arg, const struct msg *m);
	/* What agent_silence asked for: it says no more. */
	void (*silent)(void *arg);
	/* Once; why->no is 0 when the stream just ended.  agent_free may be called inside. */
	void (*lost)(void *arg, const struct err *why);
};

/* What the host says first. */
struct agent_start {
	const struct buf *config; /* the JSON of struct guest_config, copied */
	bool restored; /* the guest has run before, as another: it gets a seed */
};

/* Takes fd.  NULL with errno. */
struct agent *agent_new(struct loop *l, int fd, const struct agent_start *start, const struct agent_ops *ops,
			void *arg);
struct agent *agent_free(struct agent *a);
/* The processes that the guest runs, as far as it has been heard; borrowed. */
const struct streams *agent_streams(const struct agent *a);
/* Sends a message of the monitor; what is for a process that has ended is dropped.  Only when up. */
void agent_send(struct agent *a, const struct msg *m);
/* silent: the guest finishes what it says (`silent` follows), and neither side begins anything new; else both go on.  0, or
 * -ENOTCONN: it is not up. */
int agent_silence(struct agent *a, bool silent);
/* Tells the guest what time it is: its clock stood still with it.  Only when up. */
void agent_set_clock(struct agent *a);

#endif
