/* images.c - ketch images, tag, rmi: the images of the store */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "base/clock.h"
#include "cli/commands.h"
#include "cli/text.h"

#define NO_NAME "<none>"

struct images_args {
	bool quiet, no_trunc;
	char *format;
};

static const struct opt images_opts[] = {
	OPT(CHOICE, 0, "format", struct images_args, format, "json|table",
	    "How to print them; json: an object a line"),
	OPT(FLAG, 0, "no-trunc", struct images_args, no_trunc, NULL, "Do not shorten ids"),
	OPT(FLAG, 'q', "quiet", struct images_args, quiet, NULL, "Print ids only"),
	{ 0 },
};

/* One name of one image, in Docker's words. */
struct images_row {
	struct buf repository, tag, id, created, since, size;
};

/* The same as strings, for the tables. */
struct images_cells {
	const char *repository, *tag, *id, *since, *size, *created;
};

static const struct jfield cells_fields[] = {
	JK(J_STR, struct images_cells, created, "CreatedAt"),
	JK(J_STR, struct images_cells, since, "CreatedSince"),
	JK(J_STR, struct images_cells, id, "ID"),
	JK(J_STR, struct images_cells, repository, "Repository"),
	JK(J_STR, struct images_cells, size, "Size"),
	JK(J_STR, struct images_cells, tag, "Tag"),
	{ 0 },
};
static const struct jtable cells_table = { sizeof(struct images_cells), cells_fields };

static void row_done(struct images_row *row)
{
	buf_done(&row->repository);
	buf_done(&row->tag);
	buf_done(&row->id);
	buf_done(&row->created);
	buf_done(&row->since);
	buf_done(&row->size);
}

/* "host:5000/name:tag": the tag begins behind the last colon that no slash follows. */
static void split_ref(const char *ref, struct images_row *row)
{
	const char *colon = strrchr(ref, ':');
	AUTO(buf_done) struct buf name = { 0 };

	if (colon && strchr(colon, '/'))
		colon = NULL;
	buf_add(&name, ref, colon ? (size_t)(colon - ref) : strlen(ref));
	text_add(&row->repository, name.data ? name.data : "");
	text_add(&row->tag, colon ? colon + 1 : NO_NAME);
}

static void fill_row(const struct image *im, const char *ref, bool no_trunc, struct images_row *row)
{
	if (ref) {
		split_ref(ref, row);
	} else {
		buf_adds(&row->repository, NO_NAME);
		buf_adds(&row->tag, NO_NAME);
	}
	if (no_trunc)
		text_add(&row->id, im->id);
	else
		text_add_short_id(&row->id, im->id);
	text_add_time(&row->created, im->created_ns);
	text_add_ago(&row->since, clock_real_ns(), im->created_ns);
	text_add_size(&row->size, im->size_bytes);
}

struct images_output {
	const struct images_args *args;
	struct table table;
	struct buf out;
};

static int add_line(struct images_output *o, const struct image *im, const char *ref)
{
	AUTO(row_done) struct images_row row = { 0 };
	struct images_cells cells;

	fill_row(im, ref, o->args->no_trunc, &row);
	cells = (struct images_cells){ row.repository.data, row.tag.data,  row.id.data,
				       row.since.data,	    row.size.data, row.created.data };
	if (!cells.repository || !cells.tag || !cells.id || !cells.since || !cells.size || !cells.created)
		return -ENOMEM;
	if (o->args->quiet) {
		buf_addf(&o->out, "%s\n", cells.id);
		return 0;
	}
	if (cli_is_json(o->args->format))
		return cli_add_json_lines(&cells_table, &cells, 1, &o->out);
	table_add(&o->table, cells.repository);
	table_add(&o->table, cells.tag);
	table_add(&o->table, cells.id);
	table_add(&o->table, cells.since);
	table_add(&o->table, cells.size);
	return 0;
}

