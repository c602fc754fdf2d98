/* image_verify.c - ketch image verify: reads images back and says which of them are not what they were */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/auto.h"
#include "cli/commands.h"
#include "image/verify.h"

struct image_verify_args {
	bool quiet, repair;
};

static const struct opt image_verify_opts[] = {
	OPT(FLAG, 'q', "quiet", struct image_verify_args, quiet, NULL, "Say only what is broken"),
	OPT(FLAG, 0, "repair", struct image_verify_args, repair, NULL,
	    "Remove changed layers (a load or pull brings them again), make inventories anew"),
	{ 0 },
};

struct verification {
	struct image_store *store;
	struct strv checked;
	bool quiet, repair, failed;
};

static int verify_one(struct verification *v, const struct image *im, const char *name, struct err *e)
{
	AUTO(strv_done) struct strv lines = { 0 };
	size_t unknown = 0;
	int r = image_verify(v->store, im, v->repair, &v->checked, &lines, &unknown, e);

	if (r < 0)
		return err_wrap(e, r, "%.200s", name);
	for (size_t i = 0; i < lines.n; i++)
		fprintf(stderr, "ketch: %s: %s\n", name, lines.v[i]);
	v->failed = v->failed || lines.n;
	if (v->quiet || lines.n)
		return 0;
	if (unknown)
		printf("%s: ok; layers kept as directories, which cannot be compared: %zu\n", name, unknown);
	else
		printf("%s: ok\n", name);
	return 0;
}

static int verify_named(struct verification *v, const struct strv *names, struct err *e)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < names->n; i++) {
		AUTO(image_done) struct image im = { 0 };

		r = image_find(v->store, names->v[i], &im, e);
		if (r == 0)
			r = verify_one(v, &im, names->v[i], e);
	}
	return r;
}

static int verify_all(struct verification *v, struct err *e)
{
	struct image *images = NULL;
	size_t n = 0;
	int r = image_list(v->store, &images, &n, e);

	for (size_t i = 0; i < n; i++) {
		if (r == 0)
			r = verify_one(v, &images[i], images[i].refs.n ? images[i].refs.v[0] : images[i].id,
				       e);
		image_done(&images[i]);
	}
	free(images);
	return r;
}

static int image_verify_run(struct cli *c, void *args, struct strv *words, struct err *e)
{
	const struct image_verify_args *a = args;
	struct verification v = { .store = cli_images(c, e), .quiet = a->quiet, .repair = a->repair };
	int r;

	if (!v.store)
		return -e->no;
	r = words->n ? verify_named(&v, words, e) : verify_all(&v, e);
	strv_done(&v.checked);
	return r < 0 ? r : v.failed ? STATUS_FAILED : 0;
}

const struct command cmd_image_verify = {
	.name = "image verify",
	.usage = "[IMAGE...]",
	.summary = "Read images back and say what is broken",
	.text = "Without names all images are read. The exit status is 1 when something is missing or "
		"changed: a config, a layer, or the inventory of a layer's packages, which is held "
		"against the checksum that was kept with it.\n"
		"A layer that has changed is mended with --repair and by loading or pulling the image again; "
		"what runs "
		"keeps its layers until it ends.  An inventory is made again from its layer with --repair.",
	.opts = image_verify_opts,
	.args_size = sizeof(struct image_verify_args),
	.max_words = WORDS_ANY,
	.words = WORDS_IMAGE,
	.run = image_verify_run,
};
