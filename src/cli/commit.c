/* commit.c - ketch commit: what an instance has written becomes the upper layer of a new image
 *
 * How it works: what a child fetches from the instance (fetcher.h) ketch-image reads, in its sandbox, as any other layer:
 * what a guest sends is foreign bytes.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/auto.h"
#include "cli/change.h"
#include "cli/commands.h"
#include "cli/committed.h"
#include "cli/fetcher.h"
#include "cli/snapshot.h"
#include "engine/snapshot_files.h"

struct commit_args {
	char *author, *message;
	bool pause;
	struct strv changes;
	char *memory; /* JSON, for the config; borrowed, and no option */
};

static const struct opt commit_opts[] = {
	OPT(STR, 'a', "author", struct commit_args, author, "NAME",
	    "Author, such as \"Ann Lee <ann@example.org>\""),
	OPT(LIST, 'c', "change", struct commit_args, changes, "INSTRUCTION",
	    "Apply a Dockerfile instruction, such as 'CMD [\"sh\"]', to the image"),
	OPT(FLAG, 'p', "pause", struct commit_args, pause, NULL,
	    "Let its processes stand still meanwhile (the default)"),
	OPT(STR, 'm', "message", struct commit_args, message, "TEXT", "What it is about"),
	{ 0 },
};

/* --- the image */

static void config_done(struct image_config *c)
{
	json_done(&image_config_table, c);
}

static int set_author(struct image_config *c, const char *author, struct err *e)
{
	if (!author)
		return 0;
	free(c->author);
	c->author = strdup(author);
	return c->author ? 0 : err_set(e, ENOMEM, "out of memory");
}

static int make_config(struct engine *en, const struct instance_spec *spec, const struct commit_args *a,
		       struct image_config *ret, struct err *e)
{
	struct image im = { 0 };
	int r = image_find(engine_images(en), spec->image_id, &im, e);

	if (r == 0)
		r = engine_commit_config(spec, &im.config, ret, e);
	image_done(&im);
	if (r == 0)
		r = set_author(ret, a->author, e);
	for (size_t i = 0; i < a->changes.n && r == 0; i++)
		r = change_apply(a->changes.v[i], &ret->config, e);
	return r;
}

/* Takes fd, which the layer comes from. */
static int make_image(struct engine *en, int fd, const char *name, bool still,
		      const struct image_commit *commit, char **ret_id, struct err *e)
{
	struct err of_image = { 0 };
	struct fetcher f = { .pid = -1 };
	int k, r = fetcher_start(fd, name, still, &f, e);

	if (r < 0)
		return r;
	r = image_commit(engine_images(en), f.layer_fd, commit, ret_id, &of_image);
	k = fetcher_end(&f, e);
	/* one that is not read to its end fails, too: that is not the reason */
	if (r < 0 && (k == 0 || of_image.no != EINVAL))
		k = err_set(e, of_image.no, "%s", of_image.msg);
	return k;
}

static char *join_words(const struct strv *words)
{
	struct buf b = { 0 };

	for (size_t i = 0; i < words->n; i++)
		buf_addf(&b, "%s%s", i ? " " : "", words->v[i]);
	return buf_take(&b);
}

/* The rest, once it is known where the files come from.  Takes fd. */
static int commit_files(struct engine *en, int fd, const struct instance *in, const struct commit_args *a,
			const char *ref, char **ret_id, struct err *e)
{
	AUTO(config_done) struct image_config config = { 0 };
	autofree char *created_by = join_words(&in->spec.process.args);
	const struct image_commit commit = { .config = &config,
					     .comment = a->message,
					     .created_by = created_by,
					     .ref = ref,
					     .memory = a->memory,
					     .progress = cli_progress() };
	int r = created_by ? make_config(en, &in->spec, a, &config, e) : err_set(e, ENOMEM, "out of memory");

	if (r < 0) {
		close(fd);
		return r;
	}
	return make_image(en, fd, in->spec.name, a->pause && instance_is_live(&in->state), &commit, ret_id,
			  e);
}

