/* save_int.h - what the files of image_save share: the layout that is written, and what is in it */
#ifndef IMAGE_SAVE_INT_H
#define IMAGE_SAVE_INT_H

#include "base/buf.h"
#include "files/canon.h"
#include "image/save.h"
#include "oci/digest.h"

/* A layout, as an archive or as a directory. */
struct layout {
	int out_fd, dir_fd; /* one of them is -1 */
	int failed; /* -errno of the first write of the archive that failed */
	struct canon canon;
	struct strv blobs; /* digests of those that are in it */
	struct buf manifests; /* elements of index.json */
	struct buf images; /* elements of manifest.json */
};

/* save_layout.c */
int layout_begin(struct layout *l, const struct image_save *rq, struct err *e);
/* A small file at its top, or a blob named by its digest, which goes to *ret. */
int layout_put(struct layout *l, const char *path, const struct buf *text, struct err *e);
int layout_put_blob(struct layout *l, const struct buf *text, struct digest *ret, struct err *e);
/* The blob of a layer, unless it is there: made from its tree, the sum of which is `d`. */
int layout_put_layer(struct layout *l, int tree_fd, const struct digest *d, uint64_t bytes, struct err *e);
/* index.json, oci-layout and, if wanted, manifest.json. */
int layout_end(struct layout *l, bool docker, struct err *e);
void layout_done(struct layout *l);

#endif
