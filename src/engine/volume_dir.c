/* volume_dir.c - the directories of volumes, which follow their records
 *
 * One whose record is gone is renamed (".gone-...") within a transaction, so that its name is free at once, and removed after it.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/log.h"
#include "base/path.h"
#include "engine/volume_int.h"

#define GONE ".gone-"

int volume_dir_bury(struct engine *en, const char *name, struct err *e)
{
	char gone[sizeof(GONE) + 16] = GONE;

	engine_random_hex(8, gone + sizeof(GONE) - 1);
	if (renameat(en->volumes_fd, name, en->volumes_fd, gone) < 0 && errno != ENOENT)
		return err_sys(e, errno, "volume %s", name);
	return 0;
}

typedef int (*visit)(struct engine *en, const char *name, struct err *e);

static int for_each_directory(struct engine *en, visit fn, struct err *e)
{
	int fd = openat(en->volumes_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), r = 0;
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *de;

	if (!d)
		return err_sys(e, errno, "the volumes of %s", en->root);
	while (r == 0 && (de = readdir(d)))
		if (strcmp(de->d_name, ".") && strcmp(de->d_name, ".."))
			r = fn(en, de->d_name, e);
	closedir(d);
	return r;
}

/* Its lock is that of the command that removes it: nobody else has to wait for that. */
static int remove_gone(struct engine *en, const char *name, struct err *e)
{
	autoclose int lock = -1;
	int r;

	if (*name != '.')
		return 0;
	lock = openat(en->volumes_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (lock >= 0 && flock(lock, LOCK_EX | LOCK_NB) < 0)
		return 0;
	r = remove_tree(en->volumes_fd, name);
	/* -ENOENT: another command was faster */
	return r < 0 && r != -ENOENT ? err_sys(e, -r, "%s/volumes/%s", en->root, name) : 0;
}

static int bury_nameless(struct engine *en, const char *name, struct err *e)
{
	AUTO(volume_done) struct volume v = { 0 };
	int r = *name == '.' ? 0 : volume_record_find(en->db, name, &v, e);

	return r == -ENOENT ? volume_dir_bury(en, name, e) : r;
}

int volume_dir_make(struct engine *en, const char *name, struct err *e)
{
	autofree char *path = str_printf("%s/_data", name);
	autoclose int fd = path ? mkdir_open(en->volumes_fd, path, 0755) : -ENOMEM;

	return fd < 0 ? err_sys(e, -fd, "volume %s", name) : 0;
}

int volume_dirs_remove(struct engine *en, const struct strv *names, struct err *e)
{
	AUTO(db_tx_done) struct db_tx tx = { 0 };
	struct err left = { 0 };
	int r = db_begin(en->db, &tx, e); /* who makes one of the same name now waits */

	for (size_t i = 0; r == 0 && i < names->n; i++)
		r = bury_nameless(en, names->v[i], e);
	db_tx_done(&tx);
	if (r == 0 && for_each_directory(en, remove_gone, &left) < 0)
		log_warn("%s", left.msg);
	return r;
}

int volume_sweep(struct engine *en, struct err *e)
{
	AUTO(db_tx_done) struct db_tx tx = { 0 };
	int r = db_begin(en->db, &tx, e);

	if (r == 0)
		r = for_each_directory(en, bury_nameless, e);
	db_tx_done(&tx); /* nothing was written: it only kept others from making a volume */
	return r < 0 ? r : for_each_directory(en, remove_gone, e);
}

/* 1: it is a stray. */
static int is_stray(struct engine *en, const char *name, struct err *e)
{
	AUTO(volume_done) struct volume v = { 0 };

	return *name == '.' || volume_record_find(en->db, name, &v, e) == -ENOENT;
}

void volume_strays_remove(struct engine *en)
{
	if (for_each_directory(en, is_stray, NULL) == 1)
		volume_sweep(en, NULL);
}
