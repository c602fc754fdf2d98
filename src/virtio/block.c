/* block.c - virtio block device: the driver's requests checked and turned into operations on the image */
#include "virtio/block.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include "base/auto.h"
#include "storage/stack.h"

#define QUEUE	   0
#define QUEUE_SIZE BLOCK_IO_DEPTH
#define SEG_MAX	   (QUEUE_SIZE - 2) /* a chain is no longer than the queue, and has a header and a status */
/* Linux moves at most 2 GiB less a page in one call, so larger requests would come back short; no driver
 * makes them. */
#define MOST_BYTES (UINT32_C(1) << 30)
/* While so many operations are under way, the next result is near, and chains are found then as well as by a
 * kick. */
#define BUSY 4

/* Section 5.2.3. */
#define F_SEG_MAX      (UINT64_C(1) << 2)
#define F_RO	       (UINT64_C(1) << 5)
#define F_BLK_SIZE     (UINT64_C(1) << 6)
#define F_FLUSH	       (UINT64_C(1) << 9)
#define F_DISCARD      (UINT64_C(1) << 13)
#define F_WRITE_ZEROES (UINT64_C(1) << 14)

/* Section 5.2.6. */
enum { T_IN = 0, T_OUT = 1, T_FLUSH = 4, T_GET_ID = 8, T_DISCARD = 11, T_WRITE_ZEROES = 13 };
enum status { S_OK = 0, S_IOERR = 1, S_UNSUPP = 2 };
#define UNMAP 1u /* flag of WRITE_ZEROES */

struct header {
	uint32_t type, reserved;
	uint64_t sector;
};

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
	vq_push(&b->dev.queues[QUEUE], q->head, s == S_OK ? q->written : 1);
	b->idle[b->n_idle++] = (uint16_t)(q - b->requests);
}

