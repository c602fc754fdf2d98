/* volume_still.c - volumes that nobody writes to for a while
 *
 * How it works: with the lock of a volume nobody opens it any more, for a start waits for that lock.  Who has it open by
 * then is an instance that runs, and is held, or one that is about to: for that we let go of the lock again and wait, since
 * it may be waiting for us.  Locks are taken in the order of the names, so that two commands never wait for each other.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/path.h"
#include "engine/ask.h"
#include "engine/volume_state.h"

#define STARTS_S 150 /* longer than a machine may take to boot */
#define POLL_MS	 50

static void let_go(struct volumes_still *v)
{
	for (size_t i = 0; i < v->n_locks; i++)
		close(v->locks[i]);
	for (size_t i = 0; i < v->n_holds; i++)
		close(v->holds[i]);
	free(v->locks);
	free(v->holds);
	v->locks = v->holds = NULL;
	v->n_locks = v->n_holds = 0;
}

void volumes_still_done(struct volumes_still *v)
{
	let_go(v);
	strv_done(&v->names);
}

/* --- which */

static int add_if_directory(struct engine *en, const struct mount_spec *m, struct strv *ret, struct err *e)
{
	AUTO(volume_done) struct volume v = { 0 };
	enum volume_kind kind;
	int r = volume_record_find(en->db, m->source, &v, e);

	if (r == 0)
		r = volume_kind_of(&v.options, &kind, e);
	if (r == 0 && kind == VOLUME_DIRECTORY && strv_add(ret, m->source) < 0)
		r = err_set(e, ENOMEM, "out of memory");
	return r;
}

int volumes_of_spec(struct engine *en, const struct instance_spec *s, struct strv *ret, struct err *e)
{
	int r = 0;

	for (size_t i = 0; i < s->n_mounts && r == 0; i++)
		if (s->mounts[i].type == MOUNT_VOLUME && !strv_has(ret, s->mounts[i].source))
			r = add_if_directory(en, &s->mounts[i], ret, e);
	return r;
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* --- who */

static int add_fd(int **list, size_t *n, int fd, struct err *e)
{
	int *more = reallocarray(*list, *n + 1, sizeof(**list));

	if (!more) {
		close(fd);
		return err_set(e, ENOMEM, "out of memory");
	}
	*list = more;
	more[(*n)++] = fd;
	return 0;
}

static int lock_all(struct engine *en, struct volumes_still *v, struct err *e)
{
	int r = 0;

	for (size_t i = 0; i < v->names.n && r == 0; i++) {
		int dir = mkdir_open(en->volumes_fd, v->names.v[i], 0700);

		r = dir < 0 ? err_sys(e, -dir, "volume %s", v->names.v[i])
			    : add_fd(&v->locks, &v->n_locks, dir, e);
		if (r == 0)
			r = volume_lock(dir, v->names.v[i], LOCK_EX, e);
	}
	return r;
}

static int hold(struct engine *en, const struct instance *in, struct volumes_still *v, struct err *e)
{
	int fd, r;

	if (in->state.status != STATUS_RUNNING) /* paused, or between two runs */
		return 0;
	r = engine_hold(en, in, &fd, e);
	if (r == -ESRCH)
		return -EAGAIN; /* it has just ended */
	return r < 0 ? r : add_fd(&v->holds, &v->n_holds, fd, e);
}

/* For whom: who asks for a volume alone, without an instance, cannot leave it as it is. */
struct look {
	struct engine *en;
	const struct strv *ours;
	enum volume_users users;
};

/* -EAGAIN: it is about to run, or somebody is about its files. */
static int look_at(const struct look *l, const char *volume, const char *id, struct volumes_still *v,
		   struct err *e)
{
	struct engine *en = l->en;
	struct instance in = { 0 };
	int r = record_find(en->db, id, &in.spec, e);

	if (r == 0)
		r = truth_refresh(en, &in, e);
	if (r == 0 && (!instance_is_live(&in.state) || in.state.status == STATUS_STARTING))
		r = truth_is_locked(en, id)
			    ? err_set(e, EAGAIN, "%s, which mounts the volume %s, is starting", in.spec.name,
				      volume)
			    : 0;
	else if (r == 0 && l->users == USERS_MUST_NOT_RUN)
		r = err_set(e, EBUSY, "%s runs with the volume %s: stop it first%s", in.spec.name, volume,
			    l->ours->n ? ", or leave the volumes as they are (--no-volumes)" : "");
	else if (r == 0)
		r = hold(en, &in, v, e);
	instance_done(&in);
	return r == -ENOENT ? 0 : r;
}

/* Each once, also where it has several of the volumes. */
static int look_at_all(const struct look *l, struct volumes_still *v, struct err *e)
{
	AUTO(strv_done) struct strv seen = { 0 };
	int r = strv_copy(&seen, l->ours) < 0 ? err_set(e, ENOMEM, "out of memory") : 0;

	for (size_t i = 0; i < v->names.n && r == 0; i++) {
		AUTO(strv_done) struct strv ids = { 0 };

		r = volume_record_users(l->en->db, v->names.v[i], &ids, e);
		for (size_t k = 0; k < ids.n && r == 0; k++) {
			if (strv_has(&seen, ids.v[k]))
				continue;
			r = look_at(l, v->names.v[i], ids.v[k], v, e);
			if (r == 0 && strv_add(&seen, ids.v[k]) < 0)
				r = err_set(e, ENOMEM, "out of memory");
		}
	}
	return r;
}

int volumes_keep_still_of(struct engine *en, const struct strv *names, const struct strv *ours,
			  enum volume_users users, struct volumes_still *ret, struct err *e)
{
	const struct look l = { en, ours, users };
	int64_t end = clock_mono_ns() + STARTS_S * NS_PER_S;
	struct volumes_still v = { 0 };
	int r = strv_copy(&v.names, names) < 0 ? err_set(e, ENOMEM, "out of memory") : 0;

	if (v.names.n)
		qsort(v.names.v, v.names.n, sizeof(*v.names.v), compare);
	while (r == 0) {
		r = lock_all(en, &v, e);
		if (r == 0 && users != USERS_MAY_WRITE)
			r = look_at_all(&l, &v, e);
		if (r != -EAGAIN || clock_mono_ns() >= end)
			break;
		let_go(&v);
		poll(NULL, 0, POLL_MS);
		r = 0;
	}
	for (size_t i = 0; i < v.names.n && r == 0; i++)
		r = volume_states_sweep(en, v.names.v[i], e);
	if (r < 0)
		volumes_still_done(&v);
	else
		*ret = v;
	return r;
}

int volumes_keep_still(struct engine *en, const struct strv *names, const char *self, enum volume_users users,
		       struct volumes_still *ret, struct err *e)
{
	char *one[] = { (char *)(uintptr_t)self, NULL };

	return volumes_keep_still_of(en, names, &(const struct strv){ one, self ? 1 : 0 }, users, ret, e);
}