static int commit_instance(struct engine *en, const struct instance *in, const struct commit_args *a,
			   const char *ref, char **ret_id, struct err *e)
{
	int fd = -1, k, r = engine_open_files(en, in, &fd, e);

	if (r < 0)
		return r;
	r = commit_files(en, fd, in, a, ref, ret_id, e);
	k = engine_settle_files(en, in, r ? NULL : e);
	return r ? r : k;
}

/* The instance is not touched: its snapshot is read by another one. */
static int commit_of_snapshot(struct engine *en, const struct snapshot_word *w, const struct commit_args *a,
			      const char *ref, char **ret_id, struct err *e)
{
	AUTO(snapshot_files_done) struct snapshot_files files = { 0 };
	struct instance in;
	int fd = -1, r = snapshot_files_open(en, &w->in, w->name, &files, &fd, e);

	if (r < 0)
		return r;
	in = (struct instance){ .spec = files.spec }; /* borrows */
	return commit_files(en, fd, &in, a, ref, ret_id, e);
}

static int commit_word(struct cli *c, const char *word, const struct commit_args *a, const char *ref,
		       char **ret_id, struct err *e)
{
	AUTO(snapshot_word_done) struct snapshot_word w = { 0 };
	/* before anything is done */
	int r = image_check_new_ref(ref, e);

	if (r == 0)
		r = snapshot_word_find(c, word, SNAPSHOT_MAY, &w, e);
	if (r < 0)
		return r;
	return w.name ? commit_of_snapshot(c->engine, &w, a, ref, ret_id, e)
		      : commit_instance(c->engine, &w.in, a, ref, ret_id, e);
}

static int check_snapshot_word(const char *word, struct err *e)
{
	return strchr(word, '@') ? 0
				 : err_set(e, EINVAL, "'%.140s' names no snapshot: INSTANCE@SNAPSHOT", word);
}

int commit_snapshot(struct cli *c, const char *word, const char *ref, char **ret_id, struct err *e)
{
	const struct commit_args usual = { 0 };
	int r = check_snapshot_word(word, e);

	return r < 0 ? r : commit_word(c, word, &usual, ref, ret_id, e);
}

int commit_packed(struct cli *c, const char *word, const char *ref, struct packing *ret, struct err *e)
{
	AUTO(snapshot_word_done) struct snapshot_word w = { 0 };
	struct commit_args usual = { 0 };
	struct packing p = { 0 };
	autofree char *id = NULL;
	int r = check_snapshot_word(word, e);

	if (r == 0)
		r = image_check_new_ref(ref, e);
	if (r == 0)
		r = snapshot_word_find(c, word, SNAPSHOT_MAY, &w, e);
	if (r == 0)
		r = packed_make(c->engine, &w.in, w.name, &p, e);
	usual.memory = p.document;
	if (r == 0)
		r = commit_of_snapshot(c->engine, &w, &usual, ref, &id, e);
	if (r != 0)
		packing_done(&p);
	else
		*ret = p;
	return r;
}

static int commit_run(struct cli *c, void *args, struct strv *words, struct err *e)
{
	AUTO(buf_done) struct buf out = { 0 };
	autofree char *id = NULL;
	int r = commit_word(c, words->v[0], args, words->n > 1 ? words->v[1] : NULL, &id, e);

	if (r)
		return r;
	buf_addf(&out, "%s\n", id);
	return cli_print(&out, e);
}

static const struct commit_args commit_defaults = { .pause = true };
const struct command cmd_commit = {
	.name = "commit",
	.usage = "NAME[@SNAPSHOT] [REPO[:TAG]]",
	.summary = "Make a new image of what an instance has written",
	.text = "The layers of the new image are those of the instance's own image and one more, with what "
		"was added, changed and deleted; volumes and other mounts are not in it.  It runs as the "
		"instance does: the same command, user, environment and labels, but for what --change "
		"says.  The instance may run or not; a snapshot of it is committed without touching "
		"it.\n\n"
		"Instructions for --change: CMD, ENTRYPOINT, ENV, EXPOSE, HEALTHCHECK, LABEL, "
		"STOPSIGNAL, USER, VOLUME, WORKDIR.",
	.opts = commit_opts,
	.args_size = sizeof(struct commit_args),
	.defaults = &commit_defaults,
	.min_words = 1,
	.max_words = 2,
	.words = WORDS_INSTANCE,
	.run = commit_run,
};
