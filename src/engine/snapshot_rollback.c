/* snapshot_rollback.c - an instance goes back to a snapshot */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/path.h"
#include "engine/machine_memory.h"
#include "engine/processes.h"
#include "engine/snapshot.h"
#include "engine/volume_state.h"

static int set_text(char **member, const char *text)
{
	char *copy = text ? strdup(text) : NULL;

	if (text && !copy)
		return -ENOMEM;
	free(*member);
	*member = copy;
	return 0;
}

int snapshot_keep_later(struct engine *en, const char *id, struct instance_spec *to, struct err *e)
{
	struct instance_spec now = { 0 };
	int r = record_find(en->db, id, &now, e);

	if (r == 0 && (set_text(&to->name, now.name) < 0 || set_text(&to->id, now.id) < 0))
		r = err_set(e, ENOMEM, "out of memory");
	if (r == 0)
		to->snapshots = now.snapshots;
	json_done(&instance_spec_table, &now);
	return r;
}

/* The volumes of a snapshot, and where what they are to become is. */
struct volumes_back {
	const struct strv *names;
	struct volumes_still still;
	char state[SNAPSHOT_STATE_LEN + 1];
};

static void volumes_back_done(struct volumes_back *v)
{
	volumes_still_done(&v->still);
}

static int check_volumes(struct engine *en, const struct snapshot *s, struct err *e)
{
	int r = 0;

	for (size_t i = 0; i < s->volumes.n && r == 0; i++) {
		AUTO(volume_done) struct volume v = { 0 };

		r = volume_record_find(en->db, s->volumes.v[i], &v, e);
		if (r == -ENOENT || (r == 0 && !volume_state_exists(en, s->volumes.v[i], s->id)))
			r = err_set(e, ENOENT,
				    "the volume %s of the snapshot %s has been removed: --no-volumes goes "
				    "back without",
				    s->volumes.v[i], s->name);
	}
	return r;
}

/* Nobody has the volumes of the snapshot, or those that are kept, open from now on. */
static int still_for_rollback(struct engine *en, const struct instance *in, const struct snapshot *s,
			      const struct snapshot *kept, struct volumes_back *v, struct err *e)
{
	AUTO(strv_done) struct strv all = { 0 };
	int r = strv_copy(&all, &s->volumes) < 0 ? err_set(e, ENOMEM, "out of memory") : 0;

	for (size_t i = 0; i < kept->volumes.n && r == 0; i++)
		if (!strv_has(&all, kept->volumes.v[i]) && strv_add(&all, kept->volumes.v[i]) < 0)
			r = err_set(e, ENOMEM, "out of memory");
	if (r == 0)
		r = volumes_keep_still(en, &all, in->spec.id, USERS_MUST_NOT_RUN, &v->still, e);
	if (r == 0) /* of a rollback that was killed */
		r = volumes_swap_finish(en, &v->still, e);
	return r;
}

int snapshot_rollback_record(struct engine *en, const char *id, const struct snapshot *s,
			     const struct strv *volumes, const char *state, struct err *e)
{
	struct instance_spec spec = { 0 };
	char top[LAYER_ID_LEN + 1];
	int r = snapshot_spec(s, &spec, e);

	engine_random_hex(LAYER_ID_LEN / 2, top);
	if (r == 0)
		r = snapshot_keep_later(en, id, &spec, e);
	if (r == 0)
		r = record_replace(en->db, &spec, e);
	json_done(&instance_spec_table, &spec);
	if (r == 0)
		r = writable_set(en->db, id, top, s->layer, s->id, e);
	if (r == 0)
		r = layers_forget(en->db, e);
	for (size_t i = 0; i < volumes->n && r == 0; i++)
		r = volume_swap_begin(en, volumes->v[i], state, e);
	return r;
}

static int record_rollback(struct engine *en, const char *id, const struct snapshot *s,
			   const struct volumes_back *v, struct err *e)
{
	AUTO(db_tx_done) struct db_tx tx = { 0 };
	int r = db_begin(en->db, &tx, e);

	if (r == 0)
		r = snapshot_rollback_record(en, id, s, v->names, v->state, e);
	return r < 0 ? r : db_commit(&tx, e);
}

static int keep_before(struct engine *en, const struct instance_spec *spec, struct snapshot *kept,
		       struct err *e)
{
	int r = volume_states_copy(en, &kept->volumes, NULL, kept->id, e);

	return r < 0 ? r : snapshot_seal(en, spec, kept, e);
}

