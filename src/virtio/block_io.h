/* block_io.h - a disk image read and written without waiting: io_uring, or plain system calls
 *
 * With io_uring operations are gathered (block_io_put), handed to the kernel in one call (block_io_submit),
 * and their results come as they are complete (block_io_reap, block_io_drain).  With plain calls each is done
 * in block_io_put.
 *
 * The ring is made at the beginning, restricted to the operations that are used here; no file is registered:
 * before Linux 5.18 each registration waits for RCU, which takes milliseconds of a start.  The ring's own descriptor
 * tells the loop about completions without a read of an eventfd.  Afterwards there is only io_uring_enter.
 *
 * What would block is done by helpers of the kernel, which count against RLIMIT_NPROC.  Where they may not be
 * (a tight jail), or the kernel has no memory for what is submitted, such operations end with -ECANCELED, without having
 * begun; block_io_without_helpers makes plain calls of their kind from then on.
 */
#ifndef VIRTIO_BLOCK_IO_H
#define VIRTIO_BLOCK_IO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#define BLOCK_IO_DEPTH 128 /* operations under way at most: a queue full */
#define BLOCK_IO_IOVS  512 /* buffers of what is gathered; more are submitted in between */

/* One write of zeroes where the file system cannot do better: this many times this many bytes. */
#define BLOCK_ZERO_IOVS	 256
#define BLOCK_ZERO_BYTES 65536
#define BLOCK_ZERO_MOST	 (BLOCK_ZERO_IOVS * BLOCK_ZERO_BYTES)

enum block_op_kind {
	BLOCK_READ,
	BLOCK_WRITE,
	BLOCK_SYNC,
	BLOCK_PUNCH, /* becomes a hole */
	BLOCK_ZERO, /* becomes zeroes that stay allocated */
	BLOCK_WRITE_ZEROES, /* the same by writing; at most BLOCK_ZERO_MOST bytes */
};

struct block_op {
	enum block_op_kind kind;
	bool durable; /* a write: on the disk when it is done */
	uint16_t tag; /* comes back with the result */
	uint64_t offset, bytes;
	const struct iovec *iov; /* of READ and WRITE; looked at during block_io_put only */
	unsigned n_iov; /* at most BLOCK_IO_IOVS */
};

struct block_ring; /* block_io.c */
struct stack; /* storage/stack.h */

struct block_io {
	int fd;
	struct stack *stack; /* a stack of images in the place of fd, by plain calls; NULL: none.  Owned */
	struct stack *later; /* what `stack` becomes with the first block_io_push: of fd alone.  Owned */
	struct block_ring *ring; /* NULL: plain calls */
	unsigned plain_kinds; /* 1 << enum block_op_kind: plain calls all the same */
	unsigned under_way; /* operations without a result */
	void *zeroes; /* BLOCK_ZERO_BYTES */
	struct iovec zero_iov[BLOCK_ZERO_IOVS];
	/* The result: bytes (READ and WRITE), 0, or -errno.  May put further operations. */
	void (*done)(void *arg, uint16_t tag, int32_t result);
	void *arg;
};

/* With `ring` false: plain calls even where io_uring is there.  0 or -errno. */
int block_io_init(struct block_io *io, int fd, bool ring);
void block_io_done(struct block_io *io);
/* The same for a stack of images (storage/stack.h), lowest first; the descriptors stay the caller's. */
int block_io_init_stack(struct block_io *io, const int *fds, size_t n);
/* Makes room for block_io_push, as far as the disk can be below an image. */
void block_io_reserve(struct block_io *io);
/* Nothing is under way: what is written goes to this empty image from now on (stack_push), by plain calls; fd stays the
 * caller's.  -ENOSPC: there is no room for one more; on any failure all is as before. */
int block_io_push(struct block_io *io, int fd);
/* Nothing is under way: what was written since the uppermost image came is gone.  -ENOTSUP: there is no such image. */
int block_io_empty(struct block_io *io);
/* What becomes readable when results are there; -1 for plain calls. */
int block_io_fd(const struct block_io *io);
/* At most BLOCK_IO_DEPTH under way. */
void block_io_put(struct block_io *io, const struct block_op *op);
void block_io_submit(struct block_io *io);
void block_io_without_helpers(struct block_io *io, enum block_op_kind k);
/* Calls `done` for what is complete, and submits what that has put. */
void block_io_reap(struct block_io *io);
/* Until nothing is under way. */
void block_io_drain(struct block_io *io);
/* The same, and what was written is in the files, for others to read. */
void block_io_settle(struct block_io *io);

#endif
