/* source_gzip.c - a link that compresses (ISA-L), always to the same bytes */
#include <errno.h>
#include <isa-l/igzip_lib.h>
#include <stdlib.h>

#include "unpack/source.h"

#define OUT_BYTES (256 << 10)
#define LEVEL	  2

struct gzip {
	struct source source;
	bool ended;
	struct isal_zstream z;
	uint8_t level_buf[ISAL_DEF_LVL2_DEFAULT];
	uint8_t out[OUT_BYTES];
};

static ssize_t gzip_read(struct source *s, const void **ret, struct err *e)
{
	struct gzip *g = (struct gzip *)s;
	struct isal_zstream *z = &g->z;

	if (g->ended)
		return 0;
	z->next_out = g->out;
	z->avail_out = OUT_BYTES;
	while (z->avail_out && z->internal_state.state != ZSTATE_END) {
		const void *data = NULL;
		ssize_t n = z->avail_in || z->end_of_stream ? 1 : source_read(s->below, &data, e);

		if (n < 0)
			return n;
		if (data) {
			z->next_in = (uint8_t *)(uintptr_t)data;
			z->avail_in = (uint32_t)n;
		}
		z->end_of_stream = z->end_of_stream || n == 0;
		if (isal_deflate(z) != COMP_OK)
			return err_set(e, EIO, "the layer cannot be compressed");
	}
	g->ended = z->internal_state.state == ZSTATE_END;
	*ret = g->out;
	return OUT_BYTES - z->avail_out;
}

static void gzip_free(struct source *s)
{
	free(s);
}

struct source *source_gzip(struct source *below)
{
	static const struct source_ops ops = { gzip_read, gzip_free };
	struct gzip *g = below ? malloc(sizeof(*g)) : NULL;

	if (!g)
		return source_free(below);
	g->source = (struct source){ .ops = &ops, .below = below };
	g->ended = false;
	isal_deflate_init(&g->z);
	g->z.gzip_flag = IGZIP_GZIP;
	g->z.level = LEVEL;
	g->z.level_buf = g->level_buf;
	g->z.level_buf_size = sizeof(g->level_buf);
	return &g->source;
}
