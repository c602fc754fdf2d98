/* pull_layout.c - what was fetched becomes an OCI layout, of links to the blobs, that ketch-image loads */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/auto.h"
#include "base/io.h"
#include "base/path.h"
#include "base/sha256.h"
#include "image/blobs.h"
#include "image/pull_int.h"
#include "oci/manifest.h"
#include "unpack/arrive.h"

static int no_memory(struct err *e)
{
	return err_set(e, ENOMEM, "out of memory");
}

static int write_text(int dir, const char *name, const char *text, struct err *e)
{
	int r = write_file_swap(dir, name, 0600, text, strlen(text));

	return r < 0 ? err_sys(e, -r, "write %s", name) : 0;
}

static int write_index(int dir, const char *manifest, size_t size, struct err *e)
{
	autofree char *text = str_printf("{\"schemaVersion\":2,\"manifests\":[{\"mediaType\":"
					 "\"application/vnd.oci.image.manifest.v1+json\",\"digest\":\"%s\","
					 "\"size\":%zu}]}",
					 manifest, size);
	int r = text ? write_text(dir, "index.json", text, e) : no_memory(e);

	return r < 0 ? r : write_text(dir, "oci-layout", "{\"imageLayoutVersion\":\"1.0.0\"}", e);
}

/* A blob that is to be in the layout, or will be when it comes, or a layer that is here already. */
static int place_blob(struct pull *p, const char *digest, int blobs, struct err *e)
{
	autofree char *diff_id = NULL;
	struct digest d;
	int r;

	if (!digest || digest_parse(digest, &d) < 0)
		return err_set(e, EPROTO, "the answer of ketch-registry names no blob");
	r = record_layer_of_blob(p->store, digest, &diff_id, e);
	if (r == 0 && !diff_id && !p->fetch)
		return blobs_link(p->store, &d, blobs, e);
	if (r < 0 || !diff_id)
		return r;
	return strv_addf(&p->have, "%s %s", digest, diff_id) < 0 ? no_memory(e) : 0;
}

/* Of "DIGEST SIGNATURE". */
static int place_payload(struct pull *p, const char *pair, int blobs, struct err *e)
{
	autofree char *digest = strndup(pair, strcspn(pair, " "));
	struct digest d;

	if (!digest || digest_parse(digest, &d) < 0)
		return err_set(e, EPROTO, "the answer of ketch-registry names no signature");
	return blobs_link(p->store, &d, blobs, e);
}

static int place_blobs(struct pull *p, int blobs, struct err *e)
{
	int r = 0;

	strv_done(&p->have);
	for (size_t i = 0; r == 0 && i < p->signatures.n; i++)
		r = place_payload(p, p->signatures.v[i], blobs, e);
	if (!p->found.n_blobs || p->found.n_blobs > IMAGE_LAYERS_MAX + 1)
		return err_set(e, EPROTO, "the answer of ketch-registry names no image");
	for (size_t i = 0; r == 0 && i < p->found.n_blobs; i++)
		r = place_blob(p, p->found.blobs[i].digest, blobs, e);
	return r;
}

int pull_read_manifest(struct pull *p, struct digest *ret, struct buf *text, struct err *e)
{
	uint8_t is[SHA256_BYTES];
	struct sha256 h;
	int r;

	if (!p->found.manifest || digest_parse(p->found.manifest, ret) < 0)
		return err_set(e, EPROTO, "the answer of ketch-registry names no manifest");
	r = blobs_read(p->store, ret, IMAGE_DOCUMENT_MAX, text, e);
	if (r < 0)
		return r;
	sha256_init(&h);
	sha256_add(&h, text->data ? text->data : "", text->len);
	sha256_end(&h, is);
	return memcmp(is, ret->sha256, sizeof(is))
		       ? err_set(e, EBADMSG, "wrong digest: the manifest is another")
		       : 0;
}

int pull_make_layout(struct pull *p, const struct stage *st, const struct digest *manifest, size_t size,
		     struct err *e)
{
	int blobs = p->layout_blobs_fd = mkdir_open(st->fd, "blobs/sha256", 0700);
	int r = blobs < 0 ? err_sys(e, -blobs, "make a directory")
			  : write_index(st->fd, p->found.manifest, size, e);

	if (r == 0)
		r = blobs_link(p->store, manifest, blobs, e);
	if (r == 0)
		r = place_blobs(p, blobs, e);
	for (size_t i = 0; r == 0 && p->fetch && i < p->moving.n; i++)
		r = pull_place_arriving(p, p->moving.v[i], false, e);
	for (size_t i = 0; r == 0 && p->fetch && i < p->arrived.n; i++)
		r = pull_place_arriving(p, p->arrived.v[i], true, e);
	return r;
}

static bool is_of_image(const struct pull *p, const char *digest)
{
	for (size_t i = 0; i < p->found.n_blobs; i++)
		if (p->found.blobs[i].digest && !strcmp(p->found.blobs[i].digest, digest))
			return true;
	return false;
}

int pull_place_arriving(struct pull *p, const char *digest, bool done, struct err *e)
{
	struct digest d;

	if (!is_of_image(p, digest) || digest_parse(digest, &d) < 0)
		return 0;
	return blobs_link_arriving(p->store, &d, done, p->layout_blobs_fd, e);
}

int pull_end_layout(struct pull *p, struct err *e)
{
	int fd = openat(p->layout_fd, ARRIVE_END, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	if (fd < 0)
		return err_sys(e, errno, "make a file");
	close(fd);
	return 0;
}

void pull_drop_blobs(struct pull *p)
{
	struct digest d;

	for (size_t i = 0; i < p->signatures.n; i++) {
		autofree char *digest = strndup(p->signatures.v[i], strcspn(p->signatures.v[i], " "));

		if (digest && digest_parse(digest, &d) == 0)
			blobs_drop(p->store, &d);
	}

	if (digest_parse(p->found.manifest, &d) == 0)
		blobs_drop(p->store, &d);
	for (size_t i = 0; i < p->found.n_blobs; i++)
		if (digest_parse(p->found.blobs[i].digest, &d) == 0)
			blobs_drop(p->store, &d);
}
