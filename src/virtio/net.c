/* net.c - virtio network device: its life, and frames from the guest */
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "virtio/net_int.h"

#define LINK_UP	    1 /* net_space.status */
#define SPACE_BYTES 12
#define ETHERNET    14 /* header of a frame: to, from, type */
#define SOURCE	    6 /* where in it */
#define ADDRESS	    6 /* its bytes */
#define TAP_OFFLOAD (TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6)

/* --- sending */

/* False: it was dropped, as frames may be. */
static bool send_frame(struct net *n, const struct vq_chain *c)
{
	uint8_t head[NET_HEADER + ETHERNET];
	struct iovec v[1 + VQ_MAX_SEGS] = { { head, sizeof(head) } };
	unsigned k = 1;
	ssize_t r;

	if (c->out_bytes > NET_FRAME_MOST || !vq_chain_read(c, 0, head, sizeof(head)))
		return false;
	if (n->check_mac && memcmp(head + NET_HEADER + SOURCE, n->space.mac, ADDRESS))
		return false;
	k += vq_chain_out(c, sizeof(head), c->out_bytes - sizeof(head), v + 1, VQ_MAX_SEGS);
	do
		r = writev(n->tap.fd, v, (int)k);
	while (r < 0 && errno == EINTR);
	return r >= 0;
}

static void send_all(struct net *n)
{
	struct virtio_counters *count = &n->dev.counters;
	struct vq_chain c;

	while (rate_ready(&n->tx_rate) && virtio_pop(&n->dev, NET_TX, &c)) {
		rate_charge(&n->tx_rate, c.out_bytes);
		if (send_frame(n, &c)) {
			count->requests++;
			count->bytes_out += c.out_bytes - NET_HEADER;
		} else {
			n->dropped++;
		}
		vq_push(&n->dev.queues[NET_TX], c.head, 0);
	}
	virtio_notify(&n->dev, NET_TX);
}

/* --- events */

/* What this driver takes, the tap may give: checksums and segments that the kernel has not made. */
static void set_offload(struct net *n)
{
	unsigned offload = 0;

	if (n->offload_set || !n->is_tap)
		return;
	n->offload_set = true;
	if (virtio_has(&n->dev, NET_F_GUEST_CSUM)) {
		offload = TUN_F_CSUM;
		offload |= virtio_has(&n->dev, NET_F_GUEST_TSO4) ? TUN_F_TSO4 : 0;
		offload |= virtio_has(&n->dev, NET_F_GUEST_TSO6) ? TUN_F_TSO6 : 0;
	}
	/* where it does not take that, frames of the wrong kind are dropped (net_rx.c) */
	ioctl(n->tap.fd, TUNSETOFFLOAD, (unsigned long)offload);
}

static void on_kick(struct virtio_dev *d, unsigned q)
{
	struct net *n = (struct net *)d;

	set_offload(n);
	if (q == NET_RX)
		net_receive(n);
	else
		send_all(n);
}

static void on_tap(void *arg, uint32_t events)
{
	struct net *n = arg;

	virtio_lock(&n->dev);
	if (events & (EPOLLERR | EPOLLHUP)) {
		/* the interface is gone, and would say so for ever; this is the loop's own thread */
		loop_del(n->dev.loop, &n->tap);
		n->space.status &= (uint16_t)~LINK_UP;
		virtio_config_changed(&n->dev);
	} else {
		net_receive(n);
	}
	virtio_unlock(&n->dev);
}

static void on_rx_rate(void *arg)
{
	struct net *n = arg;

	virtio_lock(&n->dev);
	net_receive(n);
	virtio_unlock(&n->dev);
}

static void on_tx_rate(void *arg)
{
	struct net *n = arg;

	virtio_lock(&n->dev);
	send_all(n);
	virtio_unlock(&n->dev);
}

static int on_start(struct virtio_dev *d)
{
	((struct net *)d)->offload_set = false;
	return 0;
}

