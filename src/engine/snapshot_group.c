/* snapshot_group.c - one moment of several instances: all of them, or none */
#include "engine/snapshot_group.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/auto.h"
#include "engine/ask.h"
#include "engine/machine_memory.h"
#include "engine/volume_state.h"

/* --- who */

void instance_group_done(struct instance_group *g)
{
	instances_free(g->list, g->n);
	*g = (struct instance_group){ 0 };
}

static int add(struct instance_group *g, struct instance *in, struct err *e)
{
	struct instance *more;

	for (size_t i = 0; i < g->n; i++)
		if (!strcmp(g->list[i].spec.id, in->spec.id))
			return err_set(e, EINVAL, "%s is in the group twice", in->spec.name);
	more = reallocarray(g->list, g->n + 1, sizeof(*more));
	if (!more)
		return err_set(e, ENOMEM, "out of memory");
	g->list = more;
	g->list[g->n++] = *in;
	*in = (struct instance){ 0 };
	return 0;
}

static int add_named(struct engine *en, const char *name, struct instance_group *g, struct err *e)
{
	AUTO(instance_done) struct instance in = { 0 };
	int r = engine_find(en, name, &in, e);

	return r < 0 ? r : add(g, &in, e);
}

int instance_group_named(struct engine *en, const char *names, struct instance_group *ret, struct err *e)
{
	AUTO(instance_group_done) struct instance_group g = { 0 };
	AUTO(strv_done) struct strv words = { 0 };
	int r = strv_split(&words, names, ",") < 0 ? err_set(e, ENOMEM, "out of memory") : 0;

	for (size_t i = 0; i < words.n && r == 0; i++)
		r = *words.v[i] ? add_named(en, words.v[i], &g, e)
				: err_set(e, EINVAL, "'%.140s' has an empty name", names);
	if (r < 0)
		return r;
	*ret = g;
	g = (struct instance_group){ 0 };
	return 0;
}

static bool has_label(const struct instance *in, const char *label)
{
	size_t n = strlen(label);

	for (size_t i = 0; i < in->spec.labels.n; i++) {
		const char *have = in->spec.labels.v[i];

		if (!strcmp(have, label) ||
		    (!strchr(label, '=') && !strncmp(have, label, n) && have[n] == '='))
			return true;
	}
	return false;
}

int instance_group_labelled(struct engine *en, const char *label, struct instance_group *ret, struct err *e)
{
	AUTO(instance_group_done) struct instance_group all = { 0 }, g = { 0 };
	int r = engine_list(en, true, &all.list, &all.n, e);

	for (size_t i = 0; i < all.n && r == 0; i++)
		if (has_label(&all.list[i], label))
			r = add(&g, &all.list[i], e);
	if (r == 0 && !g.n)
		r = err_set(e, ENOENT, "no instance has the label %.140s", label);
	if (r < 0)
		return r;
	*ret = g;
	g = (struct instance_group){ 0 };
	return 0;
}

/* --- create */

static int check_free(struct engine *en, const struct instance_group *g, const char *name, struct err *e)
{
	int r = snapshot_name_check(name, e);

	for (size_t i = 0; i < g->n && r == 0; i++) {
		AUTO(snapshot_done) struct snapshot taken = { 0 };

		r = snapshot_find(en, &g->list[i], name, &taken, NULL);
		if (r == 0)
			return err_set(e, EEXIST, "%s has a snapshot \"%s\" already", g->list[i].spec.name,
				       name);
		r = r == -ENOENT ? 0
				 : err_set(e, -r, "the snapshots of %s cannot be read", g->list[i].spec.name);
	}
	return r;
}

static int choose_name(struct engine *en, const struct instance_group *g, const char *wanted, char **ret,
		       struct err *e)
{
	int r = 0;

	for (unsigned i = 0; i < 1000000; i++) {
		autofree char *name = wanted ? strdup(wanted) : str_printf("group%u", i);

		r = name ? check_free(en, g, name, e) : err_set(e, ENOMEM, "out of memory");
		if (r == 0)
			*ret = take_ptr(name);
		if (wanted || r != -EEXIST)
			break;
	}
	return r;
}

/* All that is under way. */
struct group {
	struct engine *en;
	const struct instance_group *of;
	int *locks, *held; /* of each member: its snapshots; that it stands still, -1: it does not run */
	struct volumes_still still;
	struct snapshot *made;
	size_t n_made;
};

static void close_all(int *fds, size_t n)
{
	for (size_t i = 0; fds && i < n; i++) {
		auto_close(&fds[i]);
		fds[i] = -1;
	}
}

/* All go on. */
static void let_go(struct group *g)
{
	close_all(g->held, g->of->n);
	volumes_still_done(&g->still);
}

static void group_done(struct group *g)
{
	let_go(g);
	close_all(g->locks, g->of->n);
	free(g->held);
	free(g->locks);
	snapshots_free(g->made, g->n_made);
}

