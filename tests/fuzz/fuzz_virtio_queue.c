/* fuzz_virtio_queue.c - rings and tables of any content: what is popped lies in RAM, and nothing else is touched
 *
 * Input: a byte of flags (EVENT_IDX, INDIRECT_DESC, log2 of the size), then the bytes of RAM from its beginning: descriptors at
 * 0, available ring at AVAIL, used ring at USED, the rest tables and buffers.  A second slot lies behind a hole.
 */
#include <stdlib.h>
#include <string.h>

#include "virtio/queue.h"

#define HIGH  0x2000
#define AVAIL 0x200
#define USED  0x280
#define SLOT  0x1000
#define POPS  64 /* of one input */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_iov(const struct ram *r, const struct iovec *v)
{
	const uint8_t *p = v->iov_base;

	for (unsigned i = 0; i < r->n; i++)
		if (p >= r->slots[i].host && v->iov_len && v->iov_len <= r->slots[i].bytes &&
		    p + v->iov_len <= r->slots[i].host + r->slots[i].bytes)
			return;
	abort();
}

static void check_chain(const struct ram *r, const struct vq *q, const struct vq_chain *c)
{
	uint64_t out = 0, in = 0;

	if (c->head >= q->s.size || !(c->n_out + c->n_in) || c->n_out + c->n_in > VQ_MAX_SEGS)
		abort();
	for (unsigned i = 0; i < c->n_out + c->n_in; i++) {
		check_iov(r, &c->iov[i]);
		*(i < c->n_out ? &out : &in) += c->iov[i].iov_len;
	}
	if (out != c->out_bytes || in != c->in_bytes)
		abort();
}

static void use_chain(const struct vq_chain *c)
{
	uint8_t b[64];
	struct iovec v[8];
	size_t skip = c->out_bytes / 2;

	if (vq_chain_read(c, skip, b, sizeof(b)) != (c->out_bytes - skip >= sizeof(b)))
		abort();
	memset(b, 0x5a, sizeof(b));
	vq_chain_write(c, c->in_bytes / 3, b, sizeof(b));
	if (vq_chain_out(c, 1, sizeof(b), v, 8) > 8 || vq_chain_in(c, 0, c->in_bytes, v, 8) > 8)
		abort();
}

static void drive(struct vq *q, const struct ram *r)
{
	struct vq_chain c;
	int got;

	for (unsigned i = 0; i < POPS; i++) {
		got = vq_pop(q, &c);
		if (got == 0 && !vq_kicks_on(q))
			return;
		if (got < 0 && (vq_pop(q, &c) != got || vq_kicks_on(q)))
			abort();
		if (got < 0)
			return;
		if (got == 0)
			continue;
		check_chain(r, q, &c);
		use_chain(&c);
		if (i % 7 == 6) {
			vq_unpop(q);
			continue;
		}
		vq_kicks_off(q);
		vq_kicks_after(q, 3);
		vq_push(q, c.head, c.in_bytes);
		vq_must_notify(q);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ram r = { .n = 2, .fd = -1 };
	struct vq q = { .s = { 0, AVAIL, USED, 0, 0, 0, true } };

	if (!size || size - 1 > SLOT)
		return 0;
	r.slots[0] = (struct ram_slot){ 0, SLOT, aligned_alloc(SLOT, SLOT), 0 };
	r.slots[1] = (struct ram_slot){ HIGH, SLOT, aligned_alloc(SLOT, SLOT), SLOT };
	memset(r.slots[0].host, 0, SLOT);
	memcpy(r.slots[0].host, data + 1, size - 1);
	memcpy(r.slots[1].host, r.slots[0].host, SLOT);
	q.s.size = (uint16_t)(1 << (data[0] >> 2 & 7));
	if (vq_start(&q, &r, data[0] & 1, data[0] & 2) == 0)
		drive(&q, &r);
	free(r.slots[0].host);
	free(r.slots[1].host);
	return 0;
}
