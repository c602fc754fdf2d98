/* rig.c - a driver of virtio devices in a test */
#include "rig.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/clock.h"

#define GUARD	  4096
#define FIRST	  0x1000 /* address 0 is given to nobody */
#define TURNS_MAX 100000 /* a loop that is ready for ever is a bug */

static uint8_t *map_slot(int fd, uint64_t bytes, uint64_t offset)
{
	uint8_t *p = mmap(NULL, bytes + 2 * GUARD, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	assert_ptr_not_equal(p, MAP_FAILED);
	p = mmap(p + GUARD, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, (off_t)offset);
	assert_ptr_not_equal(p, MAP_FAILED);
	return p;
}

struct rig *rig_new(void)
{
	struct rig *r = calloc(1, sizeof(*r));
	int fd = memfd_create("ram", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	assert_non_null(r);
	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, RIG_LOW_BYTES + RIG_HIGH_BYTES), 0);
	assert_int_equal(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW), 0); /* as vmm/memory.c */
	r->ram = (struct ram){ .n = 2, .fd = fd };
	r->ram.slots[0] = (struct ram_slot){ 0, RIG_LOW_BYTES, map_slot(fd, RIG_LOW_BYTES, 0), 0 };
	r->ram.slots[1] = (struct ram_slot){ RIG_HIGH, RIG_HIGH_BYTES,
					     map_slot(fd, RIG_HIGH_BYTES, RIG_LOW_BYTES), RIG_LOW_BYTES };
	r->heap = FIRST;
	r->loop = loop_new();
	assert_non_null(r->loop);
	return r;
}

void rig_free(struct rig *r)
{
	for (unsigned i = 0; i < r->ram.n; i++)
		munmap(r->ram.slots[i].host - GUARD, r->ram.slots[i].bytes + 2 * GUARD);
	close(r->ram.fd);
	loop_free(r->loop);
	free(r);
}

/* --- registers */

uint32_t rig_get(struct rig *r, uint32_t reg)
{
	uint32_t v;

	virtio_mmio_read(r->dev, reg, &v, sizeof(v));
	return v;
}

void rig_set(struct rig *r, uint32_t reg, uint32_t v)
{
	virtio_mmio_write(r->dev, reg, &v, sizeof(v));
}

static void set_address(struct rig *r, uint32_t low, uint64_t gpa)
{
	rig_set(r, low, (uint32_t)gpa);
	rig_set(r, low + 4, (uint32_t)(gpa >> 32));
}

uint64_t rig_offered(struct rig *r)
{
	uint64_t low;

	rig_set(r, R_DEVICE_FEATURES_SEL, 0);
	low = rig_get(r, R_DEVICE_FEATURES);
	rig_set(r, R_DEVICE_FEATURES_SEL, 1);
	return low | (uint64_t)rig_get(r, R_DEVICE_FEATURES) << 32;
}

bool rig_negotiate(struct rig *r, uint64_t features)
{
	rig_reset(r);
	rig_set(r, R_STATUS, S_ACKNOWLEDGE);
	rig_set(r, R_STATUS, S_ACKNOWLEDGE | S_DRIVER);
	rig_set(r, R_DRIVER_FEATURES_SEL, 0);
	rig_set(r, R_DRIVER_FEATURES, (uint32_t)features);
	rig_set(r, R_DRIVER_FEATURES_SEL, 1);
	rig_set(r, R_DRIVER_FEATURES, (uint32_t)(features >> 32));
	rig_set(r, R_STATUS, S_ACKNOWLEDGE | S_DRIVER | S_FEATURES_OK);
	return rig_get(r, R_STATUS) & S_FEATURES_OK;
}

void rig_queue_set(struct rig *r, unsigned q)
{
	struct rig_queue *k = &r->q[q];

	rig_set(r, R_QUEUE_SEL, q);
	rig_set(r, R_QUEUE_NUM, k->size);
	set_address(r, R_QUEUE_DESC_LOW, k->desc);
	set_address(r, R_QUEUE_DRIVER_LOW, k->avail);
	set_address(r, R_QUEUE_DEVICE_LOW, k->used);
	rig_set(r, R_QUEUE_READY, 1);
}

