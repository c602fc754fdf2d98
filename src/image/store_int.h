/* store_int.h - what the files of this room share: the store, its locks and its staging directories
 *
 * Order of things, so that a kill at any point leaves the old or the new state: data is staged, made durable
 * (syncfs), and then, under the lock "store", renamed to its place and named by a record.  What has no record
 * is swept away, under the same lock, by the next job.
 */
#ifndef IMAGE_STORE_INT_H
#define IMAGE_STORE_INT_H

#include "base/sha256.h"
#include "db/db.h"
#include "image/store.h"
#include "oci/digest.h"

struct image_store {
	char *root; /* absolute path, for messages */
	int root_fd, layers_fd, skeletons_fd, packages_fd, configs_fd, roots_fd, blobs_fd, tmp_fd, locks_fd,
		events_fd;
	struct db *db;
	enum store_state state;
};

/* store.c: tells the journal what happened to an image; name: a reference, or NULL. */
void store_tell(struct image_store *s, const char *action, const char *id, const char *name);

#define STORE_LOCK	  "store" /* held for renames and records only */
#define STORE_LOCK_WAIT_S 60
#define EROFS_LOCK_WAIT_S 600 /* somebody else makes the same file */

/* stage.c: a directory of ours in tmp/, locked as long as this process lives. */
struct stage {
	struct image_store *store;
	char name[33];
	int fd; /* -1: none */
};
int stage_open(struct image_store *s, struct stage *ret, struct err *e);
void stage_done(struct stage *st); /* removes the directory with all that is left in it */
/* Removes the stages of processes that died and data that no record names. */
int store_sweep(struct image_store *s, struct err *e);

/* layer.c: the file or the directory of a layer, O_RDONLY. */
int store_layer_file(struct image_store *s, const char *diff_id, struct err *e);
/* Is it there?  One that is recorded may have been lost: then it is as one that never came, and the next load or pull brings
 * it back. */
bool store_layer_is_here(struct image_store *s, const char *diff_id);
/* Its EROFS file goes, as if it had never come; its record stays. */
int store_layer_remove_file(struct image_store *s, const char *diff_id, struct err *e);
/* Can this host mount an EROFS file of the store for every use of a layer?  Tried. */
bool store_takes_erofs(const struct stage *st);
#define LAYER_ENDING	 ".erofs"
#define LAYER_NAME_BYTES (DIGEST_HEX + sizeof(LAYER_ENDING))

/* erofs.c: what layers are together, the lowest first, as a layer in the stage: layers/HEX.erofs and packages/HEX. */
int store_merge(struct image_store *s, const struct stage *st, const struct strv *layers,
		char ret_hex[DIGEST_HEX], struct err *e);

/* inventory.c: the inventory of a layer (packages/package.h). */
enum inventory_state {
	INVENTORY_INTACT, /* its checksum is the one that was kept; or none was kept, and it is none or can be read */
	INVENTORY_MISSING,
	INVENTORY_CHANGED,
};
/* One in a directory, and its checksum: -errno if it cannot be read. */
int store_inventory_read(int dir_fd, const char *name, struct buf *ret);
int store_inventory_hash(int dir_fd, const char *name, char ret[SHA256_HEX]);
int store_inventory_look(struct image_store *s, const char *diff_id, enum inventory_state *ret,
			 struct err *e);
/* What is wrong with one that is not intact, and what helps: it follows "the inventory of a layer". */
const char *store_inventory_trouble(enum inventory_state state);
/* Makes it again from the layer, which is intact. */
int store_inventory_remake(struct image_store *s, const char *diff_id, struct err *e);

/* archive.c: the archive of a layer that has tar_bytes, as it came; with gzip: compressed, always to the same bytes.
 * `out` takes it; it is whole and right only if this returns 0. */
struct layer_archive {
	const char *diff_id;
	bool gzip;
	int (*out)(void *arg, const void *data, size_t n); /* 0 or -errno */
	void *arg;
};
int store_layer_archive(struct image_store *s, const struct layer_archive *rq, struct digest *ret_blob,
			struct err *e);

/* record.c */
struct image_record {
	struct digest id; /* of the config */
	bool has_manifest;
	struct digest manifest;
	int64_t created_ns;
	const struct strv *diff_ids; /* lowest first */
	const struct strv *refs; /* as reference_text; taken from the images that had them */
};
/* Within a transaction of the caller. */
/* What is noted of a layer. */
struct layer_record {
	const char *diff_id, *verity; /* of its EROFS file; NULL: it is a directory */
	uint64_t size_bytes, tar_bytes; /* of its archive, which can be made again; 0: it cannot */
	const char *packages; /* SHA-256 of its inventory */
};
int record_add_layer(struct image_store *s, const struct layer_record *l, struct err *e);
int record_tar_bytes(struct image_store *s, const char *diff_id, uint64_t *ret, struct err *e);
/* What was recorded of the bytes of a layer's files: "" where nothing was (a directory; an older inventory; no such layer). */
struct layer_sums {
	char verity[DIGEST_TEXT], packages[SHA256_HEX];
};
int record_layer_sums(struct image_store *s, const char *diff_id, struct layer_sums *ret, struct err *e);
int record_add_image(struct image_store *s, const struct image_record *im, struct err *e);
int record_has_layer(struct image_store *s, const char *diff_id, bool *ret, struct err *e);
/* Every diff id that is kept, of layers that are here; so has_layer. */
int record_list_layers(struct image_store *s, struct strv *ret, struct err *e);
/* The id of the image that `ref` names, and the reference if it is one (else *ret_ref is NULL); both owned. */
int record_resolve(struct image_store *s, const char *ref, char **ret_id, char **ret_ref, struct err *e);
int record_refs(struct image_store *s, const char *id, struct strv *ret, struct err *e);

/* record_pulled.c: what is known of registries.  Within a transaction of the caller where they add. */
int record_add_digest(struct image_store *s, const char *id, const char *name, const char *digest,
		      struct err *e);
int record_add_manifest(struct image_store *s, const char *id, const char *digest, const char *text,
			struct err *e);
int record_add_blob(struct image_store *s, const char *digest, const char *diff_id, struct err *e);
/* All digests of blobs whose layers are here. */
int record_list_blobs(struct image_store *s, struct strv *ret, struct err *e);
/* The diff id of the layer that this blob is; NULL: not known, or the layer is not here. */
int record_layer_of_blob(struct image_store *s, const char *digest, char **ret, struct err *e);
/* The manifest with which it came, with its digest; NULL: none is known. */
int record_manifest(struct image_store *s, const char *id, char **ret_digest, char **ret_text, struct err *e);
/* "name@digest" of an image; the digest that came last under this name for the image, NULL: none. */
int record_digests(struct image_store *s, const char *id, struct strv *ret, struct err *e);
int record_last_digest(struct image_store *s, const char *id, const char *name, char **ret, struct err *e);

#endif
