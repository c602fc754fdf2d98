/* packed_take.c - the memory in an image becomes a template of this store */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/path.h"
#include "engine/memory_mac.h"
#include "engine/net_int.h"
#include "engine/packed_int.h"
#include "engine/warm.h"

#define LOCK_S	    3600 /* somebody fetches another */
#define NAME_DIGITS 12

static int no_memory(struct err *e)
{
	return err_set(e, ENOMEM, "out of memory");
}

bool packed_is(const struct instance_spec *s)
{
	return template_is_named(s) && strv_env_get(&s->labels, PACKED_LABEL);
}

/* --- what an image says */

int packed_read(struct engine *en, const struct image *im, struct packed *ret, struct err *e)
{
	autofree char *text = NULL;
	int r = image_memory(en->images, im->id, &text, e);

	if (r < 0)
		return r;
	if (!text)
		return err_set(e, ENOENT, "there is no memory in image %.19s", im->id);
	r = packed_parse(text, strlen(text), ret, e);
	return r < 0 ? err_wrap(e, r, "the memory in image %.19s", im->id) : 0;
}

int packed_is_in(struct engine *en, const char *image, bool *ret, struct err *e)
{
	AUTO(image_done) struct image im = { 0 };
	autofree char *text = NULL;
	int r = image_find(en->images, image, &im, e);

	if (r == 0)
		r = image_memory(en->images, im.id, &text, e);
	*ret = r == 0 && text;
	return r;
}

/* --- one that is there */

static char *name_of(const char *image_id)
{
	return str_printf("memory-%.*s", NAME_DIGITS, strchr(image_id, ':') + 1);
}

static int find(struct engine *en, const char *image_id, struct instance *ret, struct snapshot *ret_snapshot,
		struct err *e)
{
	AUTO(instance_done) struct instance in = { 0 };
	autofree char *name = name_of(image_id);
	int r = name ? engine_find(en, name, &in, NULL) : no_memory(e);
	const char *from = r == 0 && packed_is(&in.spec) ? strv_env_get(&in.spec.labels, PACKED_LABEL) : "";

	if (r == 0 && strcmp(from, image_id) != 0)
		return err_set(e, EEXIST, "%s is in the way: it was not made of %.19s", name, image_id);
	if (r < 0)
		return err_set(e, -r, "there is no template %s", name ? name : "");
	r = snapshot_find(en, &in, TEMPLATE_SNAPSHOT, ret_snapshot, e);
	if (r == 0) {
		*ret = in;
		in = (struct instance){ 0 };
	}
	return r;
}

/* --- made */

struct taking {
	struct engine *en;
	const struct image *image;
	struct packed packed;
	char id[65];
	char snapshot_id[33];
	char *below; /* id of the image that it stands on; NULL: not made yet */
	struct layer_stage stage; /* the files, as they come */
};

static void taking_done(struct taking *t)
{
	packed_done(&t->packed);
	free(t->below);
	layer_stage_done(&t->stage);
}

static int fetch(struct taking *t, struct err *e)
{
	struct chunked *c = &t->packed.chunked;
	int r = layer_stage_open(t->en, &t->stage, e);

	if (r == 0)
		r = packed_reuse(t->en, t->stage.dir, c, e);
	if (r < 0)
		return r;
	return image_chunks_fetch(t->en->images,
				  &(const struct image_chunks_fetch){ .image = t->image,
								      .chunked = c,
								      .to_dir = t->stage.dir,
								      .progress = t->en->progress,
								      .progress_arg = t->en->progress_arg },
				  e);
}

/* It stands on the image without the layer of its files: what that has is on the disk. */
static int stand_on(struct taking *t, const char *image, struct err *e)
{
	struct instance_spec *s = &t->packed.spec;

	free(take_ptr(s->image_id));
	free(take_ptr(s->image));
	if (str_copy(t->below, &s->image_id) < 0 || str_copy(image, &s->image) < 0)
		return no_memory(e);
	s->created_ns = clock_real_ns();
	return net_resolve(t->en, s, true, e);
}

static int describe(const struct taking *t, struct snapshot *s, struct err *e)
{
	const struct packed *p = &t->packed;
	AUTO(buf_done) struct buf spec = { 0 };

	if (json_print(&instance_spec_table, &p->spec, 0, &spec) < 0)
		return no_memory(e);
	s->spec = buf_take(&spec);
	s->created_ns = clock_real_ns();
	s->live = true;
	s->memory.tsc_khz = p->tsc_khz;
	s->memory.ram_bytes = p->spec.vm.ram_bytes;
	if (!s->spec || str_copy(t->snapshot_id, &s->id) < 0 || str_copy(TEMPLATE_SNAPSHOT, &s->name) < 0 ||
	    str_copy(t->id, &s->instance) < 0 || str_copy(t->stage.id, &s->layer) < 0 ||
	    str_copy(p->spec.image_id, &s->image_id) < 0 || str_copy(p->format, &s->memory.format) < 0 ||
	    str_copy(p->program, &s->memory.program) < 0 || str_copy(p->host, &s->memory.host) < 0)
		return no_memory(e);
	return 0;
}

static int move_file(struct taking *t, int to_dir, unsigned file, const char *to, struct err *e)
{
	const char *name = chunked_file_names[file];

	if (!t->packed.chunked.bytes[file])
		return 0;
	return renameat(t->stage.dir, name, to_dir, to) < 0
		       ? err_sys(e, errno, "the %s that was fetched", name)
		       : 0;
}

