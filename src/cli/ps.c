/* ps.c - ketch ps: the instances, newest first */
#include "cli/ps.h"

#include <errno.h>
#include <string.h>

#include "base/auto.h"
#include "cli/commands.h"
#include "engine/network.h"

struct ps_args {
	bool all, quiet, no_trunc, latest, size;
	int64_t last;
	struct strv filters;
	char *format;
};

static const struct opt ps_opts[] = {
	OPT(FLAG, 'a', "all", struct ps_args, all, NULL, "Show also those that do not run"),
	FILTERS_OPT(struct ps_args, filters),
	LISTING_FORMAT(struct ps_args, format),
	OPT(INT, 'n', "last", struct ps_args, last, "NUMBER", "Only so many, the last that were created"),
	OPT(FLAG, 'l', "latest", struct ps_args, latest, NULL, "Only the last that was created"),
	OPT(FLAG, 0, "no-trunc", struct ps_args, no_trunc, NULL, "Do not shorten ids and commands"),
	OPT(FLAG, 'q', "quiet", struct ps_args, quiet, NULL, "Print ids only"),
	OPT(FLAG, 's', "size", struct ps_args, size, NULL,
	    "Tell what they have written, and how much that is with the image"),
	{ 0 },
};

/* Docker: these ask for what does not run, too. */
static bool wants_all(const struct ps_args *a)
{
	return a->all || a->latest || a->last > 0 || filters_have(&a->filters, "status");
}

/* Docker: a template that names it asks for it, too. */
static bool wants_size(const struct ps_args *a)
{
	return !a->quiet && (a->size || (a->format && strstr(a->format, ".Size")));
}

static int add_row(struct listing *l, const struct ps_args *a, struct engine *en, struct instance *in,
		   struct err *e)
{
	struct instance_size size;
	int r = wants_size(a) ? engine_size(en, in, &size, e) : 0;

	if (r == 0 && !a->quiet)
		r = network_fill(en, in, e);

	return r < 0 ? r : ps_add_row(l, in, a->no_trunc, wants_size(a) ? &size : NULL, e);
}

static int add_rows(struct listing *l, const struct ps_args *a, struct ps_filter_context *ctx,
		    struct instance *in, size_t n, struct err *e)
{
	int64_t left = a->latest ? 1 : a->last > 0 ? a->last : INT64_MAX;
	int r = 0;

	for (size_t i = 0; i < n && r == 0 && left > 0; i++) {
		if (!ps_filters_fit(ctx, &in[i]))
			continue;
		r = add_row(l, a, ctx->engine, &in[i], e);
		left--;
	}
	return r;
}

static int list(struct engine *en, const struct ps_args *a, struct listing *l, struct err *e)
{
	AUTO(ps_filters_done) struct ps_filter_context ctx = { 0 };
	struct instance *in = NULL;
	size_t n = 0;
	int r = ps_filters_init(&ctx, en, &a->filters, e);

	if (r == 0)
		r = engine_list(en, wants_all(a), &in, &n, e);
	if (r < 0)
		return r;
	r = add_rows(l, a, &ctx, in, n, e);
	instances_free(in, n);
	return r < 0 ? r : listing_print(l, e);
}

static int ps_run(struct cli *c, void *args, struct strv *words, struct err *e)
{
	AUTO(listing_done) struct listing l = { 0 };
	const struct ps_args *a = args;
	struct engine *en;
	int r = listing_begin(&l, a->size ? &ps_form_with_size : &ps_form, a->format, a->quiet, e);

	if (r < 0)
		return r;
	en = cli_engine(c, e);
	return en ? list(en, a, &l, e) : -e->no;
}

const struct command cmd_ps = {
	.name = "ps",
	.usage = "",
	.summary = "List instances",
	.text = "Keys of --filter: ancestor=IMAGE, before=NAME, exited=CODE, expose=PORT[-PORT][/PROTOCOL], "
		"health, "
		"id, isolation, label=KEY[=VALUE], name (a regular expression), network, publish=PORT (as "
		"expose; its "
		"own or the host's), since=NAME, status, volume.  "
		"Values of one key are alternatives, keys add up.\n\n"
		"Fields of --format: .ID .Image .Command .CreatedAt .RunningFor .Status .State "
		".Isolation .Names .Labels .Label \"KEY\" .Mounts .LocalVolumes .Networks .Ports .Size",
	.opts = ps_opts,
	.args_size = sizeof(struct ps_args),
	.run = ps_run,
};