static int add_image(struct images_output *o, const struct image *im)
{
	int r = 0;

	if (!im->refs.n || o->args->quiet)
		return add_line(o, im, im->refs.n ? im->refs.v[0] : NULL);
	for (size_t i = 0; i < im->refs.n && r == 0; i++)
		r = add_line(o, im, im->refs.v[i]);
	return r;
}

static int print_images(const struct images_args *a, const struct image *im, size_t n, struct err *e)
{
	static const char *const headings[] = { "REPOSITORY", "TAG", "IMAGE ID", "CREATED", "SIZE", NULL };
	struct images_output o = { .args = a };
	int r = 0;

	table_start(&o.table, headings);
	for (size_t i = 0; i < n && r == 0; i++)
		r = add_image(&o, &im[i]);
	if (r == 0 && !a->quiet && !cli_is_json(a->format))
		r = table_print(&o.table, &o.out);
	r = r < 0 ? err_set(e, ENOMEM, "out of memory") : cli_print(&o.out, e);
	table_done(&o.table);
	buf_done(&o.out);
	return r;
}

static int images_run(struct cli *c, void *args, struct strv *words, struct err *e)
{
	struct image_store *s = cli_images(c, e);
	struct image *im = NULL;
	size_t n = 0;
	int r = s ? image_list(s, &im, &n, e) : -e->no;

	if (r < 0)
		return r;
	r = print_images(args, im, n, e);
	for (size_t i = 0; i < n; i++)
		image_done(&im[i]);
	free(im);
	return r;
}

const struct command cmd_images = {
	.name = "images",
	.usage = "",
	.summary = "List images",
	.opts = images_opts,
	.args_size = sizeof(struct images_args),
	.run = images_run,
};

/* --- tag */

static int tag_run(struct cli *c, void *args, struct strv *words, struct err *e)
{
	struct image_store *s = cli_images(c, e);

	return s ? image_tag(s, words->v[0], words->v[1], e) : -e->no;
}

const struct command cmd_tag = {
	.name = "tag",
	.usage = "IMAGE NEW_NAME[:TAG]",
	.summary = "Give an image a further name",
	.opts = no_opts,
	.min_words = 2,
	.max_words = 2,
	.words = WORDS_IMAGE,
	.run = tag_run,
};

/* --- rmi */

struct rmi_args {
	bool force;
};

static const struct opt rmi_opts[] = {
	OPT(FLAG, 'f', "force", struct rmi_args, force, NULL,
	    "Take names away even while instances use the image"),
	{ 0 },
};

static int remove_image(struct cli *c, const char *ref, bool force, struct err *e)
{
	AUTO(strv_done) struct strv lines = { 0 };
	AUTO(image_done) struct image im = { 0 };
	AUTO(buf_done) struct buf out = { 0 };
	struct image_store *s = cli_images(c, e);
	bool in_use = false;
	int r = s ? image_find(s, ref, &im, e) : -e->no;

	if (r == 0)
		r = engine_image_in_use(c->engine, im.id, &in_use, e);
	if (r == 0)
		r = image_remove(s, ref, in_use, force, &lines, e);
	if (r < 0)
		return r;
	for (size_t i = 0; i < lines.n; i++) {
		text_add(&out, lines.v[i]);
		buf_addc(&out, '\n');
	}
	return cli_print(&out, e);
}

static int rmi_run(struct cli *c, void *args, struct strv *words, struct err *e)
{
	const struct rmi_args *a = args;
	int status = 0;

	for (size_t i = 0; i < words->n; i++) {
		struct err why = { 0 };
		int r = remove_image(c, words->v[i], a->force, &why);

		if (r < 0)
			cli_complain(&why, 0);
		if (r < 0 && !(r == -ENOENT && a->force))
			status = STATUS_FAILED;
	}
	return status;
}

const struct command cmd_rmi = {
	.name = "rmi",
	.usage = "IMAGE...",
	.summary = "Take names from images, and remove those without one",
	.opts = rmi_opts,
	.args_size = sizeof(struct rmi_args),
	.min_words = 1,
	.max_words = WORDS_ANY,
	.words = WORDS_IMAGE,
	.run = rmi_run,
};
