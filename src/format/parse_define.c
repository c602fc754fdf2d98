/* parse_define.c - templates inside a template: {{define}}, {{block}} and {{template}} */
#include <errno.h>
#include <string.h>

#include "format/parse_int.h"

struct definition *format_find(const struct format *f, const char *name)
{
	for (struct definition *d = f->definitions; d; d = d->next)
		if (!strcmp(d->name, name))
			return d;
	return NULL;
}

/* Go's rule: blanks are nothing. */
static bool is_empty(const struct node *nodes)
{
	for (; nodes; nodes = nodes->next) {
		if (nodes->type != NODE_TEXT)
			return false;
		for (size_t i = 0; i < nodes->n; i++)
			if (!is_blank(nodes->s[i]))
				return false;
	}
	return true;
}

/* A second one of a name takes the place of an empty first, and gives way where it is empty itself. */
int parser_add_definition(struct parser *ps, const char *at, const char *name, struct node *nodes)
{
	struct definition *d = format_find(ps->f, name);

	if (d && !is_empty(d->nodes)) {
		if (is_empty(nodes))
			return 0;
		return parser_fail(ps, at, "multiple definition of template \"%.60s\"", name);
	}
	if (!d) {
		d = pool_alloc(&ps->f->pool, sizeof(*d));
		if (!d)
			return parser_no_memory(ps);
		*d = (struct definition){ .name = name, .next = ps->f->definitions };
		ps->f->definitions = d;
	}
	d->nodes = nodes;
	return 0;
}

static int parse_name(struct parser *ps, const char *where, const char **ret)
{
	int r = parser_next(ps);

	if (r < 0)
		return r;
	if (ps->t.type != TOKEN_STRING)
		return parser_unexpected(ps, where);
	*ret = ps->t.text;
	return 0;
}

/* Up to {{end}}: with variables and ranges of its own. */
static int parse_definition(struct parser *ps, const char *at, const char *name, const char *where)
{
	size_t first_var = ps->first_var, n_vars = ps->n_vars;
	int ranges = ps->ranges;
	struct node *nodes = NULL;
	enum list_end end;
	int r = parser_enter(ps);

	ps->first_var = n_vars;
	ps->ranges = 0;
	if (r == 0)
		r = parser_declare(ps, "$");
	if (r == 0)
		r = parser_list(ps, &nodes, &end);
	if (r < 0)
		return r;
	ps->first_var = first_var;
	ps->n_vars = n_vars;
	ps->ranges = ranges;
	ps->depth--;
	if (end == LIST_TEXT)
		return parser_fail(ps, at, "unexpected EOF: {{end}} is missing");
	if (end == LIST_ELSE)
		return parser_fail(ps, ps->t.s, "unexpected {{else}} in %s", where);
	return parser_add_definition(ps, at, name, nodes);
}

int parser_define(struct parser *ps)
{
	const char *at = ps->t.s, *name = NULL;
	int r = parse_name(ps, "define clause", &name);

	if (r == 0)
		r = parser_close(ps, "define clause");
	return r < 0 ? r : parse_definition(ps, at, name, "define clause");
}

static int new_call(struct parser *ps, struct node **ret)
{
	*ret = pool_alloc(&ps->f->pool, sizeof(**ret));
	if (!*ret)
		return parser_no_memory(ps);
	(*ret)->type = NODE_TEMPLATE;
	(*ret)->at = ps->t.s;
	return 0;
}

int parser_block(struct parser *ps, struct node **ret)
{
	const char *at = ps->t.s;
	int r = new_call(ps, ret);

	if (r == 0)
		r = parse_name(ps, "block clause", &(*ret)->s);
	if (r == 0)
		r = parser_next(ps);
	if (r == 0)
		r = parser_action(ps, false, &(*ret)->pipe);
	return r < 0 ? r : parse_definition(ps, at, (*ret)->s, "block clause");
}

int parser_template(struct parser *ps, struct node **ret)
{
	int r = new_call(ps, ret);

	if (r == 0)
		r = parse_name(ps, "template clause", &(*ret)->s);
	if (r == 0)
		r = parser_next(ps);
	if (r < 0)
		return r;
	if (ps->t.type != TOKEN_END)
		return parser_action(ps, false, &(*ret)->pipe);
	ps->trim = ps->t.trim;
	return 0;
}
