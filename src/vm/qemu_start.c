/* qemu_start.c - driver qemu: starting it with few rights
 *
 * QEMU runs as a user of its own without capabilities, in empty network and IPC namespaces, under its seccomp
 * sandbox and Landlock: of the host's files it can read its own program, the kernel and the initramfs.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/io.h"
#include "base/parse.h"
#include "sys/landlock.h"
#include "sys/mount.h"
#include "sys/ns.h"
#include "sys/tsc.h"
#include "vm/qemu_int.h"

/* --- steps */

/* In software emulation the guest's TSC is the host's.  To calibrate it against the emulated PIT fails now and
 * then, and the kernel then hangs: microvm has no other clock.  So it is told. */
static int apply_tsc(void *ctx, const struct step *s, struct err *e)
{
	struct machine *m = ctx;
	uint64_t khz = tsc_measure_khz();

	if (khz)
		buf_addf(&m->kernel_args, " %s=%llu", s->what, (unsigned long long)khz);
	return 0;
}

/* --- in QEMU's process, before exec */

struct rights {
	const struct machine *machine;
	int landlock; /* what it may read; -1: this kernel cannot confine it */
};

/* QEMU opens /dev/kvm by its name, and on some hosts only root may: in a mount namespace of its own it finds a node there
 * that belongs to its user.  /tmp, which every system has, is where that node lies. */
static int own_kvm(uid_t uid)
{
	autoclose int box = -1, tmp = -1, node = -1, place = -1, copy = -1;
	struct stat st;
	int r = ns_unshare(CLONE_NEWNS);

	if (r == 0)
		r = mount_set_all(MS_PRIVATE);
	if (r < 0)
		return r;
	tmp = open("/tmp", O_PATH | O_CLOEXEC);
	place = open("/dev/kvm", O_PATH | O_CLOEXEC);
	if (tmp < 0 || place < 0 || fstat(place, &st) < 0)
		return -errno;
	box = mount_new("tmpfs", "size=4k,mode=755", MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC);
	r = box < 0 ? box : mount_attach(box, tmp);
	if (r < 0)
		return r;
	if (mknodat(box, "kvm", S_IFCHR | 0600, st.st_rdev) < 0 || fchownat(box, "kvm", uid, uid, 0) < 0)
		return -errno;
	node = openat(box, "kvm", O_PATH | O_CLOEXEC);
	copy = node < 0 ? -errno : mount_clone(node, false);
	return copy < 0 ? copy : mount_attach(copy, place);
}

static int drop_to(uid_t uid)
{
	if (geteuid() != 0)
		return 0;
	return setgroups(0, NULL) < 0 || setresgid(uid, uid, uid) < 0 || setresuid(uid, uid, uid) < 0 ? -errno
												      : 0;
}

