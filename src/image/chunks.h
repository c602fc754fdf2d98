/* chunks.h - large files as chunks that go to a registry and come from one (oci/chunk.h, docs/design/012)
 *
 * How it works: ketch-image cuts and compresses, and it alone decompresses, into files of a directory that it is given; a
 * chunk is a blob of the repository of an image.  What is fetched is in ROOT/blobs as layers are: who is killed goes on
 * where he was, and after a week nothing is left.
 */
#ifndef IMAGE_CHUNKS_H
#define IMAGE_CHUNKS_H

#include "image/pull.h"
#include "oci/chunk.h"

/* Files that were cut; the blobs are in the store as long as this is. */
struct image_chunks;
/* dir_fd: a directory with files named as chunked_file_names has them. */
int image_chunks_cut(struct image_store *s, int dir_fd, image_progress progress, struct image_chunks **ret,
		     struct err *e);
const struct chunked *image_chunks_list(const struct image_chunks *c); /* borrowed */
struct image_chunks *image_chunks_free(struct image_chunks *c); /* NULL is fine */

struct image_chunks_fetch {
	const struct image *image; /* from one of the repositories under whose names it was pulled */
	const struct chunked
		*chunked; /* checked; all files as long as they are to be, and the chunks that are missing */
	int to_dir; /* where the files are, or are made */
	image_progress progress; /* may be NULL */
	void *progress_arg;
};
int image_chunks_fetch(struct image_store *s, const struct image_chunks_fetch *rq, struct err *e);

/* What the config of an image says under IMAGE_MEMORY_KEY: *ret is owned, NULL: nothing. */
int image_memory(struct image_store *s, const char *id, char **ret, struct err *e);
/* The fs-verity digest of a layer's file; "" where it is none. */
int image_layer_verity(struct image_store *s, const char *diff_id, char ret[DIGEST_TEXT], struct err *e);
/* The image of the n lowest layers of another, without a name; made where it is not there.  *ret_id is owned. */
int image_below(struct image_store *s, const struct image *im, size_t n, char **ret_id, struct err *e);

#endif
