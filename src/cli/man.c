/* man.c - the manual pages in roff(7), from the table of commands; ketch man is for the build, and hidden */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "cli/commands.h"

/* Text that roff takes literally: minus signs stay minus signs, and no line begins with a request. */
static void add_text(struct buf *out, const char *s)
{
	for (const char *p = s; *p; p++) {
		if ((*p == '.' || *p == '\'') && (p == s || p[-1] == '\n'))
			buf_adds(out, "\\&");
		if (*p == '-')
			buf_adds(out, "\\-");
		else if (*p == '\\')
			buf_adds(out, "\\e");
		else
			buf_addc(out, *p);
	}
}

/* Paragraphs parted by an empty line. */
static void add_paragraphs(struct buf *out, const char *text)
{
	for (;;) {
		const char *end = strstr(text, "\n\n");
		autofree char *one = end ? strndup(text, (size_t)(end - text)) : strdup(text);

		add_text(out, one ? one : "");
		buf_adds(out, "\n");
		if (!end)
			return;
		buf_adds(out, ".PP\n");
		text = end + 2;
	}
}

/* "image inspect" -> "image-inspect" */
static char *page_name(const char *command)
{
	char *name = str_printf("ketch-%s", command);

	for (char *p = name; p && *p; p++)
		if (*p == ' ')
			*p = '-';
	return name;
}

static void add_title(struct buf *out, const char *name, const char *chapter, const char *summary)
{
	buf_adds(out, ".TH ");
	for (const char *p = name; *p; p++)
		buf_addc(out, (char)toupper((unsigned char)*p));
	buf_addf(out, " %s", chapter);
	buf_adds(out, " \"\" \"Ketch " KETCH_VERSION "\" \"Ketch\"\n.SH NAME\n");
	add_text(out, name);
	buf_adds(out, " \\- ");
	add_text(out, summary);
	buf_adds(out, "\n");
}

static void add_options(struct buf *out, const struct opt *opts)
{
	for (const struct opt *o = opts; o->type; o++) {
		if (!opt_is_shown(o))
			continue;
		buf_adds(out, ".TP\n");
		if (o->letter)
			buf_addf(out, "\\fB\\-%c\\fR, ", o->letter);
		buf_adds(out, "\\fB\\-\\-");
		add_text(out, o->name);
		buf_adds(out, "\\fR");
		if (o->metavar) {
			buf_adds(out, " \\fI");
			add_text(out, o->metavar);
			buf_adds(out, "\\fR");
		}
		buf_adds(out, "\n");
		add_text(out, o->help);
		buf_adds(out, ".\n");
	}
}

static void add_command_page(struct buf *out, const struct command *cmd)
{
	autofree char *name = page_name(cmd->name);

	add_title(out, name ? name : "", "1", cmd->summary);
	buf_adds(out, ".SH SYNOPSIS\n.B ketch ");
	add_text(out, cmd->name);
	buf_adds(out, cmd->opts->type ? "\n[OPTIONS] " : "\n");
	add_text(out, cmd->usage);
	buf_adds(out, "\n.SH DESCRIPTION\n");
	add_text(out, cmd->summary);
	buf_adds(out, ".\n");
	if (cmd->text) {
		buf_adds(out, ".PP\n");
		add_paragraphs(out, cmd->text);
	}
	if (cmd->opts->type)
		buf_adds(out, ".SH OPTIONS\n");
	add_options(out, cmd->opts);
	buf_adds(out, ".SH SEE ALSO\n.BR ketch (1)\n");
}

static void add_variable(struct buf *out, const char *name, const char *text)
{
	buf_addf(out, ".TP\n.B %s\n%s\n", name, text);
}

/* "run-root", or its variable. */
static void add_setting(struct buf *out, const struct setting_kind *k, bool as_variable)
{
	buf_addf(out, ".TP\n.B %s", as_variable ? "KETCH_" : "");
	for (const char *p = k->key; *p; p++)
		buf_addc(out, *p == '-' ? '_' : as_variable ? (char)toupper((unsigned char)*p) : *p);
	buf_adds(out, "\n");
	add_text(out, k->help);
	buf_adds(out, ".\n");
}

