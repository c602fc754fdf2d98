/* chunks.c - large files are cut into chunks; chunks come from a registry and become files again */
#include "image/chunks.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/auto.h"
#include "image/blobs.h"
#include "image/chunks_int.h"
#include "image/fetch.h"
#include "image/job.h"
#include "registry/resolve.h"

#define TIMEOUT_S 30

static void message_done(struct job_message *m)
{
	json_done(&job_message_table, m);
}

static int no_memory(struct err *e)
{
	return err_set(e, ENOMEM, "out of memory");
}

/* --- cut */

static int cut(struct image_chunks *c, int dir_fd, image_progress progress, struct err *e)
{
	AUTO(message_done) struct job_message m = { 0 };
	const struct job_request ask = { .verb = JOB_CUT };
	const struct job_run run = { .store = c->stage.store,
				     .stage = &c->stage,
				     .request = &ask,
				     .input_fd = dir_fd,
				     .progress = progress };
	int r = job_run(&run, &m, e);

	if (r == 0)
		r = chunked_check(&m.chunked, e);
	if (r == 0) {
		c->list = m.chunked;
		m.chunked = (struct chunked){ 0 };
	}
	return r;
}

int image_chunks_cut(struct image_store *s, int dir_fd, image_progress progress, struct image_chunks **ret,
		     struct err *e)
{
	struct image_chunks *c = calloc(1, sizeof(*c));
	int r = c ? store_sweep(s, e) : no_memory(e);

	if (!c)
		return r;
	c->stage.fd = -1;
	if (r == 0)
		r = stage_open(s, &c->stage, e);
	if (r == 0)
		r = cut(c, dir_fd, progress, e);
	if (r < 0)
		image_chunks_free(c);
	else
		*ret = c;
	return r == -ENOSPC || r == -EDQUOT
		       ? err_set(e, -r, "no room left on the disk of the store %s", s->root)
		       : r;
}

const struct chunked *image_chunks_list(const struct image_chunks *c)
{
	return &c->list;
}

struct image_chunks *image_chunks_free(struct image_chunks *c)
{
	if (c) {
		stage_done(&c->stage);
		json_done(&chunked_table, &c->list);
	}
	free(c);
	return NULL;
}

/* --- fetched */

struct fetching {
	const struct image_chunks_fetch *rq;
	struct strv blobs; /* "DIGEST SIZE", each once */
	size_t n_done;
};

static void fetching_done(struct fetching *f)
{
	strv_done(&f->blobs);
}

static int list_blobs(struct fetching *f, struct err *e)
{
	for (size_t i = 0; i < f->rq->chunked->chunks.n; i++) {
		char text[DIGEST_TEXT];
		struct chunk k;

		if (chunk_parse(f->rq->chunked->chunks.v[i], &k) < 0)
			return no_memory(e);
		digest_text(&k.blob, text);
		if (strv_addf(&f->blobs, "%s %llu", text, (unsigned long long)k.size) < 0)
			return no_memory(e);
	}
	return 0;
}

static void tell(const struct fetching *f, const char *line)
{
	if (f->rq->progress)
		f->rq->progress(f->rq->progress_arg, line);
}

static int hear(void *arg, struct registry_message *m, struct err *e)
{
	struct fetching *f = arg;
	char percent[16];

	(void)e;
	if (m->state != BLOB_DONE || f->n_done >= f->blobs.n)
		return 0;
	snprintf(percent, sizeof(percent), "%zu%%", ++f->n_done * 100 / f->blobs.n);
	tell(f, percent);
	return 0;
}

static int fetch_from(struct image_store *s, struct fetching *f, const struct meaning *m, struct err *e)
{
	/* borrowed: only printed */
	struct registry_request ask = { .verb = REGISTRY_BLOBS,
					.endpoints = m->endpoints,
					.n_endpoints = m->n_endpoints,
					.blobs = f->blobs,
					.timeout_s = TIMEOUT_S };

	return fetch_run(&(const struct fetch_run){ &ask, s->blobs_fd, hear, f }, e);
}

/* name: "REPOSITORY@DIGEST", under which a registry had the image. */
static int fetch_by_name(struct image_store *s, struct fetching *f, const char *name, struct err *e)
{
	AUTO(resolution_done) struct resolution res = { 0 };
	const struct registry_files usual = { 0 };
	int r = registry_resolve(&usual, name, RESOLVE_PULL, &res, e);

	f->n_done = 0;
	return r < 0 ? r : fetch_from(s, f, &res.meanings[0], e);
}

static int fetch(struct image_store *s, struct fetching *f, struct err *e)
{
	const struct strv *names = &f->rq->image->digests;
	int r = err_set(e, ENOENT, "it came from no registry, so there is none to ask for its memory");

	if (!f->blobs.n)
		return 0;
	tell(f, "fetching the memory of the machine");
	for (size_t i = 0; i < names->n && r < 0; i++)
		r = fetch_by_name(s, f, names->v[i], e);
	tell(f, "");
	return r;
}

/* --- joined */

static int for_each_blob(const struct chunked *c, int (*fn)(void *arg, const struct digest *d, struct err *e),
			 void *arg, struct err *e)
{
	int r = 0;

	for (size_t i = 0; i < c->chunks.n && r == 0; i++) {
		struct chunk k;

		r = chunk_parse(c->chunks.v[i], &k) < 0 ? no_memory(e) : fn(arg, &k.blob, e);
	}
	return r;
}

static int link_blob(void *arg, const struct digest *d, struct err *e)
{
	const struct stage *st = arg;

	return blobs_link(st->store, d, st->fd, e);
}

static int drop_blob(void *arg, const struct digest *d, struct err *e)
{
	(void)e;
	blobs_drop(arg, d);
	return 0;
}

static int join(struct image_store *s, const struct image_chunks_fetch *rq, struct err *e)
{
	AUTO(message_done) struct job_message m = { 0 };
	AUTO(stage_done) struct stage input = { .fd = -1 };
	const struct stage to = { .store = s, .fd = rq->to_dir }; /* borrows */
	const struct job_request ask = { .verb = JOB_JOIN, .chunked = *rq->chunked }; /* borrows */
	struct job_run run = { .store = s, .stage = &to, .request = &ask };
	int r = stage_open(s, &input, e);

	if (r == 0)
		r = for_each_blob(rq->chunked, link_blob, &input, e);
	run.input_fd = input.fd;
	return r < 0 ? r : job_run(&run, &m, e);
}

int image_chunks_fetch(struct image_store *s, const struct image_chunks_fetch *rq, struct err *e)
{
	AUTO(fetching_done) struct fetching f = { .rq = rq };
	int r = list_blobs(&f, e);

	if (r == 0)
		r = fetch(s, &f, e);
	if (r == 0) {
		r = join(s, rq, e);
		/* what does not fit its digest is no use to the next one either */
		if (r == 0 || r == -EBADMSG)
			for_each_blob(rq->chunked, drop_blob, s, NULL);
	}
	return r == -ENOSPC || r == -EDQUOT
		       ? err_set(e, -r, "no room left on the disk of the store %s", s->root)
		       : r;
}
