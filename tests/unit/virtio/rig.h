/* rig.h - a driver of virtio devices in a test: no KVM, registers only through virtio_mmio_read and virtio_mmio_write
 *
 *	struct rig *r = rig_new();
 *	rng_init(&rng, &r->ram, r->loop);
 *	rig_start(r, &rng.dev, 0);			all features offered but those; every queue; DRIVER_OK
 *	uint64_t buf = rig_alloc(r, 64, 1);		guest addresses; rig_at gives the bytes
 *	uint16_t id = rig_add(r, 0, &(struct rig_buf){ buf, 64, true }, 1);
 *	rig_kick(r, 0);
 *	uint32_t n = rig_wait(r, 0, id);		turns the loop until the chain is used
 *	rng_done(&rng);
 *	rig_free(r);
 *
 * Everything fails the test where it cannot go on; every wait ends after RIG_DEADLINE_MS.
 */
#ifndef TESTS_VIRTIO_RIG_H
#define TESTS_VIRTIO_RIG_H

#include "../cm.h"

#include <stdbool.h>

#include "virtio/device.h"

#define RIG_LOW_BYTES (UINT64_C(8) << 20) /* RAM from address 0 ... */
#define RIG_HIGH      (UINT64_C(1) << 32)
#define RIG_HIGH_BYTES                                                                                       \
	(UINT64_C(1) << 20) /* ... and from 4 GiB; nothing between, no page of ours behind either */
#define RIG_DEADLINE_MS 20000
#define RIG_TABLE	64 /* entries of each indirect table of rig_add_indirect */

/* The registers, from virtio 1.2, section 4.2.2. */
enum rig_register {
	R_MAGIC = 0x000,
	R_VERSION = 0x004,
	R_DEVICE_ID = 0x008,
	R_VENDOR_ID = 0x00c,
	R_DEVICE_FEATURES = 0x010,
	R_DEVICE_FEATURES_SEL = 0x014,
	R_DRIVER_FEATURES = 0x020,
	R_DRIVER_FEATURES_SEL = 0x024,
	R_QUEUE_SEL = 0x030,
	R_QUEUE_NUM_MAX = 0x034,
	R_QUEUE_NUM = 0x038,
	R_QUEUE_READY = 0x044,
	R_QUEUE_NOTIFY = 0x050,
	R_INTERRUPT_STATUS = 0x060,
	R_INTERRUPT_ACK = 0x064,
	R_STATUS = 0x070,
	R_QUEUE_DESC_LOW = 0x080,
	R_QUEUE_DESC_HIGH = 0x084,
	R_QUEUE_DRIVER_LOW = 0x090,
	R_QUEUE_DRIVER_HIGH = 0x094,
	R_QUEUE_DEVICE_LOW = 0x0a0,
	R_QUEUE_DEVICE_HIGH = 0x0a4,
	R_SHM_LEN_LOW = 0x0b0,
	R_SHM_BASE_HIGH = 0x0bc,
	R_CONFIG_GENERATION = 0x0fc,
	R_CONFIG = 0x100,
};

/* Section 2.1. */
enum rig_status {
	S_ACKNOWLEDGE = 1,
	S_DRIVER = 2,
	S_DRIVER_OK = 4,
	S_FEATURES_OK = 8,
	S_NEEDS_RESET = 64,
	S_FAILED = 128,
};

/* Section 2.7.5. */
enum rig_desc_flag { D_NEXT = 1, D_WRITE = 2, D_INDIRECT = 4 };

struct rig_desc {
	uint64_t addr;
	uint32_t len;
	uint16_t flags, next;
};

/* Section 2.7.8. */
struct rig_used {
	uint32_t id, len;
};

struct rig_queue {
	uint16_t size; /* 0: not set up */
	uint64_t desc, avail, used; /* addresses */
	uint64_t tables; /* RIG_TABLE descriptors for each head */
	uint16_t next_avail, last_used; /* free-running */
	uint16_t next_desc; /* descriptors are taken in turn: a test has at most `size` under way */
};

struct rig {
	struct ram ram;
	struct loop *loop;
	struct virtio_dev *dev;
	struct rig_queue q[VIRTIO_MAX_QUEUES];
	uint64_t heap; /* the next free guest address */
};

struct rig_buf {
	uint64_t gpa;
	uint32_t len;
	bool in; /* written by the device; these are the last of a chain */
};

/* RAM (a memfd, r->ram.fd) and a loop. */
struct rig *rig_new(void);
void rig_free(struct rig *r);

/* 32-bit registers. */
uint32_t rig_get(struct rig *r, uint32_t reg);
void rig_set(struct rig *r, uint32_t reg, uint32_t v);
uint64_t rig_offered(struct rig *r);
/* Reset, ACKNOWLEDGE, DRIVER, these features, FEATURES_OK: was it accepted? */
bool rig_negotiate(struct rig *r, uint64_t features);
/* Rings in new memory and QueueReady, between rig_negotiate and rig_driver_ok. */
void rig_queue_setup(struct rig *r, unsigned q, uint16_t size);
/* The registers of a queue from r->q[q], as rig_queue_setup leaves it. */
void rig_queue_set(struct rig *r, unsigned q);
void rig_driver_ok(struct rig *r);
/* All of that: every feature offered without `without`, every queue at its largest. */
void rig_start(struct rig *r, struct virtio_dev *dev, uint64_t without);
/* Status 0, and forgets the queues. */
void rig_reset(struct rig *r);

uint64_t rig_alloc(struct rig *r, uint64_t bytes, uint64_t align);
void *rig_at(struct rig *r, uint64_t gpa);
struct rig_desc *rig_desc(struct rig *r, unsigned q, uint16_t i);
/* The used_event of the driver (section 2.7.7), the avail_event of the device, flags and index of both rings. */
uint16_t *rig_used_event(struct rig *r, unsigned q);
uint16_t *rig_avail_event(struct rig *r, unsigned q);
uint16_t *rig_avail_flags(struct rig *r, unsigned q);
uint16_t *rig_avail_idx(struct rig *r, unsigned q);
uint16_t *rig_used_flags(struct rig *r, unsigned q);
uint16_t *rig_used_idx(struct rig *r, unsigned q);

/* Makes a chain and makes it available; its head. */
uint16_t rig_add(struct rig *r, unsigned q, const struct rig_buf *b, unsigned n);
uint16_t rig_add_indirect(struct rig *r, unsigned q, const struct rig_buf *b, unsigned n);
/* Makes a head available, whatever it is. */
void rig_avail(struct rig *r, unsigned q, uint16_t head);
/* QueueNotify, always; rig_wants_kick: what a driver asks itself before. */
void rig_kick(struct rig *r, unsigned q);
bool rig_wants_kick(struct rig *r, unsigned q, uint16_t old_avail);
/* Turns the loop until nothing is ready. */
void rig_turn(struct rig *r);
/* Is one more chain used?  rig_next turns the loop until there is. */
bool rig_take(struct rig *r, unsigned q, struct rig_used *ret);
struct rig_used rig_next(struct rig *r, unsigned q);
/* The next chain used must be this one; its length. */
uint32_t rig_wait(struct rig *r, unsigned q, uint16_t head);
/* Interrupts since the last call, and InterruptStatus acknowledged. */
unsigned rig_interrupts(struct rig *r);
bool rig_needs_reset(struct rig *r);

#endif
