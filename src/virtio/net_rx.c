/* net_rx.c - frames to the guest: buffers are taken ahead, a frame is read into as many as it needs */
#include <errno.h>
#include <string.h>

#include "virtio/net_int.h"

#define TURN	   64 /* frames before others have theirs */
#define SHORTEST   14 /* an Ethernet header */
#define SPILL_IOVS 2 /* the header in front and the spill behind */
#define FRAME_USUAL                                                                                          \
	2048 /* room to look for where there are no offloads; larger frames find more when they come */

/* Section 5.1.6; all little-endian.  linux/virtio_net.h has names that are ours too. */
struct header {
	uint8_t flags, gso_type;
	uint16_t hdr_len, gso_size, csum_start, csum_offset, num_buffers;
};

#define NEEDS_CSUM 1u /* flag */
#define GSO_ECN	   0x80u
enum { GSO_NONE = 0, GSO_TCPV4 = 1, GSO_TCPV6 = 4 };

/* --- the hand */

void net_drop_hand(struct net *n, bool back)
{
	/* what is in the hand are the last chains that were popped */
	for (unsigned i = 0; back && i < n->hand.n; i++)
		vq_unpop(&n->dev.queues[NET_RX]);
	n->hand.n = n->hand.n_iovs = 0;
	n->hand.bytes = 0;
	n->waiting = 0;
}

static void hold(struct net_hand *h, const struct vq_chain *c)
{
	h->chains[h->n++] = (struct net_hand_chain){ c->head, (uint16_t)c->n_in, c->in_bytes };
	memcpy(&h->iovs[h->n_iovs], &c->iov[c->n_out], c->n_in * sizeof(c->iov[0]));
	h->n_iovs += c->n_in;
	h->bytes += c->in_bytes;
}

/* Takes chains until `bytes` fit or there are no more; one is enough for a driver that has not asked for
 * frames in several. */
static void gather(struct net *n, uint32_t bytes)
{
	struct net_hand *h = &n->hand;
	unsigned most = virtio_has(&n->dev, NET_F_MRG_RXBUF) ? NET_QUEUE_SIZE : 1;
	struct vq_chain c;

	while (h->bytes < bytes && h->n < most && virtio_pop(&n->dev, NET_RX, &c)) {
		if (c.in_bytes < NET_HEADER) {
			virtio_fail(&n->dev);
			return;
		}
		if (c.n_in > NET_IOVS - h->n_iovs) {
			vq_unpop(&n->dev.queues[NET_RX]);
			return;
		}
		hold(h, &c);
	}
}

/* Gives back the chains that the first `bytes` fill; how many. */
static unsigned give(struct net *n, uint32_t bytes)
{
	struct net_hand *h = &n->hand;
	unsigned k = 0, iovs = 0;

	for (uint32_t left = bytes; left; k++) {
		struct net_hand_chain *c = &h->chains[k];
		uint32_t written = left < c->bytes ? left : c->bytes;

		vq_push(&n->dev.queues[NET_RX], c->head, written);
		left -= written;
		iovs += c->n_iovs;
		h->bytes -= c->bytes;
	}
	h->n -= k;
	h->n_iovs -= iovs;
	memmove(h->chains, h->chains + k, h->n * sizeof(h->chains[0]));
	memmove(h->iovs, h->iovs + iovs, h->n_iovs * sizeof(h->iovs[0]));
	return k;
}

/* --- a frame */

/* The tap may still hold frames made for the driver of an earlier life. */
static bool is_understood(const struct net *n)
{
	struct header h;
	uint64_t needs;

	memcpy(&h, n->header, sizeof(h));
	needs = h.flags & NEEDS_CSUM ? NET_F_GUEST_CSUM : 0;
	switch (h.gso_type & ~GSO_ECN) {
	case GSO_NONE:
		return virtio_has(&n->dev, needs);
	case GSO_TCPV4:
		return virtio_has(&n->dev, needs | NET_F_GUEST_TSO4);
	case GSO_TCPV6:
		return virtio_has(&n->dev, needs | NET_F_GUEST_TSO6);
	default:
		return false;
	}
}

