/* decode.c - a link that expands gzip (ISA-L), zstd (libzstd), xz and bzip2 (libarchive), within limits
 *
 * The kind is told by the first bytes, not by what a manifest says: the digest of the result decides anyway.
 */
#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <isa-l/igzip_lib.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "base/auto.h"
#include "unpack/limits.h"
#include "unpack/source.h"

struct decoder {
	struct source source;
	/* Makes bytes in `out`: how many, 0 at the end, or -errno. */
	ssize_t (*more)(struct decoder *d, struct err *e);
	const char *kind;
	const unsigned char *in; /* of the piece below that is not used up */
	size_t n_in;
	bool in_end;
	uint64_t bytes_in, bytes_out;
	bool member_open; /* inside a gzip member or a zstd frame */
	struct inflate_state *gzip;
	ZSTD_DCtx *zstd;
	struct archive *archive;
	struct err below_err; /* why the archive could not read on */
	unsigned char *out; /* PIECE_BYTES */
};

/* Gets the next piece from below if all of this one is used: 1 there is input, 0 the end, or -errno. */
static int need_input(struct decoder *d, struct err *e)
{
	const void *data;
	ssize_t n;

	if (d->n_in)
		return 1;
	if (d->in_end)
		return 0;
	n = source_read(d->source.below, &data, e);
	if (n < 0)
		return (int)n;
	d->in = data;
	d->n_in = (size_t)n;
	d->bytes_in += (size_t)n;
	d->in_end = n == 0;
	return n > 0;
}

static int truncated(struct decoder *d, struct err *e)
{
	return err_set(e, EINVAL, "the %s data is truncated", d->kind);
}

static int corrupt(struct decoder *d, struct err *e)
{
	return err_set(e, EINVAL, "the %s data is corrupt", d->kind);
}

static ssize_t plain_more(struct decoder *d, struct err *e)
{
	int r = need_input(d, e);
	size_t n = d->n_in < PIECE_BYTES ? d->n_in : PIECE_BYTES;

	if (r <= 0)
		return r;
	memcpy(d->out, d->in, n);
	d->in += n;
	d->n_in -= n;
	return (ssize_t)n;
}

/* RFC 1952: any number of members one behind the other. */
static ssize_t gzip_more(struct decoder *d, struct err *e)
{
	struct inflate_state *z = d->gzip;

	z->next_out = d->out;
	z->avail_out = PIECE_BYTES;
	while (z->avail_out == PIECE_BYTES) {
		int r = need_input(d, e);

		if (r < 0)
			return r;
		if (!r && z->block_state == ISAL_BLOCK_FINISH)
			return 0;
		if (z->block_state == ISAL_BLOCK_FINISH) {
			isal_inflate_reset(z);
			z->crc_flag = ISAL_GZIP;
		}
		z->next_in = (uint8_t *)(uintptr_t)d->in;
		z->avail_in = (uint32_t)d->n_in;
		if (isal_inflate(z) != ISAL_DECOMP_OK)
			return corrupt(d, e);
		if (!r && z->avail_out == PIECE_BYTES && z->block_state != ISAL_BLOCK_FINISH)
			return truncated(d, e);
		d->in = z->next_in;
		d->n_in = z->avail_in;
	}
	return (ssize_t)(PIECE_BYTES - z->avail_out);
}

static ssize_t zstd_more(struct decoder *d, struct err *e)
{
	ZSTD_outBuffer out = { d->out, PIECE_BYTES, 0 };

	while (!out.pos) {
		ZSTD_inBuffer in;
		int r = need_input(d, e);
		size_t left;

		if (r < 0)
			return r;
		if (!r && !d->member_open)
			return 0;
		in = (ZSTD_inBuffer){ d->in, d->n_in, 0 };
		left = ZSTD_decompressStream(d->zstd, &out, &in);
		if (ZSTD_isError(left))
			return err_set(e, EINVAL, "the zstd data is corrupt: %s", ZSTD_getErrorName(left));
		if (!r && !out.pos)
			return truncated(d, e);
		d->member_open = left != 0;
		d->in += in.pos;
		d->n_in -= in.pos;
	}
	return (ssize_t)out.pos;
}

static ssize_t archive_input(struct archive *a, void *arg, const void **ret)
{
	struct decoder *d = arg;
	int r = need_input(d, &d->below_err);
	size_t n = d->n_in;

	if (r < 0) {
		archive_set_error(a, -r, "%s", d->below_err.msg);
		return -1;
	}
	*ret = d->in;
	d->n_in = 0;
	return (ssize_t)n;
}

