/* functions.c - what a template can call: Go's own functions and those that Docker and Podman add
 *
 * Those for strings are in functions_text.c, those that escape in functions_escape.c.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "base/parse.h"
#include "format/functions_int.h"
#include "opts/suggest.h"

const char *value_kind(const struct json_value *v)
{
	static const char *const names[] = {
		[JSON_NULL] = "nothing",     [JSON_BOOL] = "true or false", [JSON_WHOLE] = "a number",
		[JSON_REAL] = "a number",    [JSON_STRING] = "a string",    [JSON_ARRAY] = "a list",
		[JSON_OBJECT] = "an object",
	};

	return names[v->kind];
}

/* *ret is v, NULL: out of memory. */
int function_give(const struct json_value *v, const struct json_value **ret)
{
	*ret = v;
	return v ? 0 : -ENOMEM;
}

int function_give_buf(struct run *r, struct buf *b, const struct json_value **ret)
{
	if (b->len > MAX_OUTPUT) {
		buf_done(b);
		return err_set(r->e, EINVAL, "more than %u bytes", MAX_OUTPUT);
	}
	return function_give(run_buf(r, b), ret);
}

int function_want_string(struct run *r, const struct json_value *v, const char **ret)
{
	if (v->kind != JSON_STRING)
		return err_set(r->e, EINVAL, "a string is wanted, not %s", value_kind(v));
	*ret = v->string;
	return 0;
}

int function_want_count(struct run *r, const struct json_value *v, size_t *ret)
{
	if (v->kind != JSON_WHOLE || v->negative)
		return err_set(r->e, EINVAL, "a number is wanted, not %s",
			       v->kind == JSON_WHOLE ? "one below 0" : value_kind(v));
	*ret = v->magnitude > SIZE_MAX ? SIZE_MAX : v->magnitude;
	return 0;
}

/* --- print, printf, println, json */

void function_sprint(struct buf *b, args_t args, size_t n, bool top)
{
	bool was_string = true;

	for (size_t i = 0; i < n && b->len <= MAX_OUTPUT; i++) {
		bool is_string = args[i]->kind == JSON_STRING || (top && args[i]->kind == JSON_NULL);

		if (!is_string && !was_string)
			buf_addc(b, ' ');
		print_value(b, args[i], top);
		was_string = is_string;
	}
}

static int call_print(struct run *r, args_t args, size_t n, const struct json_value **ret)
{
	struct buf b = { 0 };

	function_sprint(&b, args, n, false);
	return function_give_buf(r, &b, ret);
}

static int call_println(struct run *r, args_t args, size_t n, const struct json_value **ret)
{
	struct buf b = { 0 };

	for (size_t i = 0; i < n && b.len <= MAX_OUTPUT; i++) {
		buf_adds(&b, i ? " " : "");
		print_value(&b, args[i], false);
	}
	buf_addc(&b, '\n');
	return function_give_buf(r, &b, ret);
}

static int call_printf(struct run *r, args_t args, size_t n, const struct json_value **ret)
{
	struct buf b = { 0 };
	const char *fmt = NULL;
	int res = function_want_string(r, args[0], &fmt);

	if (res == 0)
		res = print_formatted(&b, fmt, args + 1, n - 1, r->e);
	if (res == 0)
		return function_give_buf(r, &b, ret);
	buf_done(&b);
	return res;
}

static int call_json(struct run *r, args_t args, size_t n, const struct json_value **ret)
{
	struct buf b = { 0 };

	json_tree_print(args[0], &b);
	return function_give_buf(r, &b, ret);
}

/* --- lists and objects */

static int call_len(struct run *r, args_t args, size_t n, const struct json_value **ret)
{
	const struct json_value *v = args[0];
	size_t count = v->n;

	if (v->kind == JSON_STRING)
		count = strlen(v->string);
	else if (v->kind == JSON_NULL)
		count = 0;
	else if (v->kind != JSON_ARRAY && v->kind != JSON_OBJECT)
		return err_set(r->e, EINVAL, "%s has no length", value_kind(v));
	for (size_t i = 0; v->kind == JSON_OBJECT && i < v->n; i++)
		count -= v->members[i].hidden;
	return function_give(run_whole(r, count), ret);
}

