/* save.c - images as archives that Docker, Podman and Ketch load again */
#include "image/save.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/io.h"
#include "base/json_tree.h"
#include "image/save_int.h"
#include "image/store_int.h"
#include "oci/reference.h"

#define MANIFEST_TYPE "application/vnd.oci.image.manifest.v1+json"
#define CONFIG_TYPE   "application/vnd.oci.image.config.v1+json"
#define LAYER_TYPE    "application/vnd.oci.image.layer.v1.tar"

void saved_done(struct saved *sv)
{
	image_done(&sv->image);
	strv_done(&sv->refs);
	free(sv->layers);
	free(sv->id);
	buf_done(&sv->config);
}

/* --- the config */

/* Puts the diff ids of what is written in the place of others; *ret_changed: there were others. */
static int change_diff_ids(const struct saved *sv, struct json_value *config, bool *ret_changed,
			   struct err *e)
{
	struct json_member *rootfs = json_tree_find(config, "rootfs");
	struct json_member *ids = rootfs ? json_tree_find(&rootfs->value, "diff_ids") : NULL;

	*ret_changed = false;
	if (!ids || ids->value.kind != JSON_ARRAY || ids->value.n != sv->image.config.rootfs.diff_ids.n)
		return err_set(e, EBADMSG, "its config is damaged");
	for (size_t i = 0; i < ids->value.n; i++) {
		struct json_value *id = &ids->value.items[i];
		char is[DIGEST_TEXT];

		digest_text(&sv->layers[i].diff_id, is);
		if (id->kind != JSON_STRING)
			return err_set(e, EBADMSG, "its config is damaged");
		if (!strcmp(id->string, is))
			continue;
		free(id->string);
		id->string = strdup(is);
		if (!id->string)
			return err_set(e, ENOMEM, "out of memory");
		*ret_changed = true;
	}
	return 0;
}

/* An unchanged one keeps its bytes, and so the image its id. */
static int make_config(struct image_store *s, struct saved *sv, struct err *e)
{
	AUTO(json_tree_done) struct json_value config = { 0 };
	bool changed = false;
	int r = read_file(s->configs_fd, strchr(sv->image.id, ':') + 1, IMAGE_DOCUMENT_MAX, &sv->config);

	if (r < 0)
		return err_sys(e, -r, "its config");
	r = json_tree_parse(sv->config.data, sv->config.len, &config, e);
	if (r == 0)
		r = change_diff_ids(sv, &config, &changed, e);
	if (r < 0 || !changed)
		return r;
	buf_done(&sv->config);
	json_tree_print(&config, &sv->config);
	return buf_ok(&sv->config) ? 0 : err_set(e, ENOMEM, "out of memory");
}

/* --- who is who.  Digests and references hold nothing that JSON would escape. */

static int put_manifest(struct layout *l, const struct saved *sv, const struct digest *config,
			struct digest *ret, size_t *ret_bytes, struct err *e)
{
	AUTO(buf_done) struct buf b = { 0 };
	char text[DIGEST_TEXT];

	digest_text(config, text);
	buf_addf(&b,
		 "{\"schemaVersion\":2,\"mediaType\":\"" MANIFEST_TYPE
		 "\",\"config\":{\"mediaType\":\"" CONFIG_TYPE
		 "\",\"digest\":\"%s\",\"size\":%zu},\"layers\":[",
		 text, sv->config.len);
	for (size_t i = 0; i < sv->image.config.rootfs.diff_ids.n; i++) {
		digest_text(&sv->layers[i].blob, text);
		buf_addf(&b, "%s{\"mediaType\":\"" LAYER_TYPE "%s\",\"digest\":\"%s\",\"size\":%llu}",
			 i ? "," : "", sv->layers[i].gzip ? "+gzip" : "", text,
			 (unsigned long long)sv->layers[i].bytes);
	}
	buf_adds(&b, "]}");
	if (!buf_ok(&b))
		return err_set(e, ENOMEM, "out of memory");
	*ret_bytes = b.len;
	return layout_put_blob(l, &b, ret, e);
}

static int add_to_index(struct layout *l, const struct saved *sv, const struct digest *manifest, size_t bytes,
			struct err *e)
{
	char text[DIGEST_TEXT];

	digest_text(manifest, text);
	if (!sv->refs.n && l->manifests.len && strstr(l->manifests.data, text))
		return 0; /* the same image again, and nobody calls it anything */
	for (size_t i = 0; i < sv->refs.n || i == 0; i++) {
		autofree char *name = sv->refs.n ? reference_whole_name(sv->refs.v[i]) : NULL;
		const char *tag = name ? strrchr(name, ':') : NULL;

		buf_addf(&l->manifests,
			 "%s{\"mediaType\":\"" MANIFEST_TYPE "\",\"digest\":\"%s\",\"size\":%zu",
			 l->manifests.len ? "," : "", text, bytes);
		if (name)
			buf_addf(&l->manifests,
				 ",\"annotations\":{\"io.containerd.image.name\":\"%s\","
				 "\"org.opencontainers.image.ref.name\":\"%s\"}",
				 name, tag ? tag + 1 : name);
		buf_adds(&l->manifests, "}");
		if (sv->refs.n && !name)
			return err_set(e, ENOMEM, "out of memory");
	}
	return buf_ok(&l->manifests) ? 0 : err_set(e, ENOMEM, "out of memory");
}

