/* prune.c - ketch container prune, image prune, volume prune, system prune: what nobody uses goes */
#include <errno.h>
#include <string.h>

#include "base/auto.h"
#include "base/clock.h"
#include "cli/commands.h"
#include "cli/confirm.h"
#include "cli/filters.h"
#include "cli/prune_int.h"
#include "cli/template.h"
#include "cli/volume_filter.h"
#include "engine/packed.h"
#include "engine/volume.h"
#include "engine/warm.h"

void pruned_done(struct pruned *p)
{
	strv_done(&p->names);
}

/* --- which */

/* What instances and images have in common. */
struct candidate {
	int64_t created_ns;
	const struct strv *labels;
};

static bool fits_until(const void *obj, const char *value, void *arg)
{
	int64_t until_ns = 0;

	return cli_take_when("until", value, &until_ns, NULL) == 0 &&
	       ((const struct candidate *)obj)->created_ns < until_ns;
}

static bool fits_label(const void *obj, const char *value, void *arg)
{
	return filter_label(((const struct candidate *)obj)->labels, value);
}

static bool fits_no_label(const void *obj, const char *value, void *arg)
{
	return !fits_label(obj, value, arg);
}

/* Says what is looked at, not what fits. */
static bool fits_dangling(const void *obj, const char *value, void *arg)
{
	return true;
}

static const struct filter_kind prune_filters[] = {
	{ "until", NULL, true, fits_until },
	{ "label", NULL, true, fits_label },
	{ "label!", NULL, true, fits_no_label },
	{ "dangling", "true|false|1|0", false, fits_dangling },
	{ 0 },
};

static int check_filters(const struct strv *given, struct err *e)
{
	int r = filters_check(prune_filters, given, e);

	for (size_t i = 0; i < given->n && r == 0; i++) {
		int64_t ns;

		if (!strncmp(given->v[i], "until=", 6))
			r = cli_take_when("--filter until", given->v[i] + 6, &ns, e);
	}
	return r;
}

bool prune_fits(const struct strv *given, int64_t created_ns, const struct strv *labels)
{
	return filters_fit(prune_filters, given, &(const struct candidate){ created_ns, labels }, NULL);
}

int pruned_note(struct pruned *p, const char *name, uint64_t bytes, struct err *e)
{
	p->bytes += bytes;
	return strv_add(&p->names, name) < 0 ? err_set(e, ENOMEM, "out of memory") : 0;
}

/* --- instances */

/* A template that was made by hand does not run either, and nobody is done with it; template rm removes it. */
static bool takes_instance(const struct instance *in, void *arg)
{
	if (template_is(in) && !warm_is(&in->spec) && !packed_is(&in->spec))
		return false;
	return prune_fits(arg, in->spec.created_ns, &in->spec.labels);
}

static int prune_instances(struct cli *c, const struct prune_args *a, struct pruned *p, struct err *e)
{
	return engine_prune(c->engine, takes_instance, (void *)(uintptr_t)&a->filters, &p->names, &p->bytes,
			    e);
}

/* --- volumes */

static int prune_volume(struct engine *en, const struct volume *v, struct pruned *p, struct err *e)
{
	uint64_t bytes = volume_bytes(en, v->name);
	int r = volume_remove(en, v->name, e);

	if (r == -EBUSY || r == -ENOENT) /* in use, or removed, meanwhile */
		return 0;
	return r < 0 ? r : pruned_note(p, v->name, bytes, e);
}

/* Unless all, only those that nobody has named. */
static int prune_volumes(struct cli *c, const struct prune_args *a, struct pruned *p, struct err *e)
{
	bool all = a->all || strv_has(&a->filters, "all=true") || strv_has(&a->filters, "all=1");
	struct engine *en = c->engine;
	struct volume *list;
	size_t n;
	int r = volume_list(en, &list, &n, e);

	if (r < 0)
		return r;
	for (size_t i = 0; i < n && r == 0; i++)
		if ((all || list[i].anonymous) &&
		    filters_fit(volume_prune_filters, &a->filters, &list[i], en))
			r = prune_volume(en, &list[i], p, e);
	volumes_free(list, n);
	return r < 0 ? r : volume_sweep(en, e);
}

/* --- commands */

typedef int (*prune_fn)(struct cli *c, const struct prune_args *a, struct pruned *p, struct err *e);

/* Prunes, and adds to the report; what was removed before an error is in it, too. */
static int add_pruned(struct cli *c, const struct prune_args *a, prune_fn prune, const char *heading,
		      struct buf *out, uint64_t *bytes, struct err *e)
{
	AUTO(pruned_done) struct pruned p = { 0 };
	int r = prune(c, a, &p, e);

	cli_add_deleted(out, heading, &p.names);
	*bytes += p.bytes;
	return r;
}

static int report(struct buf *out, uint64_t bytes, int r, struct err *e)
{
	if (r < 0 && !out->len)
		return r;
	cli_add_reclaimed(out, bytes);
	if (r < 0)
		cli_complain(e, 0);
	return cli_print(out, e) < 0 ? -e->no : r < 0 ? STATUS_FAILED : 0;
}

static int prune_one_kind(struct cli *c, const struct prune_args *a, prune_fn prune, const char *heading,
			  const char *warning, struct err *e)
{
	AUTO(buf_done) struct buf out = { 0 };
	uint64_t bytes = 0;
	int r;

	if (!cli_engine(c, e))
		return -e->no;
	if (!a->force && !cli_confirm(warning))
		return 0;
	r = add_pruned(c, a, prune, heading, &out, &bytes, e);
	return report(&out, bytes, r, e);
}

