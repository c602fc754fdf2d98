/* state.h - all of a machine but its RAM, as one document: what a snapshot keeps and a restored machine begins with
 *
 *	"KETCHVM\n"  u32 STATE_VERSION  u32 bytes of the whole document
 *	sections, in one order: u16 kind, u16 index, u32 bytes, then so many bytes
 *	SHA-256 of all before
 *
 * The checksum finds accidents.  Whether the document is ours is for those to say who hold a key; the
 * parser trusts it in no case: the order of sections, each length and each count are fixed or bounded, and what
 * numbers mean is checked by whoever takes them (KVM, virtio_restore).
 */
#ifndef VMM_STATE_H
#define VMM_STATE_H

#include "base/err.h"
#include "virtio/balloon.h"
#include "virtio/block.h"
#include "virtio/console.h"
#include "virtio/net.h"
#include "virtio/rng.h"
#include "virtio/vsock.h"
#include "vmm/arch.h"
#include "vmm/ioapic.h"
#include "vmm/power.h"
#include "vmm/serial.h"

#define STATE_VERSION 1 /* of all types below: another layout is another version */
#define STATE_MAX     (2 << 20) /* bytes of a document */

/* A device's, by virtio_ops.id. */
struct device_state {
	uint32_t id;
	union {
		struct block_state block;
		struct net_state net;
		struct vsock_state vsock;
		struct rng_state rng;
		struct balloon_state balloon;
		struct console_state console;
	} u;
};

struct machine_state {
	struct machine_shape {
		uint64_t ram_bytes;
		uint64_t generation_id_gpa; /* of 16 bytes among the ACPI tables */
		uint32_t n_vcpus, n_devices;
	} shape;
	struct arch_vm_state vm;
	struct arch_vcpu_state vcpus[MAX_VCPUS];
	struct ioapic_state ioapic;
	struct serial_state serial;
	struct power_state power;
	struct device_state devices[VIRTIO_MAX];
};

/* Writes *s to `room` bytes at `to`: how many, or -ENOSPC. */
long state_print(const struct machine_state *s, uint8_t *to, size_t room);
/* Reads a document of n bytes.  0 or -errno with why it is refused. */
int state_parse(const uint8_t *bytes, size_t n, struct machine_state *ret, struct err *e);

#endif
