/* exit_record.h - exit.json: what is left to tell of an instance when its run directory is gone
 *
 * The directory of an instance has `started` from before its start on, and exit.json from its end on; the second is what
 * counts.
 */
#ifndef INSTANCE_EXIT_RECORD_H
#define INSTANCE_EXIT_RECORD_H

#include "instance/spec.h"

#define EXIT_RECORD  "exit.json"
#define START_RECORD "started"

/* Writes it below dir, whole or not at all.  durable: on the disk when this returns; then it can be written, too, where the
 * disk has no inode left.  0 or -errno. */
int exit_record_write(int dir, const struct instance_state *st, bool durable);

#endif
