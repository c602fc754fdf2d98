/* network_list.c - ketch network ls, prune: which there are, and which nobody is on */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "cli/commands.h"
#include "cli/confirm.h"
#include "cli/filters.h"
#include "cli/listing.h"
#include "cli/output.h"
#include "cli/text.h"
#include "engine/network.h"

#define SHORT_ID 12

/* --- filters */

static bool fits_driver(const void *obj, const char *value, void *arg)
{
	return !strcmp(network_driver_names[((const struct network *)obj)->driver], value);
}

static bool fits_id(const void *obj, const char *value, void *arg)
{
	return !strncmp(((const struct network *)obj)->id, value, strlen(value));
}

static bool fits_label(const void *obj, const char *value, void *arg)
{
	return filter_label(&((const struct network *)obj)->labels, value);
}

static bool fits_no_label(const void *obj, const char *value, void *arg)
{
	return !fits_label(obj, value, arg);
}

static bool fits_name(const void *obj, const char *value, void *arg)
{
	return filter_name(((const struct network *)obj)->name, value);
}

static bool fits_scope(const void *obj, const char *value, void *arg)
{
	return !strcmp(value, "local");
}

static bool fits_type(const void *obj, const char *value, void *arg)
{
	return network_is_default(obj) == !strcmp(value, "builtin");
}

static bool has_ports(struct engine *en, const struct network *n)
{
	struct lease *list;
	size_t count;

	if (network_ports(en, n, &list, &count, NULL) < 0)
		return true;
	leases_free(list, count);
	return count > 0;
}

static bool fits_dangling(const void *obj, const char *value, void *arg)
{
	bool dangling = !network_is_default(obj) && !has_ports(arg, obj);

	return dangling == (!strcmp(value, "true") || !strcmp(value, "1"));
}

static bool fits_until(const void *obj, const char *value, void *arg)
{
	int64_t until_ns = 0;

	return cli_take_when("until", value, &until_ns, NULL) == 0 &&
	       ((const struct network *)obj)->created_ns < until_ns;
}

static const struct filter_kind list_filters[] = {
	{ "dangling", "true|false|1|0", false, fits_dangling },
	{ "driver", NULL, false, fits_driver },
	{ "id", NULL, false, fits_id },
	{ "label", NULL, true, fits_label },
	{ "name", NULL, false, fits_name },
	{ "scope", NULL, false, fits_scope },
	{ "type", "custom|builtin", false, fits_type },
	{ 0 },
};

static const struct filter_kind prune_filters[] = {
	{ "until", NULL, true, fits_until },
	{ "label", NULL, true, fits_label },
	{ "label!", NULL, true, fits_no_label },
	{ 0 },
};

/* --- ls */

struct ls_args {
	struct strv filters;
	bool quiet, no_trunc;
	char *format;
};

static const struct opt ls_opts[] = {
	FILTERS_OPT(struct ls_args, filters),
	LISTING_FORMAT(struct ls_args, format),
	OPT(FLAG, 0, "no-trunc", struct ls_args, no_trunc, NULL, "Print whole ids"),
	OPT(FLAG, 'q', "quiet", struct ls_args, quiet, NULL, "Print ids only"),
	{ 0 },
};

/* One line; Docker's names. */
struct ls_row {
	const char *created, *driver, *id, *ipv4, *ipv6, *internal;
	struct strv label; /* not shown, but {{.Label "key"}} asks it */
	const char *labels, *name, *scope;
};

static const struct jfield row_fields[] = {
	JK(J_STR, struct ls_row, created, "CreatedAt"),
	JK(J_STR, struct ls_row, driver, "Driver"),
	JK(J_STR, struct ls_row, id, "ID"),
	JK(J_STR, struct ls_row, ipv4, "IPv4"),
	JK(J_STR, struct ls_row, ipv6, "IPv6"),
	JK(J_STR, struct ls_row, internal, "Internal"),
	JK(J_MAP, struct ls_row, label, "Label"),
	JK(J_STR, struct ls_row, labels, "Labels"),
	JK(J_STR, struct ls_row, name, "Name"),
	JK(J_STR, struct ls_row, scope, "Scope"),
	{ 0 },
};
static const struct jtable row_table = { sizeof(struct ls_row), row_fields };

static const struct column columns[] = { { "ID", "NETWORK ID" }, { 0 } };

static const struct listing_form form = {
	.row = &row_table,
	.columns = columns,
	.table = "table {{.ID}}\t{{.Name}}\t{{.Driver}}\t{{.Scope}}",
	.quiet = "{{.ID}}",
};

