/* packed_reuse.c - chunks that are here already, in the files of other templates that came with images
 *
 * Nobody writes to those files: machines map the RAM privately, and a disk below others is only read.  But what they hold is
 * believed only by its digest, so whatever has become of one, the worst is that a chunk is fetched.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/io.h"
#include "base/sha256.h"
#include "engine/packed_int.h"
#include "engine/warm.h"

/* One place where a chunk is. */
struct place {
	struct digest plain;
	int fd; /* of template_files */
	uint64_t at;
};

struct places {
	struct place *v;
	size_t n, room;
	int *fds;
	size_t n_fds;
};

static void places_done(struct places *p)
{
	for (size_t i = 0; i < p->n_fds; i++)
		auto_close(&p->fds[i]);
	free(p->fds);
	free(p->v);
}

static int compare(const void *a, const void *b)
{
	return memcmp(((const struct place *)a)->plain.sha256, ((const struct place *)b)->plain.sha256,
		      DIGEST_BYTES);
}

int packed_file_open(struct engine *en, const struct snapshot *s, unsigned file)
{
	autoclose int dir =
		file == CHUNKED_DISK ? layer_dir_open(en, s->layer) : snapshot_dir_open(en, s, NULL);

	return dir < 0 ? -1
		       : openat(dir, file == CHUNKED_DISK ? "disk.ext4" : chunked_file_names[file],
				O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
}

/* --- where they are */

static int add_place(struct places *p, const struct chunk *k, int fd)
{
	if (p->n == p->room) {
		size_t room = p->room ? 2 * p->room : 256;
		struct place *v = reallocarray(p->v, room, sizeof(*v));

		if (!v)
			return -ENOMEM;
		p->v = v;
		p->room = room;
	}
	p->v[p->n++] = (struct place){ k->plain, fd, k->at };
	return 0;
}

static int add_files(struct engine *en, const struct snapshot *s, const struct chunked *c, struct places *p)
{
	int *fds = reallocarray(p->fds, p->n_fds + CHUNKED_FILES, sizeof(*fds)), r = 0;
	const int *mine;
	struct chunk k;

	if (!fds)
		return -ENOMEM;
	p->fds = fds;
	mine = fds + p->n_fds;
	for (unsigned i = 0; i < CHUNKED_FILES; i++)
		p->fds[p->n_fds++] = packed_file_open(en, s, i);
	for (size_t i = 0; i < c->chunks.n && r == 0; i++)
		if (chunk_parse(c->chunks.v[i], &k) == 0 && mine[k.file] >= 0)
			r = add_place(p, &k, mine[k.file]);
	return r;
}

/* One of which something is missing has nothing to give. */
static int add_template(struct engine *en, const struct instance *in, struct places *p)
{
	AUTO(snapshot_done) struct snapshot s = { 0 };
	AUTO(image_done) struct image im = { 0 };
	AUTO(packed_done) struct packed doc = { 0 };

	if (image_find(en->images, strv_env_get(&in->spec.labels, PACKED_LABEL), &im, NULL) < 0 ||
	    packed_read(en, &im, &doc, NULL) < 0 || snapshot_find(en, in, TEMPLATE_SNAPSHOT, &s, NULL) < 0 ||
	    !s.layer)
		return 0;
	return add_files(en, &s, &doc.chunked, p);
}

static int find_places(struct engine *en, struct places *p, struct err *e)
{
	struct instance *all;
	size_t n;
	int r = engine_list(en, true, &all, &n, e);

	if (r < 0)
		return r;
	for (size_t i = 0; i < n && r == 0; i++)
		if (packed_is(&all[i].spec))
			r = add_template(en, &all[i], p);
	instances_free(all, n);
	if (r < 0)
		return err_set(e, ENOMEM, "out of memory");
	if (p->n)
		qsort(p->v, p->n, sizeof(*p->v), compare);
	return 0;
}

/* --- taken */

static bool read_place(const struct place *from, char *piece, size_t n, const struct digest *want)
{
	struct digest is;
	struct sha256 h;

	if (pread(from->fd, piece, n, (off_t)from->at) != (ssize_t)n)
		return false;
	sha256_init(&h);
	sha256_add(&h, piece, n);
	sha256_end(&h, is.sha256);
	return digest_equal(&is, want);
}

/* 1: it is in its place. */
static int take(const struct places *p, const struct chunked *c, const struct chunk *k, const int *fds,
		char *piece)
{
	const struct place key = { .plain = k->plain };
	const struct place *from = p->n ? bsearch(&key, p->v, p->n, sizeof(*p->v), compare) : NULL;
	size_t n = (size_t)chunk_plain_bytes(c, k);
	int r;

	if (!from || !read_place(from, piece, n, &k->plain))
		return 0;
	r = pwrite_full(fds[k->file], piece, n, (off_t)k->at);
	return r < 0 ? r : 1;
}

static int open_files(int dir, const struct chunked *c, int *fds)
{
	for (unsigned i = 0; i < CHUNKED_FILES; i++) {
		if (!c->bytes[i])
			continue;
		fds[i] = openat(dir, chunked_file_names[i], O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
		if (fds[i] < 0 || ftruncate(fds[i], (off_t)c->bytes[i]) < 0)
			return -errno;
	}
	return 0;
}

static int take_all(const struct places *p, struct chunked *c, const int *fds, char *piece)
{
	struct strv left = { 0 };
	int r = 0;

	for (size_t i = 0; i < c->chunks.n && r >= 0; i++) {
		struct chunk k;

		r = chunk_parse(c->chunks.v[i], &k);
		if (r == 0)
			r = take(p, c, &k, fds, piece);
		if (r == 0)
			r = strv_add(&left, c->chunks.v[i]);
	}
	if (r < 0) {
		strv_done(&left);
		return r;
	}
	strv_done(&c->chunks);
	c->chunks = left;
	return 0;
}

int packed_reuse(struct engine *en, int dir, struct chunked *c, struct err *e)
{
	AUTO(places_done) struct places p = { 0 };
	autofree char *piece = malloc(CHUNK_BYTES);
	int fds[CHUNKED_FILES] = { -1, -1, -1 }, r = piece ? find_places(en, &p, e) : -ENOMEM;

	if (r == 0)
		r = open_files(dir, c, fds);
	if (r == 0)
		r = take_all(&p, c, fds, piece);
	for (unsigned i = 0; i < CHUNKED_FILES; i++)
		auto_close(&fds[i]);
	return r < 0 ? err_sys(e, -r, "what is here already") : 0;
}
