/* records.c - ketch rename */
#include "base/auto.h"
#include "cli/commands.h"

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
