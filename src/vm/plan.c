/* plan.c - the plan of a VM: cgroups, file servers, the machine, and what the guest will do */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "instance/guest.h"
#include "vm/cards.h"
#include "vm/image_disks.h"
#include "vm/share.h"
#include "vm/vm.h"
#include "vm/vm_int.h"

#define MIB	     (UINT64_C(1) << 20)
#define DEFAULT_RAM  (2048 * MIB)
#define SMALLEST_RAM (256 * MIB)
#define RAM_STEP     (2 * MIB)
#define GUEST_KERNEL (96 * MIB) /* code, static tables, slab and page cache that it cannot work without */

/* The kernel's struct page takes 1/64 of the RAM that it describes. */
uint64_t vm_ram_bytes(uint64_t ceiling_bytes, uint64_t host_bytes)
{
	uint64_t ram;

	if (ceiling_bytes) {
		ram = ceiling_bytes + GUEST_KERNEL + ceiling_bytes / 64;
	} else {
		ram = host_bytes / 2 < DEFAULT_RAM ? host_bytes / 2 : DEFAULT_RAM;
		ram = ram < SMALLEST_RAM ? SMALLEST_RAM : ram;
	}
	return (ram + RAM_STEP - 1) / RAM_STEP * RAM_STEP;
}

/* What follows is done by ketch-guest, out of the config; the rows are here to be read. */
static const struct step_op op_guest_mount = { "guest-mount", STAGE_INSIDE, NULL };
static const struct step_op op_guest_run = { "guest-run", STAGE_INSIDE, NULL };

static int plan_writable_layer(const struct instance_spec *s, struct plan *p)
{
	char type[48] = "ext4";

	if (s->storage_bytes)
		snprintf(type, sizeof(type), "ext4 of %llu bytes", (unsigned long long)s->storage_bytes);
	return plan_add(p, &op_guest_mount, "writable layer", "virtio-blk:" GUEST_DISK, type, 0);
}

static int plan_guest(const struct instance_spec *s, struct plan *p)
{
	struct image_disk d;
	int r = 0;

	for (size_t i = 0; r == 0 && image_disk_get(s, i, &d); i++) {
		char from[GUEST_TAG_MAX + 16];

		snprintf(from, sizeof(from), "virtio-blk:%s", d.serial);
		r = plan_add(p, &op_guest_mount, d.serial, from, "erofs,ro", 0);
	}
	if (r == 0)
		r = plan_writable_layer(s, p);
	if (r == 0)
		r = plan_add(p, &op_guest_mount, "/",
			     s->vm.layer_disks ? "layers, writable layer" : "root, writable layer",
			     s->read_only ? "overlay,ro" : "overlay", 0);
	for (size_t i = 0; i < s->n_mounts && r == 0; i++) {
		const struct mount_spec *m = &s->mounts[i];
		char from[GUEST_TAG_MAX + 16], tag[GUEST_TAG_MAX];

		guest_share_tag(i, tag);
		snprintf(from, sizeof(from), "virtio-fs:%s", tag);
		r = plan_add(p, &op_guest_mount, m->target, share_is_needed(m) ? from : "tmpfs",
			     share_is_needed(m) ? m->read_only ? "ro" : "rw" : m->options, 0);
	}
	if (r == 0)
		r = plan_add(p, &op_guest_run, "as a container with one mount namespace in the guest", NULL,
			     NULL, 0);
	return r;
}

static int check_limits(const struct resources *r, struct err *e)
{
	if (r->memory_swap_bytes && r->memory_swap_bytes != (int64_t)r->memory_bytes)
		return err_set(e, ENOTSUP,
			       "--memory-swap works for containers only: a virtual machine has no swap "
			       "beside its memory");
	if (r->oom_kill_disable)
		return err_set(e, ENOTSUP,
			       "--oom-kill-disable works for containers only: the kernel of a virtual "
			       "machine has cgroup v2, which has no such setting");
	return 0;
}

static int check_spec(const struct instance_spec *s, const struct host_facts *h, struct err *e)
{
	if (!h->arch || strcmp(h->arch, "amd64"))
		return err_set(e, ENOTSUP, "virtual machines need an amd64 host so far");
	if (s->network == NETWORK_HOST)
		return err_set(e, ENOTSUP, "--network host works for containers only");
	if (s->userns)
		return err_set(
			e, ENOTSUP,
			"--userns works for containers only; the users of a virtual machine are its own");
	if (sandbox_needs_host(&s->sandbox))
		return err_set(e, ENOTSUP,
			       "%s works for containers only: a virtual machine has a kernel of its own",
			       sandbox_needs_host(&s->sandbox));
	if (s->vm.driver == VM_DRIVER_KVM && !s->vm.accel_kvm)
		return err_set(e, ENOTSUP, "--driver kvm: %s",
			       h->kvm_reason ? h->kvm_reason : "KVM is not usable here");
	if (!s->vm.kernel || !s->vm.ram_bytes || s->vm.vcpus < 1)
		return err_set(e, EINVAL, "the virtual machine has no kernel, RAM or CPU");
	return check_limits(&s->resources, e);
}

const struct vm_driver *vm_driver_of(const struct instance_spec *s)
{
	return s->vm.driver == VM_DRIVER_KVM ? &kvm_driver : &qemu_driver;
}

int vm_plan(const struct instance_spec *s, const struct host_facts *h, struct plan *ret, struct err *e)
{
	int r = check_spec(s, h, e);

	if (r == 0)
		r = vm_plan_cgroups(s, h, ret, e);
	if (r < 0)
		return r;
	if (share_plan(s, ret) < 0)
		return err_set(e, ENOMEM, "out of memory");
	r = cards_check(s, e);
	if (r == 0)
		r = vm_driver_of(s)->plan(s, h, ret, e);
	if (r < 0)
		return r;
	return plan_guest(s, ret) < 0 ? err_set(e, ENOMEM, "out of memory") : 0;
}
