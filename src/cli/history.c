/* history.c - ketch history: how an image was made, the last step first */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/auto.h"
#include "base/clock.h"
#include "cli/commands.h"
#include "cli/listing.h"
#include "cli/text.h"
#include "image/history.h"

#define COMMAND_WIDTH 45 /* Docker's */
#define MISSING	      "<missing>" /* Docker's: below the last step there are no images */

struct history_args {
	char *format;
	bool human, no_trunc, quiet;
};

static const struct opt history_opts[] = {
	LISTING_FORMAT(struct history_args, format),
	OPT(FLAG, 'H', "human", struct history_args, human, NULL, "Sizes and dates for people (the default)"),
	OPT(FLAG, 0, "no-trunc", struct history_args, no_trunc, NULL, "Do not shorten ids and commands"),
	OPT(FLAG, 'q', "quiet", struct history_args, quiet, NULL, "Print ids only"),
	OPT_REFUSE(0, "platform", "an image is kept for one platform here"),
	{ 0 },
};

/* One step; Docker's names. */
struct history_row {
	char *comment, *created_at, *created_by, *created_since, *id, *size;
};

static const struct jfield row_fields[] = {
	JK(J_STR, struct history_row, comment, "Comment"),
	JK(J_STR, struct history_row, created_at, "CreatedAt"),
	JK(J_STR, struct history_row, created_by, "CreatedBy"),
	JK(J_STR, struct history_row, created_since, "CreatedSince"),
	JK(J_STR, struct history_row, id, "ID"),
	JK(J_STR, struct history_row, size, "Size"),
	{ 0 },
};
static const struct jtable row_table = { sizeof(struct history_row), row_fields };

static const struct column columns[] = { { "ID", "IMAGE" },
					 { "CreatedAt", "CREATED AT" },
					 { "CreatedBy", "CREATED BY" },
					 { "CreatedSince", "CREATED" },
					 { 0 } };

static const struct listing_form human_form = {
	.row = &row_table,
	.columns = columns,
	.table = "table {{.ID}}\t{{.CreatedSince}}\t{{.CreatedBy}}\t{{.Size}}\t{{.Comment}}",
	.quiet = "{{.ID}}",
};

static const struct listing_form exact_form = {
	.row = &row_table,
	.columns = columns,
	.table = "table {{.ID}}\t{{.CreatedAt}}\t{{.CreatedBy}}\t{{.Size}}\t{{.Comment}}",
	.quiet = "{{.ID}}",
};

static void row_done(struct history_row *row)
{
	json_done(&row_table, row);
}

static char *id_text(const struct image *im, bool is_last, bool no_trunc)
{
	struct buf b = { 0 };

	if (!is_last)
		buf_adds(&b, MISSING);
	else if (no_trunc)
		buf_adds(&b, im->id);
	else
		text_add_short_id(&b, im->id);
	return buf_take(&b);
}

static char *since_text(int64_t created_ns)
{
	struct buf b = { 0 };

	if (created_ns)
		text_add_ago(&b, clock_real_ns(), created_ns);
	else
		buf_adds(&b, "N/A");
	return buf_take(&b);
}

static char *command_text(const char *command, bool no_trunc)
{
	struct buf b = { 0 };

	text_add_cut(&b, command ? command : "", no_trunc ? SIZE_MAX : COMMAND_WIDTH);
	return buf_take(&b);
}

static char *size_text(uint64_t bytes, bool human)
{
	struct buf b = { 0 };

	if (human)
		text_add_size(&b, bytes);
	else
		buf_addf(&b, "%llu", (unsigned long long)bytes);
	return buf_take(&b);
}

static char *time_text(int64_t created_ns)
{
	struct buf b = { 0 };

	text_add_time(&b, created_ns);
	return buf_take(&b);
}

static int add_step(struct listing *l, const struct history_args *a, const struct image *im,
		    const struct history_step *step, bool is_last, struct err *e)
{
	AUTO(row_done) struct history_row row = { 0 };
	int64_t created_ns = 0;

	if (step->created)
		rfc3339_parse(step->created, &created_ns);
	row = (struct history_row){
		.comment = strdup(step->comment ? step->comment : ""),
		.created_at = time_text(created_ns),
		.created_by = command_text(step->created_by, a->no_trunc),
		.created_since = since_text(created_ns),
		.id = id_text(im, is_last, a->no_trunc),
		.size = size_text(step->size_bytes, a->human),
	};
	if (!row.comment || !row.created_at || !row.created_by || !row.created_since || !row.id || !row.size)
		return err_set(e, ENOMEM, "out of memory");
	return listing_add(l, &row, e);
}

static int history_run(struct cli *c, void *args, struct strv *words, struct err *e)
{
	AUTO(listing_done) struct listing l = { 0 };
	AUTO(history_done) struct history h = { 0 };
	AUTO(image_done) struct image im = { 0 };
	const struct history_args *a = args;
	struct image_store *s;
	int r = listing_begin(&l, a->human ? &human_form : &exact_form, a->format, a->quiet, e);

	if (r < 0)
		return r;
	s = cli_images(c, e);
	r = s ? image_find(s, words->v[0], &im, e) : -e->no;
	if (r == 0)
		r = image_history(s, &im, &h, e);
	for (size_t i = h.n; i-- > 0 && r == 0;)
		r = add_step(&l, a, &im, &h.steps[i], i + 1 == h.n, e);
	return r < 0 ? r : listing_print(&l, e);
}

static const struct history_args history_defaults = { .human = true };
const struct command cmd_history = {
	.name = "history",
	.usage = "IMAGE",
	.summary = "Show how an image was made",
	.text = "Fields of --format: .ID .CreatedSince .CreatedAt .CreatedBy .Size .Comment",
	.opts = history_opts,
	.args_size = sizeof(struct history_args),
	.defaults = &history_defaults,
	.min_words = 1,
	.max_words = 1,
	.words = WORDS_IMAGE,
	.run = history_run,
};
