/* cli.c - from argv to a command and its exit status */
#include "cli/cli.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/io.h"
#include "base/log.h"
#include "cli/colour.h"
#include "cli/text.h"

const struct opt global_opts[] = {
	OPT(STR, 0, "root", struct global_args, root, "DIR",
	    "Directory of images and instances (KETCH_ROOT; default /var/lib/ketch)"),
	OPT(STR, 0, "run-root", struct global_args, run_root, "DIR",
	    "Directory of what runs (KETCH_RUN_ROOT; default /run/ketch)"),
	OPT(FLAG, 'D', "debug", struct global_args, debug, NULL, "Say what is done on stderr"),
	OPT(FLAG, 'v', "version", struct global_args, version, NULL, "Print the version and leave"),
	{ 0 },
};
const struct opt no_opts[] = { { 0 } };

int cli_complain(const struct err *e, int status)
{
	AUTO(buf_done) struct buf line = { 0 };

	text_add(&line, e->msg); /* foreign names in it may be anything */
	log_error("%s", buf_ok(&line) && line.data ? line.data : e->msg);
	return status;
}

static const char *setting(const struct cli *c, const char *given, const char *key, const char *otherwise)
{
	const char *value = given ? given : settings_get(&c->settings, key);

	return value ? value : otherwise;
}

const char *cli_root(const struct cli *c)
{
	return setting(c, c->args.root, "root", "/var/lib/ketch");
}

const char *cli_run_root(const struct cli *c)
{
	return setting(c, c->args.run_root, "run-root", "/run/ketch");
}

struct engine *cli_engine(struct cli *c, struct err *e)
{
	if (c->engine)
		return c->engine;
	if (engine_open(cli_root(c), cli_run_root(c), c->makes_store, &c->engine, e) < 0)
		return NULL;
	if (c->args.root && image_store_state(engine_images(c->engine)) == STORE_ABSENT)
		log_warn("there is no store in %s: it is taken for an empty one", c->args.root);
	engine_set_progress(c->engine, cli_progress(), NULL);
	return c->engine;
}

struct image_store *cli_images(struct cli *c, struct err *e)
{
	struct engine *en = cli_engine(c, e);

	return en ? engine_images(en) : NULL;
}

int cli_print(const struct buf *b, struct err *e)
{
	int r = buf_ok(b) ? write_full(STDOUT_FILENO, b->data, b->len) : -ENOMEM;

	return r < 0 ? err_sys(e, -r, "write to stdout") : 0;
}

int cli_print_name(const char *name, struct err *e)
{
	AUTO(buf_done) struct buf line = { 0 };

	text_add(&line, name);
	buf_addc(&line, '\n');
	return cli_print(&line, e);
}

bool cli_has_colour(const struct cli *c)
{
	return colour_is_on(settings_get(&c->settings, "colour"), STDOUT_FILENO);
}

bool cli_is_json(const char *format)
{
	return format && !strcmp(format, "json");
}

/* "requires exactly 2 arguments", with the usage behind it. */
static int check_words(const struct command *cmd, size_t n, struct err *e)
{
	unsigned bound = n < cmd->min_words ? cmd->min_words : cmd->max_words;
	const char *how = cmd->min_words == cmd->max_words ? "exactly"
			  : n < cmd->min_words		   ? "at least"
							   : "at most";

	if (n >= cmd->min_words && n <= cmd->max_words)
		return 0;
	if (!cmd->max_words)
		return err_set(e, EINVAL, "\"ketch %s\" takes no arguments", cmd->name);
	return err_set(e, EINVAL, "\"ketch %s\" requires %s %u argument%s: ketch %s%s %s", cmd->name, how,
		       bound, bound == 1 ? "" : "s", cmd->name, cmd->opts->type ? " [OPTIONS]" : "",
		       cmd->usage);
}

