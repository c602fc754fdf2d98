/* parse.c - the text of a template becomes a tree
 *
 * Recursive descent: lists of nodes inside blocks, pipelines inside parentheses; both count as depth.  Everything that
 * can be known without values is checked here: functions, their arguments' number, variables.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "format/parse_int.h"

/* --- blocks */

static int parse_block(struct parser *ps, enum node_type type, struct node **ret);

/* "{{else}}" was read up to the word: the other list, or another if. */
static int parse_else(struct parser *ps, struct node *node)
{
	enum list_end end = LIST_END;
	const char *at = ps->t.s;
	int r = parser_next(ps);

	if (r == 0 && node->type == NODE_IF && parser_is_word(&ps->t, "if"))
		return parse_block(ps, NODE_IF, &node->otherwise);
	if (r == 0 && ps->t.type != TOKEN_END)
		r = parser_unexpected(ps, "{{else}}");
	ps->trim = ps->t.trim;
	if (r == 0)
		r = parser_list(ps, &node->otherwise, &end);
	if (r < 0 || end == LIST_END)
		return r;
	return end == LIST_TEXT ? parser_fail(ps, at, "unexpected EOF: {{end}} is missing")
				: parser_fail(ps, ps->t.s, "expected end; found {{else}}");
}

/* From the word if, range or with up to its {{end}}. */
static int parse_block(struct parser *ps, enum node_type type, struct node **ret)
{
	struct node *node = pool_alloc(&ps->f->pool, sizeof(*node));
	size_t n_vars = ps->n_vars, n_inside;
	const char *at = ps->t.s;
	enum list_end end;
	int r = parser_enter(ps);

	if (r == 0 && !node)
		r = parser_no_memory(ps);
	if (r == 0)
		r = parser_next(ps);
	if (r < 0)
		return r;
	node->type = type;
	*ret = node;
	r = parser_action(ps, type == NODE_RANGE, &node->pipe);
	n_inside = ps->n_vars;
	ps->ranges += type == NODE_RANGE;
	if (r == 0)
		r = parser_list(ps, &node->body, &end);
	if (r < 0)
		return r;
	ps->ranges -= type == NODE_RANGE;
	ps->n_vars = n_inside;
	if (end == LIST_TEXT)
		return parser_fail(ps, at, "unexpected EOF: {{end}} is missing");
	if (end == LIST_ELSE)
		r = parse_else(ps, node);
	ps->n_vars = n_vars;
	ps->depth--;
	return r;
}

/* --- text and actions */

/* "\\t" and "\\n" become what they say. */
static void unescape(struct node *node, char *s)
{
	char *out = s;

	for (size_t i = 0; i < node->n; i++) {
		bool escape = s[i] == '\\' && (s[i + 1] == 't' || s[i + 1] == 'n');

		if (escape)
			i++;
		*out++ = !escape ? s[i] : s[i] == 't' ? '\t' : '\n';
	}
	node->n = (size_t)(out - s);
}

static int add_text(struct parser *ps, const char *end, struct node ***tail)
{
	const char *s = ps->p;
	struct node *node;
	char *copy;

	while (ps->trim && s < end && is_blank(*s))
		s++;
	ps->trim = false;
	/* "{{- " takes the blanks before it */
	if (end[0] && end[2] == '-' && is_blank(end[3]))
		while (end > s && is_blank(end[-1]))
			end--;
	if (s == end)
		return 0;
	node = pool_alloc(&ps->f->pool, sizeof(*node));
	copy = pool_dup(&ps->f->pool, s, (size_t)(end - s));
	if (!node || !copy)
		return parser_no_memory(ps);
	*node = (struct node){ .type = NODE_TEXT, .s = copy, .n = (size_t)(end - s) };
	if (ps->flags & FORMAT_ESCAPES)
		unescape(node, copy);
	**tail = node;
	*tail = &node->next;
	return 0;
}

/* A comment up to its "}}"; ps->p is at the slash. */
static int skip_comment(struct parser *ps)
{
	const char *end = strstr(ps->p + 2, "*/");

	if (!end)
		return parser_fail(ps, ps->p, "unclosed comment");
	end += 2;
	ps->trim = is_blank(*end) && !strncmp(end + 1, "-}}", 3);
	if (!ps->trim && strncmp(end, "}}", 2) != 0)
		return parser_fail(ps, end, "comment ends before closing delimiter");
	ps->p = end + (ps->trim ? 4 : 2);
	return 0;
}

