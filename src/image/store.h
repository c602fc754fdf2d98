/* store.h - images and layers of one store: records and read-only trees
 *
 *	ROOT/ketch.db               tables image, image_ref, image_digest, image_manifest, layer, layer_blob
 *	ROOT/layers/HEX.erofs       one layer, HEX of its diff id; whiteouts in overlay form; or
 *	ROOT/layers/HEX/            its tree, where the host can mount no such file or could not once
 *	ROOT/skeletons/HEX          with which a layer's archive is made again, the same bytes (unpack/skeleton.h)
 *	ROOT/packages/HEX           which packages a layer holds (packages/package.h)
 *	ROOT/configs/HEX            the image config, as it came
 *	ROOT/roots/HEX.erofs        an image as one file for VMs, HEX of the image id
 *	ROOT/events/                the journal
 *	ROOT/blobs/                 what a pull has fetched and not yet unpacked (distribution/blobs.h)
 *	ROOT/tmp/                   staging: what a living process holds no lock on is removed by the next job
 *
 * An image exists once its record does; the record is written after all its data is durable.
 */
#ifndef IMAGE_STORE_H
#define IMAGE_STORE_H

#include <stdbool.h>

#include "base/buf.h"
#include "oci/image.h"

struct image_store;

struct image {
	char *id; /* "sha256:HEX": digest of the config */
	struct strv refs; /* "docker.io/library/x:latest" is kept as "x:latest", as users type it */
	struct strv digests; /* "name@sha256:HEX": under which a registry has it */
	struct image_config config;
	uint64_t size_bytes; /* of its layers' trees */
	int64_t created_ns;
};

void image_done(struct image *im);

/* What there is of a store. */
enum store_state {
	STORE_WHOLE,
	STORE_READ_ONLY, /* on a read-only file system: it can be looked at */
	STORE_ABSENT, /* as an empty one in which nothing can be made */
};

/* root: path of the store.  make: one that is missing is made (mode 0700), and one that cannot be written is refused; else it
 * is STORE_ABSENT, and leaves no trace. */
int image_store_open(const char *root, bool make, struct image_store **ret, struct err *e);
enum store_state image_store_state(const struct image_store *s);
/* A lock of ROOT/locks: it dies with the descriptor that is returned.  Waits at most timeout_s, then -EBUSY with a line
 * that names the owner.  `what` is said about us to others who wait: "ketch load". */
int image_store_lock(struct image_store *s, const char *name, int timeout_s, const char *what, struct err *e);
/* A directory of the store or of what belongs to it, made if missing; where nothing can be made one that is missing is an
 * empty one.  The descriptor or -errno. */
int image_store_dir(const struct image_store *s, int dirfd, const char *path);
struct image_store *image_store_close(struct image_store *s);
/* The directory of the store's journal (events/journal.h), borrowed. */
int image_store_events(struct image_store *s);
/* The database of the store, borrowed: its other tables are the engine's. */
struct db *image_store_db(struct image_store *s);

/* By reference ("name", "name:tag", "name@sha256:..."), by id or by a unique prefix of >= 4 hex digits of the id.
 * -ENOENT: "no such image: x". */
int image_find(struct image_store *s, const char *ref, struct image *ret, struct err *e);
/* All images, newest first. */
int image_list(struct image_store *s, struct image **ret, size_t *ret_n, struct err *e);
int image_tag(struct image_store *s, const char *ref, const char *new_ref, struct err *e);
/* Takes the reference away, and with the last one the image with the layers that nobody else uses.
 * in_use: does an instance still use this image id?  Then -EBUSY unless force, which takes only references away.
 * *ret_lines: what was done, "Untagged: x", "Deleted: sha256:...". */
int image_remove(struct image_store *s, const char *ref, bool in_use, bool force, struct strv *ret_lines,
		 struct err *e);

/* What the layers of these images (by id) take on the disk, each counted once; what an image has in common with
 * others. */
