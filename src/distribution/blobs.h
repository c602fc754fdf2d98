/* blobs.h - blobs come from a server into files, several at a time, each from where it stopped
 *
 *	HEX.partial	the first bytes of a blob; locked (flock) by who fetches it, its length says how many
 *	HEX		all of it, as long as the manifest said; its digest is checked by who reads it
 *
 * A blob that somebody else fetches is waited for.
 */
#ifndef DISTRIBUTION_BLOBS_H
#define DISTRIBUTION_BLOBS_H

#include "distribution/job.h"
#include "oci/manifest.h"

#define BLOB_BYTES_MAX (64ULL << 30)

/* Those of `list` that the request does not have; all are there when it returns 0. */
int blobs_get(struct registry_job *job, struct session *s, const struct descriptor *const *list, size_t n,
	      struct err *e);

#endif
