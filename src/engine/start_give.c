/* start_give.c - what a monitor is given: every path is opened here, and goes to it as a descriptor */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/io.h"
#include "base/path.h"
#include "base/self.h"
#include "engine/engine_int.h"
#include "engine/layers.h"
#include "engine/machine_memory.h"
#include "engine/net_int.h"
#include "engine/processes.h"
#include "engine/start_int.h"
#include "engine/volume_int.h"
#include "instance/boot.h"
#include "kernel/kernel.h"
#include "seccomp/seccomp.h"
#include "storage/ceiling.h"
#include "sys/mount.h"
#include "vm/disk.h"

static int open_layers(struct starter *s, struct layer_dirs *ret, struct err *e)
{
	return s->scratch ? layers_open_on(s->en, s->spec, s->scratch, ret, e)
			  : layers_open(s->en, s->spec, ret, e);
}

int start_give(struct starter *s, const char *name, int fd, struct err *e)
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
	return start_give(s, name, fd, e);
}

int start_give_dirs(struct starter *s, struct err *e)
{
	struct engine *en = s->en;
	int run, r;

	s->dir_fd = truth_dir_open(en, s->spec->id);
	r = start_give(s, "dir", s->dir_fd, e);
	if (r < 0)
		return r;
	run = mkdir_open(en->run_fd, s->spec->id, 0700);
	r = start_give(s, "run", run, e);
	if (r == 0)
		r = start_give(s, "events", fcntl(engine_events(en), F_DUPFD_CLOEXEC, 3), e);
	return r < 0 ? r : start_give(s, "run-root", fcntl(en->run_fd, F_DUPFD_CLOEXEC, 3), e);
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
	return fd < 0 ? fd : start_give(s, "seccomp", fd, e);
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

	r = start_give(s, "upper", mkdir_open(l->top, "upper", 0755), e);
	if (r == 0)
		r = start_give(s, "work", mkdir_open(l->top, "work", 0700), e);
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
	return fd < 0 ? fd : start_give(s, "disk", fd, e);
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
		r = fd < 0 ? fd : start_give(s, "root", fd, e);
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
		r = fd < 0 ? fd : start_give(s, "kernel", fd, e);
	}
	if (r == 0) {
		fd = kernel_initramfs_open(en->root, &k, e);
		r = fd < 0 ? fd : start_give(s, "initramfs", fd, e);
	}
	kernel_done(&k);
	return r;
}

static int give_processes(struct starter *s, struct err *e)
{
	int fd = processes_open(s->en, s->saved, e);

	return fd < 0 ? fd : start_give(s, "processes", fd, e);
}

static int give_memory(struct starter *s, struct err *e)
{
	int state, ram, r;

	if (s->spec->isolation == ISOLATION_CONTAINER)
		return give_processes(s, e);
	r = memory_open(s->en, s->saved, &state, &ram, e);
	if (r < 0)
		return r;
	r = start_give(s, "state", state, e);
	if (r == 0 && str_copy(s->saved->id, &s->boot.restored) < 0)
		r = err_set(e, ENOMEM, "out of memory");
	if (r < 0 && ram >= 0)
		close(ram);
	return r < 0 || ram < 0 ? r : start_give(s, "ram/0", ram, e);
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

int start_give_all(struct starter *s, struct err *e)
{
	const struct net_begins how = { .saved = s->saved, .again = s->was };
	int r = fill_boot(s, e);

	if (r == 0)
		r = shared_open(s->en, &s->boot, e);
	if (r == 0)
		r = net_start(s->en, &s->boot, &how, &s->net, e);
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

int start_give_client(struct starter *s, int *ret_ours, struct err *e)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return err_sys(e, errno, "socketpair");
	*ret_ours = pair[0];
	return start_give(s, "client", pair[1], e);
}

/* The monitor's program, to be executed by descriptor.  A container can make the kernel run it inside ("#!/proc/self/
 * exe") and then reopen it for writing through /proc/PID/exe (CVE-2019-5736): so it is seen through a read-only mount
 * of its own, which belongs to no mount namespace.  It stays open in the monitor, for its last close waits for RCU. */
int start_give_program(struct starter *s, struct err *e)
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
	return r < 0 ? err_sys(e, -r, "%s: read-only mount", path) : start_give(s, "program", mnt, e);
}
