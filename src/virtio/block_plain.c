/* block_plain.c - one operation on a disk by plain system calls, waiting for it: a file, or a stack of images */
#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <unistd.h>

#include "storage/stack.h"
#include "virtio/block_io_int.h"

int block_punch_mode(enum block_op_kind k)
{
	return FALLOC_FL_KEEP_SIZE | (k == BLOCK_PUNCH ? FALLOC_FL_PUNCH_HOLE : FALLOC_FL_ZERO_RANGE);
}

static ssize_t plain_once(int fd, const struct block_op *op, const struct iovec *v, unsigned n, uint64_t done)
{
	off_t at = (off_t)(op->offset + done);
	ssize_t r;

	do
		r = op->kind == BLOCK_READ ? preadv(fd, v, (int)n, at) : pwritev(fd, v, (int)n, at);
	while (r < 0 && errno == EINTR);
	return r < 0 ? -errno : r;
}

/* What an earlier call left over is done buffer by buffer. */
static int32_t plain_read_write(int fd, const struct block_op *op)
{
	uint64_t done = 0, skip, end = 0;
	ssize_t r = plain_once(fd, op, op->iov, op->n_iov, 0);

	for (unsigned i = 0; r > 0; i++) {
		done += (uint64_t)r;
		while (i < op->n_iov && end + op->iov[i].iov_len <= done)
			end += op->iov[i++].iov_len;
		if (i >= op->n_iov)
			break;
		skip = done - end;
		r = plain_once(
			fd, op,
			&(struct iovec){ (uint8_t *)op->iov[i].iov_base + skip, op->iov[i].iov_len - skip },
			1, done);
		i--;
	}
	if (r >= 0 && op->durable && fdatasync(fd) < 0)
		r = -errno;
	return r < 0 ? (int32_t)r : (int32_t)done;
}

int32_t block_plain_do(int fd, const struct block_op *op)
{
	int r;

	if (op->kind == BLOCK_READ || op->kind == BLOCK_WRITE)
		return plain_read_write(fd, op);
	do
		r = op->kind == BLOCK_SYNC
			    ? fdatasync(fd)
			    : fallocate(fd, block_punch_mode(op->kind), (off_t)op->offset, (off_t)op->bytes);
	while (r < 0 && errno == EINTR);
	return r < 0 ? -errno : 0;
}

/* --- a stack of images */

static int stack_read_write(struct stack *d, const struct block_op *op)
{
	uint64_t bytes = 0;
	int r;

	for (unsigned i = 0; i < op->n_iov; i++)
		bytes += op->iov[i].iov_len;
	r = op->kind == BLOCK_READ ? stack_read(d, op->iov, op->n_iov, op->offset, bytes)
				   : stack_write(d, op->iov, op->n_iov, op->offset, bytes);
	if (r == 0 && op->durable)
		r = stack_flush(d);
	return r < 0 ? r : (int32_t)bytes;
}

int32_t block_stack_do(struct stack *d, const struct block_op *op)
{
	if (op->kind == BLOCK_READ || op->kind == BLOCK_WRITE)
		return stack_read_write(d, op);
	return op->kind == BLOCK_SYNC ? stack_flush(d) : stack_clear(d, op->offset, op->bytes);
}
