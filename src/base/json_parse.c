/* json_parse.c - JSON text -> struct, by its table */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "base/json_int.h"

struct object {
	const struct jtable *table;
	void *obj;
	uint64_t seen; /* bit i: field i was given */
};

static int no_memory(const struct json_reader *rd)
{
	return err_set(rd->e, ENOMEM, "out of memory");
}

static int get_int(struct json_reader *rd, int *ret)
{
	int64_t n;
	int r = json_get_i64(rd, INT_MIN, INT_MAX, &n);

	if (r == 0)
		*ret = (int)n;
	return r;
}

static int get_u32(struct json_reader *rd, uint32_t *ret)
{
	uint64_t n;
	int r = json_get_u64(rd, UINT32_MAX, &n);

	if (r == 0)
		*ret = (uint32_t)n;
	return r;
}

static int get_optional(struct json_reader *rd, struct opt_i64 *ret)
{
	int r = json_get_i64(rd, INT64_MIN, INT64_MAX, &ret->v);

	if (r == 0)
		ret->set = true;
	return r;
}

/* --- structs */

static int get_object(struct json_reader *rd, const struct jtable *t, void *obj);

struct objects {
	const struct jtable *table;
	char *v;
	size_t n, cap;
};

/* A new struct at the end of the list, zero; or NULL. */
static void *add_object(struct json_reader *rd, struct objects *list)
{
	size_t size = list->table->size;
	char *v;

	if (list->n == list->cap) {
		v = reallocarray(list->v, list->cap * 2 + 4, size);
		if (!v) {
			no_memory(rd);
			return NULL;
		}
		list->v = v;
		list->cap = list->cap * 2 + 4;
	}
	return memset(list->v + list->n++ * size, 0, size);
}

static int get_array_object(struct json_reader *rd, size_t i, void *data)
{
	struct objects *list = data;
	void *obj = add_object(rd, list);

	return obj ? get_object(rd, list->table, obj) : -ENOMEM;
}

static int get_map_object(struct json_reader *rd, const struct json_str *key, void *data)
{
	struct objects *list = data;
	char **obj = add_object(rd, list);

	if (!obj)
		return -ENOMEM;
	*obj = strndup(key->s, key->n);
	return *obj ? get_object(rd, list->table, obj) : no_memory(rd);
}

static int get_objects(struct json_reader *rd, const struct jtable *t, enum jtype type, void **ret,
		       size_t *ret_n)
{
	struct objects list = { .table = t };
	int r = type == J_ARR ? json_read_array(rd, get_array_object, &list)
			      : json_read_object(rd, get_map_object, &list);

	if (r < 0) {
		json_free_array(t, type, list.v, list.n);
		return r;
	}
	*ret = list.v;
	*ret_n = list.n;
	return 0;
}

static int get_list(struct json_reader *rd, const struct jfield *f, void *obj)
{
	size_t *count = (size_t *)((char *)obj + f->n_off), n;
	void **m = (void *)((char *)obj + f->off), *objs;
	int r = get_objects(rd, f->sub, f->type, &objs, &n);

	if (r < 0)
		return r;
	json_free_array(f->sub, f->type, *m, *count);
	*m = objs;
	*count = n;
	return 0;
}

static int get_member_object(struct json_reader *rd, const struct jfield *f, void *obj)
{
	if (f->n_off)
		*(bool *)((char *)obj + f->n_off) = true;
	return get_object(rd, f->sub, (char *)obj + f->off);
}

static int get_value(struct json_reader *rd, const struct jfield *f, void *obj)
{
	void *m = (char *)obj + f->off;

	switch (f->type) {
	case J_STR:
		return json_get_str(rd, m);
	case J_RAW:
		return json_get_raw(rd, m);
	case J_BOOL:
		return json_read_bool(rd, m);
	case J_INT:
		return get_int(rd, m);
	case J_I64:
		return json_get_i64(rd, INT64_MIN, INT64_MAX, m);
	case J_U32:
		return get_u32(rd, m);
	case J_U64:
		return json_get_u64(rd, UINT64_MAX, m);
	case J_OPT_I64:
		return get_optional(rd, m);
	case J_I64V:
		return json_get_i64v(rd, m);
	case J_STRV:
	case J_MAP:
	case J_KEYS:
		return json_get_strv(rd, f->type, m);
	case J_ENUM:
		return json_get_enum(rd, f->names, m);
	case J_ARR:
	case J_OBJMAP:
		return get_list(rd, f, obj);
	case J_OBJ:
		return get_member_object(rd, f, obj);
	case J_END:
		break;
	}
	return -EINVAL;
}

static int get_member(struct json_reader *rd, const struct json_str *key, void *data)
{
	struct object *o = data;

	for (const struct jfield *f = o->table->fields; f->type; f++) {
		if (strlen(f->key) != key->n || memcmp(f->key, key->s, key->n) != 0)
			continue;
		if (json_read_null(rd))
			return 0;
		o->seen |= UINT64_C(1) << (f - o->table->fields);
		return get_value(rd, f, o->obj);
	}
	if (o->table->closed || (rd->flags & JSON_STRICT))
		return json_fail(rd, EINVAL, "unknown key");
	return json_skip(rd);
}

static int check_complete(struct json_reader *rd, const struct object *o)
{
	for (const struct jfield *f = o->table->fields; f->type; f++) {
		if (f->must && !(o->seen >> (f - o->table->fields) & 1)) {
			struct json_place here = { .up = rd->place, .key = f->key, .n = strlen(f->key) };

			rd->place = &here;
			json_fail(rd, EINVAL, "missing");
			rd->place = here.up;
			return -EINVAL;
		}
	}
	return 0;
}

static int get_object(struct json_reader *rd, const struct jtable *t, void *obj)
{
	struct object o = { .table = t, .obj = obj };
	int r = json_read_object(rd, get_member, &o);

	return r < 0 ? r : check_complete(rd, &o);
}

static struct json_reader reader_of(const char *text, size_t n, int flags, struct err *e)
{
	const char *s = n ? text : "";

	return (struct json_reader){ .text = s, .p = s, .end = s + n, .flags = flags, .e = e };
}

int json_parse(const struct jtable *t, const char *text, size_t n, int flags, void *obj, struct err *e)
{
	AUTO(json_reader_done) struct json_reader rd = reader_of(text, n, flags, e);
	int r = get_object(&rd, t, obj);

	if (r == 0)
		r = json_read_end(&rd);
	if (r < 0)
		json_done(t, obj);
	return r;
}

int json_parse_array(const struct jtable *t, const char *text, size_t n, int flags, void **ret, size_t *ret_n,
		     struct err *e)
{
	AUTO(json_reader_done) struct json_reader rd = reader_of(text, n, flags, e);
	size_t count;
	void *objs;
	int r = get_objects(&rd, t, J_ARR, &objs, &count);

	if (r < 0)
		return r;
	r = json_read_end(&rd);
	if (r < 0) {
		json_free_array(t, J_ARR, objs, count);
		return r;
	}
	*ret = objs;
	*ret_n = count;
	return 0;
}
