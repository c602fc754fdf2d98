/* vsock.h - virtio socket device (virtio 1.2, section 5.10): streams between the guest and unix sockets
 *
 * Nothing is connected or accepted here: each connection of the guest is joined to a stream socket that
 * was there before (struct vsock_port), each connection of the host to one that it brings
 * (vsock_connect).  What the guest asks for beyond that is answered by RST.
 *
 * After vsock_init no memory is allocated.  Its sockets enter the loop when they are joined and leave it
 * when the connection ends, always on the loop's thread.  System calls beyond those of every device:
 * recvmsg, sendmsg, shutdown, epoll_ctl, close, madvise.
 */
#ifndef VIRTIO_VSOCK_H
#define VIRTIO_VSOCK_H

#include "virtio/device.h"

#define VSOCK_HOST_CID	2
#define VSOCK_MAX_CONNS 64 /* at once; a bit each in a word */
#define VSOCK_MAX_PORTS 16

struct vsock_port {
	uint32_t port; /* of the host */
	int fd; /* a connected stream socket for the first connection to it; a port may come again */
};

struct vsock_spec {
	uint64_t guest_cid; /* 3 to 2^32-2 */
	const struct vsock_port *ports;
	unsigned n_ports;
};

struct vsock {
	struct virtio_dev dev;
	struct {
		uint64_t guest_cid;
	} config;
	struct vsock_inner *in; /* virtio/vsock_int.h */
};

/* Connections are not part of it: their sockets stay where they are, and the driver is told so by an
 * event. */
struct vsock_state {
	struct virtio_state dev;
	bool reset_owed; /* that event has not been delivered yet */
};

/* 0, and the descriptors of s->ports are the device's; -EINVAL for a reserved CID or too many ports,
 * -errno. */
int vsock_init(struct vsock *v, const struct vsock_spec *s, const struct ram *ram, struct loop *loop);
/* Closes all its sockets. */
void vsock_done(struct vsock *v);

/* Begins a connection to the guest's port; on the loop's thread.  0, and fd is the device's: it sees end
 * of file at once where the guest refuses.  -ENOTCONN: no driver; -EBUSY: too many connections, or the
 * driver takes no packets. */
int vsock_connect(struct vsock *v, uint32_t guest_port, int fd);

/* The guest's next connection to this port of the host is joined to fd; an older descriptor for it that was not used is closed.
 * On the loop's thread.  0, and fd is the device's; -EBUSY: too many ports. */
int vsock_offer(struct vsock *v, uint32_t host_port, int fd);

/* For a device that is not served meanwhile; vsock_restore ends all connections. */
void vsock_save(const struct vsock *v, struct vsock_state *ret);
int vsock_restore(struct vsock *v, const struct vsock_state *s);

#endif
