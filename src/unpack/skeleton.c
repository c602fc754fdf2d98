/* skeleton.c - what of a layer's tar archive is not the content of its files, written down as it goes by
 *
 * Whether bytes are content is known when the reader of the archive gives them out; what it has done with and not given
 * out is none.  So no second parser is needed that would have to agree with it.
 */
#include "unpack/skeleton.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "base/auto.h"
#include "base/buf.h"
#include "base/io.h"

#define OUT_BYTES  (64 << 10)
#define KEPT_MAX   (16 << 20) /* of headers that are not whole yet; libarchive has lower limits */
#define LEVEL	   3
#define WINDOW_LOG 20
#define NUMBER_MAX 10 /* bytes of a LEB128 number */

struct skeleton {
	int fd;
	ZSTD_CCtx *zstd;
	uint64_t at; /* what lies before is told */
	struct buf kept; /* what lies right before the piece and may not be told yet */
	const char *piece;
	size_t piece_n;
	uint64_t piece_at;
	uint64_t run; /* bytes of content that wait for more of the same */
	uint64_t file_at; /* where in the file its content goes on */
	uint64_t block, tail; /* of the file before */
	char out[OUT_BYTES];
};

/* --- out */

static int compress(struct skeleton *s, const void *data, size_t n, ZSTD_EndDirective how, struct err *e)
{
	ZSTD_inBuffer in = { data, n, 0 };
	size_t left;

	do {
		ZSTD_outBuffer out = { s->out, OUT_BYTES, 0 };
		int r;

		left = ZSTD_compressStream2(s->zstd, &out, &in, how);
		if (ZSTD_isError(left))
			return err_set(e, ENOMEM, "compress the headers of the layer: %s",
				       ZSTD_getErrorName(left));
		r = write_full(s->fd, s->out, out.pos);
		if (r < 0)
			return err_sys(e, -r, "write the headers of the layer down");
	} while (how == ZSTD_e_end ? left > 0 : in.pos < in.size);
	return 0;
}

static int put(struct skeleton *s, const void *data, size_t n, struct err *e)
{
	return n ? compress(s, data, n, ZSTD_e_continue, e) : 0;
}

static size_t print_number(uint64_t v, unsigned char to[NUMBER_MAX])
{
	size_t n = 0;

	for (; v > 0x7f; v >>= 7)
		to[n++] = (unsigned char)(v | 0x80);
	to[n++] = (unsigned char)v;
	return n;
}

static int put_number(struct skeleton *s, uint64_t v, struct err *e)
{
	unsigned char text[NUMBER_MAX];

	return put(s, text, print_number(v, text), e);
}

static int put_step(struct skeleton *s, enum skeleton_step kind, uint64_t length, struct err *e)
{
	return put_number(s, length << 2 | kind, e);
}

static int end_run(struct skeleton *s, struct err *e)
{
	uint64_t n = s->run;

	s->run = 0;
	return n ? put_step(s, SKELETON_CONTENT, n, e) : 0;
}

/* What is not told yet before `to` is no content. */
static int tell_raw(struct skeleton *s, uint64_t to, struct err *e)
{
	size_t early, n;
	int r = s->at < to ? end_run(s, e) : 0;

	if (r < 0 || s->at >= to)
		return r;
	r = put_step(s, SKELETON_RAW, to - s->at, e);
	if (r == 0 && s->at < s->piece_at) {
		early = (size_t)(s->piece_at - s->at);
		n = to < s->piece_at ? (size_t)(to - s->at) : early;
		r = put(s, s->kept.data + s->kept.len - early, n, e);
		s->at += n;
	}
	if (r == 0)
		r = put(s, s->piece + (s->at - s->piece_at), (size_t)(to - s->at), e);
	s->at = to;
	return r;
}

/* --- what goes by */

int skeleton_open(int fd, struct skeleton **ret, struct err *e)
{
	struct skeleton *s = calloc(1, sizeof(*s));
	int r;

	if (!s)
		return err_set(e, ENOMEM, "out of memory");
	s->fd = fd;
	s->zstd = ZSTD_createCCtx();
	s->piece = s->out; /* of no bytes */
	if (!s->zstd || ZSTD_isError(ZSTD_CCtx_setParameter(s->zstd, ZSTD_c_compressionLevel, LEVEL)) ||
	    ZSTD_isError(ZSTD_CCtx_setParameter(s->zstd, ZSTD_c_windowLog, WINDOW_LOG)))
		r = err_set(e, ENOMEM, "out of memory");
	else
		r = put(s, SKELETON_MAGIC, strlen(SKELETON_MAGIC), e);
	if (r < 0) {
		skeleton_close(s);
		return r;
	}
	*ret = s;
	return 0;
}

struct skeleton *skeleton_close(struct skeleton *s)
{
	if (!s)
		return NULL;
	ZSTD_freeCCtx(s->zstd);
	buf_done(&s->kept);
	free(s);
	return NULL;
}

int skeleton_before(struct skeleton *s, uint64_t used, struct err *e)
{
	uint64_t end = s->piece_at + s->piece_n;
	int r = tell_raw(s, used < end ? used : end, e);

	if (r < 0)
		return r;
	if (s->at < s->piece_at) {
		buf_drop(&s->kept, s->kept.len - (size_t)(s->piece_at - s->at));
		buf_add(&s->kept, s->piece, s->piece_n);
	} else {
		s->kept.len = 0;
		buf_add(&s->kept, s->piece + (s->at - s->piece_at), (size_t)(end - s->at));
	}
	s->piece_at = end;
	s->piece_n = 0;
	if (!buf_ok(&s->kept))
		return err_set(e, ENOMEM, "out of memory");
	return s->kept.len > KEPT_MAX ? err_set(e, E2BIG, "bad tar archive: a header is too large") : 0;
}

void skeleton_piece(struct skeleton *s, const void *data, size_t n)
{
	s->piece = data;
	s->piece_n = n;
}

int skeleton_file(struct skeleton *s, const struct content_place *p, struct err *e)
{
	size_t n = p->path ? strlen(p->path) : 0;
	int r = end_run(s, e);

	s->file_at = 0;
	if (r == 0)
		r = put_step(s, SKELETON_FILE, n, e);
	if (r < 0 || p->path)
		return r < 0 ? r : put(s, p->path, n, e);
	r = put_number(s, p->size, e);
	if (r == 0)
		r = put_number(s, p->block - s->block, e);
	if (r == 0)
		r = put_number(s, p->tail - s->tail, e);
	s->block = p->block;
	s->tail = p->tail;
	return r;
}

int skeleton_content(struct skeleton *s, uint64_t at, size_t n, uint64_t offset, struct err *e)
{
	int r;

	if (at < s->at || at + n > s->piece_at + s->piece_n || offset < s->file_at)
		return err_set(e, EINVAL, "bad tar archive: data out of order");
	r = tell_raw(s, at, e);
	if (r == 0 && offset > s->file_at) {
		r = end_run(s, e);
		if (r == 0)
			r = put_step(s, SKELETON_HOLE, offset - s->file_at, e);
	}
	s->run += n;
	s->at = at + n;
	s->file_at = offset + n;
	return r;
}

int skeleton_end(struct skeleton *s, uint64_t *ret_bytes, struct err *e)
{
	int r = tell_raw(s, s->piece_at + s->piece_n, e);

	if (r == 0)
		r = end_run(s, e);
	*ret_bytes = s->at;
	return r < 0 ? r : compress(s, NULL, 0, ZSTD_e_end, e);
}
