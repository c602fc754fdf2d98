/* virtio.c - a driver's side of virtio-mmio and split queues (virtio 1.2, sections 2.7, 4.2) */
#include "virtio.h"

#define MAGIC 0x74726976

uint32_t reg_read(const struct device *d, uint32_t reg)
{
	return *(volatile uint32_t *)(d->base + reg);
}

void reg_write(const struct device *d, uint32_t reg, uint32_t v)
{
	*(volatile uint32_t *)(d->base + reg) = v;
}

bool device_find(struct device *d, const struct kind *k, unsigned nth)
{
	*d = (struct device){ .kind = k };
	for (unsigned i = 0; i < VIRTIO_MOST; i++) {
		d->base = VIRTIO_AT(i);
		if (reg_read(d, REG_MAGIC) == MAGIC && reg_read(d, REG_ID) == k->id && !nth--)
			return true;
	}
	return false;
}

void device_reset(struct device *d)
{
	struct patience p = { .what = "the device is not reset" };

	reg_write(d, REG_STATUS, 0);
	while (reg_read(d, REG_STATUS))
		wait_a_little(&p);
}

static void place_queue(struct device *d, unsigned i)
{
	d->queues[i] = (struct queue){ .desc = (void *)DESC_AT(i),
				       .avail = (void *)AVAIL_AT(i),
				       .used = (void *)USED_AT(i),
				       .size = QUEUE_SIZE,
				       .index = (uint16_t)i };
	memset((void *)QUEUE_AT(i), 0, 0x10000);
}

static void start_queue(struct device *d, unsigned i)
{
	reg_write(d, REG_QUEUE_SEL, i);
	if (reg_read(d, REG_QUEUE_MAX) < QUEUE_SIZE)
		fail("a queue is missing");
	reg_write(d, REG_QUEUE_NUM, QUEUE_SIZE);
	reg_write(d, REG_DESC, DESC_AT(i));
	reg_write(d, REG_DESC + 4, 0);
	reg_write(d, REG_AVAIL, AVAIL_AT(i));
	reg_write(d, REG_AVAIL + 4, 0);
	reg_write(d, REG_USED, USED_AT(i));
	reg_write(d, REG_USED + 4, 0);
	reg_write(d, REG_QUEUE_READY, 1);
}

bool device_start(struct device *d)
{
	device_reset(d);
	reg_write(d, REG_STATUS, 1);
	reg_write(d, REG_STATUS, 3);
	reg_write(d, REG_FEATURES_SEL, 0);
	reg_write(d, REG_DRIVER_FEATURES_SEL, 0);
	reg_write(d, REG_DRIVER_FEATURES, reg_read(d, REG_FEATURES) & (d->kind->features | F_INDIRECT));
	reg_write(d, REG_DRIVER_FEATURES_SEL, 1);
	reg_write(d, REG_DRIVER_FEATURES, F_VERSION_1);
	reg_write(d, REG_STATUS, 11);
	if (!(reg_read(d, REG_STATUS) & 8))
		fail("the device refuses its own features");
	for (unsigned i = 0; i < MOST_QUEUES; i++)
		place_queue(d, i);
	for (unsigned i = 0; i < d->kind->n_queues; i++)
		start_queue(d, i);
	reg_write(d, REG_STATUS, 15);
	return !(reg_read(d, REG_STATUS) & STATUS_NEEDS_RESET);
}

/* --- queues */

uint16_t queue_add(struct queue *q, const struct buffer *buffers, unsigned n)
{
	uint16_t head = q->next_desc, at = head;

	for (unsigned i = 0; i < n; i++) {
		volatile struct desc *d = &q->desc[at];

		at = (uint16_t)((at + 1) % q->size);
		d->addr = (uint32_t)buffers[i].at;
		d->addr_high = 0;
		d->len = buffers[i].len;
		d->flags = (uint16_t)((buffers[i].in ? DESC_WRITE : 0) | (i + 1 < n ? DESC_NEXT : 0));
		d->next = at;
	}
	q->next_desc = at;
	q->avail->ring[q->avail->idx % q->size] = head;
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	q->avail->idx++;
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return head;
}

void queue_kick(const struct device *d, const struct queue *q)
{
	reg_write(d, REG_NOTIFY, q->index);
}

bool queue_has_used(const struct queue *q)
{
	return q->used->idx != q->seen;
}

uint32_t queue_wait(struct queue *q, const char *what, uint16_t *ret_head)
{
	struct patience p = { .what = what };
	unsigned i = q->seen % q->size;

	while (!queue_has_used(q))
		wait_a_little(&p);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	q->seen++;
	if (ret_head)
		*ret_head = (uint16_t)q->used->ring[i].id;
	return q->used->ring[i].len;
}

uint32_t queue_do(const struct device *d, struct queue *q, const struct buffer *buffers, unsigned n,
		  const char *what)
{
	queue_add(q, buffers, n);
	queue_kick(d, q);
	return queue_wait(q, what, NULL);
}
