/* parse_pipeline.c - the inside of an action: operands, commands, pipelines
 *
 * Parentheses hold pipelines again, which is a level of depth.
 */
#include <errno.h>
#include <string.h>

#include "format/parse_int.h"

static int parse_pipeline(struct parser *ps, struct pipeline *pipe);

int parser_no_memory(struct parser *ps)
{
	return err_set(ps->e, ENOMEM, "out of memory");
}

int parser_next(struct parser *ps)
{
	return lex_token(&ps->f->pool, ps->f->text, &ps->p, &ps->t, ps->e);
}

bool parser_is_word(const struct token *t, const char *word)
{
	return t->type == TOKEN_WORD && strlen(word) == t->n && !memcmp(t->s, word, t->n);
}

int parser_unexpected(struct parser *ps, const char *where)
{
	size_t n = ps->t.n < 40 ? ps->t.n : 40;

	return parser_fail(ps, ps->t.s, "unexpected \"%s%.*s\" in %s", ps->t.type == TOKEN_FIELD ? "." : "",
			   (int)n, ps->t.s, where);
}

int parser_enter(struct parser *ps)
{
	return ++ps->depth > MAX_DEPTH ? parser_fail(ps, ps->p, "more than %d levels", MAX_DEPTH) : 0;
}

/* --- variables */

int parser_declare(struct parser *ps, const char *name)
{
	if (ps->n_vars == MAX_VARS)
		return parser_fail(ps, ps->p, "more than %d variables", MAX_VARS);
	ps->vars[ps->n_vars++] = name;
	return 0;
}

static int check_declared(struct parser *ps, const char *name, const char *at)
{
	for (size_t i = ps->first_var; i < ps->n_vars; i++)
		if (!strcmp(ps->vars[i], name))
			return 0;
	return parser_fail(ps, at, "undefined variable \"%.60s\"", name);
}

/* --- operands */

static char *token_text(struct parser *ps)
{
	char *s = pool_dup(&ps->f->pool, ps->t.s, ps->t.n);

	if (!s)
		parser_no_memory(ps);
	return s;
}

static int set_literal(struct parser *ps, struct operand *o)
{
	o->type = OPERAND_LITERAL;
	o->literal = ps->t.value;
	if (ps->t.type == TOKEN_STRING)
		o->literal = (struct json_value){ .kind = JSON_STRING, .string = ps->t.text };
	return 0;
}

static int set_word(struct parser *ps, struct operand *o)
{
	bool yes = parser_is_word(&ps->t, "true");
	char *name = token_text(ps);
	const char *nearest;

	if (!name)
		return -ENOMEM;
	if (yes || parser_is_word(&ps->t, "false")) {
		o->type = OPERAND_LITERAL;
		o->literal = (struct json_value){ .kind = JSON_BOOL, .boolean = yes };
		return 0;
	}
	if (parser_is_word(&ps->t, "nil")) {
		o->type = OPERAND_NIL;
		return 0;
	}
	o->type = OPERAND_FUNCTION;
	o->function = function_find(name);
	if (o->function)
		return 0;
	nearest = function_nearest(name);
	if (nearest)
		return parser_fail(ps, ps->t.s, "function \"%.40s\" not defined (did you mean %s?)", name,
				   nearest);
	return parser_fail(ps, ps->t.s, "function \"%.40s\" not defined", name);
}

static int set_variable(struct parser *ps, struct operand *o)
{
	o->type = OPERAND_VARIABLE;
	o->variable = token_text(ps);
	return o->variable ? check_declared(ps, o->variable, ps->t.s) : -ENOMEM;
}

static int set_parentheses(struct parser *ps, struct operand *o)
{
	int r = parser_enter(ps);

	o->type = OPERAND_PIPE;
	o->pipe = pool_alloc(&ps->f->pool, sizeof(*o->pipe));
	if (r == 0 && !o->pipe)
		r = parser_no_memory(ps);
	if (r == 0)
		r = parser_next(ps);
	if (r == 0)
		r = parse_pipeline(ps, o->pipe);
	if (r == 0 && ps->t.type != TOKEN_CLOSE)
		r = parser_unexpected(ps, "parentheses");
	ps->depth--;
	return r;
}