static void on_stop(struct virtio_dev *d)
{
	net_drop_hand((struct net *)d, false);
}

static void on_settle(struct virtio_dev *d)
{
	net_drop_hand((struct net *)d, true);
}

static const struct virtio_ops ops = {
	.name = "net",
	.id = 1,
	.start = on_start,
	.stop = on_stop,
	.kick = on_kick,
	.settle = on_settle,
};

/* --- life */

static int look_at(struct net *n, int fd)
{
	int flags = fcntl(fd, F_GETFL), header = 0, type = 0;
	socklen_t len = sizeof(type);
	struct ifreq r = { 0 };

	if (flags < 0)
		return -errno;
	if (!(flags & O_NONBLOCK))
		return -EINVAL;
	if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) == 0)
		return type == SOCK_DGRAM ? 0 : -EINVAL;
	n->is_tap = true;
	if (ioctl(fd, TUNGETIFF, &r) < 0 || ioctl(fd, TUNGETVNETHDRSZ, &header) < 0)
		return -EINVAL;
	flags = r.ifr_flags & (IFF_TAP | IFF_NO_PI | IFF_VNET_HDR);
	return flags == (IFF_TAP | IFF_NO_PI | IFF_VNET_HDR) && header == NET_HEADER ? 0 : -EINVAL;
}

static void describe(struct net *n, const struct net_config *c)
{
	n->space.status = LINK_UP;
	n->space.mtu = c->mtu;
	memcpy(n->space.mac, c->mac, sizeof(n->space.mac));
	n->dev = (struct virtio_dev){
		.ops = &ops,
		.label = c->label,
		.features = NET_F_CSUM | NET_F_HOST_TSO4 | NET_F_HOST_TSO6 | NET_F_MAC | NET_F_MRG_RXBUF |
			    NET_F_STATUS,
		.n_queues = 2,
		.queue_size = NET_QUEUE_SIZE,
		.config = &n->space,
		.config_bytes = SPACE_BYTES,
	};
	if (c->mtu)
		n->dev.features |= NET_F_MTU;
	if (!n->is_tap || ioctl(c->fd, TUNSETOFFLOAD, (unsigned long)TAP_OFFLOAD) == 0)
		n->dev.features |= NET_F_GUEST_CSUM | NET_F_GUEST_TSO4 | NET_F_GUEST_TSO6;
}

int net_init(struct net *n, const struct net_config *c, const struct ram *ram, struct loop *loop)
{
	int r;

	memset(n, 0, sizeof(*n));
	r = look_at(n, c->fd);
	if (r < 0)
		return r;
	n->check_mac = c->check_mac;
	n->tap = (struct watch){ .fd = c->fd, .events = 0, .fn = on_tap, .arg = n };
	n->rx_rate.timer.fd = n->tx_rate.timer.fd = -1;
	describe(n, c);
	r = virtio_init(&n->dev, ram, loop);
	if (r < 0)
		return r;
	n->spill = malloc(NET_FRAME_MOST);
	r = n->spill ? rate_init(&n->rx_rate, &c->rx_rate, loop, on_rx_rate, n) : -ENOMEM;
	if (r == 0)
		r = rate_init(&n->tx_rate, &c->tx_rate, loop, on_tx_rate, n);
	if (r == 0)
		r = loop_add(loop, &n->tap);
	if (r < 0)
		net_done(n);
	return r;
}

void net_done(struct net *n)
{
	loop_del(n->dev.loop, &n->tap);
	rate_done(&n->rx_rate);
	rate_done(&n->tx_rate);
	free(n->spill);
	n->spill = NULL;
	virtio_done(&n->dev);
}

/* --- saved form */

void net_save(struct net *n, struct net_state *ret)
{
	net_drop_hand(n, true);
	virtio_save(&n->dev, &ret->dev);
}

int net_restore(struct net *n, const struct net_state *s)
{
	n->offload_set = false;
	return virtio_restore(&n->dev, &s->dev);
}
