/* start.c - a recorded instance starts: every path is opened here, the monitor gets descriptors
 *
 * The lock is taken first and goes to the monitor as an open descriptor: from then on until the monitor ends
 * the instance counts as running, with no moment between.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/io.h"
#include "base/path.h"
#include "base/self.h"
#include "engine/engine_int.h"
#include "engine/layers.h"
#include "engine/machine_memory.h"
#include "engine/net_int.h"
#include "engine/snapshot.h"
#include "engine/volume_int.h"
#include "instance/boot.h"
#include "kernel/kernel.h"
#include "seccomp/seccomp.h"
#include "storage/ceiling.h"
#include "sys/mount.h"
#include "vm/disk.h"

#define START_WAIT_S  150 /* longer than a machine may take to boot */
#define START_POLL_MS 5

struct starter {
	struct engine *en;
	const struct instance_spec *spec;
	struct boot boot; /* its fds are ours to close */
	int dir_fd; /* ROOT/instances/ID, also in boot */
	const struct snapshot *saved; /* goes on with its memory; NULL: boots */
	const struct writable *scratch; /* it has no record, and writes here (scratch.h); NULL */
};

static int open_layers(struct starter *s, struct layer_dirs *ret, struct err *e)
{
	return s->scratch ? layers_open_on(s->en, s->spec, s->scratch, ret, e)
			  : layers_open(s->en, s->spec, ret, e);
}

/* Hands fd (taken) to the monitor under this name. */
static int give(struct starter *s, const char *name, int fd, struct err *e)
{
	if (fd < 0)
		return err_sys(e, -fd, "%s", name);
	fd = fd_move_above_stdio(fd);
	if (fd < 0 || boot_add_fd(&s->boot, name, fd) < 0) {
		if (fd >= 0)
			close(fd);
		return err_set(e, ENOMEM, "%s: out of memory or descriptors", name);
	}
	return 0;
}

static int give_n(struct starter *s, const char *prefix, size_t i, int fd, struct err *e)
{
	char name[64];

	snprintf(name, sizeof(name), "%s/%zu", prefix, i);
	return give(s, name, fd, e);
}

static int give_dirs(struct starter *s, struct err *e)
{
	struct engine *en = s->en;
	int run, r;

	s->dir_fd = truth_dir_open(en, s->spec->id);
	r = give(s, "dir", s->dir_fd, e);
	if (r < 0)
		return r;
	run = mkdir_open(en->run_fd, s->spec->id, 0700);
	r = give(s, "run", run, e);
	if (r == 0)
		r = give(s, "events", fcntl(engine_events(en), F_DUPFD_CLOEXEC, 3), e);
	return r < 0 ? r : give(s, "run-root", fcntl(en->run_fd, F_DUPFD_CLOEXEC, 3), e);
}

static int open_bind(const char *path, struct err *e)
{
	int fd = open(path, O_PATH | O_CLOEXEC);

	return fd < 0 ? err_sys(e, errno, "mount source %.200s", path) : fd;
}

/* The source of each mount, opened once. */
static int give_mounts(struct starter *s, struct err *e)
{
	for (size_t i = 0; i < s->spec->n_mounts; i++) {
		const struct mount_spec *m = &s->spec->mounts[i];
		int fd, r;

		if (m->type == MOUNT_TMPFS)
			continue;
		fd = m->type == MOUNT_VOLUME ? volume_open(s->en, s->spec, m, e) : open_bind(m->source, e);
		if (fd < 0)
			return fd;
		r = give_n(s, "mount", i, fd, e);
		if (r < 0)
			return r;
	}
	return 0;
}

static int give_seccomp(struct starter *s, struct err *e)
{
	autofree char *cache = str_printf("%s/seccomp", s->en->root);
	int fd;

	if (!s->spec->seccomp)
		return 0;
	fd = seccomp_filter_reopen(cache, s->spec->seccomp, e);
	return fd < 0 ? fd : give(s, "seccomp", fd, e);
}

