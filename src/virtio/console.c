/* console.c - virtio console device: guest buffers straight to a descriptor, and from it
 *
 * The descriptor is watched edge-triggered: what is to be read waits for buffers without a busy loop.
 * EPOLLOUT is asked for only while a chain is held; that chain is given back to the queue (vq_unpop) and
 * comes again, so a reset needs nothing and the saved form only the number of bytes that are through.
 */
#include "virtio/console.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#define QUEUE_RX   0
#define QUEUE_TX   1
#define QUEUE_SIZE 64
#define WATCHED	   (EPOLLIN | EPOLLET)
/* Output without a break: a chain may have 4 GiB, and the loop has more to do. */
#define BYTES_A_TURN (1u << 20)

/* --- output */

/* true: the chain is through.  Otherwise the descriptor takes nothing, or *left bytes of this turn have become 0. */
static bool put(struct console *c, const struct vq_chain *k, uint32_t *left)
{
	struct iovec iov[VQ_MAX_SEGS];

	while (!c->out_gone && c->written < k->out_bytes && *left) {
		uint32_t more = k->out_bytes - c->written;
		unsigned n = vq_chain_out(k, c->written, more < *left ? more : *left, iov, VQ_MAX_SEGS);
		ssize_t r = writev(c->watch.fd, iov, (int)n);

		if (r > 0) {
			c->written += (uint32_t)r;
			*left -= (uint32_t)r;
		} else if (r < 0 && errno == EAGAIN) {
			return false;
		} else if (r == 0 || errno != EINTR) {
			c->out_gone = true;
		}
	}
	if (!c->out_gone && c->written < k->out_bytes)
		return false;
	c->dev.counters.bytes_out += k->out_bytes;
	c->written = 0;
	return true;
}

static void drain(struct console *c)
{
	uint32_t left = BYTES_A_TURN;
	struct vq_chain k;

	while (!c->held && left && virtio_pop(&c->dev, QUEUE_TX, &k)) {
		if (k.n_in) { /* section 5.3.6.1 */
			virtio_fail(&c->dev);
			return;
		}
		if (put(c, &k, &left)) {
			c->dev.counters.requests++;
			vq_push(&c->dev.queues[QUEUE_TX], k.head, 0);
		} else {
			vq_unpop(&c->dev.queues[QUEUE_TX]);
			c->held = left > 0;
		}
	}
	if (!left)
		virtio_kick_again(&c->dev, QUEUE_TX);
	loop_set(c->dev.loop, &c->watch, c->held ? WATCHED | EPOLLOUT : WATCHED);
	virtio_notify(&c->dev, QUEUE_TX);
}

/* --- input */

/* Bytes that came; 0: none now, or never again. */
static uint32_t get(struct console *c, const struct vq_chain *k)
{
	ssize_t r;

	do
		r = readv(c->watch.fd, k->iov, (int)k->n_in);
	while (r < 0 && errno == EINTR);
	if (r > 0)
		return (uint32_t)r;
	c->readable = false;
	if (r == 0 || errno != EAGAIN)
		c->in_gone = true;
	return 0;
}

static void fill(struct console *c)
{
	struct vq_chain k;

	while (c->readable && !c->in_gone && virtio_pop(&c->dev, QUEUE_RX, &k)) {
		uint32_t n = 0;

		if (k.n_out) {
			virtio_fail(&c->dev);
			return;
		}
		n = get(c, &k);
		if (!n) {
			vq_unpop(&c->dev.queues[QUEUE_RX]);
			break;
		}
		c->dev.counters.requests++;
		c->dev.counters.bytes_in += n;
		vq_push(&c->dev.queues[QUEUE_RX], k.head, n);
	}
	virtio_notify(&c->dev, QUEUE_RX);
}

/* --- events */

static void on_fd(void *arg, uint32_t events)
{
	struct console *c = arg;

	virtio_lock(&c->dev);
	if (events & ~(uint32_t)EPOLLOUT)
		c->readable = true;
	if (events & (EPOLLOUT | EPOLLERR | EPOLLHUP)) {
		c->held = false;
		drain(c);
	}
	fill(c);
	virtio_unlock(&c->dev);
}

static void on_kick(struct virtio_dev *d, unsigned q)
{
	struct console *c = (struct console *)d;

	if (q == QUEUE_TX)
		drain(c);
	else
		fill(c);
}

static void on_stop(struct virtio_dev *d)
{
	struct console *c = (struct console *)d;

	c->held = false;
	c->written = 0;
	loop_set(d->loop, &c->watch, WATCHED);
}

/* --- life */

static const struct virtio_ops ops = { .name = "console", .id = 3, .stop = on_stop, .kick = on_kick };

int console_init(struct console *c, int fd, const struct ram *ram, struct loop *loop)
{
	int flags = fcntl(fd, F_GETFL), r;

	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
		return -errno;
	*c = (struct console){
		.dev = { .ops = &ops, .n_queues = 2, .queue_size = QUEUE_SIZE },
		.watch = { .fd = fd, .events = WATCHED, .fn = on_fd, .arg = c },
	};
	r = virtio_init(&c->dev, ram, loop);
	if (r < 0)
		return r;
	r = loop_add(loop, &c->watch);
	if (r == -EPERM) { /* a regular file: always ready to be written */
		c->in_gone = true;
		r = 0;
	}
	if (r < 0)
		virtio_done(&c->dev);
	return r;
}

void console_done(struct console *c)
{
	loop_del(c->dev.loop, &c->watch);
	close(c->watch.fd);
	virtio_done(&c->dev);
}

/* --- saved form */

void console_save(const struct console *c, struct console_state *ret)
{
	virtio_save(&c->dev, &ret->dev);
	ret->written = c->written;
}

int console_restore(struct console *c, const struct console_state *s)
{
	int r = virtio_restore(&c->dev, &s->dev);

	on_stop(&c->dev);
	if (r == 0)
		c->written = s->written;
	return r;
}
