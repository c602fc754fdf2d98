/* snapshot_clone.c - a new instance that goes on from a snapshot of another */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/path.h"
#include "engine/snapshot.h"
#include "engine/volume_state.h"

#define STATE_BYTES 16

static int set_text(char **member, const char *text)
{
	char *copy = text ? strdup(text) : NULL;

	if (text && !copy)
		return -ENOMEM;
	free(*member);
	*member = copy;
	return 0;
}

/* --- what it is */

static int is_default_hostname(const struct instance_spec *s)
{
	return s->hostname && !strncmp(s->hostname, s->id, strlen(s->hostname));
}

/* As long as it was; its environment says it, too. */
static int make_hostname(const char *id, struct instance_spec *s)
{
	autofree char *was = str_printf("HOSTNAME=%s", s->hostname), *is = NULL;
	bool in_env = was && strv_has(&s->process.env, was);

	memcpy(s->hostname, id, strlen(s->hostname));
	is = str_printf("HOSTNAME=%s", s->hostname);
	if (!was || !is)
		return -ENOMEM;
	return in_env ? strv_env_set(&s->process.env, is) : 0;
}

int instance_become(const char *id, const char *name, struct instance_spec *s, struct err *e)
{
	if (is_default_hostname(s) && make_hostname(id, s) < 0)
		return err_set(e, ENOMEM, "out of memory");
	free(s->pid_file);
	s->pid_file = NULL;
	for (size_t i = 0; i < s->net.n_attachments; i++) {
		struct net_attachment *a = &s->net.attachments[i];

		free(a->mac);
		free(a->ip);
		free(a->ip6);
		a->mac = a->ip = a->ip6 = NULL;
	}
	return set_text(&s->id, id) < 0 || set_text(&s->name, name) < 0 ? err_set(e, ENOMEM, "out of memory")
									: 0;
}

static int new_identity(const char *name, struct instance_spec *s, struct err *e)
{
	char id[65];

	engine_random_hex(32, id);
	s->created_ns = clock_real_ns();
	return instance_become(id, name, s, e);
}

/* --- its volumes */

/* Which volumes of the other become which new ones: as many in both lists. */
struct copies {
	struct strv from, to;
};

