/* template.c - ketch template: virtual machines that have booted and warmed up, for others to go on from
 *
 * A template is an instance that does not run, with the label TEMPLATE_LABEL, and its snapshot TEMPLATE_SNAPSHOT, which holds its memory.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "cli/commands.h"
#include "cli/exec.h"
#include "cli/inspect.h"
#include "cli/run_defaults.h"
#include "cli/saved.h"
#include "cli/template.h"
#include "cli/text.h"
#include "engine/ask.h"
#include "engine/warm.h"

bool template_is(const struct instance *in)
{
	return template_is_named(&in->spec);
}

static int find(struct engine *en, const char *name, struct instance *ret, struct snapshot *ret_snapshot,
		struct err *e)
{
	int r = engine_find(en, name, ret, NULL);

	if (r == -ENOENT || (r == 0 && !template_is(ret)))
		return err_set(e, ENOENT, "there is no template \"%.80s\"", name);
	if (r < 0)
		return err_sys(e, -r, "template %.80s", name);
	return snapshot_find(en, ret, TEMPLATE_SNAPSHOT, ret_snapshot, e);
}

/* --- create */

static void spec_done(struct instance_spec *spec)
{
	json_done(&instance_spec_table, spec);
}

/* NAME IMAGE [COMMAND...] [-- WARM-UP...]: NAME and the warm-up are taken out of the words. */
static int take_words(struct strv *words, char **ret_name, struct strv *ret_warm_up, struct err *e)
{
	size_t end = 0;
	int r = 0;

	*ret_name = words->v[0];
	memmove(words->v, words->v + 1, --words->n * sizeof(*words->v));
	while (end < words->n && strcmp(words->v[end], "--") != 0)
		end++;
	for (size_t i = end + 1; i < words->n && r == 0; i++)
		r = strv_add(ret_warm_up, words->v[i]);
	while (words->n > end)
		free(words->v[--words->n]);
	words->v[words->n] = NULL;
	return r < 0 ? err_set(e, ENOMEM, "out of memory") : 0;
}

/* Whose command has ended is no template: whoever goes on from it would end at once, too. */
static int check_stays(struct engine *en, const struct instance *in, struct err *e)
{
	AUTO(process_list_done) struct process_list list = { 0 };
	AUTO(instance_done) struct instance now = { 0 };
	autofree char *status = NULL;
	int r = engine_ask_top(en, in, &list, NULL);

	if (r == 0 && list.n)
		return 0;
	if (engine_find(en, in->spec.id, &now, NULL) == 0 && !instance_is_live(&now.state))
		status = str_printf(" (status %d)", now.state.exit_code);
	return err_set(
		e, ESRCH,
		"the command of %s has ended%s: a template needs one that stays, such as sleep infinity",
		in->spec.name, status ? status : "");
}

static int warm_up(struct engine *en, const struct instance *in, const struct strv *command, struct err *e)
{
	int status = command->n ? cli_exec(en, in, command, e) : 0;

	if (status != 0 && check_stays(en, in, e) < 0) /* which ended the warm-up, too */
		return -e->no;
	return status > 0 ? err_set(e, EIO, "the warm-up ended with status %d", status) : status;
}

static int keep(struct engine *en, const struct instance *in, struct err *e)
{
	const struct snapshot_request how = { .name = TEMPLATE_SNAPSHOT, .memory = MEMORY_MUST };
	AUTO(snapshot_done) struct snapshot s = { 0 };

	return snapshot_create(en, in, &how, &s, e);
}

/* That its command has ended is the reason also where it could not be saved for that. */
static int keep_running(struct engine *en, const struct instance *in, struct err *e)
{
	int r = keep(en, in, e);
	struct err ended;

	if (check_stays(en, in, &ended) == 0)
		return r;
	*e = ended;
	return -e->no;
}

/* Started, warmed up, saved, ended. */
static int prepare(struct engine *en, const struct instance_spec *spec, const struct strv *command,
		   struct err *e)
{
	const struct attach how = { .detach = true };
	AUTO(instance_done) struct instance in = { 0 };
	int r = begin_run(en, spec, &how, e);

	if (r > 0)
		r = err_set(e, EIO, "%s did not start", spec->name);
	if (r == 0)
		r = engine_find(en, spec->id, &in, e);
	if (r == 0)
		r = warm_up(en, &in, command, e);
	if (r == 0)
		r = keep_running(en, &in, e);
	return r < 0 ? r : engine_end(en, &in, e);
}

