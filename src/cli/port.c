/* port.c - ketch port, port add, port rm: what the host publishes of an instance */
#include <errno.h>
#include <string.h>

#include "base/auto.h"
#include "cli/commands.h"
#include "cli/port_words.h"
#include "engine/network.h"

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
	.text = "An instance called add or rm, which are commands: ketch port -- add.",
	.opts = no_opts,
	.min_words = 1,
	.max_words = 2,
	.words = WORDS_INSTANCE,
	.run = port_run,
};

/* --- add and rm */

/* The first word names the instance, the others are as for -p; borrows. */
static int find(struct cli *c, const struct strv *words, struct instance *in, struct net_request *rq,
		struct err *e)
{
	struct engine *en = cli_engine(c, e);

	rq->publish = (struct strv){ .v = words->v + 1, .n = words->n - 1 };
	rq->publish_address = (char *)settings_get(&c->settings, "publish-address");
	return en ? engine_find(en, words->v[0], in, e) : -e->no;
}

static int port_add_run(struct cli *c, void *args, struct strv *words, struct err *e)
{
	AUTO(instance_done) struct instance in = { 0 };
	AUTO(buf_done) struct buf out = { 0 };
	struct net_request rq = { 0 };
	struct net_spec added = { 0 };
	int r = find(c, words, &in, &rq, e);

	if (r == 0)
		r = network_publish(cli_engine(c, e), &in, &rq, &added, e);
	if (r < 0)
		return r;
	port_lines(&added, NULL, &out);
	json_done(&net_spec_table, &added);
	return out.len ? cli_print(&out, e) : 0;
}

const struct command cmd_port_add = {
	.name = "port add",
	.usage = "NAME [[IP:]PORT:]PORT...",
	.summary = "Publish further ports of an instance, also while it runs",
	.text = "Ports are given as for run -p.  Where the instance runs, what was published is printed as "
		"ketch port does.",
	.opts = no_opts,
	.min_words = 2,
	.max_words = WORDS_ANY,
	.words = WORDS_INSTANCE,
	.run = port_add_run,
};

static int port_rm_run(struct cli *c, void *args, struct strv *words, struct err *e)
{
	AUTO(instance_done) struct instance in = { 0 };
	struct net_request rq = { 0 };
	int r = find(c, words, &in, &rq, e);

	return r < 0 ? r : network_unpublish(cli_engine(c, e), &in, &rq, e);
}

const struct command cmd_port_rm = {
	.name = "port rm",
	.usage = "NAME [[IP:]PORT:]PORT...",
	.summary = "Publish ports of an instance no more, also while it runs",
	.text = "Ports are given as for run -p; without a port of the host, all on that address that lead to "
		"PORT are meant.  What is connected stays so.",
	.opts = no_opts,
	.min_words = 2,
	.max_words = WORDS_ANY,
	.words = WORDS_INSTANCE,
	.run = port_rm_run,
};