static int print_text(void (*add)(struct buf *, const struct command *), const struct command *cmd)
{
	AUTO(buf_done) struct buf out = { 0 };
	struct err e;

	add(&out, cmd);
	return cli_print(&out, &e) < 0 ? cli_complain(&e, STATUS_FAILED) : 0;
}

static int run_parsed(struct cli *c, const struct command *cmd, void *args, struct strv *words)
{
	struct err e = { 0 };
	int r = check_words(cmd, words->n, &e);

	if (r == 0)
		r = cmd->run(c, args, words, &e);
	return r < 0 ? cli_complain(&e, cmd->failure ? cmd->failure : STATUS_FAILED) : r;
}

/* Everything that stands behind the line. */
static int prepare(struct cli *c, const struct command *cmd, char *const *argv, void *args, struct err *e)
{
	static const char keys[] = "detach-keys"; /* the one setting of several commands */
	int r = cmd->without_settings ? 0 : settings_read("/etc/ketch", &c->settings, e);
	const char *value = r == 0 ? settings_get(&c->settings, keys) : NULL;

	log_set_colour(colour_is_on(settings_get(&c->settings, "colour"), STDERR_FILENO));
	if (value && opts_find(cmd->opts, keys))
		r = opts_set(cmd->opts, keys, value, args, e);
	return r == 0 && cmd->prepare ? cmd->prepare(c, cmd, argv, args, e) : r;
}

static int run_command(struct cli *c, const struct command *cmd, char *const *argv)
{
	AUTO(strv_done) struct strv words = { 0 };
	autofree void *args = calloc(1, cmd->args_size + 1);
	struct err e = { 0 }, before = { 0 };
	int r, prepared;

	c->makes_store = cmd->makes_store;
	if (!args)
		return STATUS_USAGE;
	if (cmd->defaults)
		memcpy(args, cmd->defaults, cmd->args_size);
	prepared = prepare(c, cmd, argv, args, &before);
	r = opts_parse(cmd->opts, cmd->grammar, argv, args, &words, &e);
	if (r < 0)
		r = cli_complain(&e, STATUS_USAGE);
	else if (r == OPTS_HELP)
		r = print_text(help_add_command, cmd);
	else if (prepared < 0)
		r = cli_complain(&before, STATUS_USAGE);
	else
		r = run_parsed(c, cmd, args, &words);
	opts_done(cmd->opts, args);
	return r;
}

static void add_program_help(struct buf *out, const struct command *cmd)
{
	help_add_program(out);
}

static int show_group(char *const *words, size_t n)
{
	AUTO(buf_done) struct buf out = { 0 };
	struct err e;

	help_add_group(&out, words, n);
	return cli_print(&out, &e) < 0 ? cli_complain(&e, STATUS_FAILED) : 0;
}

static int dispatch(struct cli *c, const struct strv *words)
{
	const struct command *cmd;
	struct err e = { 0 };
	size_t used;

	if (c->args.debug)
		setenv("KETCH_DEBUG", "1", 1);
	if (c->args.version) {
		puts("Ketch version " KETCH_VERSION);
		return 0;
	}
	if (!words->n)
		return print_text(add_program_help, NULL);
	if (command_find(words->v, &cmd, &used, &e) < 0)
		return cli_complain(&e, STATUS_FAILED);
	return cmd ? run_command(c, cmd, words->v + used) : show_group(words->v, used);
}

int cli_main(char *const *argv)
{
	AUTO(strv_done) struct strv words = { 0 };
	struct cli c = { 0 };
	struct err e = { 0 };
	int r;

	log_set_colour(colour_is_on(NULL, STDERR_FILENO));
	r = opts_parse(global_opts, OPTS_FIRST, argv[0] ? argv + 1 : argv, &c.args, &words, &e);

	if (r < 0)
		r = cli_complain(&e, STATUS_USAGE);
	else if (r == OPTS_HELP)
		r = print_text(add_program_help, NULL);
	else
		r = dispatch(&c, &words);
	engine_close(c.engine);
	settings_done(&c.settings);
	opts_done(global_opts, &c.args);
	return r;
}
