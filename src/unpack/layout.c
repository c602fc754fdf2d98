/* layout.c - OCI image layout (image-spec, image-layout.md): index.json, and blobs named by digest */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "oci/reference.h"
#include "unpack/load.h"
#include "unpack/signature.h"

#define INDEX_DEPTH_MAX 4 /* indexes within indexes; the spec allows any, the field has two */

static void blob_of(const struct descriptor *d, struct blob *ret)
{
	char hex[DIGEST_HEX];

	*ret = (struct blob){ .has_digest = true, .has_size = true, .digest = d->id, .size = d->size };
	digest_hex(&d->id, hex);
	snprintf(ret->path, sizeof(ret->path), "blobs/sha256/%s", hex);
}

struct layout_version {
	char *version;
};

/* The file that says that this is a layout, and of which version. */
static int check_version(struct load *ld, struct err *e)
{
	static const struct jfield fields[] = {
		JK(J_STR, struct layout_version, version, "imageLayoutVersion"), { 0 }
	};
	static const struct jtable table = { sizeof(struct layout_version), fields };
	AUTO(buf_done) struct buf text = { 0 };
	struct layout_version v = { 0 };
	int r = load_document(ld, &(struct blob){ .path = "oci-layout" }, &text, e);

	if (r == 0)
		r = json_parse(&table, text.data, text.len, JSON_UNIQUE, &v, e);
	if (r == 0 && (!v.version || strncmp(v.version, "1.", 2) != 0))
		r = err_set(e, EINVAL, "oci-layout: version 1 is known, not \"%.40s\"",
			    v.version ? v.version : "");
	json_done(&table, &v);
	return r;
}

/* --- names */

static int add_ref(struct strv *refs, const char *name, struct err *e)
{
	AUTO(reference_done) struct reference ref = { 0 };
	int r = reference_parse(name, &ref, e);

	if (r < 0)
		return r;
	return strv_add_take(refs, reference_text(&ref)) < 0 ? err_set(e, ENOMEM, "out of memory") : 0;
}

/* containerd and Docker give the whole name.  org.opencontainers.image.ref.name is a whole name where podman wrote it
 * and a mere tag where skopeo or umoci did: then the name of the file or directory stands in front of it. */
static int name_image(struct load *ld, const struct descriptor *d, struct strv *refs, struct err *e)
{
	const char *whole = descriptor_annotation(d, "io.containerd.image.name");
	const char *name = descriptor_annotation(d, "org.opencontainers.image.ref.name");
	const char *hint = ld->job->request->name_hint;
	autofree char *tagged = NULL;

	if (whole)
		return add_ref(refs, whole, e);
	if (!name)
		return 0;
	if (strpbrk(name, "/:"))
		return add_ref(refs, name, e);
	if (!is_reference_tag(name))
		return err_set(e, EINVAL, "index.json: bad name of an image: \"%.80s\"", name);
	if (!hint)
		return 0;
	tagged = str_printf("%s:%s", hint, name);
	return tagged ? add_ref(refs, tagged, e) : err_set(e, ENOMEM, "out of memory");
}

/* --- signatures */

/* "DIGEST SIGNATURE" */
static int check_signature(struct load *ld, const char *pair, const struct job_signer *signer,
			   const struct digest *manifest, struct err *e)
{
	AUTO(buf_done) struct buf text = { 0 };
	const char *space = strchr(pair, ' ');
	autofree char *digest = space ? strndup(pair, (size_t)(space - pair)) : NULL;
	struct descriptor d = { 0 };
	struct blob b;
	int r;

	if (!digest || digest_parse(digest, &d.id) < 0)
		return err_set(e, EINVAL, "a signature without its payload");
	blob_of(&d, &b);
	b.has_size = false;
	r = load_document(ld, &b, &text, e);
	return r < 0 ? r
		     : signature_check(&(const struct signature){ text.data, text.len, space + 1 }, signer,
				       manifest, e);
}

