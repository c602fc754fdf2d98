/* records.c - ketch rename, port: what is known of instances, without their running */
#include <errno.h>

#include "base/auto.h"
#include "cli/commands.h"
#include "cli/port_words.h"
#include "cli/text.h"
#include "engine/network.h"

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

/* --- port */

static int port_run(struct cli *c, void *args, struct strv *words, struct err *e)
{
	AUTO(instance_done) struct instance in = { 0 };
	AUTO(buf_done) struct buf out = { 0 };
	struct engine *en = cli_engine(c, e);
	int r = en ? engine_find(en, words->v[0], &in, e) : -e->no;

	if (r == 0)
		r = network_fill(en, &in, e);
	if (r < 0)
		return r;
	if (instance_is_live(&in.state))
		r = port_lines(&in.spec.net, words->n > 1 ? words->v[1] : NULL, &out);
	else
		r = words->n > 1 ? -ENOENT : 0;
	if (r == -ENOENT)
		return err_set(e, ENOENT, "no public port '%.60s' published for %s", words->v[1],
			       in.spec.name);
	return out.len ? cli_print(&out, e) : 0;
}

const struct command cmd_port = {
	.name = "port",
	.usage = "NAME [PORT]",
	.summary = "List the ports of an instance that the host publishes",
	.opts = no_opts,
	.min_words = 1,
	.max_words = 2,
	.words = WORDS_INSTANCE,
	.run = port_run,
};