static ssize_t archive_more(struct decoder *d, struct err *e)
{
	ssize_t n = archive_read_data(d->archive, d->out, PIECE_BYTES);

	if (n >= 0)
		return n;
	if (d->below_err.no)
		return err_set(e, d->below_err.no, "%s", d->below_err.msg);
	return err_set(e, EINVAL, "the %s data: %s", d->kind, archive_error_string(d->archive));
}

static int open_archive(struct decoder *d, struct err *e)
{
	struct archive *a = d->archive = archive_read_new();
	struct archive_entry *entry;

	if (!a)
		return err_set(e, ENOMEM, "out of memory");
	archive_read_support_filter_xz(a);
	archive_read_support_filter_bzip2(a);
	archive_read_support_format_raw(a);
	if (archive_read_open(a, d, NULL, archive_input, NULL) != ARCHIVE_OK ||
	    archive_read_next_header(a, &entry) != ARCHIVE_OK)
		return d->below_err.no ? err_set(e, d->below_err.no, "%s", d->below_err.msg) : corrupt(d, e);
	return 0;
}

static int open_gzip(struct decoder *d, struct err *e)
{
	d->gzip = malloc(sizeof(*d->gzip));
	if (!d->gzip)
		return err_set(e, ENOMEM, "out of memory");
	isal_inflate_init(d->gzip);
	d->gzip->crc_flag = ISAL_GZIP;
	return 0;
}

static int open_zstd(struct decoder *d, struct err *e)
{
	d->zstd = ZSTD_createDCtx();
	if (!d->zstd)
		return err_set(e, ENOMEM, "out of memory");
	ZSTD_DCtx_setParameter(d->zstd, ZSTD_d_windowLogMax, ZSTD_WINDOW_LOG);
	return 0;
}

static int open_plain(struct decoder *d, struct err *e)
{
	return 0;
}

/* Looks at the first bytes and chooses. */
static int choose(struct decoder *d, struct err *e)
{
	static const struct {
		const char *magic;
		size_t n;
		const char *kind;
		int (*open)(struct decoder *d, struct err *e);
		ssize_t (*more)(struct decoder *d, struct err *e);
	} kinds[] = {
		{ "\x1f\x8b", 2, "gzip", open_gzip, gzip_more },
		{ "\x28\xb5\x2f\xfd", 4, "zstd", open_zstd, zstd_more },
		{ "\xfd\x37zXZ\0", 6, "xz", open_archive, archive_more },
		{ "BZh", 3, "bzip2", open_archive, archive_more },
		{ "", 0, "tar", open_plain, plain_more },
	};
	int r = need_input(d, e);
	size_t i = 0;

	if (r < 0)
		return r;
	while (d->n_in < kinds[i].n || memcmp(d->in, kinds[i].magic, kinds[i].n) != 0)
		i++;
	d->kind = kinds[i].kind;
	d->more = kinds[i].more;
	return kinds[i].open(d, e);
}

static int check_quota(const struct decoder *d, struct err *e)
{
	if (d->bytes_out > LAYER_BYTES_MAX)
		return err_set(e, EFBIG, "the data expands to more than %lld GiB", LAYER_BYTES_MAX >> 30);
	if (d->bytes_out > RATIO_FREE_BYTES && d->bytes_out / RATIO_MAX > d->bytes_in)
		return err_set(e, EFBIG, "the %s data is a bomb: it expands more than %d times", d->kind,
			       RATIO_MAX);
	return 0;
}

static ssize_t decode_read(struct source *s, const void **ret, struct err *e)
{
	struct decoder *d = (struct decoder *)s;
	ssize_t n = d->more ? 0 : choose(d, e);
	int r;

	if (n < 0)
		return n;
	n = d->more(d, e);
	if (n <= 0)
		return n;
	d->bytes_out += (size_t)n;
	r = check_quota(d, e);
	if (r < 0)
		return r;
	*ret = d->out;
	return n;
}

static void decode_free(struct source *s)
{
	struct decoder *d = (struct decoder *)s;

	free(d->gzip);
	ZSTD_freeDCtx(d->zstd);
	archive_read_free(d->archive);
	free(d->out);
	free(d);
}

struct source *source_decode(struct source *below)
{
	static const struct source_ops ops = { decode_read, decode_free };
	struct decoder *d = below ? calloc(1, sizeof(*d)) : NULL;

	if (!d)
		return source_free(below);
	d->source = (struct source){ .ops = &ops, .below = below };
	d->out = malloc(PIECE_BYTES);
	if (!d->out)
		return source_free(&d->source);
	return &d->source;
}