static void copies_done(struct copies *c)
{
	strv_done(&c->from);
	strv_done(&c->to);
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

static int add_copy(const struct mount_spec *m, const char *clone, struct copies *c, struct err *e)
{
	autofree char *name = m->anonymous ? NULL : str_printf("%s-%s", m->source, clone);
	int r = m->anonymous ? volume_name_new(&name, e)
		: !name	     ? err_set(e, ENOMEM, "out of memory")
			     : volume_name_check(name, e);

	if (r == 0 && (strv_add(&c->from, m->source) < 0 || strv_add(&c->to, name) < 0))
		r = err_set(e, ENOMEM, "out of memory");
	return r;
}

/* Two mounts of one volume are two of its copy. */
static int copy_volume(const struct snapshot *s, const char *clone, struct mount_spec *m, struct copies *c,
		       struct err *e)
{
	size_t i = 0;
	int r = 0;

	if (!strv_has(&s->volumes, m->source))
		return err_set(e, EINVAL,
			       "it has a volume in %.200s, which is not in the snapshot: say --volumes share "
			       "or none",
			       m->target);
	while (i < c->from.n && strcmp(c->from.v[i], m->source) != 0)
		i++;
	if (i == c->from.n)
		r = add_copy(m, clone, c, e);
	if (r == 0 && set_text(&m->source, c->to.v[i]) < 0)
		r = err_set(e, ENOMEM, "out of memory");
	return r;
}

/* One that is a directory of the host is shared, as such a mount is; one that has gone is made anew. */
static bool is_directory(struct engine *en, const char *name)
{
	AUTO(volume_done) struct volume v = { 0 };
	enum volume_kind kind;

	return volume_record_find(en->db, name, &v, NULL) == 0 &&
	       volume_kind_of(&v.options, &kind, NULL) == 0 && kind == VOLUME_DIRECTORY;
}

/* Before anything is recorded. */
static int choose_volumes(struct engine *en, const struct snapshot *from, const struct clone_request *rq,
			  struct instance_spec *s, struct copies *c, struct err *e)
{
	int r = 0;

	for (size_t i = 0; i < s->n_mounts && r == 0; i++) {
		struct mount_spec *m = &s->mounts[i];

		if (m->type == MOUNT_TMPFS) { /* of a volume that is for one instance */
			free(m->source);
			m->source = NULL;
		}
		if (m->type != MOUNT_VOLUME || rq->volumes == CLONE_VOLUMES_SHARE)
			continue;
		if (rq->volumes == CLONE_VOLUMES_NONE)
			r = new_volume(m, e);
		else if (is_directory(en, m->source))
			r = copy_volume(from, rq->name, m, c, e);
	}
	return r;
}

/* Within the transaction, the volumes recorded: they get their files. */
static int fill_volumes(struct engine *en, const struct copies *c, const struct strv *made, const char *state,
			struct err *e)
{
	int r = 0;

	for (size_t i = 0; i < c->to.n && r == 0; i++)
		r = strv_has(made, c->to.v[i])
			    ? volume_state_become(en, c->from.v[i], state, c->to.v[i], e)
			    : err_set(e, EEXIST, "there is a volume %s already", c->to.v[i]);
	return r;
}

/* --- all of it */

struct cloning {
	const struct snapshot *s;
	struct copies volumes;
	char state[2 * STATE_BYTES + 1]; /* where their copies are made */
};

static int record_clone(struct engine *en, const struct instance_spec *spec, const struct cloning *c,
			struct err *e)
{
	AUTO(db_tx_done) struct db_tx tx = { 0 };
	AUTO(snapshot_done) struct snapshot still = { 0 };
	AUTO(strv_done) struct strv made = { 0 };
	int r = db_begin(en->db, &tx, e);

	if (r == 0)
		r = snapshot_record_find(en->db, c->s->instance, c->s->id, &still, e);
	if (r == 0)
		r = volumes_add_instance(en, spec, &made, e);
	if (r == 0)
		r = fill_volumes(en, &c->volumes, &made, c->state, e);
	if (r == 0)
		r = writable_set(en->db, spec->id, spec->id, still.layer, NULL, e);
	if (r == 0)
		r = db_commit(&tx, e);
	if (r == 0)
		volumes_tell_made(en, &made);
	return r;
}

/* The volumes, the directory and the record of an instance that is described. */
static int make_clone(struct engine *en, const struct instance_spec *spec, struct cloning *c, struct err *e)
{
	AUTO(volumes_still_done) struct volumes_still still = { 0 };
	autoclose int lock = -1;
	int r = volumes_keep_still(en, &c->volumes.from, NULL, USERS_MAY_WRITE, &still, e);

	engine_random_hex(STATE_BYTES, c->state);
	if (r == 0)
		r = volume_states_copy(en, &c->volumes.from, c->s->id, c->state, e);
	if (r == 0)
		r = instance_dir_make(en, spec->id, &lock, e);
	if (r == 0)
		r = record_clone(en, spec, c, e);
	if (r < 0 && lock >= 0)
		remove_tree(en->instances_fd, spec->id);
	volumes_still_sweep(en, &still);
	return r;
}

static int clone_from(struct engine *en, const struct snapshot *s, const struct clone_request *rq,
		      struct instance_spec *ret, struct err *e)
{
	struct cloning c = { .s = s };
	struct instance_spec spec = { 0 };
	int r = snapshot_spec(s, &spec, e);

	if (r == 0)
		r = new_identity(rq->name, &spec, e);
	spec.auto_remove |= rq->auto_remove;
	if (r == 0)
		r = choose_volumes(en, s, rq, &spec, &c.volumes, e);
	if (r == 0)
		r = make_clone(en, &spec, &c, e);
	copies_done(&c.volumes);
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
					      .memory = MEMORY_NOT,
					      .no_volumes = rq->volumes != CLONE_VOLUMES_COPY };
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
	int r = engine_check_name(rq->name, e);

	if (r < 0)
		return r;
	if (!snapshot)
		return clone_now(en, in, rq, ret, e);
	r = snapshots_lock(en, &in->spec, &all, e);
	if (r == 0)
		r = snapshot_find(en, in, snapshot, &s, e);
	return r < 0 ? r : clone_from(en, &s, rq, ret, e);
}
