/* rng.h - virtio entropy device (virtio 1.2, section 5.4): the host's random numbers */
#ifndef VIRTIO_RNG_H
#define VIRTIO_RNG_H

#include "virtio/device.h"

struct rng {
	struct virtio_dev dev;
};

/* It has no state beyond that of every device. */
struct rng_state {
	struct virtio_state dev;
};

int rng_init(struct rng *r, const struct ram *ram, struct loop *loop);
void rng_done(struct rng *r);

#endif
