/* pvh.h - Xen's x86/HVM direct boot ABI: the entry note of a kernel, and what it is told in %ebx
 *
 * Layouts as in xen/include/public/arch-x86/hvm/start_info.h (version 1) and xen/include/public/elfnote.h.
 */
#ifndef VMM_PVH_H
#define VMM_PVH_H

#include "vmm/boot_int.h"

#define PVH_NOTE_NAME	"Xen"
#define PVH_NOTE_ENTRY	18 /* XEN_ELFNOTE_PHYS32_ENTRY: the physical address of the first instruction */
#define PVH_START_MAGIC 0x336ec578u /* "xEn3" with the high bit of the E set */
#define PVH_CMDLINE_MAX 2047 /* the ABI has no limit; Linux for x86 has this and silently forgets the rest */

struct hvm_start_info {
	uint32_t magic, version;
	uint32_t flags; /* SIF_*: none here */
	uint32_t nr_modules;
	uint64_t modlist_paddr, cmdline_paddr, rsdp_paddr;
	uint64_t memmap_paddr; /* version 1 */
	uint32_t memmap_entries;
	uint32_t reserved;
};

struct hvm_modlist_entry {
	uint64_t paddr, size, cmdline_paddr, reserved;
};

struct hvm_memmap_table_entry {
	uint64_t addr, size;
	uint32_t type; /* enum memmap_type */
	uint32_t reserved;
};

/* Writes them at BOOT_START_INFO.  low: the RAM from 0 to KERNEL_LOWEST. */
void pvh_write_info(const struct boot_info *info, const struct ram *ram, uint8_t *low);

#endif
