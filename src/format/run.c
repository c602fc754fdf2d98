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
#include "opts/suggest.h"

const struct json_value format_null = { .kind = JSON_NULL };

static int run_pipeline(struct run *r, const struct json_value *dot, const struct pipeline *pipe,
			const struct json_value **ret);
static int run_list(struct run *r, const struct json_value *dot, const struct node *nodes);

int run_no_memory(struct run *r)
{
	return err_set(r->e, ENOMEM, "out of memory");
}

#define fail_at(r, at, ...) format_fail((r)->text, at, (r)->e, __VA_ARGS__)

static int step(struct run *r, const char *at)
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

/* --- fields */

static int fail_field(struct run *r, const char *at, const struct json_value *v, const char *name)
{
	struct suggest near = { .want = name };

	if (v->kind != JSON_OBJECT)
		return fail_at(r, at, "no field .%.60s in %s", name, value_kind(v));
	for (size_t i = 0; i < v->n; i++)
		suggest_try(&near, v->members[i].key);
	if (near.best)
		return fail_at(r, at, "no field .%.60s (did you mean .%.60s?)", name, near.best);
	return fail_at(r, at, "no field .%.60s", name);
}

static int get_fields(struct run *r, const char *at, const struct name *fields, const struct json_value **v)
{
	for (; fields; fields = fields->next) {
		const struct json_member *m = json_tree_find(*v, fields->s);

		if (!m)
			return fail_field(r, at, *v, fields->s);
		*v = &m->value;
	}
	return 0;
}

/* --- variables */

static struct variable *find_variable(struct run *r, const char *name)
{
	for (size_t i = r->n_vars; i > 0; i--)
		if (!strcmp(r->vars[i - 1].name, name))
			return &r->vars[i - 1];
	return NULL;
}

static int set_variable(struct run *r, const struct pipeline *pipe, const char *name,
			const struct json_value *v)
{
	struct variable *var = pipe->assign ? find_variable(r, name) : NULL;

	if (pipe->assign && !var)
		return fail_at(r, pipe->at, "undefined variable \"%s\"", name);
	if (!var && r->n_vars == MAX_VARS)
		return fail_at(r, pipe->at, "more than %d variables", MAX_VARS);
	if (!var)
		var = &r->vars[r->n_vars++];
	*var = (struct variable){ name, v };
	return 0;
}

/* --- operands and commands */

static int call_function(struct run *r, const struct operand *o, const struct json_value *const *args,
			 size_t n, const struct json_value **ret)
{
	struct err why = { 0 };
	struct err *e = r->e;
	int res;

	if (r->headings && o->function->formats) {
		*ret = n ? args[0] : &format_null;
		return 0;
	}
	r->e = &why;
	res = o->function->call(r, args, n, ret);
	r->e = e;
	if (res == -ENOMEM)
		return run_no_memory(r);
	return res < 0 ? fail_at(r, o->at, "%s: %s", o->function->name, why.msg) : 0;
}

int run_operand(struct run *r, const struct json_value *dot, const struct operand *o,
		const struct json_value **ret)
{
	const struct variable *var;
	int res = step(r, o->at);

	if (res < 0)
		return res;
	switch (o->type) {
	case OPERAND_DOT:
		*ret = dot;
		break;
	case OPERAND_NIL:
		*ret = &format_null;
		break;
	case OPERAND_LITERAL:
		*ret = &o->literal;
		break;
	case OPERAND_VARIABLE:
		var = find_variable(r, o->variable);
		if (!var)
			return fail_at(r, o->at, "undefined variable \"%s\"", o->variable);
		*ret = var->value;
		break;
	case OPERAND_FUNCTION:
		return call_function(r, o, NULL, 0, ret);
	case OPERAND_PIPE:
		res = run_pipeline(r, dot, o->pipe, ret);
		if (res < 0)
			return res;
		break;
	}
	return get_fields(r, o->at, o->fields, ret);
}

/* "and" and "or": the first argument that decides, or the last. */
static int run_lazy(struct run *r, const struct json_value *dot, const struct command *cmd,
		    const struct json_value *piped, const struct json_value **ret)
{
	bool until = !strcmp(cmd->args->function->name, "or");

	for (const struct operand *o = cmd->args->next; o; o = o->next) {
		int res = run_operand(r, dot, o, ret);

		if (res < 0 || value_is_true(*ret) == until)
			return res;
	}
	if (piped)
		*ret = piped;
	return 0;
}

