/* stack.c - a disk that is a stack of images */
#include "storage/stack.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "storage/qcow2.h"

#define IOVS 1024 /* what one call of the kernel takes */

struct stack {
	int base; /* raw */
	uint64_t bytes;
	size_t n;
	struct qcow2 *images[STACK_MOST_IMAGES]; /* on top of the base, lowest first */
	struct qcow2 *spare[STACK_SPARES];
	size_t n_spare; /* the others have become images, or failed to */
	uint8_t *cluster; /* for one that is copied up */
	struct iovec iov[IOVS];
};

/* --- buffers */

struct cursor {
	const struct iovec *iov;
	unsigned n;
	size_t skip; /* of iov[0] */
};

/* Puts the next `bytes` into out; the number of its parts, 0: they are too many, or not there. */
static unsigned cut(struct cursor *c, size_t bytes, struct iovec *out, unsigned most)
{
	unsigned k = 0;

	while (bytes && c->n && k < most) {
		size_t left = c->iov->iov_len - c->skip, m = left < bytes ? left : bytes;

		if (m)
			out[k++] = (struct iovec){ (uint8_t *)c->iov->iov_base + c->skip, m };
		bytes -= m;
		c->skip += m;
		if (c->skip == c->iov->iov_len) {
			c->iov++;
			c->n--;
			c->skip = 0;
		}
	}
	return bytes ? 0 : k;
}

/* Drops what was done from the front. */
static unsigned advance(struct iovec **v, unsigned n, size_t done)
{
	while (n && done >= (*v)->iov_len) {
		done -= (*v)->iov_len;
		(*v)++;
		n--;
	}
	if (n) {
		(*v)->iov_base = (uint8_t *)(*v)->iov_base + done;
		(*v)->iov_len -= done;
	}
	return n;
}

static void fill_zeroes(const struct iovec *v, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		memset(v[i].iov_base, 0, v[i].iov_len);
}

/* Behind the end of a file there are zeroes. */
static int read_file_at(int fd, struct iovec *v, unsigned n, uint64_t offset)
{
	while (n) {
		ssize_t r = preadv(fd, v, (int)n, (off_t)offset);

		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0)
			return -errno;
		if (!r) {
			fill_zeroes(v, n);
			return 0;
		}
		offset += (uint64_t)r;
		n = advance(&v, n, (size_t)r);
	}
	return 0;
}

static int write_file_at(int fd, struct iovec *v, unsigned n, uint64_t offset)
{
	while (n) {
		ssize_t r = pwritev(fd, v, (int)n, (off_t)offset);

		if (r < 0 && errno == EINTR)
			continue;
		if (r <= 0)
			return r < 0 ? -errno : -EIO;
		offset += (uint64_t)r;
		n = advance(&v, n, (size_t)r);
	}
	return 0;
}

/* --- one cluster at a time */

static int read_part(struct stack *d, struct iovec *v, unsigned n, uint64_t offset)
{
	uint64_t cluster = offset / QCOW2_CLUSTER, in = offset % QCOW2_CLUSTER;

	for (size_t i = d->n; i-- > 0;) {
		struct qcow2_place at;
		int r;

		if (offset >= qcow2_bytes(d->images[i]))
			continue;
		r = qcow2_find(d->images[i], cluster, &at);
		if (r < 0)
			return r;
		if (at.state == QCOW2_DATA)
			return read_file_at(qcow2_fd(d->images[i]), v, n, at.offset + in);
		if (at.state == QCOW2_ZERO) {
			fill_zeroes(v, n);
			return 0;
		}
	}
	return read_file_at(d->base, v, n, offset);
}

/* The whole cluster, with the part that is written in its place. */
static int copy_up(struct stack *d, const struct iovec *v, unsigned n, uint64_t offset)
{
	struct iovec whole = { d->cluster, QCOW2_CLUSTER };
	uint8_t *to = d->cluster + offset % QCOW2_CLUSTER;
	int r = read_part(d, &whole, 1, offset - offset % QCOW2_CLUSTER);

	for (unsigned i = 0; i < n && r == 0; i++) {
		memcpy(to, v[i].iov_base, v[i].iov_len);
		to += v[i].iov_len;
	}
	return r;
}

static int write_new(struct stack *d, const struct qcow2_place *was, struct iovec *v, unsigned n,
		     uint64_t offset, uint64_t bytes)
{
	struct qcow2 *top = d->images[d->n - 1];
	struct iovec whole = { d->cluster, QCOW2_CLUSTER };
	bool is_whole = bytes == QCOW2_CLUSTER;
	uint64_t at = was->offset;
	int r = is_whole ? 0 : copy_up(d, v, n, offset);

	if (r == 0 && !(was->state == QCOW2_ZERO && was->ours && at))
		r = qcow2_take(top, &at);
	if (r == 0)
		r = write_file_at(qcow2_fd(top), is_whole ? v : &whole, is_whole ? n : 1, at);
	return r < 0 ? r : qcow2_map(top, offset / QCOW2_CLUSTER, at);
}

static int write_part(struct stack *d, struct iovec *v, unsigned n, uint64_t offset, uint64_t bytes)
{
	struct qcow2 *top = d->images[d->n - 1];
	struct qcow2_place at;
	int r = qcow2_find(top, offset / QCOW2_CLUSTER, &at);

	if (r < 0)
		return r;
	if (at.state == QCOW2_DATA && at.ours)
		return write_file_at(qcow2_fd(top), v, n, at.offset + offset % QCOW2_CLUSTER);
	return write_new(d, &at, v, n, offset, bytes);
}

