/* processes.c - the processes of a container in a snapshot */
#include "engine/processes.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/io.h"
#include "base/path.h"
#include "container/checkpoint.h"
#include "criu/criu.h"
#include "engine/engine_int.h"
#include "engine/memory_fit.h"
#include "engine/memory_mac.h"

#define IMAGES "processes"
#define WORK   "criu" /* in the instance's directory: the log, which stays when it fails */

bool processes_are_in(const struct snapshot *s)
{
	return s->memory.format && !strcmp(s->memory.format, MEMORY_FORMAT_CRIU);
}

static int check_host(struct err *e)
{
	int r;

	if (geteuid() != 0)
		return err_set(e, EPERM, "the processes of a container are kept by root alone, through CRIU");
	r = criu_check(e);
	return r < 0 ? err_wrap(e, r, "the processes of a container cannot be kept here") : 0;
}

int processes_can_save(const struct instance *in, struct err *e)
{
	int r = container_checkpoint_check(&in->spec, e);

	return r < 0 ? r : check_host(e);
}

/* --- saving */

static int dump(struct engine *en, const struct instance *in, int images, int hold, struct err *e)
{
	autoclose int dir = truth_dir_open(en, in->spec.id);
	autoclose int work = dir < 0 ? dir : mkdir_open(dir, WORK, 0700);
	const struct checkpoint cp = { &in->spec, engine_facts(en), &in->state, images, work, hold };
	int r;

	if (work < 0)
		return err_sys(e, -work, "directory of %s", in->spec.name);
	r = container_checkpoint(&cp, e);
	if (r == 0)
		remove_tree(dir, WORK);
	return r;
}

static int measure(int images, uint64_t *ret_bytes)
{
	AUTO(strv_done) struct strv names = { 0 };
	int r = list_dir(images, &names);

	*ret_bytes = 0;
	for (size_t i = 0; i < names.n && r == 0; i++) {
		struct stat st;

		if (fstatat(images, names.v[i], &st, AT_SYMLINK_NOFOLLOW) < 0)
			r = -errno;
		else
			*ret_bytes += (uint64_t)st.st_blocks * 512;
	}
	return r;
}

int processes_save(struct engine *en, const struct instance *in, struct snapshot *s, int hold, struct err *e)
{
	autoclose int dir = snapshot_dir_open(en, s, e);
	autoclose int images = dir < 0 ? -1 : mkdir_open(dir, IMAGES, 0700);
	int r;

	if (dir < 0)
		return dir;
	if (images < 0)
		return err_sys(e, -images, "snapshot %s", s->name);
	r = dump(en, in, images, hold, e);
	if (r < 0)
		return r;
	if (str_copy(MEMORY_FORMAT_CRIU, &s->memory.format) < 0)
		return err_set(e, ENOMEM, "out of memory");
	r = measure(images, &s->memory.file_bytes);
	if (r < 0)
		return err_sys(e, -r, "snapshot %s", s->name);
	r = memory_mac_write(en, s, dir, images, e);
	if (r == 0 && syncfs(dir) < 0)
		r = err_sys(e, errno, "cannot make the snapshot durable");
	return r;
}

/* --- restoring */

int processes_open(struct engine *en, const struct snapshot *s, struct err *e)
{
	autoclose int dir = -1, images = -1;
	int r;

	if (!processes_are_in(s))
		return err_set(e, ENOENT, "snapshot %s holds no processes of a container", s->name);
	dir = snapshot_dir_open(en, s, e);
	if (dir < 0)
		return dir;
	images = openat(dir, IMAGES, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (images < 0)
		return err_sys(e, errno, "snapshot %s: its processes", s->name);
	r = memory_mac_check(en, s, dir, images, e);
	return r < 0 ? r : take_fd(&images);
}

int processes_check(struct engine *en, const struct snapshot *s, struct err *e)
{
	autoclose int images = processes_open(en, s, e);

	return images < 0 ? images : check_host(e);
}
