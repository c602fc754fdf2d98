/* memmap.c - the memory map that a guest is given */
#include "vmm/memmap.h"

#include "vmm/layout.h"

uint64_t memmap_low_end(const struct ram *ram)
{
	for (unsigned i = 0; i < ram->n; i++)
		if (ram->slots[i].gpa == 0)
			return ram->slots[i].bytes < LOW_RAM_END ? ram->slots[i].bytes : LOW_RAM_END;
	return 0;
}

unsigned memmap_make(const struct ram *ram, struct memmap_entry *ret)
{
	const uint64_t end = memmap_low_end(ram);
	const struct memmap_entry low[] = {
		{ 0, BOOT_LOW_END, MEMMAP_RAM },
		{ ACPI_BASE, ACPI_END - ACPI_BASE, MEMMAP_ACPI },
		{ KERNEL_LOWEST, LOW_RAM_END - KERNEL_LOWEST, MEMMAP_RAM },
	};
	unsigned n = 0;

	for (unsigned i = 0; i < sizeof(low) / sizeof(low[0]) && low[i].gpa < end; i++) {
		ret[n] = low[i];
		if (ret[n].bytes > end - ret[n].gpa)
			ret[n].bytes = end - ret[n].gpa;
		n++;
	}
	for (unsigned i = 0; i < ram->n; i++)
		if (ram->slots[i].gpa)
			ret[n++] =
				(struct memmap_entry){ ram->slots[i].gpa, ram->slots[i].bytes, MEMMAP_RAM };
	return n;
}
