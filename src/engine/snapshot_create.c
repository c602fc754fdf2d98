/* snapshot_create.c - a snapshot is made: of an instance at rest its layer is sealed */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/clock.h"
#include "engine/machine_memory.h"
#include "engine/snapshot_running.h"
#include "engine/volume_state.h"

#define TRIES 20 /* it may start and end between two looks */

/* --- what it is */

static int choose_name(struct engine *en, const struct instance *in, char **ret, struct err *e)
{
	for (unsigned i = 0; i < 1000000; i++) {
		AUTO(snapshot_done) struct snapshot taken = { 0 };
		autofree char *name = str_printf("snap%u", i);
		int r = name ? snapshot_record_find(en->db, in->spec.id, name, &taken, NULL)
			     : err_set(e, ENOMEM, "out of memory");

		if (r == -ENOENT) {
			*ret = take_ptr(name);
			return 0;
		}
		if (r < 0)
			return r;
	}
	return err_set(e, EMLINK, "%s has too many snapshots", in->spec.name);
}

static int check_free(struct engine *en, const struct instance *in, const char *name, struct err *e)
{
	AUTO(snapshot_done) struct snapshot taken = { 0 };
	int r = *name == SNAPSHOT_UNFINISHED ? 0 : snapshot_name_check(name, e);

	if (r < 0)
		return r;
	r = snapshot_record_find(en->db, in->spec.id, name, &taken, NULL);
	if (r == 0)
		return err_set(e, EEXIST, "%s has a snapshot \"%s\" already", in->spec.name, name);
	return r == -ENOENT ? 0 : r;
}

static int describe(const struct instance *in, const struct snapshot_request *rq, struct snapshot *s)
{
	AUTO(buf_done) struct buf spec = { 0 };

	s->id = calloc(1, 33);
	if (!s->id || json_print(&instance_spec_table, &in->spec, 0, &spec) < 0)
		return -ENOMEM;
	engine_random_hex(16, s->id);
	s->spec = buf_take(&spec);
	s->created_ns = clock_real_ns();
	s->expires_ns = rq->expires_ns;
	s->automatic = rq->automatic;
	if (!s->spec || str_copy(in->spec.id, &s->instance) < 0 ||
	    str_copy(in->spec.image_id, &s->image_id) < 0 || str_copy(rq->description, &s->description) < 0)
		return -ENOMEM;
	return 0;
}

int snapshot_begin(struct engine *en, const struct instance *in, const struct snapshot_request *rq,
		   struct snapshot *ret, struct err *e)
{
	struct snapshot s = { 0 };
	int r = rq->name ? check_free(en, in, rq->name, e) : 0;
	if (r == 0 && describe(in, rq, &s) < 0)
		r = err_set(e, ENOMEM, "out of memory");
	if (r == 0)
		r = rq->name ? str_copy(rq->name, &s.name) : choose_name(en, in, &s.name, e);
	if (r == 0 && !rq->no_volumes)
		r = volumes_of_spec(en, &in->spec, &s.volumes, e);
	if (r < 0) {
		snapshot_done(&s);
		return r;
	}
	*ret = s;
	return 0;
}

/* --- at rest */

static int sync_top(struct engine *en, const struct writable *w, struct err *e)
{
	autoclose int dir = layer_dir_open(en, w->top);

	return dir < 0 || syncfs(dir) < 0 ? err_sys(e, dir < 0 ? -dir : errno, "writable layer %.12s", w->top)
					  : 0;
}

static int record_sealed(struct engine *en, const struct instance_spec *spec, const struct writable *w,
			 struct snapshot *s, struct err *e)
{
	AUTO(db_tx_done) struct db_tx tx = { 0 };
	char top[LAYER_ID_LEN + 1];
	int r = db_begin(en->db, &tx, e);

	engine_random_hex(LAYER_ID_LEN / 2, top);
	if (r == 0) /* its row, where it has none */
		r = writable_set(en->db, spec->id, w->top, w->below, w->snapshot, e);
	if (r == 0)
		r = snapshot_record_add(en->db, s, e);
	if (r == 0)
		r = writable_set(en->db, spec->id, s->layer == w->top ? top : w->top, s->layer, s->id, e);
	return r < 0 ? r : db_commit(&tx, e);
}

