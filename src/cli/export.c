/* export.c - ketch export: the whole root of an instance as a tar archive */
#include "base/auto.h"
#include "cli/commands.h"
#include "cli/files.h"
#include "cli/output.h"

struct export_args {
	char *output;
};

static const struct opt export_opts[] = {
	OPT(STR, 'o', "output", struct export_args, output, "FILE", "Write to a file, not to stdout"),
	{ 0 },
};

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
	struct engine *en = cli_engine(c, e);
	int r = en ? engine_find(en, words->v[0], &in, e) : -e->no;

	if (r == 0)
		r = output_open(&o, e);
	return r == 0 ? export_to(en, &in, &o, e) : r;
}

const struct command cmd_export = {
	.name = "export",
	.usage = "NAME",
	.summary = "Write the root file system of an instance as a tar archive",
	.text = "The archive has what the image and the instance's own writes make together, without what is "
		"mounted in it: no volumes, no /proc.  ketch import makes an image of it again.  The "
		"instance may run or not.",
	.opts = export_opts,
	.args_size = sizeof(struct export_args),
	.min_words = 1,
	.max_words = 1,
	.words = WORDS_INSTANCE,
	.run = export_run,
};
