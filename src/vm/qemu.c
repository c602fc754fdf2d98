/* qemu.c - driver qemu: machine microvm, everything given to it as descriptors
 *
 * microvm boots a stock kernel 0.6 s faster in software emulation than q35 does (1.7 s against 2.3 s to the first
 * line of init on the reference machine): no PCI, no option ROMs, virtio-mmio found through ACPI.
 *
 * QEMU runs as a user of its own without capabilities, in empty network and IPC namespaces, under its seccomp
 * sandbox; its descriptors have fixed numbers, so that the plan shows the command line as it is.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/io.h"
#include "base/parse.h"
#include "instance/guest.h"
#include "sys/ns.h"
#include "sys/tsc.h"
#include "vm/share.h"
#include "vm/vm_int.h"

/* What QEMU finds its descriptors under. */
enum { FD_AGENT = 3, FD_CONSOLE, FD_KERNEL, FD_INITRAMFS, FD_ROOT, FD_DISK, FD_SHARES };

#define MIB	      (UINT64_C(1) << 20)
#define TCG_CACHE_MIB 128 /* translated code; QEMU's default would grow to 1 GiB */

/* User ids 0x70000000... belong to nobody (systemd's UIDS-GIDS.md); the low bits are the instance's, so that two
 * VMMs cannot touch each other. */
#define UID_BASE 0x70000000U
#define UID_BITS 0x00ffffffU

/* --- steps */

static int apply_arg(void *ctx, const struct step *s, struct err *e)
{
	struct machine *m = ctx;
	int r = strv_add(&m->argv, s->what);

	if (r == 0 && s->data)
		r = strv_add(&m->argv, s->data);
	return r < 0 ? err_set(e, ENOMEM, "out of memory") : 0;
}

static int apply_kernel_arg(void *ctx, const struct step *s, struct err *e)
{
	struct machine *m = ctx;

	buf_addf(&m->kernel_args, "%s%s", m->kernel_args.len ? " " : "", s->what);
	return buf_ok(&m->kernel_args) ? 0 : err_set(e, ENOMEM, "out of memory");
}

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

static int apply_fd(void *ctx, const struct step *s, struct err *e)
{
	struct machine *m = ctx;
	int fd = machine_named_fd(m, s->from);
	uint32_t number;

	if (fd < 0 || m->n_fds == ARRAY_LEN(m->fds) || parse_u32(s->what, &number) < 0)
		return err_set(e, EBADF, "no descriptor %s", s->from);
	m->fds[m->n_fds++] = (struct child_fd){ fd, (int)number };
	return 0;
}

/* --- in QEMU's process, before exec */

/* /dev/kvm is open to a group. */
static int keep_kvm_group(const struct machine *m)
{
	struct stat st;
	gid_t gid;

	if (!m->boot->spec.vm.accel_kvm || stat("/dev/kvm", &st) < 0)
		return setgroups(0, NULL);
	gid = st.st_gid;
	return setgroups(1, &gid);
}

static uid_t vmm_uid(const char *id)
{
	char digits[9] = "";

	strncat(digits, id, 8);
	return UID_BASE + ((uid_t)strtoul(digits, NULL, 16) & UID_BITS);
}

