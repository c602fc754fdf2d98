/* audit_layers.c - what is left of writable layers and of kept states of volumes: files that no row names, rows without files
 *
 * Looked at within a transaction that writes nothing: who makes one has its files in place and locked until its row is
 * there, so that nothing under way is named.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/auto.h"
#include "engine/audit_int.h"
#include "engine/layers.h"
#include "engine/volume_state.h"

#define POOL   "../writable" /* from ROOT/instances */
#define STATES "snapshots"

/* Nobody who makes something in it has it locked? */
static bool is_free(int dirfd, const char *name)
{
	autoclose int dir = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	return dir >= 0 && flock(dir, LOCK_EX | LOCK_NB) == 0;
}

static int add(struct strv *ret, char *what, struct err *e)
{
	return strv_add_take(ret, what) < 0 ? err_set(e, ENOMEM, "out of memory") : 0;
}

typedef int (*look)(struct engine *en, int dirfd, const char *name, const char *of, struct strv *ret,
		    struct err *e);

/* Missing is empty. */
static int for_each(struct engine *en, int dirfd, const char *path, look fn, struct strv *ret, struct err *e)
{
	int fd = openat(dirfd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), r = 0;
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *de;

	while (r == 0 && d && (de = readdir(d)))
		if (strcmp(de->d_name, ".") && strcmp(de->d_name, ".."))
			r = fn(en, fd, de->d_name, path, ret, e);
	if (d)
		closedir(d);
	return r;
}

static int look_at_layer(struct engine *en, int pool, const char *name, const char *of, struct strv *ret,
			 struct err *e)
{
	bool known = false;
	int r = layer_is_known(en->db, name, &known, e);

	(void)of;
	if (r < 0 || known || !is_free(pool, name))
		return r;
	return add(ret, str_printf("writable layer %s/writable/%s", en->root, name), e);
}

static int look_at_state(struct engine *en, int states, const char *id, const char *of, struct strv *ret,
			 struct err *e)
{
	bool known = false;
	int r = volume_state_is_known(en->db, id, &known, e);

	(void)states;
	return r < 0 || known
		       ? r
		       : add(ret, str_printf("state of a volume %s/volumes/%s/%s", en->root, of, id), e);
}

static int look_at_volume(struct engine *en, int volumes, const char *name, const char *of, struct strv *ret,
			  struct err *e)
{
	autofree char *states = str_printf("%s/" STATES, name);

	(void)of;
	if (!states)
		return err_set(e, ENOMEM, "out of memory");
	return is_free(volumes, name) ? for_each(en, volumes, states, look_at_state, ret, e) : 0;
}

/* A top that nobody has written to has no files; what others stand on has. */
static int look_at_rows(struct engine *en, struct strv *ret, struct err *e)
{
	AUTO(db_stmt_done)
	struct db_stmt st = db_sql(en->db, "SELECT id FROM writable_layer"
					   " WHERE id NOT IN (SELECT top FROM writable)");
	int r;

	while ((r = db_step(&st, e)) > 0) {
		autoclose int dir = layer_dir_open(en, db_text(&st, 0));

		if (dir < 0 &&
		    add(ret,
			str_printf("record of the writable layer %s, which has no files", db_text(&st, 0)),
			e) < 0)
			return -e->no;
	}
	return r;
}

int audit_layers(struct engine *en, struct strv *ret, struct err *e)
{
	AUTO(db_tx_done) struct db_tx tx = { 0 };
	int r = db_begin(en->db, &tx, e);

	if (r == 0)
		r = for_each(en, en->instances_fd, POOL, look_at_layer, ret, e);
	if (r == 0)
		r = for_each(en, en->volumes_fd, ".", look_at_volume, ret, e);
	return r < 0 ? r : look_at_rows(en, ret, e);
}
