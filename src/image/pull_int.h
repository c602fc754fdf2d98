/* pull_int.h - what the files of a pull share: the pull of one reference */
#ifndef IMAGE_PULL_INT_H
#define IMAGE_PULL_INT_H

#include "image/fetch.h"
#include "image/job.h"
#include "image/pull.h"
#include "image/signers.h"
#include "image/store_int.h"

/* One reference. */
struct pull {
	struct image_store *store;
	const struct image_pull *rq;
	const struct meaning *meaning;
	char *ref,
		*tag; /* "name:tag" as it is called here, NULL: by digest alone; what the server is asked for */
	struct registry_message found; /* by json_done: what the reference stands for */
	struct strv have; /* "BLOB DIFF_ID" */
	struct signers signers; /* who must have signed it */
	struct strv signatures; /* "DIGEST SIGNATURE" */
	char *lookaside; /* where those of GPG lie: registry/lookaside.h; NULL: nobody asks */
	struct strv gpg_signatures; /* base64 */
	bool current;
	struct fetch *fetch; /* while it runs */
	struct job_beside beside; /* the fetch, while what has come of it is unpacked */
	bool fetch_failed;
	struct strv moving, arrived; /* digests of blobs of which something is there, or all */
	int layout_fd, layout_blobs_fd; /* while it is filled; -1: none */
};

/* pull_hear.c */

void pull_say(const struct image_pull *rq, const struct pull_event *ev);
void pull_note(const struct image_pull *rq, const char *text);
/* One message of ketch-registry about `arg`, a struct pull; what it keeps it takes out of m. */
int pull_hear(void *arg, struct registry_message *m, struct err *e);

/* lookaside.c */

/* Is it on a server, and not in a directory? */
bool pull_lookaside_is_far(const struct pull *p);
/* What GPG has signed is found out before anything of the image is read; where nobody asks for it, nothing is. */
int pull_check_gpg(struct pull *p, struct err *e);

/* pull_layout.c */

/* The manifest as text, which is what its digest says. */
int pull_read_manifest(struct pull *p, struct digest *ret, struct buf *text, struct err *e);
/* Begins the layout in the stage: what is here already is noted in `have` and left out; what has not come yet is to be
 * added by pull_place_arriving. */
int pull_make_layout(struct pull *p, const struct stage *st, const struct digest *manifest, size_t size,
		     struct err *e);
/* Something of a blob is there now, or (done) all. */
int pull_place_arriving(struct pull *p, const char *digest, bool done, struct err *e);
/* Nothing more comes. */
int pull_end_layout(struct pull *p, struct err *e);
/* The blobs are no longer wanted. */
void pull_drop_blobs(struct pull *p);

#endif
