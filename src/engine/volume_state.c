/* volume_state.c - the files of states of volumes: copied, put in the place of what a volume is, removed
 *
 * A volume that goes back is exchanged in two renames; the row in volume_swap says that they are to be done, and each can be
 * done again: _data becomes snapshots/ID/old, snapshots/ID/data becomes _data.
 */
#include "engine/volume_state.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/path.h"
#include "container/copy_up.h"

#define DATA   "_data"
#define STATES "snapshots"
#define COPY   "data"
#define OLD    "old"
#define FRESH  "fresh"

static int dir_open(int dirfd, const char *name)
{
	int fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

static int state_open(struct engine *en, const char *volume, const char *id)
{
	autofree char *path = str_printf("%s/" STATES "/%s", volume, id);

	return path ? dir_open(en->volumes_fd, path) : -ENOMEM;
}

static int state_make(struct engine *en, const char *volume, const char *id)
{
	autofree char *path = str_printf("%s/" STATES "/%s", volume, id);

	return path ? mkdir_open(en->volumes_fd, path, 0700) : -ENOMEM;
}

bool volume_state_exists(struct engine *en, const char *volume, const char *id)
{
	autoclose int dir = state_open(en, volume, id);

	return dir >= 0;
}

/* --- copies */

static int note_fresh(int state)
{
	autoclose int fd = openat(state, FRESH, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	return fd < 0 ? -errno : 0;
}

static bool is_fresh(int state)
{
	return faccessat(state, FRESH, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* What the volume is now; -ENOENT: nobody has put anything there. */
static int now_open(struct engine *en, const char *volume, bool *ret_fresh, struct err *e)
{
	AUTO(volume_done) struct volume v = { 0 };
	autoclose int dir = -1;
	int r = volume_record_find(en->db, volume, &v, e);

	if (r < 0)
		return r;
	*ret_fresh = v.fresh;
	dir = mkdir_open(en->volumes_fd, volume, 0700);
	if (dir < 0)
		return err_sys(e, -dir, "volume %s", volume);
	r = volume_swap_finish(en, volume, dir, e);
	if (r < 0)
		return r;
	r = mkdir_open(dir, DATA, 0755);
	return r < 0 ? err_sys(e, -r, "volume %s", volume) : r;
}

int volume_state_open(struct engine *en, const char *volume, const char *id, bool *ret_fresh, struct err *e)
{
	autoclose int state = -1;
	int fd;

	if (!id)
		return now_open(en, volume, ret_fresh, e);
	state = state_open(en, volume, id);
	fd = state < 0 ? state : dir_open(state, COPY);
	if (fd < 0)
		return err_sys(e, -fd, "what was kept of the volume %s", volume);
	*ret_fresh = is_fresh(state);
	return fd;
}

int volume_state_copy(struct engine *en, const char *volume, const char *from, const char *id, struct err *e)
{
	bool fresh = false;
	autoclose int source = volume_state_open(en, volume, from, &fresh, e);
	autoclose int state = source < 0 ? -1 : state_make(en, volume, id), to = -1;
	int r;

	if (source < 0)
		return source;
	to = state < 0 ? state : mkdir_open(state, COPY, 0755);
	if (to < 0)
		return err_sys(e, -to, "a copy of the volume %s", volume);
	r = copy_layer(source, to, e);
	if (r < 0)
		return err_wrap(e, r, "volume %s", volume);
	r = fresh ? note_fresh(state) : 0;
	if (r == 0 && syncfs(state) < 0)
		r = -errno;
	return r < 0 ? err_sys(e, -r, "a copy of the volume %s", volume) : 0;
}

int volume_states_copy(struct engine *en, const struct strv *volumes, const char *from, const char *id,
		       struct err *e)
{
	int r = 0;

	for (size_t i = 0; i < volumes->n && r == 0; i++)
		r = volume_state_copy(en, volumes->v[i], from, id, e);
	return r;
}

int volume_state_become(struct engine *en, const char *volume, const char *id, const char *to, struct err *e)
{
	autoclose int state = state_open(en, volume, id);
	autoclose int dir = state < 0 ? -1 : mkdir_open(en->volumes_fd, to, 0700);
	int r = state < 0 ? state : dir < 0 ? dir : renameat(state, COPY, dir, DATA) < 0 ? -errno : 0;

	if (r == 0)
		r = sync_dir(dir);
	if (r == 0)
		r = sync_dir(en->volumes_fd);
	if (r < 0)
		return err_sys(e, -r, "volume %s", to);
	return is_fresh(state) ? 0 : volume_record_used(en->db, to, e);
}

static int place(int to, const char *as, int from_dir, const char *name)
{
	if (renameat(from_dir, name, to, as) < 0)
		return -errno;
	return sync_dir(to);
}

int volume_state_place(struct engine *en, const char *volume, const char *id, int from_dir, const char *name,
		       bool fresh, struct err *e)
{
	autoclose int dir = mkdir_open(en->volumes_fd, volume, 0700);
	autoclose int state = dir < 0 || !id ? -1 : state_make(en, volume, id);
	int r = dir < 0 ? dir : id && state < 0 ? state : 0;

	if (r == 0 && id && fresh)
		r = note_fresh(state);
	if (r == 0)
		r = id ? place(state, COPY, from_dir, name) : place(dir, DATA, from_dir, name);
	if (r == 0)
		r = sync_dir(dir);
	if (r == 0)
		r = sync_dir(en->volumes_fd);
	if (r < 0)
		return err_sys(e, -r, "volume %s", volume);
	return id || fresh ? 0 : volume_record_used(en->db, volume, e);
}

/* --- a volume becomes what it was */

int volume_swap_begin(struct engine *en, const char *volume, const char *id, struct err *e)
{
	autoclose int state = state_open(en, volume, id);
	int r;

	if (state < 0)
		return err_sys(e, -state, "what was kept of the volume %s", volume);
	r = volume_swap_record_add(en->db, volume, id, e);
	return r < 0 ? r : volume_record_set_fresh(en->db, volume, is_fresh(state), e);
}

/* Is there something of this name? */
static bool has(int dir, const char *name)
{
	return faccessat(dir, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static int exchange(int dir, int state)
{
	if (!has(state, COPY)) /* it was done before */
		return 0;
	if (!has(state, OLD) && renameat(dir, DATA, state, OLD) < 0 && errno != ENOENT)
		return -errno;
	/* an empty one may have been made meanwhile */
	return renameat(state, COPY, dir, DATA) < 0 ? -errno : sync_dir(dir);
}

int volume_swap_finish(struct engine *en, const char *volume, int dir, struct err *e)
{
	autofree char *id = NULL;
	autoclose int state = -1, states = -1;
	int r = volume_swap_record_find(en->db, volume, &id, e);

	if (r < 0 || !id)
		return r;
	state = state_open(en, volume, id);
	r = state < 0 ? (state == -ENOENT ? 0 : state) : exchange(dir, state);
	if (r < 0)
		return err_sys(e, -r, "the volume %s cannot become what it was", volume);
	r = volume_swap_record_remove(en->db, volume, e);
	if (r < 0)
		return r;
	states = dir_open(dir, STATES);
	if (states >= 0)
		remove_tree(states, id); /* else with the next sweep */
	return 0;
}

int volumes_swap_finish(struct engine *en, const struct volumes_still *v, struct err *e)
{
	int r = 0;

	for (size_t i = 0; i < v->n_locks && r == 0; i++)
		r = volume_swap_finish(en, v->names.v[i], v->locks[i], e);
	return r;
}

/* --- what no row names */

static int sweep_one(struct engine *en, int states, const char *id, struct err *e)
{
	bool known = true;
	int r = volume_state_is_known(en->db, id, &known, e);

	if (r == 0 && !known)
		r = remove_tree(states, id);
	return r;
}

int volume_states_sweep(struct engine *en, const char *volume, struct err *e)
{
	autofree char *path = str_printf("%s/" STATES, volume);
	autoclose int states = path ? dir_open(en->volumes_fd, path) : -ENOMEM;
	int fd = states < 0 ? -1 : openat(states, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), r = 0;
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *de;

	if (states == -ENOENT)
		return 0;
	if (!d)
		return err_sys(e, states < 0 ? -states : errno, "snapshots of the volume %s", volume);
	while (r == 0 && (de = readdir(d)))
		if (strcmp(de->d_name, ".") && strcmp(de->d_name, ".."))
			r = sweep_one(en, states, de->d_name, e);
	closedir(d);
	return r < 0 ? err_sys(e, -r, "snapshots of the volume %s", volume) : 0;
}

void volumes_still_sweep(struct engine *en, const struct volumes_still *v)
{
	for (size_t i = 0; i < v->n_locks; i++)
		volume_states_sweep(en, v->names.v[i], NULL);
}

void volume_states_try_sweep(struct engine *en, const struct strv *volumes)
{
	for (size_t i = 0; i < volumes->n; i++) {
		autoclose int dir = dir_open(en->volumes_fd, volumes->v[i]);

		if (dir >= 0 && flock(dir, LOCK_EX | LOCK_NB) == 0)
			volume_states_sweep(en, volumes->v[i], NULL);
	}
}
