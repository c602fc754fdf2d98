/* push.c - an image goes to a registry: its blobs first, the manifest that names them last */
#include <errno.h>
#include <string.h>

#include "base/auto.h"
#include "base/io.h"
#include "distribution/document.h"
#include "distribution/named_blobs.h"
#include "distribution/upload.h"

#define OCI_TYPE   "application/vnd.oci.image.manifest.v1+json"
#define INDEX_TYPE "application/vnd.oci.image.index.v1+json"

static int read_manifest(const struct registry_job *job, const char *digest, struct document *d,
			 struct err *e)
{
	char hex[DIGEST_HEX];
	struct digest want;
	int r;

	if (!digest || digest_parse(digest, &want) < 0)
		return err_set(e, EINVAL, "no manifest to push");
	digest_hex(&want, hex);
	r = read_file(job->blobs_fd, hex, IMAGE_DOCUMENT_MAX, &d->text);
	if (r < 0)
		return err_sys(e, -r, "read the manifest");
	digest_of(d->text.data ? d->text.data : "", d->text.len, &d->digest);
	return digest_equal(&want, &d->digest) ? 0 : err_set(e, EBADMSG, "the manifest is not %s", digest);
}

/* 1: all are there, 0: one is nowhere. */
static int put_blobs(struct registry_job *job, struct session *s, const struct manifest *m, struct err *e)
{
	int r = 1;

	for (size_t i = 0; r > 0 && i < m->n_layers; i++)
		r = upload_blob(job, s, &m->layers[i], false, e);
	return r > 0 ? upload_blob(job, s, &m->config, true, e) : r;
}

static int put_manifest(struct session *s, const struct document *d, const char *type, const char *reference,
			struct err *e)
{
	autofree char *where = str_printf("manifests/%s", reference);
	struct errand er = { .call = { .method = "PUT",
				       .content_type = type ? type : OCI_TYPE,
				       .body = d->text.data,
				       .body_bytes = d->text.len } };
	int r = where ? errand_insist(s, &er, where, e) : err_set(e, ENOMEM, "out of memory");

	if (r == 0 && er.call.status != 201)
		r = errand_refused(&er, reference, e);
	errand_done(s, &er);
	return r;
}

/* 1: all are there, 0: one is nowhere. */
static int put_named_blobs(struct registry_job *job, struct session *s, struct err *e)
{
	AUTO(named_blobs_done) struct named_blobs b = { 0 };
	int r = named_blobs_parse(&job->request->blobs, &b, e);

	r = r < 0 ? r : 1;
	for (size_t i = 0; r > 0 && i < b.n; i++)
		r = upload_blob(job, s, &b.v[i], false, e);
	return r;
}

static int put_by_digest(struct registry_job *job, struct session *s, const char *digest, const char *type,
			 const char *reference, struct err *e)
{
	AUTO(document_done) struct document d = { 0 };
	int r = read_manifest(job, digest, &d, e);

	return r < 0 ? r : put_manifest(s, &d, type, reference, e);
}

/* The artifact and the index: what the index names has to be there first. */
static int put_index(struct registry_job *job, struct session *s, struct err *e)
{
	const struct registry_request *rq = job->request;
	int r = put_by_digest(job, s, rq->artifact, OCI_TYPE, rq->artifact, e);

	return r < 0 ? r : put_by_digest(job, s, rq->index, INDEX_TYPE, rq->reference, e);
}

/* A token that lets us read where blobs are mounted from. */
static int add_scopes(struct session *s, const struct strv *from, struct err *e)
{
	for (size_t i = 0; i < from->n; i++)
		if (strv_addf(&s->more_scopes, "repository:%s:pull", from->v[i]) < 0)
			return err_set(e, ENOMEM, "out of memory");
	return 0;
}

int job_push(struct registry_job *job, struct err *e)
{
	AUTO(session_done) struct session s = { 0 };
	AUTO(document_done) struct document d = { 0 };
	AUTO(manifest_done) struct manifest m = { 0 };
	const struct registry_request *rq = job->request;
	struct registry_message msg = { .missing = true };
	int r = read_manifest(job, rq->manifest, &d, e);

	if (r == 0)
		r = manifest_parse(d.text.data, d.text.len, MEDIA_MANIFEST, &m, e);
	if (r == 0)
		r = session_open(&s, job->http, &job->request->endpoints[0], "pull,push", e);
	if (r == 0)
		r = add_scopes(&s, &job->request->mount_from, e);
	if (r == 0)
		r = put_blobs(job, &s, &m, e);
	if (r > 0)
		r = put_named_blobs(job, &s, e);
	if (r == 0)
		job_say(job, &msg);
	if (r <= 0)
		return r;
	r = put_manifest(&s, &d, m.media_type, rq->index ? rq->manifest : rq->reference, e);
	if (r == 0 && rq->index)
		r = put_index(job, &s, e);
	if (r < 0)
		return r;
	job_say(job, &(const struct registry_message){ .digest = rq->index ? rq->index : rq->manifest,
						       .blob = { NULL, d.text.len },
						       .server = s.ep->server });
	return 0;
}