/* Sealed layers are handed over by copies: `l` closes its own. */
static int give_below(struct starter *s, const struct layer_dirs *l, struct err *e)
{
	int r = 0;

	for (size_t i = 0; i < l->n_below && r == 0; i++)
		r = give_n(s, "sealed", i, fcntl(l->below[i], F_DUPFD_CLOEXEC, 3), e);
	return r;
}

/* Where the instance writes, with its ceiling. */
static int give_written(struct starter *s, const struct layer_dirs *l, struct err *e)
{
	int written[2], r;

	r = give(s, "upper", mkdir_open(l->top, "upper", 0755), e);
	if (r == 0)
		r = give(s, "work", mkdir_open(l->top, "work", 0700), e);
	if (r < 0 || !s->spec->storage_bytes)
		return r;
	written[0] = boot_fd(&s->boot, "upper");
	written[1] = boot_fd(&s->boot, "work");
	return ceiling_hold(s->dir_fd, written, 2, s->spec->storage_bytes, e);
}

static int give_container(struct starter *s, struct err *e)
{
	AUTO(layers_done) struct layer_dirs written = { .top = -1 };
	int r = open_layers(s, &written, e);

	for (size_t i = 0; i < s->spec->layers.n && r == 0; i++) {
		int fd = image_layer_open(s->en->images, s->spec->layers.v[i], e);

		r = fd < 0 ? fd : give_n(s, "layer", i, fd, e);
	}
	if (r == 0)
		r = give_below(s, &written, e);
	return r < 0 ? r : give_written(s, &written, e);
}

/* QEMU under KVM unpacks a kernel by itself, and then moves it to a random place (docs/design/005). */
static bool boots_image(const struct vm_spec *vm)
{
	return vm->driver == VM_DRIVER_QEMU && vm->accel_kvm;
}

static int give_disk(struct starter *s, struct err *e)
{
	AUTO(layers_done) struct layer_dirs written = { .top = -1 };
	int fd, r = open_layers(s, &written, e);

	if (r == 0)
		r = give_below(s, &written, e);
	if (r < 0)
		return r;
	fd = written.n_below ? vm_disk_open_above(written.top, written.below[0], e)
			     : vm_disk_open(written.top, s->spec->storage_bytes, e);
	return fd < 0 ? fd : give(s, "disk", fd, e);
}

/* The image as the disks that it was created with: each layer, or all in one. */
static int give_image(struct starter *s, struct err *e)
{
	struct engine *en = s->en;
	struct image im = { 0 };
	int fd, r = 0;

	for (size_t i = 0; i < (size_t)s->spec->vm.layer_disks && r == 0; i++) {
		fd = image_layer_file_open(en->images, s->spec->layers.v[i], e);
		r = fd < 0 ? fd : give_n(s, "layer", i, fd, e);
	}
	if (s->spec->vm.layer_disks)
		return r;
	r = image_find(en->images, s->spec->image_id, &im, e);
	if (r == 0) {
		fd = image_erofs_open(en->images, &im, en->progress, en->progress_arg, e);
		r = fd < 0 ? fd : give(s, "root", fd, e);
	}
	image_done(&im);
	return r;
}

static int give_vm(struct starter *s, struct err *e)
{
	struct engine *en = s->en;
	struct kernel k = { 0 };
	int fd, r = give_image(s, e);

	if (r == 0)
		r = give_disk(s, e);
	if (r == 0)
		r = kernel_find(en->root, s->spec->vm.kernel, &k, e);
	if (r == 0) {
		fd = boots_image(&s->spec->vm) ? kernel_image_open(&k, e)
					       : kernel_unpacked_open(en->root, &k, e);
		r = fd < 0 ? fd : give(s, "kernel", fd, e);
	}
	if (r == 0) {
		fd = kernel_initramfs_open(en->root, &k, e);
		r = fd < 0 ? fd : give(s, "initramfs", fd, e);
	}
	kernel_done(&k);
	return r;
}

