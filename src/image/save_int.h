/* save_int.h - what the files of image_save share: the layout that is written, and what is in it */
#ifndef IMAGE_SAVE_INT_H
#define IMAGE_SAVE_INT_H

#include "base/buf.h"
#include "files/canon.h"
#include "image/save.h"
#include "image/store_int.h"

/* A layout, as an archive or as a directory. */
struct layout {
	int out_fd, dir_fd; /* one of them is -1 */
	bool gzip;
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
/* The blob of a layer: `send` writes it to a descriptor. */
struct layout_layer {
	struct digest digest;
	uint64_t bytes;
	int (*send)(void *arg, int fd, struct layout_layer *l, struct err *e);
	void *arg;
};
/* Unless it is there. */
int layout_put_layer(struct layout *l, struct layout_layer *from, struct err *e);
/* Into a directory only: send sets digest and bytes. */
int layout_put_new_layer(struct layout *l, struct layout_layer *from, struct err *e);
/* index.json, oci-layout and, if wanted, manifest.json. */
int layout_end(struct layout *l, bool docker, struct err *e);
void layout_done(struct layout *l);

/* One image, with all the names by which it was asked for. */
struct image_top;
struct saved {
	struct image image;
	struct strv refs;
	struct saved_layer *layers; /* of config.rootfs.diff_ids */
	struct buf config; /* its text, with the diff ids of what is written */
	const struct image_top *top; /* a layer that is put on it, borrowed; NULL: none */
	char *id; /* of what was written */
};
/* save.c: all of it becomes part of the layout. */
int saved_put(struct image_store *s, struct layout *l, struct saved *sv, struct err *e);
void saved_done(struct saved *sv);
/* image_archive.c: the same for the layer on top of it, and what its config says of that. */
int saved_put_top(struct layout *l, struct saved *sv, struct err *e);
int saved_grow_config(struct saved *sv, struct err *e);

/* save_layers.c: a layer as it is saved. */
struct saved_layer {
	struct digest diff_id, blob;
	uint64_t bytes; /* of the blob */
	bool as_it_came, gzip;
};
/* What each will be: a header says the size before the content comes.  With gzip that is known when it is done: those are in
 * the layout then. */
int saved_layers_find(struct image_store *s, struct layout *l, const struct strv *ids,
		      struct saved_layer *ret, struct err *e);
int saved_layers_put(struct image_store *s, struct layout *l, const struct strv *ids,
		     const struct saved_layer *layers, struct err *e);

#endif
