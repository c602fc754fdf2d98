/* processes.h - the processes of a container in a snapshot: taken by CRIU while they stand still, and given to a start
 *
 * In the directory of the snapshot (snapshot_dir_open):
 *
 *	processes/	CRIU's images (container/checkpoint.h)
 *	mac		HMAC-SHA256 of all files in it, with the key of this store (engine/memory_mac.h)
 *
 * The engine runs CRIU, as root; the monitor of the instance has only to hold it still.
 */
#ifndef ENGINE_PROCESSES_H
#define ENGINE_PROCESSES_H

#include "engine/snapshot.h"

/* Why those of this instance cannot be in a snapshot, on this host and by its flags; 0: they can. */
int processes_can_save(const struct instance *in, struct err *e);
/* With the instance held (engine_hold): fills s->memory.  After a failure memory_discard. */
int processes_save(struct engine *en, const struct instance *in, struct snapshot *s, int hold, struct err *e);
/* The directory of images, which have the right mac.  -ENOENT: there are none in it. */
int processes_open(struct engine *en, const struct snapshot *s, struct err *e);
/* Would a start with them be tried on this host?  Looks at the mac, too. */
int processes_check(struct engine *en, const struct snapshot *s, struct err *e);

/* Is what it holds of this kind, and not the memory of a machine? */
bool processes_are_in(const struct snapshot *s);

#endif
