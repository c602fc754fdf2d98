/* save_layers.c - the layers of what is saved: as they came, or in the form of files/canon.h */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/io.h"
#include "files/send.h"
#include "image/save_int.h"

/* One layer on its way. */
struct layer {
	struct image_store *store;
	const char *diff_id;
	bool gzip;
};

/* --- as it came */

struct counter {
	int fd;
	uint64_t bytes;
};

static int count_out(void *arg, const void *data, size_t n)
{
	struct counter *c = arg;

	c->bytes += n;
	return write_full(c->fd, data, n);
}

static int send_archive(void *arg, int fd, struct layout_layer *to, struct err *e)
{
	const struct layer *from = arg;
	struct counter c = { fd, 0 };
	struct digest blob;
	int r = store_layer_archive(
		from->store,
		&(const struct layer_archive){
			.diff_id = from->diff_id, .gzip = from->gzip, .out = count_out, .arg = &c },
		&blob, e);

	if (r < 0)
		return r;
	if (!from->gzip && (c.bytes != to->bytes || !digest_equal(&blob, &to->digest)))
		return err_set(e, EBADMSG, "layer %.19s: its archive cannot be made again", from->diff_id);
	to->bytes = c.bytes;
	to->digest = blob;
	return 0;
}

/* Compressed, into the layout. */
static int put_compressed(struct image_store *s, struct layout *l, const char *id, struct saved_layer *ret,
			  struct err *e)
{
	struct layer from = { s, id, true };
	struct layout_layer to = { .send = send_archive, .arg = &from };
	int r = layout_put_new_layer(l, &to, e);

	ret->blob = to.digest;
	ret->bytes = to.bytes;
	ret->gzip = true;
	return r;
}

/* --- from its tree */

static int sum_tree(struct image_store *s, const char *id, int out_fd, struct saved_layer *ret, struct err *e)
{
	autoclose int tree = image_layer_open(s, id, e);
	struct layer_sum sum;
	int r = tree < 0 ? tree : files_send_layer(tree, out_fd, &sum, e);

	if (r < 0)
		return r;
	memcpy(ret->blob.sha256, sum.sha256, DIGEST_BYTES);
	ret->diff_id = ret->blob;
	ret->bytes = sum.bytes;
	return 0;
}

static int send_tree(void *arg, int fd, struct layout_layer *to, struct err *e)
{
	const struct layer *from = arg;
	struct saved_layer is = { 0 };
	int r = sum_tree(from->store, from->diff_id, fd, &is, e);

	if (r == 0 && (is.bytes != to->bytes || !digest_equal(&is.blob, &to->digest)))
		r = err_set(e, EIO, "a layer has changed in the store while it was read");
	return r;
}

/* --- all of an image */

static int find_layer(struct image_store *s, struct layout *l, const char *id, struct saved_layer *ret,
		      struct err *e)
{
	uint64_t bytes = 0;
	int r = record_tar_bytes(s, id, &bytes, e);

	*ret = (struct saved_layer){ .as_it_came = bytes > 0, .bytes = bytes };
	if (r < 0 || !bytes)
		return r < 0 ? r : sum_tree(s, id, -1, ret, e);
	if (digest_parse(id, &ret->diff_id) < 0)
		return err_set(e, EBADMSG, "its config is damaged");
	ret->blob = ret->diff_id;
	return l->gzip ? put_compressed(s, l, id, ret, e) : 0;
}

int saved_layers_find(struct image_store *s, struct layout *l, const struct strv *ids,
		      struct saved_layer *ret, struct err *e)
{
	int r = 0;

	for (size_t i = 0; i < ids->n && r == 0; i++)
		r = find_layer(s, l, ids->v[i], &ret[i], e);
	return r;
}

int saved_layers_put(struct image_store *s, struct layout *l, const struct strv *ids,
		     const struct saved_layer *layers, struct err *e)
{
	int r = 0;

	for (size_t i = 0; i < ids->n && r == 0; i++) {
		struct layer from = { s, ids->v[i], false };
		struct layout_layer to = { layers[i].blob, layers[i].bytes,
					   layers[i].as_it_came ? send_archive : send_tree, &from };

		if (!layers[i].gzip)
			r = layout_put_layer(l, &to, e);
	}
	return r;
}
