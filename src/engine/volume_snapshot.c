/* volume_snapshot.c - states of a volume alone: kept, listed, gone back to, gone on from by a new volume */
#include "engine/volume_snapshot.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "base/clock.h"
#include "container/changes.h"
#include "engine/snapshot.h"
#include "engine/volume_state.h"

#define ID_BYTES 16

static int check_kind(struct engine *en, const char *volume, struct err *e)
{
	AUTO(volume_done) struct volume v = { 0 };
	enum volume_kind kind = VOLUME_DIRECTORY;
	int r = volume_record_find(en->db, volume, &v, e);

	if (r == 0)
		r = volume_kind_of(&v.options, &kind, e);
	if (r < 0 || kind == VOLUME_DIRECTORY)
		return r;
	return err_set(e, ENOTSUP, "the volume %s is %s: it has no snapshots", volume,
		       kind == VOLUME_TMPFS ? "a tmpfs" : "a directory of the host");
}

static int keep_still(struct engine *en, const char *volume, enum volume_users users,
		      struct volumes_still *ret, struct err *e)
{
	char *one[] = { (char *)(uintptr_t)volume, NULL };
	int r = check_kind(en, volume, e);

	return r < 0 ? r : volumes_keep_still(en, &(const struct strv){ one, 1 }, NULL, users, ret, e);
}

/* --- create */

static char *free_name(struct engine *en, const char *volume, struct err *e)
{
	for (unsigned i = 0; i < 1000000; i++) {
		AUTO(volume_snapshot_done) struct volume_snapshot taken = { 0 };
		autofree char *name = str_printf("snap%u", i);
		int r = name ? volume_snapshot_record_find(en->db, volume, name, &taken, NULL) : -ENOMEM;

		if (r == -ENOENT)
			return take_ptr(name);
		if (r < 0) {
			err_sys(e, -r, "a name for a snapshot of the volume %s", volume);
			return NULL;
		}
	}
	err_set(e, EMLINK, "the volume %s has too many snapshots", volume);
	return NULL;
}

static int check_free(struct engine *en, const char *volume, const char *name, struct err *e)
{
	AUTO(volume_snapshot_done) struct volume_snapshot taken = { 0 };
	int r = snapshot_name_check(name, e);

	if (r < 0)
		return r;
	r = volume_snapshot_record_find(en->db, volume, name, &taken, NULL);
	return r == 0	      ? err_set(e, EEXIST, "%s has a snapshot \"%s\" already", volume, name)
	       : r == -ENOENT ? 0
			      : r;
}

static int describe(struct engine *en, const char *volume, const char *name, const char *description,
		    struct volume_snapshot *s, struct err *e)
{
	int r = name ? check_free(en, volume, name, e) : 0;

	if (r < 0)
		return r;
	s->name = name ? strdup(name) : free_name(en, volume, e);
	if (!s->name && !name)
		return -e->no;
	s->id = calloc(1, 2 * ID_BYTES + 1);
	s->volume = strdup(volume);
	s->description = description ? strdup(description) : NULL;
	s->created_ns = clock_real_ns();
	if (!s->name || !s->id || !s->volume || (description && !s->description))
		return err_set(e, ENOMEM, "out of memory");
	engine_random_hex(ID_BYTES, s->id);
	return 0;
}

/* With the lock. */
static int keep(struct engine *en, const char *volume, const char *name, const char *description,
		struct volume_snapshot *s, struct err *e)
{
	int r = describe(en, volume, name, description, s, e);

	if (r == 0)
		r = volume_state_copy(en, volume, NULL, s->id, e);
	if (r == 0)
		r = volume_snapshot_record_add(en->db, s, e);
	if (r < 0)
		volume_states_sweep(en, volume, NULL);
	return r;
}

int volume_snapshot_create(struct engine *en, const char *volume, const char *name, const char *description,
			   struct volume_snapshot *ret, struct err *e)
{
	AUTO(volumes_still_done) struct volumes_still still = { 0 };
	struct volume_snapshot s = { 0 };
	int r = keep_still(en, volume, USERS_STAND_STILL, &still, e);

	if (r == 0)
		r = keep(en, volume, name, description, &s, e);
	if (r < 0)
		volume_snapshot_done(&s);
	else
		*ret = s;
	return r;
}

/* --- looking, removing */

int volume_snapshot_list(struct engine *en, const char *volume, struct volume_snapshot **ret, size_t *ret_n,
			 struct err *e)
{
	AUTO(volume_done) struct volume v = { 0 };
	int r = volume_record_find(en->db, volume, &v, e);

	return r < 0 ? r : volume_snapshot_record_list(en->db, volume, ret, ret_n, e);
}

static int find_newest(struct engine *en, const char *volume, struct volume_snapshot *ret, struct err *e)
{
	struct volume_snapshot *list;
	size_t n;
	int r = volume_snapshot_list(en, volume, &list, &n, e);

	if (r < 0)
		return r;
	if (n) {
		*ret = list[n - 1];
		list[n - 1] = (struct volume_snapshot){ 0 };
	}
	volume_snapshots_free(list, n);
	return n ? 0 : err_set(e, ENOENT, "the volume %s has no snapshot", volume);
}

int volume_snapshot_find(struct engine *en, const char *volume, const char *name, struct volume_snapshot *ret,
			 struct err *e)
{
	AUTO(volume_done) struct volume v = { 0 };
	int r = volume_record_find(en->db, volume, &v, e);

	if (r < 0)
		return r;
	return name ? volume_snapshot_record_find(en->db, volume, name, ret, e)
		    : find_newest(en, volume, ret, e);
}