static int prepare_vmm(void *arg, struct err *e)
{
	const struct rights *rights = arg;
	const struct machine *m = rights->machine;
	uid_t uid = vmm_uid(m->boot->spec.id);
	int r = machine_enter_cgroups(m, e);

	if (r < 0)
		return r;
	r = ns_unshare(CLONE_NEWNET | CLONE_NEWIPC);
	if (r == 0 && m->boot->spec.vm.accel_kvm)
		r = own_kvm(uid);
	if (r == 0 && m->boot->spec.vm.accel_kvm && rights->landlock >= 0)
		r = landlock_allow_path(rights->landlock, "/dev/kvm", true);
	if (r == 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		r = -errno;
	if (r == 0)
		r = drop_to(uid);
	if (r == 0 && rights->landlock >= 0)
		r = landlock_enter(rights->landlock);
	return r < 0 ? err_sys(e, -r, "qemu: giving up rights") : 0;
}

/* --- in the monitor */

/* QEMU opens kernel and initramfs anew (/proc/self/fd/N), as a user who may read only what everybody may: a file
 * that is not such is copied.  *fd is replaced; the copy is in *ret_copy. */
static int make_readable(int *fd, int *ret_copy)
{
	autoclose int copy = -1;
	struct stat st;
	int r;

	if (fstat(*fd, &st) < 0)
		return -errno;
	if (st.st_mode & S_IROTH)
		return 0;
	copy = memfd_create("kernel", MFD_CLOEXEC);
	r = copy < 0 || lseek(*fd, 0, SEEK_SET) < 0 ? -errno : copy_fd(*fd, copy);
	if (r == 0 && fchmod(copy, 0444) < 0)
		r = -errno;
	if (r == 0)
		*fd = *ret_copy = take_fd(&copy);
	return r;
}

/* Where QEMU is installed: what is above the bin/ that it is in. */
static char *install_prefix(const char *program)
{
	const char *bin = strrchr(program, '/');

	while (bin && bin > program && *--bin != '/')
		;
	return bin && bin > program ? strndup(program, (size_t)(bin - program)) : strdup("/usr");
}

/* QEMU needs to read itself, its libraries and firmware, kernel and initramfs; its last step before exec opens
 * /dev/null. */
static int allow_places(const struct machine *m, int set)
{
	autofree char *prefix = install_prefix(m->argv.v[0]);
	const char *const places[] = { "/usr", "/lib", "/lib64", "/etc/ld.so.cache", prefix };
	int r = prefix ? landlock_allow_path(set, "/dev/null", true) : -ENOMEM;

	for (size_t i = 0; i < ARRAY_LEN(places) && r == 0; i++)
		r = landlock_allow_path(set, places[i], false);
	for (size_t i = 0; i < m->n_fds && r == 0; i++)
		if (m->fds[i].as == FD_KERNEL || m->fds[i].as == FD_INITRAMFS)
			r = landlock_allow(set, m->fds[i].fd, false);
	return r;
}

/* *ret: the rule set, or -1 where the kernel has none, which is said. */
static int confine(const struct machine *m, int *ret, struct err *e)
{
	static const char none[] = "this host has no Landlock: only its user id keeps the VMM from files";
	autoclose int set = landlock_new();
	int r;

	*ret = -1;
	if (set == -ENOSYS || set == -EOPNOTSUPP) {
		r = strv_add(&m->state->warnings, none);
		return r < 0 ? err_set(e, ENOMEM, "out of memory") : 0;
	}
	r = set < 0 ? set : allow_places(m, set);
	if (r < 0)
		return err_sys(e, -r, "qemu: landlock");
	*ret = take_fd(&set);
	return 0;
}

/* What it is restored from instead of being booted; it goes on by itself when that was read. */
static int give_saved(struct machine *m)
{
	int r, fd = boot_fd(m->boot, "state");

	if (fd < 0)
		return 0;
	if (m->n_fds == ARRAY_LEN(m->fds))
		return -ENOSPC;
	m->fds[m->n_fds++] = (struct child_fd){ fd, FD_STATE };
	r = strv_add(&m->argv, "-incoming");
	return r < 0 ? r : strv_addf(&m->argv, "fd:%d", FD_STATE);
}

/* Replaces kernel and initramfs by copies where need be; adds the last of the command line. */
static int complete(struct machine *m, int *ret_kernel, int *ret_initramfs)
{
	int r = give_saved(m);

	for (size_t i = 0; i < m->n_fds && r == 0; i++) {
		if (m->fds[i].as == FD_KERNEL)
			r = make_readable(&m->fds[i].fd, ret_kernel);
		else if (m->fds[i].as == FD_INITRAMFS)
			r = make_readable(&m->fds[i].fd, ret_initramfs);
	}
	if (r == 0)
		r = strv_add(&m->argv, "-append");
	return r < 0 ? r : strv_add(&m->argv, m->kernel_args.data);
}

static int apply_start(void *ctx, const struct step *s, struct err *e)
{
	struct machine *m = ctx;
	autoclose int kernel = -1, initramfs = -1, landlock = -1;
	int r = complete(m, &kernel, &initramfs);

	if (r < 0)
		return err_sys(e, -r, "qemu");
	r = confine(m, &landlock, e);
	if (r < 0)
		return r;
	m->vmm.ended = m->child_ended;
	m->vmm.arg = m->arg;
	r = child_start(&m->vmm,
			&(struct child_spec){
				.name = "qemu",
				.argv = m->argv.v,
				.fds = m->fds,
				.n_fds = m->n_fds,
				.say_fd = m->say_fd,
				.cgroup_fd = machine_cgroup_fd(m),
				.prepare = prepare_vmm,
				.arg = &(struct rights){ m, landlock },
			},
			m->loop, e);
	if (r == 0)
		machine_drop_vmm_ends(m);
	return r;
}

const struct step_op op_kernel_tsc = { "kernel-tsc", STAGE_HOST, apply_tsc };
const struct step_op op_vmm_start = { "vmm-start", STAGE_HOST, apply_start };
