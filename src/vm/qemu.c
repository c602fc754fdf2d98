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
#include "vm/cards.h"
#include "vm/image_disks.h"
#include "vm/qemu_int.h"
#include "vm/share.h"

#define MIB (UINT64_C(1) << 20)

/* All that QEMU can emulate, under the name of an Intel CPU: of those Linux knows that each ticks at the same rate.  Else
 * it measures each further CPU's speed in a loop, half a second of a boot where emulated CPUs share one thread. */
#define TCG_CPU	      "max,vendor=GenuineIntel,family=6,model=85,stepping=4"
#define TCG_CACHE_MIB 128 /* translated code; QEMU's default would grow to 1 GiB */

static void plan_base(struct vmm_planner *pl, const struct instance_spec *s, const struct host_facts *h)
{
	unsigned long long mib = s->vm.ram_bytes / MIB;
	bool shared = false;

	for (size_t i = 0; i < s->n_mounts; i++)
		shared = shared || share_is_needed(&s->mounts[i]);
	vmm_plan_arg(pl, h->qemu, "%s", "");
	vmm_plan_arg(pl, "-name", "ketch-%s,process=ketch-qemu", s->name);
	vmm_plan_arg(pl, "-nodefaults", "%s", "");
	vmm_plan_arg(pl, "-no-user-config", "%s", "");
	vmm_plan_arg(pl, "-no-reboot", "%s", "");
	vmm_plan_arg(pl, "-display", "none");
	/* half a second faster than the SeaBIOS that microvm takes by default to hand over ACPI tables */
	vmm_plan_arg(pl, "-bios", "qboot.rom");
	vmm_plan_arg(pl, "-sandbox",
		     "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny");
	vmm_plan_arg(pl, "-machine", "microvm,acpi=on,memory-backend=ram");
	if (s->vm.accel_kvm)
		vmm_plan_arg(pl, "-accel", "kvm");
	else /* One thread: QEMU before 8.1 may keep what one CPU translated while another wrote that code (its
		commit deba78709ae8), and the guest then hangs where its kernel patches itself. */
		vmm_plan_arg(pl, "-accel", "tcg,thread=single,tb-size=%d", TCG_CACHE_MIB);
	vmm_plan_arg(pl, "-cpu", "%s", s->vm.accel_kvm ? "host" : TCG_CPU);
	vmm_plan_arg(pl, "-smp", "%d", s->vm.vcpus);
	vmm_plan_arg(pl, "-m", "%lluM", mib);
	/* file servers must map the guest's memory; without them it stays private to QEMU */
	if (shared)
		vmm_plan_arg(pl, "-object", "memory-backend-memfd,id=ram,size=%lluM,share=on", mib);
	else
		vmm_plan_arg(pl, "-object", "memory-backend-ram,id=ram,size=%lluM", mib);
}

static void plan_wires(struct vmm_planner *pl)
{
	vmm_plan_fd(pl, FD_CONSOLE, "console");
	vmm_plan_arg(pl, "-chardev", "socket,id=console,fd=%d", FD_CONSOLE);
	vmm_plan_arg(pl, "-serial", "chardev:console");
	vmm_plan_arg(pl, "-global", "virtio-mmio.force-legacy=off");
	vmm_plan_fd(pl, FD_AGENT, "agent");
	vmm_plan_arg(pl, "-chardev", "socket,id=agent,fd=%d", FD_AGENT);
	vmm_plan_arg(pl, "-device", "virtio-serial-device,max_ports=2");
	vmm_plan_arg(pl, "-device", "virtserialport,chardev=agent,name=" GUEST_PORT);
	vmm_plan_fd(pl, FD_CONTROL, "control");
	vmm_plan_arg(pl, "-chardev", "socket,id=control,fd=%d", FD_CONTROL);
	vmm_plan_arg(pl, "-mon", "chardev=control,mode=control");
	vmm_plan_arg(pl, "-object", "rng-builtin,id=rng");
	vmm_plan_arg(pl, "-device", "virtio-rng-device,rng=rng");
}

static void plan_disk(struct vmm_planner *pl, const char *name, const char *from, int number)
{
	char text[16];

	snprintf(text, sizeof(text), "%d", number);
	vmm_plan_fd(pl, number, from);
	if (pl->r == 0)
		pl->r = plan_add(pl->plan, &op_qemu_disk, name, from, text, 0);
	/* Else it stops the machine when the host's disk is full, for somebody to have it go on.  The guest is told of an
	 * error, as by ketch-vmm. */
	vmm_plan_arg(pl, "-device", "virtio-blk-device,drive=%s,serial=%s,werror=report,rerror=report", name,
		     name);
}

