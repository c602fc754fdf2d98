/* image_archive.c - an archive of images whose upper layers are made while it is written */
#include "image/image_archive.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/io.h"
#include "base/json_tree.h"
#include "base/sha256.h"
#include "files/send.h"
#include "image/save_int.h"
#include "oci/manifest.h"

#define PIECE (128 << 10)

/* --- a layer on its way */

static int spool_open(struct image_store *s, struct image_spool *ret, struct err *e)
{
	*ret = (struct image_spool){ .fd = openat(s->tmp_fd, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600) };
	return ret->fd < 0 ? err_sys(e, errno, "a file in %s/tmp", s->root) : 0;
}

static int spool(int from_fd, char *piece, struct image_spool *sp, struct sha256 *h, struct err *e)
{
	ssize_t n;

	while ((n = read_full(from_fd, piece, PIECE)) > 0) {
		int r = write_full(sp->fd, piece, (size_t)n);

		if (r < 0)
			return err_sys(e, -r, "cannot keep a layer");
		sha256_add(h, piece, (size_t)n);
		sp->bytes += (uint64_t)n;
	}
	return n < 0 ? err_sys(e, (int)-n, "cannot read a layer") : 0;
}

int image_spool_stream(struct image_store *s, int from_fd, struct image_spool *ret, struct err *e)
{
	autofree char *piece = malloc(PIECE);
	struct sha256 h;
	int r = spool_open(s, ret, e);

	if (r == 0 && !piece)
		r = err_set(e, ENOMEM, "out of memory");
	sha256_init(&h);
	if (r == 0)
		r = spool(from_fd, piece, ret, &h, e);
	sha256_end(&h, ret->digest.sha256);
	return r;
}

int image_spool_tree(struct image_store *s, int dir_fd, struct image_spool *ret, struct err *e)
{
	struct layer_sum sum;
	int r = spool_open(s, ret, e);

	if (r == 0)
		r = files_send_layer(dir_fd, ret->fd, &sum, e);
	if (r < 0)
		return r;
	memcpy(ret->digest.sha256, sum.sha256, DIGEST_BYTES);
	ret->bytes = sum.bytes;
	return 0;
}

void image_spool_done(struct image_spool *sp)
{
	auto_close(&sp->fd);
	sp->fd = -1;
}

/* --- the config: one layer more */

static struct json_value *push_item(struct json_value *list)
{
	struct json_value *more = reallocarray(list->items, list->n + 1, sizeof(*more));

	if (!more)
		return NULL;
	list->items = more;
	more[list->n] = (struct json_value){ 0 };
	return &more[list->n++];
}

static struct json_value *push_member(struct json_value *object, const char *key)
{
	struct json_member *more = reallocarray(object->members, object->n + 1, sizeof(*more));
	char *name = strdup(key);

	if (more)
		object->members = more;
	if (!more || !name) {
		free(name);
		return NULL;
	}
	more[object->n] = (struct json_member){ .key = name };
	return &more[object->n++].value;
}

static int push_string(struct json_value *to, const char *text)
{
	*to = (struct json_value){ .kind = JSON_STRING, .string = strdup(text) };
	if (to->string)
		return 0;
	to->kind = JSON_NULL;
	return -ENOMEM;
}

static int add_diff_id(const struct json_value *config, const struct digest *d, struct err *e)
{
	struct json_member *rootfs = json_tree_find(config, "rootfs");
	struct json_member *ids = rootfs ? json_tree_find(&rootfs->value, "diff_ids") : NULL;
	struct json_value *id = ids && ids->value.kind == JSON_ARRAY ? push_item(&ids->value) : NULL;
	char text[DIGEST_TEXT];

	if (!ids || ids->value.kind != JSON_ARRAY)
		return err_set(e, EBADMSG, "its config is damaged");
	digest_text(d, text);
	return !id || push_string(id, text) < 0 ? err_set(e, ENOMEM, "out of memory") : 0;
}

/* An image that tells nothing of its layers tells nothing of this one either. */
static int add_history(const struct json_value *config, const char *created_by, struct err *e)
{
	struct json_member *history = json_tree_find(config, "history");
	struct json_value *step, *by;

	if (!history || history->value.kind != JSON_ARRAY)
		return 0;
	step = push_item(&history->value);
	if (step)
		*step = (struct json_value){ .kind = JSON_OBJECT };
	by = step ? push_member(step, "created_by") : NULL;
	return !by || push_string(by, created_by) < 0 ? err_set(e, ENOMEM, "out of memory") : 0;
}

