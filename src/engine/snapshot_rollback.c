/* snapshot_rollback.c - an instance goes back to a snapshot, or a new one goes on from it */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/parse.h"
#include "base/path.h"
#include "engine/snapshot.h"
#include "engine/volume_int.h"

static int set_text(char **member, const char *text)
{
	char *copy = text ? strdup(text) : NULL;

	if (text && !copy)
		return -ENOMEM;
	free(*member);
	*member = copy;
	return 0;
}

/* --- rollback */

/* What was said of it later than the snapshot stays: its name. */
static int spec_of(const struct snapshot *s, const struct instance_spec *now, struct instance_spec *ret,
		   struct err *e)
{
	int r = snapshot_spec(s, ret, e);

	if (r == 0 && (set_text(&ret->name, now->name) < 0 || set_text(&ret->id, now->id) < 0))
		r = err_set(e, ENOMEM, "out of memory");
	return r;
}

static int record_rollback(struct engine *en, const struct instance_spec *spec, const struct snapshot *s,
			   struct err *e)
{
	AUTO(db_tx_done) struct db_tx tx = { 0 };
	char top[LAYER_ID_LEN + 1];
	int r = db_begin(en->db, &tx, e);

	engine_random_hex(LAYER_ID_LEN / 2, top);
	if (r == 0)
		r = record_replace(en->db, spec, e);
	if (r == 0)
		r = writable_set(en->db, spec->id, top, s->layer, s->id, e);
	if (r == 0)
		r = layers_forget(en->db, e);
	return r < 0 ? r : db_commit(&tx, e);
}

/* With both locks. */
static int go_back(struct engine *en, const struct instance *in, const struct snapshot *s,
		   const struct rollback_request *rq, struct err *e)
{
	AUTO(snapshot_done) struct snapshot kept = { 0 };
	const struct snapshot_request keep = { .name = rq->keep };
	struct instance_spec spec = { 0 };
	int r = spec_of(s, &in->spec, &spec, e);

	if (r == 0 && rq->keep)
		r = snapshot_begin(en, in, &keep, &kept, e);
	if (r == 0 && rq->keep)
		r = snapshot_seal(en, &in->spec, &kept, e);
	if (r == 0)
		r = record_rollback(en, &spec, s, e);
	json_done(&instance_spec_table, &spec);
	return r < 0 ? r : layers_sweep(en, in->spec.id, e);
}

static int lock_at_rest(struct engine *en, const struct instance *in, bool stop, int *ret, struct err *e)
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
	AUTO(snapshot_done) struct snapshot s = { 0 };
	autoclose int all = -1, lock = -1;
	int r = snapshots_lock(en, &in->spec, &all, e);

	if (r == 0)
		r = snapshot_find(en, in, name, &s, e);
	if (r == 0)
		r = lock_at_rest(en, in, rq->stop, &lock, e);
	if (r == 0)
		r = go_back(en, in, &s, rq, e);
	if (r == 0)
		engine_tell(en, &in->spec, "rollback", NULL);
	return r;
}

/* --- clone */

static int is_default_hostname(const struct instance_spec *s)
{
	return s->hostname && !strncmp(s->hostname, s->id, strlen(s->hostname));
}

/* A name that was chosen stays: it is configuration.  One that was made of the id is of the new id. */
static int new_identity(const char *name, struct instance_spec *s, struct err *e)
{
	bool made = is_default_hostname(s);
	size_t n = s->hostname ? strlen(s->hostname) : 0;

	engine_random_hex(32, s->id);
	s->created_ns = clock_real_ns();
	if (made)
		memcpy(s->hostname, s->id, n);
	free(s->pid_file);
	s->pid_file = NULL;
	for (size_t i = 0; i < s->net.n_attachments; i++) {
		struct net_attachment *a = &s->net.attachments[i];

		free(a->mac);
		free(a->ip);
		free(a->ip6);
		a->mac = a->ip = a->ip6 = NULL;
	}
	return set_text(&s->name, name) < 0 ? err_set(e, ENOMEM, "out of memory") : 0;
}

