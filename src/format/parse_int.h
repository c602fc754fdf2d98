/* parse_int.h - the parser of templates: what its two files share */
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
	const char *vars[MAX_VARS];
	size_t n_vars;
	struct err *e;
};

#define parser_fail(ps, at, ...) format_fail((ps)->f->text, at, (ps)->e, __VA_ARGS__)

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

#endif
