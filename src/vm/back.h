/* back.h - a machine that runs goes back, in place, to the snapshot that it was restored from: what SAVE_BACK of MSG_SAVE asks
 *
 * ketch-vmm does it to memory, devices and disk (vmm/saver.h).  Here is the rest of what a restore is: the agent finds its
 * stream reset, comes back by the same port and is told everything anew, and its main process is the one that we go on
 * with.  All other processes are none of those that ran: who began them hears of their end.  Whatever is said to the machine
 * meanwhile waits.
 *
 * States: NOT -asked-> PAUSING -> TAKING -> MEETING (it runs, the agent is on its way) -READY-> MAIN -STARTED-> NOT.  What is
 * refused in TAKING leaves the machine as it was (GOING_ON); a failure behind that ends it.
 */
#ifndef VM_BACK_H
#define VM_BACK_H

#include "wire/msg.h"

struct running;

struct vm_back {
	enum { BACK_NOT, BACK_PAUSING, BACK_TAKING, BACK_GOING_ON, BACK_MEETING, BACK_MAIN } state;
	unsigned waits; /* for so many answers of the VMM */
	struct err why; /* of GOING_ON */
	uint32_t owed
		[3]; /* output of the main process for which credit is still to come, and which is of no conversation any more */
	struct buf later; /* what waits */
};

void vm_back_done(struct vm_back *b);
/* A MSG_SAVE with SAVE_BACK: MSG_SAVED is told, sooner or later. */
void vm_back_ask(struct running *r, const struct msg *m);
/* An answer of the VMM while r->back.waits. */
void vm_back_answered(struct running *r, const char *error);
/* The agent's stream has ended, or was reset: true, where that is how it has to be. */
bool vm_back_lost(struct running *r);
/* The agent is READY: true, where it was expected to come back. */
bool vm_back_ready(struct running *r);
/* A message of the agent: true: it was for us. */
bool vm_back_heard(struct running *r, const struct msg *m);
/* A message for the machine: true: it waits, or is answered. */
bool vm_back_holds(struct running *r, const struct msg *m);

#endif
