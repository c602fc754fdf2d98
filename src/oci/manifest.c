/* manifest.c - which config and which layers make an image: OCI image-spec 1.1 and Docker's equals; pure */
#include "oci/manifest.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"

static const struct jfield platform_fields[] = {
	J(J_STR, struct platform, architecture),
	J(J_STR, struct platform, os),
	J(J_STR, struct platform, variant),
	{ 0 },
};
static const struct jtable platform_table = { sizeof(struct platform), platform_fields };

static const struct jfield descriptor_fields[] = {
	JK(J_STR, struct descriptor, media_type, "mediaType"),
	J(J_STR, struct descriptor, digest),
	J(J_U64, struct descriptor, size),
	J(J_MAP, struct descriptor, annotations),
	JO(struct descriptor, platform, "platform", &platform_table),
	{ 0 },
};
static const struct jtable descriptor_table = { sizeof(struct descriptor), descriptor_fields };

static const struct jfield manifest_fields[] = {
	JK(J_INT, struct manifest, schema_version, "schemaVersion"),
	JK(J_STR, struct manifest, media_type, "mediaType"),
	JO(struct manifest, config, "config", &descriptor_table),
	JA(struct manifest, layers, n_layers, "layers", &descriptor_table),
	JA(struct manifest, manifests, n_manifests, "manifests", &descriptor_table),
	{ 0 },
};
static const struct jtable manifest_table = { sizeof(struct manifest), manifest_fields };

static const struct jfield docker_fields[] = {
	JK(J_STR, struct docker_image, config, "Config"),
	JK(J_STRV, struct docker_image, repo_tags, "RepoTags"),
	JK(J_STRV, struct docker_image, layers, "Layers"),
	{ 0 },
};
static const struct jtable docker_table = { sizeof(struct docker_image), docker_fields };

enum media_type media_type_of(const char *s)
{
	static const struct {
		const char *name;
		enum media_type type;
	} types[] = {
		{ "application/vnd.oci.image.index.v1+json", MEDIA_INDEX },
		{ "application/vnd.oci.image.manifest.v1+json", MEDIA_MANIFEST },
		{ "application/vnd.oci.image.config.v1+json", MEDIA_CONFIG },
		{ "application/vnd.oci.image.layer.v1.tar", MEDIA_LAYER },
		{ "application/vnd.oci.image.layer.v1.tar+gzip", MEDIA_LAYER },
		{ "application/vnd.oci.image.layer.v1.tar+zstd", MEDIA_LAYER },
		{ "application/vnd.oci.image.layer.nondistributable.v1.tar", MEDIA_LAYER },
		{ "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip", MEDIA_LAYER },
		{ "application/vnd.oci.image.layer.nondistributable.v1.tar+zstd", MEDIA_LAYER },
		{ "application/vnd.docker.distribution.manifest.list.v2+json", MEDIA_INDEX },
		{ "application/vnd.docker.distribution.manifest.v2+json", MEDIA_MANIFEST },
		{ "application/vnd.docker.container.image.v1+json", MEDIA_CONFIG },
		{ "application/vnd.docker.image.rootfs.diff.tar", MEDIA_LAYER },
		{ "application/vnd.docker.image.rootfs.diff.tar.gzip", MEDIA_LAYER },
		{ "application/vnd.docker.image.rootfs.diff.tar.zstd", MEDIA_LAYER },
		{ "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", MEDIA_LAYER },
	};

	for (size_t i = 0; s && i < ARRAY_LEN(types); i++)
		if (!strcmp(s, types[i].name))
			return types[i].type;
	return MEDIA_NONE;
}

const char *platform_host(void)
{
#if defined(__x86_64__)
	return "amd64";
#elif defined(__aarch64__)
	return "arm64";
#else
	return "unknown"; /* fits no image */
#endif
}

bool platform_fits(const struct platform *p)
{
	return (!p->os || !strcmp(p->os, "linux")) &&
	       (!p->architecture || !strcmp(p->architecture, platform_host()));
}

const char *descriptor_annotation(const struct descriptor *d, const char *key)
{
	return strv_env_get(&d->annotations, key);
}

static int check_descriptor(struct descriptor *d, const char *what, struct err *e)
{
	if (!d->media_type)
		return err_set(e, EINVAL, "%s: no mediaType", what);
	if (!d->digest || digest_parse(d->digest, &d->id) < 0)
		return err_set(e, EINVAL, "%s: \"%.80s\" is not a sha256 digest", what,
			       d->digest ? d->digest : "");
	return 0;
}