/* ketch.conf(5) */
static void add_conf_page(struct buf *out)
{
	add_title(out, "ketch.conf", "5", "what Ketch does when the command line does not say");
	buf_adds(out,
		 ".SH SYNOPSIS\n.I /etc/ketch/ketch.conf\n.br\n.I /etc/ketch/ketch.conf.d/*.conf\n.br\n"
		 ".I ~/.config/ketch/ketch.conf\n.SH DESCRIPTION\n"
		 "One KEY = VALUE a line.  A # at the start of a line or behind a blank begins a comment.\n"
		 "A value may stand between double quotes; \"\" is an empty one.\n.PP\n"
		 "A later file goes before an earlier one, in the order above; those of ketch.conf.d are "
		 "taken\n"
		 "in the order of their names.  The environment goes before all files: each key has a "
		 "variable\n"
		 "(see ketch(1)).  Profiles go before both, and flags before everything.\n.PP\n"
		 "A line that is wrong is an error of every command, which names file and line.  A file of "
		 "the\n"
		 "user that may not be read is left out with a warning.\n"
		 ".SH KEYS\n");
	for (const struct setting_kind *k = setting_kinds; k->key; k++)
		add_setting(out, k, false);
	buf_adds(out, ".SH EXAMPLE\n.nf\nisolation = vm\nmemory = 512m     # of every instance\n"
		      "detach_keys = \"ctrl\\-a,d\"\n.fi\n.SH SEE ALSO\n.BR ketch (1),\n"
		      ".BR ketch\\-profile\\-create (1)\n");
}

static void add_program_page(struct buf *out)
{
	add_title(out, "ketch", "1", "run images as containers or as virtual machines");
	buf_adds(out, ".SH SYNOPSIS\n.B ketch\n[OPTIONS] COMMAND [ARG...]\n.SH DESCRIPTION\n"
		      "Runs an image behind the wall you choose: as a container, or as a virtual machine.\n"
		      "Everything else is the same for both.  There is no daemon.\n");
	for (const struct section *s = sections; s->title; s++) {
		buf_addf(out, ".SS %s\n", s->title);
		for (const struct command *const *c = s->commands; *c; c++) {
			autofree char *name = page_name((*c)->name);

			buf_adds(out, ".TP\n.BR ");
			add_text(out, name ? name : "");
			buf_adds(out, " (1)\n");
			add_text(out, (*c)->summary);
			buf_adds(out, ".\n");
		}
	}
	buf_adds(out, ".SH OPTIONS\n");
	add_options(out, global_opts);
	buf_adds(out, ".SH ENVIRONMENT\n");
	add_variable(out, "KETCH_CONFIG", "A file instead of those of ketch.conf(5); empty: none at all.");
	for (const struct setting_kind *k = setting_kinds; k->key; k++)
		add_setting(out, k, true);
	add_variable(out, "KETCH_DEBUG",
		     "1, or some of plan (the steps that make an instance), vm (the processes of a machine), "
		     "run (other\n"
		     "programs): say on stderr what is done.");
	buf_adds(out,
		 ".SH EXIT STATUS\n"
		 "That of the command for run and exec: 126 when it cannot be executed, 127 when it was not\n"
		 "found, 128+n when signal n ended it.  125 for a wrong option, and when run failed before "
		 "the\n"
		 "command began.  Otherwise 0, or 1 after a failure.\n");
}

void man_add_page(struct buf *out, const struct command *cmd)
{
	if (cmd)
		add_command_page(out, cmd);
	else
		add_program_page(out);
}

/* Pages have a '-' between the words of a group's command: "kernel-ls" is "kernel ls", "system-start-all" has one more. */
static const struct command *command_of_page(char *page)
{
	const struct command *cmd = command_by_name(page);
	char *dash = strchr(page, '-');

	if (cmd || !dash)
		return cmd;
	*dash = ' ';
	return command_by_name(page);
}

/* ketch man: ketch(1); ketch man PAGE: "run", "image-inspect", "image inspect", or "ketch.conf" */
static int man_run(struct cli *c, void *args, struct strv *words, struct err *e)
{
	AUTO(buf_done) struct buf out = { 0 };
	const struct command *cmd = NULL;

	if (words->n && !strcmp(words->v[0], "ketch.conf")) {
		add_conf_page(&out);
		return cli_print(&out, e);
	}
	if (words->n) {
		cmd = command_of_page(words->v[0]);
		if (!cmd)
			return err_set(e, ENOENT, "no manual page for %s", words->v[0]);
	}
	man_add_page(&out, cmd);
	return cli_print(&out, e);
}

const struct command cmd_man = {
	.name = "man",
	.usage = "[COMMAND]",
	.summary = "Print a manual page in roff",
	.opts = no_opts,
	.max_words = 1,
	.words = WORDS_COMMAND,
	.without_settings = true,
	.run = man_run,
};
