/* volume.c - ketch volume create, ls, inspect, rm, prune: directories that outlive instances */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "cli/commands.h"
#include "cli/each.h"
#include "cli/inspect.h"
#include "cli/listing.h"
#include "cli/text.h"
#include "cli/volume_filter.h"
#include "engine/volume.h"

/* --- create */

struct create_args {
	char *driver, *name;
	struct strv labels, options;
};

#define NO_CLUSTER "volumes are of one host; there is no cluster"

static const struct opt create_opts[] = {
	OPT(STR, 'd', "driver", struct create_args, driver, "NAME", "The driver: there is only local"),
	OPT(LIST, 0, "label", struct create_args, labels, "KEY[=VALUE]", "Note something about it"),
	OPT(STR, 0, "name", struct create_args, name, "NAME", "The same as NAME"),
	OPT(LIST, 'o', "opt", struct create_args, options, "KEY=VALUE",
	    "What it is: type=tmpfs, or type=none with o=bind and device=DIRECTORY"),
	OPT_REFUSE(0, "availability", NO_CLUSTER),
	OPT_REFUSE(0, "group", NO_CLUSTER),
	OPT_REFUSE(0, "limit-bytes", NO_CLUSTER),
	OPT_REFUSE(0, "required-bytes", NO_CLUSTER),
	OPT_REFUSE(0, "scope", NO_CLUSTER),
	OPT_REFUSE(0, "secret", NO_CLUSTER),
	OPT_REFUSE(0, "sharing", NO_CLUSTER),
	OPT_REFUSE(0, "topology-preferred", NO_CLUSTER),
	OPT_REFUSE(0, "topology-required", NO_CLUSTER),
	OPT_REFUSE(0, "type", NO_CLUSTER),
	{ 0 },
};

/* "KEY" is "KEY="; of what is given twice the last counts. */
static int take_pairs(const struct strv *from, struct strv *ret)
{
	int r = 0;

	for (size_t i = 0; i < from->n && r == 0; i++) {
		autofree char *pair = str_printf("%s%s", from->v[i], strchr(from->v[i], '=') ? "" : "=");

		r = pair ? strv_env_set(ret, pair) : -ENOMEM;
	}
	return r;
}

static int create_run(struct cli *c, void *args, struct strv *words, struct err *e)
{
	AUTO(strv_done) struct strv labels = { 0 }, options = { 0 };
	AUTO(buf_done) struct buf out = { 0 };
	const struct create_args *a = args;
	struct engine *en = cli_engine(c, e);
	autofree char *name = NULL;
	int r;

	if (!en)
		return -e->no;
	if (a->name && words->n)
		return err_set(e, EINVAL,
			       "conflicting options: the name is given twice, with --name and without");
	if (a->driver && strcmp(a->driver, "local"))
		return err_set(e, ENOTSUP, "there is no volume driver '%.60s', only local", a->driver);
	if (take_pairs(&a->labels, &labels) < 0 || take_pairs(&a->options, &options) < 0)
		return err_set(e, ENOMEM, "out of memory");
	r = volume_create(en, words->n ? words->v[0] : a->name, &labels, &options, &name, e);
	if (r < 0)
		return r;
	buf_addf(&out, "%s\n", name);
	return cli_print(&out, e);
}

const struct command cmd_volume_create = {
	.name = "volume create",
	.usage = "[NAME]",
	.summary = "Make a volume",
	.opts = create_opts,
	.args_size = sizeof(struct create_args),
	.max_words = 1,
	.makes_store = true,
	.run = create_run,
};

/* --- ls */

struct ls_args {
	struct strv filters;
	bool quiet;
	char *format;
};

static const struct opt ls_opts[] = {
	FILTERS_OPT(struct ls_args, filters),
	LISTING_FORMAT(struct ls_args, format),
	OPT(FLAG, 'q', "quiet", struct ls_args, quiet, NULL, "Print names only"),
	OPT_REFUSE(0, "cluster", NO_CLUSTER),
	{ 0 },
};

/* One line; Docker's names. */
struct ls_row {
	const char *driver;
	struct strv label; /* not shown, but {{.Label "key"}} asks it */
	const char *labels, *links, *mountpoint, *name, *scope, *size;
};

static const struct jfield row_fields[] = {
	JK(J_STR, struct ls_row, driver, "Driver"),
	JK(J_MAP, struct ls_row, label, "Label"),
	JK(J_STR, struct ls_row, labels, "Labels"),
	JK(J_STR, struct ls_row, links, "Links"),
	JK(J_STR, struct ls_row, mountpoint, "Mountpoint"),
	JK(J_STR, struct ls_row, name, "Name"),
	JK(J_STR, struct ls_row, scope, "Scope"),
	JK(J_STR, struct ls_row, size, "Size"),
	{ 0 },
};
static const struct jtable row_table = { sizeof(struct ls_row), row_fields };

static const struct column columns[] = { { "Name", "VOLUME NAME" }, { 0 } };

