/* json_tree.c - any JSON text as a tree of values */
#include "base/json_tree.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "base/json_int.h"

static int get_value(struct json_reader *rd, struct json_value *ret);

static int no_memory(const struct json_reader *rd)
{
	return err_set(rd->e, ENOMEM, "out of memory");
}

/* A list that has n elements gets room for one more, zero: at powers of two it grows. */
static void *grow(void *list, size_t n, size_t size)
{
	char *v = list;

	if ((n & (n - 1)) == 0)
		v = reallocarray(v, n ? n * 2 : 1, size);
	if (v)
		memset(v + n * size, 0, size);
	return v;
}

static int get_item(struct json_reader *rd, size_t i, void *data)
{
	struct json_value *array = data, *items = grow(array->items, array->n, sizeof(*items));

	if (!items)
		return no_memory(rd);
	array->items = items;
	return get_value(rd, &items[array->n++]);
}

static int get_member(struct json_reader *rd, const struct json_str *key, void *data)
{
	struct json_value *object = data;
	struct json_member *members = grow(object->members, object->n, sizeof(*members)), *m;

	if (!members)
		return no_memory(rd);
	object->members = members;
	m = &members[object->n];
	m->key = json_str_dup(key);
	if (!m->key)
		return no_memory(rd);
	object->n++;
	return get_value(rd, &m->value);
}

static int get_number(struct json_reader *rd, struct json_value *ret)
{
	struct json_num num;
	char text[64];
	int r = json_read_number(rd, &num);

	if (r < 0)
		return r;
	if (num.whole && !num.huge) {
		ret->kind = JSON_WHOLE;
		ret->magnitude = num.magnitude;
		ret->negative = num.negative && num.magnitude;
		return 0;
	}
	if (num.n >= sizeof(text))
		return json_fail(rd, ERANGE, "a number of %zu digits", num.n);
	snprintf(text, sizeof(text), "%.*s", (int)num.n, num.s);
	ret->kind = JSON_REAL;
	ret->real = strtod(text, NULL);
	return isinf(ret->real) ? json_fail(rd, ERANGE, "%s is out of range", text) : 0;
}

static int get_string(struct json_reader *rd, struct json_value *ret)
{
	char *s = NULL;
	int r = json_get_str(rd, &s);

	if (r < 0)
		return r;
	ret->kind = JSON_STRING;
	ret->string = s;
	return 0;
}

/* *ret is null and becomes what is read, as far as that goes. */
static int get_value(struct json_reader *rd, struct json_value *ret)
{
	switch (json_next(rd)) {
	case '{':
		ret->kind = JSON_OBJECT;
		return json_read_object(rd, get_member, ret);
	case '[':
		ret->kind = JSON_ARRAY;
		return json_read_array(rd, get_item, ret);
	case '"':
		return get_string(rd, ret);
	case 't':
	case 'f':
		ret->kind = JSON_BOOL;
		return json_read_bool(rd, &ret->boolean);
	case 'n':
		return json_read_null(rd) ? 0 : json_fail_type(rd, "a value");
	default:
		return get_number(rd, ret);
	}
}

int json_tree_parse(const char *text, size_t n, struct json_value *ret, struct err *e)
{
	const char *s = n ? text : "";
	AUTO(json_reader_done)
	struct json_reader rd = { .text = s, .p = s, .end = s + n, .flags = JSON_UNIQUE, .e = e };
	int r;

	*ret = (struct json_value){ 0 };
	r = get_value(&rd, ret);
	if (r == 0)
		r = json_read_end(&rd);
	if (r < 0)
		json_tree_done(ret);
	return r;
}

void json_tree_done(struct json_value *v)
{
	if (v->kind == JSON_STRING)
		free(v->string);
	for (size_t i = 0; v->kind == JSON_ARRAY && i < v->n; i++)
		json_tree_done(&v->items[i]);
	for (size_t i = 0; v->kind == JSON_OBJECT && i < v->n; i++) {
		free(v->members[i].key);
		json_tree_done(&v->members[i].value);
	}
	if (v->kind == JSON_ARRAY)
		free(v->items);
	if (v->kind == JSON_OBJECT)
		free(v->members);
	*v = (struct json_value){ 0 };
}

struct json_member *json_tree_find(const struct json_value *v, const char *key)
{
	for (size_t i = 0; v->kind == JSON_OBJECT && i < v->n; i++)
		if (!strcmp(v->members[i].key, key))
			return &v->members[i];
	return NULL;
}

int json_real_digits(double v)
{
	char text[64];
	int digits = 1;

	for (; digits < 17; digits++) {
		snprintf(text, sizeof(text), "%.*g", digits, v);
		if (strtod(text, NULL) == v)
			break;
	}
	return digits;
}

void json_add_real(struct buf *b, double v)
{
	char text[64];

	snprintf(text, sizeof(text), "%.*g", json_real_digits(v), v);
	/* %g turns to exponents where the digits end; below 1e21 they are zeros (ECMA-262, and Go) */
	if (strchr(text, 'e') && fabs(v) >= 1 && fabs(v) < 1e21)
		snprintf(text, sizeof(text), "%.0f", v);
	buf_adds(b, text);
}

static void add_array(const struct json_value *v, struct buf *out)
{
	buf_addc(out, '[');
	for (size_t i = 0; i < v->n; i++) {
		buf_adds(out, i ? "," : "");
		json_tree_print(&v->items[i], out);
	}
	buf_addc(out, ']');
}

static void add_object(const struct json_value *v, struct buf *out)
{
	const char *comma = "";

	buf_addc(out, '{');
	for (size_t i = 0; i < v->n; i++) {
		if (v->members[i].hidden)
			continue;
		buf_adds(out, comma);
		json_add_str(out, v->members[i].key);
		buf_addc(out, ':');
		json_tree_print(&v->members[i].value, out);
		comma = ",";
	}
	buf_addc(out, '}');
}

void json_tree_print(const struct json_value *v, struct buf *out)
{
	switch (v->kind) {
	case JSON_NULL:
		buf_adds(out, "null");
		break;
	case JSON_BOOL:
		buf_adds(out, v->boolean ? "true" : "false");
		break;
	case JSON_WHOLE:
		buf_addf(out, "%s%" PRIu64, v->negative ? "-" : "", v->magnitude);
		break;
	case JSON_REAL:
		json_add_real(out, v->real);
		break;
	case JSON_STRING:
		json_add_str(out, v->string);
		break;
	case JSON_ARRAY:
		add_array(v, out);
		break;
	case JSON_OBJECT:
		add_object(v, out);
		break;
	}
}
