/* profiles.c - ketch profile create, ls, show, rm */
#include <errno.h>
#include <string.h>

#include "base/auto.h"
#include "cli/commands.h"
#include "cli/listing.h"
#include "cli/run_options.h"
#include "cli/run_profile.h"
#include "cli/text.h"

/* As a shell would take it. */
static void add_word(struct buf *out, const char *word)
{
	static const char plain[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./:=,@%+-";

	if (*word && strspn(word, plain) == strlen(word)) {
		buf_adds(out, word);
		return;
	}
	buf_addc(out, '\'');
	for (; *word; word++) {
		if (*word == '\'')
			buf_adds(out, "'\\''");
		else
			buf_addc(out, *word);
	}
	buf_addc(out, '\'');
}

static void add_flags(struct buf *out, const struct strv *flags)
{
	for (size_t i = 0; i < flags->n; i++) {
		buf_adds(out, i ? " " : "");
		add_word(out, flags->v[i]);
	}
}

/* --- create */

/* Flags alone, as run takes them; a profile does not name others. */
static int check_flags(const struct strv *flags, struct err *e)
{
	AUTO(strv_done) struct strv rest = { 0 };
	struct run_args scratch = { 0 };
	int r = flags->n ? opts_parse(RUN_OPTS, OPTS_FIRST, flags->v, &scratch, &rest, e) : 0;

	if (r == 0 && rest.n)
		r = err_set(e, EINVAL, "a profile has flags alone, and \"%.80s\" is none", rest.v[0]);
	if (r == 0 && scratch.profiles.n)
		r = err_set(e, EINVAL, "a profile cannot take --profile");
	opts_done(RUN_OPTS, &scratch);
	return r == OPTS_HELP ? err_set(e, EINVAL, "--help is no flag for a profile") : r;
}

static int create_run(struct cli *c, void *args, struct strv *words, struct err *e)
{
	struct run_profile p = { .name = words->v[0], .flags = { words->v + 1, words->n - 1 } };
	int r = check_flags(&p.flags, e);

	if (r == 0 && !cli_engine(c, e)) /* makes the store, too */
		r = -e->no;
	return r < 0 ? r : run_profile_write(cli_root(c), &p, e);
}

const struct command cmd_profile_create = {
	.name = "profile create",
	.usage = "NAME [FLAG...]",
	.summary = "Keep flags of run under a name",
	.text = "The flags are those of run; --profile NAME takes them, before those that are given beside "
		"it: they go before the profile's, and lists such as --env grow.",
	.opts = no_opts,
	.min_words = 1,
	.max_words = WORDS_ANY,
	.words = WORDS_NONE,
	.grammar = OPTS_FIRST,
	.makes_store = true,
	.run = create_run,
};

/* --- ls */

struct list_args {
	bool quiet;
	char *format;
};

static const struct opt list_opts[] = {
	LISTING_FORMAT(struct list_args, format),
	OPT(FLAG, 'q', "quiet", struct list_args, quiet, NULL, "Print names only"),
	{ 0 },
};

struct profile_row {
	const char *name, *flags;
};

static const struct jfield row_fields[] = {
	JK(J_STR, struct profile_row, name, "Name"),
	JK(J_STR, struct profile_row, flags, "Flags"),
	{ 0 },
};
static const struct jtable row_table = { sizeof(struct profile_row), row_fields };

static const struct listing_form list_form = {
	.row = &row_table,
	.table = "table {{.Name}}\t{{.Flags}}",
	.quiet = "{{.Name}}",
};

static int add_profile(struct listing *l, const struct run_profile *p, struct err *e)
{
	AUTO(buf_done) struct buf flags = { 0 };
	struct profile_row row = { .name = p->name };

	add_flags(&flags, &p->flags);
	row.flags = flags.data;
	return buf_ok(&flags) ? listing_add(l, &row, e) : err_set(e, ENOMEM, "out of memory");
}

static int list_run(struct cli *c, void *args, struct strv *words, struct err *e)
{
	AUTO(listing_done) struct listing l = { 0 };
	const struct list_args *a = args;
	struct run_profile *p = NULL;
	size_t n = 0;
	int r = listing_begin(&l, &list_form, a->format, a->quiet, e);

	if (r == 0)
		r = run_profile_list(cli_root(c), &p, &n, e);
	for (size_t i = 0; i < n && r == 0; i++)
		r = add_profile(&l, &p[i], e);
	run_profiles_free(p, n);
	return r < 0 ? r : listing_print(&l, e);
}

const struct command cmd_profile_ls = {
	.name = "profile ls",
	.usage = "",
	.summary = "List profiles",
	.text = "Fields of --format: .Name .Flags",
	.opts = list_opts,
	.args_size = sizeof(struct list_args),
	.run = list_run,
};

/* --- show, rm */

static int show_run(struct cli *c, void *args, struct strv *words, struct err *e)
{
	AUTO(run_profile_done) struct run_profile p = { 0 };
	AUTO(buf_done) struct buf flags = { 0 }, out = { 0 };
	int r = run_profile_read(cli_root(c), words->v[0], &p, e);

	if (r < 0)
		return r;
	add_flags(&flags, &p.flags);
	text_add(&out, flags.data ? flags.data : "");
	buf_addc(&out, '\n');
	return cli_print(&out, e);
}

const struct command cmd_profile_show = {
	.name = "profile show",
	.usage = "NAME",
	.summary = "Print the flags of a profile, as a shell takes them",
	.opts = no_opts,
	.min_words = 1,
	.max_words = 1,
	.words = WORDS_PROFILE,
	.run = show_run,
};

static int remove_run(struct cli *c, void *args, struct strv *words, struct err *e)
{
	AUTO(buf_done) struct buf out = { 0 };
	int status = 0;

	for (size_t i = 0; i < words->n; i++) {
		struct err why = { 0 };

		if (run_profile_remove(cli_root(c), words->v[i], &why) < 0)
			status = cli_complain(&why, STATUS_FAILED);
		else
			buf_addf(&out, "%s\n", words->v[i]);
	}
	return cli_print(&out, e) < 0 ? -e->no : status;
}

const struct command cmd_profile_rm = {
	.name = "profile rm",
	.usage = "NAME...",
	.summary = "Remove profiles",
	.text = "Instances that were made with one stay as they are.",
	.opts = no_opts,
	.min_words = 1,
	.max_words = WORDS_ANY,
	.words = WORDS_PROFILE,
	.run = remove_run,
};
