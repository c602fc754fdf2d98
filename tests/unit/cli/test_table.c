/* test_table.c - every row of the table is in the help, in the manual and in the completion */
#include "../cm.h"

#include <stdbool.h>
#include <stdlib.h>

#include "base/strv.h"
#include "cli/cli.h"

static void need(const struct buf *text, const char *what, const char *where)
{
	if (!strstr(text->data, what))
		fail_msg("\"%s\" is not in %s", what, where);
}

/* roff writes a minus as \- */
static char *in_roff(const char *s)
{
	struct buf b = { 0 };

	for (; *s; s++)
		buf_addf(&b, "%s%c", *s == '-' ? "\\" : "", *s);
	return buf_take(&b);
}

static void check_row(const struct opt *o, const struct buf *help, const struct buf *man,
		      const struct buf *bash)
{
	char *line = str_printf("--%s%s%s ", o->name, o->metavar ? " " : "", o->metavar ? o->metavar : "");
	char *word = str_printf("--%s ", o->name), *option = str_printf("--%s", o->name),
	     *roff = in_roff(option);
	char *sentence = in_roff(o->help);

	need(help, line, "the help");
	need(help, o->help, "the help");
	need(man, roff, "the manual");
	need(bash, word, "the completion");
	if (!strchr(o->help, '\\'))
		need(man, sentence, "the manual");
	free(line);
	free(word);
	free(option);
	free(roff);
	free(sentence);
}

static void check_width(const struct buf *help)
{
	for (const char *line = help->data; *line; line += strcspn(line, "\n") + 1)
		if (strcspn(line, "\n") > 100)
			fail_msg("wider than 100 columns: %.*s", (int)strcspn(line, "\n"), line);
}

static void check_command(const struct command *cmd, const struct buf *bash)
{
	struct buf help = { 0 }, man = { 0 };
	char *label = str_printf("'%s'", cmd->name);

	help_add_command(&help, cmd);
	man_add_page(&man, cmd);
	need(&help, cmd->summary, "the help");
	need(&man, ".SH SYNOPSIS", "the manual");
	check_width(&help);
	need(bash, label, "the completion");
	for (const struct opt *o = cmd->opts; o->type; o++)
		if (opt_is_shown(o))
			check_row(o, &help, &man, bash);
	free(label);
	buf_done(&help);
	buf_done(&man);
}

static void every_row_is_in_help_manual_and_completion(void **state)
{
	struct buf help = { 0 }, man = { 0 }, bash = { 0 };
	size_t n = 0;

	help_add_program(&help);
	man_add_page(&man, NULL);
	completion_add_bash(&bash);
	for (const struct section *s = sections; s->title; s++) {
		need(&help, s->title, "the help");
		for (const struct command *const *c = s->commands; *c; c++, n++) {
			need(&help, (*c)->name, "the help");
			need(&help, (*c)->summary, "the help");
			check_command(*c, &bash);
		}
	}
	check_width(&help);
	for (const struct opt *o = global_opts; o->type; o++)
		check_row(o, &help, &man, &bash);
	for (const struct alias *a = aliases; a->name; a++)
		need(&bash, a->name, "the completion");
	assert_true(n >= 20);
	buf_done(&help);
	buf_done(&man);
	buf_done(&bash);
}

static void check_opts(const struct command *cmd)
{
	bool letters[256] = { false };

	for (const struct opt *o = cmd->opts; o->type; o++) {
		assert_true(o->type < OPT_TYPE_N && o->name && o->help && o->off < cmd->args_size);
		assert_int_equal(o->type == OPT_FLAG || o->type == OPT_REFUSED, !o->metavar);
		assert_false(o->letter && letters[(unsigned char)o->letter]);
		assert_true(o->help[strlen(o->help) - 1] != '.');
		letters[(unsigned char)o->letter] = true;
		for (const struct opt *other = o + 1; other->type; other++)
			assert_string_not_equal(o->name, other->name);
	}
}

static void rows_are_whole_and_do_not_clash(void **state)
{
	for (const struct section *s = sections; s->title; s++) {
		for (const struct command *const *c = s->commands; *c; c++) {
			assert_true((*c)->run && (*c)->usage && (*c)->summary && (*c)->opts);
			assert_true((*c)->min_words <= (*c)->max_words);
			assert_ptr_equal(command_by_name((*c)->name), *c);
			check_opts(*c);
		}
	}
	for (const struct alias *a = aliases; a->name; a++) {
		assert_non_null(command_by_name(a->command));
		assert_ptr_equal(command_by_name(a->name), command_by_name(a->command));
	}
	for (const struct group *g = groups; g->name; g++)
		assert_null(command_by_name(g->name));
	for (const struct refusal *r = refusals; r->name; r++) {
		assert_null(command_by_name(r->name));
		assert_true(r->why[strlen(r->why) - 1] != '.');
		for (const struct group *g = groups; g->name; g++)
			assert_string_not_equal(r->name, g->name);
	}
}

static void the_build_installs_a_manual_page_for_every_command(void **state)
{
	struct strv pages = { 0 };
	size_t n = 0;

	assert_int_equal(strv_split(&pages, MAN_PAGES, " "), 0);
	for (const struct section *s = sections; s->title; s++) {
		for (const struct command *const *c = s->commands; *c; c++, n++) {
			char *name = strdup((*c)->name);

			for (char *p = name; *p; p++)
				*p = *p == ' ' ? '-' : *p;
			if (!strv_has(&pages, name))
				fail_msg("%s is not in cli_man_pages of src/cli/meson.build", name);
			free(name);
		}
	}
	assert_int_equal(pages.n, n);
	strv_done(&pages);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_row_is_in_help_manual_and_completion),
		cmocka_unit_test(rows_are_whole_and_do_not_clash),
		cmocka_unit_test(the_build_installs_a_manual_page_for_every_command),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
