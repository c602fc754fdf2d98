/* import.c - an instance that was exported with its snapshots comes into this store */
#include "engine/import.h"

#include <errno.h>
#include <stdlib.h>

#include "base/auto.h"
#include "engine/import_int.h"
#include "engine/layers.h"
#include "engine/volume.h"

/* Those that nobody stands on: of volumes, and after a failure all.  What cannot go now is what `image prune` removes. */
static void remove_images(struct importing *im)
{
	for (size_t i = 0; i < im->fresh.n; i++) {
		AUTO(strv_done) struct strv lines = { 0 };
		bool in_use = true;

		if (engine_image_in_use(im->en, im->fresh.v[i], &in_use, NULL) == 0 && !in_use)
			image_remove(im->en->images, im->fresh.v[i], false, false, &lines, NULL);
	}
}

static int note_memory(struct importing *im, struct strv *left, struct err *e)
{
	AUTO(buf_done) struct buf names = { 0 };

	for (size_t i = 0; i < im->x.n_snapshots; i++)
		if (im->x.snapshots[i].memory)
			buf_addf(&names, "%s%s", names.len ? ", " : "", im->x.snapshots[i].name);
	if (!names.len)
		return 0;
	return strv_addf(left, "without the memory of %s: only the store that took it can restore it",
			 names.data) < 0
		       ? err_set(e, ENOMEM, "out of memory")
		       : 0;
}

/* What one that was killed has left beside volumes and layers. */
static int sweep(struct engine *en, struct err *e)
{
	int r = volume_sweep(en, e);

	return r == 0 ? layers_sweep(en, NULL, e) : r;
}

int instance_import(struct engine *en, const struct import_request *rq, struct instance_spec *ret,
		    struct strv *ret_left, struct err *e)
{
	struct importing im = { .en = en, .rq = rq };
	const struct image_watch watch = { import_look, &im };
	int r = sweep(en, e);

	if (r == 0)
		r = image_load_watched(en->images, rq->path, &watch, rq->progress, rq->progress_arg, e);
	if (r == 0) {
		r = import_record(&im, e);
		remove_images(&im);
	}
	if (r == 0)
		r = note_memory(&im, ret_left, e);
	if (r == 0)
		r = json_copy(&instance_spec_table, &im.x.now.spec, ret) < 0
			    ? err_set(e, ENOMEM, "out of memory")
			    : 0;
	if (r == 0)
		engine_tell(en, ret, "create", NULL);
	import_forget(&im);
	return r;
}