static const struct listing_form form = {
	.row = &row_table,
	.columns = columns,
	.table = "table {{.Driver}}\t{{.Name}}",
	.quiet = "{{.Name}}",
};

static int add_row(struct engine *en, const struct volume *v, struct listing *l, struct err *e)
{
	AUTO(buf_done) struct buf labels = { 0 };
	autofree char *path = volume_path(en, v->name);
	struct ls_row row = { "local", v->labels, "", "N/A", path, v->name, "local", "N/A" };

	for (size_t i = 0; i < v->labels.n; i++)
		buf_addf(&labels, "%s%s", i ? "," : "", v->labels.v[i]);
	if (!path || !buf_ok(&labels))
		return err_set(e, ENOMEM, "out of memory");
	row.labels = labels.data ? labels.data : "";
	return listing_add(l, &row, e);
}

static int print_volumes(struct engine *en, const struct ls_args *a, const struct volume *list, size_t n,
			 struct err *e)
{
	AUTO(listing_done) struct listing l = { 0 };
	int r = listing_begin(&l, &form, a->format, a->quiet, e);

	for (size_t i = 0; i < n && r == 0; i++)
		if (filters_fit(volume_list_filters, &a->filters, &list[i], en))
			r = add_row(en, &list[i], &l, e);
	return r < 0 ? r : listing_print(&l, e);
}

static int ls_run(struct cli *c, void *args, struct strv *words, struct err *e)
{
	const struct ls_args *a = args;
	struct volume *list;
	struct engine *en;
	size_t n;
	int r = filters_check(volume_list_filters, &a->filters, e);

	if (r < 0)
		return r;
	en = cli_engine(c, e);
	r = en ? volume_list(en, &list, &n, e) : -e->no;
	if (r < 0)
		return r;
	r = print_volumes(en, a, list, n, e);
	volumes_free(list, n);
	return r;
}

const struct command cmd_volume_ls = {
	.name = "volume ls",
	.usage = "",
	.summary = "List volumes",
	.text = "Filters: dangling=true|false (no instance mounts it), driver=local, label=KEY[=VALUE], "
		"name=PART.",
	.opts = ls_opts,
	.args_size = sizeof(struct ls_args),
	.run = ls_run,
};

/* --- inspect */

/* Docker's keys. */
struct view {
	const char *created, *driver;
	struct strv labels;
	const char *mountpoint, *name;
	struct strv options;
	const char *scope;
};

static const struct jfield view_fields[] = {
	JK(J_STR, struct view, created, "CreatedAt"), JK(J_STR, struct view, driver, "Driver"),
	JK(J_MAP, struct view, labels, "Labels"),     JK(J_STR, struct view, mountpoint, "Mountpoint"),
	JK(J_STR, struct view, name, "Name"),	      JK(J_MAP, struct view, options, "Options"),
	JK(J_STR, struct view, scope, "Scope"),	      { 0 },
};
static const struct jtable view_table = { sizeof(struct view), view_fields };

int volume_inspect_add(struct cli *c, const char *name, int json_flags, struct buf *out, struct err *e)
{
	AUTO(volume_done) struct volume v = { 0 };
	AUTO(buf_done) struct buf created = { 0 };
	struct engine *en = cli_engine(c, e);
	autofree char *path = NULL;
	struct view view;
	int r = en ? volume_find(en, name, &v, e) : -e->no;

	if (r < 0)
		return r;
	path = volume_path(en, v.name);
	text_add_time(&created, v.created_ns);
	if (!path || !buf_ok(&created))
		return err_set(e, ENOMEM, "out of memory");
	view = (struct view){ created.data, "local", v.labels, path, v.name, v.options, "local" };
	return json_print(&view_table, &view, json_flags, out) < 0 ? err_set(e, ENOMEM, "out of memory") : 0;
}

static int inspect_run(struct cli *c, void *args, struct strv *words, struct err *e)
{
	return inspect_each(c, words, ((const struct inspect_format *)args)->format, volume_inspect_add, e);
}

const struct command cmd_volume_inspect = {
	.name = "volume inspect",
	.usage = "NAME...",
	.summary = "Print all about volumes as JSON",
	.opts = inspect_format_opts,
	.args_size = sizeof(struct inspect_format),
	.min_words = 1,
	.max_words = WORDS_ANY,
	.words = WORDS_VOLUME,
	.run = inspect_run,
};

/* --- rm */

struct rm_args {
	bool force;
};

static const struct opt rm_opts[] = {
	OPT(FLAG, 'f', "force", struct rm_args, force, NULL, "What is missing is no failure"),
	{ 0 },
};

static int rm_run(struct cli *c, void *args, struct strv *words, struct err *e)
{
	return each_name(c, words, volume_remove, ((const struct rm_args *)args)->force, e);
}

const struct command cmd_volume_rm = {
	.name = "volume rm",
	.usage = "NAME...",
	.summary = "Remove volumes that no instance mounts",
	.opts = rm_opts,
	.args_size = sizeof(struct rm_args),
	.min_words = 1,
	.max_words = WORDS_ANY,
	.words = WORDS_VOLUME,
	.run = rm_run,
};
