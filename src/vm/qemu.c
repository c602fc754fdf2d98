/* qemu.c - driver qemu: the plan of its command line; machine microvm, everything given to it as descriptors
 *
 * microvm boots a stock kernel 0.6 s faster in software emulation than q35 does (1.7 s against 2.3 s to the first
 * line of init on the reference machine): no PCI, no option ROMs, virtio-mmio found through ACPI.
 * The descriptors have fixed numbers, so that the plan shows the command line as it is.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "instance/guest.h"
#include "vm/qemu_int.h"
#include "vm/share.h"

#define MIB	      (UINT64_C(1) << 20)
#define TCG_CACHE_MIB 128 /* translated code; QEMU's default would grow to 1 GiB */

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
	/* half a second faster than the SeaBIOS that microvm takes by default to hand over ACPI tables */
	arg(pl, "-bios", "qboot.rom");
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
