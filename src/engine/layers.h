/* layers.h - the files of writable layers, and what becomes of them (storage/layer.h: which there are)
 *
 * The first layer of an instance bears its id and is in its directory; others are in ROOT/writable/LAYER.  Where an
 * instance goes and others still stand on its first layer, that moves to them.  Names in ROOT/writable that begin with a
 * dot are under way: ".new-" comes, ".gone-" goes.
 */
#ifndef ENGINE_LAYERS_H
#define ENGINE_LAYERS_H

#include "engine/engine_int.h"
#include "storage/layer.h"

/* The directory of a layer; -ENOENT. */
int layer_dir_open(struct engine *en, const char *id);
/* The same of an instance's top, made if it is missing. */
int layer_top_open(struct engine *en, const char *instance, const struct writable *w, struct err *e);
/* What a layer holds, of the form that the instance's wall writes: its name below the directory of the layer. */
const char *layer_form(int isolation, const struct writable *w);
/* What a layer that `s` stands on holds, of that form, for reading; lowest: it stands on the image alone. */
int layer_open(struct engine *en, const struct instance_spec *s, const char *id, bool lowest, struct err *e);
/* Has the instance ever written to its top? */
bool layer_is_written(struct engine *en, int isolation, const struct writable *w);

/* All that an instance stands on. */
struct layer_dirs {
	int top; /* directory of the layer */
	int *below; /* what they hold, lowest first: directories "upper", or disk images */
	size_t n_below;
};

int layers_open(struct engine *en, const struct instance_spec *s, struct layer_dirs *ret, struct err *e);
/* The same of one without rows. */
int layers_open_on(struct engine *en, const struct instance_spec *s, const struct writable *w,
		   struct layer_dirs *ret, struct err *e);
void layers_done(struct layer_dirs *l);

/* A new layer under way; its directory is locked, so that nobody sweeps it. */
struct layer_stage {
	char id[LAYER_ID_LEN + 1];
	int dir;
	char *below; /* what it will stand on; NULL: the image.  Owned */
};
int layer_stage_open(struct engine *en, struct layer_stage *ret, struct err *e);
/* Within the transaction that records it: what it holds, which is durable, becomes the layer. */
int layer_stage_commit(struct engine *en, struct layer_stage *st, struct err *e);
void layer_stage_done(struct layer_stage *st);

/* An instance goes: what others need of its first layer moves to ROOT/writable. */
int layers_keep(struct engine *en, const char *instance, struct err *e);
/* Layers that only stand between others become one with what stands on them (storage/merge.h), as far as that can be done.
 * With the lock of its snapshots, the instance at rest and locked. */
int layers_merge(struct engine *en, const struct instance_spec *s, struct err *e);
/* Removes what no row names (instance NULL: but for first layers). */
int layers_sweep(struct engine *en, const char *instance, struct err *e);
/* What is in ROOT/writable of what the instance and its snapshots stand on, also with others. */
uint64_t layers_bytes(struct engine *en, const struct instance_spec *s);
/* What the instance has written, sealed or not, wherever it is. */
uint64_t layers_written_bytes(struct engine *en, const struct instance_spec *s);

#endif
