/* snapshot_switch.c - a running machine goes on in a new layer: what it wrote until then is sealed
 *
 * First the row of the new layer, then the machine, then the snapshot: at each moment between them what the records say is what
 * there is, whoever is killed.  Above a layer that is still written there may only be one that is empty (qcow2_is_empty), which
 * changes nothing of what is read; and no snapshot names it yet.
 */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/path.h"
#include "engine/ask.h"
#include "engine/snapshot_running.h"
#include "vm/disk.h"

/* base: the first layer, whose disk is as large. */
static int make_disk(struct engine *en, const struct instance_spec *s, const char *base,
		     const struct layer_stage *st, struct err *e)
{
	autoclose int raw = layer_open(en, s, base, true, e);
	autoclose int disk = raw < 0 ? raw : vm_disk_open_above(st->dir, raw, e);
	int r = disk < 0 ? disk : sync_dir(st->dir);

	return r < 0 && disk >= 0 ? err_sys(e, -r, "writable layer %.12s", st->id) : r;
}

static int record_top(struct engine *en, const char *instance, const struct writable *w,
		      struct layer_stage *st, struct err *e)
{
	AUTO(db_tx_done) struct db_tx tx = { 0 };
	int r = db_begin(en->db, &tx, e);

	if (r == 0) /* its own row, where it has none */
		r = writable_set(en->db, instance, w->top, w->below, w->snapshot, e);
	if (r == 0)
		r = writable_set(en->db, instance, st->id, w->top, w->snapshot, e);
	if (r == 0)
		r = layer_stage_commit(en, st, e);
	return r < 0 ? r : db_commit(&tx, e);
}

static int make_top(struct engine *en, const struct instance_spec *s, const char *base, struct writable *w,
		    struct err *e)
{
	AUTO(layer_stage_done) struct layer_stage st = { .dir = -1 };
	autofree char *top = NULL;
	int r = layer_stage_open(en, &st, e);

	if (r == 0)
		r = make_disk(en, s, base, &st, e);
	if (r == 0 && str_copy(st.id, &top) < 0)
		r = err_set(e, ENOMEM, "out of memory");
	if (r == 0)
		r = record_top(en, s->id, w, &st, e);
	if (r < 0)
		return r;
	free(w->below);
	w->below = w->top;
	w->top = take_ptr(top);
	return 0;
}

int snapshot_switch_begin(struct engine *en, const struct instance *in, struct writable *w, struct err *e)
{
	const struct instance_spec *s = &in->spec;
	AUTO(strv_done) struct strv chain = { 0 };
	int r;

	if (s->isolation != ISOLATION_VM)
		return err_set(e, ENOTSUP, "%s cannot go on in a new layer", s->name);
	r = layer_chain(en->db, w->top, &chain, e);
	if (r == 0 && chain.n >= CHAIN_LONG)
		r = err_set(e, ENOTSUP, "%s stands on many layers already", s->name);
	return r < 0 ? r : make_top(en, s, chain.v[0], w, e);
}

int snapshot_switch(struct engine *en, const struct instance *in, const struct writable *w, struct err *e)
{
	autoclose int fd = -1;
	int r = engine_save(en, in, &fd, SAVE_DISK, w->top, e);

	/* one that an older Ketch started takes the layer's id for a wrong one of a snapshot, and goes on as before */
	return r == -EINVAL ? err_set(e, ENOTSUP, "%s knows no new layer", in->spec.name) : r;
}

static int sync_sealed(struct engine *en, const struct writable *w, struct err *e)
{
	autoclose int dir = layer_dir_open(en, w->below);

	return dir < 0 || syncfs(dir) < 0
		       ? err_sys(e, dir < 0 ? -dir : errno, "writable layer %.12s", w->below)
		       : 0;
}

int snapshot_record_switched(struct engine *en, const struct writable *w, struct snapshot *s, struct err *e)
{
	AUTO(db_tx_done) struct db_tx tx = { 0 };
	int r = sync_sealed(en, w, e);

	if (r == 0)
		r = str_copy(w->below, &s->layer) < 0 ? err_set(e, ENOMEM, "out of memory")
						      : db_begin(en->db, &tx, e);
	if (r == 0)
		r = snapshot_record_add(en->db, s, e);
	if (r == 0)
		r = writable_set(en->db, s->instance, w->top, w->below, s->id, e);
	return r < 0 ? r : db_commit(&tx, e);
}
