/* block_io.c - a disk image read and written by io_uring or plain system calls
 *
 * The submission ring is as large as BLOCK_IO_DEPTH and the completion ring twice that, so neither can
 * overflow.  Buffers live in `iovs` until the submission only (IORING_FEAT_SUBMIT_STABLE).
 */
#include <errno.h>
#include <linux/io_uring.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "storage/stack.h"
#include "virtio/block_io_int.h"

/* NATIVE_WORKERS (5.12): the kernel's helpers are threads of this process, with its rights and in its cgroup;
 * a kernel that has them has every operation used here. */
#define FEATURES                                                                                             \
	(IORING_FEAT_SINGLE_MMAP | IORING_FEAT_NODROP | IORING_FEAT_SUBMIT_STABLE |                          \
	 IORING_FEAT_NATIVE_WORKERS)

struct block_ring {
	int fd;
	void *rings;
	size_t rings_bytes;
	struct io_uring_sqe *sqes;
	size_t sqes_bytes;
	unsigned *sq_head, *sq_tail, sq_mask, *sq_array;
	unsigned *cq_head, *cq_tail, cq_mask;
	struct io_uring_cqe *cqes;
	unsigned gathered; /* put, not submitted */
	unsigned n_iovs;
	struct iovec iovs[BLOCK_IO_IOVS];
};

/* --- making a ring */

static void ring_free(struct block_ring *g)
{
	if (!g)
		return;
	if (g->sqes && g->sqes != MAP_FAILED)
		munmap(g->sqes, g->sqes_bytes);
	if (g->rings && g->rings != MAP_FAILED)
		munmap(g->rings, g->rings_bytes);
	close(g->fd);
	free(g);
}

static int ring_setup(struct io_uring_params *p)
{
	int fd;

	/* no interrupt of our thread for each completion (5.19) */
	*p = (struct io_uring_params){ .flags = IORING_SETUP_R_DISABLED | IORING_SETUP_COOP_TASKRUN };
	fd = (int)syscall(SYS_io_uring_setup, BLOCK_IO_DEPTH, p);
	if (fd >= 0 || errno != EINVAL)
		return fd;
	*p = (struct io_uring_params){ .flags = IORING_SETUP_R_DISABLED };
	return (int)syscall(SYS_io_uring_setup, BLOCK_IO_DEPTH, p);
}

/* No filter of system calls sees what goes through a ring: it takes these operations and nothing else, for ever. */
static bool ring_restrict(int fd)
{
	static const uint8_t ops[] = { IORING_OP_READV, IORING_OP_WRITEV, IORING_OP_FSYNC,
				       IORING_OP_FALLOCATE };
	struct io_uring_restriction allowed[sizeof(ops)] = { 0 };

	for (size_t i = 0; i < sizeof(ops); i++) {
		allowed[i].opcode = IORING_RESTRICTION_SQE_OP;
		allowed[i].sqe_op = ops[i];
	}
	return syscall(SYS_io_uring_register, fd, IORING_REGISTER_RESTRICTIONS, allowed, sizeof(ops)) == 0 &&
	       syscall(SYS_io_uring_register, fd, IORING_REGISTER_ENABLE_RINGS, NULL, 0) == 0;
}

static bool ring_map(struct block_ring *g, const struct io_uring_params *p)
{
	size_t sq = p->sq_off.array + p->sq_entries * sizeof(unsigned);
	size_t cq = p->cq_off.cqes + p->cq_entries * sizeof(struct io_uring_cqe);
	uint8_t *at;

	g->rings_bytes = sq > cq ? sq : cq;
	g->sqes_bytes = p->sq_entries * sizeof(struct io_uring_sqe);
	g->rings = mmap(NULL, g->rings_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, g->fd, IORING_OFF_SQ_RING);
	g->sqes = mmap(NULL, g->sqes_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, g->fd, IORING_OFF_SQES);
	if (g->rings == MAP_FAILED || g->sqes == MAP_FAILED)
		return false;
	at = g->rings;
	g->sq_head = (unsigned *)(at + p->sq_off.head);
	g->sq_tail = (unsigned *)(at + p->sq_off.tail);
	g->sq_array = (unsigned *)(at + p->sq_off.array);
	g->sq_mask = p->sq_entries - 1;
	g->cq_head = (unsigned *)(at + p->cq_off.head);
	g->cq_tail = (unsigned *)(at + p->cq_off.tail);
	g->cqes = (struct io_uring_cqe *)(at + p->cq_off.cqes);
	g->cq_mask = p->cq_entries - 1;
	return true;
}