static int give_memory(struct starter *s, struct err *e)
{
	int state, ram, r = memory_open(s->en, s->saved, &state, &ram, e);

	if (r < 0)
		return r;
	r = give(s, "state", state, e);
	if (r < 0)
		close(ram);
	return r < 0 ? r : give(s, "ram/0", ram, e);
}

static int fill_boot(struct starter *s, struct err *e)
{
	struct boot *b = &s->boot;

	if (json_copy(&instance_spec_table, s->spec, &b->spec) < 0 ||
	    json_copy(&host_facts_table, engine_facts(s->en), &b->facts) < 0)
		return err_set(e, ENOMEM, "out of memory");
	b->root = strdup(s->en->root);
	b->run_root = strdup(s->en->run_root);
	b->ketch = self_program("ketch");
	return b->root && b->run_root && b->ketch ? 0
						  : err_set(e, ENOENT, "the program ketch cannot be found");
}

/* The boot document as a file whose position is at its start. */
static int boot_document(const struct boot *b, struct err *e)
{
	AUTO(buf_done) struct buf text = { 0 };
	int fd, r = json_print(&boot_table, b, 0, &text);

	if (r < 0)
		return err_set(e, ENOMEM, "out of memory");
	fd = fd_move_above_stdio(memfd_create("ketch-boot", MFD_CLOEXEC));
	if (fd < 0)
		return err_sys(e, errno, "memfd");
	r = write_full(fd, text.data, text.len);
	if (r == 0 && lseek(fd, 0, SEEK_SET) < 0)
		r = -errno;
	if (r < 0) {
		close(fd);
		return err_sys(e, -r, "boot document");
	}
	return fd;
}

/* Descriptors that the child keeps: duplicated onto themselves, which clears close-on-exec. */
static int keep_fds(const struct boot *b, int boot_fd_no, posix_spawn_file_actions_t *fa)
{
	int r = posix_spawn_file_actions_adddup2(fa, boot_fd_no, boot_fd_no);

	for (size_t i = 0; i < b->n_fds && r == 0; i++)
		r = posix_spawn_file_actions_adddup2(fa, b->fds[i].fd, b->fds[i].fd);
	for (int i = 0; i < 3 && r == 0; i++)
		if (i < 2 || !getenv("KETCH_DEBUG"))
			r = posix_spawn_file_actions_addopen(fa, i, "/dev/null", O_RDWR, 0);
	return r;
}

/* The monitor's program, to be executed by descriptor.  A container can make the kernel run it inside ("#!/proc/self/
 * exe") and then reopen it for writing through /proc/PID/exe (CVE-2019-5736): so it is seen through a read-only mount
 * of its own, which belongs to no mount namespace.  It stays open in the monitor, for its last close waits for RCU. */
static int give_program(struct starter *s, struct err *e)
{
	autofree char *path = self_program("ketch-monitor");
	autoclose int file = path ? open(path, O_PATH | O_CLOEXEC) : -1;
	int mnt, r;

	if (file < 0)
		return err_set(e, ENOENT, "the program ketch-monitor cannot be found");
	mnt = mount_clone(file, false);
	r = mnt < 0 ? mnt : mount_change(mnt, MOUNT_ATTR_RDONLY, 0, false);
	if (r < 0 && mnt >= 0)
		close(mnt);
	return r < 0 ? err_sys(e, -r, "%s: read-only mount", path) : give(s, "program", mnt, e);
}

