/* diff.c - ketch diff: which files of an instance are not as in its image */
#include <errno.h>

#include "base/auto.h"
#include "cli/commands.h"
#include "cli/files.h"
#include "cli/text.h"
#include "instance/change.h"

/* The list as it comes. */
struct listing {
	struct buf in; /* a record that is not whole yet */
	struct err why; /* why.no: why the rest is not wanted */
};

static void listing_done(struct listing *l)
{
	buf_done(&l->in);
}

int files_print_changes(struct buf *in, struct err *e)
{
	AUTO(buf_done) struct buf out = { 0 };
	struct change c;
	int r;

	if (!buf_ok(in))
		return err_set(e, ENOMEM, "out of memory");
	while ((r = change_peek(in, &c)) == 1) {
		buf_addf(&out, "%c ", c.kind);
		text_add(&out, c.path);
		buf_addc(&out, '\n');
		change_drop(in, &c);
	}
	return r < 0 ? err_set(e, EPROTO, "what came is no list of changes") : cli_print(&out, e);
}

static int take(void *arg, const void *data, size_t n)
{
	struct listing *l = arg;

	buf_add(&l->in, data, n);
	return files_print_changes(&l->in, &l->why) < 0 ? -EPIPE : 0;
}

static int list_changes(struct engine *en, const struct instance *in, struct err *e)
{
	AUTO(files_end_done) struct files_end end = { 0 };
	AUTO(listing_done) struct listing l = { 0 };
	const struct files_talk t = {
		.type = MSG_GET, .fd = -1, .request = { .kind = FILES_CHANGES }, .sink = take, .sink_arg = &l
	};
	int r = files_talk(en, in, &t, &end, e);

	if (r < 0)
		return r;
	if (l.why.no)
		return err_set(e, l.why.no, "%s", l.why.msg);
	return files_judge(&end, in->spec.name, e);
}

static int diff_run(struct cli *c, void *args, struct strv *words, struct err *e)
{
	AUTO(instance_done) struct instance in = { 0 };
	struct engine *en = cli_engine(c, e);
	int r = en ? engine_find(en, words->v[0], &in, e) : -e->no;

	(void)args;
	return r == 0 ? list_changes(en, &in, e) : r;
}

const struct command cmd_diff = {
	.name = "diff",
	.usage = "NAME",
	.summary = "List which files of an instance are not as in its image",
	.text = "Each line is a letter and a path: A added, C changed, D deleted.  A directory is changed "
		"when its mode or owner is, or something below it.  What is in volumes and other mounts "
		"is not listed.  The instance may run or not.",
	.opts = no_opts,
	.min_words = 1,
	.max_words = 1,
	.words = WORDS_INSTANCE,
	.run = diff_run,
};
