/* machine_memory.c - the memory of a virtual machine in a snapshot */
#include "engine/machine_memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/io.h"
#include "base/path.h"
#include "engine/ask.h"
#include "engine/engine_int.h"
#include "engine/memory_fit.h"
#include "engine/memory_mac.h"
#include "vm/saving.h"
#include "wire/msg.h"

#define STATE_MAX (2 << 20) /* of ketch-vmm */

int memory_can_save(const struct instance *in, struct err *e)
{
	if (in->spec.isolation != ISOLATION_VM)
		return err_set(
			e, ENOTSUP,
			"%s is a container: the memory of virtual machines alone is saved; snapshot create "
			"--live keeps its processes",
			in->spec.name);
	return vm_saving_check(&in->spec, e);
}

/* --- saving */

void memory_saving_done(struct memory_saving *m)
{
	if (m->fd >= 0)
		close(m->fd);
	m->fd = -1;
}

int memory_save_begin(struct memory_saving *m, struct err *e)
{
	autoclose int dir = snapshot_dir_open(m->en, m->s, e);
	int r = dir < 0 ? dir : memory_fit_note(m->en, &m->in->spec, &m->s->memory, e);

	return r < 0 ? r : engine_save(m->en, m->in, &m->fd, SAVE_WRITE, m->s->id, e);
}

/* Holes are not counted. */
static uint64_t stored_bytes(int dir, const char *name)
{
	struct stat st;

	return fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0 ? 0 : (uint64_t)st.st_blocks * 512;
}

int memory_save_rest(struct memory_saving *m, struct err *e)
{
	m->s->memory.pause_ns = clock_mono_ns();
	return engine_save(m->en, m->in, &m->fd, SAVE_REST, m->s->id, e);
}

static int write_mac(const struct memory_saving *m, int dir, struct err *e)
{
	autoclose int state = openat(dir, "state", O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

	return state < 0 ? err_sys(e, errno, "the saved state")
			 : memory_mac_write(m->en, m->s, dir, state, e);
}

int memory_save_go_on(struct memory_saving *m, struct err *e)
{
	struct snapshot_memory *mem = &m->s->memory;
	int r = engine_save(m->en, m->in, &m->fd, SAVE_GO_ON, "", e);

	mem->pause_ns = clock_mono_ns() - mem->pause_ns;
	return r;
}

int memory_save_end(struct memory_saving *m, struct err *e)
{
	struct snapshot_memory *mem = &m->s->memory;
	int r, dir = snapshot_dir_open(m->en, m->s, e);

	if (dir < 0)
		return dir;
	mem->file_bytes = stored_bytes(dir, "ram") + stored_bytes(dir, "state");
	r = write_mac(m, dir, e);
	if (r == 0 && syncfs(dir) < 0)
		r = err_sys(e, errno, "cannot make the snapshot durable");
	close(dir);
	return r;
}

void memory_discard(struct engine *en, const struct snapshot *s)
{
	autofree char *path = str_printf("%s/snapshots/%s", s->instance, s->id);

	if (path)
		remove_tree(en->instances_fd, path);
}

int memory_sweep(struct engine *en, const char *instance, int all, struct err *e)
{
	AUTO(strv_done) struct strv names = { 0 };
	int r = list_dir(all, &names);

	for (size_t i = 0; i < names.n && r == 0; i++) {
		AUTO(snapshot_done) struct snapshot s = { 0 };
		int k = snapshot_record_find(en->db, instance, names.v[i], &s, e);

		r = k == -ENOENT ? remove_tree(all, names.v[i]) : k;
	}
	return r < 0 ? err_sys(e, -r, "directories of snapshots") : 0;
}

/* --- restoring */

/* What was checked, and not what the file is by then. */
static int copy_of(int dir, struct err *e)
{
	AUTO(buf_done) struct buf b = { 0 };
	autoclose int fd = fd_move_above_stdio(memfd_create("state", MFD_CLOEXEC));
	int r = fd < 0 ? -errno : read_file(dir, "state", STATE_MAX, &b);

	if (r == 0)
		r = write_full(fd, b.data, b.len);
	if (r == 0 && lseek(fd, 0, SEEK_SET) < 0)
		r = -errno;
	return r < 0 ? err_sys(e, -r, "the saved state") : take_fd(&fd);
}

static int open_file(const struct snapshot *s, int dir, const char *name, struct err *e)
{
	int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

	return fd < 0 ? err_sys(e, errno, "snapshot %s: its memory", s->name) : fd;
}

int memory_open(struct engine *en, const struct snapshot *s, int *ret_state, int *ret_ram, struct err *e)
{
	autoclose int dir = -1, ram = -1, state = -1;
	bool whole; /* the state has the RAM: far too much to copy, and only who has the key can write to it */
	int r;

	if (!s->memory.format)
		return err_set(e, ENOENT, "snapshot %s holds no memory", s->name);
	r = memory_fit_check(en, s, e);
	if (r < 0)
		return r;
	whole = memory_fit_is_qemu(&s->memory);
	dir = snapshot_dir_open(en, s, e);
	if (dir < 0)
		return dir;
	state = whole ? open_file(s, dir, "state", e) : copy_of(dir, e);
	r = state < 0 ? state : memory_mac_check(en, s, dir, state, e);
	if (r == 0 && !whole)
		r = ram = open_file(s, dir, "ram", e);
	if (r < 0)
		return r;
	if (lseek(state, 0, SEEK_SET) < 0)
		return err_sys(e, errno, "snapshot %s: its memory", s->name);
	*ret_state = take_fd(&state);
	*ret_ram = take_fd(&ram);
	return 0;
}