static const char *yes_no(bool yes)
{
	return yes ? "true" : "false";
}

static int add_row(const struct network *n, bool no_trunc, struct listing *l, struct err *e)
{
	AUTO(buf_done) struct buf labels = { 0 }, created = { 0 };
	autofree char *id = strndup(n->id, no_trunc ? NETWORK_ID_LEN : SHORT_ID);
	struct ls_row row = { .driver = network_driver_names[n->driver],
			      .ipv4 = yes_no(n->v4.subnet),
			      .ipv6 = yes_no(n->v6.subnet),
			      .internal = yes_no(n->internal),
			      .label = n->labels,
			      .name = n->name,
			      .scope = "local" };

	for (size_t i = 0; i < n->labels.n; i++)
		buf_addf(&labels, "%s%s", i ? "," : "", n->labels.v[i]);
	text_add_local_time(&created, n->created_ns);
	if (!id || !buf_ok(&labels) || !buf_ok(&created))
		return err_set(e, ENOMEM, "out of memory");
	row.id = id;
	row.labels = labels.data ? labels.data : "";
	row.created = created.data;
	return listing_add(l, &row, e);
}

static int ls_run(struct cli *c, void *args, struct strv *words, struct err *e)
{
	AUTO(listing_done) struct listing l = { 0 };
	const struct ls_args *a = args;
	struct network *list;
	struct engine *en;
	size_t n;
	int r = filters_check(list_filters, &a->filters, e);

	if (r < 0)
		return r;
	en = cli_engine(c, e);
	r = en ? network_list(en, &list, &n, e) : -e->no;
	if (r < 0)
		return r;
	r = listing_begin(&l, &form, a->format, a->quiet, e);
	for (size_t i = 0; i < n && r == 0; i++)
		if (filters_fit(list_filters, &a->filters, &list[i], en))
			r = add_row(&list[i], a->no_trunc, &l, e);
	networks_free(list, n);
	return r < 0 ? r : listing_print(&l, e);
}

const struct command cmd_network_ls = {
	.name = "network ls",
	.usage = "",
	.summary = "List networks",
	.text = "Filters: dangling=true|false (no running instance is on it), driver=, id=, "
		"label=KEY[=VALUE], name=PART, scope=local, type=custom|builtin.",
	.opts = ls_opts,
	.args_size = sizeof(struct ls_args),
	.run = ls_run,
};

/* --- prune */

struct prune_args {
	bool force;
	struct strv filters;
};

static const struct opt prune_opts[] = {
	OPT(LIST, 0, "filter", struct prune_args, filters, "KEY=VALUE",
	    "Only those with until=TIME (older), label= or label!="),
	OPT(FLAG, 'f', "force", struct prune_args, force, NULL, "Do not ask"),
	{ 0 },
};

static int prune_all(struct engine *en, const struct strv *filters, struct strv *ret, struct err *e)
{
	struct network *list;
	size_t n;
	int r = network_list(en, &list, &n, e);

	if (r < 0)
		return r;
	for (size_t i = 0; i < n && r == 0; i++) {
		if (network_is_default(&list[i]) || !filters_fit(prune_filters, filters, &list[i], NULL))
			continue;
		r = network_remove(en, list[i].id, e);
		if (r == 0 && strv_add(ret, list[i].name) < 0)
			r = err_set(e, ENOMEM, "out of memory");
		if (r == -EBUSY || r == -ENOENT) /* in use, or removed meanwhile */
			r = 0;
	}
	networks_free(list, n);
	return r;
}

static int prune_run(struct cli *c, void *args, struct strv *words, struct err *e)
{
	AUTO(strv_done) struct strv names = { 0 };
	AUTO(buf_done) struct buf out = { 0 };
	const struct prune_args *a = args;
	struct engine *en;
	int r = filters_check(prune_filters, &a->filters, e);

	if (r < 0)
		return r;
	en = cli_engine(c, e);
	if (!en)
		return -e->no;
	if (!a->force &&
	    !cli_confirm("WARNING! This will remove all custom networks not used by at least one "
			 "container."))
		return 0;
	r = prune_all(en, &a->filters, &names, e);
	cli_add_deleted(&out, "Deleted Networks", &names);
	if (out.len && cli_print(&out, r < 0 ? NULL : e) < 0)
		return -e->no;
	return r;
}

const struct command cmd_network_prune = {
	.name = "network prune",
	.usage = "",
	.summary = "Remove networks that no running instance is on",
	.opts = prune_opts,
	.args_size = sizeof(struct prune_args),
	.run = prune_run,
};
