/* export.c - ketch export: the whole root of an instance as a tar archive */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/io.h"
#include "cli/commands.h"
#include "cli/files.h"

struct export_args {
	char *output;
};

static const struct opt export_opts[] = {
	OPT(STR, 'o', "output", struct export_args, output, "FILE", "Write to a file, not to stdout"),
	{ 0 },
};

/* Where it goes.  A file is written beside its name first: who finds it there finds it whole. */
struct output {
	const char *path; /* NULL: stdout */
	char *part; /* owned; NULL: `path` itself is written, for it is no regular file */
	int fd;
	int failed; /* -errno of the first write that failed */
};

static void output_done(struct output *o)
{
	if (o->path && o->fd >= 0)
		close(o->fd);
	if (o->part)
		unlink(o->part); /* has gone when all went well */
	free(o->part);
}

static int output_open(struct output *o, struct err *e)
{
	struct stat st;

	if (!o->path)
		return files_refuse_terminal(o->fd = STDOUT_FILENO, e);
	if (stat(o->path, &st) == 0 && !S_ISREG(st.st_mode)) {
		o->fd = open(o->path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
		return o->fd < 0 ? err_sys(e, errno, "%.200s", o->path) : 0;
	}
	o->part = str_printf("%s.%d.part", o->path, getpid());
	if (!o->part)
		return err_set(e, ENOMEM, "out of memory");
	o->fd = open(o->part, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	return o->fd < 0 ? err_sys(e, errno, "%.200s", o->path) : 0;
}

static int output_take(void *arg, const void *data, size_t n)
{
	struct output *o = arg;

	o->failed = write_full(o->fd, data, n);
	/* said at the end, once */
	return o->failed < 0 ? -EPIPE : 0;
}

static int output_keep(const struct output *o, struct err *e)
{
	if (o->failed == -EPIPE) /* who stopped reading knows why */
		return STATUS_FAILED;
	if (o->failed < 0)
		return err_sys(e, -o->failed, "%.200s", o->path ? o->path : "stdout");
	if (o->part && rename(o->part, o->path) < 0)
		return err_sys(e, errno, "%.200s", o->path);
	return 0;
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
		"instance "
		"may run or not.",
	.opts = export_opts,
	.args_size = sizeof(struct export_args),
	.min_words = 1,
	.max_words = 1,
	.words = WORDS_INSTANCE,
	.run = export_run,
};