static int prepare_vmm(void *arg, struct err *e)
{
	const struct machine *m = arg;
	uid_t uid = vmm_uid(m->boot->spec.id);
	int r = machine_enter_cgroups(m, e);

	if (r < 0)
		return r;
	r = ns_unshare(CLONE_NEWNET | CLONE_NEWIPC);
	if (r == 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		r = -errno;
	if (r == 0 && geteuid() == 0 &&
	    (keep_kvm_group(m) < 0 || setresgid(uid, uid, uid) < 0 || setresuid(uid, uid, uid) < 0))
		r = -errno;
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

static void drop_vmm_ends(struct machine *m)
{
	int *ends[] = { &m->agent_fd, &m->console_fd };

	for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
		close(*ends[i]);
		*ends[i] = -1;
	}
	for (size_t i = 0; i < m->n_shares; i++) {
		close(m->shares[i].vmm_fd);
		m->shares[i].vmm_fd = -1;
	}
}

static int apply_start(void *ctx, const struct step *s, struct err *e)
{
	struct machine *m = ctx;
	autoclose int kernel = -1, initramfs = -1;
	struct child_spec spec = {
		.name = "qemu",
		.fds = m->fds,
		.n_fds = m->n_fds,
		.say_fd = m->say_fd,
		.cgroup_fd = machine_cgroup_fd(m),
		.prepare = prepare_vmm,
		.arg = m,
	};
	int r = 0;

	for (size_t i = 0; i < m->n_fds && r == 0; i++) {
		if (m->fds[i].as == FD_KERNEL)
			r = make_readable(&m->fds[i].fd, &kernel);
		else if (m->fds[i].as == FD_INITRAMFS)
			r = make_readable(&m->fds[i].fd, &initramfs);
	}
	if (r == 0)
		r = strv_add(&m->argv, "-append");
	if (r == 0)
		r = strv_add(&m->argv, m->kernel_args.data);
	if (r < 0)
		return err_sys(e, -r, "qemu");
	spec.argv = m->argv.v;
	m->vmm.ended = m->child_ended;
	m->vmm.arg = m->arg;
	r = child_start(&m->vmm, &spec, m->loop, e);
	if (r == 0)
		drop_vmm_ends(m);
	return r;
}

static const struct step_op op_vmm_arg = { "vmm-arg", STAGE_HOST, apply_arg };
static const struct step_op op_kernel_arg = { "kernel-arg", STAGE_HOST, apply_kernel_arg };
static const struct step_op op_kernel_tsc = { "kernel-tsc", STAGE_HOST, apply_tsc };
static const struct step_op op_vmm_fd = { "vmm-fd", STAGE_HOST, apply_fd };
static const struct step_op op_vmm_start = { "vmm-start", STAGE_HOST, apply_start };

/* --- plan */

struct planner {
	struct plan *plan;
	int r; /* the first failure */
};

__attribute__((format(printf, 3, 4))) static void arg(struct planner *pl, const char *option, const char *fmt,
						      ...)
{
	autofree char *value = NULL;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&value, fmt, ap) < 0)
		value = NULL;
	va_end(ap);
	if (pl->r == 0)
		pl->r = value ? plan_add(pl->plan, &op_vmm_arg, option, NULL, *value ? value : NULL, 0)
			      : -ENOMEM;
}

static void give_fd(struct planner *pl, int number, const char *from)
{
	char text[16];

	snprintf(text, sizeof(text), "%d", number);
	if (pl->r == 0)
		pl->r = plan_add(pl->plan, &op_vmm_fd, text, from, NULL, 0);
}

static void kernel_arg(struct planner *pl, const char *words)
{
	if (pl->r == 0)
		pl->r = plan_add(pl->plan, &op_kernel_arg, words, NULL, NULL, 0);
}

static void plan_base(struct planner *pl, const struct instance_spec *s, const struct host_facts *h)
{
	unsigned long long mib = s->vm.ram_bytes / MIB;
	bool shared = false;

	for (size_t i = 0; i < s->n_mounts; i++)
		shared = shared || share_is_needed(&s->mounts[i]);
	arg(pl, h->qemu, "%s", "");
	arg(pl, "-name", "ketch-%s,process=ketch-qemu", s->name);
	arg(pl, "-nodefaults", "%s", "");
	arg(pl, "-no-user-config", "%s", "");
	arg(pl, "-no-reboot", "%s", "");
	arg(pl, "-display", "none");
	arg(pl, "-sandbox", "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny");
	arg(pl, "-machine", "microvm,acpi=on,memory-backend=ram");
	if (s->vm.accel_kvm)
		arg(pl, "-accel", "kvm");
	else
		arg(pl, "-accel", "tcg,thread=multi,tb-size=%d", TCG_CACHE_MIB);
	arg(pl, "-cpu", "%s", s->vm.accel_kvm ? "host" : "max");
	arg(pl, "-smp", "%d", s->vm.vcpus);
	arg(pl, "-m", "%lluM", mib);
	/* file servers must map the guest's memory; without them it stays private to QEMU */
	if (shared)
		arg(pl, "-object", "memory-backend-memfd,id=ram,size=%lluM,share=on", mib);
	else
		arg(pl, "-object", "memory-backend-ram,id=ram,size=%lluM", mib);
}

static void plan_wires(struct planner *pl)
{
	give_fd(pl, FD_CONSOLE, "console");
	arg(pl, "-chardev", "socket,id=console,fd=%d", FD_CONSOLE);
	arg(pl, "-serial", "chardev:console");
	arg(pl, "-global", "virtio-mmio.force-legacy=off");
	give_fd(pl, FD_AGENT, "agent");
	arg(pl, "-chardev", "socket,id=agent,fd=%d", FD_AGENT);
	arg(pl, "-device", "virtio-serial-device,max_ports=2");
	arg(pl, "-device", "virtserialport,chardev=agent,name=" GUEST_PORT);
	arg(pl, "-object", "rng-builtin,id=rng");
	arg(pl, "-device", "virtio-rng-device,rng=rng");
}

