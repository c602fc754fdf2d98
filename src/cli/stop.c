/* stop.c - ketch stop, kill, pause, unpause, wait, rm: one thing done to each of the instances that are named */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "cli/commands.h"
#include "cli/each.h"

/* --- stop */

struct stop_args {
	int timeout_s, signo; /* 0: its own */
};

static const struct opt stop_opts[] = {
	OPT(SIGNAL, 's', "signal", struct stop_args, signo, "SIGNAL", "Signal to send instead of its own"),
	OPT(SECONDS, 0, "time", struct stop_args, timeout_s, "SECONDS", "The same as --timeout"),
	OPT(SECONDS, 't', "timeout", struct stop_args, timeout_s, "SECONDS",
	    "How long to wait before it is killed"),
	{ 0 },
};

/* One of those that are stopped at the same time. */
struct one {
	struct instance in;
	struct stopping stopping;
	bool asked;
};

static bool is_asked(const struct one *all, size_t n, const char *id)
{
	for (size_t i = 0; i < n; i++)
		if (all[i].asked && !strcmp(all[i].in.spec.id, id))
			return true;
	return false;
}

/* The n-th.  Named twice, it is asked once: some programs take a second signal for a word of haste. */
static int ask(struct engine *en, const char *name, const struct stop_args *a, struct one *all, size_t n,
	       struct err *e)
{
	struct one *o = &all[n];
	int r = engine_find(en, name, &o->in, e);

	if (r < 0)
		return r;
	if (a->signo)
		o->in.spec.stop_signal = a->signo;
	o->stopping.fd = -1;
	if (!is_asked(all, n, o->in.spec.id))
		r = engine_stop_ask(en, &o->in, a->timeout_s, &o->stopping, e);
	o->asked = r == 0;
	return r;
}

static int stop_all(struct engine *en, const struct stop_args *a, struct one *all, const struct strv *names)
{
	int status = 0;

	for (size_t i = 0; i < names->n; i++) {
		struct err why = { 0 };

		if (ask(en, names->v[i], a, all, i, &why) < 0)
			status = cli_complain(&why, STATUS_FAILED);
	}
	for (size_t i = 0; i < names->n; i++) {
		struct err why = { 0 };
		int r = all[i].asked ? engine_stop_await(en, &all[i].in, a->timeout_s, &all[i].stopping, &why)
				     : 0;

		if (r == 0 && all[i].asked)
			r = cli_print_name(names->v[i], &why);
		if (r < 0)
			status = cli_complain(&why, STATUS_FAILED);
		instance_done(&all[i].in);
	}
	return status;
}

static int stop_run(struct cli *c, void *args, struct strv *words, struct err *e)
{
	struct engine *en = cli_engine(c, e);
	autofree struct one *all = calloc(words->n, sizeof(*all));

	if (!en)
		return -e->no;
	return all ? stop_all(en, args, all, words) : err_set(e, ENOMEM, "out of memory");
}

static const struct stop_args stop_defaults = { .timeout_s = -1 };
const struct command cmd_stop = {
	.name = "stop",
	.usage = "NAME...",
	.summary = "Ask instances to end, and kill those that do not",
	.text = "Sends the stop signal (SIGTERM unless the image or --stop-signal names another), and "
		"SIGKILL after the time-out, to all at the same time.",
	.opts = stop_opts,
	.args_size = sizeof(struct stop_args),
	.defaults = &stop_defaults,
	.min_words = 1,
	.max_words = WORDS_ANY,
	.words = WORDS_INSTANCE,
	.run = stop_run,
};

/* --- kill */

struct kill_args {
	int signo;
};

static const struct opt kill_opts[] = {
	OPT(SIGNAL, 's', "signal", struct kill_args, signo, "SIGNAL", "Signal to send (default KILL)"),
	{ 0 },
};

static int kill_one(struct engine *en, const struct instance *in, const void *args, struct buf *line,
		    struct err *e)
{
	return engine_signal(en, in, ((const struct kill_args *)args)->signo, e);
}

static int kill_run(struct cli *c, void *args, struct strv *words, struct err *e)
{
	return each_instance(c, words, &(const struct each){ .fn = kill_one, .args = args }, e);
}