int parser_close(struct parser *ps, const char *where)
{
	int r = parser_next(ps);

	if (r == 0 && ps->t.type != TOKEN_END)
		r = parser_unexpected(ps, where);
	ps->trim = ps->t.trim;
	return r;
}

/* "{{break}}", "{{continue}}" */
static int parse_leave(struct parser *ps, enum node_type type, struct node **ret)
{
	const char *word = type == NODE_BREAK ? "{{break}}" : "{{continue}}";

	*ret = pool_alloc(&ps->f->pool, sizeof(**ret));
	if (!*ret)
		return parser_no_memory(ps);
	(*ret)->type = type;
	if (!ps->ranges)
		return parser_fail(ps, ps->t.s, "%s outside {{range}}", word);
	return parser_close(ps, word);
}

/* A node that a word begins.  1: there is no such word. */
static int parse_word(struct parser *ps, struct node **ret)
{
	static const struct {
		const char *word;
		int (*parse)(struct parser *ps, enum node_type type, struct node **ret);
		enum node_type type;
	} words[] = {
		{ "if", parse_block, NODE_IF },
		{ "range", parse_block, NODE_RANGE },
		{ "with", parse_block, NODE_WITH },
		{ "break", parse_leave, NODE_BREAK },
		{ "continue", parse_leave, NODE_CONTINUE },
	};

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (parser_is_word(&ps->t, words[i].word))
			return words[i].parse(ps, words[i].type, ret);
	if (parser_is_word(&ps->t, "block"))
		return parser_block(ps, ret);
	return parser_is_word(&ps->t, "template") ? parser_template(ps, ret) : 1;
}

/* 1: the list has ended. */
static int parse_action(struct parser *ps, struct node **ret, enum list_end *ret_end)
{
	struct node *node;
	int r = parser_next(ps);

	if (r < 0)
		return r;
	r = parse_word(ps, ret);
	if (r <= 0)
		return r;
	if (parser_is_word(&ps->t, "end")) {
		*ret_end = LIST_END;
		r = parser_close(ps, "{{end}}");
		return r < 0 ? r : 1;
	}
	if (parser_is_word(&ps->t, "define") && !ps->depth)
		return parser_define(ps);
	if (parser_is_word(&ps->t, "else")) {
		*ret_end = LIST_ELSE;
		return 1;
	}
	node = pool_alloc(&ps->f->pool, sizeof(*node));
	if (!node)
		return parser_no_memory(ps);
	node->type = NODE_ACTION;
	*ret = node;
	return parser_action(ps, false, &node->pipe);
}

int parser_list(struct parser *ps, struct node **ret, enum list_end *ret_end)
{
	struct node **tail = ret;
	int r = 0;

	while (r == 0) {
		const char *open = strstr(ps->p, "{{"), *end = open ? open : ps->p + strlen(ps->p);

		r = add_text(ps, end, &tail);
		if (r < 0 || !open) {
			ps->p = end;
			*ret_end = LIST_TEXT;
			return r;
		}
		ps->p = open + 2;
		if (ps->p[0] == '-' && is_blank(ps->p[1]))
			ps->p += 2;
		if (!strncmp(ps->p, "/*", 2)) {
			r = skip_comment(ps);
			continue;
		}
		r = parse_action(ps, tail, ret_end);
		if (*tail)
			tail = &(*tail)->next;
	}
	return r < 0 ? r : 0;
}

int format_parse(const char *text, int flags, struct format **ret, struct err *e)
{
	struct format *f = calloc(1, sizeof(*f));
	struct parser ps = { .f = f, .flags = flags, .e = e };
	struct node *nodes = NULL;
	enum list_end end;
	int r;

	if (!f)
		return parser_no_memory(&ps);
	f->text = pool_dup(&f->pool, text, strlen(text));
	if (!f->text)
		r = parser_no_memory(&ps);
	else if (strlen(text) > MAX_TEXT)
		r = err_set(e, EINVAL, "template parsing error: more than %d bytes", MAX_TEXT);
	else
		r = parser_declare(&ps, "$");
	ps.p = f->text;
	if (r == 0)
		r = parser_list(&ps, &nodes, &end);
	if (r == 0 && end != LIST_TEXT)
		r = parser_fail(&ps, ps.t.s, "unexpected {{%s}}", end == LIST_END ? "end" : "else");
	if (r == 0)
		r = parser_add_definition(&ps, f->text, "", nodes);
	if (r < 0)
		f = format_free(f);
	else
		*ret = f;
	return r;
}

struct format *format_free(struct format *f)
{
	if (f)
		pool_done(&f->pool);
	free(f);
	return NULL;
}
