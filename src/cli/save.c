/* save.c - ketch save: images as an archive, or as a directory, that Docker, Podman and Ketch load */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/path.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "image/save.h"

struct save_args {
	char *output, *format;
};

static const struct opt save_opts[] = {
	OPT(CHOICE, 0, "format", struct save_args, format, "docker-archive|oci-archive|oci-dir",
	    "What to write (docker-archive)"),
	OPT(STR, 'o', "output", struct save_args, output, "FILE",
	    "Write to a file or directory, not to stdout"),
	OPT_REFUSE(0, "platform", "an image is kept for one platform here"),
	{ 0 },
};

/* A new directory, which appears when it is whole. */
static int save_directory(struct image_store *s, const char *path, struct image_save *rq, struct err *e)
{
	autofree char *part = str_printf("%s.%d.part", path, getpid());
	int r;

	if (!part)
		return err_set(e, ENOMEM, "out of memory");
	if (mkdir(part, 0755) < 0)
		return err_sys(e, errno, "%.200s", path);
	rq->dir_fd = open(part, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	r = rq->dir_fd < 0 ? err_sys(e, errno, "%.200s", path) : image_save(s, rq, e);
	if (r == 0 && rename(part, path) < 0) /* in the place of an empty one */
		r = err_sys(e, errno, "%.200s", path);
	if (rq->dir_fd >= 0)
		close(rq->dir_fd);
	if (r < 0)
		remove_tree(AT_FDCWD, part);
	return r;
}

static int save_archive(struct image_store *s, const char *path, struct image_save *rq, struct err *e)
{
	AUTO(output_done) struct output o = { .path = path, .fd = -1 };
	int r = output_open(&o, e);

	if (r < 0)
		return r;
	rq->out_fd = o.fd;
	r = image_save(s, rq, e);
	if (r == -EPIPE) /* who stopped reading knows why */
		return STATUS_FAILED;
	return r < 0 ? r : output_keep(&o, e);
}

static int save_run(struct cli *c, void *args, struct strv *words, struct err *e)
{
	const struct save_args *a = args;
	bool dir = a->format && !strcmp(a->format, "oci-dir");
	struct image_save rq = { .names = words,
				 .docker = !a->format || !strcmp(a->format, "docker-archive"),
				 .out_fd = -1,
				 .dir_fd = -1,
				 .progress = cli_progress() };
	struct image_store *s;

	if (dir && !a->output)
		return err_set(e, EINVAL, "--format oci-dir needs -o DIRECTORY");
	s = cli_images(c, e);
	if (!s)
		return -e->no;
	return dir ? save_directory(s, a->output, &rq, e) : save_archive(s, a->output, &rq, e);
}

const struct command cmd_save = {
	.name = "save",
	.usage = "IMAGE...",
	.summary = "Write images as an archive, with all their layers",
	.text = "An image that is named by its id is saved without a name.\n\n"
		"Layers that came as archives are put together again as the same bytes, others are made "
		"from their files, always in the same way: so an image keeps its id, wherever it came "
		"from.  Only one that was pulled or loaded by an older Ketch gets an id of its own.",
	.opts = save_opts,
	.args_size = sizeof(struct save_args),
	.min_words = 1,
	.max_words = WORDS_ANY,
	.words = WORDS_IMAGE,
	.run = save_run,
};
