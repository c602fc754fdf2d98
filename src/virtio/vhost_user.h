/* vhost_user.h - the front end of vhost-user (QEMU's docs/interop/vhost-user.rst): a process serves queues
 *
 * The other process is trusted with the guest's RAM and with nothing else: the guest may have taken it
 * over.  Its answers are checked by type, flags and size, and each exchange has a deadline.  After the
 * first failure the connection is `lost`: all that follows fails at once with -EIO.  RAM's memfd must be
 * sealed against shrinking.  What it can still do: fill a kick eventfd that it has made blocking, so that
 * a vcpu whose notification no ioeventfd takes waits in write(2) for a signal, with no lock held.
 *
 * System calls after vhost_user_open: sendmsg, recvmsg, clock_gettime.
 */
#ifndef VIRTIO_VHOST_USER_H
#define VIRTIO_VHOST_USER_H

#include <stdbool.h>
#include <stdint.h>

#include "virtio/ram.h"

/* A file server that is busy answers in milliseconds; a vcpu waits for this at DRIVER_OK and at reset,
 * once. */
#define VHOST_USER_DEADLINE_MS 1000
/* Its first answer: it was just started, and nobody waits but who starts the machine. */
#define VHOST_USER_START_MS 10000

struct vhost_user {
	int sock; /* borrowed */
	bool lost;
	unsigned deadline_ms; /* of each exchange now */
	uint64_t features; /* that it offers, without those of the protocol */
};

struct vhost_user_ring {
	uint16_t index, size;
	uint16_t base; /* the next available entry */
	const void *desc, *avail, *used; /* in ram's slots, as they are mapped here */
	int kick_fd, call_fd; /* eventfds; copies are sent */
};

/* Takes over a connected stream socket for this connection: negotiates the protocol (REPLY_ACK is needed)
 * and hands over the guest's RAM.  0; -EPROTO: an answer that breaks the protocol; -ENOTSUP: it has not
 * all of `features`; -EPERM: RAM is not sealed; -ETIMEDOUT, -EIO, -errno. */
int vhost_user_open(struct vhost_user *u, int sock, uint64_t features, const struct ram *ram);
/* Rings are served from now on, with these features of the driver. */
int vhost_user_start(struct vhost_user *u, uint64_t features, const struct vhost_user_ring *rings,
		     unsigned n);
/* A ring is served no longer when this has returned 0. */
int vhost_user_stop(struct vhost_user *u, uint16_t index);

#endif