static int make(struct engine *en, struct run_args *a, const struct strv *command, struct err *e)
{
	AUTO(spec_done) struct instance_spec spec = { 0 };
	AUTO(buf_done) struct buf line = { 0 };
	int r = engine_create(en, &a->rq, &spec, e);

	if (r < 0)
		return r;
	r = prepare(en, &spec, command, e);
	if (r < 0) {
		engine_remove(en, &(struct instance){ .spec = spec, .state.status = STATUS_EXITED },
			      REMOVE_FORCE | REMOVE_VOLUMES, NULL);
		return r;
	}
	buf_addf(&line, "%s\n", spec.id);
	return cli_print(&line, e);
}

static int create_run(struct cli *c, void *args, struct strv *words, struct err *e)
{
	AUTO(strv_done) struct strv command = { 0 };
	struct run_args *a = args;
	struct engine *en = cli_engine(c, e);
	autofree char *name = NULL;
	int r = en ? take_words(words, &name, &command, e) : -e->no;

	if (r == 0 && !words->n)
		r = err_set(e, EINVAL, "template create: NAME IMAGE");
	a->vm = true;
	if (r == 0)
		r = run_args_take(a, words, e);
	if (r == 0 &&
	    (strv_addf(&a->rq.labels, TEMPLATE_LABEL "=%s", name) < 0 || !(a->rq.name = strdup(name))))
		r = err_set(e, ENOMEM, "out of memory");
	if (r == 0)
		r = make(en, a, &command, e);
	run_args_drop(a);
	return r;
}

static const struct run_args create_defaults = { .pids_limit = PIDS_NOT_GIVEN, .part.sig_proxy = true };
const struct command cmd_template_create = {
	.name = "template create",
	.usage = "NAME IMAGE [COMMAND] [ARG...] [-- WARM-UP...]",
	.summary = "Keep a virtual machine that has booted and warmed up, for others to go on from",
	.text = "The machine runs the command of the image, then the warm-up in it; when that has ended "
		"well, its memory, devices and files are kept, and it ends.  ketch run --template NAME "
		"goes on from there, in a few milliseconds under --driver kvm, where pages are shared "
		"until somebody writes to them; QEMU reads its memory first.  Options are those of run.",
	.opts = CREATE_OPTS,
	.args_size = sizeof(struct run_args),
	.defaults = &create_defaults,
	.min_words = 2,
	.max_words = WORDS_ANY,
	.grammar = OPTS_FIRST,
	.failure = STATUS_USAGE,
	.prepare = run_prepare,
	.makes_store = true,
	.run = create_run,
};

/* --- run --template */

/* What of an instance is not of the machine that it goes on from; which machine that is, comes in the second line. */
static bool may_differ(const char *name)
{
	static const char *const names[] = { "attach", "detach",   "detach-keys", "disk-only", "name",
					     "quiet",  "rm",	   "sig-proxy",	  "isolation", "platform",
					     "pull",   "template", "trusted",	  "vm" };

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (!strcmp(names[i], name))
			return true;
	return false;
}

int template_check_flags(const struct opt *opts, const struct run_args *given, struct err *e)
{
	const char *fixed = NULL;

	for (const struct opt *o = opts; o->type;
	     o++) /* of two names for one thing the last is the usual one */
		if (opts_is_given(o, given) && !may_differ(o->name))
			fixed = o->name;
	if (!fixed)
		return 0;
	return given->template
		       ? err_set(e, EINVAL,
				 "--template: the machine runs already: --%s is of the template (template "
				 "create)",
				 fixed)
		       : err_set(e, EINVAL,
				 "--trusted: the machine runs already: --%s is what it was where it was "
				 "saved",
				 fixed);
}

static int go_on(struct cli *c, const struct run_args *a, const struct instance_spec *spec,
		 const struct snapshot *s, struct err *e)
{
	AUTO(buf_done) struct buf line = { 0 };
	struct attach how;
	int fd = -1, r = begin_prepare(&a->part, spec, spec->process.stdin_open, &how, e);

	if (r < 0)
		return r;
	how.detach = a->detach;
	r = engine_start_saved(c->engine, spec, s, &fd, e);
	r = begin_started(c->engine, spec, &how, r, fd);
	if (r != 0 || !a->detach)
		return r;
	buf_addf(&line, "%s\n", spec->id);
	return cli_print(&line, e);
}

