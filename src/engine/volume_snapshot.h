/* volume_snapshot.h - states of volumes that are kept: of a volume alone, or as part of a snapshot of an instance
 *
 *	ROOT/volumes/NAME/snapshots/ID/data    a copy of _data (blocks are shared where the file system can)
 *	ROOT/volumes/NAME/snapshots/ID/fresh   there when nobody had used the volume yet
 *
 * ID is that of a row: of `volume_snapshot`, of a snapshot of an instance (storage/snapshot.h), or of `volume_swap`: then the
 * volume goes back to what is in it, and whoever opens the volume next does the rest, should the command that wanted it
 * have been killed.  What no row names is nobody's, and goes with the next snapshot of the volume.
 *
 * All of this happens under a lock of the volume (flock(2) on ROOT/volumes/NAME), for which a start waits before it opens
 * the volume.
 */
#ifndef ENGINE_VOLUME_SNAPSHOT_H
#define ENGINE_VOLUME_SNAPSHOT_H

#include "engine/volume.h"

/* One of a volume alone. */
struct volume_snapshot {
	char *id; /* 32 hex digits */
	char *name, *volume;
	char *description; /* or NULL */
	int64_t created_ns;
};

void volume_snapshot_done(struct volume_snapshot *s);
void volume_snapshots_free(struct volume_snapshot *s, size_t n);

/* "VOLUME@SNAPSHOT"; name NULL: chosen: snap0, snap1 ...  Instances that run with the volume stand still meanwhile.  *ret
 * by volume_snapshot_done. */
int volume_snapshot_create(struct engine *en, const char *volume, const char *name, const char *description,
			   struct volume_snapshot *ret, struct err *e);
/* name NULL: the newest.  -ENOENT. */
int volume_snapshot_find(struct engine *en, const char *volume, const char *name, struct volume_snapshot *ret,
			 struct err *e);
/* What is not in `is` as it was in `was`, as records of instance/change.h. */
struct volume_at {
	const char *volume;
	const char *snapshot; /* NULL: as it is now, whoever writes to it meanwhile */
};
int volume_diff(struct engine *en, const struct volume_at *was, const struct volume_at *is, int out_fd,
		struct err *e);
/* Oldest first. */
int volume_snapshot_list(struct engine *en, const char *volume, struct volume_snapshot **ret, size_t *ret_n,
			 struct err *e);
/* -EEXIST: the volume has one of the new name. */
int volume_snapshot_rename(struct engine *en, const char *volume, const char *name, const char *new_name,
			   struct err *e);
int volume_snapshot_remove(struct engine *en, const char *volume, const char *name, struct err *e);
/* keep: the state before becomes a snapshot of this name; NULL: it is lost.  -EBUSY: an instance that runs mounts it. */
int volume_rollback(struct engine *en, const char *volume, const char *name, const char *keep, struct err *e);
/* A new volume that begins with what is in a snapshot (NULL: in the volume). */
int volume_clone(struct engine *en, const char *volume, const char *snapshot, const char *new_name,
		 struct err *e);

#endif
