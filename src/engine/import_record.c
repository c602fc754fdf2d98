/* import_record.c - an import: volumes are filled beside their places, then one transaction makes all of it */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/path.h"
#include "container/copy_up.h"
#include "engine/import_int.h"
#include "engine/net_int.h"
#include "engine/snapshot.h"
#include "engine/volume_state.h"
#include "vm/image_disks.h"

#define PLACE_LEN 48 /* of a volume's files in the stage: "STATE.VOLUME" */

static int no_memory(struct err *e)
{
	return err_set(e, ENOMEM, "out of memory");
}

/* --- what each state stands on */

static const char *image_of(const struct importing *im, const struct exported_state *s)
{
	return s->image ? s->image : im->images.v[im->images.n - 1];
}

static int stand_on(struct importing *im, struct exported_state *s, struct err *e)
{
	struct instance_spec *spec = &s->spec;
	struct image root = { 0 };
	int r = image_find(im->en->images, image_of(im, s), &root, e);

	if (r < 0)
		return r;
	strv_done(&spec->layers);
	free(spec->image_id);
	spec->image_id = strdup(root.id);
	if (!spec->image_id || image_config_stack(&root.config, &spec->layers) < 0)
		r = no_memory(e);
	image_done(&root);
	if (r == 0 && spec->isolation == ISOLATION_VM)
		spec->vm.layer_disks =
			image_layers_are_files(im->en->images, &spec->layers) ? image_disks_choose(spec) : 0;
	return r == 0 ? net_resolve(im->en, spec, true, e) : r;
}

/* --- volumes */

static void place_of(size_t state, size_t volume, char ret[PLACE_LEN])
{
	snprintf(ret, PLACE_LEN, "%zu.%zu", state, volume);
}

static int copy_volume(struct engine *en, const struct exported_volume *v, int stage, const char *place,
		       struct err *e)
{
	struct image im = { 0 };
	autoclose int from = -1, to = -1;
	int r = image_find(en->images, v->image, &im, e);

	if (r == 0 && im.config.rootfs.diff_ids.n != 1)
		r = err_set(e, EINVAL, "its image has %zu layers, not one", im.config.rootfs.diff_ids.n);
	if (r == 0)
		r = from = image_layer_open(en->images, im.config.rootfs.diff_ids.v[0], e);
	image_done(&im);
	if (r < 0)
		return r;
	to = mkdir_open(stage, place, 0755);
	return to < 0 ? err_sys(e, -to, "its files") : copy_up(from, to, e);
}

static int copy_volumes(struct importing *im, int stage, struct err *e)
{
	char place[PLACE_LEN];
	int r = 0;

	for (size_t i = 0; i <= im->x.n_snapshots; i++)
		for (size_t k = 0; k < import_state(im, i)->n_volumes && r == 0; k++) {
			const struct exported_volume *v = &import_state(im, i)->volumes[k];

			place_of(i, k, place);
			r = copy_volume(im->en, v, stage, place, e);
			if (r < 0)
				err_wrap(e, r, "volume %s", v->name);
		}
	if (r == 0 && syncfs(stage) < 0)
		r = err_sys(e, errno, "the volumes");
	return r;
}

/* Within the transaction, the volumes recorded. */
static int place_volumes(struct importing *im, size_t state, const char *id, int stage, struct err *e)
{
	const struct exported_state *s = import_state(im, state);
	char place[PLACE_LEN];
	int r = 0;

	for (size_t k = 0; k < s->n_volumes && r == 0; k++) {
		place_of(state, k, place);
		r = volume_state_place(im->en, s->volumes[k].name, id, stage, place, s->volumes[k].fresh, e);
	}
	return r;
}

static int check_made(const struct exported_state *s, const struct strv *made, struct err *e)
{
	for (size_t k = 0; k < s->n_volumes; k++)
		if (!strv_has(made, s->volumes[k].name))
			return err_set(e, EEXIST, "there is a volume %s already", s->volumes[k].name);
	return 0;
}

/* --- records */

struct snapshot_ids {
	char (*v)[33]; /* of the i-th snapshot */
};

static const char *id_of(const struct importing *im, const struct snapshot_ids *ids, const char *name)
{
	for (size_t i = 0; name && i < im->x.n_snapshots; i++)
		if (!strcmp(im->x.snapshots[i].name, name))
			return ids->v[i];
	return NULL;
}

