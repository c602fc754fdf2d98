/* ram.h - the guest's RAM as the VMM and its devices see it
 *
 * RAM is one mapping, shown in up to two slots: the addresses below 4 GiB have a hole for devices (vmm/memory.h).
 * The guest changes it at any moment: what is checked must have been copied first.
 */
#ifndef VIRTIO_RAM_H
#define VIRTIO_RAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RAM_SLOTS 2
#define RAM_PAGE  4096

struct ram_slot {
	uint64_t gpa, bytes; /* guest physical address and size */
	uint8_t *host; /* where it is mapped here */
	uint64_t offset; /* in the mapping, and in its memfd */
};

struct ram {
	struct ram_slot slots[RAM_SLOTS];
	unsigned n;
	int fd; /* the memfd; -1: nobody else maps it */
	bool huge; /* reserved huge pages: one that is given back may not be had again */
	uint64_t *
		dirty; /* a bit a page of the mapping, set for what we write ourselves while `tracked`: KVM's own log does
			  * not know of it.  NULL: cannot be tracked */
	const bool *tracked; /* atomic; may be NULL */
};

/* The n (>= 1) bytes at gpa, or NULL unless all of them are RAM, in one slot. */
void *ram_at(const struct ram *r, uint64_t gpa, uint64_t n);
/* The slot that ram_at found them in. */
const struct ram_slot *ram_slot_of(const struct ram *r, uint64_t gpa, uint64_t n);

/* n bytes at `host`, which lie in the RAM, are written by us, now or before the devices rest next (vmm/track.h). */
void ram_mark(const struct ram *r, const volatile void *host, uint64_t n);
uint64_t ram_size(const struct ram *r);

#endif
