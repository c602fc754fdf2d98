/* running.h - a machine that runs: what vm.c speaks with, and running.c makes and lets go */
#ifndef VM_RUNNING_H
#define VM_RUNNING_H

#include "vm/agent.h"
#include "vm/back.h"
#include "vm/console.h"
#include "vm/control.h"
#include "vm/saving.h"
#include "vm/vm_int.h"

enum vm_state { BOOTING, UP, STOPPING };

struct running {
	struct machine machine;
	const struct backend_events *ev;
	struct agent *agent;
	const struct agent_ops *agent_ops; /* borrowed */
	struct vm_control control;
	bool goes_on; /* what was asked last: not to pause */
	struct vm_saving saving;
	struct vm_back back;
	struct console console, said; /* of the guest's kernel; stderr of our children */
	struct watch deadline;
	enum vm_state state;
	bool killed;
	struct err why; /* the first reason to end it; no 0: in order */
	struct err server_lost;
};

/* Makes both ends of all that the machine will be spoken with, and its deadline for the boot; whom they tell, the caller
 * has set (agent_ops, control, saving, deadline).  What it made before it failed, running_free lets go. */
int running_open(struct running *r, const struct boot *b, struct loop *l, struct err *e);
/* The guest is met anew: its agent finds the other end at m->agent_fd, the caller's. */
int running_meet(struct running *r, bool restored, struct err *e);
/* The children have been started and have theirs: what they say ends when they do. */
void running_close_say(struct running *r);
void running_set_deadline(struct running *r, int seconds); /* 0: none */
/* Why it has not booted by its deadline, as far as its spec tells. */
void running_late_boot(const struct instance_spec *s, struct err *ret);
/* A message of the back end itself goes to the monitor; the buffer holds it alone. */
void running_hand(struct running *r, const struct buf *message);
/* That of a number and a text (PAUSED, SAVED ...). */
void running_tell(struct running *r, enum msg_type type, uint32_t stream, int no, const char *text);
/* The children are killed; their ends are heard of. */
void running_kill(struct running *r);
/* That, and why, unless there was a reason already. */
void running_end(struct running *r, const struct err *why);
/* Also its cgroups, with whatever is in them.  NULL is nothing. */
void running_free(struct running *r);

#endif