static int clear_whole(struct stack *d, uint64_t cluster)
{
	struct qcow2 *top = d->images[d->n - 1];
	struct qcow2_place at;
	int r = qcow2_find(top, cluster, &at);

	if (r < 0 || at.state == QCOW2_ZERO)
		return r;
	if (at.state == QCOW2_DATA && at.ours &&
	    fallocate(qcow2_fd(top), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)at.offset,
		      QCOW2_CLUSTER) == 0)
		return 0;
	return qcow2_map_zero(top, cluster);
}

static int clear_part(struct stack *d, uint64_t offset, uint64_t bytes)
{
	static const uint8_t zeroes[QCOW2_CLUSTER];
	struct iovec v = { (uint8_t *)(uintptr_t)zeroes, bytes };
	struct qcow2_place at;
	int r;

	if (bytes == QCOW2_CLUSTER)
		return clear_whole(d, offset / QCOW2_CLUSTER);
	r = qcow2_find(d->images[d->n - 1], offset / QCOW2_CLUSTER, &at);
	return r < 0 || at.state == QCOW2_ZERO ? r : write_part(d, &v, 1, offset, bytes);
}

/* --- ranges */

static uint64_t part_of(uint64_t offset, uint64_t bytes)
{
	uint64_t most = QCOW2_CLUSTER - offset % QCOW2_CLUSTER;

	return bytes < most ? bytes : most;
}

static bool is_on_disk(const struct stack *d, uint64_t offset, uint64_t bytes)
{
	return offset <= d->bytes && bytes <= d->bytes - offset;
}

static int each_part(struct stack *d, const struct iovec *iov, unsigned n, uint64_t offset, uint64_t bytes,
		     bool write)
{
	struct cursor c = { iov, n, 0 };
	int r = is_on_disk(d, offset, bytes) ? 0 : -EINVAL;

	while (bytes && r == 0) {
		uint64_t m = part_of(offset, bytes);
		unsigned k = cut(&c, m, d->iov, IOVS);

		r = !k	    ? -EINVAL
		    : write ? write_part(d, d->iov, k, offset, m)
			    : read_part(d, d->iov, k, offset);
		offset += m;
		bytes -= m;
	}
	return r;
}

int stack_read(struct stack *d, const struct iovec *iov, unsigned n, uint64_t offset, uint64_t bytes)
{
	return each_part(d, iov, n, offset, bytes, false);
}

int stack_write(struct stack *d, const struct iovec *iov, unsigned n, uint64_t offset, uint64_t bytes)
{
	return each_part(d, iov, n, offset, bytes, true);
}

int stack_clear(struct stack *d, uint64_t offset, uint64_t bytes)
{
	int r = is_on_disk(d, offset, bytes) ? 0 : -EINVAL;

	while (bytes && r == 0) {
		uint64_t m = part_of(offset, bytes);

		r = clear_part(d, offset, m);
		offset += m;
		bytes -= m;
	}
	return r;
}

int stack_settle(struct stack *d)
{
	return qcow2_settle(d->images[d->n - 1]);
}

int stack_flush(struct stack *d)
{
	return qcow2_flush(d->images[d->n - 1]);
}

/* --- life */

void stack_close(struct stack *d)
{
	if (!d)
		return;
	for (size_t i = 0; i < d->n; i++)
		qcow2_close(d->images[i]);
	for (size_t i = 0; i < STACK_SPARES; i++)
		qcow2_close(d->spare[i]);
	if (d->cluster)
		munmap(d->cluster, QCOW2_CLUSTER);
	free(d);
}

static int open_all(struct stack *d, const int *fds, size_t n, size_t *ret_bad)
{
	struct stat st;

	if (fstat(fds[0], &st) < 0)
		return -errno;
	d->base = fds[0];
	d->bytes = (uint64_t)st.st_size;
	d->cluster = mmap(NULL, QCOW2_CLUSTER, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (d->cluster == MAP_FAILED) {
		d->cluster = NULL;
		return -ENOMEM;
	}
	for (size_t i = 1; i < n; i++) {
		int r = qcow2_open(fds[i], i == n - 1, &d->images[d->n]);

		*ret_bad = i;
		if (r < 0)
			return r;
		d->bytes = qcow2_bytes(d->images[d->n++]);
	}
	return 0;
}

int stack_open(const int *fds, size_t n, struct stack **ret, size_t *ret_bad)
{
	struct stack *d = n && n <= STACK_MOST_IMAGES ? calloc(1, sizeof(*d)) : NULL;
	int r;

	*ret_bad = 0;
	if (!d)
		return n && n <= STACK_MOST_IMAGES ? -ENOMEM : -EINVAL;
	r = open_all(d, fds, n, ret_bad);
	if (r < 0)
		stack_close(d);
	else
		*ret = d;
	return r;
}

int stack_reserve(struct stack *d)
{
	int r = 0;

	while (r == 0 && d->n_spare < STACK_SPARES) {
		r = qcow2_reserve(d->bytes, &d->spare[d->n_spare]);
		d->n_spare += r == 0;
	}
	return r;
}

int stack_push(struct stack *d, int fd)
{
	bool has_room = d->n_spare && d->n < STACK_MOST_IMAGES;
	int r = !has_room ? -ENOSPC : d->n ? stack_settle(d) : 0;

	if (r == 0)
		r = qcow2_adopt(d->spare[--d->n_spare], fd);
	if (r < 0)
		return r;
	if (d->n)
		qcow2_seal(d->images[d->n - 1]);
	d->images[d->n++] = d->spare[d->n_spare];
	d->spare[d->n_spare] = NULL;
	return 0;
}

int stack_empty(struct stack *d)
{
	return d->n ? qcow2_empty(d->images[d->n - 1]) : -ENOTSUP;
}

uint64_t stack_bytes(const struct stack *d)
{
	return d->bytes;
}
