/* image_inspect.c - ketch image inspect: an image's record and config, in Docker's keys */
#include <errno.h>
#include <string.h>

#include "base/auto.h"
#include "cli/commands.h"
#include "cli/inspect.h"
#include "cli/text.h"

struct image_inspect_args {
	char *format;
};

static const struct opt image_inspect_opts[] = {
	INSPECT_FORMAT(struct image_inspect_args, format),
	OPT_REFUSE(0, "platform", "an image is kept for one platform here"),
	{ 0 },
};

/* What is printed; borrowed from the image. */
struct image_view {
	const char *id, *created, *author, *architecture, *os;
	uint64_t size;
	struct strv refs, digests;
	struct image_run_config config;
	struct image_rootfs rootfs;
};

static const struct jfield rootfs_fields[] = {
	JK(J_STR, struct image_rootfs, type, "Type"),
	JK(J_STRV, struct image_rootfs, diff_ids, "Layers"),
	{ 0 },
};
static const struct jtable rootfs_table = { sizeof(struct image_rootfs), rootfs_fields };

static const struct jfield view_fields[] = {
	JK(J_STR, struct image_view, id, "Id"),
	JK(J_STRV, struct image_view, refs, "RepoTags"),
	JK(J_STRV, struct image_view, digests, "RepoDigests"),
	JK(J_STR, struct image_view, created, "Created"),
	JK(J_STR, struct image_view, author, "Author"),
	JK(J_STR, struct image_view, architecture, "Architecture"),
	JK(J_STR, struct image_view, os, "Os"),
	JK(J_U64, struct image_view, size, "Size"),
	JK(J_U64, struct image_view, size,
	   "VirtualSize"), /* Docker's, and the same since images have no parents */
	JO(struct image_view, config, "Config", &image_run_config_table),
	JO(struct image_view, rootfs, "RootFS", &rootfs_table),
	{ 0 },
};
static const struct jtable view_table = { sizeof(struct image_view), view_fields };

int image_inspect_add(struct cli *c, const char *name, int json_flags, struct buf *out, struct err *e)
{
	AUTO(image_done) struct image im = { 0 };
	struct image_store *s = cli_images(c, e);
	struct image_view v;
	int r = s ? image_find(s, name, &im, e) : -e->no;

	if (r < 0)
		return r;
	v = (struct image_view){
		.id = im.id,
		.created = im.config.created,
		.author = im.config.author,
		.architecture = im.config.architecture,
		.os = im.config.os,
		.size = im.size_bytes,
		.refs = im.refs,
		.digests = im.digests,
		.config = im.config.config,
		.rootfs = im.config.rootfs,
	};
	return json_print(&view_table, &v, json_flags, out) < 0 ? err_set(e, ENOMEM, "out of memory") : 0;
}

static int image_inspect_run(struct cli *c, void *args, struct strv *words, struct err *e)
{
	const struct image_inspect_args *a = args;

	return inspect_each(c, words, a->format, image_inspect_add, e);
}

const struct command cmd_image_inspect = {
	.name = "image inspect",
	.usage = "IMAGE...",
	.summary = "Print all about images as JSON",
	.opts = image_inspect_opts,
	.args_size = sizeof(struct image_inspect_args),
	.min_words = 1,
	.max_words = WORDS_ANY,
	.words = WORDS_IMAGE,
	.run = image_inspect_run,
};
