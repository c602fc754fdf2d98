/* logs.c - ketch logs: what an instance has written */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/parse.h"
#include "cli/commands.h"

struct logs_args {
	bool follow, timestamps, details;
	char *tail, *since, *until;
};

static const struct opt logs_opts[] = {
	OPT(FLAG, 0, "details", struct logs_args, details, NULL,
	    "Put before each line what --log-opt labels, env and tag ask for"),
	OPT(FLAG, 'f', "follow", struct logs_args, follow, NULL, "Go on until the instance ends"),
	OPT(STR, 0, "since", struct logs_args, since, "TIME",
	    "Only from then on: a time stamp, or a duration such as 10m"),
	OPT(STR, 'n', "tail", struct logs_args, tail, "NUMBER|all",
	    "Begin with that many lines from the end"),
	OPT(FLAG, 't', "timestamps", struct logs_args, timestamps, NULL,
	    "Put the time in front of each line"),
	OPT(STR, 0, "until", struct logs_args, until, "TIME", "Only before then: the same"),
	{ 0 },
};

static int parse_tail(const char *text, int64_t *ret, struct err *e)
{
	uint64_t n;

	if (!text || !strcmp(text, "all") || !strcmp(text, "-1")) {
		*ret = -1;
		return 0;
	}
	if (parse_u64(text, &n) < 0 || n > INT64_MAX)
		return err_set(e, EINVAL, "invalid value for --tail: \"%.160s\" must be a number or all",
			       text);
	*ret = (int64_t)n;
	return 0;
}

static int logs_run(struct cli *c, void *args, struct strv *words, struct err *e)
{
	AUTO(instance_done) struct instance in = { 0 };
	const struct logs_args *a = args;
	struct log_request rq = {
		.follow = a->follow,
		.timestamps = a->timestamps,
		.details = a->details,
		.out_fd = STDOUT_FILENO,
		.err_fd = STDERR_FILENO,
	};
	struct engine *en;
	int r = parse_tail(a->tail, &rq.tail, e);

	if (r == 0)
		r = cli_take_bound("--since", a->since, &rq.since_ns, e);
	if (r == 0)
		r = cli_take_bound("--until", a->until, &rq.until_ns, e);
	if (r < 0)
		return r;
	en = cli_engine(c, e);
	r = en ? engine_find(en, words->v[0], &in, e) : -e->no;
	return r < 0 ? r : engine_logs(en, &in, &rq, e);
}

const struct command cmd_logs = {
	.name = "logs",
	.usage = "NAME",
	.summary = "Print what an instance has written",
	.text = "What it wrote to stdout comes on stdout, what it wrote to stderr on stderr.  Drivers "
		"json-file, local and k8s-file are one kind of file, which this command reads, also when "
		"--log-opt max-size has begun it anew; what went to journald is read by journalctl.\n\n"
		"With --log-opt labels=KEY,KEY, labels-regex=REGEX, env=KEY,KEY, env-regex=REGEX and "
		"tag=TEXT, where TEXT may have {{.Name}}, {{.ID}} or {{.ImageName}} in it, drivers "
		"json-file and journald keep labels, variables and a tag with the lines: --details shows "
		"them, journald has fields of their names and CONTAINER_TAG.",
	.opts = logs_opts,
	.args_size = sizeof(struct logs_args),
	.min_words = 1,
	.max_words = 1,
	.words = WORDS_INSTANCE,
	.run = logs_run,
};
