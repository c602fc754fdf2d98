/* source_skeleton.c - a layer's archive again, from its skeleton and its files (skeleton.h) */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/path.h"
#include "files/entry.h"
#include "unpack/erofs_format.h"
#include "unpack/erofs_inode.h"
#include "unpack/skeleton.h"

#define OUT_BYTES (256 << 10)

struct rebuild {
	struct source source;
	int layer_fd; /* borrowed */
	bool is_erofs;
	uint64_t meta; /* where the metadata area of the EROFS begins */
	const unsigned char *in; /* of the piece below that is not used up */
	size_t n_in;
	enum skeleton_step kind;
	uint64_t left; /* of this step */
	struct content_place file; /* the one that is read now; path is not used */
	uint64_t file_at;
	int file_fd; /* of a directory: -1: none */
	bool begun;
	char path[PATH_BYTES_MAX + 1];
	size_t n; /* in out */
	char out[OUT_BYTES];
};

static int damaged(struct err *e)
{
	return err_set(e, EBADMSG, "what is kept of the layer's archive is damaged");
}

/* --- steps */

/* 1: there is input, 0: the end. */
static int need_input(struct rebuild *b, struct err *e)
{
	const void *data;
	ssize_t n;

	if (b->n_in)
		return 1;
	n = source_read(b->source.below, &data, e);
	if (n <= 0)
		return (int)n;
	b->in = data;
	b->n_in = (size_t)n;
	return 1;
}

/* 1, or 0: the end instead. */
static int take_number(struct rebuild *b, uint64_t *ret, struct err *e)
{
	uint64_t v = 0;

	for (unsigned shift = 0; shift < 64; shift += 7) {
		int r = need_input(b, e);

		if (r <= 0)
			return r < 0 || !shift ? r : damaged(e);
		v |= (uint64_t)(*b->in & 0x7f) << shift;
		b->n_in--;
		if (!(*b->in++ & 0x80)) {
			*ret = v;
			return 1;
		}
	}
	return damaged(e);
}

static int take_bytes(struct rebuild *b, void *to, size_t n, struct err *e)
{
	char *p = to;

	while (n) {
		int r = need_input(b, e);
		size_t part = b->n_in < n ? b->n_in : n;

		if (r <= 0)
			return r < 0 ? r : damaged(e);
		memcpy(p, b->in, part);
		b->in += part;
		b->n_in -= part;
		p += part;
		n -= part;
	}
	return 0;
}

/* --- files */

static int open_path(struct rebuild *b, size_t n, struct err *e)
{
	struct stat st;
	int r;

	if (b->is_erofs || n >= sizeof(b->path))
		return damaged(e);
	r = take_bytes(b, b->path, n, e);
	if (r < 0)
		return r;
	b->path[n] = '\0';
	auto_close(&b->file_fd);
	b->file_fd = open_in_root(b->layer_fd, b->path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW, 0);
	if (b->file_fd < 0)
		return err_sys(e, -b->file_fd, "%.200s", b->path);
	return fstat(b->file_fd, &st) < 0 || !S_ISREG(st.st_mode) ? damaged(e) : 0;
}

static int open_place(struct rebuild *b, struct err *e)
{
	uint64_t size, block, tail;

	if (!b->is_erofs || take_number(b, &size, e) <= 0 || take_number(b, &block, e) <= 0 ||
	    take_number(b, &tail, e) <= 0 || __builtin_add_overflow(b->file.block, block, &block) ||
	    __builtin_add_overflow(b->file.tail, tail, &tail))
		return damaged(e);
	if (block > UINT32_MAX || tail > INT64_MAX / 2 || size > INT64_MAX / 2)
		return damaged(e);
	b->file = (struct content_place){ NULL, size, block, tail };
	return 0;
}

static int next_file(struct rebuild *b, uint64_t n, struct err *e)
{
	b->file_at = 0;
	return n ? open_path(b, n < sizeof(b->path) ? (size_t)n : sizeof(b->path), e) : open_place(b, e);
}