/* The fields that stand behind an operand without a blank; reads one token more. */
static int parse_fields(struct parser *ps, struct operand *o)
{
	struct name **end = &o->fields;
	int r;

	while (*end)
		end = &(*end)->next;
	while ((r = parser_next(ps)) == 0 && ps->t.type == TOKEN_FIELD && !ps->t.space) {
		bool takes = o->type == OPERAND_VARIABLE || o->type == OPERAND_PIPE ||
			     (o->type == OPERAND_DOT && o->fields);

		if (!ps->t.n || !takes)
			return parser_fail(ps, ps->t.s, "unexpected . after term");
		*end = pool_alloc(&ps->f->pool, sizeof(**end));
		if (!*end)
			return parser_no_memory(ps);
		(*end)->s = token_text(ps);
		if (!(*end)->s)
			return -ENOMEM;
		end = &(*end)->next;
	}
	return r;
}

static int set_dot(struct parser *ps, struct operand *o)
{
	o->type = OPERAND_DOT;
	if (!ps->t.n)
		return 0;
	o->fields = pool_alloc(&ps->f->pool, sizeof(*o->fields));
	if (!o->fields)
		return parser_no_memory(ps);
	o->fields->s = token_text(ps);
	return o->fields->s ? 0 : -ENOMEM;
}

static int parse_operand(struct parser *ps, struct operand **ret)
{
	struct operand *o = pool_alloc(&ps->f->pool, sizeof(*o));
	int r = 0;

	if (!o)
		return parser_no_memory(ps);
	o->at = ps->t.s - (ps->t.type == TOKEN_FIELD);
	switch (ps->t.type) {
	case TOKEN_FIELD:
		r = set_dot(ps, o);
		break;
	case TOKEN_VARIABLE:
		r = set_variable(ps, o);
		break;
	case TOKEN_WORD:
		r = set_word(ps, o);
		break;
	case TOKEN_STRING:
	case TOKEN_NUMBER:
		r = set_literal(ps, o);
		break;
	case TOKEN_OPEN:
		r = set_parentheses(ps, o);
		break;
	case TOKEN_END:
	case TOKEN_CLOSE:
	case TOKEN_PIPE:
	case TOKEN_COMMA:
	case TOKEN_DECLARE:
	case TOKEN_ASSIGN:
		return parser_unexpected(ps, "operand");
	}
	if (r == 0)
		r = parse_fields(ps, o);
	*ret = o;
	return r;
}

/* --- commands and pipelines */

static bool ends_command(const struct token *t)
{
	return t->type == TOKEN_END || t->type == TOKEN_CLOSE || t->type == TOKEN_PIPE;
}

static int check_function(struct parser *ps, const struct operand *o, size_t n)
{
	const struct function *fn = o->function;

	if (n > MAX_ARGS)
		return parser_fail(ps, o->at, "%s: more than %d arguments", fn->name, MAX_ARGS);
	if (n >= fn->min && n <= fn->max)
		return 0;
	return parser_fail(ps, o->at, "wrong number of arguments for %s: want %s%u, got %zu", fn->name,
			   n < fn->min && fn->max > fn->min ? "at least " : "",
			   n < fn->min ? fn->min : fn->max, n);
}

/* piped: a value comes from the command before, and is the last argument. */
static int check_command(struct parser *ps, const struct command *cmd, bool piped)
{
	const struct operand *first = cmd->args;
	size_t n = piped;
	int r;

	for (const struct operand *o = first->next; o; o = o->next, n++) {
		r = o->type == OPERAND_FUNCTION ? check_function(ps, o, 0) : 0;
		if (r < 0)
			return r;
	}
	if (first->type == OPERAND_FUNCTION)
		return check_function(ps, first, n);
	if (first->type == OPERAND_NIL)
		return parser_fail(ps, first->at, "nil is not a command");
	if (n > MAX_ARGS || (n && !first->fields))
		return parser_fail(ps, first->at, "can't give argument to non-function");
	return 0;
}

