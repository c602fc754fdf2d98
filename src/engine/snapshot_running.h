/* snapshot_running.h - a snapshot of an instance that runs: between snapshot_create.c and what does it
 *
 * Its writable layer cannot be sealed where it is open.  So it is copied while nothing of the instance writes; or a machine goes
 * on in a new one, and what it has written until then is sealed as at rest, whatever it holds (snapshot_switch.c).
 */
#ifndef ENGINE_SNAPSHOT_RUNNING_H
#define ENGINE_SNAPSHOT_RUNNING_H

#include "engine/snapshot.h"

#define CHAIN_LONG 32 /* layers: what a start opens, and a machine reads through */

/* Is a snapshot without memory (of a container: without its processes) none? */
bool snapshot_needs_memory(const struct snapshot_request *rq);
/* Why those of this instance cannot be in it, in e; 0: they can. */
int snapshot_can_save(const struct instance *in, const struct snapshot_request *rq, struct err *e);
/* With the lock of its snapshots; -ESRCH: it does not run any more. */
int snapshot_create_running(struct engine *en, const struct instance *in, const struct snapshot_request *rq,
			    struct snapshot *s, struct err *e);

/* --- a machine goes on in a new layer (snapshot_switch.c) */

/* Makes the layer, which is the instance's top from now on: *w becomes what it writes to.  Until snapshot_switch, or for ever, should
 * this command be killed, the machine writes to the one below: it is the top in fact as long as the new one is empty.
 * -ENOTSUP: this one cannot do that. */
int snapshot_switch_begin(struct engine *en, const struct instance *in, struct writable *w, struct err *e);
/* What it wrote until now is in w->below, and no more of it.  -ENOTSUP: it goes on as before. */
int snapshot_switch(struct engine *en, const struct instance *in, const struct writable *w, struct err *e);
/* s is what the layer below the top holds, durable when this returns; the instance goes on from it. */
int snapshot_record_switched(struct engine *en, const struct writable *w, struct snapshot *s, struct err *e);

#endif