int volume_snapshot_rename(struct engine *en, const char *volume, const char *name, const char *new_name,
			   struct err *e)
{
	AUTO(volume_snapshot_done) struct volume_snapshot s = { 0 };
	int r = snapshot_name_check(new_name, e);

	if (r == 0)
		r = volume_snapshot_find(en, volume, name, &s, e);
	return r < 0 ? r : volume_snapshot_record_rename(en->db, &s, new_name, e);
}

int volume_snapshot_remove(struct engine *en, const char *volume, const char *name, struct err *e)
{
	AUTO(volume_snapshot_done) struct volume_snapshot s = { 0 };
	int r = volume_snapshot_find(en, volume, name, &s, e);

	if (r == 0) {
		r = volume_snapshot_record_remove(en->db, s.id, e);
		if (r == -ENOSPC && db_spend_reserve(en->db))
			r = volume_snapshot_record_remove(en->db, s.id, e);
	}
	if (r == 0)
		volume_states_try_sweep(en, &(const struct strv){ (char *[]){ s.volume, NULL }, 1 });
	return r;
}

/* --- diff */

/* Under the lock of the volume. */
static int open_at(struct engine *en, const struct volume_at *at, struct err *e)
{
	AUTO(volume_snapshot_done) struct volume_snapshot s = { 0 };
	int r = at->snapshot ? volume_snapshot_find(en, at->volume, at->snapshot, &s, e) : 0;
	bool fresh;

	return r < 0 ? r : volume_state_open(en, at->volume, s.id, &fresh, e);
}

int volume_diff(struct engine *en, const struct volume_at *was, const struct volume_at *is, int out_fd,
		struct err *e)
{
	AUTO(volumes_still_done) struct volumes_still still = { 0 };
	AUTO(strv_done) struct strv names = { 0 };
	autoclose int from = -1, to = -1;
	int r = check_kind(en, was->volume, e);

	if (r == 0)
		r = check_kind(en, is->volume, e);
	if (r == 0 && (strv_add(&names, was->volume) < 0 ||
		       (strcmp(was->volume, is->volume) != 0 && strv_add(&names, is->volume) < 0)))
		r = err_set(e, ENOMEM, "out of memory");
	if (r == 0)
		r = volumes_keep_still(en, &names, NULL, USERS_MAY_WRITE, &still, e);
	if (r == 0)
		r = from = open_at(en, was, e);
	if (r >= 0)
		r = to = open_at(en, is, e);
	return r < 0 ? r : changes_between(from, to, out_fd, e);
}

/* --- rollback */

static int record_swap(struct engine *en, const char *volume, const char *id, struct err *e)
{
	AUTO(db_tx_done) struct db_tx tx = { 0 };
	int r = db_begin(en->db, &tx, e);

	if (r == 0)
		r = volume_swap_begin(en, volume, id, e);
	return r < 0 ? r : db_commit(&tx, e);
}

int volume_rollback(struct engine *en, const char *volume, const char *name, const char *keep_as,
		    struct err *e)
{
	AUTO(volume_snapshot_done) struct volume_snapshot s = { 0 }, kept = { 0 };
	AUTO(volumes_still_done) struct volumes_still still = { 0 };
	char id[2 * ID_BYTES + 1];
	int r = volume_snapshot_find(en, volume, name, &s, e);

	if (r == 0)
		r = keep_still(en, volume, USERS_MUST_NOT_RUN, &still, e);
	if (r == 0)
		r = volumes_swap_finish(en, &still, e);
	if (r == 0 && keep_as)
		r = keep(en, volume, keep_as, NULL, &kept, e);
	engine_random_hex(ID_BYTES, id);
	if (r == 0)
		r = volume_state_copy(en, volume, s.id, id, e);
	if (r == 0) {
		r = record_swap(en, volume, id, e);
		if (r == -ENOSPC && db_spend_reserve(en->db)) /* it gives back what was written since */
			r = record_swap(en, volume, id, e);
	}
	if (r == 0)
		r = volumes_swap_finish(en, &still, e);
	if (r < 0)
		volumes_still_sweep(en, &still);
	return r;
}

/* --- clone */

static int record_clone(struct engine *en, const char *volume, const char *id, const char *new_name,
			struct err *e)
{
	AUTO(db_tx_done) struct db_tx tx = { 0 };
	int r = db_begin(en->db, &tx, e);

	if (r == 0)
		r = volume_add_copy(en, volume, new_name, e);
	if (r == 0)
		r = volume_state_become(en, volume, id, new_name, e);
	return r < 0 ? r : db_commit(&tx, e);
}

int volume_clone(struct engine *en, const char *volume, const char *snapshot, const char *new_name,
		 struct err *e)
{
	AUTO(volume_snapshot_done) struct volume_snapshot s = { 0 };
	AUTO(volumes_still_done) struct volumes_still still = { 0 };
	char id[2 * ID_BYTES + 1];
	int r = volume_name_check(new_name, e);

	if (r == 0 && snapshot)
		r = volume_snapshot_find(en, volume, snapshot, &s, e);
	if (r == 0)
		r = keep_still(en, volume, s.id ? USERS_MAY_WRITE : USERS_STAND_STILL, &still, e);
	engine_random_hex(ID_BYTES, id);
	if (r == 0)
		r = volume_state_copy(en, volume, s.id, id, e);
	if (r == 0)
		r = record_clone(en, volume, id, new_name, e);
	volumes_still_sweep(en, &still);
	if (r == 0)
		engine_tell_volume(en, new_name, "create");
	return r;
}
