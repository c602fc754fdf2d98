/* qemu_int.h - between the two halves of the driver qemu */
#ifndef VM_QEMU_INT_H
#define VM_QEMU_INT_H

#include "vm/vm_int.h"

/* What QEMU finds its descriptors under. */
enum {
	FD_AGENT = 3,
	FD_CONSOLE,
	FD_KERNEL,
	FD_INITRAMFS,
	FD_DISK,
	FD_CONTROL,
	FD_EXTRA, /* the image, shares, cards; an image in one disk is one beside MACHINE_MAX_EXTRA */
	FD_STATE = FD_EXTRA + 1 + MACHINE_MAX_EXTRA
};

/* qemu_start.c */
extern const struct step_op op_kernel_tsc, op_qemu_disk, op_vmm_start;

#endif
