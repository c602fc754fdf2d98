/* healthcheck.c - ketch healthcheck run: the check of an instance, now */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/auto.h"
#include "cli/attach.h"
#include "cli/commands.h"

#define CHECK_STREAM 1

static void process_done(struct process *p)
{
	json_done(&process_table, p);
}

/* 0: it is well, 1: it is not. */
static int check(struct engine *en, const struct instance *in, struct err *e)
{
	AUTO(process_done) struct process p = { 0 };
	AUTO(buf_done) struct buf json = { 0 };
	autoclose int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	struct attach how = {
		.stream = CHECK_STREAM,
		.start = &json,
		.start_type = MSG_START,
		.in_fd = STDIN_FILENO,
		.out_fd = null,
		.err_fd = null,
	};
	int fd = -1, r;

	if (!health_is_checked(&in->spec.health))
		return err_set(e, ENOENT, "%s has no defined healthcheck", in->spec.name);
	if (null < 0 || health_process(&in->spec.health, &in->spec.process, &p) < 0 ||
	    json_print(&process_table, &p, 0, &json) < 0)
		return err_set(e, ENOMEM, "out of memory");
	r = engine_connect(en, in, &fd, e);
	if (r < 0)
		return r;
	return attach_run(fd, &how) != 0 ? STATUS_FAILED : 0;
}

static int healthcheck_run(struct cli *c, void *args, struct strv *words, struct err *e)
{
	AUTO(instance_done) struct instance in = { 0 };
	struct engine *en = cli_engine(c, e);
	int r = en ? engine_find(en, words->v[0], &in, e) : -e->no;

	return r < 0 ? r : check(en, &in, e);
}

const struct command cmd_healthcheck_run = {
	.name = "healthcheck run",
	.usage = "NAME",
	.summary = "Run the health check of an instance now",
	.text = "The exit status is 0 when it is well, 1 when it is not, and 125 when there is nothing to be "
		"run.  The checks that run by themselves, and their results, are in ketch inspect, "
		".State.Health.",
	.opts = no_opts,
	.min_words = 1,
	.max_words = 1,
	.words = WORDS_INSTANCE,
	.failure = STATUS_USAGE,
	.run = healthcheck_run,
};
