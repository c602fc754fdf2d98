/* load.c - images from archives: what `docker save` and `podman save` write, and OCI layouts
 *
 * Both forms come down to the same: a config, its layers in order, names.  docker.c and layout.c read the forms,
 * this file does the work.  Nothing is taken on trust but the digest at the top of the chain, which says who the
 * image is: layers are held against the config's diff ids and, in an OCI layout, blobs against descriptors.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/auto.h"
#include "unpack/arrive.h"
#include "unpack/layer.h"
#include "unpack/load.h"

static int check_digest(const char *what, const struct digest *want, const char *data, size_t n,
			struct err *e)
{
	struct digest is;
	char text[DIGEST_TEXT];

	hash_bytes(data, n, &is);
	if (digest_equal(&is, want))
		return 0;
	digest_text(want, text);
	return err_set(e, EBADMSG, "wrong digest: the content of %s is not %s", what, text);
}

/* Waits for a blob that is on the way: for its first byte, or for all of it. */
static int await_blob(struct load *ld, const struct blob *b, bool whole, struct err *e)
{
	bool ended = !ld->job->request->arrives || !b->has_size;

	while (!ended) {
		AUTO(member_done) struct member mb = { .fd = -1 };
		int r = members_find(ld->members, b->path, &mb, e);

		if (r < 0 && r != -ENOENT)
			return r;
		if (r == 0 && (uint64_t)mb.size >= (whole ? b->size : b->size > 0))
			return 0;
		ended = arrive_ended(ld->job->input_fd);
		if (!ended)
			arrive_pause();
	}
	return 0;
}

int load_document(struct load *ld, const struct blob *b, struct buf *ret, struct err *e)
{
	int r = await_blob(ld, b, true, e);

	if (r < 0)
		return r;
	r = members_read(ld->members, b->path, IMAGE_DOCUMENT_MAX, ret, e);
	if (r == -ENOENT)
		return err_set(e, ENOENT, "the archive has no %.200s", b->path);
	if (r == 0 && b->has_size && b->size != ret->len)
		r = err_set(e, EBADMSG, "%.200s has %zu bytes, not %llu", b->path, ret->len,
			    (unsigned long long)b->size);
	if (r == 0 && b->has_digest)
		r = check_digest(b->path, &b->digest, ret->data, ret->len, e);
	return r;
}

/* Opens the blob of a layer. */
static int open_layer(struct load *ld, const struct blob *b, struct member *ret, struct err *e)
{
	int r = await_blob(ld, b, false, e);

	if (r < 0)
		return r;
	r = members_find(ld->members, b->path, ret, e);
	if (r == -ENOENT)
		return err_set(e, ENOENT, "the archive has no %.200s", b->path);
	if (r == 0 && ld->job->request->arrives && b->has_size && b->size > (uint64_t)ret->size)
		return 0; /* the rest is on the way */
	if (r == 0 && b->has_size && b->size != (uint64_t)ret->size)
		r = err_set(e, EBADMSG, "%.200s has %lld bytes, not %llu", b->path, (long long)ret->size,
			    (unsigned long long)b->size);
	return r;
}

static int run_layer(struct load *ld, const struct blob *b, const char *diff_id, struct err *e)
{
	AUTO(member_done) struct member mb = { .fd = -1 };
	struct layer_facts facts;
	struct digest want;
	struct layer_job lj = { .stage_fd = ld->job->stage_fd,
				.unpack = !strv_has(&ld->job->request->known, diff_id) &&
					  !strv_has(&ld->unpacked, diff_id),
				.erofs = ld->job->request->erofs,
				.want_blob = b->has_digest ? &b->digest : NULL,
				.want_diff_id = &want };
	int r = open_layer(ld, b, &mb, e);

	if (r < 0)
		return r;
	digest_parse(diff_id, &want); /* image_config_parse has checked it */
	lj.blob = ld->job->request->arrives && b->has_size
			  ? source_arriving(mb.fd, (int64_t)b->size, ld->job->input_fd)
			  : source_file(mb.fd, mb.offset, mb.size);
	r = layer_run(&lj, &facts, e);
	if (r < 0 || !lj.unpack)
		return r;
	if (strv_add(&ld->unpacked, diff_id) < 0)
		return err_set(e, ENOMEM, "out of memory");
	return job_add_layer(ld->job, &facts, e);
}

