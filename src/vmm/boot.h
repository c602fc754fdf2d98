/* boot.h - a kernel into guest RAM, and the first vcpu ready to run it
 *
 * Two ways: an uncompressed ELF kernel at its PVH entry (Xen's x86/HVM direct boot ABI: 32-bit protected mode without paging,
 * %ebx = struct hvm_start_info), or a bzImage at its 64-bit entry (Linux Documentation/arch/x86/boot.rst: long mode, identity
 * map, %rsi = struct boot_params).  No firmware, no 16-bit code.
 */
#ifndef VMM_BOOT_H
#define VMM_BOOT_H

#include <stdint.h>

#include "base/err.h"
#include "virtio/ram.h"

struct boot_source {
	int kernel_fd, initramfs_fd; /* regular files; initramfs -1: none */
	const char *cmdline;
	uint64_t rsdp_gpa; /* acpi_write's; 0: none */
};

enum boot_protocol { BOOT_PVH, BOOT_LINUX64 };

struct boot_entry {
	enum boot_protocol protocol;
	uint64_t rip;
	uint64_t info_gpa; /* hvm_start_info or boot_params */
};

/* Files are untrusted bytes: all their numbers are checked.  The RAM is new: what is zero in them is not
 * written.  0 or -errno with e: what is not a kernel, does not fit. */
int boot_load(const struct boot_source *s, const struct ram *ram, struct boot_entry *ret, struct err *e);
/* Sets segments, control registers and general registers of the first vcpu, and writes the tables that they name. */
int boot_set_registers(int vcpu_fd, const struct boot_entry *entry, const struct ram *ram);

#endif
