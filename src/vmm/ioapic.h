/* ioapic.h - the I/O interrupt controller (Intel 82093AA), in user space beside KVM's local APICs (a split irqchip)
 *
 * Devices interrupt through irqfds, one a line; a redirection entry becomes a route of KVM: line -> message to local APICs.
 * All lines are edge-triggered, as our ACPI tables say, so no end of interrupt ever comes back here.
 */
#ifndef VMM_IOAPIC_H
#define VMM_IOAPIC_H

#include <pthread.h>

#include "vmm/layout.h"

#define IOAPIC_BYTES 0x1000

/* The saved form. */
struct ioapic_state {
	uint64_t entries[GSI_N]; /* redirection table */
	uint32_t select, id;
};

struct ioapic {
	struct ioapic_state s;
	pthread_mutex_t lock;
	int vm_fd; /* borrowed; -1: nobody is told */
};

void ioapic_init(struct ioapic *a, int vm_fd);
/* Its saved form, and back: KVM is told of the routes. */
void ioapic_save(struct ioapic *a, struct ioapic_state *ret);
void ioapic_restore(struct ioapic *a, const struct ioapic_state *s);
/* Interrupts on `gsi` come by writing to eventfd fd.  0 or -errno. */
int ioapic_connect(struct ioapic *a, int fd, unsigned gsi);
/* Register accesses of a vcpu: 4 bytes; anything else reads as 0. */
uint32_t ioapic_read(struct ioapic *a, uint32_t offset);
void ioapic_write(struct ioapic *a, uint32_t offset, uint32_t v);

#endif
