/* json.c - JSON <-> C structs by tables: one table parses, prints, copies and frees */
#include "base/json.h"

#include <errno.h>
#include <json-c/json.h>
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "base/strv.h"

#define MAX_DEPTH 64

static void json_put(json_object **o)
{
	json_object_put(*o);
}

static void *member(const struct jfield *f, const void *obj)
{
	return (char *)(uintptr_t)obj + f->off;
}

/* --- freeing */

static void free_array(const struct jtable *t, void *objs, size_t n)
{
	for (size_t i = 0; i < n; i++)
		json_done(t, (char *)objs + i * t->size);
	free(objs);
}

static void done_field(const struct jfield *f, void *obj)
{
	void *m = member(f, obj);

	switch (f->type) {
	case J_STR:
		free(*(char **)m);
		break;
	case J_STRV:
	case J_MAP:
	case J_KEYS:
		strv_done(m);
		break;
	case J_OBJ:
		json_done(f->sub, m);
		break;
	case J_ARR:
		free_array(f->sub, *(void **)m, *(size_t *)((char *)obj + f->n_off));
		break;
	case J_END:
	case J_BOOL:
	case J_INT:
	case J_I64:
	case J_U64:
	case J_ENUM:
		break;
	}
}

void json_done(const struct jtable *t, void *obj)
{
	for (const struct jfield *f = t->fields; f->type; f++)
		done_field(f, obj);
	memset(obj, 0, t->size);
}

/* --- parsing: DOM of json-c -> struct */

static const char *checked_string(json_object *v)
{
	const char *s;

	if (!json_object_is_type(v, json_type_string))
		return NULL;
	s = json_object_get_string(v);
	return strlen(s) == (size_t)json_object_get_string_len(v) ? s : NULL;
}

static int get_str(json_object *v, char **ret)
{
	const char *s;
	char *copy;

	if (!v) { /* null: as if it were not there */
		return 0;
	}
	s = checked_string(v);
	if (!s)
		return -EINVAL;
	copy = strdup(s);
	if (!copy)
		return -ENOMEM;
	free(*ret);
	*ret = copy;
	return 0;
}

static int get_int(json_object *v, int64_t min, int64_t max, int64_t *ret)
{
	int64_t n;

	if (!json_object_is_type(v, json_type_int))
		return -EINVAL;
	n = json_object_get_int64(v); /* saturates */
	if (n < min || n > max || (n == INT64_MAX && json_object_get_uint64(v) > INT64_MAX))
		return -ERANGE;
	*ret = n;
	return 0;
}

static int get_u64(json_object *v, uint64_t *ret)
{
	if (!json_object_is_type(v, json_type_int))
		return -EINVAL;
	if (json_object_get_int64(v) < 0)
		return -ERANGE;
	*ret = json_object_get_uint64(v);
	return 0;
}

/* *ret becomes s, or after a failure stays and s is freed. */
static int take_strv(struct strv *s, int r, struct strv *ret)
{
	if (r < 0) {
		strv_done(s);
		return r;
	}
	strv_done(ret);
	*ret = *s;
	return 0;
}

static int get_strv(json_object *v, struct strv *ret)
{
	struct strv s = { 0 };
	int r = 0;

	if (!v)
		return 0;
	if (!json_object_is_type(v, json_type_array))
		return -EINVAL;
	for (size_t i = 0; i < json_object_array_length(v) && r == 0; i++) {
		const char *str = checked_string(json_object_array_get_idx(v, i));

		r = str ? strv_add(&s, str) : -EINVAL;
	}
	return take_strv(&s, r, ret);
}

/* An object of strings as "key=value", or, when only its keys count, as "key". */
static int get_members(json_object *v, bool keys_only, struct strv *ret)
{
	struct strv s = { 0 };
	int r = 0;

	if (!v)
		return 0;
	if (!json_object_is_type(v, json_type_object))
		return -EINVAL;
	json_object_object_foreach (v, key, val) {
		const char *str = keys_only ? NULL : checked_string(val);

		if (keys_only)
			r = strv_add(&s, key);
		else
			r = str && !strchr(key, '=') ? strv_addf(&s, "%s=%s", key, str) : -EINVAL;
		if (r < 0)
			break;
	}
	return take_strv(&s, r, ret);
}

static int get_enum(json_object *v, const char *const *names, int *ret)
{
	const char *s = checked_string(v);

	for (int i = 0; s && names[i]; i++) {
		if (!strcmp(names[i], s)) {
			*ret = i;
			return 0;
		}
	}
	return -EINVAL;
}

