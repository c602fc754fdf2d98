/* snapshot_create.c - a snapshot is made: a layer is sealed, or copied from one that runs */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/clock.h"
#include "engine/ask.h"
#include "engine/machine_memory.h"
#include "engine/processes.h"
#include "engine/snapshot.h"
#include "engine/volume_state.h"

#define CHAIN_LONG 32 /* layers: what a start opens, and a machine reads through */
#define TRIES	   20 /* it may start and end between two looks */

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

static bool is_must(const struct snapshot_request *rq)
{
	return rq->memory == MEMORY_MUST || rq->memory == MEMORY_LIVE;
}

/* Those of a container are kept where that was asked for by name. */
static bool with_processes(const struct instance *in, const struct snapshot_request *rq)
{
	return rq->memory == MEMORY_LIVE && in->spec.isolation == ISOLATION_CONTAINER;
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
	if (r == 0 && is_must(rq))
		r = err_set(e, ESRCH, "%s is not running: it has no memory", in->spec.name);
	return r < 0 ? r : seal_all(en, &in->spec, rq, s, e);
}

/* --- running */

/* A paused machine answers nobody, and need not: it writes nothing. */
static int hold(struct engine *en, const struct instance *in, int *ret_hold, struct err *e)
{
	if (in->state.status == STATUS_PAUSED)
		return 0;
	return engine_hold(en, in, ret_hold, e);
}

static int check_still_paused(struct engine *en, const struct instance *in, struct err *e)
{
	struct instance now = { .spec = in->spec };
	int r = truth_refresh(en, &now, e);

	if (r == 0 && now.state.status != STATUS_PAUSED)
		r = err_set(e, EAGAIN, "%s did not stay paused", in->spec.name);
	json_done(&instance_state_table, &now.state);
	return r;
}

/* Its volumes stand still already. */
static int capture_held(struct engine *en, const struct instance *in, const struct snapshot_request *rq,
			const struct writable *w, struct layer_stage *st, const struct snapshot *s,
			struct err *e)
{
	autoclose int held = -1;
	int r = rq->held ? 0 : hold(en, in, &held, e);

	if (r == 0)
		r = snapshot_capture(en, &in->spec, w, st, e);
	if (r == 0)
		r = volume_states_copy(en, &s->volumes, NULL, s->id, e);
	return r == 0 && held < 0 && !rq->held ? check_still_paused(en, in, e) : r;
}

/* Its memory is of the moment at which its files are held: what it then does, it does in a machine that was restored, too. */
static int capture_with_memory(struct memory_saving *m, const struct snapshot_request *rq,
			       const struct writable *w, struct layer_stage *st, struct err *e)
{
	autoclose int held = -1;
	int r = memory_save_begin(m, e);

	if (r == 0 && !rq->held)
		r = engine_hold(m->en, m->in, &held, e);
	if (r == 0)
		r = memory_save_rest(m, e);
	if (r == 0)
		r = snapshot_capture(m->en, &m->in->spec, w, st, e);
	if (r == 0)
		r = memory_save_end(m, e);
	memory_saving_done(m);
	if (r < 0)
		memory_discard(m->en, m->s);
	return r;
}

/* All of one moment: it stands still from before the first to the last. */
static int capture_with_processes(struct engine *en, const struct instance *in, const struct writable *w,
				  struct layer_stage *st, struct snapshot *s, struct err *e)
{
	int64_t begin_ns = clock_mono_ns();
	autoclose int held = -1;
	int r = engine_hold(en, in, &held, e);

	if (r == 0)
		r = processes_save(en, in, s, held, e);
	if (r == 0)
		r = snapshot_capture(en, &in->spec, w, st, e);
	if (r == 0)
		r = volume_states_copy(en, &s->volumes, NULL, s->id, e);
	s->memory.pause_ns = clock_mono_ns() - begin_ns;
	if (r < 0)
		memory_discard(en, s);
	return r;
}

static int can_save(const struct instance *in, const struct snapshot_request *rq, struct err *e)
{
	if (rq->memory == MEMORY_NOT)
		return -ENOTSUP;
	return with_processes(in, rq) ? processes_can_save(in, e) : memory_can_save(in, e);
}

/* With its memory, as is wished; a machine has no volumes then. */
static int capture(struct engine *en, const struct instance *in, const struct snapshot_request *rq,
		   const struct writable *w, struct layer_stage *st, struct snapshot *s, struct err *e)
{
	struct memory_saving m = { en, in, s, -1 };
	/* what stands against processes was looked for before any lock was taken, which costs a run of CRIU */
	int r = with_processes(in, rq) ? 0 : can_save(in, rq, e);

	if (r == 0 && in->state.status == STATUS_PAUSED)
		r = err_set(e, EAGAIN, "%s is paused: its memory is saved while it runs", in->spec.name);
	if (r < 0 && is_must(rq))
		return r;
	if (r == 0 && with_processes(in, rq))
		return capture_with_processes(en, in, w, st, s, e);
	return r < 0 ? capture_held(en, in, rq, w, st, s, e) : capture_with_memory(&m, rq, w, st, e);
}

static int create_running(struct engine *en, const struct instance *in, const struct snapshot_request *rq,
			  struct snapshot *s, struct err *e)
{
	AUTO(layer_stage_done) struct layer_stage st = { .dir = -1 };
	AUTO(volumes_still_done) struct volumes_still still = { 0 };
	AUTO(writable_done) struct writable w = { 0 };
	int r = writable_find(en->db, in->spec.id, &w, e);

	if (r == 0 && !rq->volumes_held)
		r = volumes_keep_still(en, &s->volumes, in->spec.id, USERS_STAND_STILL, &still, e);
	if (r == 0)
		r = layer_stage_open(en, &st, e);
	if (r < 0)
		return r;
	s->live = true;
	if (str_copy(st.id, &s->layer) < 0 || str_copy(w.snapshot, &s->parent) < 0)
		r = err_set(e, ENOMEM, "out of memory");
	if (r == 0)
		r = capture(en, in, rq, &w, &st, s, e);
	if (r == 0)
		r = snapshot_record_captured(en, &w, &st, s, e);
	layer_stage_done(&st);
	if (r < 0) {
		volumes_still_sweep(en, &still);
		layers_sweep(en, NULL, NULL);
	}
	return r;
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
			r = instance_is_live(&now.state) ? create_running(en, &now, rq, s, e) : -EALREADY;
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
	int r = is_must(rq) ? can_save(in, rq, e) : 0;

	if (r == 0)
		r = snapshots_lock(en, &in->spec, &all, e);
	return r < 0 ? r : snapshot_create_locked(en, in, rq, all, ret, e);
}
