/* export.h - what the archive of an instance and its snapshots is made of (instance/exported.h) */
#ifndef ENGINE_EXPORT_H
#define ENGINE_EXPORT_H

#include "engine/snapshot.h"

/* What it is now becomes a snapshot that is to go again (snapshot_remove); should the command be killed, it goes as one that
 * is not complete. */
int export_begin(struct engine *en, const struct instance *in, bool no_volumes, struct snapshot *ret,
		 struct err *e);
/* What a volume held in a snapshot. */
int export_volume_open(struct engine *en, const struct snapshot *s, const char *volume, bool *ret_fresh,
		       struct err *e);

#endif