/* The state is signed here, for who allowed it answers for it. */
static int place_files(struct taking *t, struct snapshot *s, struct err *e)
{
	autoclose int dir = snapshot_dir_open(t->en, s, e), state = -1;
	int r = dir < 0 ? dir : move_file(t, t->stage.dir, CHUNKED_DISK, "disk.ext4", e);

	if (r == 0)
		r = move_file(t, dir, CHUNKED_STATE, "state", e);
	if (r == 0)
		r = move_file(t, dir, CHUNKED_RAM, "ram", e);
	if (r < 0)
		return r;
	state = openat(dir, "state", O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	r = state < 0 ? err_sys(e, errno, "the saved state") : memory_mac_write(t->en, s, dir, state, e);
	if (r == 0 && syncfs(dir) < 0)
		r = err_sys(e, errno, "what was fetched");
	return r;
}

static int record(struct taking *t, const struct snapshot *s, struct err *e)
{
	AUTO(db_tx_done) struct db_tx tx = { 0 };
	struct engine *en = t->en;
	int r = db_begin(en->db, &tx, e);

	if (r == 0)
		r = record_add(en->db, &t->packed.spec, e);
	if (r == 0)
		r = layer_add(en->db, t->stage.id, NULL, e);
	if (r == 0)
		r = snapshot_record_add(en->db, s, e);
	if (r == 0)
		r = writable_set(en->db, t->id, t->id, t->stage.id, s->id, e);
	if (r == 0)
		r = layer_stage_commit(en, &t->stage, e);
	return r < 0 ? r : db_commit(&tx, e);
}

static int keep(struct taking *t, struct err *e)
{
	AUTO(snapshot_done) struct snapshot s = { 0 };
	autoclose int lock = -1;
	int r = describe(t, &s, e);

	if (r == 0)
		r = instance_dir_make(t->en, t->id, &lock, e);
	if (r == 0)
		r = place_files(t, &s, e);
	if (r == 0)
		r = record(t, &s, e);
	if (r < 0 && lock >= 0)
		remove_tree(t->en->instances_fd, t->id);
	if (r == 0)
		engine_tell(t->en, &t->packed.spec, "create", NULL);
	return r;
}

/* What a failure leaves: a stage, and an image below without a name. */
static void clear(struct taking *t)
{
	AUTO(strv_done) struct strv lines = { 0 };
	bool in_use = true;

	layer_stage_done(&t->stage);
	t->stage = (struct layer_stage){ .dir = -1 };
	layers_sweep(t->en, NULL, NULL);
	if (t->below && engine_image_in_use(t->en, t->below, &in_use, NULL) == 0 && !in_use)
		image_remove(t->en->images, t->below, false, false, &lines, NULL);
}

/* One whose snapshot somebody has removed is none. */
static void remove_half(struct engine *en, const char *name)
{
	AUTO(instance_done) struct instance in = { 0 };

	if (engine_find(en, name, &in, NULL) == 0 && packed_is(&in.spec))
		engine_remove(en, &in, REMOVE_FORCE, NULL);
}

static int make(struct engine *en, const struct image *im, const char *image, struct err *e)
{
	AUTO(taking_done) struct taking t = { .en = en, .image = im, .stage.dir = -1 };
	autofree char *name = name_of(im->id);
	int r = name ? packed_read(en, im, &t.packed, e) : no_memory(e);

	engine_random_hex(32, t.id);
	engine_random_hex(16, t.snapshot_id);
	if (r == 0)
		r = packed_fit(en, im, &(const struct packed_as){ t.id, name }, &t.packed, &t.below, e);
	if (r == 0) {
		remove_half(en, name);
		r = fetch(&t, e);
	}
	if (r == 0)
		r = stand_on(&t, image, e);
	if (r == 0)
		r = keep(&t, e);
	if (r < 0)
		clear(&t);
	return r < 0 ? err_wrap(e, r, "the memory in image %.100s", image) : 0;
}

static int take_name(struct engine *en, const struct image *im, char **ret, struct err *e)
{
	AUTO(packed_done) struct packed p = { 0 };
	int r = packed_read(en, im, &p, e);

	if (r == 0)
		*ret = take_ptr(p.spec.name);
	return r;
}

int packed_take(struct engine *en, const char *image, struct instance *ret, struct snapshot *ret_snapshot,
		char **ret_name, struct err *e)
{
	AUTO(image_done) struct image im = { 0 };
	autoclose int lock = -1;
	int r = image_find(en->images, image, &im, e);

	if (r == 0)
		r = take_name(en, &im, ret_name, e);
	if (r < 0)
		return r;
	r = find(en, im.id, ret, ret_snapshot, e);
	if (r != -ENOENT)
		return r;
	lock = image_store_lock(en->images, "packed", LOCK_S, "ketch run --trusted", e);
	if (lock < 0)
		return lock;
	r = find(en, im.id, ret, ret_snapshot, e);
	if (r == -ENOENT)
		r = make(en, &im, image, e);
	else
		return r;
	return r < 0 ? r : find(en, im.id, ret, ret_snapshot, e);
}

/* --- removed */

void packed_forget_image(struct engine *en, const char *image_id)
{
	AUTO(image_done) struct image im = { 0 };
	AUTO(instance_done) struct instance in = { 0 };
	AUTO(snapshot_done) struct snapshot s = { 0 };
	AUTO(strv_done) struct strv lines = { 0 };
	bool in_use = true;

	if (image_find(en->images, image_id, &im, NULL) != -ENOENT || find(en, image_id, &in, &s, NULL) < 0 ||
	    engine_remove(en, &in, REMOVE_FORCE, NULL) < 0)
		return;
	if (engine_image_in_use(en, in.spec.image_id, &in_use, NULL) == 0 && !in_use)
		image_remove(en->images, in.spec.image_id, false, false, &lines, NULL);
}
