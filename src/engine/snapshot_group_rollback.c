/* snapshot_group_rollback.c - several instances go back to a snapshot: all of them, or none
 *
 * How it works: all that a rollback of one does before its transaction is done for each of them, all locks are held, and one
 * transaction says for all what they are from then on (docs/design/012).  So a kill leaves all as before, or all as after; what
 * volumes then still have to be renamed does whoever opens them next (volume_swap_begin).
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/auto.h"
#include "engine/snapshot_group.h"
#include "engine/volume_state.h"

struct member {
	int all, lock; /* of its snapshots, its own */
	struct snapshot to;
	struct strv volumes; /* that go back with it: each with one member */
	char state[SNAPSHOT_STATE_LEN + 1]; /* what these become */
};

struct back {
	struct engine *en;
	const struct instance_group *of;
	struct member *members; /* one for each */
	struct volumes_still still;
};

static void back_done(struct back *b)
{
	volumes_still_done(&b->still);
	for (size_t i = 0; b->members && i < b->of->n; i++) {
		struct member *m = &b->members[i];

		auto_close(&m->lock);
		auto_close(&m->all);
		snapshot_done(&m->to);
		strv_done(&m->volumes);
	}
	free(b->members);
}

static int back_init(struct back *b, struct err *e)
{
	b->members = calloc(b->of->n, sizeof(*b->members));
	for (size_t i = 0; b->members && i < b->of->n; i++)
		b->members[i].all = b->members[i].lock = -1;
	return b->members ? 0 : err_set(e, ENOMEM, "out of memory");
}

/* --- before anything is done */

static int check_all(struct engine *en, const struct instance_group *g, const char *name,
		     const struct rollback_request *how, struct err *e)
{
	struct rollback_request stopped = *how;
	AUTO(strv_done) struct strv ids = { 0 };
	int r = instance_group_ids(g, &ids, e);

	stopped.stop = true; /* as those of the group will be; is anybody else in the way? */
	for (size_t i = 0; i < g->n && r == 0; i++) {
		AUTO(snapshot_done) struct snapshot s = { 0 };

		r = snapshot_find(en, &g->list[i], name, &s, e);
		if (r == 0)
			r = snapshot_rollback_stays(&g->list[i], e);
		if (r == 0 && !how->stop && instance_is_live(&g->list[i].state))
			r = err_set(e, EBUSY, "%s is running: stop it first, or add --stop",
				    g->list[i].spec.name);
		if (r == 0)
			r = snapshot_rollback_check(en, &s, &stopped, &ids, e);
	}
	return r;
}

/* All at the same time. */
static int stop_all(struct back *b, struct err *e)
{
	autofree struct stopping *s = calloc(b->of->n, sizeof(*s));
	size_t asked = 0;
	int r = s ? 0 : err_set(e, ENOMEM, "out of memory");

	while (asked < b->of->n && r == 0) {
		r = engine_stop_ask(b->en, &b->of->list[asked], -1, &s[asked], e);
		asked += r == 0;
	}
	for (size_t i = 0; i < asked; i++) {
		struct err unsaid;
		int one = engine_stop_await(b->en, &b->of->list[i], -1, &s[i], r == 0 ? e : &unsaid);

		r = r < 0 ? r : one;
	}
	return r;
}

/* In the order of their ids, so that two commands never wait for each other. */
static int lock_all(struct back *b, bool stop, struct err *e)
{
	const char *last = NULL;
	int r = 0;

	for (size_t k = 0; k < b->of->n && r == 0; k++) {
		size_t i = instance_group_next(b->of, last);

		last = b->of->list[i].spec.id;
		r = snapshots_lock(b->en, &b->of->list[i].spec, &b->members[i].all, e);
	}
	if (r == 0 && stop)
		r = stop_all(b, e);
	for (size_t i = 0; i < b->of->n && r == 0; i++)
		r = snapshot_lock_at_rest(b->en, &b->of->list[i], stop, &b->members[i].lock, e);
	return r;
}

/* Under the locks: they may be others than those that were looked at. */
static int find_all(struct back *b, const char *name, bool no_volumes, struct err *e)
{
	int r = 0;

	for (size_t i = 0; i < b->of->n && r == 0; i++) {
		struct member *m = &b->members[i];

		r = snapshot_find(b->en, &b->of->list[i], name, &m->to, e);
		if (r == 0 && no_volumes)
			strv_done(&m->to.volumes);
	}
	return r;
}

/* --- volumes */

/* One that several mount goes back with the last of them. */
static int share_out(struct back *b, struct strv *all, struct err *e)
{
	for (size_t i = b->of->n; i-- > 0;) {
		struct member *m = &b->members[i];

		for (size_t k = 0; k < m->to.volumes.n; k++) {
			const char *name = m->to.volumes.v[k];

			if (strv_has(all, name))
				continue;
			if (strv_add(all, name) < 0 || strv_add(&m->volumes, name) < 0)
				return err_set(e, ENOMEM, "out of memory");
		}
	}
	return 0;
}

static int prepare_volumes(struct back *b, struct err *e)
{
	AUTO(strv_done) struct strv all = { 0 }, ids = { 0 };
	int r = share_out(b, &all, e);

	if (r == 0)
		r = instance_group_ids(b->of, &ids, e);
	if (r == 0)
		r = volumes_keep_still_of(b->en, &all, &ids, USERS_MUST_NOT_RUN, &b->still, e);
	if (r == 0) /* of a rollback that was killed */
		r = volumes_swap_finish(b->en, &b->still, e);
	for (size_t i = 0; i < b->of->n && r == 0; i++) {
		struct member *m = &b->members[i];

		engine_random_hex(SNAPSHOT_STATE_LEN / 2, m->state);
		r = volume_states_copy(b->en, &m->volumes, m->to.id, m->state, e);
	}
	return r;
}

/* --- done */

static int record_all(struct back *b, struct err *e)
{
	AUTO(db_tx_done) struct db_tx tx = { 0 };
	int r = db_begin(b->en->db, &tx, e);

	for (size_t i = 0; i < b->of->n && r == 0; i++) {
		const struct member *m = &b->members[i];

		r = snapshot_rollback_record(b->en, b->of->list[i].spec.id, &m->to, &m->volumes, m->state, e);
	}
	return r < 0 ? r : db_commit(&tx, e);
}

static int go_back(struct back *b, struct err *e)
{
	int r = prepare_volumes(b, e);

	if (r == 0) {
		r = record_all(b, e);
		if (r == -ENOSPC && db_spend_reserve(b->en->db)) /* it gives back what was written since */
			r = record_all(b, e);
	}
	if (r == 0)
		r = volumes_swap_finish(b->en, &b->still, e);
	if (r < 0)
		volumes_still_sweep(b->en, &b->still);
	for (size_t i = 0; i < b->of->n && r == 0; i++) {
		engine_tell(b->en, &b->of->list[i].spec, "rollback", NULL);
		r = layers_sweep(b->en, b->of->list[i].spec.id, e);
	}
	return r;
}

int snapshot_group_rollback(struct engine *en, const struct instance_group *g, const char *name,
			    const struct rollback_request *how, struct err *e)
{
	AUTO(back_done) struct back b = { .en = en, .of = g };
	int r = back_init(&b, e);

	if (r == 0)
		r = check_all(en, g, name, how, e);
	if (r == 0)
		r = lock_all(&b, how->stop, e);
	if (r == 0)
		r = find_all(&b, name, how->no_volumes, e);
	return r == 0 ? go_back(&b, e) : r;
}
