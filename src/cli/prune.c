/* prune.c - ketch volume prune: what nobody uses goes */
#include <errno.h>
#include <string.h>

#include "base/auto.h"
#include "cli/commands.h"
#include "cli/confirm.h"
#include "cli/volume_filter.h"
#include "engine/volume.h"

struct prune_args {
	bool all, force;
	struct strv filters;
};

/* What a prune has removed. */
struct pruned {
	struct strv names;
	uint64_t bytes;
};

static void pruned_done(struct pruned *p)
{
	strv_done(&p->names);
}

static int note(struct pruned *p, const char *name, uint64_t bytes, struct err *e)
{
	p->bytes += bytes;
	return strv_add(&p->names, name) < 0 ? err_set(e, ENOMEM, "out of memory") : 0;
}

/* --- volumes */

static int prune_volume(struct engine *en, const struct volume *v, struct pruned *p, struct err *e)
{
	uint64_t bytes = volume_bytes(en, v->name);
	int r = volume_remove(en, v->name, e);

	if (r == -EBUSY || r == -ENOENT) /* in use, or removed meanwhile */
		return 0;
	return r < 0 ? r : note(p, v->name, bytes, e);
}

/* all: also those that somebody has named. */
static int prune_volumes(struct engine *en, const struct strv *filters, bool all, struct pruned *p,
			 struct err *e)
{
	struct volume *list;
	size_t n;
	int r = volume_list(en, &list, &n, e);

	if (r < 0)
		return r;
	for (size_t i = 0; i < n && r == 0; i++)
		if ((all || list[i].anonymous) && filters_fit(volume_prune_filters, filters, &list[i], en))
			r = prune_volume(en, &list[i], p, e);
	volumes_free(list, n);
	return r < 0 ? r : volume_sweep(en, e);
}

static const struct opt volume_prune_opts[] = {
	OPT(FLAG, 'a', "all", struct prune_args, all, NULL, "Also volumes that have been given a name"),
	OPT(LIST, 0, "filter", struct prune_args, filters, "KEY=VALUE", "Only those with label= or label!="),
	OPT(FLAG, 'f', "force", struct prune_args, force, NULL, "Do not ask"),
	{ 0 },
};

static int volume_prune_run(struct cli *c, void *args, struct strv *words, struct err *e)
{
	AUTO(pruned_done) struct pruned p = { 0 };
	AUTO(buf_done) struct buf out = { 0 };
	const struct prune_args *a = args;
	bool all = a->all || strv_has(&a->filters, "all=true") || strv_has(&a->filters, "all=1");
	struct engine *en;
	int r = filters_check(volume_prune_filters, &a->filters, e);

	if (r < 0)
		return r;
	en = cli_engine(c, e);
	if (!en)
		return -e->no;
	if (!a->force &&
	    !cli_confirm(all ? "WARNING! This will remove all local volumes not used by at least "
			       "one container."
			     : "WARNING! This will remove anonymous local volumes not used by at "
			       "least one container."))
		return 0;
	r = prune_volumes(en, &a->filters, all, &p, e);
	if (r < 0 && !p.names.n)
		return r;
	cli_add_deleted(&out, "Deleted Volumes", &p.names);
	cli_add_reclaimed(&out, p.bytes);
	if (r < 0)
		cli_complain(e, 0);
	return cli_print(&out, e) < 0 ? -e->no : r < 0 ? STATUS_FAILED : 0;
}

const struct command cmd_volume_prune = {
	.name = "volume prune",
	.usage = "",
	.summary = "Remove volumes that no instance mounts",
	.opts = volume_prune_opts,
	.args_size = sizeof(struct prune_args),
	.run = volume_prune_run,
};
