/* block_request.c - one request of a block device: checked, turned into operations on the image, given back */
#include <errno.h>
#include <string.h>

#include "base/auto.h"
#include "virtio/block_int.h"

/* Linux moves at most 2 GiB less a page in one call, so larger requests would come back short; no driver
 * makes them. */
#define MOST_BYTES (UINT32_C(1) << 30)

/* Section 5.2.6. */
enum { T_IN = 0, T_OUT = 1, T_FLUSH = 4, T_GET_ID = 8, T_DISCARD = 11, T_WRITE_ZEROES = 13 };
enum status { S_OK = 0, S_IOERR = 1, S_UNSUPP = 2 };
#define UNMAP 1u /* flag of WRITE_ZEROES */

struct range {
	uint64_t sector;
	uint32_t n_sectors, flags;
};

/* --- requests that end */

static void finish(struct block *b, struct block_request *q, enum status s)
{
	struct virtio_counters *n = &b->dev.counters;

	*q->status = (uint8_t)s;
	n->requests++;
	if (s == S_OK && q->op == BLOCK_READ)
		n->bytes_in += q->written - 1;
	else if (s == S_OK && q->op == BLOCK_WRITE)
		n->bytes_out += q->bytes;
	vq_push(&b->dev.queues[BLOCK_QUEUE], q->head, s == S_OK ? q->written : 1);
	b->idle[b->n_idle++] = (uint16_t)(q - b->requests);
}

static void put_range(struct block *b, struct block_request *q, enum block_op_kind k)
{
	q->op = (uint8_t)k;
	block_io_put(&b->io, &(struct block_op){
				     .kind = k,
				     .durable = !virtio_has(&b->dev, BLOCK_F_FLUSH),
				     .tag = (uint16_t)(q - b->requests),
				     .offset = q->offset,
				     .bytes = q->bytes,
			     });
}

/* The file system cannot do that: what can be done instead? */
static void do_otherwise(struct block *b, struct block_request *q)
{
	if (q->discard)
		finish(b, q, S_OK);
	else if (q->op == BLOCK_PUNCH)
		put_range(b, q, BLOCK_ZERO);
	else
		put_range(b, q, BLOCK_WRITE_ZEROES);
}

static void begin_again(struct block *b, struct block_request *q);

void block_request_result(void *block, uint16_t tag, int32_t result)
{
	struct block *b = block;
	struct block_request *q = &b->requests[tag];
	bool allocates = q->op == BLOCK_PUNCH || q->op == BLOCK_ZERO;
	bool moves = !allocates && q->op != BLOCK_SYNC;

	if (result == -ECANCELED && !b->stopping)
		begin_again(b, q);
	else if (allocates && result == -EOPNOTSUPP)
		do_otherwise(b, q);
	else if (allocates && result == 0 && !virtio_has(&b->dev, BLOCK_F_FLUSH))
		put_range(b, q, BLOCK_SYNC);
	else
		finish(b, q, result == (moves ? (int32_t)q->bytes : 0) ? S_OK : S_IOERR);
}

/* --- requests that begin: each returns S_OK when an operation was put, or the status to give at once */

static bool is_on_disk(const struct block *b, uint64_t sector, uint64_t bytes)
{
	uint64_t n = bytes / BLOCK_SECTOR;

	return n && bytes % BLOCK_SECTOR == 0 && sector <= b->space.capacity &&
	       n <= b->space.capacity - sector;
}

static enum status read_write(struct block *b, struct block_request *q, const struct block_header *h,
			      const struct vq_chain *c)
{
	bool in = h->type == T_IN;
	uint32_t bytes = in ? c->in_bytes - 1 : c->out_bytes - (uint32_t)sizeof(*h);
	struct iovec iov[VQ_MAX_SEGS];
	unsigned n;

	if (!is_on_disk(b, h->sector, bytes) || bytes > MOST_BYTES || (!in && b->read_only))
		return S_IOERR;
	n = in ? vq_chain_in(c, 0, bytes, iov, VQ_MAX_SEGS)
	       : vq_chain_out(c, sizeof(*h), bytes, iov, VQ_MAX_SEGS);
	q->op = in ? BLOCK_READ : BLOCK_WRITE;
	q->bytes = bytes;
	q->written = in ? bytes + 1 : 1;
	block_io_put(&b->io, &(struct block_op){
				     .kind = q->op,
				     .durable = !in && !virtio_has(&b->dev, BLOCK_F_FLUSH),
				     .tag = (uint16_t)(q - b->requests),
				     .offset = h->sector * BLOCK_SECTOR,
				     .bytes = bytes,
				     .iov = iov,
				     .n_iov = n,
			     });
	return S_OK;
}

