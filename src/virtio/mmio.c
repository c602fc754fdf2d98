/* mmio.c - the registers of virtio-mmio, version 2 (virtio 1.2, section 4.2.2): the one door for register accesses */
#include <string.h>

#include "virtio/device_int.h"

enum {
	REG_MAGIC = 0x000,
	REG_VERSION = 0x004,
	REG_DEVICE_ID = 0x008,
	REG_VENDOR_ID = 0x00c,
	REG_DEVICE_FEATURES = 0x010,
	REG_DEVICE_FEATURES_SEL = 0x014,
	REG_DRIVER_FEATURES = 0x020,
	REG_DRIVER_FEATURES_SEL = 0x024,
	REG_QUEUE_SEL = 0x030,
	REG_QUEUE_NUM_MAX = 0x034,
	REG_QUEUE_NUM = 0x038,
	REG_QUEUE_READY = 0x044,
	REG_QUEUE_NOTIFY = VIRTIO_MMIO_NOTIFY,
	REG_INTERRUPT_STATUS = VIRTIO_MMIO_INTERRUPTS,
	REG_INTERRUPT_ACK = VIRTIO_MMIO_ACK,
	REG_STATUS = 0x070,
	REG_QUEUE_DESC = 0x080, /* low and high word each */
	REG_QUEUE_DRIVER = 0x090,
	REG_QUEUE_DEVICE = 0x0a0,
	REG_SHM_LEN_LOW = 0x0b0,
	REG_SHM_BASE_HIGH = 0x0bc,
	REG_CONFIG_GENERATION = 0x0fc,
	REG_CONFIG = 0x100,
};

#define MAGIC  0x74726976 /* "virt" */
#define VENDOR 0x4843544b /* "KTCH" */

/* --- reading */

static uint32_t half(uint64_t v, uint32_t select)
{
	return select == 0 ? (uint32_t)v : select == 1 ? (uint32_t)(v >> 32) : 0;
}

static const struct vq *selected(const struct virtio_dev *d)
{
	return d->s.queue_select < d->n_queues ? &d->queues[d->s.queue_select] : NULL;
}

static uint32_t read_register(const struct virtio_dev *d, uint32_t offset)
{
	const struct vq *q = selected(d);

	switch (offset) {
	case REG_MAGIC:
		return MAGIC;
	case REG_VERSION:
		return 2;
	case REG_DEVICE_ID:
		return d->ops->id;
	case REG_VENDOR_ID:
		return VENDOR;
	case REG_DEVICE_FEATURES:
		return half(d->features, d->s.features_select);
	case REG_QUEUE_NUM_MAX:
		return q ? d->queue_size : 0;
	case REG_QUEUE_READY:
		return q ? q->s.ready : 0;
	case REG_STATUS:
		return d->s.status;
	case REG_CONFIG_GENERATION:
		return d->s.config_generation;
	default:
		/* no shared memory: length and base are all ones (section 4.2.2) */
		return offset >= REG_SHM_LEN_LOW && offset <= REG_SHM_BASE_HIGH ? UINT32_MAX : 0;
	}
}

static void store(uint32_t *to, uint32_t v)
{
	__atomic_store_n(to, v, __ATOMIC_SEQ_CST);
}

void virtio_show(struct virtio_dev *d)
{
	const uint8_t *config = d->config;
	uint32_t w;

	for (uint32_t at = 0; at < d->config_bytes; at += sizeof(w)) {
		uint32_t left = d->config_bytes - at;

		w = 0;
		memcpy(&w, config + at, left < sizeof(w) ? left : sizeof(w));
		store(&d->page[(REG_CONFIG + at) / 4], w);
	}
	for (uint32_t reg = 0; reg < REG_CONFIG; reg += 4)
		if (reg != REG_INTERRUPT_STATUS)
			store(&d->page[reg / 4], read_register(d, reg));
}

void virtio_show_at(struct virtio_dev *d, uint32_t *page)
{
	virtio_lock(d);
	page[REG_INTERRUPT_STATUS / 4] = *virtio_interrupts(d);
	d->page = page;
	virtio_show(d);
	virtio_unlock(d);
}

static void read_config(const struct virtio_dev *d, uint32_t offset, void *data, uint32_t len)
{
	if (offset < d->config_bytes && len <= d->config_bytes - offset)
		memcpy(data, (const uint8_t *)d->page + REG_CONFIG + offset, len);
}

void virtio_mmio_read(struct virtio_dev *d, uint32_t offset, void *data, uint32_t len)
{
	uint32_t v;

	memset(data, 0, len);
	if (offset < REG_CONFIG && (len != 4 || offset % 4))
		return;
	if (offset < REG_CONFIG) {
		v = __atomic_load_n(&d->page[offset / 4], __ATOMIC_SEQ_CST);
		memcpy(data, &v, sizeof(v));
		return;
	}
	virtio_lock(d);
	read_config(d, offset - REG_CONFIG, data, len);
	virtio_unlock(d);
}