int snapshot_seal(struct engine *en, const struct instance_spec *spec, struct snapshot *s, struct err *e)
{
	AUTO(writable_done) struct writable w = { 0 };
	AUTO(strv_done) struct strv chain = { 0 }; /* what the next start stands on: not too many? */
	int r = writable_find(en->db, spec->id, &w, e);
	bool written;

	if (r == 0)
		r = layer_chain(en->db, w.top, &chain, e);
	if (r < 0)
		return r;
	written = layer_is_written(en, spec->isolation, &w);
	r = written ? sync_top(en, &w, e) : 0;
	if (r == 0 && str_copy(w.snapshot, &s->parent) < 0)
		r = err_set(e, ENOMEM, "out of memory");
	if (r < 0)
		return r;
	s->layer = written ? w.top : w.below; /* lent for the time of the record */
	r = record_sealed(en, spec, &w, s, e);
	if (str_copy(s->layer, &s->layer) < 0 && r == 0)
		r = err_set(e, ENOMEM, "out of memory");
	return r;
}

/* Where snapshots were removed while it ran, layers are left that nobody needs. */
static int shorten_chain(struct engine *en, const struct instance_spec *spec, struct err *e)
{
	AUTO(writable_done) struct writable w = { 0 };
	AUTO(strv_done) struct strv chain = { 0 };
	struct err why = { 0 };
	int r = writable_find(en->db, spec->id, &w, e);

	if (r < 0)
		return r;
	r = layer_chain(en->db, w.top, &chain, NULL);
	if (r == 0 && chain.n < CHAIN_LONG)
		return 0;
	if (layers_merge(en, spec, &why) < 0 && r == -EMLINK) /* else it can wait */
		return err_set(e, EMLINK, "%s stands on %d layers: %s", spec->name, LAYERS_MOST, why.msg);
	return layers_sweep(en, spec->id, e);
}

/* With those of its volumes that are to be in it. */
static int seal_all(struct engine *en, const struct instance_spec *spec, const struct snapshot_request *rq,
		    struct snapshot *s, struct err *e)
{
	AUTO(volumes_still_done) struct volumes_still still = { 0 };
	int r = shorten_chain(en, spec, e);

	if (r == 0 && !rq->volumes_held)
		r = volumes_keep_still(en, &s->volumes, spec->id, USERS_STAND_STILL, &still, e);
	if (r == 0)
		r = volume_states_copy(en, &s->volumes, NULL, s->id, e);
	if (r == 0)
		r = snapshot_seal(en, spec, s, e);
	if (r < 0)
		volumes_still_sweep(en, &still);
	return r;
}

static int create_at_rest(struct engine *en, const struct instance *in, const struct snapshot_request *rq,
			  struct snapshot *s, struct err *e)
{
	struct instance now = { .spec = in->spec };
	autoclose int lock = -1;
	int r = start_lock(en, &in->spec, &lock, NULL);

	if (r == -EALREADY)
		return r;
	if (r < 0)
		r = start_lock(en, &in->spec, &lock, e);
	if (r == 0)
		r = truth_settle(en, &now, e);
	json_done(&instance_state_table, &now.state);
	if (r == 0 && snapshot_needs_memory(rq))
		r = err_set(e, ESRCH, "%s is not running: it has no memory", in->spec.name);
	return r < 0 ? r : seal_all(en, &in->spec, rq, s, e);
}

/* --- either */

static int create(struct engine *en, const struct instance *in, const struct snapshot_request *rq,
		  struct snapshot *s, struct err *e)
{
	int r = -EALREADY;

	for (int i = 0; i < TRIES && r == -EALREADY; i++) {
		struct instance now = { .spec = in->spec };

		r = create_at_rest(en, in, rq, s, e);
		if (r != -EALREADY)
			break;
		r = truth_refresh(en, &now, e);
		if (r == 0)
			r = instance_is_live(&now.state) ? snapshot_create_running(en, &now, rq, s, e)
							 : -EALREADY;
		json_done(&instance_state_table, &now.state);
		if (r == -ESRCH)
			r = -EALREADY;
	}
	return r == -EALREADY ? err_set(e, EBUSY, "%s starts and ends all the time", in->spec.name) : r;
}

int snapshot_create_locked(struct engine *en, const struct instance *in, const struct snapshot_request *rq,
			   int all, struct snapshot *ret, struct err *e)
{
	struct snapshot s = { 0 };
	int r = memory_sweep(en, in->spec.id, all, e);

	if (r == 0)
		r = snapshot_begin(en, in, rq, &s, e);
	if (r == 0)
		r = create(en, in, rq, &s, e);
	if (r < 0) {
		snapshot_done(&s);
		return r;
	}
	*ret = s;
	engine_tell(en, &in->spec, "snapshot", NULL);
	return 0;
}

int snapshot_create(struct engine *en, const struct instance *in, const struct snapshot_request *rq,
		    struct snapshot *ret, struct err *e)
{
	autoclose int all = -1;
	int r = snapshot_needs_memory(rq) ? snapshot_can_save(in, rq, e) : 0;

	if (r == 0)
		r = snapshots_lock(en, &in->spec, &all, e);
	return r < 0 ? r : snapshot_create_locked(en, in, rq, all, ret, e);
}
