/* block.c - virtio block device: its life, and its queue served */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include "storage/stack.h"
#include "virtio/block_int.h"

#define QUEUE_SIZE BLOCK_IO_DEPTH
#define SEG_MAX	   (QUEUE_SIZE - 2) /* a chain is no longer than the queue, and has a header and a status */
/* While so many operations are under way, the next result is near, and chains are found then as well as by a
 * kick. */
#define BUSY 4

/* --- service */

/* Takes chains until there is none, no request is idle, or the limit is reached: then others call `serve`
 * again. */
static void take_chains(struct block *b)
{
	struct vq_chain c;
	struct block_header h;

	b->starved = false;
	while (rate_ready(&b->rate)) {
		b->starved = !b->n_idle;
		if (b->starved || !virtio_pop(&b->dev, BLOCK_QUEUE, &c))
			return;
		if (!block_request_read(&c, &h)) {
			virtio_fail(&b->dev); /* no place for a status, or no header (section 5.2.6) */
			return;
		}
		rate_charge(&b->rate, block_request_bytes(&h, &c));
		block_request_begin(b, &h, &c);
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
		vq_kicks_after(&b->dev.queues[BLOCK_QUEUE], (uint16_t)(b->io.under_way / 2));
	virtio_notify(&b->dev, BLOCK_QUEUE);
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

/* A vcpu's thread: it may wait, and neither read nor write. */
static void on_stop(struct virtio_dev *d)
{
	struct block *b = (struct block *)d;

	b->stopping = true;
	block_io_drain(&b->io);
	b->stopping = false;
}

static void on_settle(struct virtio_dev *d)
{
	struct block *b = (struct block *)d;

	block_io_settle(&b->io);
	virtio_notify(d, BLOCK_QUEUE);
}

static int on_undo(struct virtio_dev *d)
{
	struct block *b = (struct block *)d;

	return b->read_only ? 0 : block_io_empty(&b->io);
}

static const struct virtio_ops ops = {
	.name = "block", .id = 2, .kick = on_kick, .stop = on_stop, .settle = on_settle, .undo = on_undo
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
		.features = BLOCK_F_SEG_MAX | BLOCK_F_BLK_SIZE | BLOCK_F_FLUSH,
		.n_queues = 1,
		.queue_size = QUEUE_SIZE,
		.config = &b->space,
		.config_bytes = BLOCK_SPACE_BYTES,
	};
	if (b->read_only) {
		b->dev.features |= BLOCK_F_RO;
		return;
	}
	b->dev.features |= BLOCK_F_DISCARD | BLOCK_F_WRITE_ZEROES;
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
	b->io.done = block_request_result;
	b->io.arg = b;
	if (r == 0 && !b->read_only)
		block_io_reserve(&b->io);
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
	block_io_settle(&b->io);
	loop_del(b->dev.loop, &b->results);
	rate_done(&b->rate);
	block_io_done(&b->io);
	virtio_done(&b->dev);
}

/* Chains that waited for results are looked at again: none of them comes by the ring any more. */
int block_push(struct block *b, int fd)
{
	int r = b->read_only ? -EROFS : 0;

	if (r < 0)
		return r;
	virtio_lock(&b->dev);
	on_settle(&b->dev);
	r = block_io_push(&b->io, fd);
	if (r == 0)
		b->fd = fd;
	virtio_unlock(&b->dev);
	virtio_kick_again(&b->dev, BLOCK_QUEUE);
	return r;
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
