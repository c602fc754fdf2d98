/* layer.c - one layer: its blob becomes a tree, with every digest computed on the way */
#include "unpack/layer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/path.h"
#include "unpack/inventory.h"
#include "unpack/tar.h"

#define NEW	     "layers/new"
#define NEW_SKELETON "skeletons/new"

/* The chain of one layer, and the hashes in it. */
struct chain {
	struct hash *blob, *tar; /* blob: NULL when nobody wants to know */
	struct source *top;
};

static void chain_done(struct chain *c)
{
	source_free(c->top); /* ends the thread that uses the hashes */
	hash_free(c->blob);
	hash_free(c->tar);
}

static int build_chain(const struct layer_job *job, struct chain *c, struct err *e)
{
	struct source *s = job->blob;

	if (job->want_blob) {
		c->blob = hash_new();
		s = source_hash(s, c->blob);
	}
	c->tar = hash_new();
	s = source_thread(source_decode(s));
	c->top = source_hash(s, c->tar);
	return c->top ? 0 : err_set(e, ENOMEM, "out of memory");
}

static int differs(const char *what, const struct digest *want, const struct digest *is, struct err *e)
{
	char w[DIGEST_TEXT], i[DIGEST_TEXT];

	digest_text(want, w);
	digest_text(is, i);
	return err_set(e, EBADMSG, "wrong digest: the %s is %s, not %s", what, i, w);
}

static int check_digests(const struct layer_job *job, struct chain *c, struct digest *ret, struct err *e)
{
	struct digest blob;

	if (c->blob) {
		hash_end(c->blob, &blob);
		if (!digest_equal(&blob, job->want_blob))
			return differs("blob", job->want_blob, &blob, e);
	}
	hash_end(c->tar, ret);
	if (job->want_diff_id && !digest_equal(ret, job->want_diff_id))
		return differs("layer", job->want_diff_id, ret, e);
	return 0;
}

int layer_begin(struct layer_making *m, struct err *e)
{
	m->fd = -1;
	m->tree = NULL;
	if (mkdirat(m->stage_fd, "layers", 0700) < 0 && errno != EEXIST)
		return err_sys(e, errno, "make a directory");
	if (m->erofs) {
		m->fd = openat(m->stage_fd, NEW, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
		return m->fd < 0 ? err_sys(e, errno, "make a file")
				 : tree_open_erofs(m->fd, m->stage_fd, &m->tree, e);
	}
	if (mkdirat(m->stage_fd, NEW, 0755) < 0)
		return err_sys(e, errno, "make a directory");
	m->fd = openat(m->stage_fd, NEW, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return m->fd < 0 ? err_sys(e, errno, "open a directory")
			 : tree_open_dir(m->fd, m->stage_fd, &m->tree, e);
}

int layer_keep(struct layer_making *m, const struct digest *diff_id, struct layer_facts *ret, struct err *e)
{
	const uint8_t *verity = tree_verity(m->tree);
	char name[sizeof("layers/") + DIGEST_HEX + sizeof(".erofs")], hex[DIGEST_HEX];

	digest_hex(diff_id, hex);
	snprintf(name, sizeof(name), "layers/%s%s", hex, m->erofs ? ".erofs" : "");
	if (renameat(m->stage_fd, NEW, m->stage_fd, name) < 0)
		return err_sys(e, errno, "name the layer");
	m->kept = true;
	*ret = (struct layer_facts){ .diff_id = *diff_id,
				     .bytes = tree_bytes(m->tree),
				     .has_verity = verity };
	if (verity)
		memcpy(ret->verity.sha256, verity, DIGEST_BYTES);
	return inventory_write(m->tree, m->stage_fd, hex, e);
}

void layer_done(struct layer_making *m)
{
	tree_close(m->tree);
	auto_close(&m->fd);
	if (!m->kept)
		remove_tree(m->stage_fd, NEW);
}

static int check_end(const struct layer_job *job, bool complete, struct err *e)
{
	if (complete || job->want_diff_id)
		return 0;
	return err_set(e, EINVAL, "the tar archive is truncated: its end mark is missing");
}

/* --- its archive */

struct bones {
	int stage_fd; /* borrowed */
	int fd;
	struct skeleton *skeleton;
	bool kept;
};

static int bones_begin(struct bones *b, struct err *e)
{
	if (mkdirat(b->stage_fd, "skeletons", 0700) < 0 && errno != EEXIST)
		return err_sys(e, errno, "make a directory");
	b->fd = openat(b->stage_fd, NEW_SKELETON, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	return b->fd < 0 ? err_sys(e, errno, "make a file") : skeleton_open(b->fd, &b->skeleton, e);
}

static int bones_keep(struct bones *b, const struct tree *tree, struct layer_facts *layer, struct err *e)
{
	char name[sizeof("skeletons/") + DIGEST_HEX] = "skeletons/";
	uint64_t bytes;
	int r = skeleton_end(b->skeleton, &bytes, e);

	if (r < 0 || tree_has_lost(tree))
		return r;
	digest_hex(&layer->diff_id, name + strlen(name));
	if (renameat(b->stage_fd, NEW_SKELETON, b->stage_fd, name) < 0)
		return err_sys(e, errno, "name the layer");
	b->kept = true;
	layer->tar_bytes = bytes;
	return 0;
}

static void bones_done(struct bones *b)
{
	skeleton_close(b->skeleton);
	auto_close(&b->fd);
	if (!b->kept)
		unlinkat(b->stage_fd, NEW_SKELETON, 0);
}

static int unpack(const struct layer_job *job, struct chain *c, struct layer_facts *ret, struct err *e)
{
	AUTO(layer_done)
	struct layer_making m = { .stage_fd = job->stage_fd, .erofs = job->erofs, .fd = -1 };
	AUTO(bones_done) struct bones b = { .stage_fd = job->stage_fd, .fd = -1 };
	struct digest diff_id;
	bool complete;
	int r = layer_begin(&m, e);

	if (r == 0)
		r = bones_begin(&b, e);
	if (r == 0)
		r = tar_unpack(c->top, &(const struct tar_into){ m.tree, b.skeleton }, &complete, e);
	if (r == 0)
		r = check_digests(job, c, &diff_id, e);
	if (r == 0)
		r = check_end(job, complete, e);
	if (r == 0)
		r = layer_keep(&m, &diff_id, ret, e);
	return r < 0 ? r : bones_keep(&b, m.tree, ret, e);
}

int layer_run(const struct layer_job *job, struct layer_facts *ret, struct err *e)
{
	AUTO(chain_done) struct chain c = { 0 };
	int r = build_chain(job, &c, e);

	if (r < 0 || job->unpack)
		return r < 0 ? r : unpack(job, &c, ret, e);
	*ret = (struct layer_facts){ 0 };
	r = source_drain(c.top, e);
	return r < 0 ? r : check_digests(job, &c, &ret->diff_id, e);
}
