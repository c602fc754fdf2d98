/* device_int.h - between device.c (life) and mmio.c (registers) */
#ifndef VIRTIO_DEVICE_INT_H
#define VIRTIO_DEVICE_INT_H

#include "virtio/device.h"

/* Register Status (virtio 1.2, section 2.1). */
#define STATUS_ACKNOWLEDGE 1u
#define STATUS_DRIVER	   2u
#define STATUS_DRIVER_OK   4u
#define STATUS_FEATURES_OK 8u
#define STATUS_NEEDS_RESET 64u
#define STATUS_FAILED	   128u
#define STATUS_ALL	   207u

/* Register InterruptStatus (section 4.2.2). */
#define INTERRUPT_QUEUE	 1u
#define INTERRUPT_CONFIG 2u

/* Its word is where it lives, not a copy: devices set it and vcpus clear it, atomically. */
static inline uint32_t *virtio_interrupts(const struct virtio_dev *d)
{
	return &d->page[VIRTIO_MMIO_INTERRUPTS / 4];
}

/* With the lock held: DRIVER_OK was set; Status became 0. */
void virtio_start(struct virtio_dev *d);
void virtio_reset(struct virtio_dev *d);
/* QueueNotify, where no ioeventfd stands in for it. */
void virtio_kick(struct virtio_dev *d, uint32_t q);

#endif
