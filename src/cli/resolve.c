/* resolve.c - ketch resolve, egress: names on networks, and names outside that an instance has asked for */
#include "engine/resolve.h"

#include <errno.h>

#include "base/auto.h"
#include "cli/commands.h"

/* A line each, behind `front`; the list is freed. */
static int print_lines(struct strv *list, const char *front, struct err *e)
{
	AUTO(buf_done) struct buf out = { 0 };

	for (size_t i = 0; i < list->n; i++)
		buf_addf(&out, "%s%s\n", front, list->v[i]);
	strv_done(list);
	return cli_print(&out, e);
}

/* --- resolve */

struct resolve_args {
	char *network;
};

static const struct opt resolve_opts[] = {
	OPT(STR, 0, "network", struct resolve_args, network, "NETWORK", "Only on this network"),
	{ 0 },
};

static int resolve_run(struct cli *c, void *args, struct strv *words, struct err *e)
{
	const struct resolve_args *a = args;
	struct engine *en = cli_engine(c, e);
	struct strv found = { 0 };
	int r = en ? engine_resolve(en, words->v[0], a->network, &found, e) : -e->no;

	return r < 0 ? r : print_lines(&found, "", e);
}

const struct command cmd_resolve = {
	.name = "resolve",
	.usage = "NAME|ADDRESS",
	.summary = "Print the addresses of a name on networks, or the name of an address",
	.text = "What the name service of each network answers: names of running instances, their aliases "
		"and short ids, also as NAME.NETWORK, NAME.ketch and NAME.NETWORK.ketch.\n\n"
		"The exit status is 1 when nobody is called so.",
	.opts = resolve_opts,
	.args_size = sizeof(struct resolve_args),
	.min_words = 1,
	.max_words = 1,
	.words = WORDS_INSTANCE,
	.run = resolve_run,
};

/* --- egress */

static int egress_run(struct cli *c, void *args, struct strv *words, struct err *e)
{
	AUTO(instance_done) struct instance in = { 0 };
	struct engine *en = cli_engine(c, e);
	struct strv asked = { 0 };
	int r = en ? engine_find(en, words->v[0], &in, e) : -e->no;

	if (r == 0)
		r = engine_asked(en, &in, &asked, e);
	return r < 0 ? r : print_lines(&asked, "--egress=", e);
}

const struct command cmd_egress = {
	.name = "egress",
	.usage = "INSTANCE",
	.summary = "Print the names outside that an instance has asked for, as flags for run",
	.text = "An instance that was started with --egress learn is kept from nothing, but each name that "
		"it has asked for and found is written down. The list is what it needs: ketch run "
		"$(ketch egress web) IMAGE.",
	.opts = no_opts,
	.min_words = 1,
	.max_words = 1,
	.words = WORDS_INSTANCE,
	.run = egress_run,
};
