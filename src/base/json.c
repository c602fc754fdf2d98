/* json.c - structs by their tables: freed, printed as JSON text, copied */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "base/json_int.h"
#include "base/strv.h"

static void *member(const struct jfield *f, const void *obj)
{
	return (char *)(uintptr_t)obj + f->off;
}

/* --- freeing */

static void done_fields(const struct jtable *t, void *obj);

void json_free_array(const struct jtable *t, enum jtype type, void *objs, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		void *obj = (char *)objs + i * t->size;

		if (type == J_OBJMAP)
			free(*(char **)obj);
		done_fields(t, obj);
	}
	free(objs);
}

static void done_field(const struct jfield *f, void *obj)
{
	void *m = member(f, obj);

	switch (f->type) {
	case J_STR:
	case J_RAW:
		free(*(char **)m);
		break;
	case J_STRV:
	case J_MAP:
	case J_KEYS:
		strv_done(m);
		break;
	case J_I64V:
		free(((struct i64v *)m)->v);
		break;
	case J_OBJ:
		done_fields(f->sub, m);
		break;
	case J_ARR:
	case J_OBJMAP:
		json_free_array(f->sub, f->type, *(void **)m, *(size_t *)((char *)obj + f->n_off));
		break;
	case J_END:
	case J_BOOL:
	case J_INT:
	case J_I64:
	case J_U32:
	case J_U64:
	case J_OPT_I64:
	case J_ENUM:
		break;
	}
}

static void done_fields(const struct jtable *t, void *obj)
{
	for (const struct jfield *f = t->fields; f->type; f++)
		done_field(f, obj);
}

void json_done(const struct jtable *t, void *obj)
{
	done_fields(t, obj);
	memset(obj, 0, t->size);
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
	case J_RAW:
		return !*(char *const *)m;
	case J_BOOL:
		return !*(const bool *)m;
	case J_INT:
		return !*(const int *)m;
	case J_U32:
		return !*(const uint32_t *)m;
	case J_OPT_I64:
		return !((const struct opt_i64 *)m)->set;
	case J_I64V:
		return !((const struct i64v *)m)->n;
	case J_I64:
	case J_U64:
		return !*(const uint64_t *)m;
	case J_STRV:
	case J_MAP:
	case J_KEYS:
		return !((const struct strv *)m)->n;
	case J_ARR:
	case J_OBJMAP:
		return !*(const size_t *)((const char *)obj + f->n_off);
	case J_OBJ: /* JH, JV */
		return f->n_off && !*(const bool *)((const char *)obj + f->n_off);
	case J_ENUM:
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

static void print_object_map(struct printer *p, const struct jtable *t, const void *objs, size_t n)
{
	open_bracket(p, '{');
	for (size_t i = 0; i < n; i++) {
		const char *obj = (const char *)objs + i * t->size;

		item(p, i == 0);
		print_key(p, *(const char *const *)(const void *)obj);
		print_object(p, t, obj);
	}
	close_bracket(p, '}', !n);
}

static void print_numbers(struct printer *p, const struct i64v *list)
{
	open_bracket(p, '[');
	for (size_t i = 0; i < list->n; i++) {
		item(p, i == 0);
		buf_addf(p->out, "%lld", (long long)list->v[i]);
	}
	close_bracket(p, ']', !list->n);
}

static void print_optional(struct printer *p, const struct opt_i64 *n)
{
	if (n->set)
		buf_addf(p->out, "%lld", (long long)n->v);
	else
		buf_adds(p->out, "null");
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
	case J_U32:
		buf_addf(p->out, "%lu", (unsigned long)*(const uint32_t *)m);
		break;
	case J_U64:
		buf_addf(p->out, "%llu", (unsigned long long)*(const uint64_t *)m);
		break;
	case J_OPT_I64:
		print_optional(p, m);
		break;
	case J_I64V:
		print_numbers(p, m);
		break;
	case J_RAW:
		buf_adds(p->out, *(char *const *)m ? *(char *const *)m : "null");
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
		if (is_empty(f, obj))
			buf_adds(p->out, "null");
		else
			print_object(p, f->sub, m);
		break;
	case J_ARR:
		print_objects(p, f->sub, *(void *const *)m, *(const size_t *)((const char *)obj + f->n_off));
		break;
	case J_OBJMAP:
		print_object_map(p, f->sub, *(void *const *)m,
				 *(const size_t *)((const char *)obj + f->n_off));
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