/* --- writing */

static void set_half(uint64_t *to, bool high, uint32_t v)
{
	*to = high ? (*to & UINT32_MAX) | (uint64_t)v << 32 : (*to & ~(uint64_t)UINT32_MAX) | v;
}

/* Sections 3.1.1 and 2.1: bits are only added; FEATURES_OK only for features that were offered. */
static void write_status(struct virtio_dev *d, uint32_t v)
{
	uint32_t added =
		v & ~d->s.status &
		(STATUS_ACKNOWLEDGE | STATUS_DRIVER | STATUS_FEATURES_OK | STATUS_DRIVER_OK | STATUS_FAILED);

	if (v == 0) {
		virtio_reset(d);
		return;
	}
	if ((d->s.driver_features & ~d->features) || !virtio_has(d, VIRTIO_F_VERSION_1))
		added &= ~STATUS_FEATURES_OK;
	d->s.status |= added & ~STATUS_DRIVER_OK;
	if ((added & STATUS_DRIVER_OK) && (d->s.status & STATUS_FEATURES_OK))
		virtio_start(d);
}

/* What the driver may write while it sets up the selected queue (section 4.2.3.2). */
static void write_queue(struct virtio_dev *d, uint32_t offset, uint32_t v)
{
	struct vq *q = d->s.queue_select < d->n_queues ? &d->queues[d->s.queue_select] : NULL;

	if (!q || (d->s.status & STATUS_DRIVER_OK))
		return;
	if (offset == REG_QUEUE_READY)
		q->s.ready = v & 1;
	else if (q->s.ready)
		return;
	else if (offset == REG_QUEUE_NUM)
		q->s.size = v <= d->queue_size ? (uint16_t)v : 0;
	else if (offset <= REG_QUEUE_DESC + 4)
		set_half(&q->s.desc_gpa, offset & 4, v);
	else if (offset <= REG_QUEUE_DRIVER + 4)
		set_half(&q->s.avail_gpa, offset & 4, v);
	else
		set_half(&q->s.used_gpa, offset & 4, v);
}

static void write_driver_features(struct virtio_dev *d, uint32_t v)
{
	if (d->s.driver_features_select < 2 && !(d->s.status & STATUS_FEATURES_OK))
		set_half(&d->s.driver_features, d->s.driver_features_select, v);
}

static void write_register(struct virtio_dev *d, uint32_t offset, uint32_t v)
{
	switch (offset) {
	case REG_DEVICE_FEATURES_SEL:
		d->s.features_select = v;
		break;
	case REG_DRIVER_FEATURES:
		write_driver_features(d, v);
		break;
	case REG_DRIVER_FEATURES_SEL:
		d->s.driver_features_select = v;
		break;
	case REG_QUEUE_SEL:
		d->s.queue_select = v;
		break;
	case REG_STATUS:
		write_status(d, v);
		break;
	case REG_QUEUE_NUM:
	case REG_QUEUE_READY:
	case REG_QUEUE_DESC:
	case REG_QUEUE_DESC + 4:
	case REG_QUEUE_DRIVER:
	case REG_QUEUE_DRIVER + 4:
	case REG_QUEUE_DEVICE:
	case REG_QUEUE_DEVICE + 4:
		write_queue(d, offset, v);
		break;
	default:
		break;
	}
}

static void write_config(struct virtio_dev *d, uint32_t offset, const void *data, uint32_t len)
{
	if (!d->ops->config_written || offset >= d->config_bytes || len > d->config_bytes - offset)
		return;
	memcpy((uint8_t *)d->config + offset, data, len);
	d->ops->config_written(d, offset, len);
}

void virtio_mmio_write(struct virtio_dev *d, uint32_t offset, const void *data, uint32_t len)
{
	uint32_t v = 0;

	if (offset < REG_CONFIG && (len != 4 || offset % 4))
		return;
	if (offset < REG_CONFIG)
		memcpy(&v, data, sizeof(v));
	if (offset == REG_QUEUE_NOTIFY) {
		virtio_kick(d, v);
		return;
	}
	if (offset == REG_INTERRUPT_ACK) {
		__atomic_fetch_and(virtio_interrupts(d), ~v, __ATOMIC_SEQ_CST);
		return;
	}
	virtio_lock(d);
	if (offset < REG_CONFIG)
		write_register(d, offset, v);
	else
		write_config(d, offset - REG_CONFIG, data, len);
	virtio_show(d);
	virtio_unlock(d);
}
