/* pull.c - ketch pull: images come from registries */
#include "cli/pull.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/auto.h"
#include "base/log.h"
#include "cli/commands.h"
#include "cli/pull_view.h"
#include "cli/text.h"
#include "image/chunks.h"
#include "oci/reference.h"

struct pull_args {
	char *platform, *progress, *auth_file, *cert_dir, *policy;
	bool all_tags, quiet, no_content_trust;
	int timeout_s;
};

static const struct opt pull_opts[] = {
	OPT(FLAG, 'a', "all-tags", struct pull_args, all_tags, NULL,
	    "Pull every tag that the repository has"),
	OPT(STR, 0, "authfile", struct pull_args, auth_file, "FILE",
	    "Look for credentials in this file alone"),
	OPT(STR, 0, "cert-dir", struct pull_args, cert_dir, "DIR", "In place of /etc/containers/certs.d"),
	OPT(FLAG, 0, "disable-content-trust", struct pull_args, no_content_trust, NULL,
	    "Accepted for Docker's sake"),
	OPT(STR, 0, "platform", struct pull_args, platform, "OS/ARCH[/VARIANT]",
	    "Of an image for several, this one; that of the machine"),
	OPT(CHOICE, 0, "progress", struct pull_args, progress, PROGRESS_CHOICES,
	    "How it tells how far it is; auto: a bar on a terminal"),
	OPT(FLAG, 'q', "quiet", struct pull_args, quiet, NULL, "Print the name of the image alone"),
	OPT(STR, 0, "signature-policy", struct pull_args, policy, "FILE",
	    "In place of /etc/containers/policy.json"),
	OPT(SECONDS, 0, "timeout", struct pull_args, timeout_s, "SECONDS",
	    "Give up on a server that is silent for so long; 30"),
	OPT_REFUSE(0, "tls-verify",
		   "servers are verified, always; registries.conf says which may speak plain HTTP"),
	{ 0 },
};

static int print_name(const char *ref, struct err *e)
{
	autofree char *whole = reference_whole_name(ref);
	AUTO(buf_done) struct buf out = { 0 };

	text_add(&out, whole ? whole : ref);
	buf_addc(&out, '\n');
	return cli_print(&out, e);
}

/* That comes with it only when somebody goes on with it. */
static void note_memory(struct image_store *s, const char *ref)
{
	AUTO(image_done) struct image im = { 0 };
	autofree char *memory = NULL;

	if (image_find(s, ref, &im, NULL) == 0 && image_memory(s, im.id, &memory, NULL) == 0 && memory)
		log_warn("%s holds the memory of a machine, which is not fetched yet: ketch run --vm "
			 "--trusted goes on with it",
			 ref);
}

static int pull_run(struct cli *c, void *args, struct strv *words, struct err *e)
{
	AUTO(strv_done) struct strv refs = { 0 };
	AUTO(pull_view_done) struct pull_view view;
	const struct pull_args *a = args;
	const struct image_pull rq = {
		.name = words->v[0],
		.platform = a->platform,
		.all_tags = a->all_tags,
		.files = { .auth = a->auth_file, .cert_dir = a->cert_dir, .policy = a->policy },
		.timeout_s = a->timeout_s,
		.tell = pull_view_tell,
		.arg = &view
	};
	struct image_store *s;
	int r;

	pull_view_init(&view, stdout, a->progress, a->quiet);
	s = cli_images(c, e);
	r = s ? image_pull(s, &rq, &refs, e) : -e->no;
	pull_view_done(&view);
	for (size_t i = 0; i < refs.n && r == 0 && !a->quiet; i++)
		note_memory(s, refs.v[i]);
	if (r < 0 || view.json)
		return r;
	return refs.n ? print_name(a->all_tags ? words->v[0] : refs.v[0], e) : 0;
}

const struct command cmd_pull = {
	.name = "pull",
	.usage = "NAME[:TAG|@DIGEST]",
	.summary = "Get an image from a registry",
	.text = "A pull that was broken off goes on where it stopped.  Layers that are here already are not "
		"fetched again.\n\n"
		"registries.conf(5) says where names lead, certs.d(5) whom to trust, policy.json(5) what "
		"may come in; ketch login keeps credentials.  Servers are verified; plain HTTP is spoken "
		"with this machine and with what registries.conf calls insecure.",
	.opts = pull_opts,
	.args_size = sizeof(struct pull_args),
	.min_words = 1,
	.max_words = 1,
	.words = WORDS_IMAGE,
	.makes_store = true,
	.run = pull_run,
};

/* --- for run and create */

static int is_missing(struct image_store *s, const char *image, struct err *e)
{
	AUTO(image_done) struct image im = { 0 };
	int r = image_find(s, image, &im, e);

	return r == -ENOENT ? 1 : r;
}

/* An id, or the beginning of one, is the name of nothing elsewhere. */
static bool is_id(const char *image)
{
	size_t n = strlen(image);

	return !strncmp(image, "sha256:", 7) || (n >= 12 && strspn(image, "0123456789abcdef") == n);
}

int pull_before_run(struct cli *c, const char *image, const char *platform, const char *when, bool quiet,
		    struct err *e)
{
	AUTO(strv_done) struct strv refs = { 0 };
	AUTO(pull_view_done) struct pull_view view;
	const struct image_pull rq = {
		.name = image, .platform = platform, .tell = pull_view_tell, .arg = &view
	};
	bool always = when && !strcmp(when, "always"), missing;
	struct image_store *s;
	struct err why = { 0 };
	int r;

	pull_view_init(&view, stderr, NULL, quiet);
	if (when && !strcmp(when, "never"))
		return 0;
	s = cli_images(c, e);
	if (!s)
		return -e->no;
	r = is_missing(s, image, e);
	if (r < 0 || (!always && (r == 0 || is_id(image))))
		return r == 1 ? -ENOENT : r;
	if (r == 1)
		view.intro = str_printf("Unable to find image '%s' locally", image);
	missing = r == 1;
	r = image_pull(s, &rq, &refs, &why);
	if (r < 0)
		return missing ? err_set(e, ENOENT, "no such image: %.80s, and it cannot be pulled: %s",
					 image, why.msg)
			       : err_set(e, -r, "%s", why.msg);
	return 0;
}
