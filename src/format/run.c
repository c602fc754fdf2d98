/* run.c - a template and a value become text
 *
 * Everything works on borrowed values: those of the caller's tree, of the template (literals), or of the run's pool.
 * Each node, operand and element costs a step; when the steps or the output are used up the run ends.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "format/format_int.h"

const struct json_value format_null = { .kind = JSON_NULL };

static int run_list(struct run *r, const struct json_value *dot, const struct node *nodes);

int run_no_memory(struct run *r)
{
	return err_set(r->e, ENOMEM, "out of memory");
}

int run_step(struct run *r, const char *at)
{
	if (++r->steps > MAX_STEPS)
		return fail_at(r, at, "more than %d steps", MAX_STEPS);
	if (r->out->len - r->start > MAX_OUTPUT)
		return fail_at(r, at, "more than %u bytes of output", MAX_OUTPUT);
	return 0;
}

/* --- values */

const struct json_value *run_string(struct run *r, const char *s, size_t n)
{
	struct json_value *v = pool_alloc(&r->pool, sizeof(*v));
	char *copy = pool_dup(&r->pool, s, n);

	if (!v || !copy)
		return NULL;
	*v = (struct json_value){ .kind = JSON_STRING, .string = copy };
	return v;
}

const struct json_value *run_buf(struct run *r, struct buf *b)
{
	const struct json_value *v = buf_ok(b) ? run_string(r, b->data, b->len) : NULL;

	buf_done(b);
	return v;
}

const struct json_value *run_whole(struct run *r, uint64_t n)
{
	struct json_value *v = pool_alloc(&r->pool, sizeof(*v));

	if (v)
		*v = (struct json_value){ .kind = JSON_WHOLE, .magnitude = n };
	return v;
}

const struct json_value *run_bool(bool b)
{
	static const struct json_value values[] = { { .kind = JSON_BOOL, .boolean = false },
						    { .kind = JSON_BOOL, .boolean = true } };

	return &values[b];
}

bool value_is_true(const struct json_value *v)
{
	switch (v->kind) {
	case JSON_NULL:
		return false;
	case JSON_BOOL:
		return v->boolean;
	case JSON_WHOLE:
		return v->magnitude;
	case JSON_REAL:
		return v->real != 0;
	case JSON_STRING:
		return *v->string;
	case JSON_ARRAY:
	case JSON_OBJECT:
		break;
	}
	return v->n;
}

/* --- nodes */

/* One round: key is made only for those who want it. */
static int run_round(struct run *r, const struct node *node, const struct json_value *key,
		     const struct json_value *v)
{
	const struct pipeline *pipe = node->pipe;
	size_t n_vars = r->n_vars;
	int res = run_step(r, pipe->at);

	if (res == 0 && pipe->names[1])
		res = run_set_variable(r, pipe, pipe->names[0], key);
	if (res == 0 && pipe->names[0])
		res = run_set_variable(r, pipe, pipe->names[pipe->names[1] ? 1 : 0], v);
	if (res == 0)
		res = run_list(r, v, node->body);
	r->n_vars = n_vars;
	if (r->leaving == CONTINUES)
		r->leaving = STAYS;
	return res;
}

static int range_array(struct run *r, const struct node *node, const struct json_value *v)
{
	int res = 0;

	for (size_t i = 0; i < v->n && res == 0 && !r->leaving; i++) {
		const struct json_value *key = run_whole(r, i);

		res = key ? run_round(r, node, key, &v->items[i]) : run_no_memory(r);
	}
	return res;
}

static int range_object(struct run *r, const struct node *node, const struct json_value *v)
{
	size_t n;
	const struct json_member **members = print_sorted(&r->pool, v, &n);
	int res = members ? 0 : run_no_memory(r);

	for (size_t i = 0; i < n && res == 0 && !r->leaving; i++) {
		const struct json_value *key = run_string(r, members[i]->key, strlen(members[i]->key));

		res = key ? run_round(r, node, key, &members[i]->value) : run_no_memory(r);
	}
	return res;
}