/* With both locks. */
static int go_back(struct engine *en, const struct instance *in, const struct snapshot *s,
		   const struct rollback_request *rq, struct err *e)
{
	AUTO(snapshot_done) struct snapshot kept = { 0 };
	const struct snapshot_request keep = { .name = rq->keep,
					       .automatic = rq->keep_automatic,
					       .no_volumes = rq->no_volumes };
	AUTO(volumes_back_done) struct volumes_back v = { .names = &s->volumes };
	int r = 0;

	engine_random_hex(SNAPSHOT_STATE_LEN / 2, v.state);
	if (rq->keep)
		r = snapshot_begin(en, in, &keep, &kept, e);
	if (r == 0)
		r = still_for_rollback(en, in, s, &kept, &v, e);
	if (r == 0 && rq->keep)
		r = keep_before(en, &in->spec, &kept, e);
	if (r == 0)
		r = volume_states_copy(en, &s->volumes, s->id, v.state, e);
	if (r == 0) {
		r = record_rollback(en, in->spec.id, s, &v, e);
		if (r == -ENOSPC && db_spend_reserve(en->db)) /* it gives back what was written since */
			r = record_rollback(en, in->spec.id, s, &v, e);
	}
	if (r == 0)
		r = volumes_swap_finish(en, &v.still, e);
	if (r < 0)
		volumes_still_sweep(en, &v.still);
	return r < 0 ? r : layers_sweep(en, in->spec.id, e);
}

/* Before it is stopped for nothing. */
static int check_users(struct engine *en, const struct strv *ours, const struct snapshot *s, struct err *e)
{
	AUTO(volumes_still_done) struct volumes_still still = { 0 };

	return volumes_keep_still_of(en, &s->volumes, ours, USERS_MUST_NOT_RUN, &still, e);
}

static int check_memory(struct engine *en, const struct snapshot *s, struct err *e)
{
	int state, ram, r;

	if (processes_are_in(s))
		return processes_check(en, s, e);
	r = memory_open(en, s, &state, &ram, e);
	if (r < 0)
		return r;
	close(state);
	if (ram >= 0)
		close(ram);
	return 0;
}

int snapshot_rollback_check(struct engine *en, const struct snapshot *s, const struct rollback_request *rq,
			    const struct strv *ours, struct err *e)
{
	int r = rq->no_volumes ? 0 : check_volumes(en, s, e);

	if (r == 0 && rq->stop && !rq->no_volumes)
		r = check_users(en, ours, s, e);
	return r == 0 && rq->memory && s->memory.format ? check_memory(en, s, e) : r;
}

int snapshot_rollback_stays(const struct instance *in, struct err *e)
{
	if (!in->spec.auto_remove || !instance_is_live(&in->state))
		return 0;
	return err_set(
		e, EBUSY,
		"%s is removed when it is stopped (--rm), with its snapshots: ketch clone makes others "
		"of them",
		in->spec.name);
}

int snapshot_lock_at_rest(struct engine *en, const struct instance *in, bool stop, int *ret, struct err *e)
{
	struct instance now = { .spec = in->spec };
	int r = start_lock(en, &in->spec, ret, e);

	if (r == -EALREADY && !stop)
		return err_set(e, EBUSY, "%s is running: stop it first, or add --stop", in->spec.name);
	if (r == -EALREADY) {
		r = truth_refresh(en, &now, e);
		if (r == 0)
			r = engine_stop(en, &now, -1, e);
		json_done(&instance_state_table, &now.state);
		now.state = (struct instance_state){ 0 };
		if (r == 0)
			r = start_lock(en, &in->spec, ret, e);
	}
	if (r == 0)
		r = truth_settle(en, &now, e);
	json_done(&instance_state_table, &now.state);
	return r;
}

int snapshot_rollback(struct engine *en, const struct instance *in, const char *name,
		      const struct rollback_request *rq, struct err *e)
{
	char *one[] = { in->spec.id, NULL };
	AUTO(snapshot_done) struct snapshot s = { 0 };
	autoclose int all = -1, lock = -1;
	int r = snapshots_lock(en, &in->spec, &all, e);

	if (r == 0)
		r = snapshot_find(en, in, name, &s, e);
	if (r == 0 && rq->no_volumes)
		strv_done(&s.volumes);
	if (r == 0)
		r = snapshot_rollback_check(en, &s, rq, &(const struct strv){ one, 1 }, e);
	if (r == 0)
		r = snapshot_lock_at_rest(en, in, rq->stop, &lock, e);
	if (r == 0)
		r = go_back(en, in, &s, rq, e);
	if (r == 0)
		engine_tell(en, &in->spec, "rollback", NULL);
	return r;
}
