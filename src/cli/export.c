/* export.c - ketch export: the whole root of an instance as a tar archive, or the instance with its snapshots */
#include <errno.h>

#include "base/auto.h"
#include "cli/commands.h"
#include "cli/exported.h"
#include "cli/files.h"
#include "cli/output.h"

struct export_args {
	char *output;
	bool instance, no_volumes;
};

static const struct opt export_opts[] = {
	OPT(FLAG, 0, "instance", struct export_args, instance, NULL,
	    "The instance itself, with its configuration, snapshots and volumes"),
	OPT(FLAG, 0, "no-volumes", struct export_args, no_volumes, NULL,
	    "With --instance: leave what its volumes hold"),
	OPT(STR, 'o', "output", struct export_args, output, "FILE", "Write to a file, not to stdout"),
	{ 0 },
};

static int export_all(struct engine *en, const struct instance *in, const struct export_args *a,
		      struct output *o, struct err *e)
{
	int r = export_instance(en, in, a->no_volumes, o->fd, e);

	if (r == -EPIPE) /* who stopped reading knows why */
		return STATUS_FAILED;
	return r == 0 ? output_keep(o, e) : r;
}

static int export_to(struct engine *en, const struct instance *in, struct output *o, struct err *e)
{
	AUTO(files_end_done) struct files_end end = { 0 };
	const struct files_talk t = { .type = MSG_GET,
				      .fd = -1,
				      .request = { .kind = FILES_TREE },
				      .sink = output_take,
				      .sink_arg = o };
	int r = files_talk(en, in, &t, &end, e);

	if (r == 0 && o->failed == 0)
		r = files_judge(&end, in->spec.name, e);
	return r == 0 ? output_keep(o, e) : r;
}

static int export_run(struct cli *c, void *args, struct strv *words, struct err *e)
{
	const struct export_args *a = args;
	AUTO(output_done) struct output o = { .path = a->output, .fd = -1 };
	AUTO(instance_done) struct instance in = { 0 };
	struct engine *en;
	int r;

	if (a->no_volumes && !a->instance)
		return err_set(e, EINVAL, "--no-volumes: without --instance there are none in it");
	en = cli_engine(c, e);
	r = en ? engine_find(en, words->v[0], &in, e) : -e->no;
	if (r == 0)
		r = output_open(&o, e);
	if (r < 0)
		return r;
	return a->instance ? export_all(en, &in, a, &o, e) : export_to(en, &in, &o, e);
}

const struct command cmd_export = {
	.name = "export",
	.usage = "NAME",
	.summary = "Write the root file system of an instance, or all of it, as an archive",
	.text = "The archive has what the image and the instance's own writes make together, without what is "
		"mounted in it: no volumes, no /proc.  ketch import makes an image of it again.  The "
		"instance may run or not.\n\n"
		"With --instance the archive has all of it: its configuration, the tree of its snapshots, "
		"what its root and its volumes hold now and held in each of them; ketch import --instance "
		"makes the same instance of it, in another store or under another name.  It is an OCI "
		"layout, in which each state is an image that ketch load and others take, too.  One that "
		"runs stands still for as long as a snapshot takes.  The memory of machines in snapshots, "
		"and directories of the host, are not in it.",
	.opts = export_opts,
	.args_size = sizeof(struct export_args),
	.min_words = 1,
	.max_words = 1,
	.words = WORDS_INSTANCE,
	.run = export_run,
};