static int group_init(struct group *g, struct err *e)
{
	size_t n = g->of->n;

	g->locks = malloc(n * sizeof(*g->locks));
	g->held = malloc(n * sizeof(*g->held));
	g->made = calloc(n, sizeof(*g->made));
	for (size_t i = 0; i < n && g->locks && g->held; i++)
		g->locks[i] = g->held[i] = -1;
	return g->locks && g->held && g->made ? 0 : err_set(e, ENOMEM, "out of memory");
}

size_t instance_group_next(const struct instance_group *g, const char *after)
{
	size_t best = g->n;

	for (size_t i = 0; i < g->n; i++)
		if ((!after || strcmp(g->list[i].spec.id, after) > 0) &&
		    (best == g->n || strcmp(g->list[i].spec.id, g->list[best].spec.id) < 0))
			best = i;
	return best;
}

/* In the order of their ids, so that two commands never wait for each other. */
static int lock_all(struct group *g, struct err *e)
{
	const char *last = NULL;
	int r = 0;

	for (size_t k = 0; k < g->of->n && r == 0; k++) {
		size_t i = instance_group_next(g->of, last);

		last = g->of->list[i].spec.id;
		r = snapshots_lock(g->en, &g->of->list[i].spec, &g->locks[i], e);
	}
	return r;
}

int instance_group_ids(const struct instance_group *g, struct strv *ret, struct err *e)
{
	for (size_t i = 0; i < g->n; i++)
		if (strv_add(ret, g->list[i].spec.id) < 0)
			return err_set(e, ENOMEM, "out of memory");
	return 0;
}

/* Nobody else writes to the volumes of the group from now on. */
static int hold_volumes(struct group *g, struct err *e)
{
	AUTO(strv_done) struct strv ids = { 0 }, names = { 0 };
	int r = instance_group_ids(g->of, &ids, e);

	for (size_t i = 0; i < g->of->n && r == 0; i++)
		r = volumes_of_spec(g->en, &g->of->list[i].spec, &names, e);
	return r < 0 ? r : volumes_keep_still_of(g->en, &names, &ids, USERS_STAND_STILL, &g->still, e);
}

static int hold_member(struct group *g, size_t i, struct err *e)
{
	struct instance now = { .spec = g->of->list[i].spec };
	int r = truth_refresh(g->en, &now, e);

	if (r == 0 && now.state.status == STATUS_PAUSED)
		r = err_set(e, EAGAIN, "%s is paused", now.spec.name);
	else if (r == 0 && instance_is_live(&now.state))
		r = engine_hold(g->en, &now, &g->held[i], e);
	json_done(&instance_state_table, &now.state);
	return r;
}

/* From the last of these on nothing of the group writes. */
static int hold_all(struct group *g, bool volumes, struct err *e)
{
	int r = volumes ? hold_volumes(g, e) : 0;

	for (size_t i = 0; i < g->of->n && r == 0; i++)
		r = hold_member(g, i, e);
	return r;
}

static int make_all(struct group *g, const struct snapshot_request *rq, struct err *e)
{
	int r = 0;

	for (size_t i = 0; i < g->of->n && r == 0; i++) {
		struct snapshot_request one = *rq;

		one.held = g->held[i] >= 0;
		r = snapshot_create_locked(g->en, &g->of->list[i], &one, g->locks[i], &g->made[i], e);
		g->n_made += r == 0;
	}
	return r;
}

static int name_all(struct group *g, const char *name, struct err *e)
{
	AUTO(db_tx_done) struct db_tx tx = { 0 };
	int r = db_begin(g->en->db, &tx, e);

	for (size_t i = 0; i < g->n_made && r == 0; i++)
		r = snapshot_record_rename(g->en->db, &g->made[i], name, e);
	return r < 0 ? r : db_commit(&tx, e);
}

static int create(struct group *g, const struct snapshot_request *rq, const char *name, struct err *e)
{
	char unfinished[1 + 32 + 1] = { SNAPSHOT_UNFINISHED };
	struct snapshot_request one = *rq;
	int r = hold_all(g, !rq->no_volumes, e);

	engine_random_hex(16, unfinished + 1);
	one.name = unfinished;
	one.volumes_held = true;
	if (r == 0)
		r = make_all(g, &one, e);
	if (r < 0)
		volumes_still_sweep(g->en, &g->still);
	let_go(g);
	if (r == 0)
		r = name_all(g, name, e);
	close_all(g->locks, g->of->n);
	for (size_t i = 0; i < g->n_made && r < 0; i++)
		snapshot_remove(g->en, &g->of->list[i], g->made[i].id, NULL);
	return r;
}

int snapshot_group_create(struct engine *en, const struct instance_group *of,
			  const struct snapshot_request *rq, char **ret_name, struct err *e)
{
	AUTO(group_done)
	struct group g = { .en = en, .of = of };
	autofree char *name = NULL;
	int r = group_init(&g, e);

	for (size_t i = 0; i < of->n && r == 0 && rq->memory == MEMORY_MUST; i++)
		r = memory_can_save(&of->list[i], e);
	if (r == 0)
		r = lock_all(&g, e);
	if (r == 0)
		r = choose_name(en, of, rq->name, &name, e);
	if (r == 0)
		r = create(&g, rq, name, e);
	if (r == 0)
		*ret_name = take_ptr(name);
	return r;
}
