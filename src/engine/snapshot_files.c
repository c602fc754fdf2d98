/* snapshot_files.c - the files of a snapshot, by a scratch instance that stands on its layers */
#include "engine/snapshot_files.h"

#include <string.h>
#include <unistd.h>

#include "base/auto.h"

int snapshot_files_open(struct engine *en, const struct instance *in, const char *name,
			struct snapshot_files *ret, int *ret_fd, struct err *e)
{
	int r;

	*ret = (struct snapshot_files){ .all = -1, .scratch.dir = -1 };
	r = snapshots_lock(en, &in->spec, &ret->all, e);
	if (r == 0)
		r = snapshot_find(en, in, name, &ret->snapshot, e);
	if (r == 0)
		r = snapshot_spec(&ret->snapshot, &ret->spec, e);
	return r < 0 ? r : scratch_start(en, &ret->spec, ret->snapshot.layer, &ret->scratch, ret_fd, e);
}

void snapshot_files_done(struct snapshot_files *f)
{
	scratch_done(&f->scratch);
	auto_close(&f->all);
	f->all = -1;
	json_done(&instance_spec_table, &f->spec);
	snapshot_done(&f->snapshot);
	f->spec = (struct instance_spec){ 0 };
	f->snapshot = (struct snapshot){ 0 };
}
