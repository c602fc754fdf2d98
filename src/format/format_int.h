/* format_int.h - a template as a tree, and the values that running it makes */
#ifndef FORMAT_FORMAT_INT_H
#define FORMAT_FORMAT_INT_H

#include "format/format.h"

#define MAX_TEXT      65536 /* bytes of a template: a command line has no longer ones */
#define MAX_DEPTH     50 /* of parentheses and blocks: the parser recurses */
#define MAX_STEPS     1000000 /* nodes and values of one run: nested ranges multiply */
#define MAX_OUTPUT    (16U << 20) /* bytes of one run: printf pads */
#define MAX_ARGS      64 /* of one function */
#define MAX_WIDTH     1000 /* of a verb of printf */
#define MAX_PRECISION 60
#define MAX_POOL      (32U << 20) /* bytes of the values of one run, or of a parsed template */
#define MAX_VARS      200 /* at one time */
#define MAX_CALLS     100 /* of {{template}} inside one another: running them recurses */

static inline bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* --- pool.c: memory that is freed all at once */

struct pool {
	struct pool_block *blocks;
	size_t used;
};

/* Zeroed; NULL: out of memory, or of MAX_POOL. */
void *pool_alloc(struct pool *p, size_t size);
char *pool_dup(struct pool *p, const char *s, size_t n);
void pool_done(struct pool *p);

/* --- lex.c: the inside of an action, token by token */

enum token_type {
	TOKEN_END, /* "}}" */
	TOKEN_FIELD, /* ".Name": s is the name; a lone "." has n 0 */
	TOKEN_VARIABLE, /* "$" or "$name", with the dollar */
	TOKEN_WORD,
	TOKEN_STRING, /* text: its value */
	TOKEN_NUMBER, /* value */
	TOKEN_OPEN,
	TOKEN_CLOSE,
	TOKEN_PIPE,
	TOKEN_COMMA,
	TOKEN_DECLARE, /* ":=" */
	TOKEN_ASSIGN,
};

struct token {
	enum token_type type;
	const char *s; /* n bytes of the template */
	size_t n;
	bool space; /* a blank stood before it */
	bool trim; /* TOKEN_END: "-}}" */
	char *text; /* TOKEN_STRING */
	struct json_value value; /* TOKEN_NUMBER */
};

/* Reads the token at *p. */
int lex_token(struct pool *pool, const char *text, const char **p, struct token *ret, struct err *e);
/* "template parsing error: template: :LINE:COLUMN: ..."; the place is at. */
int format_fail(const char *text, const char *at, struct err *e, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* --- the tree */

struct name {
	const char *s;
	struct name *next;
};

enum operand_type {
	OPERAND_DOT,
	OPERAND_NIL,
	OPERAND_VARIABLE,
	OPERAND_FUNCTION,
	OPERAND_LITERAL,
	OPERAND_PIPE
};

struct operand {
	enum operand_type type;
	const char *at; /* in the template */
	const char *variable;
	const struct function *function;
	struct json_value literal;
	struct pipeline *pipe;
	struct name *fields; /* ".A.B" behind it */
	struct operand *next;
};

struct command {
	struct operand *args; /* at least one */
	struct command *next;
};

struct pipeline {
	const char *at;
	const char *names[2]; /* "$x := ", "$i, $x := " of a range; or NULL */
	bool assign; /* "$x = " */
	struct command *commands;
};

enum node_type {
	NODE_TEXT,
	NODE_ACTION,
	NODE_IF,
	NODE_RANGE,
	NODE_WITH,
	NODE_TEMPLATE,
	NODE_BREAK,
	NODE_CONTINUE
};

struct node {
	enum node_type type;
	const char *at; /* NODE_TEMPLATE: in the text */
	const char *s; /* NODE_TEXT: n bytes; NODE_TEMPLATE: its name */
	size_t n;
	struct pipeline *pipe; /* NODE_TEMPLATE: NULL where it is given nothing */
	struct node *body, *otherwise;
	struct node *next;
};

/* {{define "name"}}, {{block "name" .}}; what stands outside of them is called "". */
struct definition {
	const char *name;
	struct node *nodes;
	struct definition *next;
};

struct format {
	struct pool pool;
	char *text;
	struct definition *definitions;
};

/* NULL: there is none. */
struct definition *format_find(const struct format *f, const char *name);

/* --- run.c */

struct variable {
	const char *name;
	const struct json_value *value;
};

struct run {
	const struct format *f;
	const char *text;
	struct pool pool;
	struct buf *out;
	size_t start; /* of our bytes in out */
	struct variable vars[MAX_VARS];
	size_t n_vars;
	unsigned steps;
	unsigned calls; /* of templates that are under way */
	enum { STAYS, BREAKS, CONTINUES } leaving; /* the lists of nodes up to the range's */
	bool headings;
	struct err *e;
};

extern const struct json_value format_null;

int run_no_memory(struct run *r);
/* One more node, operand or element; an error when there were too many, or too much output. */
int run_step(struct run *r, const char *at);
#define fail_at(r, at, ...) format_fail((r)->text, at, (r)->e, __VA_ARGS__)
bool value_is_true(const struct json_value *v);
/* New values in the pool; NULL: out of memory. */
const struct json_value *run_string(struct run *r, const char *s, size_t n);
const struct json_value *run_whole(struct run *r, uint64_t n);
const struct json_value *run_bool(bool b);
/* Takes what b has. */
const struct json_value *run_buf(struct run *r, struct buf *b);

/* --- run_pipeline.c */

/* The value of one operand that is no function with arguments behind it. */
int run_operand(struct run *r, const struct json_value *dot, const struct operand *o,
		const struct json_value **ret);
/* The value of its commands; a variable that it names is left alone. */
int run_commands(struct run *r, const struct json_value *dot, const struct pipeline *pipe,
		 const struct json_value **ret);
/* The same, and the variable is set. */
int run_pipeline(struct run *r, const struct json_value *dot, const struct pipeline *pipe,
		 const struct json_value **ret);
/* Declares `name`, or assigns to it, as the pipeline says. */
int run_set_variable(struct run *r, const struct pipeline *pipe, const char *name,
		     const struct json_value *v);

/* --- functions.c */

struct function {
	const char *name;
	unsigned min, max; /* arguments */
	bool lazy; /* "and", "or": run.c asks for one argument at a time */
	bool formats; /* leaves a heading as it is */
	/* *ret is set; an error is a sentence in r->e without its place */
	int (*call)(struct run *r, const struct json_value *const *args, size_t n,
		    const struct json_value **ret);
};

/* NULL: unknown. */
const struct function *function_find(const char *name);
const char *function_nearest(const char *name);
/* "a string", "an object": for messages */
const char *value_kind(const struct json_value *v);

/* --- print.c: values as Go's fmt prints them */

/* top: null at the top is "<no value>", elsewhere "<nil>" */
void print_value(struct buf *out, const struct json_value *v, bool top);
/* fmt.Printf; -EINVAL with a sentence */
int print_formatted(struct buf *out, const char *fmt, const struct json_value *const *args, size_t n,
		    struct err *e);
/* Members of an object that are seen, by their keys' bytes; n of them in the pool. */
const struct json_member **print_sorted(struct pool *p, const struct json_value *object, size_t *ret_n);

#endif
