/* use_vsock.c - socket device (virtio 1.2, section 5.10): the host connects to our port, and we return what it says */
#include "virtio.h"

#define RX		0
#define TX		1
#define EVENT		2
#define HOST_CID	2
#define GUEST_CID	3
#define PORT		5000
#define FIRST_HOST_PORT 1024 /* those that a connection may be made to: the harness gives 16 */
#define N_RX		8
#define RX_BYTES	4096
#define RX_AT(i)	((uint8_t *)BUFFERS + (i)*RX_BYTES)
#define TX_AT		((uint8_t *)BUFFERS + N_RX * RX_BYTES)
#define EXPECTED	65536u /* bytes that the harness sends and wants back */

enum { OP_REQUEST = 1, OP_RESPONSE, OP_RST, OP_SHUTDOWN, OP_RW, OP_CREDIT_UPDATE, OP_CREDIT_REQUEST };

struct header {
	uint32_t src_cid, src_cid_high, dst_cid, dst_cid_high;
	uint32_t src_port, dst_port, len;
	uint16_t type, op;
	uint32_t flags, buf_alloc, fwd_cnt;
};

static void send(struct device *d, uint32_t host_port, uint16_t op, const uint8_t *data, uint32_t len,
		 uint32_t fwd_cnt)
{
	struct header *h = (struct header *)TX_AT;
	const struct buffer out[] = { { h, sizeof(*h), false }, { data, len, false } };

	*h = (struct header){ .src_cid = GUEST_CID,
			      .dst_cid = HOST_CID,
			      .src_port = PORT,
			      .dst_port = host_port,
			      .len = len,
			      .type = 1,
			      .op = op,
			      .flags = op == OP_SHUTDOWN ? 3 : 0,
			      .buf_alloc = N_RX * RX_BYTES,
			      .fwd_cnt = fwd_cnt };
	queue_do(d, &d->queues[TX], out, len ? 2 : 1, "a packet is not taken");
}

static void give_buffer(struct device *d, unsigned i)
{
	const struct buffer in = { RX_AT(i), RX_BYTES, true };

	d->queues[RX].next_desc = (uint16_t)i;
	queue_add(&d->queues[RX], &in, 1);
}

/* false: the connection is over. */
static bool answer(struct device *d, const struct header *h, uint32_t *bytes)
{
	if (h->op == OP_REQUEST) {
		send(d, h->src_port, OP_RESPONSE, NULL, 0, 0);
	} else if (h->op == OP_RW) {
		*bytes += h->len;
		send(d, h->src_port, OP_RW, (const uint8_t *)(h + 1), h->len, *bytes);
	} else if (h->op == OP_SHUTDOWN) {
		send(d, h->src_port, OP_RST, NULL, 0, *bytes);
		return false;
	}
	return h->op != OP_RST;
}

static void use(struct device *d)
{
	uint32_t bytes = 0;
	bool open = true;

	for (unsigned i = 0; i < N_RX; i++)
		give_buffer(d, i);
	queue_kick(d, &d->queues[RX]);
	say("want vsock\n");
	while (open) {
		uint16_t head;

		queue_wait(&d->queues[RX], "no packet comes", &head);
		/* what the device still has for a connection of before is none of this one's */
		open = ((struct header *)RX_AT(head))->dst_port != PORT ||
		       answer(d, (struct header *)RX_AT(head), &bytes);
		give_buffer(d, head);
		queue_kick(d, &d->queues[RX]);
	}
	if (bytes != EXPECTED)
		fail("the connection ends too early");
}

static void request(uint8_t *at)
{
	struct header *h = (struct header *)at;

	*h = (struct header){ .src_cid = random_below(16) ? GUEST_CID : random_below(5),
			      .dst_cid = random_below(16) ? HOST_CID : random_below(5),
			      .src_port = random_below(8),
			      .dst_port = FIRST_HOST_PORT + random_below(20),
			      .len = random_below(8) ? random_below(4096) : random32(),
			      .type = random_below(32) ? 1 : 2,
			      .op = random_below(8),
			      .flags = random_below(4),
			      .buf_alloc = random_below(4) ? 65536 : random32(),
			      .fwd_cnt = random_below(4) ? 0 : random32() };
}

const struct kind kind_vsock = {
	.name = "vsock",
	.id = 19,
	.n_queues = 3,
	.most_queues = 3,
	.use = use,
	.request = request,
};
