/* chunks_int.h - between chunks.c and push.c: how chunks go to a registry */
#ifndef IMAGE_CHUNKS_INT_H
#define IMAGE_CHUNKS_INT_H

#include "image/chunks.h"
#include "image/store_int.h"

struct image_chunks {
	struct stage stage; /* the blobs, by their hex digits */
	struct chunked list;
};

/* An index of an image and of an artifact that holds chunks, so that a registry keeps both. */
struct chunks_index {
	char *index, *artifact; /* digests of blobs */
	struct strv blobs; /* "DIGEST SIZE" of all that the artifact names */
};
void chunks_index_done(struct chunks_index *x);
/* blobs_fd: the directory with the blobs of the image, `manifest` (a digest) among them; all others are put there. */
int chunks_index_make(const struct image_chunks *c, int blobs_fd, const char *manifest,
		      struct chunks_index *ret, struct err *e);

#endif