int template_begin(struct cli *c, const struct run_args *a, const struct instance *in,
		   const struct snapshot *s, const char *like, struct err *e)
{
	AUTO(spec_done) struct instance_spec spec = { 0 };
	const struct clone_request how = { .name = a->rq.name, .auto_remove = a->rq.auto_remove };
	unsigned number = 0;
	int r = how.name ? snapshot_clone(c->engine, in, s->id, &how, &spec, e)
			 : cli_clone_numbered(c->engine, in, s->id, &how, like, &number, &spec, e);

	return r < 0 ? r : go_on(c, a, &spec, s, e);
}

int template_run(struct cli *c, const struct run_args *a, struct err *e)
{
	AUTO(snapshot_done) struct snapshot s = { 0 };
	AUTO(instance_done) struct instance in = { 0 };
	struct engine *en = cli_engine(c, e);
	int r = en ? find(en, a->template, &in, &s, e) : -e->no;

	if (r == 0 && warm_is(&in.spec))
		r = err_set(e, EINVAL, "nothing has begun in %s: it is for run --warm %s", in.spec.name,
			    in.spec.image);
	return r < 0 ? r : template_begin(c, a, &in, &s, a->template, e);
}

/* --- inspect */

/* Strings are borrowed. */
struct view {
	const char *name, *id, *image;
	struct snapshot snapshot;
};

static const struct jfield view_fields[] = {
	J(J_STR, struct view, name),
	J(J_STR, struct view, id),
	J(J_STR, struct view, image),
	JO(struct view, snapshot, "snapshot", &snapshot_table),
	{ 0 },
};
static const struct jtable view_table = { sizeof(struct view), view_fields };

static int inspect_add(struct cli *c, const char *name, int json_flags, struct buf *out, struct err *e)
{
	AUTO(snapshot_done) struct snapshot s = { 0 };
	AUTO(instance_done) struct instance in = { 0 };
	struct engine *en = cli_engine(c, e);
	int r = en ? find(en, name, &in, &s, e) : -e->no;
	struct view v;

	if (r < 0)
		return r;
	v = (struct view){ in.spec.name, in.spec.id, in.spec.image, s };
	return json_print(&view_table, &v, json_flags, out) < 0 ? err_set(e, ENOMEM, "out of memory") : 0;
}

static int inspect_run(struct cli *c, void *args, struct strv *words, struct err *e)
{
	return inspect_each(c, words, ((const struct inspect_format *)args)->format, inspect_add, e);
}

const struct command cmd_template_inspect = {
	.name = "template inspect",
	.usage = "NAME...",
	.summary = "Print all about templates as JSON",
	.text = "What others go on from is its snapshot, as snapshot inspect has it: memory.ramBytes is the "
		"RAM of the machine, memory.fileBytes what is kept of it, spec its configuration.",
	.opts = inspect_format_opts,
	.args_size = sizeof(struct inspect_format),
	.min_words = 1,
	.max_words = WORDS_ANY,
	.words = WORDS_TEMPLATE,
	.run = inspect_run,
};

/* --- rm */

static int remove_one(struct engine *en, const char *name, struct err *e)
{
	AUTO(snapshot_done) struct snapshot s = { 0 };
	AUTO(instance_done) struct instance in = { 0 };
	int r = find(en, name, &in, &s, e);

	return r < 0 ? r : engine_remove(en, &in, REMOVE_FORCE | REMOVE_VOLUMES, e);
}

static int rm_run(struct cli *c, void *args, struct strv *words, struct err *e)
{
	struct engine *en = cli_engine(c, e);
	int r = en ? 0 : -e->no;

	for (size_t i = 0; i < words->n && r == 0; i++)
		r = remove_one(en, words->v[i], e);
	return r;
}

const struct command cmd_template_rm = {
	.name = "template rm",
	.usage = "NAME...",
	.summary = "Remove templates; those that went on from one stay as they are",
	.opts = no_opts,
	.min_words = 1,
	.max_words = WORDS_ANY,
	.words = WORDS_TEMPLATE,
	.run = rm_run,
};
