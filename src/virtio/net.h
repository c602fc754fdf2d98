/* net.h - virtio network device (virtio 1.2, section 5.1): a tap of the host
 *
 * Each frame is one readv or writev between the tap and guest RAM, behind the header of 12 bytes that the
 * kernel and the driver share (IFF_VNET_HDR): checksums and segmentation offloads pass through as they are.
 * The header and the addresses of a frame that is sent are copied first, so what is checked is what is sent.
 *
 * Receiving, buffers are taken from the driver ahead until the largest frame fits, and kept from frame to
 * frame.  A frame that does not fit all the same waits, its end in `spill`, until the driver gives more
 * buffers; meanwhile, and while there are no buffers at all, the tap is not read.
 *
 * System calls after net_init beyond those of every device, on the loop's thread: readv, writev, epoll_ctl,
 * once for each start ioctl(TUNSETOFFLOAD); with limits timerfd_settime, clock_gettime.
 */
#ifndef VIRTIO_NET_H
#define VIRTIO_NET_H

#include "virtio/device.h"
#include "virtio/rate.h"

#define NET_HEADER     12 /* struct virtio_net_hdr_v1 */
#define NET_FRAME_MOST 65562 /* section 5.1.6.3.1: 64 KiB, Ethernet and the header */
#define NET_QUEUE_SIZE 256
/* Buffers in the hand: the largest frame in buffers of 1526 bytes takes 43; Linux takes at most 1024 for one
 * call. */
#define NET_IOVS 512

struct net_config {
	/* IFF_TAP | IFF_NO_PI | IFF_VNET_HDR with a header of NET_HEADER bytes; or a datagram socket with the
	 * same frames, for networks that are a process.  O_NONBLOCK; stays the caller's. */
	int fd;
	uint8_t mac[6];
	uint16_t mtu; /* what the driver is told; 0: nothing */
	bool check_mac; /* frames that say to be from another address are dropped */
	const char *label; /* borrowed */
	struct rate_config rx_rate, tx_rate; /* to and from the guest */
};

/* Section 5.1.4, as far as it is offered. */
struct net_space {
	uint8_t mac[6];
	uint16_t status, max_pairs, mtu;
};

/* Chains taken from the driver and not given back, in their order. */
struct net_hand {
	unsigned n, n_iovs;
	uint32_t bytes;
	struct net_hand_chain {
		uint16_t head, n_iovs;
		uint32_t bytes;
	} chains[NET_QUEUE_SIZE];
	struct iovec iovs[NET_IOVS];
};

struct net {
	struct virtio_dev dev;
	struct net_space space;
	bool is_tap, check_mac;
	bool offload_set; /* the tap knows what this driver takes */
	struct watch tap;
	struct rate rx_rate, tx_rate;
	struct net_hand hand;
	uint32_t waiting; /* bytes of the frame that waits, without header; 0: none */
	uint32_t waiting_fits; /* of them in the hand; the others in `spill` */
	uint8_t header[NET_HEADER]; /* of the frame that was read last */
	uint8_t *spill; /* NET_FRAME_MOST bytes: what did not fit into the hand */
	uint64_t dropped; /* frames, both ways */
};

struct net_state {
	struct virtio_state dev;
};

/* 0; -EINVAL: not such a tap or socket, or it would block; or another -errno. */
int net_init(struct net *n, const struct net_config *c, const struct ram *ram, struct loop *loop);
void net_done(struct net *n);
/* Its vcpus rest; the lock is held, or nobody serves it.  A frame that waits is lost, as frames may be. */
void net_save(struct net *n, struct net_state *ret);
/* 0, or -EINVAL: not a state of such a device. */
int net_restore(struct net *n, const struct net_state *s);

#endif
