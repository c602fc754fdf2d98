/* machine_memory.c - the memory of a virtual machine in a snapshot */
#include "engine/machine_memory.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/hmac.h"
#include "base/io.h"
#include "base/path.h"
#include "engine/ask.h"
#include "engine/engine_int.h"
#include "wire/msg.h"

#define FORMAT	  "ketch-vmm/1" /* that of vmm/state.h and its RAM; another layout has another number */
#define KEY_FILE  "memory.key"
#define STATE_MAX (2 << 20)

int memory_can_save(const struct instance *in, struct err *e)
{
	if (in->spec.isolation != ISOLATION_VM)
		return err_set(e, ENOTSUP, "%s is a container: the memory of virtual machines alone is saved",
			       in->spec.name);
	if (in->spec.vm.driver != VM_DRIVER_KVM)
		return err_set(e, ENOTSUP, "the memory of a machine is saved under --driver kvm only");
	for (size_t i = 0; i < in->spec.n_mounts; i++)
		if (in->spec.mounts[i].type != MOUNT_TMPFS)
			return err_set(e, ENOTSUP,
				       "the memory of a machine with mounts of the host (%s) cannot be saved",
				       in->spec.mounts[i].target);
	return 0;
}

/* --- the mac */

static int make_key(int root, uint8_t ret[HMAC_KEY_BYTES])
{
	autoclose int fd = openat(root, KEY_FILE, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (fd < 0)
		return -errno;
	if (getrandom(ret, HMAC_KEY_BYTES, 0) != HMAC_KEY_BYTES)
		return -EIO;
	return write_full(fd, ret, HMAC_KEY_BYTES) < 0 || fsync(fd) < 0 ? -EIO : 0;
}

/* A key that was being made when the host went down is none, and nothing was made with it. */
static int read_key(struct engine *en, bool make, uint8_t ret[HMAC_KEY_BYTES], struct err *e)
{
	autoclose int root = open(en->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	AUTO(buf_done) struct buf b = { 0 };
	int r = root < 0 ? -errno : read_file(root, KEY_FILE, HMAC_KEY_BYTES, &b);

	if (r == 0 && b.len != HMAC_KEY_BYTES && make) {
		unlinkat(root, KEY_FILE, 0);
		r = -ENOENT;
	}
	if (r == 0 && b.len == HMAC_KEY_BYTES)
		memcpy(ret, b.data, HMAC_KEY_BYTES);
	else if (r == -ENOENT && make)
		r = make_key(root, ret);
	else if (r == 0)
		r = -EBADMSG;
	return r < 0 ? err_sys(e, -r, "the key of saved memory") : 0;
}

static void compute(const uint8_t key[HMAC_KEY_BYTES], const struct snapshot *s, const struct buf *state,
		    uint8_t ret[SHA256_BYTES])
{
	struct hmac h;

	hmac_init(&h, key);
	hmac_add(&h, FORMAT, sizeof(FORMAT));
	hmac_add(&h, s->id, strlen(s->id));
	hmac_add(&h, &s->memory.ram_bytes, sizeof(s->memory.ram_bytes));
	hmac_add(&h, state->data, state->len);
	hmac_end(&h, ret);
}

static int seal(struct engine *en, const struct snapshot *s, int dir, struct err *e)
{
	uint8_t key[HMAC_KEY_BYTES], mac[SHA256_BYTES];
	AUTO(buf_done) struct buf state = { 0 };
	int r = read_key(en, true, key, e);

	if (r < 0)
		return r;
	r = read_file(dir, "state", STATE_MAX, &state);
	if (r == 0) {
		compute(key, s, &state, mac);
		r = write_file_atomic(dir, "mac", 0600, mac, sizeof(mac));
	}
	explicit_bzero(key, sizeof(key));
	return r < 0 ? err_sys(e, -r, "the saved state") : 0;
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

	return dir < 0 ? dir : engine_save(m->en, m->in, &m->fd, SAVE_WRITE, m->s->id, e);
}

/* Holes are not counted. */
static uint64_t stored_bytes(int dir, const char *name)
{
	struct stat st;

	return fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0 ? 0 : (uint64_t)st.st_blocks * 512;
}

int memory_save_rest(struct memory_saving *m, struct err *e)
{
	struct snapshot_memory *mem = &m->s->memory;
	int r;

	mem->pause_ns = clock_mono_ns();
	r = engine_save(m->en, m->in, &m->fd, SAVE_REST, m->s->id, e);
	if (r < 0)
		return r;
	free(mem->format);
	mem->format = strdup(FORMAT);
	mem->ram_bytes = m->in->spec.vm.ram_bytes;
	return mem->format ? 0 : err_set(e, ENOMEM, "out of memory");
}

int memory_save_end(struct memory_saving *m, struct err *e)
{
	struct snapshot_memory *mem = &m->s->memory;
	int dir, r = engine_save(m->en, m->in, &m->fd, SAVE_GO_ON, "", e);

	mem->pause_ns = clock_mono_ns() - mem->pause_ns;
	memory_saving_done(m);
	if (r < 0)
		return r;
	dir = snapshot_dir_open(m->en, m->s, e);
	if (dir < 0)
		return dir;
	mem->file_bytes = stored_bytes(dir, "ram") + stored_bytes(dir, "state");
	r = seal(m->en, m->s, dir, e);
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

static int list(int all, struct strv *ret)
{
	int fd = openat(all, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), r = 0;
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *de;

	if (!d) {
		r = -errno;
		if (fd >= 0)
			close(fd);
		return r;
	}
	while (r == 0 && (de = readdir(d)))
		if (de->d_name[0] != '.')
			r = strv_add(ret, de->d_name);
	closedir(d);
	return r;
}

int memory_sweep(struct engine *en, const char *instance, int all, struct err *e)
{
	AUTO(strv_done) struct strv names = { 0 };
	int r = list(all, &names);

	for (size_t i = 0; i < names.n && r == 0; i++) {
		AUTO(snapshot_done) struct snapshot s = { 0 };
		int k = snapshot_record_find(en->db, instance, names.v[i], &s, e);

		r = k == -ENOENT ? remove_tree(all, names.v[i]) : k;
	}
	return r < 0 ? err_sys(e, -r, "directories of snapshots") : 0;
}

/* --- restoring */

static int check(struct engine *en, const struct snapshot *s, int dir, struct buf *state, struct err *e)
{
	uint8_t key[HMAC_KEY_BYTES], want[SHA256_BYTES];
	AUTO(buf_done) struct buf mac = { 0 };
	int r = read_key(en, false, key, e);

	if (r < 0)
		return r;
	r = read_file(dir, "state", STATE_MAX, state);
	if (r == 0)
		r = read_file(dir, "mac", SHA256_BYTES, &mac);
	if (r == 0)
		compute(key, s, state, want);
	explicit_bzero(key, sizeof(key));
	if (r < 0)
		return err_sys(e, -r, "snapshot %s: its saved state", s->name);
	if (mac.len != SHA256_BYTES || hmac_differ((const uint8_t *)mac.data, want))
		return err_set(e, EBADMSG,
			       "snapshot %s: its saved state was not written by this store, or is damaged",
			       s->name);
	return 0;
}

/* What was checked, and not what the file is by then. */
static int copy_of(const struct buf *state, struct err *e)
{
	autoclose int fd = fd_move_above_stdio(memfd_create("state", MFD_CLOEXEC));
	int r = fd < 0 ? -errno : write_full(fd, state->data, state->len);

	return r < 0 ? err_sys(e, -r, "memfd") : take_fd(&fd);
}

int memory_open(struct engine *en, const struct snapshot *s, int *ret_state, int *ret_ram, struct err *e)
{
	AUTO(buf_done) struct buf state = { 0 };
	autoclose int dir = -1, ram = -1, copy = -1;
	int r;

	if (!s->memory.format)
		return err_set(e, ENOENT, "snapshot %s holds no memory", s->name);
	if (strcmp(s->memory.format, FORMAT) != 0)
		return err_set(e, EPROTO,
			       "snapshot %s: its memory is of the format %.40s; this Ketch reads %s", s->name,
			       s->memory.format, FORMAT);
	dir = snapshot_dir_open(en, s, e);
	r = dir < 0 ? dir : check(en, s, dir, &state, e);
	if (r < 0)
		return r;
	ram = openat(dir, "ram", O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (ram < 0)
		return err_sys(e, errno, "snapshot %s: its memory", s->name);
	copy = copy_of(&state, e);
	if (copy < 0)
		return copy;
	*ret_state = take_fd(&copy);
	*ret_ram = take_fd(&ram);
	return 0;
}