static enum status flush(struct block *b, struct block_request *q, const struct block_header *h,
			 const struct vq_chain *c)
{
	put_range(b, q, BLOCK_SYNC);
	return S_OK;
}

/* One range, as max_discard_seg and max_write_zeroes_seg say. */
static enum status clear(struct block *b, struct block_request *q, const struct block_header *h,
			 const struct vq_chain *c)
{
	bool discard = h->type == T_DISCARD;
	struct range r;

	if (!virtio_has(&b->dev, discard ? BLOCK_F_DISCARD : BLOCK_F_WRITE_ZEROES))
		return S_UNSUPP;
	if (c->out_bytes != sizeof(*h) + sizeof(r) || !vq_chain_read(c, sizeof(*h), &r, sizeof(r)))
		return S_IOERR;
	if (r.flags & (discard ? ~0u : ~UNMAP))
		return S_UNSUPP;
	if (b->read_only || r.n_sectors > b->space.max_write_zeroes_sectors ||
	    !is_on_disk(b, r.sector, (uint64_t)r.n_sectors * BLOCK_SECTOR))
		return S_IOERR;
	q->discard = discard;
	q->offset = r.sector * BLOCK_SECTOR;
	q->bytes = r.n_sectors * BLOCK_SECTOR;
	put_range(b, q, discard || (r.flags & UNMAP) ? BLOCK_PUNCH : BLOCK_ZERO);
	return S_OK;
}

/* Has no operation: ends here. */
static enum status get_id(struct block *b, struct block_request *q, const struct block_header *h,
			  const struct vq_chain *c)
{
	uint32_t n = c->in_bytes - 1 < BLOCK_SERIAL_BYTES ? c->in_bytes - 1 : BLOCK_SERIAL_BYTES;

	vq_chain_write(c, 0, b->serial, n);
	q->written = n + 1;
	finish(b, q, S_OK);
	return S_OK;
}

static const struct {
	uint32_t type;
	enum status (*begin)(struct block *b, struct block_request *q, const struct block_header *h,
			     const struct vq_chain *c);
} types[] = {
	{ T_IN, read_write }, { T_OUT, read_write }, { T_FLUSH, flush },
	{ T_GET_ID, get_id }, { T_DISCARD, clear },  { T_WRITE_ZEROES, clear },
};

void block_request_begin(struct block *b, const struct block_header *h, const struct vq_chain *c)
{
	struct block_request *q = &b->requests[b->idle[--b->n_idle]];
	const struct iovec *last = &c->iov[c->n_out + c->n_in - 1];
	enum status s = S_UNSUPP;

	*q = (struct block_request){
		.head = c->head,
		.op = BLOCK_SYNC,
		.written = 1,
		.status = (uint8_t *)last->iov_base + last->iov_len - 1,
	};
	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		if (types[i].type == h->type)
			s = types[i].begin(b, q, h, c);
	if (s != S_OK)
		finish(b, q, s);
}

bool block_request_read(const struct vq_chain *c, struct block_header *ret)
{
	return c->n_in && vq_chain_read(c, 0, ret, sizeof(*ret));
}

uint64_t block_request_bytes(const struct block_header *h, const struct vq_chain *c)
{
	return h->type == T_IN ? c->in_bytes - 1 : c->out_bytes - sizeof(*h);
}

/* The kernel had no helper to do it.  Its buffers were kept nowhere: the driver's chain says it once more. */
static void begin_again(struct block *b, struct block_request *q)
{
	struct vq_chain c;
	struct block_header h;

	block_io_without_helpers(&b->io, q->op);
	b->idle[b->n_idle++] = (uint16_t)(q - b->requests);
	if (vq_reread(&b->dev.queues[BLOCK_QUEUE], q->head, &c) == 1 && block_request_read(&c, &h))
		block_request_begin(b, &h, &c);
	else
		virtio_fail(&b->dev);
}