/* Header, hand without its first NET_HEADER bytes, spill. */
static unsigned lay_out(struct net *n, struct iovec v[NET_IOVS + SPILL_IOVS])
{
	const struct net_hand *h = &n->hand;
	size_t skip = NET_HEADER;
	unsigned k = 0;

	v[k++] = (struct iovec){ n->header, NET_HEADER };
	for (unsigned i = 0; i < h->n_iovs; i++) {
		size_t len = h->iovs[i].iov_len, s = skip < len ? skip : len;

		skip -= s;
		if (len > s)
			v[k++] = (struct iovec){ (uint8_t *)h->iovs[i].iov_base + s, len - s };
	}
	v[k++] = (struct iovec){ n->spill, NET_FRAME_MOST };
	return k;
}

/* Reads one; its bytes without header, 0 for one to forget, -1 when there is none. */
static ssize_t read_frame(struct net *n)
{
	struct iovec v[NET_IOVS + SPILL_IOVS];
	unsigned k = lay_out(n, v);
	ssize_t r;

	memset(n->header, 0, sizeof(n->header));
	do
		r = readv(n->tap.fd, v, (int)k);
	while (r < 0 && errno == EINTR);
	if (r < 0)
		return -1;
	if (r < NET_HEADER + SHORTEST || r > NET_FRAME_MOST || !is_understood(n))
		return 0;
	return r - NET_HEADER;
}

/* The frame lies in the hand as far as it fits, the rest in the spill.  False: it has to wait for more
 * buffers. */
static bool deliver(struct net *n, uint32_t frame, uint32_t fits)
{
	struct net_hand *h = &n->hand;
	uint32_t all = frame + NET_HEADER;
	uint16_t num_buffers = 0;

	gather(n, all);
	if (h->bytes < all)
		return false;
	if (frame > fits)
		vq_iov_write(h->iovs, h->n_iovs, NET_HEADER + fits, n->spill, frame - fits);
	for (uint32_t sum = 0; sum < all; sum += h->chains[num_buffers++].bytes)
		continue;
	memcpy(n->header + offsetof(struct header, num_buffers), &num_buffers, sizeof(num_buffers));
	vq_iov_write(h->iovs, h->n_iovs, 0, n->header, NET_HEADER);
	n->dev.counters.requests++;
	n->dev.counters.bytes_in += frame;
	give(n, all);
	return true;
}

static void drop(struct net *n)
{
	n->waiting = 0;
	n->dropped++;
}

/* Could the driver give more for one frame? */
static bool may_grow(const struct net *n)
{
	const struct net_hand *h = &n->hand;

	return virtio_has(&n->dev, NET_F_MRG_RXBUF) && h->n < n->dev.queues[NET_RX].s.size &&
	       h->n_iovs <= NET_IOVS - VQ_MAX_SEGS;
}

static void finish_waiting(struct net *n)
{
	if (!n->waiting || deliver(n, n->waiting, n->waiting_fits))
		n->waiting = 0;
	else if (!may_grow(n))
		drop(n);
}

/* False: there is nothing to read, or nowhere to read it to. */
static bool receive_one(struct net *n)
{
	bool large = virtio_has(&n->dev, NET_F_GUEST_TSO4) || virtio_has(&n->dev, NET_F_GUEST_TSO6);
	uint32_t fits;
	ssize_t frame;

	gather(n, large ? NET_FRAME_MOST : FRAME_USUAL);
	if (!n->hand.n || !virtio_is_running(&n->dev) || !rate_ready(&n->rx_rate))
		return false;
	fits = n->hand.bytes - NET_HEADER;
	frame = read_frame(n);
	if (frame <= 0) {
		n->dropped += frame == 0;
		return frame == 0;
	}
	rate_charge(&n->rx_rate, (uint64_t)frame);
	n->waiting = (uint32_t)frame;
	n->waiting_fits = fits < n->waiting ? fits : n->waiting;
	finish_waiting(n);
	return !n->waiting;
}

void net_receive(struct net *n)
{
	bool starved;

	finish_waiting(n);
	for (unsigned i = 0; i < TURN && !n->waiting && receive_one(n); i++)
		continue;
	starved = n->waiting || !n->hand.n || n->rx_rate.waiting || !virtio_is_running(&n->dev);
	loop_set(n->dev.loop, &n->tap, starved ? 0 : EPOLLIN);
	virtio_notify(&n->dev, NET_RX);
}