static const struct kill_args kill_defaults = { .signo = SIGKILL };
const struct command cmd_kill = {
	.name = "kill",
	.usage = "NAME...",
	.summary = "Send a signal to instances",
	.opts = kill_opts,
	.args_size = sizeof(struct kill_args),
	.defaults = &kill_defaults,
	.min_words = 1,
	.max_words = WORDS_ANY,
	.words = WORDS_INSTANCE,
	.run = kill_run,
};

/* --- pause, unpause */

static int pause_one(struct engine *en, const struct instance *in, const void *args, struct buf *line,
		     struct err *e)
{
	return engine_pause(en, in, true, e);
}

static int pause_run(struct cli *c, void *args, struct strv *words, struct err *e)
{
	return each_instance(c, words, &(const struct each){ .fn = pause_one }, e);
}

const struct command cmd_pause = {
	.name = "pause",
	.usage = "NAME...",
	.summary = "Have all processes of instances stand still",
	.text = "Those of a container are frozen; a virtual machine's processors stop.  ketch unpause has "
		"them go on; stop, kill and rm -f work on a paused one, too.",
	.opts = no_opts,
	.min_words = 1,
	.max_words = WORDS_ANY,
	.words = WORDS_INSTANCE,
	.run = pause_run,
};

static int unpause_one(struct engine *en, const struct instance *in, const void *args, struct buf *line,
		       struct err *e)
{
	return engine_pause(en, in, false, e);
}

static int unpause_run(struct cli *c, void *args, struct strv *words, struct err *e)
{
	return each_instance(c, words, &(const struct each){ .fn = unpause_one }, e);
}

const struct command cmd_unpause = {
	.name = "unpause",
	.usage = "NAME...",
	.summary = "Have paused instances go on",
	.opts = no_opts,
	.min_words = 1,
	.max_words = WORDS_ANY,
	.words = WORDS_INSTANCE,
	.run = unpause_run,
};

/* --- rm */

struct rm_args {
	bool force, volumes;
};

static const struct opt rm_opts[] = {
	OPT(FLAG, 'f', "force", struct rm_args, force, NULL,
	    "Kill what still runs; what is missing is no failure"),
	OPT(FLAG, 'v', "volumes", struct rm_args, volumes, NULL, "Remove its anonymous volumes, too"),
	OPT_REFUSE('l', "link", "instances of one network know each other by name"),
	{ 0 },
};

static int rm_one(struct engine *en, const struct instance *in, const void *args, struct buf *line,
		  struct err *e)
{
	const struct rm_args *a = args;

	return engine_remove(en, in, (a->force ? REMOVE_FORCE : 0U) | (a->volumes ? REMOVE_VOLUMES : 0U), e);
}

static int rm_run(struct cli *c, void *args, struct strv *words, struct err *e)
{
	const struct rm_args *a = args;

	return each_instance(c, words,
			     &(const struct each){ .fn = rm_one, .args = a, .missing_ok = a->force }, e);
}

const struct command cmd_rm = {
	.name = "rm",
	.usage = "NAME...",
	.summary = "Remove instances with what they wrote",
	.opts = rm_opts,
	.args_size = sizeof(struct rm_args),
	.min_words = 1,
	.max_words = WORDS_ANY,
	.words = WORDS_INSTANCE,
	.run = rm_run,
};

/* --- wait */

static int wait_one(struct engine *en, const struct instance *in, const void *args, struct buf *line,
		    struct err *e)
{
	int code, r = engine_wait(en, in, &code, e);

	if (r == 0)
		buf_addf(line, "%d", code);
	return r;
}

static int wait_run(struct cli *c, void *args, struct strv *words, struct err *e)
{
	return each_instance(c, words, &(const struct each){ .fn = wait_one }, e);
}

const struct command cmd_wait = {
	.name = "wait",
	.usage = "NAME...",
	.summary = "Wait until instances have ended, and print their exit status",
	.opts = no_opts,
	.min_words = 1,
	.max_words = WORDS_ANY,
	.words = WORDS_INSTANCE,
	.run = wait_run,
};
