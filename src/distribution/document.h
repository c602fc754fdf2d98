/* document.h - small documents of a repository: manifests, indexes, configs; checked, and kept as blobs */
#ifndef DISTRIBUTION_DOCUMENT_H
#define DISTRIBUTION_DOCUMENT_H

#include "distribution/job.h"
#include "oci/manifest.h"

struct document {
	struct buf text;
	struct digest digest;
	enum media_type type; /* MEDIA_INDEX or MEDIA_MANIFEST */
};
void document_done(struct document *d);

/* The types that are asked for. */
extern const struct strv document_types;

/* The manifest or index that a tag or a digest names.  want: what it must be, NULL: not known before. */
int document_get(struct session *s, const char *reference, const struct digest *want, struct document *ret,
		 struct err *e);
/* The digest of it alone: 1, or 0: the server does not say. */
int document_head(struct session *s, const char *reference, struct digest *ret, struct err *e);
/* Says which signatures cosign has put beside a manifest, and keeps their payloads; none is no error. */
int signatures_get(const struct registry_job *job, struct session *s, const struct digest *manifest,
		   struct err *e);
/* Says which signatures of GPG lie at the request's lookaside; none is no error. */
int lookaside_get(const struct registry_job *job, struct session *s, const struct digest *manifest,
		  struct err *e);
/* A file in the directory of blobs, named by its digest. */
int document_keep(const struct registry_job *job, const struct buf *text, const struct digest *d,
		  struct err *e);
void digest_of(const void *data, size_t n, struct digest *ret);

#endif