void rig_queue_setup(struct rig *r, unsigned q, uint16_t size)
{
	struct rig_queue *k = &r->q[q];

	*k = (struct rig_queue){ .size = size };
	k->desc = rig_alloc(r, 16 * (uint64_t)size, 16);
	k->avail = rig_alloc(r, 6 + 2 * (uint64_t)size, 2);
	k->used = rig_alloc(r, 6 + 8 * (uint64_t)size, 4);
	k->tables = rig_alloc(r, 16 * RIG_TABLE * (uint64_t)size, 16);
	rig_queue_set(r, q);
}

void rig_driver_ok(struct rig *r)
{
	rig_set(r, R_STATUS, S_ACKNOWLEDGE | S_DRIVER | S_FEATURES_OK | S_DRIVER_OK);
}

void rig_start(struct rig *r, struct virtio_dev *dev, uint64_t without)
{
	r->dev = dev;
	assert_true(rig_negotiate(r, rig_offered(r) & ~without));
	for (unsigned q = 0; q < VIRTIO_MAX_QUEUES; q++) {
		rig_set(r, R_QUEUE_SEL, q);
		if (rig_get(r, R_QUEUE_NUM_MAX))
			rig_queue_setup(r, q, (uint16_t)rig_get(r, R_QUEUE_NUM_MAX));
	}
	rig_driver_ok(r);
	assert_int_equal(rig_get(r, R_STATUS), S_ACKNOWLEDGE | S_DRIVER | S_FEATURES_OK | S_DRIVER_OK);
	rig_turn(r);
}

void rig_reset(struct rig *r)
{
	rig_set(r, R_STATUS, 0);
	assert_int_equal(rig_get(r, R_STATUS), 0);
	memset(r->q, 0, sizeof(r->q));
}

/* --- memory */

uint64_t rig_alloc(struct rig *r, uint64_t bytes, uint64_t align)
{
	uint64_t at = (r->heap + align - 1) / align * align;

	assert_true(at + bytes <= RIG_LOW_BYTES);
	r->heap = at + bytes;
	memset(rig_at(r, at), 0, bytes);
	return at;
}

void *rig_at(struct rig *r, uint64_t gpa)
{
	uint8_t *p = ram_at(&r->ram, gpa, 1);

	assert_non_null(p);
	return p;
}

struct rig_desc *rig_desc(struct rig *r, unsigned q, uint16_t i)
{
	return (struct rig_desc *)rig_at(r, r->q[q].desc) + i;
}

uint16_t *rig_avail_flags(struct rig *r, unsigned q)
{
	return rig_at(r, r->q[q].avail);
}

uint16_t *rig_avail_idx(struct rig *r, unsigned q)
{
	return rig_avail_flags(r, q) + 1;
}

uint16_t *rig_used_event(struct rig *r, unsigned q)
{
	return rig_avail_flags(r, q) + 2 + r->q[q].size;
}

uint16_t *rig_used_flags(struct rig *r, unsigned q)
{
	return rig_at(r, r->q[q].used);
}

uint16_t *rig_used_idx(struct rig *r, unsigned q)
{
	return rig_used_flags(r, q) + 1;
}

uint16_t *rig_avail_event(struct rig *r, unsigned q)
{
	return rig_used_flags(r, q) + 2 + 4 * r->q[q].size;
}

/* --- requests */

void rig_avail(struct rig *r, unsigned q, uint16_t head)
{
	struct rig_queue *k = &r->q[q];

	rig_avail_flags(r, q)[2 + k->next_avail % k->size] = head;
	__atomic_store_n(rig_avail_idx(r, q), ++k->next_avail, __ATOMIC_SEQ_CST);
}

