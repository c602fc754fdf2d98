/* run.c - ketch run, ketch launch, ketch create: a new instance from an image */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/io.h"
#include "cli/begin.h"
#include "cli/commands.h"
#include "cli/packed.h"
#include "cli/pull.h"
#include "cli/run_defaults.h"
#include "cli/template.h"
#include "cli/warm.h"

static int print_plan(struct engine *en, const struct run_request *rq, struct err *e)
{
	AUTO(plan_done) struct plan plan = { 0 };
	AUTO(buf_done) struct buf out = { 0 };
	int r = engine_plan(en, rq, &plan, e);

	if (r < 0)
		return r;
	plan_print(&plan, &out);
	return cli_print(&out, e);
}

static void spec_done(struct instance_spec *spec)
{
	json_done(&instance_spec_table, spec);
}

/* Made before the instance, so that no two have the same. */
static int open_cid_file(const char *path, int *ret, struct err *e)
{
	*ret = path ? open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644) : -1;
	if (!path || *ret >= 0)
		return 0;
	if (errno == EEXIST)
		return err_set(
			e, EEXIST,
			"container ID file found, make sure the other container isn't running or delete %s",
			path);
	return err_sys(e, errno, "--cidfile %s", path);
}

static int create_new(struct engine *en, const struct run_args *a, struct instance_spec *ret, struct err *e)
{
	autoclose int cid = -1;
	int r = open_cid_file(a->cid_file, &cid, e);

	if (r < 0)
		return r;
	r = engine_create(en, &a->rq, ret, e);
	if (r == 0 && cid >= 0 && write_full(cid, ret->id, strlen(ret->id)) < 0) {
		engine_remove(en, &(struct instance){ .spec = *ret }, REMOVE_VOLUMES, NULL);
		r = err_set(e, EIO, "--cidfile %s cannot be written", a->cid_file);
	}
	if (r < 0 && cid >= 0)
		unlink(a->cid_file);
	return r;
}

static int print_id(const struct instance_spec *spec, struct err *e)
{
	AUTO(buf_done) struct buf out = { 0 };

	buf_addf(&out, "%s\n", spec->id);
	return cli_print(&out, e);
}

static int start_new(struct engine *en, const struct warm *w, const struct instance_spec *spec,
		     const struct attach *how, struct err *e)
{
	return *w->name ? warm_begin(en, w, spec, how, e) : begin_run(en, spec, how, e);
}

static int run_new(struct engine *en, const struct run_args *a, const struct warm *w, const sigset_t *before,
		   struct err *e)
{
	AUTO(spec_done) struct instance_spec spec = { 0 };
	struct attach how;
	int r = create_new(en, a, &spec, e);

	if (r == 0)
		r = begin_prepare(&a->part, &spec, a->rq.interactive, &how, e);
	if (r < 0)
		return r;
	how.detach = a->detach;
	how.held = before;
	r = start_new(en, w, &spec, &how, e);
	return r == 0 && a->detach ? print_id(&spec, e) : r;
}

/* Who is told to end between the record and the start would leave what nobody has started, and --rm does not remove. */
static int run_held(struct engine *en, const struct run_args *a, const struct warm *w, struct err *e)
{
	sigset_t before;
	int r;

	attach_hold_signals(&before);
	r = run_new(en, a, w, &before, e);
	sigprocmask(SIG_SETMASK, &before, NULL);
	return r;
}

static int run_begun(struct engine *en, const struct run_args *a, struct err *e)
{
	AUTO(warm_done) struct warm w = { 0 };
	int r = warm_wanted(en, a, &w, e);

	return r < 0 ? r : run_held(en, a, &w, e);
}

/* What can be known to be wrong before anything is made. */
static int check_part(const struct run_args *a, struct err *e)
{
	struct attach unused;
	const struct instance_spec none = { 0 };

	if (a->detach && a->part.streams.n)
		return err_set(e, EINVAL, "conflicting options: -a and -d");
	if (a->rq.interactive && a->rq.tty && !a->detach && !a->dry_run && !isatty(STDIN_FILENO))
		return err_set(e, ENOTTY, NOT_A_TTY);
	return begin_prepare(&a->part, &none, false, &unused, e);
}

static int run_request(struct cli *c, struct run_args *a, struct err *e)
{
	bool goes_on = false;
	struct engine *en;
	int r = check_part(a, e);

	if (r < 0)
		return r;
	r = pull_before_run(c, a->rq.image, a->rq.platform, a->dry_run ? "never" : a->pull, a->quiet, e);
	if (r < 0)
		return r;
	en = cli_engine(c, e);
	if (!en)
		return -e->no;
	if (a->quiet)
		engine_set_progress(en, NULL, NULL);
	r = packed_wanted(en, a, &goes_on, e);
	if (r < 0 || goes_on)
		return r < 0 ? r : packed_run(c, a, e);
	return a->dry_run ? print_plan(en, &a->rq, e) : run_begun(en, a, e);
}