static int get_object(const struct jtable *t, json_object *o, int flags, void *obj, struct err *e);

static int get_objects(const struct jtable *t, json_object *v, int flags, void **ret, size_t *ret_n,
		       struct err *e)
{
	size_t n;
	char *objs;
	int r = 0;

	if (!json_object_is_type(v, json_type_array))
		return err_set(e, EINVAL, "not an array");
	n = json_object_array_length(v);
	objs = calloc(n + 1, t->size);
	if (!objs)
		return err_set(e, ENOMEM, "out of memory");
	for (size_t i = 0; i < n && r == 0; i++)
		r = get_object(t, json_object_array_get_idx(v, i), flags, objs + i * t->size, e);
	if (r < 0) {
		free_array(t, objs, n);
		return r;
	}
	*ret = objs;
	*ret_n = n;
	return 0;
}

static int get_array(const struct jfield *f, json_object *v, int flags, void *obj, struct err *e)
{
	size_t *count = (size_t *)((char *)obj + f->n_off), n;
	void **m = member(f, obj), *objs;
	int r;

	if (!v)
		return 0;
	r = get_objects(f->sub, v, flags, &objs, &n, e);
	if (r < 0)
		return err_wrap(e, r, "%s", f->key);
	free_array(f->sub, *m, *count);
	*m = objs;
	*count = n;
	return 0;
}

static int get_scalar(const struct jfield *f, json_object *v, void *m)
{
	int64_t n = 0;
	int r;

	switch (f->type) {
	case J_STR:
		return get_str(v, m);
	case J_BOOL:
		if (!json_object_is_type(v, json_type_boolean))
			return -EINVAL;
		*(bool *)m = json_object_get_boolean(v);
		return 0;
	case J_INT:
		r = get_int(v, INT_MIN, INT_MAX, &n);
		if (r == 0)
			*(int *)m = (int)n;
		return r;
	case J_I64:
		return get_int(v, INT64_MIN, INT64_MAX, m);
	case J_U64:
		return get_u64(v, m);
	case J_STRV:
		return get_strv(v, m);
	case J_MAP:
		return get_members(v, false, m);
	case J_KEYS:
		return get_members(v, true, m);
	case J_ENUM:
		return get_enum(v, f->names, m);
	case J_END:
	case J_OBJ:
	case J_ARR:
		break;
	}
	return -EINVAL;
}

static int get_field(const struct jfield *f, json_object *v, int flags, void *obj, struct err *e)
{
	void *m = member(f, obj);
	int r;

	if (f->type == J_ARR)
		return get_array(f, v, flags, obj, e);
	if (f->type == J_OBJ) {
		if (!v)
			return 0;
		r = get_object(f->sub, v, flags, m, e);
		return r < 0 ? err_wrap(e, r, "%s", f->key) : 0;
	}
	r = get_scalar(f, v, m);
	if (r == -ERANGE)
		return err_set(e, ERANGE, "%s: number out of range", f->key);
	return r < 0 ? err_set(e, -r, "%s: wrong type or value", f->key) : 0;
}

static const struct jfield *find_field(const struct jtable *t, const char *key)
{
	for (const struct jfield *f = t->fields; f->type; f++)
		if (!strcmp(f->key, key))
			return f;
	return NULL;
}

static int get_object(const struct jtable *t, json_object *o, int flags, void *obj, struct err *e)
{
	int r = 0;

	if (!json_object_is_type(o, json_type_object))
		return err_set(e, EINVAL, "not an object");
	json_object_object_foreach (o, key, v) {
		const struct jfield *f = find_field(t, key);

		if (!f && (flags & JSON_STRICT))
			return err_set(e, EINVAL, "unknown key \"%.60s\"", key);
		if (f)
			r = get_field(f, v, flags, obj, e);
		if (r < 0)
			return r;
	}
	return 0;
}