static void plan_disk(struct planner *pl, const char *name, int number, const char *options)
{
	char from[32];

	snprintf(from, sizeof(from), "fd:%s", name);
	give_fd(pl, number, from);
	arg(pl, "-add-fd", "fd=%d,set=%d", number, number);
	arg(pl, "-blockdev", "driver=file,node-name=%s,filename=/dev/fdset/%d,locking=off,%s", name, number,
	    options);
	arg(pl, "-device", "virtio-blk-device,drive=%s,serial=%s", name, name);
}

static void plan_shares(struct planner *pl, const struct instance_spec *s)
{
	int number = FD_SHARES;

	for (size_t i = 0; i < s->n_mounts; i++) {
		char tag[GUEST_TAG_MAX], from[GUEST_TAG_MAX + 8];

		if (!share_is_needed(&s->mounts[i]))
			continue;
		guest_share_tag(i, tag);
		snprintf(from, sizeof(from), "share:%s", tag);
		give_fd(pl, number, from);
		arg(pl, "-chardev", "socket,id=%s,fd=%d", tag, number);
		arg(pl, "-device", "vhost-user-fs-device,chardev=%s,tag=%s,queue-size=1024", tag, tag);
		number++;
	}
}

static void plan_kernel(struct planner *pl, const struct instance_spec *s)
{
	give_fd(pl, FD_KERNEL, "fd:kernel");
	arg(pl, "-kernel", "/proc/self/fd/%d", FD_KERNEL);
	give_fd(pl, FD_INITRAMFS, "fd:initramfs");
	arg(pl, "-initrd", "/proc/self/fd/%d", FD_INITRAMFS);
	/* panic=-1 and -no-reboot: a guest that panics ends its VM */
	kernel_arg(pl, "quiet console=ttyS0 8250.nr_uarts=1 panic=-1 reboot=t");
	/* what a machine without keyboard, and a kernel that trusts its CPU, need not try */
	kernel_arg(pl,
		   "i8042.noaux i8042.nokbd i8042.nopnp i8042.dumbkbd cryptomgr.notests random.trust_cpu=on");
	if (s->vm.accel_kvm)
		return;
	/* emulated code does not speculate */
	kernel_arg(pl, "tsc=reliable no_timer_check mitigations=off");
	if (pl->r == 0)
		pl->r = plan_add(pl->plan, &op_kernel_tsc, "tsc_early_khz", NULL, "measured", 0);
}

static int qemu_plan(const struct instance_spec *s, const struct host_facts *h, struct plan *p, struct err *e)
{
	struct planner pl = { .plan = p };
	size_t shares = 0;

	if (!h->qemu)
		return err_set(e, ENOENT,
			       "qemu-system-x86_64 is missing; install the package qemu-system-x86");
	for (size_t i = 0; i < s->n_mounts; i++)
		shares += share_is_needed(&s->mounts[i]);
	if (shares && !h->virtiofsd)
		return err_set(
			e, ENOENT,
			"virtiofsd is missing, which -v needs; install the package qemu-system-common");
	if (shares > MACHINE_MAX_SHARES)
		return err_set(e, E2BIG, "%zu mounts; a virtual machine can have %d", shares,
			       MACHINE_MAX_SHARES);
	plan_base(&pl, s, h);
	plan_wires(&pl);
	plan_disk(&pl, GUEST_ROOT, FD_ROOT, "read-only=on");
	plan_disk(&pl, GUEST_DISK, FD_DISK, "discard=unmap");
	plan_shares(&pl, s);
	plan_kernel(&pl, s);
	if (pl.r == 0)
		pl.r = plan_add(p, &op_vmm_start, "qemu", NULL, NULL, 0);
	return pl.r < 0 ? err_set(e, ENOMEM, "out of memory") : 0;
}

/* QEMU itself, its translated code, and a file server for each share; page cache beyond it is given back. */
static uint64_t qemu_overhead_bytes(const struct instance_spec *s)
{
	uint64_t n = 64 * MIB + (s->vm.accel_kvm ? 0 : TCG_CACHE_MIB * MIB);

	for (size_t i = 0; i < s->n_mounts; i++)
		n += share_is_needed(&s->mounts[i]) ? 32 * MIB : 0;
	return n;
}

const struct vm_driver qemu_driver = { "qemu", qemu_plan, qemu_overhead_bytes };
