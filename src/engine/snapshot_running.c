/* snapshot_running.c - a snapshot of an instance that runs: all of it is of one moment, at which nothing of it writes */
#include "engine/snapshot_running.h"

#include <errno.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/clock.h"
#include "engine/ask.h"
#include "engine/machine_memory.h"
#include "engine/processes.h"
#include "engine/volume_state.h"

/* One being made. */
struct capture {
	struct engine *en;
	const struct instance *in;
	const struct snapshot_request *rq;
	struct writable w;
	bool switches; /* to a new layer, which is w.top */
	struct layer_stage st; /* of the copy */
	struct snapshot *s;
};

static void capture_done(struct capture *c)
{
	writable_done(&c->w);
	layer_stage_done(&c->st);
}

bool snapshot_needs_memory(const struct snapshot_request *rq)
{
	return rq->memory == MEMORY_MUST || rq->memory == MEMORY_LIVE;
}

/* Those of a container are kept where that was asked for by name. */
static bool with_processes(const struct instance *in, const struct snapshot_request *rq)
{
	return rq->memory == MEMORY_LIVE && in->spec.isolation == ISOLATION_CONTAINER;
}

int snapshot_can_save(const struct instance *in, const struct snapshot_request *rq, struct err *e)
{
	if (rq->memory == MEMORY_NOT)
		return -ENOTSUP;
	return with_processes(in, rq) ? processes_can_save(in, e) : memory_can_save(in, e);
}

/* --- files */

static int copy_files(struct capture *c, struct err *e)
{
	int r = layer_stage_open(c->en, &c->st, e);

	if (r == 0 && str_copy(c->st.id, &c->s->layer) < 0)
		r = err_set(e, ENOMEM, "out of memory");
	return r < 0 ? r : snapshot_capture(c->en, &c->in->spec, &c->w, &c->st, e);
}

static int take_files(struct capture *c, struct err *e)
{
	int r = c->switches ? snapshot_switch(c->en, c->in, &c->w, e) : -ENOTSUP;

	c->switches = r == 0;
	return r == -ENOTSUP ? copy_files(c, e) : r;
}

/* --- the moment */

/* A paused machine answers nobody, and need not: it writes nothing. */
static int hold(struct capture *c, int *ret_hold, struct err *e)
{
	if (c->in->state.status == STATUS_PAUSED || c->rq->held)
		return 0;
	return engine_hold(c->en, c->in, ret_hold, e);
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
static int capture_held(struct capture *c, struct err *e)
{
	autoclose int held = -1;
	int r = hold(c, &held, e);

	if (r == 0)
		r = take_files(c, e);
	if (r == 0)
		r = volume_states_copy(c->en, &c->s->volumes, NULL, c->s->id, e);
	return r == 0 && held < 0 && !c->rq->held ? check_still_paused(c->en, c->in, e) : r;
}

/* Its memory is of a moment at which its files are held, and stay so until they are taken: what it then does, it does in a machine
 * that was restored, too. */
static int take_memory_and_files(struct capture *c, struct memory_saving *m, struct err *e)
{
	autoclose int held = -1;
	int r = hold(c, &held, e);

	if (r == 0)
		r = memory_save_rest(m, e);
	if (r == 0)
		r = memory_save_go_on(m, e);
	memory_saving_done(m);
	return r < 0 ? r : take_files(c, e);
}

static int capture_with_memory(struct capture *c, struct err *e)
{
	struct memory_saving m = { c->en, c->in, c->s, -1 };
	int r = memory_save_begin(&m, e);

	if (r == 0)
		r = take_memory_and_files(c, &m, e);
	if (r == 0)
		r = memory_save_end(&m, e);
	memory_saving_done(&m);
	if (r < 0)
		memory_discard(c->en, c->s);
	return r;
}

/* All of one moment: it stands still from before the first to the last. */
static int capture_with_processes(struct capture *c, struct err *e)
{
	int64_t begin_ns = clock_mono_ns();
	autoclose int held = -1;
	int r = engine_hold(c->en, c->in, &held, e);

	if (r == 0)
		r = processes_save(c->en, c->in, c->s, held, e);
	if (r == 0)
		r = copy_files(c, e);
	if (r == 0)
		r = volume_states_copy(c->en, &c->s->volumes, NULL, c->s->id, e);
	c->s->memory.pause_ns = clock_mono_ns() - begin_ns;
	if (r < 0)
		memory_discard(c->en, c->s);
	return r;
}

/* With its memory, as is wished; a machine has no volumes then. */
static int capture(struct capture *c, struct err *e)
{
	/* what stands against processes was looked for before any lock was taken, which costs a run of CRIU */
	int r = with_processes(c->in, c->rq) ? 0 : snapshot_can_save(c->in, c->rq, e);

	if (r == 0 && c->in->state.status == STATUS_PAUSED)
		r = err_set(e, EAGAIN, "%s is paused: its memory is saved while it runs", c->in->spec.name);
	if (r < 0 && snapshot_needs_memory(c->rq))
		return r;
	if (r == 0 && with_processes(c->in, c->rq))
		return capture_with_processes(c, e);
	return r < 0 ? capture_held(c, e) : capture_with_memory(c, e);
}

/* --- all of it */

static int begin(struct capture *c, struct err *e)
{
	int r;

	c->s->live = true;
	if (str_copy(c->w.snapshot, &c->s->parent) < 0)
		return err_set(e, ENOMEM, "out of memory");
	r = snapshot_switch_begin(c->en, c->in, &c->w, e);
	c->switches = r == 0;
	return r == -ENOTSUP ? 0 : r;
}

static int record(struct capture *c, struct err *e)
{
	return c->switches ? snapshot_record_switched(c->en, &c->w, c->s, e)
			   : snapshot_record_captured(c->en, &c->w, &c->st, c->s, e);
}

int snapshot_create_running(struct engine *en, const struct instance *in, const struct snapshot_request *rq,
			    struct snapshot *s, struct err *e)
{
	AUTO(capture_done) struct capture c = { .en = en, .in = in, .rq = rq, .st = { .dir = -1 }, .s = s };
	AUTO(volumes_still_done) struct volumes_still still = { 0 };
	int r = writable_find(en->db, in->spec.id, &c.w, e);

	if (r == 0 && !rq->volumes_held)
		r = volumes_keep_still(en, &s->volumes, in->spec.id, USERS_STAND_STILL, &still, e);
	if (r < 0)
		return r;
	r = begin(&c, e);
	if (r == 0)
		r = capture(&c, e);
	if (r == 0)
		r = record(&c, e);
	layer_stage_done(&c.st); /* for the sweep */
	if (r < 0) {
		volumes_still_sweep(en, &still);
		layers_sweep(en, NULL, NULL);
	}
	return r;
}
