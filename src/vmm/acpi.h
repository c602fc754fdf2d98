/* acpi.h - what the guest's kernel is told of its machine: ACPI 6.5 tables, hardware-reduced, written by us
 *
 * RSDP, XSDT, FADT (reset register, sleep registers), MADT (a local APIC a vcpu, one IOAPIC), DSDT (each virtio-mmio
 * device as LNRO0005, the serial port as PNP0501, pvpanic as QEMU0001, the sleep state \_S5, the generic event device with
 * power button and VMGenID).  Addresses and lines: vmm/layout.h.
 */
#ifndef VMM_ACPI_H
#define VMM_ACPI_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "virtio/ram.h"

struct acpi_machine {
	unsigned n_vcpus;
	unsigned n_virtio;
	bool serial;
	uint8_t generation_id[16]; /* Microsoft's "Virtual Machine Generation ID": new in each clone */
};

struct acpi_places {
	uint64_t rsdp_gpa;
	uint64_t generation_id_gpa; /* where the 16 bytes are, to be changed in a clone */
};

/* Writes them at ACPI_BASE.  0, or -ENOSPC. */
int acpi_write(const struct acpi_machine *m, const struct ram *ram, struct acpi_places *ret, struct err *e);

#endif
