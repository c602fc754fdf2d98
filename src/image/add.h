/* add.h - what came from a registry becomes part of the store (private to this room) */
#ifndef IMAGE_ADD_H
#define IMAGE_ADD_H

#include "image/job.h"
#include "image/store_int.h"
#include "unpack/request.h"

/* All borrowed. */
struct pulled {
	int layout_fd; /* an OCI layout with one image; blobs that are in `have` are missing */
	struct strv have; /* "BLOB DIFF_ID" */
	bool all_here; /* every layer is in `have`: none will be made */
	struct job_signer *signers; /* who must have signed it */
	size_t n_signers;
	struct strv signatures; /* "DIGEST SIGNATURE" */
	const struct strv *refs; /* names that it gets */
	const char *name; /* without tag */
	const char *digest; /* what the reference stood for: of an index or of the manifest */
	struct job_beside *beside; /* brings what is not in the layout yet; NULL: all is there */
	const char *manifest_digest, *manifest; /* its text is what its digest says */
};

int add_pulled(struct image_store *s, const struct pulled *p, image_progress progress, void *arg,
	       char **ret_id, struct err *e);

#endif
