/* memmap.h - the memory map that a guest is given, in both boot protocols */
#ifndef VMM_MEMMAP_H
#define VMM_MEMMAP_H

#include <stdint.h>

#include "virtio/ram.h"

#define MEMMAP_MAX (RAM_SLOTS + 2)

/* Numbers of e820 and of struct hvm_memmap_table_entry. */
enum memmap_type { MEMMAP_RAM = 1, MEMMAP_ACPI = 3 };

struct memmap_entry {
	uint64_t gpa, bytes;
	enum memmap_type type;
};

/* Fills at most MEMMAP_MAX entries in order of address; returns how many.  Places: vmm/layout.h. */
unsigned memmap_make(const struct ram *ram, struct memmap_entry *ret);
/* Where the RAM that begins at 0 ends; at most LOW_RAM_END, 0 when there is none. */
uint64_t memmap_low_end(const struct ram *ram);

#endif