/* In headings a call is the name that was asked for: the end of "com.example.some-thing", in capitals. */
static int name_heading(struct run *r, const char *name, const struct json_value **ret)
{
	const char *dot = strrchr(name, '.');
	char *s = pool_dup(&r->pool, dot ? dot + 1 : name, strlen(dot ? dot + 1 : name));

	for (char *p = s; p && *p; p++)
		*p = (char)(*p >= 'a' && *p <= 'z' ? *p - 'a' + 'A' : *p == '-' || *p == '_' ? ' ' : *p);
	*ret = s ? run_string(r, s, strlen(s)) : NULL;
	return *ret ? 0 : run_no_memory(r);
}

/* {{.Label "key"}} */
static int call_field(struct run *r, const struct operand *o, const struct json_value *field,
		      const struct json_value *const *args, size_t n, const struct json_value **ret)
{
	const struct json_member *m;

	if (n != 1 || args[0]->kind != JSON_STRING)
		return fail_at(r, o->at, "a field takes one string");
	if (r->headings && field->kind == JSON_STRING)
		return name_heading(r, args[0]->string, ret);
	if (field->kind != JSON_OBJECT)
		return fail_at(r, o->at, "%s has no arguments", value_kind(field));
	m = json_tree_find(field, args[0]->string);
	*ret = m ? &m->value : run_string(r, "", 0);
	return *ret ? 0 : run_no_memory(r);
}

static int run_command(struct run *r, const struct json_value *dot, const struct command *cmd,
		       const struct json_value *piped, const struct json_value **ret)
{
	const struct operand *first = cmd->args;
	const struct json_value *args[MAX_ARGS + 1], *v = NULL;
	size_t n = 0;
	int res = 0;

	if (first->type == OPERAND_FUNCTION && first->function->lazy)
		return run_lazy(r, dot, cmd, piped, ret);
	if (first->type != OPERAND_FUNCTION)
		res = run_operand(r, dot, first, &v);
	for (const struct operand *o = first->next; o && res == 0; o = o->next)
		res = run_operand(r, dot, o, &args[n++]);
	if (res < 0)
		return res;
	if (piped)
		args[n++] = piped;
	if (first->type == OPERAND_FUNCTION)
		return call_function(r, first, args, n, ret);
	if (n)
		return call_field(r, first, v, args, n, ret);
	*ret = v;
	return 0;
}

static int run_commands(struct run *r, const struct json_value *dot, const struct pipeline *pipe,
			const struct json_value **ret)
{
	const struct json_value *v = NULL;
	int res = 0;

	for (const struct command *cmd = pipe->commands; cmd && res == 0; cmd = cmd->next)
		res = run_command(r, dot, cmd, v, &v);
	*ret = v;
	return res;
}

static int run_pipeline(struct run *r, const struct json_value *dot, const struct pipeline *pipe,
			const struct json_value **ret)
{
	int res = run_commands(r, dot, pipe, ret);

	if (res == 0 && pipe->names[0])
		res = set_variable(r, pipe, pipe->names[0], *ret);
	return res;
}

/* --- nodes */

/* One round: key is made only for those who want it. */
static int run_round(struct run *r, const struct node *node, const struct json_value *key,
		     const struct json_value *v)
{
	const struct pipeline *pipe = node->pipe;
	size_t n_vars = r->n_vars;
	int res = step(r, pipe->at);

	if (res == 0 && pipe->names[1])
		res = set_variable(r, pipe, pipe->names[0], key);
	if (res == 0 && pipe->names[0])
		res = set_variable(r, pipe, pipe->names[pipe->names[1] ? 1 : 0], v);
	if (res == 0)
		res = run_list(r, v, node->body);
	r->n_vars = n_vars;
	return res;
}

static int range_array(struct run *r, const struct node *node, const struct json_value *v)
{
	int res = 0;

	for (size_t i = 0; i < v->n && res == 0; i++) {
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

	for (size_t i = 0; i < n && res == 0; i++) {
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
	return v->kind == JSON_ARRAY ? range_array(r, node, v) : range_object(r, node, v);
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
	}
	r->n_vars = n_vars;
	return res;
}

static int run_list(struct run *r, const struct json_value *dot, const struct node *nodes)
{
	int res = 0;

	for (; nodes && res == 0; nodes = nodes->next) {
		res = step(r, nodes->pipe ? nodes->pipe->at : r->text);
		if (res == 0)
			res = run_node(r, dot, nodes);
	}
	return res;
}

static int run(const struct format *f, const struct json_value *v, bool headings, struct buf *out,
	       struct err *e)
{
	size_t start = out->len;
	struct run r = { .text = f->text,
			 .out = out,
			 .start = start,
			 .vars = { { "$", v } },
			 .n_vars = 1,
			 .headings = headings,
			 .e = e };
	int res = run_list(&r, v, f->nodes);

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
