/* json_value.c - the next value of JSON text as a number, a string or a list, in C's types */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "base/json_int.h"

#define MAX_SHOWN 60 /* bytes of a foreign value in a message */

static int no_memory(const struct json_reader *rd)
{
	return err_set(rd->e, ENOMEM, "out of memory");
}

static int shown(size_t n)
{
	return n < MAX_SHOWN ? (int)n : MAX_SHOWN;
}

/* --- numbers */

static int fail_range(const struct json_reader *rd, const struct json_num *num)
{
	return json_fail(rd, ERANGE, "%.*s is out of range", shown(num->n), num->s);
}

static int get_number(struct json_reader *rd, struct json_num *ret)
{
	int r = json_read_number(rd, ret);

	if (r == 0 && !ret->whole)
		return json_fail(rd, EINVAL, "%.*s: a whole number is wanted", shown(ret->n), ret->s);
	return r;
}

int json_get_u64(struct json_reader *rd, uint64_t max, uint64_t *ret)
{
	struct json_num num;
	int r = get_number(rd, &num);

	if (r < 0)
		return r;
	if (num.huge || num.magnitude > max || (num.negative && num.magnitude))
		return fail_range(rd, &num);
	*ret = num.magnitude;
	return 0;
}

int json_get_i64(struct json_reader *rd, int64_t min, int64_t max, int64_t *ret)
{
	struct json_num num;
	int r = get_number(rd, &num);
	int64_t n;

	if (r < 0)
		return r;
	if (num.huge || num.magnitude > (uint64_t)INT64_MAX + num.negative)
		return fail_range(rd, &num);
	n = (int64_t)(num.negative ? -num.magnitude : num.magnitude);
	if (n < min || n > max)
		return fail_range(rd, &num);
	*ret = n;
	return 0;
}

static int get_list_number(struct json_reader *rd, size_t i, void *data)
{
	struct i64v *list = data;

	if ((list->n & (list->n - 1)) == 0) { /* grows at powers of two */
		int64_t *v = reallocarray(list->v, list->n ? list->n * 2 : 1, sizeof(*v));

		if (!v)
			return no_memory(rd);
		list->v = v;
	}
	return json_get_i64(rd, INT64_MIN, INT64_MAX, &list->v[list->n++]);
}

int json_get_i64v(struct json_reader *rd, struct i64v *ret)
{
	struct i64v list = { 0 };
	int r = json_read_array(rd, get_list_number, &list);

	if (r < 0) {
		free(list.v);
		return r;
	}
	free(ret->v);
	*ret = list;
	return 0;
}

/* --- strings */

/* *ret becomes s, which may be NULL: out of memory. */
static int take_string(const struct json_reader *rd, char *s, char **ret)
{
	if (!s)
		return no_memory(rd);
	free(*ret);
	*ret = s;
	return 0;
}

int json_get_str(struct json_reader *rd, char **ret)
{
	struct json_str s;
	int r = json_read_string(rd, &s);

	return r < 0 ? r : take_string(rd, json_str_dup(&s), ret);
}

/* Copies JSON text without the blanks between its tokens. */
static char *compact_dup(const char *s, const char *end)
{
	char *copy = malloc((size_t)(end - s) + 1), *out = copy;
	bool in_string = false;

	if (!copy)
		return NULL;
	for (; s < end; s++) {
		if (!in_string && (*s == ' ' || *s == '\n' || *s == '\t' || *s == '\r'))
			continue;
		*out++ = *s;
		if (in_string && *s == '\\')
			*out++ = *++s;
		else if (*s == '"')
			in_string = !in_string;
	}
	*out = '\0';
	return copy;
}

int json_get_raw(struct json_reader *rd, char **ret)
{
	const char *from;
	int r;

	json_next(rd);
	from = rd->p;
	r = json_skip(rd);
	return r < 0 ? r : take_string(rd, compact_dup(from, rd->p), ret);
}

int json_get_enum(struct json_reader *rd, const char *const *names, int *ret)
{
	autofree char *s = NULL;
	int r = json_get_str(rd, &s);

	if (r < 0)
		return r;
	for (int i = 0; names[i]; i++) {
		if (!strcmp(names[i], s)) {
			*ret = i;
			return 0;
		}
	}
	return json_fail(rd, EINVAL, "unknown value \"%.*s\"", MAX_SHOWN, s);
}

/* --- lists of strings */

static int get_element(struct json_reader *rd, size_t i, void *data)
{
	struct json_str s;
	int r = json_read_string(rd, &s);

	if (r == 0 && strv_add_take(data, json_str_dup(&s)) < 0)
		return no_memory(rd);
	return r;
}

static int get_pair(struct json_reader *rd, const struct json_str *key, void *data)
{
	autofree char *value = NULL;
	int r;

	if (memchr(key->s, '=', key->n))
		return json_fail(rd, EINVAL, "\"=\" in a key");
	r = json_get_str(rd, &value);
	if (r == 0 && strv_addf(data, "%.*s=%s", (int)key->n, key->s, value) < 0)
		return no_memory(rd);
	return r;
}

static int get_key(struct json_reader *rd, const struct json_str *key, void *data)
{
	if (strv_add_take(data, strndup(key->s, key->n)) < 0)
		return no_memory(rd);
	return json_skip(rd);
}

int json_get_strv(struct json_reader *rd, enum jtype type, struct strv *ret)
{
	struct strv s = { 0 };
	int r = type == J_STRV ? json_read_array(rd, get_element, &s)
			       : json_read_object(rd, type == J_MAP ? get_pair : get_key, &s);

	if (r < 0) {
		strv_done(&s);
		return r;
	}
	strv_done(ret);
	*ret = s;
	return 0;
}
