/* help.c - what --help prints, from the table of commands */
#include <errno.h>
#include <string.h>

#include "base/auto.h"
#include "cli/commands.h"
#include "cli/text.h"

#define TEXT_WIDTH 80

/* "-d, --detach", "    --name NAME" */
static void add_option_name(struct buf *out, const struct opt *o)
{
	if (o->letter)
		buf_addf(out, "-%c, ", o->letter);
	else
		buf_adds(out, "    ");
	buf_addf(out, "--%s%s%s", o->name, o->metavar ? " " : "", o->metavar ? o->metavar : "");
}

static size_t name_width(const struct opt *o)
{
	return 4 + 2 + strlen(o->name) + (o->metavar ? 1 + strlen(o->metavar) : 0);
}

static void add_options(struct buf *out, const struct opt *opts)
{
	size_t width = 0;

	for (const struct opt *o = opts; o->type; o++)
		if (opt_is_shown(o) && name_width(o) > width)
			width = name_width(o);
	for (const struct opt *o = opts; o->type; o++) {
		if (!opt_is_shown(o))
			continue;
		buf_adds(out, "  ");
		add_option_name(out, o);
		buf_addf(out, "%*s  %s\n", (int)(width - name_width(o)), "", o->help);
	}
}

static void add_aliases(struct buf *out, const struct command *cmd)
{
	bool any = false;

	for (const struct alias *a = aliases; a->name; a++) {
		if (strcmp(a->command, cmd->name))
			continue;
		buf_addf(out, "%sketch %s", any ? ", " : "\nAliases:\n  ", a->name);
		any = true;
	}
	buf_adds(out, any ? "\n" : "");
}

/* "ls" of "volume ls", and of "volume snapshot-ls" in the group "volume snapshot"; else NULL. */
static const char *name_in_group(const char *name, const char *group)
{
	size_t n = strlen(group);
	char between = strchr(group, ' ') ? '-' : ' ';

	return !strncmp(name, group, n) && name[n] == between ? name + n + 1 : NULL;
}

/* As it is said: "volume snapshot ls" of "volume snapshot-ls". */
static void add_name(struct buf *out, const char *name)
{
	const char *verb = NULL;

	for (const struct group *g = groups; g->name && !verb; g++) {
		verb = strchr(g->name, ' ') ? name_in_group(name, g->name) : NULL;
		if (verb)
			buf_addf(out, "%s %s", g->name, verb);
	}
	if (!verb)
		buf_adds(out, name);
}

void help_add_command(struct buf *out, const struct command *cmd)
{
	buf_adds(out, "Usage:  ketch ");
	add_name(out, cmd->name);
	buf_addf(out, "%s%s%s\n\n%s\n", cmd->opts->type ? " [OPTIONS]" : "", *cmd->usage ? " " : "",
		 cmd->usage, cmd->summary);
	if (cmd->text)
		buf_addc(out, '\n');
	if (cmd->text)
		text_add_wrapped(out, cmd->text, TEXT_WIDTH);
	add_aliases(out, cmd);
	if (cmd->opts->type)
		buf_adds(out, "\nOptions:\n");
	add_options(out, cmd->opts);
}

static void add_command_line(struct buf *out, int width, const char *name, const char *summary)
{
	buf_addf(out, "  %-*s  %s\n", width, name, summary);
}

static void take_width(int *width, const char *name)
{
	if ((int)strlen(name) > *width)
		*width = (int)strlen(name);
}

void help_add_program(struct buf *out)
{
	buf_adds(out, "Usage:  ketch [OPTIONS] COMMAND\n\n"
		      "Runs an image behind the wall you choose: as a container, or as a virtual machine.\n");
	for (const struct section *s = sections; s->title; s++) {
		int width = 0;

		for (const struct command *const *c = s->commands; *c; c++)
			take_width(&width, (*c)->name);
		buf_addf(out, "\n%s:\n", s->title);
		for (const struct command *const *c = s->commands; *c; c++)
			add_command_line(out, width, (*c)->name, (*c)->summary);
	}
	buf_adds(out, "\nGlobal options:\n");
	add_options(out, global_opts);
	buf_adds(out, "\n\"ketch COMMAND --help\" says more about a command.\n");
}

static int group_width(const char *group)
{
	const char *name;
	int width = 0;

	for (const struct section *s = sections; s->title; s++)
		for (const struct command *const *c = s->commands; *c; c++)
			if ((name = name_in_group((*c)->name, group)))
				take_width(&width, name);
	for (const struct alias *a = aliases; a->name; a++)
		if ((name = name_in_group(a->name, group)))
			take_width(&width, name);
	return width;
}

static void add_group(struct buf *out, const struct group *g)
{
	int width = group_width(g->name);
	const char *name;

	buf_addf(out, "Usage:  ketch %s COMMAND\n\n%s\n\nCommands:\n", g->name, g->summary);
	for (const struct section *s = sections; s->title; s++)
		for (const struct command *const *c = s->commands; *c; c++)
			if ((name = name_in_group((*c)->name, g->name)))
				add_command_line(out, width, name, (*c)->summary);
	for (const struct alias *a = aliases; a->name; a++)
		if ((name = name_in_group(a->name, g->name)))
			add_command_line(out, width, name, command_by_name(a->command)->summary);
}

void help_add_group(struct buf *out, char *const *words, size_t n)
{
	autofree char *name = str_printf("%s%s%s", words[0], n > 1 ? " " : "", n > 1 ? words[1] : "");

	for (const struct group *g = groups; g->name && name; g++)
		if (!strcmp(g->name, name))
			add_group(out, g);
}

static int help_run(struct cli *c, void *args, struct strv *words, struct err *e)
{
	AUTO(buf_done) struct buf out = { 0 };
	const struct command *cmd;
	size_t used;

	if (!words->n) {
		help_add_program(&out);
		return cli_print(&out, e);
	}
	if (command_find(words->v, &cmd, &used, e) < 0)
		return -e->no;
	if (words->n != used)
		return err_set(e, EINVAL, "more than one command: %s", words->v[used]);
	if (cmd)
		help_add_command(&out, cmd);
	else
		help_add_group(&out, words->v, used);
	return cli_print(&out, e);
}

const struct command cmd_help = {
	.name = "help",
	.usage = "[COMMAND]",
	.summary = "Print help about a command",
	.opts = no_opts,
	.max_words = 3,
	.words = WORDS_COMMAND,
	.without_settings = true,
	.run = help_run,
};