/* Was this very blob found to be that layer before, and is the layer still here? */
static bool is_had(const struct load *ld, const struct blob *b, const char *diff_id)
{
	const struct job_request *rq = ld->job->request;
	char pair[2 * DIGEST_TEXT];

	if (!b->has_digest || !strv_has(&rq->known, diff_id))
		return false;
	digest_text(&b->digest, pair);
	snprintf(pair + DIGEST_TEXT - 1, sizeof(pair) - DIGEST_TEXT + 1, " %s", diff_id);
	return strv_has(&rq->have, pair);
}

/* A blob that several images name is read once for each diff id it must have. */
static int load_layer(struct load *ld, const struct blob *b, const char *diff_id, struct err *e)
{
	autofree char *pair = str_printf("%s %s", diff_id, b->path);
	int r;

	if (!pair)
		return err_set(e, ENOMEM, "out of memory");
	if (strv_has(&ld->checked, pair) || is_had(ld, b, diff_id))
		return 0;
	r = run_layer(ld, b, diff_id, e);
	if (r < 0)
		return err_wrap(e, r, "layer %.19s", diff_id);
	return strv_add(&ld->checked, pair) < 0 ? err_set(e, ENOMEM, "out of memory") : 0;
}

static int load_layers(struct load *ld, const struct load_image *im, const struct strv *diff_ids,
		       struct err *e)
{
	int r = 0;

	if (im->n_layers != diff_ids->n)
		return err_set(e, EINVAL, "the image has %zu layers, but its config names %zu", im->n_layers,
			       diff_ids->n);
	for (size_t i = 0; r == 0 && i < im->n_layers; i++) {
		job_progress(ld->job, "layer %zu/%zu %.19s%s", i + 1, im->n_layers, diff_ids->v[i],
			     strv_has(&ld->job->request->known, diff_ids->v[i]) ? " (already here)" : "");
		r = load_layer(ld, &im->layers[i], diff_ids->v[i], e);
	}
	return r;
}

/* The digests by which blobs were checked; none where a form of archive has them not. */
static int note_blobs(const struct load_image *im, struct strv *ret, struct err *e)
{
	char text[DIGEST_TEXT];

	for (size_t i = 0; i < im->n_layers; i++) {
		if (!im->layers[i].has_digest || !im->has_manifest)
			return 0;
		digest_text(&im->layers[i].digest, text);
		if (strv_add(ret, text) < 0)
			return err_set(e, ENOMEM, "out of memory");
	}
	return 0;
}

static void config_done(struct image_config *c)
{
	json_done(&image_config_table, c);
}

int load_one(struct load *ld, const struct load_image *im, struct err *e)
{
	AUTO(config_done) struct image_config config = { 0 };
	AUTO(buf_done) struct buf text = { 0 };
	AUTO(strv_done) struct strv blobs = { 0 };
	char id[DIGEST_TEXT], manifest[DIGEST_TEXT];
	struct job_image out = { .id = id };
	struct digest d;
	int r = load_document(ld, &im->config, &text, e);

	if (r == 0)
		r = image_config_parse(text.data, text.len, &config, e);
	if (r == 0)
		r = load_layers(ld, im, &config.rootfs.diff_ids, e);
	if (r == 0)
		r = job_write_config(ld->job, text.data, text.len, &d, e);
	if (r == 0)
		r = note_blobs(im, &blobs, e);
	if (r < 0)
		return r;
	digest_text(&d, id);
	if (im->has_manifest) {
		digest_text(&im->manifest, manifest);
		out.manifest = manifest;
	}
	out.created = config.created;
	out.refs = im->refs;
	out.diff_ids = config.rootfs.diff_ids;
	out.blobs = blobs;
	return job_add_image(ld->job, &out, e);
}

static void load_done(struct load *ld)
{
	members_close(ld->members);
	strv_done(&ld->checked);
	strv_done(&ld->unpacked);
}

int job_load(struct job *job, struct err *e)
{
	AUTO(load_done) struct load ld = { .job = job };
	AUTO(member_done) struct member mb = { .fd = -1 };
	int r = members_open(job->input_fd, job->stage_fd, &ld.members, e);

	if (r < 0)
		return r;
	/* newer Docker writes both forms into one archive: manifest.json has the names as users know them */
	r = members_find(ld.members, "manifest.json", &mb, e);
	if (r == 0)
		return load_docker(&ld, e);
	if (r == -ENOENT)
		r = members_find(ld.members, "index.json", &mb, e);
	if (r == 0)
		return load_layout(&ld, e);
	return r == -ENOENT ? err_set(e, EINVAL,
				      "no image in it: neither manifest.json (docker save) nor index.json "
				      "(OCI layout)")
			    : r;
}
