/* use_net.c - network device (virtio 1.2, section 5.1): the harness returns our frame */
#include "virtio.h"

#define RX     0
#define TX     1
#define HEADER 12
#define FRAME  100u

static uint8_t *const rx = (uint8_t *)BUFFERS, *const tx = (uint8_t *)BUFFERS + 0x20000;

static void fill(uint8_t *frame)
{
	memset(frame, 0xff, 6); /* to all, from the address that we have */
	frame[12] = 0x88;
	frame[13] = 0xb5; /* IEEE 802, local experiments */
	for (unsigned i = 14; i < FRAME; i++)
		frame[i] = (uint8_t)i;
}

static void use(struct device *d)
{
	const struct buffer in = { rx, 0x20000, true }, out = { tx, HEADER + FRAME, false };
	struct queue *q = &d->queues[RX];

	memset(tx, 0, HEADER);
	fill(tx + HEADER);
	for (unsigned i = 0; i < 6; i++)
		tx[HEADER + 6 + i] = *(volatile uint8_t *)(d->base + REG_CONFIG + i);
	queue_add(q, &in, 1);
	queue_kick(d, q);
	say("want net\n");
	queue_do(d, &d->queues[TX], &out, 1, "a frame is not sent");
	for (;;) {
		uint32_t n = queue_wait(q, "no frame comes", NULL);

		/* older ones may come first */
		if (n == HEADER + FRAME && !memcmp(rx + HEADER, tx + HEADER, FRAME))
			return;
		queue_add(q, &in, 1);
		queue_kick(d, q);
	}
}

static void request(uint8_t *at)
{
	for (unsigned i = 0; i < HEADER; i++)
		at[i] = (uint8_t)(random_below(2) ? 0 : random32());
	for (unsigned i = HEADER; i < 64; i++)
		at[i] = (uint8_t)random32();
}

const struct kind kind_net = {
	.name = "net",
	.id = 1,
	.n_queues = 2,
	.most_queues = 2,
	.use = use,
	.request = request,
};
