/* backend.h - the seam: what a wall (container, vm) must do; the engine plans, the monitor runs
 *
 * A back end that cannot do what a spec asks says so in `plan`, by the name of the flag, not half-way
 * through `start`.
 */
#ifndef INSTANCE_BACKEND_H
#define INSTANCE_BACKEND_H

#include "base/loop.h"
#include "instance/boot.h"
#include "instance/plan.h"
#include "wire/msg.h"

struct running; /* the back end's own */

/* What comes back, always from the loop, never from inside a call; but PAUSED and SAVED, where it is no at once. */
struct backend_events {
	/* STARTED, FAILED, STDOUT, STDERR, CREDIT, EXIT, PAUSED, ERROR and answers to questions: of stream m->stream. */
	void (*message)(void *arg, const struct msg *m);
	/* The instance is ready for START of stream 0 (a VM has booted). */
	void (*ready)(void *arg);
	/* Nothing of it runs any more; why->no is 0 when it ended in order.  Once, last. */
	void (*ended)(void *arg, const struct err *why);
	void *arg;
};

struct backend {
	const char *name;
	/* Pure.  *ret is the caller's to plan_done, also after a failure. */
	int (*plan)(const struct instance_spec *s, const struct host_facts *h, struct plan *ret,
		    struct err *e);
	/* Monitor: makes all but the workload.  `state` gets pid and cgroups.  b, p, loop and ev outlive it. */
	int (*start)(const struct boot *b, const struct plan *p, struct loop *loop,
		     const struct backend_events *ev, struct instance_state *state, struct running **ret,
		     struct err *e);
	/* START, GET, PUT, STDIN, STDIN_EOF, RESIZE, SIGNAL, CREDIT, STATS, TOP, UPDATE, NETWORK, PAUSE, SHUTDOWN (end
	 * in order).  Queued if need be. */
	void (*send)(struct running *r, const struct msg *m);
	/* Ends everything at once; `ended` follows. */
	void (*kill)(struct running *r);
	/* Frees it and removes what it made on the host (mounts, cgroups, processes).  NULL is allowed. */
	void (*release)(struct running *r);
};

#endif