#define RUN_USAGE "IMAGE [COMMAND] [ARG...]"

static int run_run(struct cli *c, void *args, struct strv *words, struct err *e)
{
	struct run_args *a = args;
	int r;

	if (a->template)
		return words->n ? err_set(e, EINVAL,
					  "--template: the image and the command are those of the template")
				: template_run(c, a, e);
	if (!words->n)
		return err_set(e, EINVAL,
			       "\"ketch run\" requires at least 1 argument: ketch run [OPTIONS] " RUN_USAGE);
	r = run_args_take(a, words, e);
	if (r == 0)
		r = run_request(c, a, e);
	run_args_drop(a);
	return r;
}

static const struct run_args run_defaults = { .pids_limit = PIDS_NOT_GIVEN, .part.sig_proxy = true };
const struct command cmd_run = {
	.name = "run",
	.usage = RUN_USAGE,
	.summary = "Make an instance from an image and run a command in it",
	.text = "The instance is a container, or with --vm a virtual machine; everything else is the same "
		"for both. What stands behind the image is the command with its arguments; without one "
		"the image's own command runs.\n\n"
		"The exit status is that of the command; 125 when Ketch itself failed, 126 when the "
		"command cannot be executed, 127 when it was not found, 128+n when signal n ended it.\n\n"
		"--warm keeps a virtual machine that has booted with the image and in which nothing has "
		"begun, "
		"and has the next one with --warm begin there instead of booting: one for each image, "
		"kernel, "
		"driver, number of networks and size (--memory, --cpus, --storage-opt size=) of this host.  "
		"When one of them changes, it is made anew; template ls lists them.  All other flags are "
		"those of each instance, but what is mounted of the host, volumes too, is refused: such a "
		"machine cannot be saved.  So are containers, which boot nothing.  Under --driver kvm all "
		"who "
		"began in one machine share its pages until somebody writes to them: always instances of one "
		"store, so of one user.\n\n"
		"An image may hold the memory of a virtual machine (ketch push --memory).  As a container it "
		"runs as any other image does.  As a virtual machine it goes on where it was saved with "
		"--trusted: that memory was written elsewhere, by whoever made the image, and is read by the "
		"hypervisor, and its configuration may reach into this host.  Then only --name, --rm, "
		"--detach, --attach, --detach-keys and --sig-proxy can "
		"be "
		"given beside it; the machine becomes a template of this store, from which the next ones "
		"begin, and which goes with the image.  --disk-only boots from its files, as ketch create "
		"does.\n\n"
		"--template NAME goes on from what the template was doing: only --name, --rm, --detach, "
		"--attach, --detach-keys and --sig-proxy can be given beside it.",
	.opts = RUN_OPTS,
	.args_size = sizeof(struct run_args),
	.defaults = &run_defaults,
	.min_words = 0,
	.max_words = WORDS_ANY,
	.words = WORDS_IMAGE,
	.grammar = OPTS_FIRST,
	.prepare = run_prepare,
	.failure = STATUS_USAGE,
	.makes_store = true,
	.run = run_run,
};

static const struct run_args launch_defaults = { .pids_limit = PIDS_NOT_GIVEN,
						 .part.sig_proxy = true,
						 .detach = true };
const struct command cmd_launch = {
	.name = "launch",
	.usage = RUN_USAGE,
	.summary = "Run an instance in the background: run --detach",
	.opts = RUN_OPTS,
	.args_size = sizeof(struct run_args),
	.defaults = &launch_defaults,
	.min_words = 0,
	.max_words = WORDS_ANY,
	.words = WORDS_IMAGE,
	.grammar = OPTS_FIRST,
	.prepare = run_prepare,
	.failure = STATUS_USAGE,
	.makes_store = true,
	.run = run_run,
};

static int create_run(struct cli *c, void *args, struct strv *words, struct err *e)
{
	AUTO(spec_done) struct instance_spec spec = { 0 };
	struct run_args *a = args;
	struct engine *en = NULL;
	int r = run_args_take(a, words, e);

	if (r == 0)
		r = pull_before_run(c, a->rq.image, a->rq.platform, a->pull, a->quiet, e);
	if (r == 0) {
		en = cli_engine(c, e);
		r = en ? create_new(en, a, &spec, e) : -e->no;
	}
	run_args_drop(a);
	return r < 0 ? r : print_id(&spec, e);
}

const struct command cmd_create = {
	.name = "create",
	.usage = RUN_USAGE,
	.summary = "Make an instance from an image, to be started later",
	.text = "Prints the id.  ketch start runs it, as often as you like: what it wrote stays until ketch "
		"rm.",
	.opts = CREATE_OPTS,
	.args_size = sizeof(struct run_args),
	.defaults = &run_defaults,
	.min_words = 1,
	.max_words = WORDS_ANY,
	.words = WORDS_IMAGE,
	.grammar = OPTS_FIRST,
	.failure = STATUS_USAGE,
	.prepare = run_prepare,
	.makes_store = true,
	.run = create_run,
};
