/* image_archive.h - an archive of images whose upper layers are made while it is written
 *
 * What `save` makes of images that are in the store this makes of such as are not, and need not be: the form is the same
 * OCI layout (image/save.h), without manifest.json, in which no digest says what a config is; and nothing of the store is
 * changed.  A layer is written to a file without a name first, for
 * its header says how long it is; who is killed leaves nothing.
 */
#ifndef IMAGE_ARCHIVE_H
#define IMAGE_ARCHIVE_H

#include "base/buf.h"
#include "image/store.h"
#include "oci/digest.h"

/* An uncompressed layer, in a file without a name. */
struct image_spool {
	int fd;
	struct digest digest;
	uint64_t bytes;
};

/* from_fd, read to its end; a directory, as image/save.h has it.  *ret by image_spool_done. */
int image_spool_stream(struct image_store *s, int from_fd, struct image_spool *ret, struct err *e);
int image_spool_tree(struct image_store *s, int dir_fd, struct image_spool *ret, struct err *e);
void image_spool_done(struct image_spool *sp);

/* What is put on an image; all borrowed. */
struct image_top {
	const struct image_spool *layer;
	const char *created_by; /* for its history */
	/* a further member of the config, of which others know nothing: its value is JSON; NULL: none */
	const char *key;
	const struct buf *value;
};

struct image_archive;
int image_archive_begin(struct image_store *s, int out_fd, struct image_archive **ret, struct err *e);
/* base: id of an image of the store, whose config the new one has (NULL: nothing is below it, and it says nothing); ref:
 * what it is called, or NULL.  *ret_id is its id, owned. */
int image_archive_add(struct image_archive *a, const char *base, const struct image_top *top, const char *ref,
		      char **ret_id, struct err *e);
/* All is in it.  -EPIPE: nobody reads the archive. */
int image_archive_end(struct image_archive *a, struct err *e);
struct image_archive *image_archive_free(struct image_archive *a);

#endif