int image_layers_bytes(struct image_store *s, const struct strv *ids, uint64_t *ret, struct err *e);
int image_shared_bytes(struct image_store *s, const char *id, uint64_t *ret, struct err *e);
/* The EROFS file of an image: its size on the disk, 0 where there is none; and away with it: the next start of a VM
 * makes it again. */
uint64_t image_root_bytes(struct image_store *s, const char *id);
int image_root_remove(struct image_store *s, const char *id, struct err *e);
/* Away with what pulls have fetched and not unpacked, but for what is being fetched; *bytes grows by what it took. */
int image_downloads_remove(struct image_store *s, uint64_t *bytes, struct err *e);

/* What is said while a job runs: one line a step; may be NULL.  In a step that takes longer than a second how far it is,
 * "45%", and "" when it has ended: what stood there is no longer true. */
typedef void (*image_progress)(void *arg, const char *line);

/* ketch import: a directory or a tar file (any compression; "-": stdin) becomes a one-layer image.  *ret_id is
 * the image's id. */
struct image_import {
	const char *path, *ref; /* ref: NULL: no name */
	const char *comment; /* of its history; NULL: none */
	const struct image_run_config *config; /* NULL: none */
	image_progress progress;
	void *progress_arg;
};
int image_import(struct image_store *s, const struct image_import *im, char **ret_id, struct err *e);
/* A new image of one that is here: its config, in which author and layers are those that there are already. */
struct image_commit {
	const struct image_config *config;
	char *comment, *created_by; /* of the new layer; NULL: not said */
	const char *ref; /* NULL: none */
	char *memory; /* JSON: what the config says under IMAGE_MEMORY_KEY; NULL: nothing */
	image_progress progress;
};
/* ketch commit: layer_fd, read to its end, gives the layer that is put on top as an uncompressed tar stream. */
int image_commit(struct image_store *s, int layer_fd, const struct image_commit *commit, char **ret_id,
		 struct err *e);
/* Can a new image be called that? */
int image_check_new_ref(const char *ref, struct err *e);

/* ketch load: docker-archive, OCI layout directory or archive.  *ret_refs: the references (or ids) loaded. */
int image_load(struct image_store *s, const char *path, image_progress progress, void *arg,
	       struct strv *ret_refs, struct err *e);

/* Who looks at what an archive has in it before any of it comes into the store: the ids of its images, in their order, and
 * the config of the last of them, as it came.  A failure ends it; it may be asked again. */
struct image_watch {
	int (*look)(void *arg, const struct strv *ids, const struct buf *config, struct err *e);
	void *arg;
};
/* Takes bytes, piece by piece: 0, or -errno, which ends it. */
struct image_sink {
	int (*take)(void *arg, const void *data, size_t n);
	void *arg;
};
/* What is read from fd, expanded by ketch-image where it is gzip, bzip2, xz or zstd, goes to the sink. */
int image_expand(struct image_store *s, int fd, const struct image_sink *to, struct err *e);
/* As image_load, but that no names come along. */
int image_load_watched(struct image_store *s, const char *path, const struct image_watch *watch,
		       image_progress progress, void *arg, struct err *e);

/* The directory of a layer, to open things below (O_PATH): mostly the root of a mount that is attached nowhere and goes with
 * this descriptor, unless another mount is made of it. */
int image_layer_open(struct image_store *s, const char *diff_id, struct err *e);
/* The EROFS file of a layer, O_RDONLY.  -EISDIR: it is kept as a directory. */
int image_layer_file_open(struct image_store *s, const char *diff_id, struct err *e);
/* Have all of them one? */
bool image_layers_are_files(struct image_store *s, const struct strv *diff_ids);
/* The image as one EROFS file (O_RDONLY), made now if it is missing. */
int image_erofs_open(struct image_store *s, const struct image *im, image_progress progress, void *arg,
		     struct err *e);

#endif
