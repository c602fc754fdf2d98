/* update.c - ketch update: other limits for instances, also while they run */
#include <errno.h>
#include <string.h>

#include "base/auto.h"
#include "cli/commands.h"
#include "cli/limit_options.h"
#include "cli/run_options.h"

struct update_args {
	struct update_request rq;
	int64_t pids_limit;
};

#define UPDATE_OPT(type, letter, name, member, metavar, help)                                                \
	OPT(type, letter, name, struct update_args, member, metavar, help)

static const struct opt update_opts[] = {
	LIMIT_OPT_BLKIO_WEIGHT(struct update_args, rq.limits),
	LIMIT_OPTS_CPU(struct update_args, rq.limits),
	LIMIT_OPTS_MEMORY(struct update_args, rq.limits),
	UPDATE_OPT(BYTES, 0, "net-burst", rq.net_burst_bytes, "BYTES", "What goes at once beyond --net-rate"),
	UPDATE_OPT(LIST, 0, "net-rate", rq.net_rates, "RATE[:in|out]",
		   "Its speed: 10mbit, or 2m:out (bytes a second); 0: no limit"),
	LIMIT_OPT_PIDS(struct update_args, pids_limit),
	UPDATE_OPT(STR, 0, "restart", rq.restart, "POLICY", "no, always, unless-stopped or on-failure[:N]"),
	UPDATE_OPT(STR, 0, "snapshot-every", rq.snapshot_every, "DURATION",
		   "How often a snapshot is made while it runs; 0: never"),
	UPDATE_OPT(STR, 0, "snapshot-keep", rq.snapshot_keep, "NUMBER", "How many of those stay"),
	OPT_REFUSE(0, "cpu-rt-period", "groups of real-time processes have no limit here"),
	OPT_REFUSE(0, "cpu-rt-runtime", "groups of real-time processes have no limit here"),
	{ 0 },
};

static const struct update_args update_defaults = { .pids_limit = PIDS_NOT_GIVEN };

static int update_one(struct cli *c, const char *name, const struct update_request *rq, struct err *e)
{
	AUTO(instance_done) struct instance in = { 0 };
	struct engine *en = cli_engine(c, e);
	int r = en ? engine_find(en, name, &in, e) : -e->no;

	if (r == 0)
		r = engine_update(en, &in, rq, e);
	return r < 0 ? r : cli_print_name(name, e);
}

static int update_run(struct cli *c, void *args, struct strv *words, struct err *e)
{
	struct update_args *a = args;
	int status = 0;

	if (!memcmp(a, &update_defaults, sizeof(*a)))
		return err_set(e, EINVAL, "nothing to change: give one flag or more (ketch update --help)");
	if (a->pids_limit != PIDS_NOT_GIVEN)
		a->rq.limits.pids_limit = a->pids_limit > 0 ? a->pids_limit : -1;
	for (size_t i = 0; i < words->n; i++) {
		struct err why = { 0 };

		if (update_one(c, words->v[i], &a->rq, &why) < 0)
			status = cli_complain(&why, STATUS_FAILED);
	}
	return status;
}

const struct command cmd_update = {
	.name = "update",
	.usage = "NAME...",
	.summary = "Change limits of instances, also while they run",
	.text = "What is given changes, the rest stays.  A virtual machine that runs keeps its RAM and its "
		"processors: limits within them change at once, beyond them when it is stopped.",
	.opts = update_opts,
	.args_size = sizeof(struct update_args),
	.defaults = &update_defaults,
	.min_words = 1,
	.max_words = WORDS_ANY,
	.words = WORDS_INSTANCE,
	.run = update_run,
};
