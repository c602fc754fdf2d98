/* kvm_int.h - between the two halves of the driver kvm */
#ifndef VM_KVM_INT_H
#define VM_KVM_INT_H

#include "vm/vm_int.h"

/* What ketch-vmm finds its descriptors under. */
enum {
	VMM_FD_AGENT = 3,
	VMM_FD_CONSOLE,
	VMM_FD_KVM,
	VMM_FD_CONTROL,
	VMM_FD_KERNEL,
	VMM_FD_INITRAMFS,
	VMM_FD_DISK,
	VMM_FD_EXTRA, /* the image, shares, cards; an image in one disk is one beside MACHINE_MAX_EXTRA */
	VMM_FD_STATE = VMM_FD_EXTRA + 1 + MACHINE_MAX_EXTRA,
	VMM_FD_RAM /* up to VMM_MAX_RAMS */
};
#define VMM_MAX_RAMS 8

/* kvm_start.c */
extern const struct step_op op_kvm_start;

#endif