static int spawn_monitor(struct starter *s, struct err *e)
{
	autoclose int doc = boot_document(&s->boot, e);
	char number[16], debug[64], program[32],
		*path = (char[]){ "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" };
	char *argv[] = { (char[]){ "ketch-monitor" }, s->spec->name, number, NULL };
	char *envp[] = { path, debug, NULL };
	posix_spawn_file_actions_t fa;
	posix_spawnattr_t attr;
	pid_t pid;
	int r;

	if (doc < 0)
		return doc;
	snprintf(program, sizeof(program), "/proc/self/fd/%d", boot_fd(&s->boot, "program"));
	snprintf(number, sizeof(number), "%d", doc);
	snprintf(debug, sizeof(debug), "KETCH_DEBUG=%s", getenv("KETCH_DEBUG") ? getenv("KETCH_DEBUG") : "");
	envp[1] = getenv("KETCH_DEBUG") ? debug : NULL;
	posix_spawn_file_actions_init(&fa);
	posix_spawnattr_init(&attr);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSID);
	r = keep_fds(&s->boot, doc, &fa);
	if (r == 0)
		r = posix_spawn(&pid, program, &fa, &attr, argv, envp);
	posix_spawnattr_destroy(&attr);
	posix_spawn_file_actions_destroy(&fa);
	return r ? err_sys(e, r, "the program ketch-monitor") : 0;
}

static void starter_done(struct starter *s)
{
	for (size_t i = 0; i < s->boot.n_fds; i++)
		close(s->boot.fds[i].fd);
	json_done(&boot_table, &s->boot);
}

static int give_all(struct starter *s, struct err *e)
{
	int r = fill_boot(s, e);

	if (r == 0)
		r = shared_open(s->en, &s->boot, e);
	if (r == 0)
		r = net_start(s->en, &s->boot, e);
	if (r == 0)
		r = give_mounts(s, e);
	if (r == 0)
		r = give_seccomp(s, e);
	if (r == 0)
		r = s->spec->isolation == ISOLATION_VM ? give_vm(s, e) : give_container(s, e);
	if (r == 0 && s->saved)
		r = give_memory(s, e);
	return r;
}

/* Under the lock, without which no record is removed: it may have been before. */
static int check_record(struct engine *en, const struct instance_spec *spec, struct err *e)
{
	struct instance_spec found = { 0 };
	int r = record_find(en->db, spec->id, &found, e);

	json_done(&instance_spec_table, &found);
	if (r == -ENOENT)
		remove_tree(en->instances_fd, spec->id);
	return r;
}

/* The lock of an instance that does not run.  Others hold it for a moment: a monitor that has written its last word, a
 * command that looks at it, removes it or starts it, too. */
int start_lock(struct engine *en, const struct instance_spec *spec, int *ret, struct err *e)
{
	int64_t end = clock_mono_ns() + START_WAIT_S * NS_PER_S;
	struct instance now = { .spec = *spec };
	int r;

	while ((r = truth_lock(en, spec->id, ret, e)) == -EBUSY && clock_mono_ns() < end) {
		r = truth_refresh(en, &now, e);
		if (r == 0 && instance_is_live(&now.state) && now.state.status != STATUS_STARTING)
			r = err_set(e, EALREADY, "%s is running", spec->name);
		if (r < 0)
			break;
		poll(NULL, 0, START_POLL_MS);
	}
	json_done(&instance_state_table, &now.state);
	return r;
}

static int give_client(struct starter *s, int *ret_ours, struct err *e)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return err_sys(e, errno, "socketpair");
	*ret_ours = pair[0];
	return give(s, "client", pair[1], e);
}

static int settle(const struct starter *s, struct err *e)
{
	struct instance now = { .spec = *s->spec };
	int r = truth_settle(s->en, &now, e);

	json_done(&instance_state_table, &now.state);
	return r;
}

/* Said before the monitor is there to say it: whoever looks meanwhile, or finds it killed, takes it for nothing else. */
static int note_files(const struct starter *s)
{
	const struct instance_state st = { .status = STATUS_CREATED, .files_only = true };
	AUTO(buf_done) struct buf b = { 0 };
	int r = json_print(&instance_state_table, &st, 0, &b);

	return r < 0 ? r : write_file_swap(boot_fd(&s->boot, "run"), "state.json", 0600, b.data, b.len);
}

