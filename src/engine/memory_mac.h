/* memory_mac.h - who wrote the saved state of a machine, or of processes: its HMAC with the key of this store (ROOT/memory.key, 0600)
 *
 * A state without the right mac is refused: the program that reads it is jailed, and does not know the key.  RAM in a file
 * of its own is the guest's own bytes, whatever they are, and has no mac: then a restore would have to read all of it.  RAM
 * within the state is read anyhow, and has.
 */
#ifndef ENGINE_MEMORY_MAC_H
#define ENGINE_MEMORY_MAC_H

#include "engine/snapshot.h"

/* In the snapshot's directory: writes "mac" for state_fd: a file, read from its offset to its end, or a directory: names and
 * contents of all files in it. */
int memory_mac_write(struct engine *en, const struct snapshot *s, int dir, int state_fd, struct err *e);
/* Is that of state_fd the one that is there?  -EBADMSG: no. */
int memory_mac_check(struct engine *en, const struct snapshot *s, int dir, int state_fd, struct err *e);

#endif