static int parse_command(struct parser *ps, struct command **ret)
{
	struct command *cmd = pool_alloc(&ps->f->pool, sizeof(*cmd));
	struct operand **end;
	int r;

	if (!cmd)
		return parser_no_memory(ps);
	if (ends_command(&ps->t))
		return parser_fail(ps, ps->t.s, "missing value for command");
	end = &cmd->args;
	do {
		if (end != &cmd->args && !ps->t.space)
			return parser_unexpected(ps, "operand");
		r = parse_operand(ps, end);
		if (r < 0)
			return r;
		end = &(*end)->next;
	} while (!ends_command(&ps->t));
	*ret = cmd;
	return 0;
}

/* "$x :=", "$x =", "$i, $x :=" when they are there; the token read last is the one behind them. */
static int parse_declaration(struct parser *ps, struct pipeline *pipe)
{
	const char *start = ps->p, *names[2] = { NULL, NULL };
	struct token first = ps->t;

	for (int i = 0; i < 2 && ps->t.type == TOKEN_VARIABLE; i++) {
		names[i] = token_text(ps);
		if (!names[i])
			return -ENOMEM;
		if (parser_next(ps) < 0)
			return -ps->e->no;
		if (ps->t.type != TOKEN_COMMA)
			break;
		if (parser_next(ps) < 0)
			return -ps->e->no;
	}
	if (!names[0] || (ps->t.type != TOKEN_DECLARE && ps->t.type != TOKEN_ASSIGN)) {
		ps->p = start;
		ps->t = first;
		return 0;
	}
	pipe->names[0] = names[0];
	pipe->names[1] = names[1];
	pipe->assign = ps->t.type == TOKEN_ASSIGN;
	if (pipe->assign && check_declared(ps, names[0], first.s) < 0)
		return -ps->e->no;
	if (pipe->assign && names[1] && check_declared(ps, names[1], first.s) < 0)
		return -ps->e->no;
	return parser_next(ps);
}

static int parse_commands(struct parser *ps, struct pipeline *pipe)
{
	struct command **end = &pipe->commands;
	int r;

	for (;;) {
		r = parse_command(ps, end);
		if (r == 0)
			r = check_command(ps, *end, *end != pipe->commands);
		if (r < 0 || ps->t.type != TOKEN_PIPE)
			return r;
		end = &(*end)->next;
		r = parser_next(ps);
		if (r < 0)
			return r;
	}
}

/* From the token read last; ends with the token behind it. */
static int parse_pipeline(struct parser *ps, struct pipeline *pipe)
{
	int r;

	pipe->at = ps->t.s;
	r = parse_declaration(ps, pipe);
	if (r == 0)
		r = parse_commands(ps, pipe);
	if (r == 0 && !pipe->assign && pipe->names[0])
		r = parser_declare(ps, pipe->names[0]);
	if (r == 0 && !pipe->assign && pipe->names[1])
		r = parser_declare(ps, pipe->names[1]);
	return r;
}

int parser_action(struct parser *ps, bool is_range, struct pipeline **ret)
{
	struct pipeline *pipe = pool_alloc(&ps->f->pool, sizeof(*pipe));
	int r = pipe ? parse_pipeline(ps, pipe) : parser_no_memory(ps);

	if (r < 0)
		return r;
	if (pipe->names[1] && !is_range)
		return parser_fail(ps, pipe->at, "too many declarations");
	if (ps->t.type != TOKEN_END)
		return parser_unexpected(ps, "command");
	ps->trim = ps->t.trim;
	*ret = pipe;
	return 0;
}
