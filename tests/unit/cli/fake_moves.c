/* fake_moves.c - moves, other images and groups that cannot be, for tests of the command line */
#include <errno.h>
#include <stddef.h>

#include "engine/move.h"
#include "engine/reimage.h"
#include "engine/snapshot_files.h"
#include "engine/snapshot_group.h"

static int none(struct err *e)
{
	return err_set(e, ENOENT, "none");
}

int move_begin(struct engine *en, const struct instance *in, int isolation, struct move **ret, struct err *e)
{
	return none(e);
}

size_t move_snapshots(const struct move *m)
{
	return 0;
}

bool move_has_files(const struct move *m)
{
	return false;
}

int move_open(struct move *m, int *ret_from, int *ret_into, struct err *e)
{
	return none(e);
}

int move_commit(struct move *m, struct err *e)
{
	return none(e);
}

struct move *move_free(struct move *m)
{
	return NULL;
}

int engine_reimage_plan(struct engine *en, const struct instance *in, const char *ref,
			struct instance_spec *ret, struct err *e)
{
	return none(e);
}

int engine_reimage(struct engine *en, const struct instance *in, const char *ref, struct instance_spec *to,
		   struct err *e)
{
	return none(e);
}

int snapshot_name_check(const char *name, struct err *e)
{
	return 0;
}

int snapshot_files_open(struct engine *en, const struct instance *in, const char *name,
			struct snapshot_files *ret, int *ret_fd, struct err *e)
{
	return none(e);
}

void snapshot_files_done(struct snapshot_files *f)
{
}

void instance_group_done(struct instance_group *g)
{
}

int instance_group_named(struct engine *en, const char *names, struct instance_group *ret, struct err *e)
{
	return none(e);
}

int instance_group_labelled(struct engine *en, const char *label, struct instance_group *ret, struct err *e)
{
	return none(e);
}

int snapshot_group_create(struct engine *en, const struct instance_group *g,
			  const struct snapshot_request *rq, char **ret_name, struct err *e)
{
	return none(e);
}

int snapshot_group_rollback(struct engine *en, const struct instance_group *g, const char *name,
			    const struct rollback_request *how, struct err *e)
{
	return none(e);
}
