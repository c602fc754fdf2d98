/* move.c - an instance that does not run goes behind the other wall */
#include "engine/move.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/auto.h"
#include "engine/scratch.h"
#include "engine/snapshot.h"

#define RECORD_TRIES 50

struct move {
	struct engine *en;
	struct instance_spec from, to; /* to: as it is recorded */
	struct writable w;
	int all, lock; /* of its snapshots, its own */
	size_t n_snapshots;
	bool has_files;
	struct scratch reader, writer;
};

/* --- whether */

/* What a command line is refused for before there is a plan. */
static int check_words(const struct instance_spec *to, struct err *e)
{
	if (to->isolation != ISOLATION_VM)
		return 0;
	if (to->network == NETWORK_HOST || to->network == NETWORK_CONTAINER)
		return err_set(e, EINVAL, "--network %s: a virtual machine cannot share %s network",
			       to->network == NETWORK_HOST ? "host" : "container",
			       to->network == NETWORK_HOST ? "the host's" : "a container's");
	return to->userns ? err_set(e, EINVAL, "--userns: a virtual machine has users of its own") : 0;
}

static int make_target(struct move *m, int isolation, struct err *e)
{
	const struct run_request usual = { 0 };
	struct instance_spec to = m->from; /* borrows */
	int r;

	to.isolation = isolation;
	to.isolation_rule = NULL; /* it is asked for now */
	to.vm = (struct vm_spec){ 0 };
	r = json_copy(&instance_spec_table, &to, &m->to) < 0 ? err_set(e, ENOMEM, "out of memory") : 0;
	if (r == 0)
		r = check_words(&m->to, e);
	if (r == 0)
		r = engine_choose_machine(m->en, &usual, &m->to, e);
	if (r == 0)
		r = engine_check_plan(m->en, &m->to, e);
	return r < 0 ? err_wrap(e, r, "%s cannot go behind %s", m->from.name,
				isolation == ISOLATION_VM ? "the wall of a virtual machine"
							  : "that of a container")
		     : 0;
}

static int lock_at_rest(struct move *m, struct err *e)
{
	struct instance now = { .spec = m->from };
	int r = start_lock(m->en, &m->from, &m->lock, e);

	if (r == -EALREADY)
		return err_set(e, EBUSY, "%s is running: stop it first", m->from.name);
	if (r == 0)
		r = truth_settle(m->en, &now, e);
	json_done(&instance_state_table, &now.state);
	return r;
}

/* Has it, or what it stands on, ever been written? */
static int look_at_files(struct move *m, struct err *e)
{
	int r = writable_find(m->en->db, m->from.id, &m->w, e);

	if (r == 0)
		m->has_files = m->w.below || layer_is_written(m->en, m->from.isolation, &m->w);
	return r;
}

static int count_snapshots(struct move *m, const struct instance *in, struct err *e)
{
	struct snapshot *list;
	int r = snapshot_list(m->en, in, &list, &m->n_snapshots, e);

	if (r == 0)
		snapshots_free(list, m->n_snapshots);
	return r;
}

/* As it is recorded by now, and what it is to become. */
static int read_record(struct move *m, int isolation, struct err *e)
{
	struct instance_spec now = { 0 };
	int r = record_find(m->en->db, m->from.id, &now, e);

	if (r < 0)
		return r;
	json_done(&instance_spec_table, &m->from);
	json_done(&instance_spec_table, &m->to);
	m->from = now;
	m->to = (struct instance_spec){ 0 };
	if (m->from.isolation == isolation)
		return err_set(e, EALREADY, "%s is a %s already", m->from.name,
			       isolation == ISOLATION_VM ? "virtual machine" : "container");
	return make_target(m, isolation, e);
}

/* What it says is looked at before a lock is waited for, and again behind the locks: others may have changed it meanwhile. */
static int begin(struct move *m, const struct instance *in, int isolation, struct err *e)
{
	int r = json_copy(&instance_spec_table, &in->spec, &m->from) < 0 ? err_set(e, ENOMEM, "out of memory")
									 : 0;

	if (r == 0)
		r = read_record(m, isolation, e);
	if (r == 0)
		r = snapshots_lock(m->en, &m->from, &m->all, e);
	if (r == 0)
		r = lock_at_rest(m, e);
	if (r == 0)
		r = read_record(m, isolation, e);
	if (r == 0)
		r = look_at_files(m, e);
	return r == 0 ? count_snapshots(m, in, e) : r;
}

