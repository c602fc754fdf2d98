/* use_rng.c - entropy device (virtio 1.2, section 5.4): two reads differ */
#include "virtio.h"

static void use(struct device *d)
{
	uint8_t *a = (uint8_t *)BUFFERS, *b = a + 4096;
	const struct buffer first[] = { { a, 64, true } },
			    second[] = { { b, 10, true }, { b + 10, 54, true } };

	memset(a, 0, 64);
	memset(b, 0, 64);
	if (queue_do(d, &d->queues[0], first, 1, "no random bytes") != 64 ||
	    queue_do(d, &d->queues[0], second, 2, "no more random bytes") != 64)
		fail("less random bytes than asked for");
	if (!memcmp(a, b, 64) || !memcmp(a, a + 32, 32))
		fail("random bytes repeat");
}

static void request(uint8_t *at)
{
	*at = (uint8_t)random32();
}

const struct kind kind_rng = {
	.name = "rng",
	.id = 4,
	.n_queues = 1,
	.most_queues = 1,
	.use = use,
	.request = request,
};
