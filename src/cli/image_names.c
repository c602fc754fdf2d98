/* image_names.c - ketch tag, rmi: the names of images, and their end */
#include <errno.h>
#include <string.h>

#include "base/auto.h"
#include "cli/commands.h"
#include "cli/text.h"
#include "engine/packed.h"
#include "engine/warm.h"

/* --- tag */

static int tag_run(struct cli *c, void *args, struct strv *words, struct err *e)
{
	struct image_store *s = cli_images(c, e);

	return s ? image_tag(s, words->v[0], words->v[1], e) : -e->no;
}

const struct command cmd_tag = {
	.name = "tag",
	.usage = "IMAGE NEW_NAME[:TAG]",
	.summary = "Give an image a further name",
	.opts = no_opts,
	.min_words = 2,
	.max_words = 2,
	.words = WORDS_IMAGE,
	.run = tag_run,
};

/* --- rmi */

struct rmi_args {
	bool force, no_prune;
};

static const struct opt rmi_opts[] = {
	OPT(FLAG, 'f', "force", struct rmi_args, force, NULL,
	    "Take names away even while instances use the image"),
	OPT(FLAG, 0, "no-prune", struct rmi_args, no_prune, NULL,
	    "Accepted and without effect: images have no parents"),
	OPT_REFUSE(0, "platform", "an image is kept for one platform here"),
	{ 0 },
};

static int remove_image(struct cli *c, const char *ref, bool force, struct err *e)
{
	AUTO(strv_done) struct strv lines = { 0 };
	AUTO(image_done) struct image im = { 0 };
	AUTO(buf_done) struct buf out = { 0 };
	struct image_store *s = cli_images(c, e);
	bool in_use = false;
	int r = s ? image_find(s, ref, &im, e) : -e->no;

	if (r == 0)
		r = warm_release_image(c->engine, im.id, &in_use, e);
	if (r == 0)
		r = image_remove(s, ref, in_use, force, &lines, e);
	if (r < 0)
		return r;
	packed_forget_image(c->engine, im.id);
	for (size_t i = 0; i < lines.n; i++) {
		text_add(&out, lines.v[i]);
		buf_addc(&out, '\n');
	}
	return cli_print(&out, e);
}

static int rmi_run(struct cli *c, void *args, struct strv *words, struct err *e)
{
	const struct rmi_args *a = args;
	int status = 0;

	for (size_t i = 0; i < words->n; i++) {
		struct err why = { 0 };
		int r = remove_image(c, words->v[i], a->force, &why);

		if (r < 0)
			cli_complain(&why, 0);
		if (r < 0 && !(r == -ENOENT && a->force))
			status = STATUS_FAILED;
	}
	return status;
}

const struct command cmd_rmi = {
	.name = "rmi",
	.usage = "IMAGE...",
	.summary = "Take names from images, and remove those without one",
	.opts = rmi_opts,
	.args_size = sizeof(struct rmi_args),
	.min_words = 1,
	.max_words = WORDS_ANY,
	.words = WORDS_IMAGE,
	.run = rmi_run,
};
