/* records.c - ketch rename, prune, port: what is known of instances, without their running */
#include <errno.h>
#include <stdio.h>

#include "base/auto.h"
#include "cli/commands.h"
#include "cli/text.h"

/* --- rename */

static int rename_run(struct cli *c, void *args, struct strv *words, struct err *e)
{
	AUTO(instance_done) struct instance in = { 0 };
	struct engine *en = cli_engine(c, e);
	int r = en ? engine_find(en, words->v[0], &in, e) : -e->no;

	return r < 0 ? r : engine_rename(en, &in, words->v[1], e);
}

const struct command cmd_rename = {
	.name = "rename",
	.usage = "NAME NEW-NAME",
	.summary = "Give an instance another name",
	.opts = no_opts,
	.min_words = 2,
	.max_words = 2,
	.words = WORDS_INSTANCE,
	.run = rename_run,
};

/* --- prune */

struct prune_args {
	bool force;
};

static const struct opt prune_opts[] = {
	OPT(FLAG, 'f', "force", struct prune_args, force, NULL, "Do not ask"),
	{ 0 },
};

/* Docker's question; whoever says nothing has said no. */
static bool agrees(void)
{
	char answer[8] = "";

	fputs("WARNING! This will remove all stopped containers.\nAre you sure you want to continue? [y/N] ",
	      stdout);
	fflush(stdout);
	return fgets(answer, sizeof(answer), stdin) && (answer[0] == 'y' || answer[0] == 'Y');
}

static int prune_run(struct cli *c, void *args, struct strv *words, struct err *e)
{
	AUTO(strv_done) struct strv ids = { 0 };
	AUTO(buf_done) struct buf out = { 0 };
	struct engine *en = cli_engine(c, e);
	uint64_t bytes = 0;
	int r;

	if (!en)
		return -e->no;
	if (!((const struct prune_args *)args)->force && !agrees())
		return 0;
	r = engine_prune(en, &ids, &bytes, e);
	if (ids.n)
		buf_adds(&out, "Deleted Containers:\n");
	for (size_t i = 0; i < ids.n; i++)
		buf_addf(&out, "%s\n%s", ids.v[i], i + 1 == ids.n ? "\n" : "");
	buf_adds(&out, "Total reclaimed space: ");
	text_add_size(&out, bytes);
	buf_addc(&out, '\n');
	if (r < 0 && !ids.n)
		return r;
	if (r < 0)
		cli_complain(e, 0);
	return cli_print(&out, e) < 0 ? -e->no : r < 0 ? STATUS_FAILED : 0;
}

const struct command cmd_container_prune = {
	.name = "container prune",
	.usage = "",
	.summary = "Remove all instances that do not run",
	.opts = prune_opts,
	.args_size = sizeof(struct prune_args),
	.run = prune_run,
};

/* --- port */

static int port_run(struct cli *c, void *args, struct strv *words, struct err *e)
{
	AUTO(instance_done) struct instance in = { 0 };
	struct engine *en = cli_engine(c, e);
	int r = en ? engine_find(en, words->v[0], &in, e) : -e->no;

	if (r == 0 && words->n > 1)
		r = err_set(e, ENOENT, "no public port '%.60s' published for %s", words->v[1], in.spec.name);
	return r;
}

const struct command cmd_port = {
	.name = "port",
	.usage = "NAME [PORT]",
	.summary = "List the ports of an instance that the host publishes",
	.text = "There are none: instances have no network of their own, or all of the host's.",
	.opts = no_opts,
	.min_words = 1,
	.max_words = 2,
	.words = WORDS_INSTANCE,
	.run = port_run,
};
