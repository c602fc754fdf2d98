/* stage.c - staging directories, and what dead processes left in them or behind them */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/parse.h"
#include "base/path.h"
#include "image/blobs.h"
#include "image/store_int.h"

/* Locks the directory `name` in tmp/ unless a living process has it.  -EBUSY: it has; -ENOENT: it is gone. */
static int claim(struct image_store *s, const char *name)
{
	autoclose int fd = openat(s->tmp_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct stat mine, now;

	if (fd < 0)
		return -errno;
	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		return errno == EWOULDBLOCK ? -EBUSY : -errno;
	/* a sweep may have taken it away between our open and our lock */
	if (fstat(fd, &mine) < 0 || fstatat(s->tmp_fd, name, &now, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	return mine.st_ino == now.st_ino ? take_fd(&fd) : -ENOENT;
}

int stage_open(struct image_store *s, struct stage *ret, struct err *e)
{
	struct stage st = { .store = s, .fd = -1 };
	unsigned char id[16];

	do {
		if (getrandom(id, sizeof(id), 0) != (ssize_t)sizeof(id))
			return err_sys(e, errno, "getrandom");
		hex_encode(id, sizeof(id), st.name);
		if (mkdirat(s->tmp_fd, st.name, 0700) < 0)
			return err_sys(e, errno, "make a directory in %s/tmp", s->root);
		st.fd = claim(s, st.name);
	} while (st.fd == -ENOENT || st.fd == -EBUSY);
	if (st.fd < 0)
		return err_sys(e, -st.fd, "open %s/tmp/%s", s->root, st.name);
	*ret = st;
	return 0;
}

void stage_done(struct stage *st)
{
	if (st->fd < 0)
		return;
	/* what cannot be removed now is swept by the next job */
	remove_tree(st->store->tmp_fd, st->name);
	auto_close(&st->fd);
	st->fd = -1;
}

typedef int (*visit)(struct image_store *s, const char *name, const void *arg, struct err *e);

static int for_each_name(struct image_store *s, int dirfd, visit fn, const void *arg, struct err *e)
{
	int fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), r = 0;
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *de;

	if (!d) {
		r = err_sys(e, errno, "read the store %s", s->root);
		if (fd >= 0)
			close(fd);
		return r;
	}
	while (r == 0 && (de = readdir(d)))
		if (*de->d_name != '.')
			r = fn(s, de->d_name, arg, e);
	closedir(d);
	return r;
}

static int remove_dead_stage(struct image_store *s, const char *name, const void *arg, struct err *e)
{
	autoclose int fd = claim(s, name);
	int r;

	if (fd == -EBUSY || fd == -ENOENT)
		return 0;
	/* -ENOTDIR: not of our making, and in the way of nobody */
	r = fd < 0 && fd != -ENOTDIR ? fd : remove_tree(s->tmp_fd, name);
	return r < 0 ? err_sys(e, -r, "remove %s/tmp/%s", s->root, name) : 0;
}

/* One of the places where data is named by a digest, and the question whether a record names it. */
struct place {
	const char *
		kind; /* in front of its names in the grave: a layer, its skeleton and its inventory have the same */
	int dirfd;
	const char *sql;
	const struct stage *grave;
};

static int bury_unless_named(struct image_store *s, const char *name, const void *arg, struct err *e)
{
	const struct place *p = arg;
	AUTO(db_stmt_done) struct db_stmt st = db_sql(s->db, p->sql);
	autofree char *buried = str_printf("%s-%s", p->kind, name);
	int r;

	if (!buried)
		return err_set(e, ENOMEM, "out of memory");
	db_bind_text(&st, name);
	r = db_step(&st, e);
	if (r != 0)
		return r < 0 ? r : 0;
	return renameat(p->dirfd, name, p->grave->fd, buried) < 0 && errno != ENOENT
		       ? err_sys(e, errno, "remove %s from %s", name, s->root)
		       : 0;
}

/* Moves what no record names out of the way, quickly, under the lock; it is removed when the grave is. */
static int bury_orphans(struct image_store *s, const struct stage *grave, struct err *e)
{
	const struct place places[] = {
		{ "layer", s->layers_fd,
		  "SELECT 1 FROM layer WHERE iif(verity IS NULL, diff_id, diff_id || '" LAYER_ENDING
		  "') = 'sha256:' || ?",
		  grave },
		{ "skeleton", s->skeletons_fd,
		  "SELECT 1 FROM layer WHERE tar_bytes IS NOT NULL AND diff_id = 'sha256:' || ?", grave },
		{ "packages", s->packages_fd, "SELECT 1 FROM layer WHERE diff_id = 'sha256:' || ?", grave },
		{ "config", s->configs_fd, "SELECT 1 FROM image WHERE id = 'sha256:' || ?", grave },
		{ "root", s->roots_fd, "SELECT 1 FROM image WHERE id || '.erofs' = 'sha256:' || ?", grave },
	};
	autoclose int lock = image_store_lock(s, STORE_LOCK, STORE_LOCK_WAIT_S, "ketch (cleaning up)", e);
	int r = lock < 0 ? lock : 0;

	for (size_t i = 0; r == 0 && i < ARRAY_LEN(places); i++)
		r = for_each_name(s, places[i].dirfd, bury_unless_named, &places[i], e);
	return r;
}

int store_sweep(struct image_store *s, struct err *e)
{
	AUTO(stage_done) struct stage grave = { .fd = -1 };
	int r = for_each_name(s, s->tmp_fd, remove_dead_stage, NULL, e);

	if (r == 0)
		r = blobs_expire(s, BLOBS_AGE_S, NULL, e);
	if (r == 0)
		r = stage_open(s, &grave, e);
	return r < 0 ? r : bury_orphans(s, &grave, e);
}
