/* boot_int.h - between boot.c and the loaders of the two kinds of kernel */
#ifndef VMM_BOOT_INT_H
#define VMM_BOOT_INT_H

#include <asm/bootparam.h>
#include <linux/kvm.h>

#include "vmm/boot.h"
#include "vmm/image.h"

/* A kernel in RAM, and what it demands of the rest. */
struct boot_kernel {
	uint64_t entry;
	uint64_t end; /* all RAM that it needs to start lies below */
	uint64_t initramfs_end; /* the initramfs must end here or below */
	uint64_t cmdline_max; /* bytes without the NUL */
	struct setup_header header; /* of a bzImage */
};

/* What the kernel is told, but for its memory map. */
struct boot_info {
	uint64_t initramfs_gpa, initramfs_bytes; /* 0: none */
	uint64_t cmdline_gpa, rsdp_gpa;
};

/* The segments and the general registers that the protocol demands; the rest of *s and *r stays. */
void boot_plan_registers(const struct boot_entry *entry, struct kvm_sregs *s, struct kvm_regs *r);
/* Writes what those name: the descriptor table, for BOOT_LINUX64 the page tables.  low: the RAM from 0 to
 * KERNEL_LOWEST. */
void boot_write_tables(enum boot_protocol protocol, uint8_t *low);

#endif
