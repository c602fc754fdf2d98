/* erofs_out.c - the file that an EROFS is written into, from its second block on and never back, with its digest */
#include "unpack/erofs_out.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/io.h"
#include "base/verity.h"
#include "unpack/erofs_format.h"

#define BUFFER_BYTES (256 << 10)
#define HOLE_BYTES   (64 << 10) /* fewer zeros are written */

struct erofs_out {
	int fd;
	uint64_t at; /* of the buffer's beginning in the file */
	size_t n;
	char *buffer;
	struct verity verity;
};

int erofs_out_open(int fd, struct erofs_out **ret, struct err *e)
{
	struct erofs_out *o = malloc(sizeof(*o));

	if (!o)
		return err_set(e, ENOMEM, "out of memory");
	o->fd = fd;
	o->at = EROFS_BLOCK;
	o->n = 0;
	o->buffer = malloc(BUFFER_BYTES);
	verity_init(&o->verity);
	if (!o->buffer) {
		erofs_out_close(o);
		return err_set(e, ENOMEM, "out of memory");
	}
	*ret = o;
	return 0;
}

struct erofs_out *erofs_out_close(struct erofs_out *o)
{
	if (o)
		free(o->buffer);
	free(o);
	return NULL;
}

uint64_t erofs_out_at(const struct erofs_out *o)
{
	return o->at + o->n;
}

static int write_out(struct erofs_out *o, const void *data, size_t n, struct err *e)
{
	int r = pwrite_full(o->fd, data, n, (off_t)o->at);

	verity_add(&o->verity, data, n);
	o->at += n;
	return r < 0 ? err_sys(e, -r, "write the layer") : 0;
}

static int flush(struct erofs_out *o, struct err *e)
{
	size_t n = o->n;

	o->n = 0;
	return n ? write_out(o, o->buffer, n, e) : 0;
}

static int add_hole(struct erofs_out *o, uint64_t n, struct err *e)
{
	int r = flush(o, e);

	verity_add(&o->verity, NULL, n);
	o->at += n;
	return r;
}

int erofs_out_add(struct erofs_out *o, const void *data, uint64_t n, struct err *e)
{
	const char *p = data;
	int r = 0;

	if (!p && n >= HOLE_BYTES)
		return add_hole(o, n, e);
	if (p && n >= BUFFER_BYTES && !o->n)
		return write_out(o, p, n, e);
	while (r == 0 && n) {
		size_t room = BUFFER_BYTES - o->n, part = n < room ? (size_t)n : room;

		if (p)
			memcpy(o->buffer + o->n, p, part);
		else
			memset(o->buffer + o->n, 0, part);
		p = p ? p + part : NULL;
		o->n += part;
		n -= part;
		if (o->n == BUFFER_BYTES)
			r = flush(o, e);
	}
	return r;
}

int erofs_out_align(struct erofs_out *o, struct err *e)
{
	return erofs_out_add(o, NULL, -erofs_out_at(o) % EROFS_BLOCK, e);
}

int erofs_out_end(struct erofs_out *o, const void *first, uint8_t ret_verity[SHA256_BYTES], struct err *e)
{
	int r = flush(o, e);

	if (r == 0 && ftruncate(o->fd, (off_t)o->at) < 0)
		r = err_sys(e, errno, "write the layer");
	if (r < 0)
		return r;
	r = pwrite_full(o->fd, first, EROFS_BLOCK, 0);
	if (r < 0)
		return err_sys(e, -r, "write the layer");
	verity_end(&o->verity, first, ret_verity);
	return 0;
}
