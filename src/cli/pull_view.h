/* pull_view.h - what a user sees of a pull or a push: lines in Docker's words, a bar on a terminal, or JSON */
#ifndef CLI_PULL_VIEW_H
#define CLI_PULL_VIEW_H

#include <stdio.h>

#include "image/pull.h"

#define PROGRESS_CHOICES "auto|plain|json"

struct seen_blob {
	char id[13];
	int state; /* enum blob_state */
	uint64_t at, bytes;
};

struct pull_view {
	FILE *out;
	bool bar, json, quiet;
	bool push; /* words of a push */
	char *intro; /* owned; said before anything else, so that what fails at once is one line; NULL: none */
	struct seen_blob *blobs; /* of this image */
	size_t n_blobs;
	bool drawn; /* there is a bar on the screen */
};

/* mode: one of PROGRESS_CHOICES, or NULL. */
void pull_view_init(struct pull_view *v, FILE *out, const char *mode, bool quiet);
void pull_view_done(struct pull_view *v);
/* A pull_tell; arg: a struct pull_view. */
void pull_view_tell(void *arg, const struct pull_event *ev);

#endif
