/* push.c - ketch push: images go to registries */
#include "image/push.h"

#include <errno.h>
#include <string.h>

#include "base/auto.h"
#include "cli/commands.h"
#include "cli/committed.h"
#include "cli/pull_view.h"

struct push_args {
	char *progress, *auth_file, *cert_dir;
	bool all_tags, memory, quiet, no_content_trust;
	int timeout_s;
};

static const struct opt push_opts[] = {
	OPT(FLAG, 'a', "all-tags", struct push_args, all_tags, NULL, "Push every tag of this name"),
	OPT(STR, 0, "authfile", struct push_args, auth_file, "FILE",
	    "Look for credentials in this file alone"),
	OPT(STR, 0, "cert-dir", struct push_args, cert_dir, "DIR", "In place of /etc/containers/certs.d"),
	OPT(FLAG, 0, "disable-content-trust", struct push_args, no_content_trust, NULL,
	    "Accepted for Docker's sake"),
	OPT(FLAG, 0, "memory", struct push_args, memory, NULL,
	    "Of a snapshot: with the memory of its virtual machine"),
	OPT(CHOICE, 0, "progress", struct push_args, progress, PROGRESS_CHOICES,
	    "How it tells how far it is; auto: a bar on a terminal"),
	OPT(FLAG, 'q', "quiet", struct push_args, quiet, NULL, "Print the name of the image alone"),
	OPT(SECONDS, 0, "timeout", struct push_args, timeout_s, "SECONDS",
	    "Give up on a server that is silent for so long; 30"),
	OPT_REFUSE(0, "platform", "an image is kept for one platform here"),
	OPT_REFUSE(0, "tls-verify",
		   "servers are verified, always; registries.conf says which may speak plain HTTP"),
	{ 0 },
};

/* A snapshot becomes an image of that name first. */
static int make_image(struct cli *c, const struct push_args *a, const struct strv *words,
		      struct packing *ret_memory, struct err *e)
{
	autofree char *id = NULL;

	if (words->n < 2)
		return 0;
	return a->memory ? commit_packed(c, words->v[0], words->v[1], ret_memory, e)
			 : commit_snapshot(c, words->v[0], words->v[1], &id, e);
}

static int push_run(struct cli *c, void *args, struct strv *words, struct err *e)
{
	AUTO(pull_view_done) struct pull_view view;
	AUTO(buf_done) struct buf out = { 0 };
	const struct push_args *a = args;
	AUTO(packing_done) struct packing memory = { 0 };
	struct image_push rq = { .name = words->v[words->n - 1],
				 .all_tags = a->all_tags,
				 .files = { .auth = a->auth_file, .cert_dir = a->cert_dir },
				 .timeout_s = a->timeout_s,
				 .tell = pull_view_tell,
				 .arg = &view };
	struct image_store *s;
	int r = 0;

	pull_view_init(&view, stdout, a->progress, a->quiet);
	if (words->n > 1 && a->all_tags)
		return err_set(e, EINVAL, "--all-tags: a snapshot goes there under one name");
	if (a->memory && words->n < 2)
		return err_set(e, EINVAL, "--memory is of a snapshot: INSTANCE@SNAPSHOT NAME[:TAG]");
	s = cli_images(c, e);
	r = s ? make_image(c, a, words, &memory, e) : -e->no;
	rq.chunks = memory.chunks;
	if (r == 0)
		r = image_push(s, &rq, e);
	if (r || !a->quiet)
		return r;
	buf_addf(&out, "%s\n", rq.name);
	return cli_print(&out, e);
}

const struct command cmd_push = {
	.name = "push",
	.usage = "NAME[:TAG] | INSTANCE@SNAPSHOT NAME[:TAG]",
	.summary = "Send an image, or a snapshot as one, to a registry",
	.text = "An image that was pulled and whose layers the registry has keeps its digest.  Else its "
		"layers are compressed anew: the manifest has another digest, but the image keeps its "
		"id.\n\n"
		"Layers that are there already, or in another repository of that registry, are not "
		"sent.\n\n"
		"A snapshot goes as ketch commit would make an image of it, which stays here under that "
		"name, too; its instance is not touched, and ketch run starts another from it anywhere.  "
		"Volumes are not in it.\n\n"
		"With --memory the memory of a virtual machine goes with it, in chunks of 4 MiB, of which "
		"only "
		"those are sent that the registry has not: others run the same image from its files, ketch "
		"run "
		"--vm --trusted goes on where it was saved, on a host with the same guest kernel, driver "
		"and, "
		"with KVM, processor.  What was in that memory, secrets too, is then in the registry.",
	.opts = push_opts,
	.args_size = sizeof(struct push_args),
	.min_words = 1,
	.max_words = 2,
	.words = WORDS_IMAGE,
	.run = push_run,
};
