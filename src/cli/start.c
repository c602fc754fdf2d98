/* start.c - ketch start, restart, attach: an instance begins, again, or is joined by our terminal */
#include <errno.h>
#include <limits.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/parse.h"
#include "cli/begin.h"
#include "cli/commands.h"
#include "cli/each.h"

/* --- start */

struct start_args {
	struct take_part part; /* .streams stays empty */
	bool attach, interactive;
};

#define PART_OPTS(struct_)                                                                                   \
	OPT(STR, 0, "detach-keys", struct_, part.detach_keys, "KEYS",                                        \
	    "Keys that leave it running (default " DETACH_KEYS_DEFAULT ")"),                                 \
		OPT(FLAG, 0, "sig-proxy", struct_, part.sig_proxy, NULL,                                     \
		    "Send signals on to it (default true)")

#define NO_CHECKPOINT "ketch snapshot create --live keeps what runs, ketch rollback goes on from there"

static const struct opt start_opts[] = {
	OPT(FLAG, 'a', "attach", struct start_args, attach, NULL, "Show its output and wait for its end"),
	OPT(FLAG, 'i', "interactive", struct start_args, interactive, NULL, "Attach its stdin, too"),
	PART_OPTS(struct start_args),
	OPT_REFUSE(0, "checkpoint", NO_CHECKPOINT),
	OPT_REFUSE(0, "checkpoint-dir", NO_CHECKPOINT),
	{ 0 },
};

/* Joins one that runs. */
static int join(struct engine *en, const struct instance *in, struct attach *how, struct err *e)
{
	int fd = -1, r = engine_connect(en, in, &fd, e);

	how->running = true;
	return r < 0 ? r : attach_run(fd, how);
}

static int refuse_paused(const struct instance *in, struct err *e)
{
	return in->state.status == STATUS_PAUSED
		       ? err_set(e, EBUSY,
				 "%s is paused: cannot start a paused container, try unpause instead",
				 in->spec.name)
		       : 0;
}

/* The exit status, or -errno.  What goes wrong inside the pump is told by it. */
static int start_and_join(struct engine *en, const struct instance *in, const struct start_args *a,
			  struct err *e)
{
	struct attach how;
	int r = refuse_paused(in, e);

	if (r == 0)
		r = begin_prepare(&a->part, &in->spec, a->interactive, &how, e);
	if (r < 0)
		return r;
	r = begin_run(en, &in->spec, &how, e);
	return r == -EALREADY ? join(en, in, &how, e) : r;
}

static int start_one(struct engine *en, const struct instance *in, const void *args, struct buf *line,
		     struct err *e)
{
	const struct attach how = { .detach = true };
	int r = refuse_paused(in, e);

	if (r == 0)
		r = begin_run(en, &in->spec, &how, e);
	if (r == -EALREADY)
		return 0;
	/* the pump has said why */
	return r > 0 ? err_set(e, EIO, "failed to start %s", in->spec.name) : r;
}

static int start_run(struct cli *c, void *args, struct strv *words, struct err *e)
{
	AUTO(instance_done) struct instance in = { 0 };
	const struct start_args *a = args;
	struct engine *en;
	int r;

	if (!a->attach && !a->interactive)
		return each_instance(c, words, &(const struct each){ .fn = start_one }, e);
	if (words->n > 1)
		return err_set(e, EINVAL, "you cannot start and attach multiple containers at once");
	en = cli_engine(c, e);
	r = en ? engine_find(en, words->v[0], &in, e) : -e->no;
	return r < 0 ? r : start_and_join(en, &in, a, e);
}

static const struct start_args start_defaults = { .part.sig_proxy = true };
const struct command cmd_start = {
	.name = "start",
	.usage = "NAME...",
	.summary = "Start instances that were created or have ended",
	.text = "They find what they wrote before.  One that runs is left alone.  With -a the exit status is "
		"that of the instance.",
	.opts = start_opts,
	.args_size = sizeof(struct start_args),
	.defaults = &start_defaults,
	.min_words = 1,
	.max_words = WORDS_ANY,
	.words = WORDS_INSTANCE,
	.run = start_run,
};

/* --- start-locked: what a monitor becomes when the policy starts its instance again */

static int start_locked_run(struct cli *c, void *args, struct strv *words, struct err *e)
{
	AUTO(instance_done) struct instance in = { 0 };
	struct engine *en = cli_engine(c, e);
	uint32_t lock;
	int r = en ? engine_find(en, words->v[0], &in, e) : -e->no;

	if (r == 0 && (parse_u32(words->v[1], &lock) < 0 || lock > INT_MAX))
		r = err_set(e, EINVAL, "%.60s is not a descriptor", words->v[1]);
	return r < 0 ? r : begin_locked(en, &in, (int)lock, e);
}