static int run_range(struct run *r, const struct json_value *dot, const struct node *node)
{
	const struct json_value *v;
	int res = run_commands(r, dot, node->pipe, &v);

	if (res < 0)
		return res;
	if (v->kind != JSON_NULL && v->kind != JSON_ARRAY && v->kind != JSON_OBJECT)
		return fail_at(r, node->pipe->at, "range can't iterate over %s", value_kind(v));
	if (v->kind == JSON_NULL || !v->n)
		return run_list(r, dot, node->otherwise);
	res = v->kind == JSON_ARRAY ? range_array(r, node, v) : range_object(r, node, v);
	r->leaving = STAYS;
	return res;
}

static int run_condition(struct run *r, const struct json_value *dot, const struct node *node)
{
	const struct json_value *v;
	int res = run_pipeline(r, dot, node->pipe, &v);

	if (res < 0)
		return res;
	if (!value_is_true(v))
		return run_list(r, dot, node->otherwise);
	return run_list(r, node->type == NODE_WITH ? v : dot, node->body);
}

/* What it is given is all that it sees. */
static int run_template(struct run *r, const struct json_value *dot, const struct node *node)
{
	const struct definition *d = format_find(r->f, node->s);
	const struct json_value *v = &format_null;
	int res = node->pipe ? run_pipeline(r, dot, node->pipe, &v) : 0;

	if (res < 0)
		return res;
	if (!d)
		return fail_at(r, node->at, "template \"%.60s\" not defined", node->s);
	if (r->calls == MAX_CALLS || r->n_vars == MAX_VARS)
		return fail_at(r, node->at, "more than %d templates or %d variables inside one another",
			       MAX_CALLS, MAX_VARS);
	r->vars[r->n_vars++] = (struct variable){ "$", v };
	r->calls++;
	res = run_list(r, v, d->nodes);
	r->calls--;
	return res;
}

static int run_node(struct run *r, const struct json_value *dot, const struct node *node)
{
	const struct json_value *v;
	size_t n_vars = r->n_vars;
	int res = 0;

	switch (node->type) {
	case NODE_TEXT:
		buf_add(r->out, node->s, node->n);
		return 0;
	case NODE_ACTION:
		res = run_pipeline(r, dot, node->pipe, &v);
		if (res == 0 && !node->pipe->names[0])
			print_value(r->out, v, true);
		return res;
	case NODE_RANGE:
		res = run_range(r, dot, node);
		break;
	case NODE_IF:
	case NODE_WITH:
		res = run_condition(r, dot, node);
		break;
	case NODE_TEMPLATE:
		res = run_template(r, dot, node);
		break;
	case NODE_BREAK:
		r->leaving = BREAKS;
		break;
	case NODE_CONTINUE:
		r->leaving = CONTINUES;
		break;
	}
	r->n_vars = n_vars;
	return res;
}

static int run_list(struct run *r, const struct json_value *dot, const struct node *nodes)
{
	int res = 0;

	for (; nodes && res == 0 && !r->leaving; nodes = nodes->next) {
		res = run_step(r, nodes->pipe ? nodes->pipe->at : r->text);
		if (res == 0)
			res = run_node(r, dot, nodes);
	}
	return res;
}

static int run(const struct format *f, const struct json_value *v, bool headings, struct buf *out,
	       struct err *e)
{
	size_t start = out->len;
	struct run r = { .f = f,
			 .text = f->text,
			 .out = out,
			 .start = start,
			 .vars = { { "$", v } },
			 .n_vars = 1,
			 .headings = headings,
			 .e = e };
	int res = run_list(&r, v, format_find(f, "")->nodes);

	if (res == 0 && out->failed)
		res = run_no_memory(&r);
	pool_done(&r.pool);
	if (res < 0 && out->len > start) { /* half a text is none */
		out->len = start;
		out->data[start] = '\0';
	}
	return res;
}

int format_run(const struct format *f, const struct json_value *v, struct buf *out, struct err *e)
{
	return run(f, v, false, out, e);
}

int format_run_headings(const struct format *f, const struct json_value *v, struct buf *out, struct err *e)
{
	return run(f, v, true, out, e);
}
