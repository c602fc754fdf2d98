/* source.c - streams of bytes: the lower ends, and the link that hashes what goes by */
#include "unpack/source.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/io.h"
#include "unpack/arrive.h"

#define WORTH_BYTES	 (64 << 10) /* less is not handed on while more is on the way */
#define FILE_PIECE_BYTES (256 << 10) /* stays in the second-level cache between read, hash and decoder */

ssize_t source_read(struct source *s, const void **ret, struct err *e)
{
	return s->ops->read(s, ret, e);
}

struct source *source_free(struct source *s)
{
	while (s) {
		struct source *below = s->below;

		s->ops->free(s);
		s = below;
	}
	return NULL;
}

int source_drain(struct source *s, struct err *e)
{
	const void *data;
	ssize_t n;

	do
		n = source_read(s, &data, e);
	while (n > 0);
	return (int)n;
}

struct file_source {
	struct source source;
	int fd;
	off_t offset;
	int64_t left; /* -1: to the end of file */
	int layout_fd; /* where it may be on the way yet; -1: it is there */
	char data[FILE_PIECE_BYTES];
};

/* Waits for bytes that are on the way. */
static ssize_t read_arriving(struct file_source *f, size_t want)
{
	size_t least = want < WORTH_BYTES ? want : WORTH_BYTES;
	bool ended = f->layout_fd < 0;

	for (;;) {
		ssize_t n = pread(f->fd, f->data, want, f->offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 || (size_t)n >= least || ended)
			return n;
		ended = arrive_ended(f->layout_fd); /* then all is there that will be: once more */
		if (!ended)
			arrive_pause();
	}
}

static ssize_t read_range(struct file_source *f, struct err *e)
{
	size_t want = f->left < FILE_PIECE_BYTES ? (size_t)f->left : FILE_PIECE_BYTES;
	ssize_t n = read_arriving(f, want);

	if (n < 0)
		return err_sys(e, errno, "read the archive");
	if (!n && want)
		return err_set(e, EINVAL, "the file is truncated: %lld bytes are missing",
			       (long long)f->left);
	f->offset += n;
	f->left -= n;
	return n;
}

static ssize_t file_read(struct source *s, const void **ret, struct err *e)
{
	struct file_source *f = (struct file_source *)s;
	ssize_t n;

	*ret = f->data;
	if (f->left >= 0)
		return read_range(f, e);
	n = read_full(f->fd, f->data, sizeof(f->data));
	return n < 0 ? err_sys(e, (int)-n, "read the archive") : n;
}

static void link_free(struct source *s)
{
	free(s);
}

struct source *source_file(int fd, off_t offset, int64_t size)
{
	static const struct source_ops ops = { file_read, link_free };
	struct file_source *f = malloc(sizeof(*f));

	if (!f)
		return NULL;
	f->source = (struct source){ .ops = &ops };
	f->fd = fd;
	f->offset = offset;
	f->left = size;
	f->layout_fd = -1;
	return &f->source;
}

struct source *source_arriving(int fd, int64_t size, int layout_fd)
{
	struct source *s = source_file(fd, 0, size);

	if (s)
		((struct file_source *)s)->layout_fd = layout_fd;
	return s;
}

struct memory_source {
	struct source source;
	const void *data;
	size_t n;
};

static ssize_t memory_read(struct source *s, const void **ret, struct err *e)
{
	struct memory_source *m = (struct memory_source *)s;
	size_t n = m->n;

	*ret = m->data;
	m->n = 0;
	return (ssize_t)n;
}

struct source *source_memory(const void *data, size_t n)
{
	static const struct source_ops ops = { memory_read, link_free };
	struct memory_source *m = malloc(sizeof(*m));

	if (!m)
		return NULL;
	*m = (struct memory_source){ .source = { .ops = &ops }, .data = data, .n = n };
	return &m->source;
}

struct hash_source {
	struct source source;
	struct hash *hash;
};

static ssize_t hash_read(struct source *s, const void **ret, struct err *e)
{
	ssize_t n = source_read(s->below, ret, e);

	if (n > 0)
		hash_add(((struct hash_source *)s)->hash, *ret, (size_t)n);
	return n;
}

struct source *source_hash(struct source *below, struct hash *h)
{
	static const struct source_ops ops = { hash_read, link_free };
	struct hash_source *hs = below && h ? malloc(sizeof(*hs)) : NULL;

	if (!hs)
		return source_free(below);
	*hs = (struct hash_source){ .source = { .ops = &ops, .below = below }, .hash = h };
	return &hs->source;
}
