/* layer.c - one layer: its blob becomes a tree, with every digest computed on the way */
#include "unpack/layer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/path.h"
#include "unpack/tar.h"

#define NEW "layers/new"

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

int layer_begin(int stage_fd, struct err *e)
{
	int fd;

	if (mkdirat(stage_fd, "layers", 0700) < 0 && errno != EEXIST)
		return err_sys(e, errno, "make a directory");
	if (mkdirat(stage_fd, NEW, 0755) < 0)
		return err_sys(e, errno, "make a directory");
	fd = openat(stage_fd, NEW, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? err_sys(e, errno, "open a directory") : fd;
}

int layer_keep(int stage_fd, const struct digest *diff_id, struct err *e)
{
	char name[sizeof("layers/") + DIGEST_HEX] = "layers/";

	digest_hex(diff_id, name + sizeof("layers/") - 1);
	return renameat(stage_fd, NEW, stage_fd, name) < 0 ? err_sys(e, errno, "name the layer") : 0;
}

static void close_tree(struct tree **t)
{
	tree_close(*t);
}

static int unpack(const struct layer_job *job, struct source *top, bool *complete, uint64_t *bytes,
		  struct err *e)
{
	AUTO(close_tree) struct tree *tree = NULL;
	autoclose int dir = layer_begin(job->stage_fd, e);
	int r = dir < 0 ? dir : tree_open(dir, job->stage_fd, &tree, e);

	if (r == 0)
		r = tar_unpack(top, tree, complete, e);
	if (r == 0)
		*bytes = tree_bytes(tree);
	return r;
}

int layer_run(const struct layer_job *job, struct digest *ret_diff_id, uint64_t *ret_bytes, struct err *e)
{
	AUTO(chain_done) struct chain c = { 0 };
	struct digest diff_id;
	uint64_t bytes = 0;
	bool complete = true;
	int r = build_chain(job, &c, e);

	if (r == 0)
		r = job->unpack ? unpack(job, c.top, &complete, &bytes, e) : source_drain(c.top, e);
	if (r == 0)
		r = check_digests(job, &c, &diff_id, e);
	if (r == 0 && !complete && !job->want_diff_id)
		r = err_set(e, EINVAL, "the tar archive is truncated: its end mark is missing");
	if (r == 0 && job->unpack)
		r = layer_keep(job->stage_fd, &diff_id, e);
	if (r < 0) {
		remove_tree(job->stage_fd, NEW);
		return r;
	}
	*ret_diff_id = diff_id;
	*ret_bytes = bytes;
	return 0;
}
