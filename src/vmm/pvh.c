/* pvh.c - what a kernel is told at its PVH entry */
#include "vmm/pvh.h"

#include "vmm/layout.h"
#include "vmm/memmap.h"

/* All that the guest reads, in one piece. */
struct start {
	struct hvm_start_info info;
	struct hvm_modlist_entry initramfs;
	struct hvm_memmap_table_entry map[MEMMAP_MAX];
};

_Static_assert(sizeof(struct hvm_start_info) == 56, "start_info.h");
_Static_assert(sizeof(struct hvm_modlist_entry) == 32, "start_info.h");
_Static_assert(sizeof(struct hvm_memmap_table_entry) == 24, "start_info.h");
_Static_assert(BOOT_START_INFO + sizeof(struct start) <= BOOT_ZERO_PAGE, "layout.h");

void pvh_write_info(const struct boot_info *info, const struct ram *ram, uint8_t *low)
{
	struct start *s = (struct start *)(low + BOOT_START_INFO);
	struct memmap_entry map[MEMMAP_MAX];
	unsigned n = memmap_make(ram, map);

	*s = (struct start){
		.info = { .magic = PVH_START_MAGIC,
			  .version = 1,
			  .cmdline_paddr = info->cmdline_gpa,
			  .rsdp_paddr = info->rsdp_gpa,
			  .memmap_paddr = BOOT_START_INFO + offsetof(struct start, map),
			  .memmap_entries = n },
		.initramfs = { .paddr = info->initramfs_gpa, .size = info->initramfs_bytes },
	};
	if (info->initramfs_bytes) {
		s->info.nr_modules = 1;
		s->info.modlist_paddr = BOOT_START_INFO + offsetof(struct start, initramfs);
	}
	for (unsigned i = 0; i < n; i++)
		s->map[i] = (struct hvm_memmap_table_entry){ .addr = map[i].gpa,
							     .size = map[i].bytes,
							     .type = map[i].type };
}
