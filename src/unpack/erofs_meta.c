/* erofs_meta.c - the metadata area of an EROFS while it is made: inodes with what lies behind them */
#include "unpack/erofs_meta.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/io.h"
#include "unpack/erofs_format.h"

#define FILE_NAME    "metadata" /* while it is opened */
#define BUFFER_BYTES (256 << 10)
#define ALIGN	     sizeof(struct erofs_inode) /* so that none lies across two blocks */

struct erofs_meta {
	int fd;
	uint64_t at; /* of the buffer's beginning */
	size_t n;
	char *buffer;
};

int erofs_meta_open(int scratch_fd, struct erofs_meta **ret, struct err *e)
{
	struct erofs_meta *m = calloc(1, sizeof(*m));
	int r = 0;

	if (!m)
		return err_set(e, ENOMEM, "out of memory");
	m->buffer = malloc(BUFFER_BYTES);
	m->fd = openat(scratch_fd, FILE_NAME, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (!m->buffer)
		r = err_set(e, ENOMEM, "out of memory");
	else if (m->fd < 0 || unlinkat(scratch_fd, FILE_NAME, 0) < 0)
		r = err_sys(e, errno, "make a temporary file");
	if (r < 0) {
		erofs_meta_close(m);
		return r;
	}
	*ret = m;
	return 0;
}

struct erofs_meta *erofs_meta_close(struct erofs_meta *m)
{
	if (!m)
		return NULL;
	auto_close(&m->fd);
	free(m->buffer);
	free(m);
	return NULL;
}

uint64_t erofs_meta_place(uint64_t at, size_t n, size_t n_inline)
{
	at = (at + ALIGN - 1) / ALIGN * ALIGN;
	/* n may be several blocks: what counts is the block in which it ends */
	while (n_inline && (at + n) % EROFS_BLOCK + n_inline > EROFS_BLOCK)
		at += ALIGN;
	return at;
}

uint64_t erofs_meta_at(const struct erofs_meta *m)
{
	return m->at + m->n;
}

static int flush(struct erofs_meta *m, struct err *e)
{
	int r = pwrite_full(m->fd, m->buffer, m->n, (off_t)m->at);

	m->at += m->n;
	m->n = 0;
	return r < 0 ? err_sys(e, -r, "write a temporary file") : 0;
}

/* data NULL: zeros. */
static int append(struct erofs_meta *m, const char *data, size_t n, struct err *e)
{
	int r = 0;

	while (n && r == 0) {
		size_t room = BUFFER_BYTES - m->n, part = n < room ? n : room;

		if (data)
			memcpy(m->buffer + m->n, data, part);
		else
			memset(m->buffer + m->n, 0, part);
		data = data ? data + part : NULL;
		m->n += part;
		n -= part;
		if (m->n == BUFFER_BYTES)
			r = flush(m, e);
	}
	return r;
}

int erofs_meta_add(struct erofs_meta *m, uint64_t at, const void *data, size_t n, struct err *e)
{
	int r = at + n > EROFS_META_MAX
			? err_set(e, EFBIG, "the names and attributes of the layer are too large")
			: append(m, NULL, at - erofs_meta_at(m), e);

	return r < 0 ? r : append(m, data, n, e);
}

int erofs_meta_read(struct erofs_meta *m, uint64_t at, void *data, size_t n, struct err *e)
{
	ssize_t got;

	if (at >= m->at) {
		memcpy(data, m->buffer + (at - m->at), n);
		return 0;
	}
	if (at + n > m->at && flush(m, e) < 0)
		return -EIO;
	got = pread(m->fd, data, n, (off_t)at);
	return got == (ssize_t)n ? 0 : err_sys(e, got < 0 ? errno : EIO, "read a temporary file");
}

int erofs_meta_change(struct erofs_meta *m, uint64_t at, const void *data, size_t n, struct err *e)
{
	int r = 0;

	if (at >= m->at) {
		memcpy(m->buffer + (at - m->at), data, n);
		return 0;
	}
	if (at + n > m->at)
		r = flush(m, e);
	if (r < 0)
		return r;
	r = pwrite_full(m->fd, data, n, (off_t)at);
	return r < 0 ? err_sys(e, -r, "write a temporary file") : 0;
}

int erofs_meta_copy(struct erofs_meta *m, struct erofs_out *o, struct err *e)
{
	uint64_t at = 0, end;
	int r = flush(m, e);

	end = m->at;
	while (r == 0 && at < end) {
		size_t want = end - at < BUFFER_BYTES ? (size_t)(end - at) : BUFFER_BYTES;
		ssize_t n = pread(m->fd, m->buffer, want, (off_t)at);

		if (n <= 0)
			return err_sys(e, n < 0 ? errno : EIO, "read a temporary file");
		r = erofs_out_add(o, m->buffer, (uint64_t)n, e);
		at += (uint64_t)n;
	}
	return r < 0 ? r : erofs_out_align(o, e);
}
