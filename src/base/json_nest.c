/* json_nest.c - objects and arrays of JSON text: what is in them in turn, and no key twice */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "base/json_int.h"

#define MAX_DEPTH 64
#define FEW_KEYS  16 /* up to here each is compared with each */

struct json_key {
	struct json_str str; /* decoded */
	char *owned; /* what str points to, if it had to be decoded */
};

/* --- the keys of the objects that are open, innermost last */

static int push_key(struct json_reader *rd, const struct json_str *s, struct json_str *ret)
{
	struct json_key key = { .str = *s };
	struct json_key *keys = rd->keys;

	if (rd->n_keys == rd->cap_keys) {
		keys = reallocarray(keys, rd->cap_keys * 2 + 32, sizeof(*keys));
		if (!keys)
			return err_set(rd->e, ENOMEM, "out of memory");
		rd->keys = keys;
		rd->cap_keys = rd->cap_keys * 2 + 32;
	}
	if (s->escaped) {
		key.owned = json_str_dup(s);
		if (!key.owned)
			return err_set(rd->e, ENOMEM, "out of memory");
		key.str = (struct json_str){ .s = key.owned, .n = strlen(key.owned) };
	}
	rd->keys[rd->n_keys++] = key;
	*ret = key.str;
	return 0;
}

static void drop_keys(struct json_reader *rd, size_t down_to)
{
	while (rd->n_keys > down_to)
		free(rd->keys[--rd->n_keys].owned);
}

void json_reader_done(struct json_reader *rd)
{
	drop_keys(rd, 0);
	free(rd->keys);
}

static int compare_keys(const void *va, const void *vb)
{
	const struct json_str *a = &((const struct json_key *)va)->str,
			      *b = &((const struct json_key *)vb)->str;

	if (a->n != b->n)
		return a->n < b->n ? -1 : 1;
	return memcmp(a->s, b->s, a->n);
}

/* A key that is there twice, or NULL. */
static const struct json_key *find_twice(struct json_key *keys, size_t n)
{
	if (n <= FEW_KEYS) {
		for (size_t i = 1; i < n; i++)
			for (size_t k = 0; k < i; k++)
				if (!compare_keys(&keys[i], &keys[k]))
					return &keys[i];
		return NULL;
	}
	qsort(keys, n, sizeof(*keys), compare_keys);
	for (size_t i = 1; i < n; i++)
		if (!compare_keys(&keys[i], &keys[i - 1]))
			return &keys[i];
	return NULL;
}

/* The object whose keys begin at `first` has ended. */
static int close_keys(struct json_reader *rd, size_t first)
{
	const struct json_key *twice = NULL;

	if ((rd->flags & JSON_UNIQUE) && rd->n_keys - first > 1)
		twice = find_twice(rd->keys + first, rd->n_keys - first);
	if (twice) {
		struct json_place here = { .up = rd->place, .key = twice->str.s, .n = twice->str.n };

		rd->place = &here;
		json_fail(rd, EINVAL, "given twice");
		rd->place = here.up;
		return -EINVAL;
	}
	drop_keys(rd, first);
	return 0;
}

/* --- brackets */

static int open_bracket(struct json_reader *rd, char bracket)
{
	if (json_next(rd) != bracket)
		return json_fail_type(rd, bracket == '{' ? "an object" : "an array");
	if (rd->depth == MAX_DEPTH)
		return json_fail(rd, EINVAL, "nested more than %d deep", MAX_DEPTH);
	rd->depth++;
	rd->p++;
	return 0;
}

/* Behind an element: is another one to come? */
static int read_comma(struct json_reader *rd, char closing, bool *ret_more)
{
	char c = json_next(rd);

	if (c != ',' && c != closing)
		return json_fail_syntax(rd, closing == '}' ? "\",\" or \"}\" is wanted"
							   : "\",\" or \"]\" is wanted");
	rd->p++;
	*ret_more = c == ',';
	return 0;
}

/* Is it empty?  Then it is closed. */
static bool close_empty(struct json_reader *rd, char closing)
{
	if (json_next(rd) != closing)
		return false;
	rd->p++;
	return true;
}

static int read_key(struct json_reader *rd, struct json_str *ret)
{
	struct json_str key;
	int r;

	if (json_next(rd) != '"')
		return json_fail_syntax(rd, "a key in quotes is wanted");
	r = json_read_string(rd, &key);
	if (r == 0 && json_next(rd) != ':')
		r = json_fail_syntax(rd, "\":\" is wanted");
	if (r < 0)
		return r;
	rd->p++;
	return push_key(rd, &key, ret);
}

int json_read_object(struct json_reader *rd,
		     int (*fn)(struct json_reader *rd, const struct json_str *key, void *data), void *data)
{
	struct json_place here = { .up = rd->place };
	size_t first = rd->n_keys;
	struct json_str key;
	int r = open_bracket(rd, '{');
	bool more = r == 0 && !close_empty(rd, '}');

	while (r == 0 && more) {
		r = read_key(rd, &key);
		if (r < 0)
			break;
		here.key = key.s;
		here.n = key.n;
		rd->place = &here;
		r = fn(rd, &key, data);
		rd->place = here.up;
		if (r == 0)
			r = read_comma(rd, '}', &more);
	}
	if (r < 0)
		return r;
	rd->depth--;
	return close_keys(rd, first);
}

int json_read_array(struct json_reader *rd, int (*fn)(struct json_reader *rd, size_t i, void *data),
		    void *data)
{
	struct json_place here = { .up = rd->place };
	int r = open_bracket(rd, '[');
	bool more = r == 0 && !close_empty(rd, ']');

	for (; r == 0 && more; here.n++) {
		rd->place = &here;
		r = fn(rd, here.n, data);
		rd->place = here.up;
		if (r == 0)
			r = read_comma(rd, ']', &more);
	}
	if (r == 0)
		rd->depth--;
	return r;
}

/* --- values that nobody wants */

static int skip_member(struct json_reader *rd, const struct json_str *key, void *data)
{
	return json_skip(rd);
}

static int skip_element(struct json_reader *rd, size_t i, void *data)
{
	return json_skip(rd);
}

int json_skip(struct json_reader *rd)
{
	struct json_str s;
	struct json_num num;
	bool yes;
	char c = json_next(rd);

	if (c == '{')
		return json_read_object(rd, skip_member, NULL);
	if (c == '[')
		return json_read_array(rd, skip_element, NULL);
	if (c == '"')
		return json_read_string(rd, &s);
	if (c == '-' || (c >= '0' && c <= '9'))
		return json_read_number(rd, &num);
	return json_read_null(rd) ? 0 : json_read_bool(rd, &yes);
}

int json_read_end(struct json_reader *rd)
{
	json_next(rd);
	return rd->p == rd->end ? 0 : json_fail_syntax(rd, "text behind the value");
}
