/* kvm.c - driver kvm: the plan of a machine under our own hypervisor, ketch-vmm (src/vmm)
 *
 * The guest's agent speaks over a vsock connection, which ketch-vmm joins to `agent`; directories are served by virtiofsd
 * as under QEMU.  The kernel is started unpacked, at its PVH entry.
 */
#include <errno.h>
#include <stdio.h>

#include "vm/cards.h"
#include "vm/image_disks.h"
#include "vm/kvm_int.h"
#include "vm/share.h"
#include "vmm/layout.h"

#define MIB (UINT64_C(1) << 20)

static void plan_machine(struct vmm_planner *pl, const struct instance_spec *s, const struct host_facts *h)
{
	vmm_plan_arg(pl, h->vmm, "%s", "");
	vmm_plan_arg(pl, "--uid", "%u", (unsigned)vmm_uid(s->id));
	vmm_plan_arg(pl, "--memory", "%llum", (unsigned long long)(s->vm.ram_bytes / MIB));
	vmm_plan_arg(pl, "--vcpus", "%d", s->vm.vcpus);
	vmm_plan_fd(pl, VMM_FD_CONSOLE, "console");
	vmm_plan_arg(pl, "--serial", "%d", VMM_FD_CONSOLE);
	vmm_plan_fd(pl, VMM_FD_AGENT, "agent");
	vmm_plan_arg(pl, "--vsock", "fd=%d,port=%d", VMM_FD_AGENT, GUEST_VSOCK_PORT);
	vmm_plan_fd(pl, VMM_FD_KERNEL, "fd:kernel");
	vmm_plan_arg(pl, "--kernel", "%d", VMM_FD_KERNEL);
	vmm_plan_fd(pl, VMM_FD_INITRAMFS, "fd:initramfs");
	vmm_plan_arg(pl, "--initramfs", "%d", VMM_FD_INITRAMFS);
	vmm_plan_fd(pl, VMM_FD_DISK, "fd:" GUEST_DISK);
	vmm_plan_arg(pl, "--block", "fd=%d,serial=" GUEST_DISK, VMM_FD_DISK);
}

/* The number behind those that it takes. */
static int plan_image(struct vmm_planner *pl, const struct instance_spec *s, int number)
{
	struct image_disk d;

	for (size_t i = 0; image_disk_get(s, i, &d); i++, number++) {
		vmm_plan_fd(pl, number, d.from);
		vmm_plan_arg(pl, "--block", "fd=%d,serial=%s,ro", number, d.serial);
	}
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
		vmm_plan_arg(pl, "--share", "fd=%d,tag=%s", number, tag);
		number++;
	}
	return number;
}

static void plan_cards(struct vmm_planner *pl, const struct instance_spec *s, int number)
{
	struct card c;

	for (size_t i = 0; card_get(s, i, &c); i++, number++) {
		vmm_plan_fd(pl, number, c.from);
		vmm_plan_arg(pl, "--net", "fd=%d,mac=%s", number, c.mac);
	}
}

static int kvm_plan(const struct instance_spec *s, const struct host_facts *h, struct plan *p, struct err *e)
{
	struct vmm_planner pl = { .plan = p };
	int r = share_check(s, h, e);

	if (r < 0)
		return r;
	if (s->vm.vcpus > MAX_VCPUS)
		return err_set(e, E2BIG, "%d CPUs; a virtual machine under --driver kvm has at most %d",
			       s->vm.vcpus, MAX_VCPUS);
	if (!h->vmm)
		return err_set(e, ENOENT, "the program ketch-vmm cannot be found");
	plan_machine(&pl, s, h);
	plan_cards(&pl, s, plan_shares(&pl, s, plan_image(&pl, s, VMM_FD_EXTRA)));
	/* panic=-1: a guest that panics ends its VM; reboot=k: by the keyboard controller's reset line */
	vmm_plan_kernel_arg(&pl, "quiet console=ttyS0 8250.nr_uarts=1 panic=-1 reboot=k");
	/* What this machine has not, and a kernel that trusts its CPU, need not try.  That there is no keyboard controller
	 * say the ACPI tables; i8042.nopnp would make the kernel look for one all the same, for half a second. */
	vmm_plan_kernel_arg(&pl, "pci=off tsc=reliable no_timer_check cryptomgr.notests random.trust_cpu=on");
	/* words that the kernel does not know become init's environment */
	vmm_plan_kernel_arg(&pl, GUEST_AGENT_ENV "=vsock");
	if (pl.r == 0)
		pl.r = plan_add(p, &op_kvm_start, "ketch-vmm", NULL, NULL, 0);
	return pl.r < 0 ? err_set(e, ENOMEM, "out of memory") : 0;
}

/* The VMM itself, page tables of KVM, and a file server for each share; page cache beyond it is given back. */
static uint64_t kvm_overhead_bytes(const struct instance_spec *s)
{
	return 16 * MIB + s->vm.ram_bytes / 256 + share_overhead_bytes(s);
}

const struct vm_driver kvm_driver = { "kvm", kvm_plan, kvm_overhead_bytes };