static int index_one(struct run *r, const struct json_value *key, const struct json_value **v)
{
	const struct json_member *m;
	const char *name = NULL;
	size_t i = 0;
	int res;

	if ((*v)->kind == JSON_OBJECT) {
		res = function_want_string(r, key, &name);
		if (res < 0)
			return res;
		m = json_tree_find(*v, name);
		return function_give(m ? &m->value : run_string(r, "", 0), v);
	}
	if ((*v)->kind != JSON_ARRAY)
		return err_set(r->e, EINVAL, "%s has no elements", value_kind(*v));
	res = function_want_count(r, key, &i);
	if (res < 0)
		return res;
	if (i >= (*v)->n)
		return err_set(r->e, EINVAL, "there is no element %zu of %zu", i, (*v)->n);
	*v = &(*v)->items[i];
	return 0;
}

static int call_index(struct run *r, args_t args, size_t n, const struct json_value **ret)
{
	int res = 0;

	*ret = args[0];
	for (size_t i = 1; i < n && res == 0; i++)
		res = index_one(r, args[i], ret);
	return res;
}

/* slice LIST|STRING [FROM [TO]] */
static int call_slice(struct run *r, args_t args, size_t n, const struct json_value **ret)
{
	const struct json_value *v = args[0];
	size_t from = 0, to;
	struct json_value *part;
	int res = 0;

	if (v->kind != JSON_ARRAY && v->kind != JSON_STRING)
		return err_set(r->e, EINVAL, "%s has no parts", value_kind(v));
	to = v->kind == JSON_ARRAY ? v->n : strlen(v->string);
	if (n > 1)
		res = function_want_count(r, args[1], &from);
	if (n > 2 && res == 0) {
		size_t end = to;

		res = function_want_count(r, args[2], &to);
		if (res == 0 && to > end)
			res = err_set(r->e, EINVAL, "there is no element %zu of %zu", to, end);
	}
	if (res == 0 && from > to)
		res = err_set(r->e, EINVAL, "from %zu to %zu goes backwards", from, to);
	if (res < 0)
		return res;
	if (v->kind == JSON_STRING)
		return function_give(run_string(r, v->string + from, to - from), ret);
	part = pool_alloc(&r->pool, sizeof(*part));
	if (!part)
		return -ENOMEM;
	*part = (struct json_value){ .kind = JSON_ARRAY, .n = to - from };
	part->items = v->items + from;
	return function_give(part, ret);
}

/* --- truth and comparison */

static int call_not(struct run *r, args_t args, size_t n, const struct json_value **ret)
{
	return function_give(run_bool(!value_is_true(args[0])), ret);
}

/* Below 0, 0, above 0. */
static int compare_whole(const struct json_value *a, const struct json_value *b)
{
	int order = a->magnitude < b->magnitude ? -1 : a->magnitude > b->magnitude;

	if (a->negative != b->negative)
		return a->negative ? -1 : 1;
	return a->negative ? -order : order;
}

static int fail_types(struct run *r, const struct json_value *a, const struct json_value *b)
{
	return err_set(r->e, EINVAL, "%s and %s cannot be compared", value_kind(a), value_kind(b));
}

static int compare(struct run *r, const struct json_value *a, const struct json_value *b, int *ret)
{
	if (a->kind != b->kind)
		return fail_types(r, a, b);
	switch (a->kind) {
	case JSON_WHOLE:
		*ret = compare_whole(a, b);
		return 0;
	case JSON_REAL:
		*ret = a->real < b->real ? -1 : a->real > b->real;
		return 0;
	case JSON_STRING:
		*ret = strcmp(a->string, b->string);
		return 0;
	case JSON_NULL:
	case JSON_BOOL:
	case JSON_ARRAY:
	case JSON_OBJECT:
		break;
	}
	return fail_types(r, a, b);
}

