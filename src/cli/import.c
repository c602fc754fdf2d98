/* import.c - ketch import, ketch load: images come into the store, or an instance that was exported */
#include <errno.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/log.h"
#include "cli/change.h"
#include "cli/commands.h"
#include "cli/text.h"
#include "engine/import.h"

static int print_line(const char *before, const char *text, struct err *e)
{
	AUTO(buf_done) struct buf out = { 0 };

	buf_adds(&out, before);
	text_add(&out, text);
	buf_addc(&out, '\n');
	return cli_print(&out, e);
}

/* --- import */

struct import_args {
	struct strv changes;
	char *message;
	bool instance, no_volumes, trusted;
};

static const struct opt import_opts[] = {
	OPT(FLAG, 0, "instance", struct import_args, instance, NULL,
	    "Make the instance again that ketch export --instance wrote"),
	OPT(FLAG, 0, "no-volumes", struct import_args, no_volumes, NULL,
	    "With --instance: without what its volumes held"),
	OPT(FLAG, 0, "trusted", struct import_args, trusted, NULL,
	    "With --instance: let it reach into this host, as it did where it was"),
	OPT(LIST, 'c', "change", struct import_args, changes, "INSTRUCTION",
	    "Apply a Dockerfile instruction, such as 'CMD [\"sh\"]', to the image"),
	OPT(STR, 'm', "message", struct import_args, message, "TEXT", "Note it in the image's history"),
	OPT_REFUSE(0, "platform", "an image is kept for one platform here"),
	{ 0 },
};

/* image_run_config has no table of its own for freeing: it is freed as part of a config. */
static void config_done(struct image_config *c)
{
	json_done(&image_config_table, c);
}

static int check_flags(const struct import_args *a, struct err *e)
{
	if (a->instance && a->changes.n)
		return err_set(e, EINVAL, "--change: an instance is imported as it is");
	if (a->instance && a->message)
		return err_set(e, EINVAL, "--message: an instance has no history to note it in");
	if (!a->instance && (a->no_volumes || a->trusted))
		return err_set(e, EINVAL, "%s goes with --instance",
			       a->no_volumes ? "--no-volumes" : "--trusted");
	return 0;
}

static void spec_done(struct instance_spec *s)
{
	json_done(&instance_spec_table, s);
}

static int import_one(struct cli *c, const struct import_args *a, const struct strv *words, struct err *e)
{
	const struct import_request rq = { .path = words->v[0],
					   .name = words->n > 1 ? words->v[1] : NULL,
					   .no_volumes = a->no_volumes,
					   .trusted = a->trusted,
					   .progress = cli_progress() };
	AUTO(spec_done) struct instance_spec spec = { 0 };
	AUTO(strv_done) struct strv left = { 0 };
	struct engine *en = cli_engine(c, e);
	int r = en ? instance_import(en, &rq, &spec, &left, e) : -e->no;

	for (size_t i = 0; i < left.n && r == 0; i++)
		log_warn("%s", left.v[i]);
	return r < 0 ? r : print_line("", spec.id, e);
}

static int import_run(struct cli *c, void *args, struct strv *words, struct err *e)
{
	AUTO(config_done) struct image_config config = { 0 };
	const struct import_args *a = args;
	autofree char *id = NULL;
	struct image_store *s;
	int r = check_flags(a, e);

	if (r == 0 && a->instance)
		return import_one(c, a, words, e);
	for (size_t i = 0; i < a->changes.n && r == 0; i++)
		r = change_apply(a->changes.v[i], &config.config, e);
	if (r < 0)
		return r;
	s = cli_images(c, e);
	r = s ? image_import(s,
			     &(struct image_import){ .path = words->v[0],
						     .ref = words->n > 1 ? words->v[1] : NULL,
						     .comment = a->message,
						     .config = &config.config,
						     .progress = cli_progress() },
			     &id, e)
	      : -e->no;
	return r < 0 ? r : print_line("", id, e);
}

const struct command cmd_import = {
	.name = "import",
	.usage = "DIR|FILE|- [NAME[:TAG]]",
	.summary = "Make an image from a directory or a tar file, or an instance that was exported",
	.text = "The tree becomes the only layer of the image.  The tar file may be compressed; - is "
		"stdin.\n\n"
		"Instructions for --change: CMD, ENTRYPOINT, ENV, EXPOSE, HEALTHCHECK, LABEL, "
		"STOPSIGNAL, USER, VOLUME, WORKDIR.\n\n"
		"With --instance FILE is what ketch export --instance wrote, and NAME what the instance is "
		"called here; without it, as it was called.  It is at rest, has the same snapshots, a new id "
		"and addresses of this store's networks, and stands on images without a name, which are in "
		"use as long as it or its snapshots need them.  One that reaches into the host (by mounts of "
		"its directories, --privileged, --device and the like) is refused unless --trusted is given.",
	.opts = import_opts,
	.args_size = sizeof(struct import_args),
	.min_words = 1,
	.max_words = 2,
	.words = WORDS_FILE,
	.makes_store = true,
	.run = import_run,
};

/* --- load */

struct load_args {
	char *input;
	bool quiet;
};

static const struct opt load_opts[] = {
	OPT(STR, 'i', "input", struct load_args, input, "FILE",
	    "Archive or directory to read; default: stdin"),
	OPT(FLAG, 'q', "quiet", struct load_args, quiet, NULL, "Say nothing while it works"),
	OPT_REFUSE(0, "platform", "an image is kept for one platform here"),
	{ 0 },
};

static int load_run(struct cli *c, void *args, struct strv *words, struct err *e)
{
	AUTO(strv_done) struct strv refs = { 0 };
	const struct load_args *a = args;
	struct image_store *s;
	int r;

	if (!a->input && isatty(STDIN_FILENO))
		return err_set(
			e, EINVAL,
			"nothing to load: stdin is a terminal (ketch load -i FILE, or ketch load < FILE)");
	s = cli_images(c, e);
	r = s ? image_load(s, a->input ? a->input : "-", a->quiet ? NULL : cli_progress(), NULL, &refs, e)
	      : -e->no;
	for (size_t i = 0; i < refs.n && r == 0; i++)
		r = print_line("Loaded image: ", refs.v[i], e);
	return r;
}

const struct command cmd_load = {
	.name = "load",
	.usage = "",
	.summary = "Load images that docker save or podman save wrote, or an OCI layout",
	.text = "Archives may be compressed with gzip or zstd.  An OCI layout may be a directory.",
	.opts = load_opts,
	.args_size = sizeof(struct load_args),
	.makes_store = true,
	.run = load_run,
};
