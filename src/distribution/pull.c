/* pull.c - a reference becomes a manifest, and what it names comes into the directory of blobs */
#include <errno.h>
#include <string.h>

#include "base/auto.h"
#include "distribution/blobs.h"
#include "distribution/document.h"
#include "oci/platform.h"

#define INDEX_DEPTH_MAX 4

/* One try with one server. */
struct pull {
	struct registry_job *job;
	struct session session;
	struct platform_want platform;
	struct digest top; /* what the reference stands for */
};

static void pull_done(struct pull *p)
{
	session_done(&p->session);
	platform_want_done(&p->platform);
}

/* --- from the reference to a manifest */

static const char *reference(const struct pull *p)
{
	return p->job->request->reference;
}

/* 1: it is what we have already. */
static int is_current(struct pull *p, struct err *e)
{
	const char *current = p->job->request->current;
	struct digest have, is;
	int r;

	if (!current || digest_parse(current, &have) < 0)
		return 0;
	if (digest_parse(reference(p), &is) == 0)
		return digest_equal(&have, &is);
	r = document_head(&p->session, reference(p), &is, e);
	return r <= 0 ? r : digest_equal(&have, &is);
}

static int choose(struct pull *p, const struct manifest *index, const struct descriptor **ret, struct err *e)
{
	autofree char *all = NULL;

	*ret = platform_choose(&p->platform, index->manifests, index->n_manifests);
	if (*ret)
		return 0;
	all = platform_list(index->manifests, index->n_manifests);
	return err_set(e, ENOENT, "no image for %s in it; there is: %.200s", p->job->request->platform,
		       all ? all : "");
}

/* Goes down through indexes. */
static int find_manifest(struct pull *p, struct document *doc, struct manifest *ret, struct err *e)
{
	for (int depth = 0;; depth++) {
		AUTO(manifest_done) struct manifest m = { 0 };
		const struct descriptor *next = NULL;
		struct digest id;
		uint64_t size;
		char text[DIGEST_TEXT];
		int r = manifest_parse(doc->text.data ? doc->text.data : "", doc->text.len, doc->type, &m, e);

		if (r < 0)
			return r;
		if (doc->type == MEDIA_MANIFEST) {
			*ret = m;
			m = (struct manifest){ 0 };
			return 0;
		}
		if (depth == INDEX_DEPTH_MAX)
			return err_set(e, ELOOP, "indexes are nested more than %d deep", INDEX_DEPTH_MAX);
		r = choose(p, &m, &next, e);
		if (r < 0)
			return r;
		id = next->id;
		size = next->size;
		if (size > IMAGE_DOCUMENT_MAX)
			return err_set(e, EFBIG, "a manifest of more than %d MiB", IMAGE_DOCUMENT_MAX >> 20);
		digest_text(&id, text);
		document_done(doc);
		*doc = (struct document){ 0 };
		r = document_get(&p->session, text, &id, doc, e);
		if (r == 0 && doc->text.len != size)
			r = err_set(e, EBADMSG, "%.19s has %zu bytes, not %llu", text, doc->text.len,
				    (unsigned long long)size);
		if (r < 0)
			return r;
	}
}

/* --- its blobs */

static int say_manifest(struct pull *p, const struct document *doc, const struct manifest *m, struct err *e)
{
	char top[DIGEST_TEXT], manifest[DIGEST_TEXT];
	autofree struct registry_blob *blobs = calloc(m->n_layers + 1, sizeof(*blobs));
	struct registry_message msg = { .digest = top,
					.manifest = manifest,
					.blobs = blobs,
					.n_blobs = m->n_layers + 1,
					.server = p->session.ep->server };

	if (!blobs)
		return err_set(e, ENOMEM, "out of memory");
	digest_text(&p->top, top);
	digest_text(&doc->digest, manifest);
	blobs[0] = (struct registry_blob){ m->config.digest, m->config.size };
	for (size_t i = 0; i < m->n_layers; i++)
		blobs[i + 1] = (struct registry_blob){ m->layers[i].digest, m->layers[i].size };
	job_say(p->job, &msg);
	return 0;
}

static int get_blobs(struct pull *p, const struct manifest *m, struct err *e)
{
	const struct descriptor *list[IMAGE_LAYERS_MAX + 1] = { &m->config };

	for (size_t i = 0; i < m->n_layers; i++)
		list[i + 1] = &m->layers[i];
	return blobs_get(p->job, &p->session, list, m->n_layers + 1, e);
}

static void say_current(const struct pull *p)
{
	const struct registry_message m = { .digest = p->job->request->current,
					    .current = true,
					    .server = p->session.ep->server };

	job_say(p->job, &m);
}

static int pull(struct pull *p, bool *ret_begun, struct err *e)
{
	AUTO(document_done) struct document doc = { 0 };
	AUTO(manifest_done) struct manifest m = { 0 };
	struct digest want;
	bool by_digest = digest_parse(reference(p), &want) == 0;
	int r = is_current(p, e);

	if (r > 0)
		say_current(p);
	if (r != 0)
		return r < 0 ? r : 0;
	r = document_get(&p->session, reference(p), by_digest ? &want : NULL, &doc, e);
	if (r < 0)
		return r;
	p->top = doc.digest;
	r = find_manifest(p, &doc, &m, e);
	if (r == 0)
		r = document_keep(p->job, &doc.text, &doc.digest, e);
	if (r == 0)
		r = say_manifest(p, &doc, &m, e);
	if (r == 0 && p->job->request->signatures)
		r = signatures_get(p->job, &p->session, &doc.digest, e);
	if (r == 0 && p->job->request->lookaside)
		r = lookaside_get(p->job, &p->session, &doc.digest, e);
	*ret_begun = r == 0;
	return r < 0 ? r : get_blobs(p, &m, e);
}

/* Once a server has given the manifest, its blobs are asked of no other. */
int job_pull(struct registry_job *job, struct err *e)
{
	const struct registry_request *rq = job->request;
	int r = err_set(e, EINVAL, "no server to pull from");

	for (size_t i = 0; i < rq->n_endpoints; i++) {
		AUTO(pull_done) struct pull p = { .job = job };
		bool begun = false;

		r = platform_parse(rq->platform, &p.platform, e);
		if (r == 0)
			r = session_open(&p.session, job->http, &rq->endpoints[i], "pull", e);
		if (r == 0)
			r = pull(&p, &begun, e);
		if (r == 0 || begun)
			return r;
		if (i + 1 < rq->n_endpoints)
			job_note(job, "%s", e->msg);
	}
	return r;
}
