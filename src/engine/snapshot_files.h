/* snapshot_files.h - the files of a snapshot, read without touching its instance, which may run or not */
#ifndef ENGINE_SNAPSHOT_FILES_H
#define ENGINE_SNAPSHOT_FILES_H

#include "engine/scratch.h"
#include "engine/snapshot.h"

struct snapshot_files {
	struct snapshot snapshot;
	struct instance_spec spec; /* as it is in the snapshot */
	struct scratch scratch;
	int all; /* lock: no snapshot of this instance goes meanwhile */
};

/* name NULL: the newest.  *ret_fd: a connection for GET.  *ret by snapshot_files_done, also after a failure. */
int snapshot_files_open(struct engine *en, const struct instance *in, const char *name,
			struct snapshot_files *ret, int *ret_fd, struct err *e);
void snapshot_files_done(struct snapshot_files *f);

#endif
