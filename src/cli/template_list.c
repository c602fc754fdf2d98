/* template_list.c - ketch template ls: those that were made by hand, and those that `run --warm` keeps */
#include <errno.h>
#include <stdlib.h>

#include "base/auto.h"
#include "cli/commands.h"
#include "cli/listing.h"
#include "cli/template.h"
#include "cli/text.h"
#include "engine/packed.h"
#include "engine/warm.h"

struct ls_args {
	char *format;
	bool quiet;
};

static const struct opt ls_opts[] = {
	LISTING_FORMAT(struct ls_args, format),
	OPT(FLAG, 'q', "quiet", struct ls_args, quiet, NULL, "Print names only"),
	{ 0 },
};

struct ls_row {
	const char *image, *made, *name, *size;
};

static const struct jfield row_fields[] = {
	JK(J_STR, struct ls_row, image, "Image"),
	JK(J_STR, struct ls_row, made, "Made"),
	JK(J_STR, struct ls_row, name, "Name"),
	JK(J_STR, struct ls_row, size, "Size"),
	{ 0 },
};
static const struct jtable row_table = { sizeof(struct ls_row), row_fields };

static const struct column columns[] = { { 0 } };

static const struct listing_form form = {
	.row = &row_table,
	.columns = columns,
	.table = "table {{.Name}}\t{{.Image}}\t{{.Made}}\t{{.Size}}",
	.quiet = "{{.Name}}",
};

static int add_row(struct engine *en, const struct instance *in, struct listing *l, struct err *e)
{
	AUTO(buf_done) struct buf size = { 0 };
	const struct instance_spec *s = &in->spec;
	struct ls_row row = { s->image,
			      warm_is(s)     ? "by run --warm"
			      : packed_is(s) ? "by run --trusted"
					     : "by hand",
			      s->name, NULL };

	text_add_size(&size, engine_disk_bytes(en, in));
	row.size = size.data;
	return row.size ? listing_add(l, &row, e) : err_set(e, ENOMEM, "out of memory");
}

static int ls_run(struct cli *c, void *args, struct strv *words, struct err *e)
{
	AUTO(listing_done) struct listing l = { 0 };
	const struct ls_args *a = args;
	struct engine *en = cli_engine(c, e);
	struct instance *all = NULL;
	size_t n = 0;
	int r = en ? listing_begin(&l, &form, a->format, a->quiet, e) : -e->no;

	if (r == 0)
		r = engine_list(en, true, &all, &n, e);
	for (size_t i = 0; i < n && r == 0; i++)
		if (template_is(&all[i]))
			r = add_row(en, &all[i], &l, e);
	instances_free(all, n);
	return r < 0 ? r : listing_print(&l, e);
}

const struct command cmd_template_ls = {
	.name = "template ls",
	.usage = "",
	.summary = "List templates",
	.text = "Those that run --warm and run --trusted have made are listed, too; they make them anew when "
		"they are "
		"removed.\n\n"
		"Fields of --format: .Name .Image .Made .Size",
	.opts = ls_opts,
	.args_size = sizeof(struct ls_args),
	.run = ls_run,
};