uint16_t rig_add(struct rig *r, unsigned q, const struct rig_buf *b, unsigned n)
{
	struct rig_queue *k = &r->q[q];
	uint16_t head = k->next_desc;

	assert_true(n >= 1 && n <= k->size);
	for (unsigned i = 0; i < n; i++) {
		uint16_t at = k->next_desc;
		unsigned flags = (i + 1 < n ? D_NEXT : 0) | (b[i].in ? D_WRITE : 0);

		k->next_desc = (uint16_t)((at + 1) % k->size);
		*rig_desc(r, q, at) = (struct rig_desc){ b[i].gpa, b[i].len, (uint16_t)flags, k->next_desc };
	}
	rig_avail(r, q, head);
	return head;
}

uint16_t rig_add_indirect(struct rig *r, unsigned q, const struct rig_buf *b, unsigned n)
{
	struct rig_queue *k = &r->q[q];
	uint16_t head = k->next_desc;
	uint64_t table = k->tables + 16 * RIG_TABLE * (uint64_t)head;
	struct rig_desc *d = rig_at(r, table);

	assert_true(n >= 1 && n <= RIG_TABLE);
	for (unsigned i = 0; i < n; i++) {
		unsigned flags = (i + 1 < n ? D_NEXT : 0) | (b[i].in ? D_WRITE : 0);

		d[i] = (struct rig_desc){ b[i].gpa, b[i].len, (uint16_t)flags, (uint16_t)(i + 1) };
	}
	*rig_desc(r, q, head) = (struct rig_desc){ table, 16 * n, D_INDIRECT, 0 };
	k->next_desc = (uint16_t)((head + 1) % k->size);
	rig_avail(r, q, head);
	return head;
}

void rig_kick(struct rig *r, unsigned q)
{
	rig_set(r, R_QUEUE_NOTIFY, q);
}

bool rig_wants_kick(struct rig *r, unsigned q, uint16_t old_avail)
{
	uint16_t now = r->q[q].next_avail;

	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (r->dev->s.driver_features & VIRTIO_F_EVENT_IDX)
		return (uint16_t)(now - *rig_avail_event(r, q) - 1) < (uint16_t)(now - old_avail);
	return !(*rig_used_flags(r, q) & 1);
}

void rig_turn(struct rig *r)
{
	int left = TURNS_MAX;

	while (loop_once(r->loop, 0) > 0)
		assert_true(--left);
}

bool rig_take(struct rig *r, unsigned q, struct rig_used *ret)
{
	struct rig_queue *k = &r->q[q];

	if (__atomic_load_n(rig_used_idx(r, q), __ATOMIC_SEQ_CST) == k->last_used)
		return false;
	memcpy(ret, rig_used_flags(r, q) + 2 + 4 * (k->last_used % k->size), sizeof(*ret));
	k->last_used++;
	return true;
}

struct rig_used rig_next(struct rig *r, unsigned q)
{
	int64_t end = clock_mono_ns() + RIG_DEADLINE_MS * INT64_C(1000000);
	struct rig_used u;

	while (!rig_take(r, q, &u)) {
		if (clock_mono_ns() > end)
			fail_msg("queue %u: nothing is used", q);
		loop_once(r->loop, 100);
	}
	return u;
}

uint32_t rig_wait(struct rig *r, unsigned q, uint16_t head)
{
	struct rig_used u = rig_next(r, q);

	assert_int_equal(u.id, head);
	return u.len;
}

unsigned rig_interrupts(struct rig *r)
{
	uint64_t n = 0;

	if (read(r->dev->irq_fd, &n, sizeof(n)) != sizeof(n))
		n = 0;
	rig_set(r, R_INTERRUPT_ACK, rig_get(r, R_INTERRUPT_STATUS));
	return (unsigned)n;
}

bool rig_needs_reset(struct rig *r)
{
	return rig_get(r, R_STATUS) & S_NEEDS_RESET;
}
