/* docker.c - the archive of `docker save` and `podman save`: manifest.json names config, layers and tags
 *
 * Where a file is named by its digest (blobs/sha256/HEX, HEX.json) the name is held against the content; elsewhere
 * (ID/layer.tar) only the config's diff id says what a layer must be.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "base/parse.h"
#include "oci/reference.h"
#include "unpack/load.h"

/* Is it `prefix` HEX `suffix`?  Then HEX is what the content must be. */
static bool digest_in_path(const char *path, const char *prefix, const char *suffix, struct digest *ret)
{
	size_t p = strlen(prefix), n = strlen(path), hex = DIGEST_HEX - 1;
	char text[DIGEST_HEX];

	if (n != p + hex + strlen(suffix) || strncmp(path, prefix, p) != 0 ||
	    strcmp(path + p + hex, suffix) != 0)
		return false;
	memcpy(text, path + p, hex);
	text[hex] = '\0';
	return hex_decode(text, DIGEST_BYTES, ret->sha256) == 0;
}

static int set_blob(struct blob *b, const char *path, const char *own_suffix, struct err *e)
{
	*b = (struct blob){ 0 };
	if (snprintf(b->path, sizeof(b->path), "%s", path) >= (int)sizeof(b->path))
		return err_set(e, ENAMETOOLONG, "manifest.json: a path is too long: %.80s", path);
	b->has_digest = digest_in_path(path, "blobs/sha256/", "", &b->digest) ||
			(own_suffix && digest_in_path(path, "", own_suffix, &b->digest));
	return 0;
}

static int add_tags(const struct strv *tags, struct strv *refs, struct err *e)
{
	for (size_t i = 0; i < tags->n; i++) {
		AUTO(reference_done) struct reference ref = { 0 };
		int r = reference_parse(tags->v[i], &ref, e);

		if (r < 0)
			return r;
		if (strv_add_take(refs, reference_text(&ref)) < 0)
			return err_set(e, ENOMEM, "out of memory");
	}
	return 0;
}

static int load_entry(struct load *ld, const struct docker_image *from, struct load_image *im, struct err *e)
{
	int r = set_blob(&im->config, from->config, ".json", e);

	im->n_layers = from->layers.n;
	for (size_t i = 0; r == 0 && i < from->layers.n; i++)
		r = set_blob(&im->layers[i], from->layers.v[i], NULL, e);
	if (r == 0)
		r = add_tags(&from->repo_tags, &im->refs, e);
	return r < 0 ? r : load_one(ld, im, e);
}

int load_docker(struct load *ld, struct err *e)
{
	AUTO(buf_done) struct buf text = { 0 };
	struct docker_image *images;
	size_t n;
	int r = load_document(ld, &(struct blob){ .path = "manifest.json" }, &text, e);

	if (r == 0)
		r = docker_manifest_parse(text.data, text.len, &images, &n, e);
	if (r < 0)
		return r;
	for (size_t i = 0; r == 0 && i < n; i++) {
		autofree struct load_image *im = calloc(1, sizeof(*im));

		r = im ? load_entry(ld, &images[i], im, e) : err_set(e, ENOMEM, "out of memory");
		if (im)
			strv_done(&im->refs);
	}
	docker_images_free(images, n);
	return r;
}
