/* functions_text.c - functions of templates for strings
 *
 * upper, lower and title know the letters of ASCII only.
 */
#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "base/auto.h"
#include "format/functions_int.h"

static int map_string(struct run *r, const struct json_value *v, void (*change)(char *s),
		      const struct json_value **ret)
{
	const char *s = NULL;
	char *copy;
	int res = function_want_string(r, v, &s);

	if (res < 0)
		return res;
	*ret = run_string(r, s, strlen(s));
	if (!*ret)
		return -ENOMEM;
	copy = (*ret)->string;
	change(copy);
	return 0;
}

static void make_upper(char *s)
{
	for (; *s; s++)
		if (*s >= 'a' && *s <= 'z')
			*s = (char)(*s - 'a' + 'A');
}

static void make_lower(char *s)
{
	for (; *s; s++)
		if (*s >= 'A' && *s <= 'Z')
			*s = (char)(*s - 'A' + 'a');
}

/* Go's strings.Title: the letter behind what is neither letter, digit nor underscore. */
static void make_title(char *s)
{
	bool starts = true;

	for (; *s; s++) {
		if (starts && *s >= 'a' && *s <= 'z')
			*s = (char)(*s - 'a' + 'A');
		starts = !isalnum((unsigned char)*s) && *s != '_' && (unsigned char)*s < 0x80;
	}
}

int call_upper(struct run *r, args_t args, size_t n, const struct json_value **ret)
{
	return map_string(r, args[0], make_upper, ret);
}

int call_lower(struct run *r, args_t args, size_t n, const struct json_value **ret)
{
	return map_string(r, args[0], make_lower, ret);
}

int call_title(struct run *r, args_t args, size_t n, const struct json_value **ret)
{
	return map_string(r, args[0], make_title, ret);
}

int call_join(struct run *r, args_t args, size_t n, const struct json_value **ret)
{
	struct buf b = { 0 };
	const char *between = NULL, *item = NULL;
	int res = function_want_string(r, args[1], &between);

	if (res < 0)
		return res;
	if (args[0]->kind != JSON_ARRAY && args[0]->kind != JSON_NULL)
		return err_set(r->e, EINVAL, "a list is wanted, not %s", value_kind(args[0]));
	for (size_t i = 0; args[0]->kind == JSON_ARRAY && i < args[0]->n && b.len <= MAX_OUTPUT; i++) {
		res = function_want_string(r, &args[0]->items[i], &item);
		if (res < 0) {
			buf_done(&b);
			return res;
		}
		buf_adds(&b, i ? between : "");
		buf_adds(&b, item);
	}
	return function_give_buf(r, &b, ret);
}

/* Bytes up to the next separator; an empty one stands between characters. */
static size_t piece_length(const char *s, const char *sep)
{
	const char *end = strstr(s, sep);
	size_t n = 1;

	if (*sep)
		return end ? (size_t)(end - s) : strlen(s);
	while (((unsigned char)s[n] & 0xc0) == 0x80)
		n++;
	return n;
}

static size_t count_pieces(const char *s, const char *sep)
{
	size_t n = 0;

	if (*sep) {
		for (n = 1; (s = strstr(s, sep)); n++)
			s += strlen(sep);
	} else {
		for (; *s; n++)
			s += piece_length(s, sep);
	}
	return n;
}

int call_split(struct run *r, args_t args, size_t n, const struct json_value **ret)
{
	struct json_value *array = pool_alloc(&r->pool, sizeof(*array));
	const char *s = NULL, *sep = NULL;
	int res = function_want_string(r, args[0], &s);
	size_t count;

	if (res == 0)
		res = function_want_string(r, args[1], &sep);
	if (res < 0)
		return res;
	count = count_pieces(s, sep);
	if (!array)
		return -ENOMEM;
	*array = (struct json_value){ .kind = JSON_ARRAY, .n = count };
	array->items = pool_alloc(&r->pool, (count + 1) * sizeof(*array->items));
	if (!array->items)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		size_t len = piece_length(s, sep);

		array->items[i] = (struct json_value){ .kind = JSON_STRING };
		array->items[i].string = pool_dup(&r->pool, s, len);
		if (!array->items[i].string)
			return -ENOMEM;
		s += len + (i + 1 < count ? strlen(sep) : 0);
	}
	return function_give(array, ret);
}

/* Docker's: pad STRING BEFORE AFTER. */
int call_pad(struct run *r, args_t args, size_t n, const struct json_value **ret)
{
	struct buf b = { 0 };
	size_t before = 0, after = 0;
	const char *s = NULL;
	int res = function_want_string(r, args[0], &s);

	if (res == 0)
		res = function_want_count(r, args[1], &before);
	if (res == 0)
		res = function_want_count(r, args[2], &after);
	if (res < 0)
		return res;
	if (before > MAX_WIDTH || after > MAX_WIDTH)
		return err_set(r->e, EINVAL, "more than %d blanks", MAX_WIDTH);
	if (*s)
		buf_addf(&b, "%*s%s%*s", (int)before, "", s, (int)after, "");
	return function_give_buf(r, &b, ret);
}

/* Docker's: the first bytes of a longer string. */
int call_truncate(struct run *r, args_t args, size_t n, const struct json_value **ret)
{
	size_t max = 0;
	const char *s = NULL;
	int res = function_want_string(r, args[0], &s);

	if (res == 0)
		res = function_want_count(r, args[1], &max);
	if (res < 0)
		return res;
	while (max < strlen(s) && ((unsigned char)s[max] & 0xc0) == 0x80)
		max--; /* not through a character */
	return function_give(run_string(r, s, strnlen(s, max)), ret);
}
