/* export.c - what the archive of an instance and its snapshots is made of */
#include "engine/export.h"

#include "engine/volume_state.h"

int export_begin(struct engine *en, const struct instance *in, bool no_volumes, struct snapshot *ret,
		 struct err *e)
{
	char name[1 + 32 + 1] = { SNAPSHOT_UNFINISHED };
	const struct snapshot_request rq = { .name = name,
					     .description = "for an export",
					     .automatic = true,
					     .memory = MEMORY_NOT,
					     .no_volumes = no_volumes };

	engine_random_hex(16, name + 1);
	return snapshot_create(en, in, &rq, ret, e);
}

int export_volume_open(struct engine *en, const struct snapshot *s, const char *volume, bool *ret_fresh,
		       struct err *e)
{
	return volume_state_open(en, volume, s->id, ret_fresh, e);
}