static int parse_text(const char *text, size_t n, json_object **ret, struct err *e)
{
	struct json_tokener *tok = json_tokener_new_ex(MAX_DEPTH);
	json_object *o;
	size_t end;
	int r = 0;

	if (!tok)
		return err_set(e, ENOMEM, "out of memory");
	if (n >= INT_MAX) {
		json_tokener_free(tok);
		return err_set(e, EFBIG, "JSON: too large");
	}
	json_tokener_set_flags(tok, JSON_TOKENER_STRICT | JSON_TOKENER_ALLOW_TRAILING_CHARS);
	o = json_tokener_parse_ex(tok, text, (int)n);
	end = json_tokener_get_parse_end(tok);
	while (end < n && strchr(" \t\r\n", text[end]) && text[end])
		end++;
	if (json_tokener_get_error(tok) != json_tokener_success)
		r = err_set(e, EINVAL, "JSON: %s at byte %zu",
			    json_tokener_error_desc(json_tokener_get_error(tok)),
			    json_tokener_get_parse_end(tok));
	else if (end != n)
		r = err_set(e, EINVAL, "JSON: text behind the value at byte %zu", end);
	json_tokener_free(tok);
	if (r < 0)
		json_object_put(o);
	else
		*ret = o;
	return r;
}

/* Colons outside strings: one for each member of an object in the text. */
static size_t count_written(const char *text, size_t n)
{
	bool in_string = false;
	size_t count = 0;

	for (size_t i = 0; i < n; i++) {
		if (in_string && text[i] == '\\')
			i++;
		else if (text[i] == '"')
			in_string = !in_string;
		else if (text[i] == ':' && !in_string)
			count++;
	}
	return count;
}

static size_t count_kept(json_object *o)
{
	size_t count = 0;

	if (json_object_is_type(o, json_type_array))
		for (size_t i = 0; i < json_object_array_length(o); i++)
			count += count_kept(json_object_array_get_idx(o, i));
	if (json_object_is_type(o, json_type_object)) {
		json_object_object_foreach (o, key, v) {
			(void)key;
			count += 1 + count_kept(v);
		}
	}
	return count;
}

/* json-c lets the later of two equal keys win: then fewer members are kept than were written. */
static int check_unique(json_object *o, const char *text, size_t n, int flags, struct err *e)
{
	if ((flags & JSON_UNIQUE) && count_written(text, n) != count_kept(o))
		return err_set(e, EINVAL, "JSON: a key is given twice");
	return 0;
}

int json_parse(const struct jtable *t, const char *text, size_t n, int flags, void *obj, struct err *e)
{
	AUTO(json_put) json_object *o = NULL;
	int r = parse_text(text, n, &o, e);

	if (r == 0)
		r = check_unique(o, text, n, flags, e);
	if (r == 0)
		r = get_object(t, o, flags, obj, e);
	if (r < 0)
		json_done(t, obj);
	return r;
}

int json_parse_array(const struct jtable *t, const char *text, size_t n, int flags, void **ret, size_t *ret_n,
		     struct err *e)
{
	AUTO(json_put) json_object *o = NULL;
	int r = parse_text(text, n, &o, e);

	if (r == 0)
		r = check_unique(o, text, n, flags, e);
	return r < 0 ? r : get_objects(t, o, flags, ret, ret_n, e);
}

/* --- printing: struct -> text */

struct printer {
	struct buf *out;
	int flags;
	int depth;
};

void json_add_str(struct buf *b, const char *s)
{
	buf_addc(b, '"');
	for (; *s; s++) {
		unsigned char c = (unsigned char)*s;

		if (c == '"' || c == '\\')
			buf_addf(b, "\\%c", c);
		else if (c == '\n')
			buf_adds(b, "\\n");
		else if (c == '\t')
			buf_adds(b, "\\t");
		else if (c < 0x20 || c == 0x7f)
			buf_addf(b, "\\u%04x", c);
		else
			buf_addc(b, (char)c);
	}
	buf_addc(b, '"');
}

static void newline(const struct printer *p)
{
	if (!(p->flags & JSON_PRETTY))
		return;
	buf_addc(p->out, '\n');
	for (int i = 0; i < p->depth; i++)
		buf_adds(p->out, "    ");
}

static void open_bracket(struct printer *p, char c)
{
	buf_addc(p->out, c);
	p->depth++;
}

static void close_bracket(struct printer *p, char c, bool empty)
{
	p->depth--;
	if (!empty)
		newline(p);
	buf_addc(p->out, c);
}

static void item(const struct printer *p, bool first)
{
	if (!first)
		buf_addc(p->out, ',');
	newline(p);
}

static void print_key(const struct printer *p, const char *key)
{
	json_add_str(p->out, key);
	buf_adds(p->out, p->flags & JSON_PRETTY ? ": " : ":");
}

