/* run_pipeline.c - the value of a pipeline: fields, variables, functions and what goes from one command to the next */
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "base/auto.h"
#include "format/format_int.h"
#include "opts/suggest.h"

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

/* Go's fields begin with a capital: any other name is the key of a map (labels, attributes), and what a map has not is no
 * value.  What the template is about, in `$`, is no map. */
static bool may_be_key(const struct run *r, const struct json_value *v, const char *name)
{
	if (v->kind != JSON_OBJECT || v == r->vars[0].value || (*name >= 'A' && *name <= 'Z'))
		return false;
	for (size_t i = 0; i < v->n; i++)
		if (!strcasecmp(v->members[i].key, name))
			return false;
	return true;
}

/* What JSON calls "NanoCpus" is Go's field NanoCPUs, "Id" its ID.  "status" may be Status: events, and of what the template
 * is about only: elsewhere are maps. */
static const struct json_member *find_tagged(const struct run *r, const struct json_value *v,
					     const char *name)
{
	if (v->kind != JSON_OBJECT || *name < 'A' || *name > 'Z')
		return NULL;
	for (size_t i = 0; i < v->n; i++)
		if (!strcasecmp(v->members[i].key, name) &&
		    (v == r->vars[0].value || v->members[i].key[0] == *name))
			return &v->members[i];
	return NULL;
}

static int get_fields(struct run *r, const char *at, const struct name *fields, const struct json_value **v)
{
	for (; fields; fields = fields->next) {
		const struct json_member *m = json_tree_find(*v, fields->s);

		if (!m)
			m = find_tagged(r, *v, fields->s);
		if (!m && may_be_key(r, *v, fields->s)) {
			*v = &format_null;
			return 0; /* nor have the fields behind it one */
		}
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

int run_set_variable(struct run *r, const struct pipeline *pipe, const char *name, const struct json_value *v)
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
	int res = run_step(r, o->at);

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

int run_commands(struct run *r, const struct json_value *dot, const struct pipeline *pipe,
		 const struct json_value **ret)
{
	const struct json_value *v = NULL;
	int res = 0;

	for (const struct command *cmd = pipe->commands; cmd && res == 0; cmd = cmd->next)
		res = run_command(r, dot, cmd, v, &v);
	*ret = v;
	return res;
}

int run_pipeline(struct run *r, const struct json_value *dot, const struct pipeline *pipe,
		 const struct json_value **ret)
{
	int res = run_commands(r, dot, pipe, ret);

	if (res == 0 && pipe->names[0])
		res = run_set_variable(r, pipe, pipe->names[0], *ret);
	return res;
}
