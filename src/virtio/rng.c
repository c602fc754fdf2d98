/* rng.c - virtio entropy device: fills buffers from getrandom(2) */
#include "virtio/rng.h"

#include <sys/random.h>

#define QUEUE	     0
#define QUEUE_SIZE   64
#define MOST_A_CHAIN 4096 /* a driver that asks for more gets less, as it must expect: no kick lasts long */

static uint32_t fill(const struct vq_chain *c)
{
	uint32_t done = 0;

	for (unsigned i = c->n_out; i < c->n_out + c->n_in && done < MOST_A_CHAIN; i++) {
		size_t n = c->iov[i].iov_len < MOST_A_CHAIN - done ? c->iov[i].iov_len : MOST_A_CHAIN - done;
		ssize_t r = getrandom(c->iov[i].iov_base, n, GRND_NONBLOCK);

		if (r <= 0)
			break;
		done += (uint32_t)r;
	}
	return done;
}

static void on_kick(struct virtio_dev *d, unsigned q)
{
	struct vq_chain c;

	while (virtio_pop(d, QUEUE, &c)) {
		uint32_t n = fill(&c);

		d->counters.requests++;
		d->counters.bytes_in += n;
		vq_push(&d->queues[QUEUE], c.head, n);
	}
	virtio_notify(d, QUEUE);
}

static const struct virtio_ops ops = { .name = "rng", .id = 4, .kick = on_kick };

int rng_init(struct rng *r, const struct ram *ram, struct loop *loop)
{
	r->dev = (struct virtio_dev){ .ops = &ops, .n_queues = 1, .queue_size = QUEUE_SIZE };
	return virtio_init(&r->dev, ram, loop);
}

void rng_done(struct rng *r)
{
	virtio_done(&r->dev);
}