static int new_volume(struct mount_spec *m, struct err *e)
{
	free(m->subpath);
	free(m->source);
	m->subpath = m->source = NULL;
	strv_done(&m->volume_labels);
	strv_done(&m->volume_options);
	m->anonymous = m->copy_up = true;
	return volume_name_new(&m->source, e);
}

/* Before anything is recorded. */
static int choose_volumes(enum clone_volumes how, struct instance_spec *s, struct err *e)
{
	int r = 0;

	for (size_t i = 0; i < s->n_mounts && r == 0; i++) {
		struct mount_spec *m = &s->mounts[i];

		if (m->type == MOUNT_TMPFS) { /* of a volume that is for one instance */
			free(m->source);
			m->source = NULL;
		}
		if (m->type != MOUNT_VOLUME || how == CLONE_VOLUMES_SHARE)
			continue;
		r = how == CLONE_VOLUMES_NONE ? new_volume(m, e)
					      : err_set(e, EINVAL,
							"it has a volume in %.200s, which is in no snapshot: "
							"say --volumes share or none",
							m->target);
	}
	return r;
}

static int record_clone(struct engine *en, const struct instance_spec *spec, const struct snapshot *s,
			struct err *e)
{
	AUTO(db_tx_done) struct db_tx tx = { 0 };
	AUTO(snapshot_done) struct snapshot still = { 0 };
	AUTO(strv_done) struct strv made = { 0 };
	int r = db_begin(en->db, &tx, e);

	if (r == 0)
		r = snapshot_record_find(en->db, s->instance, s->id, &still, e);
	if (r == 0)
		r = volumes_add_instance(en, spec, &made, e);
	if (r == 0)
		r = writable_set(en->db, spec->id, spec->id, s->layer, NULL, e);
	if (r == 0)
		r = db_commit(&tx, e);
	if (r == 0)
		volumes_tell_made(en, &made);
	return r;
}

static int clone_from(struct engine *en, const struct snapshot *s, const struct clone_request *rq,
		      struct instance_spec *ret, struct err *e)
{
	struct instance_spec spec = { 0 };
	autoclose int lock = -1;
	int r = snapshot_spec(s, &spec, e);

	if (r == 0)
		r = new_identity(rq->name, &spec, e);
	if (r == 0)
		r = choose_volumes(rq->volumes, &spec, e);
	if (r == 0)
		r = instance_dir_make(en, spec.id, &lock, e);
	if (r == 0)
		r = record_clone(en, &spec, s, e);
	if (r < 0 && lock >= 0)
		remove_tree(en->instances_fd, spec.id);
	if (r < 0) {
		json_done(&instance_spec_table, &spec);
		return r;
	}
	engine_tell(en, &spec, "create", NULL);
	*ret = spec;
	return 0;
}

/* Of what it is now: by way of a snapshot that goes again. */
static int clone_now(struct engine *en, const struct instance *in, const struct clone_request *rq,
		     struct instance_spec *ret, struct err *e)
{
	const struct snapshot_request how = { .description = "for a clone",
					      .automatic = true,
					      .memory = MEMORY_NOT };
	AUTO(snapshot_done) struct snapshot s = { 0 };
	int k, r = snapshot_create(en, in, &how, &s, e);

	if (r < 0)
		return r;
	r = clone_from(en, &s, rq, ret, e);
	k = snapshot_remove(en, in, s.id, r < 0 ? NULL : e);
	return r < 0 ? r : k;
}

int snapshot_clone(struct engine *en, const struct instance *in, const char *snapshot,
		   const struct clone_request *rq, struct instance_spec *ret, struct err *e)
{
	AUTO(snapshot_done) struct snapshot s = { 0 };
	autoclose int all = -1;
	int r = is_instance_name(rq->name)
			? 0
			: err_set(e, EINVAL,
				  "invalid name '%.140s': only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed",
				  rq->name);

	if (r < 0)
		return r;
	if (!snapshot)
		return clone_now(en, in, rq, ret, e);
	r = snapshots_lock(en, &in->spec, &all, e);
	if (r == 0)
		r = snapshot_find(en, in, snapshot, &s, e);
	return r < 0 ? r : clone_from(en, &s, rq, ret, e);
}