/* The number behind those that it takes. */
static int plan_image(struct vmm_planner *pl, const struct instance_spec *s, int number)
{
	struct image_disk d;

	for (size_t i = 0; image_disk_get(s, i, &d); i++, number++)
		plan_disk(pl, d.serial, d.from, number);
	return number;
}

static int plan_shares(struct vmm_planner *pl, const struct instance_spec *s, int number)
{
	for (size_t i = 0; i < s->n_mounts; i++) {
		char tag[GUEST_TAG_MAX], from[GUEST_TAG_MAX + 8];

		if (!share_is_needed(&s->mounts[i]))
			continue;
		guest_share_tag(i, tag);
		snprintf(from, sizeof(from), "share:%s", tag);
		vmm_plan_fd(pl, number, from);
		vmm_plan_arg(pl, "-chardev", "socket,id=%s,fd=%d", tag, number);
		vmm_plan_arg(pl, "-device", "vhost-user-fs-device,chardev=%s,tag=%s,queue-size=1024", tag,
			     tag);
		number++;
	}
	return number;
}

static void plan_cards(struct vmm_planner *pl, const struct instance_spec *s, int number)
{
	struct card c;

	for (size_t i = 0; card_get(s, i, &c); i++, number++) {
		vmm_plan_fd(pl, number, c.from);
		vmm_plan_arg(pl, "-netdev", "tap,id=net%zu,fd=%d", i, number);
		/* a restored one has another address, which it must not announce itself */
		vmm_plan_arg(pl, "-device", "virtio-net-device,netdev=net%zu,mac=%s,guest_announce=off", i,
			     c.mac);
	}
}

static void plan_kernel(struct vmm_planner *pl, const struct instance_spec *s)
{
	vmm_plan_fd(pl, FD_KERNEL, "fd:kernel");
	vmm_plan_arg(pl, "-kernel", "/proc/self/fd/%d", FD_KERNEL);
	vmm_plan_fd(pl, FD_INITRAMFS, "fd:initramfs");
	vmm_plan_arg(pl, "-initrd", "/proc/self/fd/%d", FD_INITRAMFS);
	/* panic=-1 and -no-reboot: a guest that panics ends its VM */
	vmm_plan_kernel_arg(pl, "quiet console=ttyS0 8250.nr_uarts=1 panic=-1 reboot=t");
	/* what a machine without keyboard, and a kernel that trusts its CPU, need not try */
	vmm_plan_kernel_arg(
		pl,
		"i8042.noaux i8042.nokbd i8042.nopnp i8042.dumbkbd cryptomgr.notests random.trust_cpu=on");
	if (s->vm.accel_kvm)
		return;
	/* emulated code does not speculate */
	vmm_plan_kernel_arg(pl, "tsc=reliable no_timer_check mitigations=off");
	if (pl->r == 0)
		pl->r = plan_add(pl->plan, &op_kernel_tsc, "tsc_early_khz", NULL, "measured", 0);
}

static int qemu_plan(const struct instance_spec *s, const struct host_facts *h, struct plan *p, struct err *e)
{
	struct vmm_planner pl = { .plan = p };
	int r = share_check(s, h, e);

	if (r < 0)
		return r;
	if (!h->qemu)
		return err_set(e, ENOENT,
			       "qemu-system-x86_64 is missing; install the package qemu-system-x86");
	plan_base(&pl, s, h);
	plan_wires(&pl);
	plan_disk(&pl, GUEST_DISK, "fd:" GUEST_DISK, FD_DISK);
	plan_cards(&pl, s, plan_shares(&pl, s, plan_image(&pl, s, FD_EXTRA)));
	plan_kernel(&pl, s);
	if (pl.r == 0)
		pl.r = plan_add(p, &op_vmm_start, "qemu", NULL, NULL, 0);
	return pl.r < 0 ? err_set(e, ENOMEM, "out of memory") : 0;
}

/* QEMU itself, its translated code, and a file server for each share; page cache beyond it is given back. */
static uint64_t qemu_overhead_bytes(const struct instance_spec *s)
{
	return 64 * MIB + (s->vm.accel_kvm ? 0 : TCG_CACHE_MIB * MIB) + share_overhead_bytes(s);
}

const struct vm_driver qemu_driver = { "qemu", qemu_plan, qemu_overhead_bytes };
