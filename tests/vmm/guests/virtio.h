/* virtio.h - a driver's side of virtio-mmio and split queues, and the kinds of device that can be driven
 *
 * Queue q has its place in the arena: 64 KiB each; behind them tables for indirect descriptors and buffers.
 */
#ifndef GUEST_VIRTIO_H
#define GUEST_VIRTIO_H

#include "guest.h"

#define VIRTIO_AT(i) (0xd0000000u + (i)*0x1000u)
#define VIRTIO_MOST  32
#define MOST_QUEUES  8
#define QUEUE_SIZE   64

#define QUEUE_AT(q)   (ARENA + (q)*0x10000u)
#define DESC_AT(q)    QUEUE_AT(q)
#define AVAIL_AT(q)   (QUEUE_AT(q) + 0x4000u)
#define USED_AT(q)    (QUEUE_AT(q) + 0x8000u)
#define TABLES	      (ARENA + 0x80000u)
#define TABLES_BYTES  0x10000u
#define BUFFERS	      (ARENA + 0x90000u)
#define BUFFERS_BYTES 0x70000u

enum {
	REG_MAGIC = 0x000,
	REG_ID = 0x008,
	REG_FEATURES = 0x010,
	REG_FEATURES_SEL = 0x014,
	REG_DRIVER_FEATURES = 0x020,
	REG_DRIVER_FEATURES_SEL = 0x024,
	REG_QUEUE_SEL = 0x030,
	REG_QUEUE_MAX = 0x034,
	REG_QUEUE_NUM = 0x038,
	REG_QUEUE_READY = 0x044,
	REG_NOTIFY = 0x050,
	REG_STATUS = 0x070,
	REG_DESC = 0x080,
	REG_AVAIL = 0x090,
	REG_USED = 0x0a0,
	REG_CONFIG = 0x100,
};

#define STATUS_DRIVER_OK   4u
#define STATUS_NEEDS_RESET 64u

#define DESC_NEXT     1u
#define DESC_WRITE    2u
#define DESC_INDIRECT 4u

#define F_INDIRECT  (1u << 28) /* of the low word */
#define F_EVENT_IDX (1u << 29)
#define F_VERSION_1 1u /* of the high word */

struct desc {
	uint32_t addr, addr_high, len;
	uint16_t flags, next;
};

struct avail {
	uint16_t flags, idx, ring[];
};

struct used {
	uint16_t flags, idx;
	struct {
		uint32_t id, len;
	} ring[];
};

struct queue {
	volatile struct desc *desc;
	volatile struct avail *avail;
	volatile struct used *used;
	uint16_t size, index, seen; /* seen: used entries taken */
	uint16_t next_desc;
};

struct buffer {
	const volatile void *at;
	uint32_t len;
	bool in; /* written by the device */
};

struct kind;

struct device {
	const struct kind *kind;
	uint32_t base;
	struct queue queues[MOST_QUEUES];
};

struct kind {
	const char *name;
	uint32_t id, features; /* wanted of the low word */
	unsigned n_queues, most_queues; /* with these features, with all */
	/* One piece of real work on a device that was just started; fails the guest where it does not come out right. */
	void (*use)(struct device *d);
	/* The beginning of a request that might be one: at most 64 bytes. */
	void (*request)(uint8_t *at);
};

extern const struct kind kind_rng, kind_vsock, kind_fs, kind_block, kind_console, kind_balloon, kind_net;

uint32_t reg_read(const struct device *d, uint32_t reg);
void reg_write(const struct device *d, uint32_t reg, uint32_t v);

/* The nth device of a kind on the bus. */
bool device_find(struct device *d, const struct kind *k, unsigned nth);
void device_reset(struct device *d);
/* Reset, features, all queues, DRIVER_OK.  false: it needs a reset at once. */
bool device_start(struct device *d);

/* One chain; returns its head. */
uint16_t queue_add(struct queue *q, const struct buffer *buffers, unsigned n);
void queue_kick(const struct device *d, const struct queue *q);
bool queue_has_used(const struct queue *q);
/* Waits for the next used chain: bytes that were written; ret_head may be NULL. */
uint32_t queue_wait(struct queue *q, const char *what, uint16_t *ret_head);
/* queue_add, queue_kick, queue_wait. */
uint32_t queue_do(const struct device *d, struct queue *q, const struct buffer *buffers, unsigned n,
		  const char *what);

/* hostile.c: n random actions on the device. */
void hostile(struct device *d, uint32_t n);

#endif