static int add_to_docker(struct layout *l, const struct saved *sv, const struct digest *config, struct err *e)
{
	struct buf *b = &l->images;
	char text[DIGEST_TEXT];

	digest_text(config, text);
	buf_addf(b, "%s{\"Config\":\"blobs/sha256/%s\",\"RepoTags\":", b->len ? "," : "",
		 strchr(text, ':') + 1);
	buf_adds(b, sv->refs.n ? "[" : "null");
	for (size_t i = 0; i < sv->refs.n; i++)
		buf_addf(b, "%s\"%s\"", i ? "," : "", sv->refs.v[i]);
	buf_addf(b, "%s,\"Layers\":[", sv->refs.n ? "]" : "");
	for (size_t i = 0; i < sv->image.config.rootfs.diff_ids.n; i++) {
		digest_text(&sv->layers[i].blob, text);
		buf_addf(b, "%s\"blobs/sha256/%s\"", i ? "," : "", strchr(text, ':') + 1);
	}
	buf_adds(b, "]}");
	return buf_ok(b) ? 0 : err_set(e, ENOMEM, "out of memory");
}

static int note_id(struct saved *sv, const struct digest *config, struct err *e)
{
	char text[DIGEST_TEXT];

	digest_text(config, text);
	sv->id = strdup(text);
	return sv->id ? 0 : err_set(e, ENOMEM, "out of memory");
}

/* Layers of the image, and the one on top of them: with a config that names all. */
static int put_content(struct image_store *s, struct layout *l, struct saved *sv, struct err *e)
{
	const struct strv *ids = &sv->image.config.rootfs.diff_ids;
	int r = saved_layers_find(s, l, ids, sv->layers, e);

	if (r == 0 && sv->image.id)
		r = make_config(s, sv, e);
	if (r == 0)
		r = saved_layers_put(s, l, ids, sv->layers, e);
	if (r == 0 && sv->top)
		r = saved_grow_config(sv, e);
	return r == 0 && sv->top ? saved_put_top(l, sv, e) : r;
}

int saved_put(struct image_store *s, struct layout *l, struct saved *sv, struct err *e)
{
	struct digest config, manifest;
	size_t bytes = 0;
	int r;

	sv->layers = calloc(sv->image.config.rootfs.diff_ids.n + 1, sizeof(*sv->layers));
	if (!sv->layers)
		return err_set(e, ENOMEM, "out of memory");
	r = put_content(s, l, sv, e);
	if (r == 0)
		r = layout_put_blob(l, &sv->config, &config, e);
	if (r == 0)
		r = note_id(sv, &config, e);
	if (r == 0)
		r = put_manifest(l, sv, &config, &manifest, &bytes, e);
	if (r == 0)
		r = add_to_index(l, sv, &manifest, bytes, e);
	return r < 0 ? r : add_to_docker(l, sv, &config, e);
}

/* --- which images */

struct selection {
	struct saved *images;
	size_t n;
};

static void selection_done(struct selection *sel)
{
	for (size_t i = 0; i < sel->n; i++)
		saved_done(&sel->images[i]);
	free(sel->images);
}

/* The one with this id, added if it is new. */
static struct saved *select_id(struct selection *sel, const char *id)
{
	struct saved *more;

	for (size_t i = 0; i < sel->n; i++)
		if (!strcmp(sel->images[i].image.id, id))
			return &sel->images[i];
	more = reallocarray(sel->images, sel->n + 1, sizeof(*more));
	if (!more)
		return NULL;
	sel->images = more;
	more[sel->n] = (struct saved){ 0 };
	return &more[sel->n++];
}

static int select_name(struct image_store *s, const char *name, struct selection *sel, struct err *e)
{
	autofree char *id = NULL, *ref = NULL;
	struct saved *sv;
	int r = record_resolve(s, name, &id, &ref, e);

	if (r < 0)
		return r;
	sv = select_id(sel, id);
	if (!sv)
		return err_set(e, ENOMEM, "out of memory");
	if (!sv->image.id)
		r = image_find(s, id, &sv->image, e);
	if (r == 0 && ref && !strchr(ref, '@') && !strv_has(&sv->refs, ref) && strv_add(&sv->refs, ref) < 0)
		r = err_set(e, ENOMEM, "out of memory");
	return r;
}

int image_save(struct image_store *s, const struct image_save *rq, struct err *e)
{
	AUTO(selection_done) struct selection sel = { 0 };
	AUTO(layout_done) struct layout l = { 0 };
	int r = 0;

	for (size_t i = 0; i < rq->names->n && r == 0; i++)
		r = select_name(s, rq->names->v[i], &sel, e);
	if (r == 0)
		r = layout_begin(&l, rq, e);
	for (size_t i = 0; i < sel.n && r == 0; i++) {
		if (rq->progress)
			rq->progress(rq->progress_arg,
				     sel.images[i].refs.n ? sel.images[i].refs.v[0] : sel.images[i].image.id);
		r = saved_put(s, &l, &sel.images[i], e);
		if (r < 0)
			err_wrap(e, r, "image %.80s", sel.images[i].image.id);
	}
	return r < 0 ? r : layout_end(&l, rq->docker, e);
}
