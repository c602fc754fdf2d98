/* add_publish.c - what a job made becomes part of the store: under its lock, in one transaction */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/io.h"
#include "image/add_int.h"

/* Moves DIR/HEX (with an ending) of the stage to its place; an orphan that is there goes into the stage, and with it.
 * What two images share was moved for the first. */
static int move_in(int stage_dir, int to_dir, const struct digest *d, const char *ending, struct err *e)
{
	char hex[LAYER_NAME_BYTES];

	digest_hex(d, hex);
	strcat(hex, ending);
	if (renameat2(stage_dir, hex, to_dir, hex, RENAME_NOREPLACE) == 0)
		return 0;
	if (errno == EEXIST && renameat2(stage_dir, hex, to_dir, hex, RENAME_EXCHANGE) == 0)
		return 0;
	if (errno == ENOENT && faccessat(to_dir, hex, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return 0;
	return err_sys(e, errno, "move %.12s into the store", hex);
}

static int open_stage_dir(const struct stage *st, const char *name, struct err *e)
{
	int fd;

	if (mkdirat(st->fd, name, 0700) < 0 && errno != EEXIST)
		return err_sys(e, errno, "make a directory");
	fd = openat(st->fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? err_sys(e, errno, "open what was made") : fd;
}

/* Where the layers of a job are, open. */
struct made {
	int layers, skeletons, packages;
};

static int publish_layer(struct image_store *s, const struct made *made, const struct job_layer *l,
			 struct err *e)
{
	char packages[SHA256_HEX], hex[DIGEST_HEX];
	const struct layer_record rec = { l->diff_id, l->verity, l->size_bytes, l->tar_bytes, packages };
	struct digest d;
	int r = digest_parse(l->diff_id, &d);

	if (r == 0)
		r = move_in(made->layers, s->layers_fd, &d, l->verity ? LAYER_ENDING : "", e);
	if (r == 0 && l->tar_bytes)
		r = move_in(made->skeletons, s->skeletons_fd, &d, "", e);
	if (r == 0)
		r = move_in(made->packages, s->packages_fd, &d, "", e);
	if (r == 0) {
		digest_hex(&d, hex);
		r = store_inventory_hash(s->packages_fd, hex, packages);
		if (r < 0)
			err_sys(e, -r, "the inventory of layer %.19s", l->diff_id);
	}
	return r < 0 ? r : record_add_layer(s, &rec, e);
}

static int publish_layers(struct image_store *s, const struct stage *st, const struct job_message *m,
			  struct err *e)
{
	autoclose int dir = open_stage_dir(st, "layers", e);
	autoclose int skeletons = dir < 0 ? dir : open_stage_dir(st, "skeletons", e);
	autoclose int packages = skeletons < 0 ? skeletons : open_stage_dir(st, "packages", e);
	int r = packages < 0 ? packages : 0;

	for (size_t i = 0; r == 0 && i < m->n_layers; i++) {
		const struct job_layer *l = &m->layers[i];
		struct digest d, verity;
		bool have = false;

		if (!l->diff_id || digest_parse(l->diff_id, &d) < 0 ||
		    (l->verity && digest_parse(l->verity, &verity) < 0) || l->tar_bytes > INT64_MAX)
			return err_set(e, EPROTO, "the answer of ketch-image names no layer");
		r = record_has_layer(s, l->diff_id, &have, e);
		if (r < 0 || have)
			continue;
		r = publish_layer(s, &(const struct made){ dir, skeletons, packages }, l, e);
	}
	return r;
}

static int check_layers(struct image_store *s, const struct strv *diff_ids, struct err *e)
{
	for (size_t i = 0; i < diff_ids->n; i++) {
		bool have = false;
		int r = record_has_layer(s, diff_ids->v[i], &have, e);

		if (r < 0)
			return r;
		if (!have)
			return err_set(e, ESTALE, "layer %.19s was removed meanwhile: try again",
				       diff_ids->v[i]);
	}
	return 0;
}

static int publish_blobs(struct image_store *s, const struct job_image *im, struct err *e)
{
	int r = 0;

	if (im->blobs.n != im->diff_ids.n)
		return im->blobs.n ? err_set(e, EPROTO, "the answer of ketch-image does not fit") : 0;
	for (size_t i = 0; r == 0 && i < im->blobs.n; i++)
		r = record_add_blob(s, im->blobs.v[i], im->diff_ids.v[i], e);
	return r;
}

/* What the registry calls it.  ad->pulled->manifest is what the digest says: the answer, which was checked, names it. */
static int publish_pulled(struct addition *ad, const struct job_image *im, struct err *e)
{
	const struct pulled *p = ad->pulled;
	int r;

	if (!im->manifest || strcmp(im->manifest, p->manifest_digest) != 0)
		return err_set(e, EPROTO, "the answer of ketch-image names another manifest");
	r = record_add_digest(ad->store, im->id, p->name, p->digest, e);
	return r < 0 ? r : record_add_manifest(ad->store, im->id, p->manifest_digest, p->manifest, e);
}

static int publish_image(struct addition *ad, int configs, const struct job_image *im, struct err *e)
{
	struct image_record rec = { .diff_ids = &im->diff_ids, .refs = &im->refs };
	int r;

	if (!im->id || digest_parse(im->id, &rec.id) < 0 || im->diff_ids.n > IMAGE_LAYERS_MAX)
		return err_set(e, EPROTO, "the answer of ketch-image names no image");
	rec.has_manifest = im->manifest && digest_parse(im->manifest, &rec.manifest) == 0;
	if (!im->created || rfc3339_parse(im->created, &rec.created_ns) < 0)
		rec.created_ns = clock_real_ns();
	r = check_layers(ad->store, &im->diff_ids, e);
	if (r == 0)
		r = move_in(configs, ad->store->configs_fd, &rec.id, "", e);
	if (r == 0)
		r = record_add_image(ad->store, &rec, e);
	if (r == 0)
		r = publish_blobs(ad->store, im, e);
	return r == 0 && ad->pulled ? publish_pulled(ad, im, e) : r;
}

static int publish_images(struct addition *ad, const struct stage *st, const struct job_message *m,
			  struct err *e)
{
	autoclose int dir = open_stage_dir(st, "configs", e);
	int r = dir < 0 ? dir : 0;

	for (size_t i = 0; r == 0 && i < m->n_images; i++)
		r = publish_image(ad, dir, &m->images[i], e);
	return r;
}

int add_look(struct addition *ad, const struct stage *st, struct job_message *m, struct err *e)
{
	autoclose int dir = open_stage_dir(st, "configs", e);
	AUTO(strv_done) struct strv ids = { 0 };
	AUTO(buf_done) struct buf config = { 0 };
	struct digest d = { 0 };
	char hex[DIGEST_HEX];
	int r = dir < 0 ? dir : 0;

	for (size_t i = 0; r == 0 && i < m->n_images; i++) {
		strv_done(&m->images[i].refs);
		if (!m->images[i].id || digest_parse(m->images[i].id, &d) < 0)
			r = err_set(e, EPROTO, "the answer of ketch-image names no image");
		else if (strv_add(&ids, m->images[i].id) < 0)
			r = err_set(e, ENOMEM, "out of memory");
	}
	if (r < 0)
		return r;
	digest_hex(&d, hex);
	r = read_file(dir, hex, IMAGE_DOCUMENT_MAX, &config);
	return r < 0 ? err_sys(e, -r, "the config of an image")
		     : ad->watch->look(ad->watch->arg, &ids, &config, e);
}

int add_publish(struct addition *ad, const struct stage *st, const struct job_message *m, struct err *e)
{
	struct image_store *s = ad->store;
	AUTO(db_tx_done) struct db_tx tx = { 0 };
	autoclose int lock = -1;
	int r;

	if (syncfs(st->fd) < 0)
		return err_sys(e, errno, "write to the disk");
	lock = image_store_lock(s, STORE_LOCK, STORE_LOCK_WAIT_S, ad->what, e);
	r = lock < 0 ? lock : db_begin(s->db, &tx, e);
	if (r == 0)
		r = publish_layers(s, st, m, e);
	if (r == 0)
		r = publish_images(ad, st, m, e);
	if (r == 0 && (fsync(s->layers_fd) < 0 || fsync(s->skeletons_fd) < 0 || fsync(s->packages_fd) < 0 ||
		       fsync(s->configs_fd) < 0))
		r = err_sys(e, errno, "write to the disk");
	return r < 0 ? r : db_commit(&tx, e);
}