static int add_member(struct json_value *config, const struct image_top *top, struct err *e)
{
	struct json_member *was = json_tree_find(config, top->key);
	struct json_value *to = was ? &was->value : push_member(config, top->key);

	if (!to)
		return err_set(e, ENOMEM, "out of memory");
	if (was)
		json_tree_done(to);
	return json_tree_parse(top->value->data, top->value->len, to, e);
}

static int start_config(struct saved *sv, struct err *e)
{
	buf_addf(&sv->config,
		 "{\"architecture\":\"%s\",\"os\":\"linux\",\"config\":{},"
		 "\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[]}}",
		 platform_host());
	return buf_ok(&sv->config) ? 0 : err_set(e, ENOMEM, "out of memory");
}

int saved_grow_config(struct saved *sv, struct err *e)
{
	AUTO(json_tree_done) struct json_value config = { 0 };
	int r = sv->image.id ? 0 : start_config(sv, e);

	if (r == 0)
		r = json_tree_parse(sv->config.data, sv->config.len, &config, e);
	if (r == 0 && config.kind != JSON_OBJECT)
		r = err_set(e, EBADMSG, "its config is damaged");
	if (r == 0)
		r = add_diff_id(&config, &sv->top->layer->digest, e);
	if (r == 0)
		r = add_history(&config, sv->top->created_by, e);
	if (r == 0 && sv->top->key)
		r = add_member(&config, sv->top, e);
	if (r < 0)
		return r;
	buf_done(&sv->config);
	json_tree_print(&config, &sv->config);
	if (!buf_ok(&sv->config))
		return err_set(e, ENOMEM, "out of memory");
	return sv->config.len > IMAGE_DOCUMENT_MAX
		       ? err_set(e, EFBIG, "its config would be larger than %d MiB", IMAGE_DOCUMENT_MAX >> 20)
		       : 0;
}

/* --- the layer itself */

static int send_spool(void *arg, int fd, struct layout_layer *to, struct err *e)
{
	const struct image_spool *sp = arg;
	int r = lseek(sp->fd, 0, SEEK_SET) < 0 ? -errno : copy_fd(sp->fd, fd);

	(void)to;
	return r < 0 ? err_sys(e, -r, "cannot write the archive") : 0;
}

int saved_put_top(struct layout *l, struct saved *sv, struct err *e)
{
	struct strv *ids = &sv->image.config.rootfs.diff_ids;
	const struct image_spool *sp = sv->top->layer;
	struct layout_layer layer = { sp->digest, sp->bytes, send_spool, (void *)(uintptr_t)sp };
	char text[DIGEST_TEXT];

	sv->layers[ids->n] =
		(struct saved_layer){ .diff_id = sp->digest, .blob = sp->digest, .bytes = sp->bytes };
	digest_text(&sp->digest, text);
	if (strv_add(ids, text) < 0)
		return err_set(e, ENOMEM, "out of memory");
	if (ids->n > IMAGE_LAYERS_MAX)
		return err_set(e, E2BIG, "the image would have more than %d layers", IMAGE_LAYERS_MAX);
	return layout_put_layer(l, &layer, e);
}

/* --- all of them */

struct image_archive {
	struct image_store *store;
	struct layout layout;
};

int image_archive_begin(struct image_store *s, int out_fd, struct image_archive **ret, struct err *e)
{
	struct image_archive *a = calloc(1, sizeof(*a));
	int r;

	if (!a)
		return err_set(e, ENOMEM, "out of memory");
	a->store = s;
	r = layout_begin(&a->layout, &(const struct image_save){ .out_fd = out_fd, .dir_fd = -1 }, e);
	if (r < 0)
		image_archive_free(a);
	else
		*ret = a;
	return r;
}

int image_archive_add(struct image_archive *a, const char *base, const struct image_top *top, const char *ref,
		      char **ret_id, struct err *e)
{
	AUTO(saved_done) struct saved sv = { .top = top };
	int r = base ? image_find(a->store, base, &sv.image, e) : 0;

	if (r == 0 && ref && strv_add(&sv.refs, ref) < 0)
		r = err_set(e, ENOMEM, "out of memory");
	if (r == 0)
		r = saved_put(a->store, &a->layout, &sv, e);
	if (r == 0)
		*ret_id = take_ptr(sv.id);
	return r;
}

int image_archive_end(struct image_archive *a, struct err *e)
{
	return layout_end(&a->layout, false, e);
}

struct image_archive *image_archive_free(struct image_archive *a)
{
	if (a)
		layout_done(&a->layout);
	free(a);
	return NULL;
}