static int check_signer(struct load *ld, const struct job_signer *signer, const struct digest *manifest,
			struct err *e)
{
	const struct strv *list = &ld->job->request->signatures;
	int r = err_set(e, EPERM, "nobody has signed it");

	for (size_t i = 0; r < 0 && !signer->gpg && i < list->n; i++)
		r = check_signature(ld, list->v[i], signer, manifest, e);
	for (size_t i = 0; r < 0 && signer->gpg && i < signer->payloads.n; i++)
		r = signature_check_gpg(signer->payloads.v[i], strlen(signer->payloads.v[i]), signer,
					manifest, e);
	return r < 0 ? err_wrap(e, r, "policy.json wants a signature") : 0;
}

static int check_signers(struct load *ld, const struct digest *manifest, struct err *e)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < ld->job->request->n_signers; i++)
		r = check_signer(ld, &ld->job->request->signers[i], manifest, e);
	return r;
}

/* --- from a descriptor down */

static int load_manifest(struct load *ld, const struct descriptor *d, const struct manifest *m,
			 const struct descriptor *named, struct err *e)
{
	autofree struct load_image *im = calloc(1, sizeof(*im));
	int r = check_signers(ld, &d->id, e);

	if (r < 0 || !im)
		return r < 0 ? r : err_set(e, ENOMEM, "out of memory");
	blob_of(&m->config, &im->config);
	im->n_layers = m->n_layers;
	for (size_t i = 0; i < m->n_layers; i++)
		blob_of(&m->layers[i], &im->layers[i]);
	im->has_manifest = true;
	im->manifest = d->id;
	r = name_image(ld, named, &im->refs, e);
	if (r == 0)
		r = load_one(ld, im, e);
	strv_done(&im->refs);
	return r;
}

static const struct descriptor *choose(const struct manifest *index)
{
	for (size_t i = 0; i < index->n_manifests; i++)
		if (platform_fits(&index->manifests[i].platform))
			return &index->manifests[i];
	return NULL;
}

/* named: the descriptor in index.json from which we came. */
static int load_descriptor(struct load *ld, const struct descriptor *d, const struct descriptor *named,
			   int depth, struct err *e)
{
	AUTO(manifest_done) struct manifest m = { 0 };
	AUTO(buf_done) struct buf text = { 0 };
	enum media_type type = media_type_of(d->media_type);
	const struct descriptor *next;
	struct blob b;
	int r;

	if (type != MEDIA_INDEX && type != MEDIA_MANIFEST)
		return err_set(e, EINVAL, "not an image but \"%.80s\"", d->media_type);
	if (depth > INDEX_DEPTH_MAX)
		return err_set(e, ELOOP, "indexes are nested more than %d deep", INDEX_DEPTH_MAX);
	blob_of(d, &b);
	r = load_document(ld, &b, &text, e);
	if (r == 0)
		r = manifest_parse(text.data, text.len, type, &m, e);
	if (r < 0)
		return r;
	if (type == MEDIA_MANIFEST)
		return load_manifest(ld, d, &m, named, e);
	next = choose(&m);
	if (!next)
		return err_set(e, ENOENT, "no image for linux/%s in it", platform_host());
	return load_descriptor(ld, next, named, depth + 1, e);
}

int load_layout(struct load *ld, struct err *e)
{
	AUTO(manifest_done) struct manifest index = { 0 };
	AUTO(buf_done) struct buf text = { 0 };
	size_t n = 0;
	int r = check_version(ld, e);

	if (r == 0)
		r = load_document(ld, &(struct blob){ .path = "index.json" }, &text, e);
	if (r == 0)
		r = manifest_parse(text.data, text.len, MEDIA_INDEX, &index, e);
	for (size_t i = 0; r == 0 && i < index.n_manifests; i++) {
		if (!platform_fits(&index.manifests[i].platform))
			continue;
		r = load_descriptor(ld, &index.manifests[i], &index.manifests[i], 0, e);
		n++;
	}
	if (r == 0 && !n)
		r = err_set(e, ENOENT, "no image for linux/%s in it", platform_host());
	return r;
}