const struct command cmd_start_locked = {
	.name = "start-locked",
	.usage = "NAME DESCRIPTOR",
	.summary = "Start an instance again whose lock is handed over (used by ketch-monitor)",
	.opts = no_opts,
	.min_words = 2,
	.max_words = 2,
	.run = start_locked_run,
};

/* --- restart */

struct restart_args {
	int timeout_s, signo; /* 0: its own */
};

static const struct opt restart_opts[] = {
	OPT(SIGNAL, 's', "signal", struct restart_args, signo, "SIGNAL", "Signal to send instead of its own"),
	OPT(SECONDS, 0, "time", struct restart_args, timeout_s, "SECONDS", "The same as --timeout"),
	OPT(SECONDS, 't', "timeout", struct restart_args, timeout_s, "SECONDS",
	    "How long to wait before it is killed"),
	{ 0 },
};

static int restart_one(struct engine *en, const struct instance *in, const void *args, struct buf *line,
		       struct err *e)
{
	const struct restart_args *a = args;
	struct instance now = { .spec = in->spec, .state.status = STATUS_EXITED }, with = *in;
	int r;

	if (a->signo)
		with.spec.stop_signal = a->signo;
	r = engine_stop(en, &with, a->timeout_s, e);
	return r < 0 ? r : start_one(en, &now, NULL, line, e);
}

static int restart_run(struct cli *c, void *args, struct strv *words, struct err *e)
{
	return each_instance(c, words, &(const struct each){ .fn = restart_one, .args = args }, e);
}

static const struct restart_args restart_defaults = { .timeout_s = -1 };
const struct command cmd_restart = {
	.name = "restart",
	.usage = "NAME...",
	.summary = "Stop instances, and start them again",
	.opts = restart_opts,
	.args_size = sizeof(struct restart_args),
	.defaults = &restart_defaults,
	.min_words = 1,
	.max_words = WORDS_ANY,
	.words = WORDS_INSTANCE,
	.run = restart_run,
};

/* --- attach */

struct attach_args {
	struct take_part part;
	bool no_stdin;
};

static const struct opt attach_opts[] = {
	OPT(FLAG, 0, "no-stdin", struct attach_args, no_stdin, NULL, "Do not attach stdin"),
	PART_OPTS(struct attach_args),
	{ 0 },
};

static int check_attach(const struct instance *in, struct err *e)
{
	switch ((enum instance_status)in->state.status) {
	case STATUS_RUNNING:
	case STATUS_STARTING:
		return 0;
	case STATUS_PAUSED:
		return err_set(e, EBUSY, "you cannot attach to a paused container, unpause it first");
	case STATUS_RESTARTING:
		return err_set(e, EBUSY,
			       "you cannot attach to a restarting container, wait until it is running");
	case STATUS_CREATED:
	case STATUS_EXITED:
	case STATUS_N:
		break;
	}
	return err_set(e, ESRCH, "you cannot attach to a stopped container, start it first");
}

static int attach_to(struct engine *en, const struct instance *in, const struct attach_args *a, struct err *e)
{
	struct attach how;
	int r = check_attach(in, e);

	if (r == 0)
		r = begin_prepare(&a->part, &in->spec, !a->no_stdin, &how, e);
	if (r < 0)
		return r;
	if (how.interactive && how.tty && !isatty(STDIN_FILENO))
		return err_set(e, ENOTTY, NOT_A_TTY);
	return join(en, in, &how, e);
}

static int attach_command(struct cli *c, void *args, struct strv *words, struct err *e)
{
	AUTO(instance_done) struct instance in = { 0 };
	struct engine *en = cli_engine(c, e);
	int r = en ? engine_find(en, words->v[0], &in, e) : -e->no;

	return r < 0 ? r : attach_to(en, &in, args, e);
}

static const struct attach_args attach_defaults = { .part.sig_proxy = true };
const struct command cmd_attach = {
	.name = "attach",
	.usage = "NAME",
	.summary = "Join our stdin, stdout and stderr to those of a running instance",
	.text = "On a terminal the detach keys leave it running.  The exit status is that of the instance.",
	.opts = attach_opts,
	.args_size = sizeof(struct attach_args),
	.defaults = &attach_defaults,
	.min_words = 1,
	.max_words = 1,
	.words = WORDS_INSTANCE,
	.run = attach_command,
};
