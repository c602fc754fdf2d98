/* driver.h - the seam below the VM back end: what a hypervisor must do; all above speaks to the guest only
 *
 * A driver adds the steps that make and start its machine; applied, they fill a struct machine.  What the machine must
 * have, for instance/guest.h to hold: the kernel and initramfs of the boot document, a serial console at
 * `console`, requests of vm/control.h heard at `control`, the agent's stream (a virtio-serial port or a vsock connection) at `agent`, virtio block devices with the serials GUEST_ROOT and
 * GUEST_DISK, a virtio-fs device for each share, a virtio network card for each card of vm/cards.h, a source of random numbers, and power-off.
 */
#ifndef VM_DRIVER_H
#define VM_DRIVER_H

#include "cgroup/cgroup.h"
#include "instance/boot.h"
#include "instance/guest.h"
#include "instance/plan.h"
#include "vm/child.h"

#define MACHINE_MAX_EXTRA  20 /* shares, cards and layers: virtio-mmio of microvm has 24 places; 4 are taken */
#define MACHINE_MAX_SHARES 19
#define MACHINE_MAX_BELOW  200 /* images that the disk stands on */
#define MACHINE_FD_BELOW   64 /* the VMM's number of the first of them */
#define MACHINE_MAX_FDS	   (32 + MACHINE_MAX_EXTRA + MACHINE_MAX_BELOW)
_Static_assert(MACHINE_MAX_FDS <= CHILD_MAX_FDS, "a VMM can be given all of them");

/* A directory of the host that the guest sees, and the process that serves it. */
struct share {
	char tag[GUEST_TAG_MAX]; /* its name in the guest */
	int vmm_fd; /* the VMM's end of the vhost-user connection; -1 once it was given away */
	struct child server;
};

/* A machine being made, and then running. */
struct machine {
	const struct boot *boot; /* borrowed, as are state and loop */
	struct instance_state *state;
	struct loop *loop;
	struct cgroups cgroups;
	int agent_fd, console_fd, say_fd; /* the VMM's ends; -1 once it has them */
	int control_fd; /* our end of the VMM's control socket (vm/control.h) */
	int vmm_control_fd; /* its end; -1 once it has it */
	struct share shares[MACHINE_MAX_SHARES];
	size_t n_shares;
	struct strv argv; /* of the VMM, as the steps add to it */
	struct buf kernel_args;
	struct child_fd fds[MACHINE_MAX_FDS];
	size_t n_fds;
	struct child vmm;
	void (*child_ended)(void *arg, struct child *c, int status);
	void *arg;
};

struct vm_driver {
	const char *name;
	/* Pure: 0, or why this host or this spec cannot do it. */
	int (*plan)(const struct instance_spec *s, const struct host_facts *h, struct plan *p, struct err *e);
	/* Memory that the VMM needs beside the guest's RAM. */
	uint64_t (*overhead_bytes)(const struct instance_spec *s);
};

extern const struct vm_driver qemu_driver, kvm_driver;

#endif
