/* below.c - what a config says of memory; the image of the lower layers of another */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/io.h"
#include "image/chunks.h"
#include "image/store_int.h"

struct memory_member {
	char *memory;
};

static const struct jfield member_fields[] = {
	JK(J_RAW, struct memory_member, memory, IMAGE_MEMORY_KEY),
	{ 0 },
};
static const struct jtable member_table = { sizeof(struct memory_member), member_fields };

int image_memory(struct image_store *s, const char *id, char **ret, struct err *e)
{
	AUTO(buf_done) struct buf config = { 0 };
	struct memory_member m = { 0 };
	int r = read_file(s->configs_fd, strchr(id, ':') + 1, IMAGE_DOCUMENT_MAX, &config);

	if (r < 0)
		return err_sys(e, -r, "the config of image %.19s", id);
	r = json_parse(&member_table, config.data, config.len, JSON_UNIQUE, &m, e);
	*ret = m.memory;
	return r < 0 ? err_wrap(e, r, "the config of image %.19s", id) : 0;
}

int image_layer_verity(struct image_store *s, const char *diff_id, char ret[DIGEST_TEXT], struct err *e)
{
	struct layer_sums sums;
	int r = record_layer_sums(s, diff_id, &sums, e);

	if (r == 0)
		memcpy(ret, sums.verity, sizeof(sums.verity));
	return r;
}

/* --- the image below */

static int publish(struct image_store *s, const struct buf *text, const struct image_config *c, char **ret_id,
		   struct err *e)
{
	AUTO(db_tx_done) struct db_tx tx = { 0 };
	struct image_record rec = { .created_ns = clock_real_ns(),
				    .diff_ids = &c->rootfs.diff_ids,
				    .refs = &(const struct strv){ 0 } };
	autoclose int lock = image_store_lock(s, STORE_LOCK, STORE_LOCK_WAIT_S, "ketch run", e);
	char text_id[DIGEST_TEXT], hex[SHA256_HEX];
	int r = lock < 0 ? lock : db_begin(s->db, &tx, e);

	sha256_hex(text->data, text->len, hex);
	snprintf(text_id, sizeof(text_id), "sha256:%s", hex);
	if (r == 0 && digest_parse(text_id, &rec.id) < 0)
		r = err_set(e, EINVAL, "no digest");
	for (size_t i = 0; i < c->rootfs.diff_ids.n && r == 0; i++) {
		bool have = false;

		r = record_has_layer(s, c->rootfs.diff_ids.v[i], &have, e);
		if (r == 0 && !have)
			r = err_set(e, ENOENT, "layer %.19s is not here any more", c->rootfs.diff_ids.v[i]);
	}
	if (r == 0) {
		r = write_file_atomic(s->configs_fd, hex, 0600, text->data, text->len);
		if (r < 0)
			err_sys(e, -r, "write a config");
	}
	if (r == 0)
		r = record_add_image(s, &rec, e);
	if (r == 0)
		r = db_commit(&tx, e);
	if (r == 0)
		*ret_id = strdup(text_id);
	return r < 0 || *ret_id ? r : err_set(e, ENOMEM, "out of memory");
}

int image_below(struct image_store *s, const struct image *im, size_t n, char **ret_id, struct err *e)
{
	const struct strv *ids = &im->config.rootfs.diff_ids;
	AUTO(buf_done) struct buf text = { 0 };
	struct image_config c = im->config; /* borrows */

	if (n > ids->n)
		return err_set(e, EINVAL, "image %.19s has no %zu layers", im->id, n);
	c.history = NULL; /* which steps are of those layers need not be said */
	c.rootfs.diff_ids = (struct strv){ ids->v, n };
	if (json_print(&image_config_table, &c, 0, &text) < 0)
		return err_set(e, ENOMEM, "out of memory");
	return publish(s, &text, &c, ret_id, e);
}