#define FILTER_OPT(help) OPT(LIST, 0, "filter", struct prune_args, filters, "KEY=VALUE", help)
#define FORCE_OPT	 OPT(FLAG, 'f', "force", struct prune_args, force, NULL, "Do not ask")
#define UNTIL_HELP	 "Only those with until=TIME (older), label= or label!="

static const struct opt container_opts[] = { FILTER_OPT(UNTIL_HELP), FORCE_OPT, { 0 } };

static int container_run(struct cli *c, void *args, struct strv *words, struct err *e)
{
	const struct prune_args *a = args;
	int r = check_filters(&a->filters, e);

	return r < 0 ? r
		     : prune_one_kind(c, a, prune_instances, "Deleted Containers",
				      "WARNING! This will remove all stopped containers.", e);
}

const struct command cmd_container_prune = {
	.name = "container prune",
	.usage = "",
	.summary = "Remove all instances that do not run",
	.text = "Templates stay, but for those that run --warm keeps: they are made again.",
	.opts = container_opts,
	.args_size = sizeof(struct prune_args),
	.run = container_run,
};

static const struct opt image_opts[] = {
	OPT(FLAG, 'a', "all", struct prune_args, all, NULL, "Also images that have a name"),
	FILTER_OPT(UNTIL_HELP),
	FORCE_OPT,
	{ 0 },
};

static int image_run(struct cli *c, void *args, struct strv *words, struct err *e)
{
	struct prune_args *a = args;
	int r = check_filters(&a->filters, e);

	if (r < 0)
		return r;
	a->all |= strv_has(&a->filters, "dangling=false") || strv_has(&a->filters, "dangling=0");
	return prune_one_kind(c, a, prune_images, "Deleted Images",
			      a->all ? "WARNING! This will remove all images without at least one container "
				       "associated to them."
				     : "WARNING! This will remove all dangling images.",
			      e);
}

const struct command cmd_image_prune = {
	.name = "image prune",
	.usage = "",
	.summary = "Remove images that have no name and that no instance uses",
	.opts = image_opts,
	.args_size = sizeof(struct prune_args),
	.run = image_run,
};

static const struct opt volume_opts[] = {
	OPT(FLAG, 'a', "all", struct prune_args, all, NULL, "Also volumes that have been given a name"),
	FILTER_OPT("Only those with label= or label!="),
	FORCE_OPT,
	{ 0 },
};

static int volume_run(struct cli *c, void *args, struct strv *words, struct err *e)
{
	const struct prune_args *a = args;
	int r = filters_check(volume_prune_filters, &a->filters, e);

	return r < 0 ? r
		     : prune_one_kind(
			       c, a, prune_volumes, "Deleted Volumes",
			       a->all ? "WARNING! This will remove all local volumes not used by at "
					"least one container."
				      : "WARNING! This will remove anonymous local volumes not used by "
					"at least one container.",
			       e);
}

const struct command cmd_volume_prune = {
	.name = "volume prune",
	.usage = "",
	.summary = "Remove volumes that no instance mounts",
	.opts = volume_opts,
	.args_size = sizeof(struct prune_args),
	.run = volume_run,
};

/* --- everything */

static const struct opt system_opts[] = {
	OPT(FLAG, 'a', "all", struct prune_args, all, NULL, "Also images that have a name"),
	FILTER_OPT(UNTIL_HELP),
	FORCE_OPT,
	OPT(FLAG, 0, "volumes", struct prune_args, volumes, NULL, "Also anonymous volumes"),
	{ 0 },
};

static bool confirm_system(const struct prune_args *a)
{
	autofree char *warning = str_printf(
		"WARNING! This will remove:\n  - all stopped containers\n%s  - %s\n  - what is made of "
		"images for virtual machines, where there are none\n"
		"  - what pulls that were broken off have fetched\n",
		a->volumes ? "  - all anonymous volumes not used by at least one container\n" : "",
		a->all ? "all images without at least one container associated to them"
		       : "all dangling images");

	return warning && cli_confirm(warning);
}

static int prune_system(struct cli *c, const struct prune_args *a, struct err *e)
{
	const struct prune_args of_volumes = { .filters = a->filters };
	AUTO(buf_done) struct buf out = { 0 };
	uint64_t bytes = 0;
	int r = add_pruned(c, a, prune_instances, "Deleted Containers", &out, &bytes, e);

	if (r == 0 && a->volumes)
		r = add_pruned(c, &of_volumes, prune_volumes, "Deleted Volumes", &out, &bytes, e);
	if (r == 0)
		r = add_pruned(c, a, prune_images, "Deleted Images", &out, &bytes, e);
	if (r == 0)
		r = add_pruned(c, a, prune_roots, "", &out, &bytes, e);
	if (r == 0)
		r = add_pruned(c, a, prune_downloads, "", &out, &bytes, e);
	return report(&out, bytes, r, e);
}

static int system_run(struct cli *c, void *args, struct strv *words, struct err *e)
{
	const struct prune_args *a = args;
	int r = check_filters(&a->filters, e);

	/* volumes know no time of last use */
	for (size_t i = 0; i < a->filters.n && r == 0 && a->volumes; i++)
		if (!strncmp(a->filters.v[i], "until=", 6))
			r = err_set(e, EINVAL, "the \"until\" filter is not supported with \"--volumes\"");
	if (r < 0)
		return r;
	if (!cli_engine(c, e))
		return -e->no;
	return a->force || confirm_system(a) ? prune_system(c, a, e) : 0;
}

const struct command cmd_system_prune = {
	.name = "system prune",
	.usage = "",
	.summary = "Remove instances that do not run, and images that have no name",
	.opts = system_opts,
	.args_size = sizeof(struct prune_args),
	.run = system_run,
};