static int check_index(struct manifest *m, struct err *e)
{
	int r = 0;

	if (m->n_layers || m->config.digest || m->config.media_type)
		return err_set(e, EINVAL, "index: it is a manifest too");
	if (m->n_manifests > INDEX_MANIFESTS_MAX)
		return err_set(e, E2BIG, "index: more than %d manifests", INDEX_MANIFESTS_MAX);
	for (size_t i = 0; i < m->n_manifests && r == 0; i++)
		r = check_descriptor(&m->manifests[i], "index", e);
	return r;
}

static int check_manifest(struct manifest *m, struct err *e)
{
	int r;

	if (m->n_manifests)
		return err_set(e, EINVAL, "manifest: it is an index too");
	if (m->n_layers > IMAGE_LAYERS_MAX)
		return err_set(e, E2BIG, "manifest: %zu layers, more than %d", m->n_layers, IMAGE_LAYERS_MAX);
	r = check_descriptor(&m->config, "manifest: config", e);
	if (r < 0)
		return r;
	if (media_type_of(m->config.media_type) != MEDIA_CONFIG)
		return err_set(e, EINVAL, "manifest: its config is not of an image but \"%.80s\"",
			       m->config.media_type);
	if (m->config.size > IMAGE_DOCUMENT_MAX)
		return err_set(e, EFBIG, "manifest: its config is larger than %d MiB",
			       IMAGE_DOCUMENT_MAX >> 20);
	for (size_t i = 0; i < m->n_layers; i++) {
		r = check_descriptor(&m->layers[i], "manifest: layer", e);
		if (r < 0)
			return r;
		if (media_type_of(m->layers[i].media_type) != MEDIA_LAYER)
			return err_set(e, EINVAL, "manifest: unknown type of layer \"%.80s\"",
				       m->layers[i].media_type);
	}
	return 0;
}

static int check_document(struct manifest *m, enum media_type type, struct err *e)
{
	if (m->schema_version != 2)
		return err_set(e, EINVAL, "schemaVersion is not 2");
	if (m->media_type && media_type_of(m->media_type) != type)
		return err_set(e, EINVAL, "it calls itself \"%.80s\", which is something else",
			       m->media_type);
	return type == MEDIA_INDEX ? check_index(m, e) : check_manifest(m, e);
}

int manifest_parse(const char *text, size_t n, enum media_type type, struct manifest *ret, struct err *e)
{
	struct manifest m = { 0 };
	int r;

	if (type != MEDIA_INDEX && type != MEDIA_MANIFEST)
		return err_set(e, EINVAL, "neither a manifest nor an index");
	if (n > IMAGE_DOCUMENT_MAX)
		return err_set(e, EFBIG, "manifest: larger than %d MiB", IMAGE_DOCUMENT_MAX >> 20);
	r = json_parse(&manifest_table, text, n, JSON_UNIQUE, &m, e);
	if (r < 0)
		return err_wrap(e, r, type == MEDIA_INDEX ? "index" : "manifest");
	r = check_document(&m, type, e);
	if (r < 0) {
		manifest_done(&m);
		return r;
	}
	*ret = m;
	return 0;
}

void manifest_done(struct manifest *m)
{
	json_done(&manifest_table, m);
}

static int check_docker_image(const struct docker_image *im, struct err *e)
{
	if (!im->config || !*im->config)
		return err_set(e, EINVAL, "manifest.json: an image without Config");
	if (im->layers.n > IMAGE_LAYERS_MAX)
		return err_set(e, E2BIG, "manifest.json: %zu layers, more than %d", im->layers.n,
			       IMAGE_LAYERS_MAX);
	return 0;
}

int docker_manifest_parse(const char *text, size_t n, struct docker_image **ret, size_t *ret_n, struct err *e)
{
	struct docker_image *images;
	void *list;
	size_t count;
	int r;

	if (n > IMAGE_DOCUMENT_MAX)
		return err_set(e, EFBIG, "manifest.json: larger than %d MiB", IMAGE_DOCUMENT_MAX >> 20);
	r = json_parse_array(&docker_table, text, n, JSON_UNIQUE, &list, &count, e);
	if (r < 0)
		return err_wrap(e, r, "manifest.json");
	images = list;
	if (!count)
		r = err_set(e, EINVAL, "manifest.json: no image in it");
	if (count > DOCKER_IMAGES_MAX)
		r = err_set(e, E2BIG, "manifest.json: more than %d images", DOCKER_IMAGES_MAX);
	for (size_t i = 0; r == 0 && i < count; i++)
		r = check_docker_image(&images[i], e);
	if (r < 0) {
		docker_images_free(images, count);
		return r;
	}
	*ret = images;
	*ret_n = count;
	return 0;
}

void docker_images_free(struct docker_image *images, size_t n)
{
	for (size_t i = 0; i < n; i++)
		json_done(&docker_table, &images[i]);
	free(images);
}
