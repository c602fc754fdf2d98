/* use_console.c - console device (virtio 1.2, section 5.3): the harness returns what we say */
#include "virtio.h"

#define RX   0
#define TX   1
#define TEXT "A line of the console\n" /* no request() below has an A */

static void use(struct device *d)
{
	uint8_t *rx = (uint8_t *)BUFFERS, *tx = rx + 4096;
	const struct buffer in = { rx, 4096, true }, out = { tx, sizeof(TEXT) - 1, false };
	uint32_t n = 0;

	say("want console\n");
	memcpy(tx, TEXT, sizeof(TEXT));
	queue_do(d, &d->queues[TX], &out, 1, "the console takes nothing");
	/* what was said before may come before */
	while (n < sizeof(TEXT) - 1) {
		uint32_t more = queue_do(d, &d->queues[RX], &in, 1, "the console says nothing");

		for (uint32_t i = 0; i < more && n < sizeof(TEXT) - 1; i++)
			n = rx[i] == (uint8_t)TEXT[n] ? n + 1 : rx[i] == (uint8_t)TEXT[0];
	}
}

static void request(uint8_t *at)
{
	for (unsigned i = 0; i < 32; i++)
		at[i] = (uint8_t)('a' + random_below(26));
}

const struct kind kind_console = {
	.name = "console",
	.id = 3,
	.n_queues = 2,
	.most_queues = 2,
	.use = use,
	.request = request,
};
