/* fake_snapshots.c - snapshots that are not there, for tests of the command line */
#include <errno.h>
#include <stddef.h>

#include "engine/processes.h"
#include "engine/snapshot.h"
#include "engine/volume_snapshot.h"
#include "engine/warm.h"

static const struct jfield no_fields[] = { { 0 } };
const struct jtable snapshot_table = { sizeof(struct snapshot), no_fields };

void snapshot_done(struct snapshot *s)
{
}

void snapshots_free(struct snapshot *s, size_t n)
{
}

bool processes_are_in(const struct snapshot *s)
{
	return false;
}

int snapshot_split(const char *word, char **ret_instance, char **ret_name, struct err *e)
{
	return err_set(e, ENOENT, "none");
}

int snapshot_create(struct engine *en, const struct instance *in, const struct snapshot_request *rq,
		    struct snapshot *ret, struct err *e)
{
	return err_set(e, ENOENT, "none");
}

int snapshot_find(struct engine *en, const struct instance *in, const char *name, struct snapshot *ret,
		  struct err *e)
{
	return err_set(e, ENOENT, "none");
}

int snapshot_list(struct engine *en, const struct instance *in, struct snapshot **ret, size_t *ret_n,
		  struct err *e)
{
	return err_set(e, ENOENT, "none");
}

int snapshot_remove(struct engine *en, const struct instance *in, const char *name, struct err *e)
{
	return err_set(e, ENOENT, "none");
}

void snapshot_remove_expired(struct engine *en, const struct instance *in)
{
}

int snapshot_rename(struct engine *en, const struct instance *in, const char *name, const char *new_name,
		    struct err *e)
{
	return err_set(e, ENOENT, "none");
}

int snapshot_rollback(struct engine *en, const struct instance *in, const char *name,
		      const struct rollback_request *rq, struct err *e)
{
	return err_set(e, ENOENT, "none");
}

int snapshot_rollback_in_place(struct engine *en, const struct instance *in, const char *name, struct err *e)
{
	return err_set(e, ENOENT, "none");
}

int engine_check_new_names(struct engine *en, char *const *names, size_t n, struct err *e)
{
	return 0;
}

int snapshot_clone(struct engine *en, const struct instance *in, const char *snapshot,
		   const struct clone_request *rq, struct instance_spec *ret, struct err *e)
{
	return err_set(e, ENOENT, "none");
}

int engine_start_saved(struct engine *en, const struct instance_spec *spec, const struct snapshot *from,
		       int *ret_fd, struct err *e)
{
	return err_set(e, ENOENT, "none");
}

void volume_snapshot_done(struct volume_snapshot *s)
{
}

void volume_snapshots_free(struct volume_snapshot *s, size_t n)
{
}

int volume_snapshot_create(struct engine *en, const char *volume, const char *name, const char *description,
			   struct volume_snapshot *ret, struct err *e)
{
	return err_set(e, ENOENT, "none");
}

int volume_snapshot_find(struct engine *en, const char *volume, const char *name, struct volume_snapshot *ret,
			 struct err *e)
{
	return err_set(e, ENOENT, "none");
}

int volume_diff(struct engine *en, const struct volume_at *was, const struct volume_at *is, int out_fd,
		struct err *e)
{
	return err_set(e, ENOENT, "none");
}

int volume_snapshot_list(struct engine *en, const char *volume, struct volume_snapshot **ret, size_t *ret_n,
			 struct err *e)
{
	return err_set(e, ENOENT, "none");
}

int volume_snapshot_remove(struct engine *en, const char *volume, const char *name, struct err *e)
{
	return err_set(e, ENOENT, "none");
}

int snapshot_rollback_stays(const struct instance *in, struct err *e)
{
	return 0;
}

int volume_snapshot_rename(struct engine *en, const char *volume, const char *name, const char *new_name,
			   struct err *e)
{
	return err_set(e, ENOENT, "none");
}

int volume_rollback(struct engine *en, const char *volume, const char *name, const char *keep, struct err *e)
{
	return err_set(e, ENOENT, "none");
}

int volume_clone(struct engine *en, const char *volume, const char *snapshot, const char *new_name,
		 struct err *e)
{
	return err_set(e, ENOENT, "none");
}

void snapshot_auto_name(char ret[SNAPSHOT_AUTO_NAME])
{
	*ret = '\0';
}

int snapshot_auto(struct engine *en, const struct instance *in, struct err *e)
{
	return err_set(e, ENOENT, "none");
}

void snapshot_auto_thin_out(struct engine *en, const struct instance *in)
{
}

/* --- warm machines: there are none */

bool template_is_named(const struct instance_spec *s)
{
	return false;
}

bool warm_is(const struct instance_spec *s)
{
	return false;
}

int warm_plan(struct engine *en, const struct run_request *rq, struct warm *ret, struct err *e)
{
	return err_set(e, ENOTSUP, "none");
}

void warm_done(struct warm *w)
{
}

int warm_make(struct engine *en, const struct warm *w, struct err *e)
{
	return err_set(e, ENOENT, "none");
}

int warm_start(struct engine *en, const struct warm *w, const struct instance_spec *spec, int *ret_fd,
	       struct err *e)
{
	return err_set(e, ENOENT, "none");
}

void warm_drop(struct engine *en, const struct warm *w)
{
}

int warm_release_image(struct engine *en, const char *image_id, bool *ret_in_use, struct err *e)
{
	return engine_image_in_use(en, image_id, ret_in_use, e);
}
