/* document.c - small documents of a repository: manifests, indexes, configs; checked, and kept as blobs */
#include "distribution/document.h"

#include <errno.h>
#include <string.h>

#include "base/auto.h"
#include "base/io.h"
#include "base/sha256.h"

/* borrowed: only sent */
static char *accepted[] = {
	(char[]){ "application/vnd.oci.image.index.v1+json" },
	(char[]){ "application/vnd.oci.image.manifest.v1+json" },
	(char[]){ "application/vnd.docker.distribution.manifest.list.v2+json" },
	(char[]){ "application/vnd.docker.distribution.manifest.v2+json" },
	NULL,
};
const struct strv document_types = { accepted, ARRAY_LEN(accepted) - 1 };

void document_done(struct document *d)
{
	buf_done(&d->text);
}

void digest_of(const void *data, size_t n, struct digest *ret)
{
	struct sha256 h;

	sha256_init(&h);
	sha256_add(&h, data, n);
	sha256_end(&h, ret->sha256);
}

/* The type that the answer gives, without parameters. */
static int take_type(const struct http_head *head, struct document *d, struct err *e)
{
	autofree char *type = head->type ? strndup(head->type, strcspn(head->type, "; \t")) : NULL;

	d->type = media_type_of(type);
	if (d->type == MEDIA_INDEX || d->type == MEDIA_MANIFEST)
		return 0;
	if (type && strstr(type, "distribution.manifest.v1+"))
		return err_set(e, ENOTSUP,
			       "it is an image of schema 1, which is refused: its layers have no digests "
			       "that could be checked; push it again with a newer tool");
	return err_set(e, EPROTO, "neither a manifest nor an index, but \"%.80s\"", type ? type : "");
}

static int differs(const char *what, const struct digest *want, struct err *e)
{
	char text[DIGEST_TEXT];

	digest_text(want, text);
	return err_set(e, EBADMSG, "wrong digest: the content of %s is not %s", what, text);
}

static int check(const char *reference, const struct digest *want, const struct http_head *head,
		 struct document *d, struct err *e)
{
	struct digest said;

	digest_of(d->text.data ? d->text.data : "", d->text.len, &d->digest);
	if (want && !digest_equal(want, &d->digest))
		return differs(reference, want, e);
	if (head->digest && digest_parse(head->digest, &said) == 0 && !digest_equal(&said, &d->digest))
		return differs(reference, &said, e);
	return take_type(head, d, e);
}

int document_get(struct session *s, const char *reference, const struct digest *want, struct document *ret,
		 struct err *e)
{
	autofree char *where = str_printf("manifests/%s", reference);
	struct errand er = { .call = { .method = "GET", .accept = &document_types } };
	struct document d = { 0 };
	int r = where ? errand_insist(s, &er, where, e) : err_set(e, ENOMEM, "out of memory");

	if (r == 0 && er.call.status != 200)
		r = errand_refused(&er, reference, e);
	if (r == 0) {
		d.text = er.call.text;
		er.call.text = (struct buf){ 0 };
		r = check(reference, want, &er.call.head, &d, e);
	}
	errand_done(s, &er);
	if (r < 0) {
		document_done(&d);
		return r;
	}
	*ret = d;
	return 0;
}

int document_head(struct session *s, const char *reference, struct digest *ret, struct err *e)
{
	autofree char *where = str_printf("manifests/%s", reference);
	struct errand er = { .call = { .method = "HEAD", .accept = &document_types } };
	int r = where ? errand_insist(s, &er, where, e) : err_set(e, ENOMEM, "out of memory");

	if (r == 0 && er.call.status == 200)
		r = er.call.head.digest && digest_parse(er.call.head.digest, ret) == 0;
	errand_done(s, &er);
	return r;
}

int document_keep(const struct registry_job *job, const struct buf *text, const struct digest *d,
		  struct err *e)
{
	char hex[DIGEST_HEX];
	int r;

	digest_hex(d, hex);
	r = write_file_swap(job->blobs_fd, hex, 0600, text->data ? text->data : "", text->len);
	return r < 0 ? err_sys(e, -r, "keep a manifest") : 0;
}
