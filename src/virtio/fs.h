/* fs.h - virtio file system device (virtio 1.2, section 5.11), served by virtiofsd (virtio/vhost_user.h)
 *
 * The guest's kicks go to virtiofsd without us; its interrupts pass through the loop's thread, which sets
 * InterruptStatus.  When virtiofsd ends, breaks the protocol or does not answer, the device needs a reset
 * and fails at each later DRIVER_OK.
 *
 * System calls after fs_init beyond those of every device: sendmsg, recvmsg, clock_gettime; epoll_ctl
 * once, when virtiofsd has ended.
 */
#ifndef VIRTIO_FS_H
#define VIRTIO_FS_H

#include "virtio/device.h"
#include "virtio/vhost_user.h"

#define FS_TAG_MAX  36 /* bytes, without a NUL */
#define FS_N_QUEUES 2 /* high priority, requests */

struct fs_spec {
	const char *tag;
	int socket_fd; /* connected to virtiofsd */
};

struct fs {
	struct virtio_dev dev;
	struct fs_config {
		uint8_t tag[FS_TAG_MAX]; /* padded with NULs */
		uint32_t num_request_queues;
	} __attribute__((packed)) config;
	struct vhost_user server;
	struct watch life; /* the socket: hang-up */
	struct watch call; /* an eventfd: virtiofsd has used buffers, of any queue */
};

/* 0, and the socket is the device's; -EINVAL: the tag is empty or too long; vhost_user_open's. */
int fs_init(struct fs *f, const struct fs_spec *s, const struct ram *ram, struct loop *loop);
/* Closes the socket, so virtiofsd ends. */
void fs_done(struct fs *f);

#endif
