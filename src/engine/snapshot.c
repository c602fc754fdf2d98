/* snapshot.c - snapshots found, listed, renamed, removed, and what an instance leaves when it goes */
#include "engine/snapshot.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/path.h"
#include "engine/volume_state.h"
#include "sys/patience.h"

#define SNAPSHOTS    "snapshots"
#define LOCK_S	     600 /* a copy of a large layer may be under way */
#define UNFINISHED_S 3600 /* longer than a group takes */

int snapshot_split(const char *word, char **ret_instance, char **ret_name, struct err *e)
{
	const char *at = strrchr(word, '@');
	autofree char *instance = at ? strndup(word, (size_t)(at - word)) : strdup(word);
	autofree char *name = at ? strdup(at + 1) : NULL;

	if (!instance || (at && !name))
		return err_set(e, ENOMEM, "out of memory");
	if (at && (!*instance || !*name))
		return err_set(e, EINVAL, "'%.140s' is not INSTANCE@SNAPSHOT", word);
	*ret_instance = take_ptr(instance);
	*ret_name = take_ptr(name);
	return 0;
}

/* --- the lock */

static int snapshots_dir_open(struct engine *en, const char *instance, bool make)
{
	autoclose int dir = truth_dir_open(en, instance);
	int fd;

	if (dir < 0)
		return dir;
	if (make)
		return mkdir_open(dir, SNAPSHOTS, 0700);
	fd = openat(dir, SNAPSHOTS, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* The instance may have been removed between our open and our lock. */
static bool is_current(struct engine *en, const char *instance, int fd)
{
	autoclose int now = snapshots_dir_open(en, instance, false);
	struct stat a, b;

	return now >= 0 && fstat(fd, &a) == 0 && fstat(now, &b) == 0 && a.st_ino == b.st_ino;
}

static int lock(struct engine *en, const char *instance, bool make, int *ret_fd, struct err *e)
{
	autoclose int fd = snapshots_dir_open(en, instance, make);
	int r;

	if (fd < 0)
		return err_sys(e, -fd, "snapshots of %.12s", instance);
	r = flock_within_ms(fd, LOCK_EX, LOCK_S * 1000L);
	if (r == -EBUSY)
		return err_set(e, EBUSY, "another command is busy with the snapshots of %.12s", instance);
	if (r == -EINTR)
		return err_set(e, EINTR,
			       "interrupted while another command is busy with the snapshots of %.12s",
			       instance);
	if (r < 0)
		return err_sys(e, -r, "snapshots of %.12s", instance);
	if (!is_current(en, instance, fd))
		return err_set(e, ENOENT, "instance %.12s has been removed", instance);
	*ret_fd = take_fd(&fd);
	return 0;
}

int snapshots_lock(struct engine *en, const struct instance_spec *s, int *ret_fd, struct err *e)
{
	return lock(en, s->id, true, ret_fd, e);
}

int snapshot_dir_open(struct engine *en, const struct snapshot *s, struct err *e)
{
	autoclose int all = snapshots_dir_open(en, s->instance, true);
	int fd = all < 0 ? all : mkdir_open(all, s->id, 0700);

	return fd < 0 ? err_sys(e, -fd, "snapshot %s", s->name) : fd;
}

/* --- looking */

static bool is_unfinished(const struct snapshot *s)
{
	return *s->name == SNAPSHOT_UNFINISHED;
}

int snapshot_list(struct engine *en, const struct instance *in, struct snapshot **ret, size_t *ret_n,
		  struct err *e)
{
	struct snapshot *list;
	size_t n, kept = 0;
	int r = snapshot_record_list(en->db, in->spec.id, &list, &n, e);

	if (r < 0)
		return r;
	for (size_t i = 0; i < n; i++)
		if (is_unfinished(&list[i]))
			snapshot_done(&list[i]);
		else
			list[kept++] = list[i];
	*ret = list;
	*ret_n = kept;
	return 0;
}

static int find_newest(struct engine *en, const struct instance *in, struct snapshot *ret, struct err *e)
{
	struct snapshot *list;
	size_t n;
	int r = snapshot_list(en, in, &list, &n, e);

	if (r < 0)
		return r;
	if (n) {
		*ret = list[n - 1];
		list[n - 1] = (struct snapshot){ 0 };
	}
	snapshots_free(list, n);
	return n ? 0 : err_set(e, ENOENT, "%s has no snapshot", in->spec.name);
}

int snapshot_find(struct engine *en, const struct instance *in, const char *name, struct snapshot *ret,
		  struct err *e)
{
	int r = name ? snapshot_record_find(en->db, in->spec.id, name, ret, e) : find_newest(en, in, ret, e);

	return r == -ENOENT && name ? err_set(e, ENOENT, "%s has no snapshot \"%.80s\"", in->spec.name, name)
				    : r;
}

int snapshot_spec(const struct snapshot *s, struct instance_spec *ret, struct err *e)
{
	struct instance_spec spec = { 0 };
	int r = json_parse(&instance_spec_table, s->spec, strlen(s->spec), 0, &spec, e);

	if (r == 0 && (!spec.id || !spec.name || !spec.image_id))
		r = err_set(e, EBADMSG, "its configuration is damaged");
	if (r < 0) {
		json_done(&instance_spec_table, &spec);
		return err_wrap(e, r, "snapshot %s", s->name);
	}
	*ret = spec;
	return 0;
}

/* --- changing */

int snapshot_rename(struct engine *en, const struct instance *in, const char *name, const char *new_name,
		    struct err *e)
{
	AUTO(snapshot_done) struct snapshot s = { 0 };
	int r = snapshot_name_check(new_name, e);

	if (r == 0)
		r = snapshot_find(en, in, name, &s, e);
	return r < 0 ? r : snapshot_record_rename(en->db, &s, new_name, e);
}

/* A saved memory may be the difference to another's. */
static int check_no_difference(struct engine *en, const struct snapshot *s, struct err *e)
{
	struct snapshot *list;
	size_t n;
	int r = snapshot_record_list(en->db, s->instance, &list, &n, e);

	if (r < 0)
		return r;
	for (size_t i = 0; i < n && r == 0; i++)
		if (list[i].memory.based_on && !strcmp(list[i].memory.based_on, s->id))
			r = err_set(e, EBUSY, "the memory of the snapshot %s is a difference to that of %s",
				    list[i].name, s->name);
	snapshots_free(list, n);
	return r;
}

static int remove_row(struct engine *en, const struct snapshot *s, struct err *e)
{
	AUTO(db_tx_done) struct db_tx tx = { 0 };
	int r = db_begin(en->db, &tx, e);

	if (r == 0)
		r = check_no_difference(en, s, e);
	if (r == 0)
		r = snapshot_record_remove(en->db, s, e);
	if (r == 0)
		r = layers_forget(en->db, e);
	return r < 0 ? r : db_commit(&tx, e);
}

/* What only stood between others need not.  Of one that runs: later. */
static void merge_at_rest(struct engine *en, const struct instance *in)
{
	struct instance now = { .spec = in->spec };
	autoclose int lock = -1;
	int r = start_lock(en, &in->spec, &lock, NULL);

	if (r == 0)
		r = truth_settle(en, &now, NULL);
	json_done(&instance_state_table, &now.state);
	if (r == 0)
		layers_merge(en, &in->spec, NULL);
}

int snapshot_remove(struct engine *en, const struct instance *in, const char *name, struct err *e)
{
	AUTO(snapshot_done) struct snapshot s = { 0 };
	autoclose int all = -1;
	int r = snapshots_lock(en, &in->spec, &all, e);

	if (r == 0)
		r = snapshot_find(en, in, name, &s, e);
	if (r == 0) {
		r = remove_row(en, &s, e);
		if (r == -ENOSPC && db_spend_reserve(en->db))
			r = remove_row(en, &s, e);
	}
	if (r < 0)
		return r;
	volume_states_try_sweep(en, &s.volumes);
	merge_at_rest(en, in);
	r = remove_tree(all, s.id);
	return r < 0 ? err_sys(e, -r, "snapshot %s", s.name) : layers_sweep(en, in->spec.id, e);
}

static bool is_over(const struct snapshot *s, int64_t now_ns)
{
	if (is_unfinished(s)) /* its command was killed */
		return s->created_ns < now_ns - UNFINISHED_S * NS_PER_S;
	return s->expires_ns && s->expires_ns <= now_ns;
}

void snapshot_remove_expired(struct engine *en, const struct instance *in)
{
	int64_t now_ns = clock_real_ns();
	struct snapshot *list;
	size_t n;

	if (snapshot_record_list(en->db, in->spec.id, &list, &n, NULL) < 0)
		return;
	for (size_t i = 0; i < n; i++)
		if (is_over(&list[i], now_ns))
			snapshot_remove(en, in, list[i].id, NULL);
	snapshots_free(list, n);
}

/* --- an instance goes */

void snapshots_leave_done(struct snapshots_leave *l)
{
	auto_close(&l->lock);
}

int snapshots_leave(struct engine *en, const char *instance, struct snapshots_leave *ret, struct err *e)
{
	AUTO(writable_done) struct writable w = { 0 };
	int r = writable_find(en->db, instance, &w, e);

	if (r < 0)
		return r;
	ret->had = w.below || strcmp(w.top, instance);
	r = lock(en, instance, false, &ret->lock, e);
	ret->had |= r == 0;
	if (r < 0 && r != -ENOENT)
		return r;
	return ret->had ? layers_keep(en, instance, e) : 0;
}

static int forget_layers(struct engine *en, struct err *e)
{
	AUTO(db_tx_done) struct db_tx tx = { 0 };
	int r = db_begin(en->db, &tx, e);

	if (r == 0)
		r = layers_forget(en->db, e);
	return r < 0 ? r : db_commit(&tx, e);
}

int snapshots_left(struct engine *en, const struct snapshots_leave *l, struct err *e)
{
	int r = l->had ? forget_layers(en, e) : 0;

	if (r == -ENOSPC && db_spend_reserve(en->db))
		r = forget_layers(en, e);
	return r < 0 || !l->had ? r : layers_sweep(en, NULL, e);
}
