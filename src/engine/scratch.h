/* scratch.h - an instance without a record, for the files of others: to write a new layer, or to read a snapshot
 *
 * How it works: it is started for its files alone (files.c), under an id of its own, with nothing of the original but what
 * the files ask for: no network, no mounts, no name.  It writes to its own directory below ROOT/instances, on top of the
 * layers that it is given, which it only reads.  Its directory has no record: what is left of a command that was killed
 * is a stray (strays.c).
 */
#ifndef ENGINE_SCRATCH_H
#define ENGINE_SCRATCH_H

#include "engine/engine_int.h"
#include "storage/layer.h"

struct scratch {
	struct engine *en;
	struct instance_spec spec;
	struct writable on;
	int dir; /* its own, there and locked: no stray as long as we are there; -1: none */
};

/* Starts one that is as `like` on top of the layer `below` (NULL: of the image alone).  *ret_fd: a connection for GET and
 * PUT.  The caller sees to it that the layers stay.  *ret by scratch_done, also after a failure. */
int scratch_start(struct engine *en, const struct instance_spec *like, const char *below, struct scratch *ret,
		  int *ret_fd, struct err *e);
/* Behind the end of the connection: waits until all that was written is durable, and nobody has it open. */
int scratch_settle(struct scratch *s, struct err *e);
/* Moves what it has written to another directory, under the name that layers have. */
int scratch_take(struct scratch *s, int to_dir, struct err *e);
/* Waits for its end, and removes it. */
void scratch_done(struct scratch *s);

#endif
