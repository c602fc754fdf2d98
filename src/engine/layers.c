/* layers.c - the files of writable layers */
#include "engine/layers.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/path.h"
#include "engine/disk_usage.h"
#include "vm/disk.h"

#define POOL "../writable" /* from ROOT/instances */
#define NEW  ".new-"
#define GONE ".gone-"

#define STAGE_TRIES 100 /* each meets a sweep just then */

/* What a layer may hold. */
static const char *const forms[] = { "upper", "disk.ext4", "disk.qcow2", "work" };

static int pool_open(struct engine *en)
{
	return mkdir_open(en->instances_fd, POOL, 0700);
}

static int dir_open(int dirfd, const char *name)
{
	int fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

int layer_dir_open(struct engine *en, const char *id)
{
	autoclose int pool = pool_open(en);
	int fd = pool < 0 ? pool : dir_open(pool, id);

	return fd == -ENOENT ? truth_dir_open(en, id) : fd;
}

int layer_top_open(struct engine *en, const char *instance, const struct writable *w, struct err *e)
{
	autoclose int pool = -1;
	int fd;

	if (!strcmp(w->top, instance)) {
		fd = truth_dir_open(en, instance);
	} else {
		pool = pool_open(en);
		fd = pool < 0 ? pool : mkdir_open(pool, w->top, 0700);
	}
	return fd < 0 ? err_sys(e, -fd, "writable layer %.12s", w->top) : fd;
}

static const char *form_of(int isolation, bool lowest)
{
	return isolation == ISOLATION_CONTAINER ? "upper" : lowest ? "disk.ext4" : "disk.qcow2";
}

const char *layer_form(int isolation, const struct writable *w)
{
	return form_of(isolation, !w->below);
}

bool layer_is_written(struct engine *en, int isolation, const struct writable *w)
{
	autoclose int dir = layer_dir_open(en, w->top);
	struct stat st;

	return dir >= 0 && fstatat(dir, layer_form(isolation, w), &st, AT_SYMLINK_NOFOLLOW) == 0;
}

/* --- what an instance stands on */

void layers_done(struct layer_dirs *l)
{
	for (size_t i = 0; i < l->n_below; i++)
		close(l->below[i]);
	free(l->below);
	auto_close(&l->top);
}

int layer_open(struct engine *en, const struct instance_spec *s, const char *id, bool lowest, struct err *e)
{
	const char *form = form_of(s->isolation, lowest);
	bool is_dir = s->isolation == ISOLATION_CONTAINER;
	autoclose int dir = layer_dir_open(en, id);
	int fd = dir < 0 ? -1
			 : openat(dir, form, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | (is_dir ? O_DIRECTORY : 0));

	if (fd < 0)
		return err_sys(e, dir < 0 ? -dir : errno,
			       "%s stands on the layer %.12s, whose %s cannot be opened", s->name, id, form);
	return fd;
}

int layers_open_on(struct engine *en, const struct instance_spec *s, const struct writable *w,
		   struct layer_dirs *ret, struct err *e)
{
	AUTO(strv_done) struct strv chain = { 0 };
	struct layer_dirs l = { .top = -1 };
	int r = layer_chain(en->db, w->below, &chain, e);

	if (r < 0)
		return err_wrap(e, r, "%s", s->name);
	l.below = calloc(chain.n + 1, sizeof(*l.below));
	l.top = l.below ? layer_top_open(en, s->id, w, e) : err_set(e, ENOMEM, "out of memory");
	r = l.top < 0 ? l.top : 0;
	for (size_t i = 0; i < chain.n && r == 0; i++) {
		int fd = layer_open(en, s, chain.v[i], i == 0, e);

		if (fd < 0)
			r = fd;
		else
			l.below[l.n_below++] = fd;
	}
	if (r < 0)
		layers_done(&l);
	else
		*ret = l;
	return r;
}

int layers_open(struct engine *en, const struct instance_spec *s, struct layer_dirs *ret, struct err *e)
{
	AUTO(writable_done) struct writable w = { 0 };
	int r = writable_find(en->db, s->id, &w, e);

	return r < 0 ? err_wrap(e, r, "%s", s->name) : layers_open_on(en, s, &w, ret, e);
}

/* --- one under way */

/* A new directory and its lock.  -EAGAIN: who sweeps has come in the moment between the two. */
static int make_locked(int pool, const char *name)
{
	autoclose int dir = mkdir_open(pool, name, 0700);
	struct stat mine, there;

	if (dir < 0)
		return dir == -ENOENT ? -EAGAIN : dir;
	if (flock(dir, LOCK_EX) < 0 || fstat(dir, &mine) < 0)
		return -errno;
	if (fstatat(pool, name, &there, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? -EAGAIN : -errno;
	return there.st_ino == mine.st_ino ? take_fd(&dir) : -EAGAIN;
}

int layer_stage_open(struct engine *en, struct layer_stage *ret, struct err *e)
{
	char name[sizeof(NEW) + LAYER_ID_LEN];
	autoclose int pool = pool_open(en);
	int dir = pool < 0 ? pool : -EAGAIN;

	for (int i = 0; i < STAGE_TRIES && dir == -EAGAIN; i++) {
		engine_random_hex(LAYER_ID_LEN / 2, ret->id);
		snprintf(name, sizeof(name), NEW "%s", ret->id);
		dir = make_locked(pool, name);
	}
	if (dir < 0)
		return err_sys(e, -dir, "writable layer");
	ret->dir = dir;
	return 0;
}

int layer_stage_commit(struct engine *en, struct layer_stage *st, struct err *e)
{
	char name[sizeof(NEW) + LAYER_ID_LEN];
	autoclose int pool = pool_open(en);
	int r = pool < 0 ? pool : 0;

	snprintf(name, sizeof(name), NEW "%s", st->id);
	if (r == 0 && renameat(pool, name, pool, st->id) < 0)
		r = -errno;
	if (r == 0)
		r = sync_dir(pool);
	return r < 0 ? err_sys(e, -r, "writable layer %.12s", st->id) : 0;
}

void layer_stage_done(struct layer_stage *st)
{
	auto_close(&st->dir);
	free(take_ptr(st->below));
}

/* --- what is kept, and what goes */

static int move_forms(int from, int to)
{
	for (size_t i = 0; i < ARRAY_LEN(forms) - 1; i++)
		if (renameat(from, forms[i], to, forms[i]) < 0 && errno != ENOENT)
			return -errno;
	return 0;
}

/* Does a row of others need this layer? */
static int is_needed(struct engine *en, const char *instance, bool *ret, struct err *e)
{
	AUTO(db_stmt_done)
	struct db_stmt st =
		db_sql(en->db, "SELECT 1 FROM writable_layer WHERE below = ?"
			       " UNION ALL SELECT 1 FROM snapshot WHERE layer = ? AND instance <> ?");
	int r;

	for (int i = 0; i < 3; i++)
		db_bind_text(&st, instance);
	r = db_step(&st, e);
	*ret = r > 0;
	return r < 0 ? r : 0;
}

int layers_keep(struct engine *en, const char *instance, struct err *e)
{
	autoclose int from = truth_dir_open(en, instance), pool = -1, to = -1;
	bool needed = false;
	int r = from < 0 ? 0 : is_needed(en, instance, &needed, e);

	if (r < 0 || !needed)
		return r;
	pool = pool_open(en);
	to = pool < 0 ? pool : mkdir_open(pool, instance, 0700);
	r = to < 0 ? to : move_forms(from, to);
	if (r == 0)
		r = sync_dir(to);
	return r < 0 ? err_sys(e, -r, "the first layer of %.12s, which others stand on", instance) : 0;
}

/* Not one that is being made: its maker holds the lock, which is *ret_lock until it is out of the way. */
static bool may_go(struct engine *en, int pool, const char *name, int *ret_lock)
{
	bool known = true;

	if (!strncmp(name, NEW, strlen(NEW))) {
		*ret_lock = dir_open(pool, name);
		return *ret_lock >= 0 && flock(*ret_lock, LOCK_EX | LOCK_NB) == 0;
	}
	return layer_is_known(en->db, name, &known, NULL) == 0 && !known;
}

static int list_names(int dirfd, struct strv *ret)
{
	int fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), r = 0;
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *de;

	if (!d)
		return -errno;
	while (r == 0 && (de = readdir(d)))
		if (strcmp(de->d_name, ".") && strcmp(de->d_name, ".."))
			r = strv_add(ret, de->d_name);
	closedir(d);
	return r;
}

/* Under the database's lock: who records a layer has its directory in place before he lets go. */
static int bury(struct engine *en, int pool, const struct strv *names, struct err *e)
{
	AUTO(db_tx_done) struct db_tx tx = { 0 };
	int r = db_begin(en->db, &tx, e);

	for (size_t i = 0; i < names->n && r == 0; i++) {
		autofree char *gone = str_printf(GONE "%s", names->v[i]);
		autoclose int lock = -1;

		if (!strncmp(names->v[i], GONE, strlen(GONE)) || !may_go(en, pool, names->v[i], &lock))
			continue;
		if (!gone)
			r = err_set(e, ENOMEM, "out of memory");
		else if (renameat(pool, names->v[i], pool, gone) < 0 && errno != ENOENT)
			r = err_sys(e, errno, "writable layer %.12s", names->v[i]);
	}
	return r;
}

static int remove_gone(int pool, struct err *e)
{
	AUTO(strv_done) struct strv names = { 0 };
	int r = list_names(pool, &names);

	for (size_t i = 0; i < names.n && r == 0; i++)
		if (!strncmp(names.v[i], GONE, strlen(GONE)))
			r = remove_tree(pool, names.v[i]);
	return r < 0 ? err_sys(e, -r, "writable layers") : 0;
}

/* Its first layer, where it writes to another by now and nobody stands on that one. */
static int sweep_first(struct engine *en, const char *instance, struct err *e)
{
	AUTO(writable_done) struct writable w = { 0 };
	autoclose int dir = truth_dir_open(en, instance);
	bool known = true;
	int r = writable_find(en->db, instance, &w, e);

	if (r == 0)
		r = layer_is_known(en->db, instance, &known, e);
	if (r < 0 || known || dir < 0 || !strcmp(w.top, instance))
		return r;
	for (size_t i = 0; i < ARRAY_LEN(forms) && r == 0; i++)
		r = remove_tree(dir, forms[i]);
	return r < 0 ? err_sys(e, -r, "writable layer %.12s", instance) : 0;
}

int layers_sweep(struct engine *en, const char *instance, struct err *e)
{
	AUTO(strv_done) struct strv names = { 0 };
	autoclose int pool = pool_open(en);
	int r = pool < 0 ? pool : list_names(pool, &names);

	if (r < 0)
		return err_sys(e, -r, "writable layers");
	r = names.n ? bury(en, pool, &names, e) : 0;
	if (r == 0)
		r = remove_gone(pool, e);
	return r == 0 && instance ? sweep_first(en, instance, e) : r;
}

uint64_t layers_bytes(struct engine *en, const struct instance_spec *s)
{
	AUTO(strv_done) struct strv all = { 0 };
	autoclose int pool = pool_open(en);
	uint64_t sum = 0;

	if (pool < 0 || layers_of(en->db, s->id, &all, NULL) < 0)
		return 0;
	for (size_t i = 0; i < all.n; i++)
		sum += disk_usage_bytes(pool, all.v[i]);
	return sum;
}

uint64_t layers_written_bytes(struct engine *en, const struct instance_spec *s)
{
	AUTO(writable_done) struct writable w = { 0 };
	AUTO(strv_done) struct strv chain = { 0 };
	uint64_t sum = 0;

	if (writable_find(en->db, s->id, &w, NULL) < 0 || layer_chain(en->db, w.below, &chain, NULL) < 0 ||
	    strv_add(&chain, w.top) < 0)
		return 0;
	for (size_t i = 0; i < chain.n; i++) {
		autoclose int dir = layer_dir_open(en, chain.v[i]);

		if (dir >= 0)
			sum += disk_usage_bytes(dir, form_of(s->isolation, i == 0));
	}
	return sum;
}