/* NULL where io_uring is missing, forbidden or too old. */
static struct block_ring *ring_new(void)
{
	struct io_uring_params p;
	struct block_ring *g = calloc(1, sizeof(*g));

	if (!g)
		return NULL;
	g->fd = ring_setup(&p);
	if (g->fd < 0) {
		free(g);
		return NULL;
	}
	if ((p.features & FEATURES) != FEATURES || !ring_map(g, &p) || !ring_restrict(g->fd)) {
		ring_free(g);
		return NULL;
	}
	return g;
}

int block_io_init(struct block_io *io, int fd, bool ring)
{
	*io = (struct block_io){ .fd = fd };
	/* never written: all of it is the kernel's one page of zeroes */
	io->zeroes = mmap(NULL, BLOCK_ZERO_BYTES, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (io->zeroes == MAP_FAILED) {
		io->zeroes = NULL;
		return -errno;
	}
	if (ring)
		io->ring = ring_new();
	return 0;
}

int block_io_init_stack(struct block_io *io, const int *fds, size_t n)
{
	size_t bad;
	int r = block_io_init(io, fds[n - 1], false);

	return r < 0 ? r : stack_open(fds, n, &io->stack, &bad);
}

void block_io_reserve(struct block_io *io)
{
	size_t bad;

	if (!io->stack && stack_open(&io->fd, 1, &io->later, &bad) < 0)
		return;
	stack_reserve(io->stack ? io->stack : io->later);
}

int block_io_push(struct block_io *io, int fd)
{
	struct stack *s = io->stack ? io->stack : io->later;
	int r = s ? stack_push(s, fd) : -ENOSPC;

	if (r < 0)
		return r;
	io->stack = s;
	io->later = NULL;
	io->fd = fd;
	io->plain_kinds = ~0u;
	return 0;
}

int block_io_empty(struct block_io *io)
{
	return io->stack ? stack_empty(io->stack) : -ENOTSUP;
}

void block_io_done(struct block_io *io)
{
	stack_close(io->stack);
	stack_close(io->later);
	io->stack = io->later = NULL;
	ring_free(io->ring);
	io->ring = NULL;
	if (io->zeroes)
		munmap(io->zeroes, BLOCK_ZERO_BYTES);
	io->zeroes = NULL;
}

int block_io_fd(const struct block_io *io)
{
	return io->ring ? io->ring->fd : -1;
}

/* --- the ring */

static void fill_sqe(struct io_uring_sqe *e, int fd, const struct block_op *op, const struct iovec *iov)
{
	*e = (struct io_uring_sqe){ .fd = fd, .user_data = op->tag };
	switch (op->kind) {
	case BLOCK_SYNC:
		e->opcode = IORING_OP_FSYNC;
		e->fsync_flags = IORING_FSYNC_DATASYNC;
		break;
	case BLOCK_PUNCH:
	case BLOCK_ZERO:
		e->opcode = IORING_OP_FALLOCATE;
		e->off = op->offset;
		e->addr = op->bytes;
		e->len = (uint32_t)block_punch_mode(op->kind);
		break;
	case BLOCK_READ:
	case BLOCK_WRITE:
	case BLOCK_WRITE_ZEROES:
		e->opcode = op->kind == BLOCK_READ ? IORING_OP_READV : IORING_OP_WRITEV;
		e->off = op->offset;
		e->addr = (uint64_t)(uintptr_t)iov;
		e->len = op->n_iov;
		e->rw_flags = op->durable ? RWF_DSYNC : 0;
		break;
	}
}

static int ring_enter(const struct block_ring *g, unsigned submit, unsigned wait)
{
	long r = syscall(SYS_io_uring_enter, g->fd, submit, wait, wait ? IORING_ENTER_GETEVENTS : 0, NULL, 0);

	return r < 0 ? -errno : (int)r;
}

/* The kernel does not take what is gathered, and nothing is under way whose end would change that: plain calls do it. */
static void ring_give_up(struct block_io *io)
{
	struct block_ring *g = io->ring;
	uint16_t tags[BLOCK_IO_DEPTH];
	unsigned n = 0, head = __atomic_load_n(g->sq_head, __ATOMIC_ACQUIRE);

	while (g->gathered && n < BLOCK_IO_DEPTH) {
		tags[n] = (uint16_t)g->sqes[g->sq_array[(head + n) & g->sq_mask]].user_data;
		g->gathered--;
		n++;
	}
	__atomic_store_n(g->sq_tail, head, __ATOMIC_RELEASE);
	g->n_iovs = 0;
	for (unsigned i = 0; i < n; i++) {
		io->under_way--;
		io->done(io->arg, tags[i], -ECANCELED);
	}
}

static void ring_put(struct block_io *io, const struct block_op *op)
{
	struct block_ring *g = io->ring;
	struct iovec *iov;
	unsigned tail, at;

	if (g->n_iovs + op->n_iov > BLOCK_IO_IOVS)
		block_io_submit(io);
	if (g->n_iovs + op->n_iov > BLOCK_IO_IOVS)
		ring_give_up(io);
	iov = &g->iovs[g->n_iovs];
	if (op->n_iov)
		memcpy(iov, op->iov, op->n_iov * sizeof(*iov));
	g->n_iovs += op->n_iov;
	tail = *g->sq_tail;
	at = tail & g->sq_mask;
	fill_sqe(&g->sqes[at], io->fd, op, iov);
	g->sq_array[at] = at;
	__atomic_store_n(g->sq_tail, tail + 1, __ATOMIC_RELEASE);
	g->gathered++;
}

/* --- operations */

/* WRITE_ZEROES is a write from one buffer, again and again. */
static void lay_out_zeroes(struct block_io *io, struct block_op *op)
{
	uint64_t left = op->bytes;

	op->kind = BLOCK_WRITE;
	op->iov = io->zero_iov;
	for (op->n_iov = 0; left && op->n_iov < BLOCK_ZERO_IOVS; op->n_iov++) {
		size_t n = left < BLOCK_ZERO_BYTES ? left : BLOCK_ZERO_BYTES;

		io->zero_iov[op->n_iov] = (struct iovec){ io->zeroes, n };
		left -= n;
	}
}

void block_io_put(struct block_io *io, const struct block_op *given)
{
	struct block_op op = *given;
	int32_t r;

	if (op.kind == BLOCK_WRITE_ZEROES)
		lay_out_zeroes(io, &op);
	io->under_way++;
	if (io->ring && !(io->plain_kinds & 1u << op.kind)) {
		ring_put(io, &op);
		return;
	}
	r = io->stack ? block_stack_do(io->stack, &op) : block_plain_do(io->fd, &op);
	io->under_way--;
	io->done(io->arg, op.tag, r);
}

void block_io_without_helpers(struct block_io *io, enum block_op_kind k)
{
	io->plain_kinds |= 1u << (k == BLOCK_WRITE_ZEROES ? BLOCK_WRITE : k);
}

void block_io_submit(struct block_io *io)
{
	struct block_ring *g = io->ring;
	int r;

	while (g && g->gathered) {
		r = ring_enter(g, g->gathered, 0);
		/* short of memory: there may be some when one is complete */
		if ((r == -EAGAIN || r == -EBUSY) && io->under_way > g->gathered)
			return;
		if (r > 0)
			g->gathered -= (unsigned)r;
		else if (r != -EINTR)
			ring_give_up(io);
	}
	if (g)
		g->n_iovs = 0;
}

static bool ring_next(struct block_ring *g, uint16_t *ret_tag, int32_t *ret_result)
{
	unsigned head = *g->cq_head;
	const struct io_uring_cqe *e;

	if (head == __atomic_load_n(g->cq_tail, __ATOMIC_ACQUIRE))
		return false;
	e = &g->cqes[head & g->cq_mask];
	*ret_tag = (uint16_t)e->user_data;
	*ret_result = e->res;
	__atomic_store_n(g->cq_head, head + 1, __ATOMIC_RELEASE);
	return true;
}

void block_io_reap(struct block_io *io)
{
	uint16_t tag;
	int32_t result;

	while (io->ring && ring_next(io->ring, &tag, &result)) {
		io->under_way--;
		io->done(io->arg, tag, result);
	}
	block_io_submit(io);
}

void block_io_drain(struct block_io *io)
{
	while (io->under_way) {
		block_io_submit(io);
		if (io->under_way)
			ring_enter(io->ring, 0, 1);
		block_io_reap(io);
	}
}

void block_io_settle(struct block_io *io)
{
	block_io_drain(io);
	if (io->stack)
		stack_settle(io->stack); /* what fails now fails again at the next flush, which tells it */
}
