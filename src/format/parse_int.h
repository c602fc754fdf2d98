/* parse_int.h - the parser of templates: what its files share */
#ifndef FORMAT_PARSE_INT_H
#define FORMAT_PARSE_INT_H

#include "format/format_int.h"

struct parser {
	struct format *f;
	const char *p; /* what is next */
	struct token t; /* the last one read */
	int flags;
	bool trim; /* the text that comes now loses the blanks at its start */
	int depth;
	int ranges; /* that can be left here */
	const char *vars[MAX_VARS];
	size_t first_var, n_vars; /* a definition sees none of those around it */
	struct err *e;
};

#define parser_fail(ps, at, ...) format_fail((ps)->f->text, at, (ps)->e, __VA_ARGS__)

/* How a list of nodes ended. */
enum list_end { LIST_TEXT, LIST_END, LIST_ELSE };

int parser_no_memory(struct parser *ps);
/* Reads the next token. */
int parser_next(struct parser *ps);
bool parser_is_word(const struct token *t, const char *word);
/* The token read last may not stand there. */
int parser_unexpected(struct parser *ps, const char *where);
/* One level deeper; the caller counts back. */
int parser_enter(struct parser *ps);
int parser_declare(struct parser *ps, const char *name);
/* The pipeline that begins with the token read last, up to "}}". */
int parser_action(struct parser *ps, bool is_range, struct pipeline **ret);

/* parse.c: nodes up to the end of the text, {{end}} or {{else}}; of the latter two the word was read. */
int parser_list(struct parser *ps, struct node **ret, enum list_end *ret_end);
/* "}}" must be the next token. */
int parser_close(struct parser *ps, const char *where);

/* parse_define.c: the word before was read; a definition leaves no node where it stands. */
int parser_define(struct parser *ps);
int parser_block(struct parser *ps, struct node **ret);
int parser_template(struct parser *ps, struct node **ret);
/* Keeps the nodes under this name. */
int parser_add_definition(struct parser *ps, const char *at, const char *name, struct node *nodes);

#endif