static int describe(const struct importing *im, const struct exported_state *from, const char *id,
		    const char *parent, struct snapshot *s)
{
	AUTO(buf_done) struct buf spec = { 0 };

	if (json_print(&instance_spec_table, &from->spec, 0, &spec) < 0)
		return -ENOMEM;
	s->spec = buf_take(&spec);
	s->created_ns = from->created_ns;
	s->expires_ns = from->expires_ns;
	s->automatic = from->automatic;
	s->live = from->live;
	for (size_t i = 0; i < from->n_volumes; i++)
		if (strv_add(&s->volumes, from->volumes[i].name) < 0)
			return -ENOMEM;
	if (!s->spec || str_copy(id, &s->id) < 0 || str_copy(from->name, &s->name) < 0 ||
	    str_copy(im->id, &s->instance) < 0 || str_copy(parent, &s->parent) < 0 ||
	    str_copy(from->description, &s->description) < 0 ||
	    str_copy(from->spec.image_id, &s->image_id) < 0)
		return -ENOMEM;
	return 0;
}

static int record_snapshot(struct importing *im, const struct snapshot_ids *ids, size_t i, int stage,
			   struct err *e)
{
	AUTO(snapshot_done) struct snapshot s = { 0 };
	const struct exported_state *from = &im->x.snapshots[i];
	int r = describe(im, from, ids->v[i], id_of(im, ids, from->parent), &s) < 0
			? no_memory(e)
			: snapshot_record_add(im->en->db, &s, e);

	return r == 0 ? place_volumes(im, i, s.id, stage, e) : r;
}

/* Its volumes, also those that only a snapshot mounts. */
static int record_volumes(struct importing *im, struct strv *made, struct err *e)
{
	int r = 0;

	for (size_t i = 0; i <= im->x.n_snapshots && r == 0; i++)
		r = volumes_add_mounts(im->en, &import_state(im, i)->spec, made, e);
	for (size_t i = 0; i <= im->x.n_snapshots && r == 0; i++)
		r = check_made(import_state(im, i), made, e);
	return r;
}

static int record(struct importing *im, const struct snapshot_ids *ids, int stage, struct err *e)
{
	AUTO(db_tx_done) struct db_tx tx = { 0 };
	AUTO(strv_done) struct strv made = { 0 };
	struct engine *en = im->en;
	const char *from = id_of(im, ids, im->x.now.parent);
	int r = db_begin(en->db, &tx, e);

	if (r == 0)
		r = record_add(en->db, &im->x.now.spec, e);
	if (r == 0)
		r = record_volumes(im, &made, e);
	if (r == 0)
		r = place_volumes(im, im->x.n_snapshots, NULL, stage, e);
	for (size_t i = 0; i < im->x.n_snapshots && r == 0; i++)
		r = record_snapshot(im, ids, i, stage, e);
	if (r == 0 && from)
		r = writable_set(en->db, im->id, im->id, NULL, from, e);
	if (r == 0)
		r = db_commit(&tx, e);
	if (r == 0)
		volumes_tell_made(en, &made);
	return r;
}

static int make_all(struct importing *im, const struct snapshot_ids *ids, struct err *e)
{
	AUTO(layer_stage_done) struct layer_stage st = { .dir = -1 };
	autoclose int lock = -1;
	int r = layer_stage_open(im->en, &st, e);

	if (r == 0)
		r = copy_volumes(im, st.dir, e);
	if (r == 0)
		r = instance_dir_make(im->en, im->id, &lock, e);
	if (r == 0)
		r = record(im, ids, st.dir, e);
	if (r < 0 && lock >= 0)
		remove_tree(im->en->instances_fd, im->id);
	if (r < 0)
		volume_sweep(im->en, NULL);
	layer_stage_done(&st);
	layers_sweep(im->en, NULL, NULL);
	return r;
}

int import_record(struct importing *im, struct err *e)
{
	struct snapshot_ids ids = { calloc(im->x.n_snapshots + 1, sizeof(*ids.v)) };
	int r = ids.v ? 0 : no_memory(e);

	im->x.now.spec.created_ns = clock_real_ns();
	for (size_t i = 0; i < im->x.n_snapshots && r == 0; i++)
		engine_random_hex(16, ids.v[i]);
	for (size_t i = 0; i <= im->x.n_snapshots && r == 0; i++)
		r = stand_on(im, import_state(im, i), e);
	if (r == 0)
		r = make_all(im, &ids, e);
	free(ids.v);
	return r;
}
