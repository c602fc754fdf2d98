/* layout.h - where things are in a machine of ours: guest physical addresses, I/O ports, interrupt lines
 *
 *	0		RAM: what the boot needs (below), then free
 *	0xa0000		nothing, then ACPI tables from 0xe0000 to 1 MiB: RAM that is reserved in the memory map
 *	1 MiB		RAM up to 3 GiB: kernel, initramfs
 *	3 GiB		devices: virtio from 0xd0000000, IOAPIC, local APIC
 *	4 GiB		the rest of the RAM
 */
#ifndef VMM_LAYOUT_H
#define VMM_LAYOUT_H

#include "virtio/device.h"

/* below 640 KiB, free for the guest once it has booted */
#define BOOT_GDT	 0x500
#define BOOT_START_INFO	 0x6000 /* struct hvm_start_info, its memory map and module list behind it */
#define BOOT_ZERO_PAGE	 0x7000 /* struct boot_params */
#define BOOT_STACK	 0x8ff0
#define BOOT_PAGE_TABLES 0x9000 /* five pages: PML4, PDPT, ... */
#define BOOT_CMDLINE	 0x20000
#define BOOT_CMDLINE_MAX 0x10000
#define BOOT_LOW_END	 0xa0000

#define ACPI_BASE     0xe0000 /* RSDP first */
#define ACPI_END      0x100000
#define KERNEL_LOWEST 0x100000

#define LOW_RAM_END   UINT64_C(0xc0000000)
#define HIGH_RAM_BASE UINT64_C(0x100000000)

#define VIRTIO_BASE   UINT64_C(0xd0000000)
#define VIRTIO_STRIDE 0x1000 /* one page each */
#define VIRTIO_MAX    32
#define IOAPIC_BASE   UINT64_C(0xfec00000)
#define LAPIC_BASE    UINT64_C(0xfee00000)

/* Interrupt lines of the IOAPIC; all are edge-triggered, active high. */
#define GSI_SERIAL 4
#define GSI_GED	   9 /* the generic event device: power button, new generation ID */
#define GSI_VIRTIO 16 /* of device i: GSI_VIRTIO + i */
#define GSI_N	   (GSI_VIRTIO + VIRTIO_MAX)

/* I/O ports */
#define PORT_SERIAL	0x3f8
#define PORT_I8042_DATA 0x60
#define PORT_I8042	0x64
#define PORT_PVPANIC	0x505 /* QEMU's pvpanic interface: bit 0 panicked, bit 1 crash kernel loaded */
#define PORT_SLEEP	0x600 /* ACPI sleep control register; status register behind it */
#define PORT_RESET	0x602 /* ACPI reset register: any write */
#define PORT_GED	0x604 /* 32 bits: which events happened; reading clears */

#define RESET_VALUE	   1
#define SLEEP_TYPE_S5	   5
#define GED_POWER_BUTTON   1u
#define GED_NEW_GENERATION 2u

#define MAX_VCPUS 32

#endif