static void put_range(struct block *b, struct block_request *q, enum block_op_kind k)
{
	q->op = (uint8_t)k;
	block_io_put(&b->io, &(struct block_op){
				     .kind = k,
				     .durable = !virtio_has(&b->dev, F_FLUSH),
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

static void on_result(void *arg, uint16_t tag, int32_t result)
{
	struct block *b = arg;
	struct block_request *q = &b->requests[tag];
	bool allocates = q->op == BLOCK_PUNCH || q->op == BLOCK_ZERO;
	bool moves = !allocates && q->op != BLOCK_SYNC;

	if (result == -ECANCELED)
		begin_again(b, q);
	else if (allocates && result == -EOPNOTSUPP)
		do_otherwise(b, q);
	else if (allocates && result == 0 && !virtio_has(&b->dev, F_FLUSH))
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

static enum status read_write(struct block *b, struct block_request *q, const struct header *h,
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
				     .durable = !in && !virtio_has(&b->dev, F_FLUSH),
				     .tag = (uint16_t)(q - b->requests),
				     .offset = h->sector * BLOCK_SECTOR,
				     .bytes = bytes,
				     .iov = iov,
				     .n_iov = n,
			     });
	return S_OK;
}

static enum status flush(struct block *b, struct block_request *q, const struct header *h,
			 const struct vq_chain *c)
{
	put_range(b, q, BLOCK_SYNC);
	return S_OK;
}

/* One range, as max_discard_seg and max_write_zeroes_seg say. */
static enum status clear(struct block *b, struct block_request *q, const struct header *h,
			 const struct vq_chain *c)
{
	bool discard = h->type == T_DISCARD;
	struct range r;

	if (!virtio_has(&b->dev, discard ? F_DISCARD : F_WRITE_ZEROES))
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
static enum status get_id(struct block *b, struct block_request *q, const struct header *h,
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
	enum status (*begin)(struct block *b, struct block_request *q, const struct header *h,
			     const struct vq_chain *c);
} types[] = {
	{ T_IN, read_write }, { T_OUT, read_write }, { T_FLUSH, flush },
	{ T_GET_ID, get_id }, { T_DISCARD, clear },  { T_WRITE_ZEROES, clear },
};

static void begin(struct block *b, const struct header *h, const struct vq_chain *c)
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

static bool read_header(const struct vq_chain *c, struct header *ret)
{
	return c->n_in && vq_chain_read(c, 0, ret, sizeof(*ret));
}

/* The kernel had no helper to do it.  Its buffers were kept nowhere: the driver's chain says it once more. */
static void begin_again(struct block *b, struct block_request *q)
{
	struct vq_chain c;
	struct header h;

	block_io_without_helpers(&b->io, q->op);
	b->idle[b->n_idle++] = (uint16_t)(q - b->requests);
	if (vq_reread(&b->dev.queues[QUEUE], q->head, &c) == 1 && read_header(&c, &h))
		begin(b, &h, &c);
	else
		virtio_fail(&b->dev);
}

/* --- service */

/* Takes chains until there is none, no request is idle, or the limit is reached: then others call `serve`
 * again. */
static void take_chains(struct block *b)
{
	struct vq_chain c;
	struct header h;

	b->starved = false;
	while (rate_ready(&b->rate)) {
		b->starved = !b->n_idle;
		if (b->starved || !virtio_pop(&b->dev, QUEUE, &c))
			return;
		if (!read_header(&c, &h)) {
			virtio_fail(&b->dev); /* no place for a status, or no header (section 5.2.6) */
			return;
		}
		rate_charge(&b->rate, h.type == T_IN ? c.in_bytes - 1 : c.out_bytes - sizeof(h));
		begin(b, &h, &c);
	}
}

static void serve(struct block *b)
{
	/* what the page cache has is complete at once: the same interrupt tells of it */
	do {
		take_chains(b);
		block_io_submit(&b->io);
		block_io_reap(&b->io);
	} while (b->starved && b->n_idle);
	if (b->io.under_way >= BUSY)
		vq_kicks_after(&b->dev.queues[QUEUE], (uint16_t)(b->io.under_way / 2));
	virtio_notify(&b->dev, QUEUE);
}

static void on_kick(struct virtio_dev *d, unsigned q)
{
	serve((struct block *)d);
}

static void on_results(void *arg, uint32_t events)
{
	struct block *b = arg;

	virtio_lock(&b->dev);
	block_io_reap(&b->io);
	serve(b);
	virtio_unlock(&b->dev);
}

static void on_rate(void *arg)
{
	struct block *b = arg;

	virtio_lock(&b->dev);
	serve(b);
	virtio_unlock(&b->dev);
}

static void on_stop(struct virtio_dev *d)
{
	block_io_drain(&((struct block *)d)->io);
}

static void on_settle(struct virtio_dev *d)
{
	struct block *b = (struct block *)d;

	block_io_drain(&b->io);
	virtio_notify(d, QUEUE);
}

static const struct virtio_ops ops = {
	.name = "block", .id = 2, .kick = on_kick, .stop = on_stop, .settle = on_settle
};

/* --- life */

/* Its bytes, and whether it may be written. */
static int look_at(int fd, uint64_t *ret_bytes, bool *ret_read_only)
{
	int flags = fcntl(fd, F_GETFL);
	struct stat st;

	if (flags < 0 || fstat(fd, &st) < 0)
		return -errno;
	if ((flags & O_ACCMODE) == O_WRONLY || (flags & O_APPEND))
		return -EINVAL;
	if (S_ISBLK(st.st_mode)) {
		if (ioctl(fd, BLKGETSIZE64, ret_bytes) < 0)
			return -errno;
	} else if (S_ISREG(st.st_mode)) {
		*ret_bytes = (uint64_t)st.st_size;
	} else {
		return -EINVAL;
	}
	*ret_read_only = (flags & O_ACCMODE) == O_RDONLY;
	return 0;
}

static void describe(struct block *b, uint64_t bytes)
{
	b->space = (struct block_space){
		.capacity = bytes / BLOCK_SECTOR,
		.seg_max = SEG_MAX,
		.blk_size = BLOCK_SECTOR,
	};
	b->dev = (struct virtio_dev){
		.ops = &ops,
		.features = F_SEG_MAX | F_BLK_SIZE | F_FLUSH,
		.n_queues = 1,
		.queue_size = QUEUE_SIZE,
		.config = &b->space,
		.config_bytes = BLOCK_SPACE_BYTES,
	};
	if (b->read_only) {
		b->dev.features |= F_RO;
		return;
	}
	b->dev.features |= F_DISCARD | F_WRITE_ZEROES;
	b->space.max_discard_sectors = b->space.max_write_zeroes_sectors = BLOCK_ZERO_MOST / BLOCK_SECTOR;
	b->space.max_discard_seg = b->space.max_write_zeroes_seg = 1;
	b->space.discard_sector_alignment = 1;
	b->space.write_zeroes_may_unmap = 1;
}

static int open_io(struct block *b, const struct block_config *c)
{
	int fds[STACK_MOST_IMAGES];

	if (!c->n_below)
		return block_io_init(&b->io, c->fd, !c->plain_io);
	if (c->n_below >= STACK_MOST_IMAGES)
		return -EMLINK;
	memcpy(fds, c->below, c->n_below * sizeof(*fds));
	fds[c->n_below] = c->fd;
	return block_io_init_stack(&b->io, fds, c->n_below + 1);
}

/* What has descriptors; block_done undoes any part of it. */
static int open_all(struct block *b, const struct block_config *c, const struct ram *ram, struct loop *loop)
{
	int r = virtio_init(&b->dev, ram, loop);

	if (r < 0)
		return r;
	r = open_io(b, c);
	if (r == 0 && b->io.stack) {
		b->space.capacity = stack_bytes(b->io.stack) / BLOCK_SECTOR;
		virtio_show(&b->dev);
	}
	b->io.done = on_result;
	b->io.arg = b;
	if (r == 0)
		r = rate_init(&b->rate, &c->rate, loop, on_rate, b);
	b->results =
		(struct watch){ .fd = block_io_fd(&b->io), .events = EPOLLIN, .fn = on_results, .arg = b };
	if (r == 0 && b->results.fd >= 0)
		r = loop_add(loop, &b->results);
	if (r < 0)
		block_done(b);
	return r;
}

int block_init(struct block *b, const struct block_config *c, const struct ram *ram, struct loop *loop)
{
	uint64_t bytes = 0;
	bool read_only = false;
	int r = look_at(c->fd, &bytes, &read_only);

	if (r < 0)
		return r;
	memset(b, 0, sizeof(*b));
	b->fd = c->fd;
	b->rate.timer.fd = -1;
	b->read_only = c->read_only || read_only;
	strncpy(b->serial, c->serial ? c->serial : "", sizeof(b->serial));
	while (b->n_idle < BLOCK_IO_DEPTH) {
		b->idle[b->n_idle] = b->n_idle;
		b->n_idle++;
	}
	describe(b, bytes);
	b->dev.label = c->label;
	return open_all(b, c, ram, loop);
}

void block_done(struct block *b)
{
	block_io_drain(&b->io);
	loop_del(b->dev.loop, &b->results);
	rate_done(&b->rate);
	block_io_done(&b->io);
	virtio_done(&b->dev);
}

/* --- saved form */

void block_save(struct block *b, struct block_state *ret)
{
	on_settle(&b->dev);
	virtio_save(&b->dev, &ret->dev);
	ret->capacity = b->space.capacity;
}

int block_restore(struct block *b, const struct block_state *s)
{
	return s->capacity == b->space.capacity ? virtio_restore(&b->dev, &s->dev) : -EINVAL;
}
