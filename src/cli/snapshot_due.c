/* snapshot_due.c - ketch snapshot-due: what a monitor starts when its instance's policy says so */
#include "base/auto.h"
#include "cli/commands.h"
#include "engine/snapshot.h"

static int due_run(struct cli *c, void *args, struct strv *words, struct err *e)
{
	AUTO(instance_done) struct instance in = { 0 };
	struct engine *en = cli_engine(c, e);
	int r = en ? engine_find(en, words->v[0], &in, e) : -e->no;

	(void)args;
	return r < 0 ? r : snapshot_auto(en, &in, e);
}

const struct command cmd_snapshot_due = {
	.name = "snapshot-due",
	.usage = "NAME",
	.summary = "Make a snapshot that a policy asks for (used by ketch-monitor)",
	.opts = no_opts,
	.min_words = 1,
	.max_words = 1,
	.run = due_run,
};
