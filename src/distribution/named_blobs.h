/* named_blobs.h - the blobs that a request names one by one, "DIGEST SIZE" */
#ifndef DISTRIBUTION_NAMED_BLOBS_H
#define DISTRIBUTION_NAMED_BLOBS_H

#include "distribution/job.h"
#include "oci/manifest.h"

struct named_blobs {
	struct descriptor *v; /* only digest, id and size are set */
	const struct descriptor **list; /* the same, as blobs_get has it */
	size_t n;
};

int named_blobs_parse(const struct strv *words, struct named_blobs *ret, struct err *e);
void named_blobs_done(struct named_blobs *b);

#endif