static int start_monitor(struct starter *s, struct err *e)
{
	int r = s->boot.files_only ? note_files(s) : truth_note_start(s->dir_fd);

	if (r < 0)
		return err_sys(e, -r, "directory of %s", s->spec->name);
	r = spawn_monitor(s, e);
	if (r < 0 && !s->boot.files_only)
		truth_forget_start(s->dir_fd);
	return r;
}

/* From the lock (taken) to a monitor that runs.  again: the run directory stays as the last monitor left it. */
static int launch(struct starter *s, int lock, bool again, int *ret_fd, struct err *e)
{
	autoclose int ours = -1;
	int r = give(s, "lock", lock, e);

	if (r == 0 && !s->scratch)
		r = check_record(s->en, s->spec, e);
	if (r == 0 && !again)
		r = settle(s, e);
	if (r == 0)
		r = give_dirs(s, e);
	if (r == 0)
		r = give_all(s, e);
	if (r == 0 && !s->boot.files_only)
		s->boot.snapshot_in_ns = snapshot_auto_due_ns(s->en, s->spec);
	if (r == 0)
		r = give_client(s, &ours, e);
	if (r == 0)
		r = give_program(s, e);
	if (r == 0)
		r = start_monitor(s, e);
	if (r < 0 && !s->boot.files_only)
		net_release_held(s->en, s->spec->id, true, NULL);
	if (r == 0)
		*ret_fd = take_fd(&ours);
	return r;
}

static int start(struct starter *s, int *ret_fd, struct err *e)
{
	int lock, r = start_lock(s->en, s->spec, &lock, e);

	if (r < 0)
		return r;
	r = launch(s, lock, false, ret_fd, e);
	if (r < 0)
		remove_tree(s->en->run_fd, s->spec->id);
	return r;
}

int engine_start(struct engine *en, const struct instance_spec *spec, int *ret_fd, struct err *e)
{
	AUTO(starter_done) struct starter s = { .en = en, .spec = spec, .dir_fd = -1 };

	return start(&s, ret_fd, e);
}

int engine_start_saved(struct engine *en, const struct instance_spec *spec, const struct snapshot *from,
		       int *ret_fd, struct err *e)
{
	AUTO(starter_done) struct starter s = { .en = en, .spec = spec, .dir_fd = -1, .saved = from };

	return start(&s, ret_fd, e);
}

int start_files(struct engine *en, const struct instance_spec *spec, int *ret_fd, struct err *e)
{
	AUTO(starter_done)
	struct starter s = { .en = en, .spec = spec, .boot.files_only = true, .dir_fd = -1 };

	return start(&s, ret_fd, e);
}

int start_scratch(struct engine *en, const struct instance_spec *spec, const struct writable *w, int lock,
		  int *ret_fd, struct err *e)
{
	AUTO(starter_done)
	struct starter s = { .en = en, .spec = spec, .boot.files_only = true, .dir_fd = -1, .scratch = w };
	int r = launch(&s, lock, false, ret_fd, e);

	if (r < 0)
		remove_tree(en->run_fd, spec->id);
	return r;
}

int engine_start_locked(struct engine *en, const struct instance *in, int lock, int *ret_fd, struct err *e)
{
	AUTO(starter_done) struct starter s = { .en = en, .spec = &in->spec, .dir_fd = -1 };
	struct instance ended = { .spec = in->spec };
	int r = truth_take_lock(en, in->spec.id, lock, e);

	if (r < 0)
		return r;
	s.boot.restarts = in->state.restarts;
	s.boot.backoff_ms = in->state.backoff_ms;
	r = launch(&s, lock, true, ret_fd, e);
	if (r == 0)
		return 0;
	if (json_copy(&instance_state_table, &in->state, &ended.state) == 0)
		truth_record_end(en, &ended, e->msg, NULL);
	json_done(&instance_state_table, &ended.state);
	remove_tree(en->run_fd, in->spec.id);
	return r;
}
