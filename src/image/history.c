/* history.c - how an image was made, as its config tells it, with the sizes of its layers */
#include "image/history.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "base/io.h"
#include "image/store_int.h"

static const struct jfield step_fields[] = {
	J(J_STR, struct history_step, created),
	JK(J_STR, struct history_step, created_by, "created_by"),
	J(J_STR, struct history_step, author),
	J(J_STR, struct history_step, comment),
	JK(J_BOOL, struct history_step, empty_layer, "empty_layer"),
	{ 0 },
};
static const struct jtable step_table = { sizeof(struct history_step), step_fields };

static const struct jfield history_fields[] = {
	JA(struct history, steps, n, "history", &step_table),
	{ 0 },
};
static const struct jtable history_table = { sizeof(struct history), history_fields };

void history_done(struct history *h)
{
	json_done(&history_table, h);
}

static int layer_bytes(struct image_store *s, const char *diff_id, uint64_t *ret, struct err *e)
{
	AUTO(db_stmt_done)
	struct db_stmt st = db_sql(s->db, "SELECT size_bytes FROM layer WHERE diff_id = ?");
	int r;

	db_bind_text(&st, diff_id);
	r = db_step(&st, e);
	if (r > 0)
		*ret = (uint64_t)db_i64(&st, 0);
	return r < 0 ? r : 0;
}

static size_t count_layers(const struct history *h)
{
	size_t n = 0;

	for (size_t i = 0; i < h->n; i++)
		n += !h->steps[i].empty_layer;
	return n;
}

/* Steps for the layers above those that are told about. */
static int add_silent(struct history *h, size_t n, struct err *e)
{
	struct history_step *more = n ? reallocarray(h->steps, h->n + n, sizeof(*more)) : h->steps;

	if (n && !more)
		return err_set(e, ENOMEM, "out of memory");
	h->steps = more;
	for (size_t i = 0; i < n; i++)
		h->steps[h->n++] = (struct history_step){ 0 };
	return 0;
}

static int add_sizes(struct image_store *s, const struct strv *diff_ids, struct history *h, struct err *e)
{
	size_t layer = 0;
	int r = 0;

	for (size_t i = 0; i < h->n && r == 0; i++)
		if (!h->steps[i].empty_layer && layer < diff_ids->n)
			r = layer_bytes(s, diff_ids->v[layer++], &h->steps[i].size_bytes, e);
	return r;
}

int image_history(struct image_store *s, const struct image *im, struct history *ret, struct err *e)
{
	const struct strv *diff_ids = &im->config.rootfs.diff_ids;
	AUTO(history_done) struct history h = { 0 };
	AUTO(buf_done) struct buf text = { 0 };
	size_t told;
	int r = read_file(s->configs_fd, strchr(im->id, ':') + 1, IMAGE_DOCUMENT_MAX, &text);

	if (r < 0)
		return err_sys(e, -r, "the config of image %.19s", im->id);
	r = json_parse(&history_table, text.data, text.len, 0, &h, e);
	if (r < 0)
		return r;
	told = count_layers(&h);
	r = add_silent(&h, told < diff_ids->n ? diff_ids->n - told : 0, e);
	if (r == 0)
		r = add_sizes(s, diff_ids, &h, e);
	if (r < 0)
		return r;
	*ret = h;
	h = (struct history){ 0 };
	return 0;
}