int move_begin(struct engine *en, const struct instance *in, int isolation, struct move **ret, struct err *e)
{
	struct move *m = calloc(1, sizeof(*m));
	int r;

	if (!m)
		return err_set(e, ENOMEM, "out of memory");
	m->en = en;
	m->all = m->lock = -1;
	r = begin(m, in, isolation, e);
	if (r < 0)
		move_free(m);
	else
		*ret = m;
	return r;
}

size_t move_snapshots(const struct move *m)
{
	return m->n_snapshots;
}

bool move_has_files(const struct move *m)
{
	return m->has_files;
}

/* --- carried */

/* The top stands below others for the time: so it has a row. */
static int record_top(struct move *m, struct err *e)
{
	AUTO(db_tx_done) struct db_tx tx = { 0 };
	int r = db_begin(m->en->db, &tx, e);

	if (r == 0)
		r = writable_set(m->en->db, m->from.id, m->w.top, m->w.below, m->w.snapshot, e);
	return r < 0 ? r : db_commit(&tx, e);
}

/* A top that was never written is no layer. */
static const char *uppermost(struct move *m)
{
	return layer_is_written(m->en, m->from.isolation, &m->w) ? m->w.top : m->w.below;
}

int move_open(struct move *m, int *ret_from, int *ret_into, struct err *e)
{
	int from = -1, r = record_top(m, e);

	if (r == 0)
		r = scratch_start(m->en, &m->from, uppermost(m), &m->reader, &from, e);
	if (r == 0)
		r = scratch_start(m->en, &m->to, NULL, &m->writer, ret_into, e);
	if (r < 0 && from >= 0)
		close(from);
	if (r == 0)
		*ret_from = from;
	return r;
}

/* --- done */

/* -ESTALE: by then it is another one than what the target was made of. */
static int record(struct move *m, struct layer_stage *st, struct err *e)
{
	AUTO(db_tx_done) struct db_tx tx = { 0 };
	int r = db_begin(m->en->db, &tx, e);

	if (r == 0)
		r = record_check_unchanged(m->en->db, &m->from, e);
	if (r == 0)
		r = record_change_wall(m->en->db, &m->to, e);
	if (r == 0)
		r = writable_set(m->en->db, m->from.id, st->id, NULL, m->w.snapshot, e);
	if (r == 0)
		r = layers_forget(m->en->db, e);
	if (r == 0)
		r = layer_stage_commit(m->en, st, e);
	return r < 0 ? r : db_commit(&tx, e);
}

/* Limits and the name change without the lock, and how much RAM a machine has follows from its limits. */
static int record_patiently(struct move *m, struct layer_stage *st, struct err *e)
{
	int isolation = m->to.isolation, r = record(m, st, e);

	for (int i = 1; r == -ESTALE && i < RECORD_TRIES; i++) {
		r = read_record(m, isolation, e);
		if (r == 0)
			r = record(m, st, e);
	}
	return r;
}

int move_commit(struct move *m, struct err *e)
{
	AUTO(layer_stage_done) struct layer_stage st = { .dir = -1 };
	int r = layer_stage_open(m->en, &st, e);

	if (r == 0 && m->has_files)
		r = scratch_settle(&m->reader, e);
	if (r == 0 && m->has_files)
		r = scratch_settle(&m->writer, e);
	if (r == 0 && m->has_files)
		r = scratch_take(&m->writer, st.dir, e);
	if (r == 0)
		r = record_patiently(m, &st, e);
	layer_stage_done(&st);
	if (r < 0) {
		layers_sweep(m->en, NULL, NULL);
		return r;
	}
	engine_tell(m->en, &m->to, "update", NULL);
	return layers_sweep(m->en, m->from.id, e);
}

struct move *move_free(struct move *m)
{
	if (!m)
		return NULL;
	scratch_done(&m->reader);
	scratch_done(&m->writer);
	auto_close(&m->lock);
	auto_close(&m->all);
	writable_done(&m->w);
	json_done(&instance_spec_table, &m->from);
	json_done(&instance_spec_table, &m->to);
	free(m);
	return NULL;
}
