/* blobs.h - what pulls have fetched and not yet unpacked (private to this room) */
#ifndef IMAGE_BLOBS_H
#define IMAGE_BLOBS_H

#include "base/buf.h"
#include "image/store_int.h"

#define BLOBS_AGE_S (7 * 24 * 3600)

/* A further name for the blob, in to_dir. */
int blobs_link(struct image_store *s, const struct digest *d, int to_dir, struct err *e);
/* The same while it is fetched by us (done: it has been).  What is not there yet, or linked already, is no error; -ESTALE:
 * what has been fetched is gone, for somebody else has unpacked it. */
int blobs_link_arriving(struct image_store *s, const struct digest *d, bool done, int to_dir, struct err *e);
int blobs_read(struct image_store *s, const struct digest *d, size_t max, struct buf *ret, struct err *e);
/* Also what there is of one that is not whole, unless it is being fetched. */
void blobs_drop(struct image_store *s, const struct digest *d);
/* Removes what nobody has touched for so long.  *ret_bytes grows; may be NULL. */
int blobs_expire(struct image_store *s, int64_t age_s, uint64_t *ret_bytes, struct err *e);

#endif