/* How much of the content may be read in one piece, and where. */
static uint64_t find_content(const struct rebuild *b, uint64_t *ret_at)
{
	uint64_t in_blocks = erofs_bytes_in_blocks(b->file.size), at = b->file_at;

	if (!b->is_erofs) {
		*ret_at = at;
		return b->left;
	}
	if (at < in_blocks) {
		*ret_at = b->file.block * EROFS_BLOCK + at;
		return in_blocks - at < b->left ? in_blocks - at : b->left;
	}
	*ret_at = b->meta + b->file.tail + (at - in_blocks);
	return b->file.size - at < b->left ? b->file.size - at : b->left;
}

static int copy_content(struct rebuild *b, struct err *e)
{
	int fd = b->is_erofs ? b->layer_fd : b->file_fd;
	size_t room = OUT_BYTES - b->n;
	uint64_t at, want;
	ssize_t n;

	if (b->is_erofs && b->file_at >= b->file.size)
		return damaged(e);
	want = find_content(b, &at);
	n = fd < 0 ? 0 : pread(fd, b->out + b->n, want < room ? (size_t)want : room, (off_t)at);
	if (n < 0)
		return errno == EINTR ? 0 : err_sys(e, errno, "read a file of the layer");
	if (!n)
		return damaged(e);
	b->n += (size_t)n;
	b->left -= (uint64_t)n;
	b->file_at += (uint64_t)n;
	return 0;
}

/* --- the archive */

static int copy_raw(struct rebuild *b, struct err *e)
{
	size_t room = OUT_BYTES - b->n, n = b->left < room ? (size_t)b->left : room;
	int r = take_bytes(b, b->out + b->n, n, e);

	b->n += n;
	b->left -= n;
	return r;
}

static int begin(struct rebuild *b, struct err *e)
{
	char magic[sizeof(SKELETON_MAGIC) - 1];
	struct erofs_super super;
	struct stat st;
	int r = take_bytes(b, magic, sizeof(magic), e);

	b->begun = true;
	if (r < 0 || memcmp(magic, SKELETON_MAGIC, sizeof(magic)) != 0)
		return r < 0 ? r : damaged(e);
	if (fstat(b->layer_fd, &st) < 0)
		return err_sys(e, errno, "look at the layer");
	b->is_erofs = S_ISREG(st.st_mode);
	if (!b->is_erofs)
		return 0;
	if (pread(b->layer_fd, &super, sizeof(super), EROFS_SUPER_OFFSET) != (ssize_t)sizeof(super) ||
	    super.magic != EROFS_MAGIC)
		return err_set(e, EBADMSG, "the file of the layer is damaged");
	b->meta = (uint64_t)super.meta_block * EROFS_BLOCK;
	return 0;
}

/* 1, or 0: there is none any more. */
static int next_step(struct rebuild *b, struct err *e)
{
	uint64_t v;
	int r = take_number(b, &v, e);

	if (r <= 0)
		return r;
	b->kind = (enum skeleton_step)(v & 3);
	b->left = v >> 2;
	if (b->kind == SKELETON_FILE) {
		r = next_file(b, b->left, e);
		b->left = 0;
	} else if (b->kind == SKELETON_HOLE) {
		if (__builtin_add_overflow(b->file_at, b->left, &b->file_at) || b->file_at > INT64_MAX / 2)
			return damaged(e);
		b->left = 0;
	}
	return r < 0 ? r : 1;
}

static ssize_t rebuild_read(struct source *s, const void **ret, struct err *e)
{
	struct rebuild *b = (struct rebuild *)s;
	int r = b->begun ? 1 : begin(b, e);

	if (r == 0)
		r = 1;
	b->n = 0;
	while (r > 0 && b->n < OUT_BYTES) {
		if (!b->left) {
			r = next_step(b, e);
			continue;
		}
		r = b->kind == SKELETON_RAW ? copy_raw(b, e) : copy_content(b, e);
		r = r < 0 ? r : 1;
	}
	*ret = b->out;
	return r < 0 ? r : (ssize_t)b->n;
}

static void rebuild_free(struct source *s)
{
	struct rebuild *b = (struct rebuild *)s;

	auto_close(&b->file_fd);
	free(b);
}

struct source *source_skeleton(struct source *below, int layer_fd)
{
	static const struct source_ops ops = { rebuild_read, rebuild_free };
	struct rebuild *b = below ? calloc(1, sizeof(*b)) : NULL;

	if (!b)
		return source_free(below);
	b->source = (struct source){ .ops = &ops, .below = below };
	b->layer_fd = layer_fd;
	b->file_fd = -1;
	return &b->source;
}