static bool is_empty(const struct jfield *f, const void *obj)
{
	const void *m = member(f, obj);

	switch (f->type) {
	case J_STR:
		return !*(char *const *)m;
	case J_BOOL:
		return !*(const bool *)m;
	case J_INT:
		return !*(const int *)m;
	case J_I64:
	case J_U64:
		return !*(const uint64_t *)m;
	case J_STRV:
	case J_MAP:
	case J_KEYS:
		return !((const struct strv *)m)->n;
	case J_ARR:
		return !*(const size_t *)((const char *)obj + f->n_off);
	case J_ENUM:
	case J_OBJ:
	case J_END:
		break;
	}
	return false;
}

static void print_strv(struct printer *p, const struct strv *s)
{
	open_bracket(p, '[');
	for (size_t i = 0; i < s->n; i++) {
		item(p, i == 0);
		json_add_str(p->out, s->v[i]);
	}
	close_bracket(p, ']', !s->n);
}

static void print_keys(struct printer *p, const struct strv *s)
{
	open_bracket(p, '{');
	for (size_t i = 0; i < s->n; i++) {
		item(p, i == 0);
		print_key(p, s->v[i]);
		buf_adds(p->out, "{}");
	}
	close_bracket(p, '}', !s->n);
}

static void print_map(struct printer *p, const struct strv *s)
{
	open_bracket(p, '{');
	for (size_t i = 0; i < s->n; i++) {
		size_t key = strcspn(s->v[i], "=");
		autofree char *name = strndup(s->v[i], key);

		item(p, i == 0);
		if (!name)
			p->out->failed = true;
		else
			print_key(p, name);
		json_add_str(p->out, s->v[i][key] ? s->v[i] + key + 1 : "");
	}
	close_bracket(p, '}', !s->n);
}

static void print_object(struct printer *p, const struct jtable *t, const void *obj);

static void print_objects(struct printer *p, const struct jtable *t, const void *objs, size_t n)
{
	open_bracket(p, '[');
	for (size_t i = 0; i < n; i++) {
		item(p, i == 0);
		print_object(p, t, (const char *)objs + i * t->size);
	}
	close_bracket(p, ']', !n);
}

static void print_value(struct printer *p, const struct jfield *f, const void *obj)
{
	const void *m = member(f, obj);

	switch (f->type) {
	case J_STR:
		if (*(char *const *)m)
			json_add_str(p->out, *(char *const *)m);
		else
			buf_adds(p->out, "\"\"");
		break;
	case J_BOOL:
		buf_adds(p->out, *(const bool *)m ? "true" : "false");
		break;
	case J_INT:
		buf_addf(p->out, "%d", *(const int *)m);
		break;
	case J_I64:
		buf_addf(p->out, "%lld", (long long)*(const int64_t *)m);
		break;
	case J_U64:
		buf_addf(p->out, "%llu", (unsigned long long)*(const uint64_t *)m);
		break;
	case J_STRV:
		print_strv(p, m);
		break;
	case J_MAP:
		print_map(p, m);
		break;
	case J_KEYS:
		print_keys(p, m);
		break;
	case J_ENUM:
		json_add_str(p->out, f->names[*(const int *)m]);
		break;
	case J_OBJ:
		print_object(p, f->sub, m);
		break;
	case J_ARR:
		print_objects(p, f->sub, *(void *const *)m, *(const size_t *)((const char *)obj + f->n_off));
		break;
	case J_END:
		break;
	}
}

static void print_object(struct printer *p, const struct jtable *t, const void *obj)
{
	bool first = true;

	open_bracket(p, '{');
	for (const struct jfield *f = t->fields; f->type; f++) {
		if (!(p->flags & JSON_ALL) && is_empty(f, obj))
			continue;
		item(p, first);
		first = false;
		print_key(p, f->key);
		print_value(p, f, obj);
	}
	close_bracket(p, '}', first);
}

int json_print(const struct jtable *t, const void *obj, int flags, struct buf *out)
{
	struct printer p = { .out = out, .flags = flags };

	print_object(&p, t, obj);
	return buf_ok(out) ? 0 : -ENOMEM;
}

int json_print_array(const struct jtable *t, const void *objs, size_t n, int flags, struct buf *out)
{
	struct printer p = { .out = out, .flags = flags };

	print_objects(&p, t, objs, n);
	return buf_ok(out) ? 0 : -ENOMEM;
}

int json_copy(const struct jtable *t, const void *obj, void *ret)
{
	AUTO(buf_done) struct buf text = { 0 };
	int r = json_print(t, obj, 0, &text);

	memset(ret, 0, t->size);
	return r < 0 ? r : json_parse(t, text.data, text.len, 0, ret, NULL);
}