/* Nothing equals nothing alone. */
static int is_equal(struct run *r, const struct json_value *a, const struct json_value *b, bool *ret)
{
	int order = 0, res = 0;

	if (a->kind == JSON_NULL || b->kind == JSON_NULL)
		order = a->kind != b->kind;
	else if (a->kind == JSON_BOOL && b->kind == JSON_BOOL)
		order = a->boolean != b->boolean;
	else
		res = compare(r, a, b, &order);
	*ret = order == 0;
	return res;
}

/* eq A B C: is A one of the others? */
static int call_eq(struct run *r, args_t args, size_t n, const struct json_value **ret)
{
	bool equal = false;
	int res = 0;

	for (size_t i = 1; i < n && !equal && res == 0; i++)
		res = is_equal(r, args[0], args[i], &equal);
	*ret = run_bool(equal);
	return res;
}

static int call_ne(struct run *r, args_t args, size_t n, const struct json_value **ret)
{
	bool equal = false;
	int res = is_equal(r, args[0], args[1], &equal);

	*ret = run_bool(!equal);
	return res;
}

#define CALL_ORDER(name_, is_)                                                                               \
	static int call_##name_(struct run *r, args_t args, size_t n, const struct json_value **ret)         \
	{                                                                                                    \
		int order = 0, res = compare(r, args[0], args[1], &order);                                   \
                                                                                                             \
		*ret = run_bool(res == 0 && order is_ 0);                                                    \
		return res;                                                                                  \
	}

CALL_ORDER(lt, <)
CALL_ORDER(le, <=)
CALL_ORDER(gt, >)
CALL_ORDER(ge, >=)

/* --- the table */

static const struct function functions[] = {
	{ .name = "and", .min = 1, .max = MAX_ARGS, .lazy = true },
	{ .name = "eq", .min = 2, .max = MAX_ARGS, .call = call_eq },
	{ .name = "ge", .min = 2, .max = 2, .call = call_ge },
	{ .name = "gt", .min = 2, .max = 2, .call = call_gt },
	{ .name = "html", .min = 0, .max = MAX_ARGS, .call = call_html },
	{ .name = "index", .min = 1, .max = MAX_ARGS, .call = call_index },
	{ .name = "join", .min = 2, .max = 2, .call = call_join, .formats = true },
	{ .name = "js", .min = 0, .max = MAX_ARGS, .call = call_js },
	{ .name = "json", .min = 1, .max = 1, .call = call_json, .formats = true },
	{ .name = "le", .min = 2, .max = 2, .call = call_le },
	{ .name = "len", .min = 1, .max = 1, .call = call_len },
	{ .name = "lower", .min = 1, .max = 1, .call = call_lower, .formats = true },
	{ .name = "lt", .min = 2, .max = 2, .call = call_lt },
	{ .name = "ne", .min = 2, .max = 2, .call = call_ne },
	{ .name = "not", .min = 1, .max = 1, .call = call_not },
	{ .name = "or", .min = 1, .max = MAX_ARGS, .lazy = true },
	{ .name = "pad", .min = 3, .max = 3, .call = call_pad, .formats = true },
	{ .name = "print", .min = 0, .max = MAX_ARGS, .call = call_print },
	{ .name = "printf", .min = 1, .max = MAX_ARGS, .call = call_printf },
	{ .name = "println", .min = 0, .max = MAX_ARGS, .call = call_println },
	{ .name = "slice", .min = 1, .max = 3, .call = call_slice, .formats = true },
	{ .name = "split", .min = 2, .max = 2, .call = call_split, .formats = true },
	{ .name = "title", .min = 1, .max = 1, .call = call_title, .formats = true },
	{ .name = "truncate", .min = 2, .max = 2, .call = call_truncate, .formats = true },
	{ .name = "upper", .min = 1, .max = 1, .call = call_upper, .formats = true },
	{ .name = "urlquery", .min = 0, .max = MAX_ARGS, .call = call_urlquery },
};

const struct function *function_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(functions); i++)
		if (!strcmp(functions[i].name, name))
			return &functions[i];
	return NULL;
}

const char *function_nearest(const char *name)
{
	struct suggest near = { .want = name };

	for (size_t i = 0; i < ARRAY_LEN(functions); i++)
		suggest_try(&near, functions[i].name);
	return near.best;
}
