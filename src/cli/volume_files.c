/* volume_files.c - ketch volume export, import: the files of a volume as a tar archive, and back */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/io.h"
#include "cli/commands.h"
#include "cli/expander.h"
#include "cli/files.h"
#include "cli/output.h"
#include "cli/worker.h"
#include "engine/volume.h"

static int open_volume(struct cli *c, const char *name, bool to_fill, struct err *e)
{
	struct engine *en = cli_engine(c, e);

	return en ? volume_open_files(en, name, to_fill, e) : -e->no;
}

/* Runs a worker while bytes go through.  What the worker says is the reason, where it has one. */
static int work(const struct work *w, int (*pass)(struct worker *worker, void *arg), void *arg, struct err *e)
{
	struct worker worker;
	struct err said = { 0 };
	int r = worker_start(w, &worker, e), passed;

	if (r < 0)
		return r;
	passed = pass(&worker, arg);
	r = worker_end(&worker, &said);
	if (r < 0 && said.msg[0])
		return err_set(e, EIO, "%s", said.msg);
	return passed;
}

/* --- export */

struct export_args {
	char *output;
};

static const struct opt export_opts[] = {
	OPT(STR, 'o', "output", struct export_args, output, "FILE", "Write to a file, not to stdout"),
	{ 0 },
};

static int pass_out(struct worker *worker, void *arg)
{
	struct output *o = arg;

	o->failed = copy_fd(worker->archive_fd, o->fd);
	return 0; /* said by output_keep */
}

static int export_run(struct cli *c, void *args, struct strv *words, struct err *e)
{
	const struct export_args *a = args;
	AUTO(output_done) struct output o = { .path = a->output, .fd = -1 };
	autoclose int dir = open_volume(c, words->v[0], false, e);
	const struct place from = { .dir_fd = dir, .name = "." };
	int r = dir < 0 ? dir : output_open(&o, e);

	if (r == 0)
		r = work(&(const struct work){ .from = &from, .name = "" }, pass_out, &o, e);
	return r < 0 ? r : output_keep(&o, e);
}

const struct command cmd_volume_export = {
	.name = "volume export",
	.usage = "NAME",
	.summary = "Write the files of a volume as a tar archive",
	.opts = export_opts,
	.args_size = sizeof(struct export_args),
	.min_words = 1,
	.max_words = 1,
	.words = WORDS_VOLUME,
	.run = export_run,
};

/* --- import */

static int pass_in(struct worker *worker, void *arg)
{
	signal(SIGPIPE, SIG_IGN); /* a worker that has ended has said why */
	return copy_fd(*(int *)arg, worker->archive_fd);
}

static int open_archive(const char *path, struct err *e)
{
	int fd, r;

	if (!strcmp(path, "-")) {
		r = files_refuse_terminal(STDIN_FILENO, e);
		fd = r < 0 ? r : fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
		return fd == -1 ? err_sys(e, errno, "stdin") : fd;
	}
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	return fd < 0 ? err_sys(e, errno, "%.200s", path) : fd;
}

static int import_run(struct cli *c, void *args, struct strv *words, struct err *e)
{
	const char *path = words->n > 1 ? words->v[1] : "-";
	autoclose int archive = open_archive(path, e);
	autoclose int dir = archive < 0 ? archive : open_volume(c, words->v[0], true, e);
	const struct destination to = { .place = { .dir_fd = dir, .name = "." }, .kind = TO_DIRECTORY };
	const struct work w = { .to = &to,
				.archive = true,
				.flags = RESTORE_OWNER | RESTORE_SETID | RESTORE_TOP };
	struct err why = { 0 };
	struct expander x;
	int r = dir < 0 ? dir : expander_start(cli_engine(c, e), archive, &x, e);

	if (r < 0)
		return r;
	r = work(&w, pass_in, &x.fd, e);
	if (expander_end(&x, &why) < 0 && why.msg[0])
		return err_set(e, why.no, "%.200s: %s", path, why.msg);
	return r < 0 && !e->msg[0] ? err_sys(e, -r, "%.200s", path) : r;
}

const struct command cmd_volume_import = {
	.name = "volume import",
	.usage = "NAME [FILE|-]",
	.summary = "Put the files of a tar archive into a volume",
	.text = "The archive may be compressed by gzip, bzip2, xz or zstd.  What it brings takes the place "
		"of what is there under the "
		"same names; all else stays.  Device nodes are refused.",
	.opts = no_opts,
	.min_words = 1,
	.max_words = 2,
	.words = WORDS_VOLUME,
	.makes_store = true,
	.run = import_run,
};
