/* conf.c - text of configuration files */
#include "opts/conf.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "base/auto.h"

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static bool is_key(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
	       c == '-';
}

static char *skip_blanks(char *s)
{
	while (is_blank(*s))
		s++;
	return s;
}

/* Ends the key at s; *ret is behind the "=". */
static int take_key(char *s, char **ret, struct err *e)
{
	char *end = s, *p;

	while (is_key(*end))
		end++;
	p = skip_blanks(end);
	if (*s == '[')
		return err_set(e, EINVAL, "there are no sections, only KEY = VALUE");
	if (end == s || *p != '=')
		return err_set(e, EINVAL, "KEY = VALUE is wanted, not \"%.60s\"", s);
	*end = '\0';
	for (; *s; s++)
		if (*s == '_')
			*s = '-';
	*ret = skip_blanks(p + 1);
	return 0;
}

/* Ends the value at s; *ret is where it begins. */
static int take_value(char *s, char **ret, struct err *e)
{
	char *end = s, *rest;

	if (*s == '"') {
		end = strchr(s + 1, '"');
		if (!end)
			return err_set(e, EINVAL, "the closing quote is missing");
		rest = skip_blanks(end + 1);
		if (*rest && *rest != '#')
			return err_set(e, EINVAL, "\"%.60s\" stands behind the quoted value", rest);
		*ret = s + 1;
	} else {
		while (*end && !(*end == '#' && (end == s || is_blank(end[-1]))))
			end++;
		while (end > s && is_blank(end[-1]))
			end--;
		if (end == s)
			return err_set(e, EINVAL, "the value is missing (\"\" is an empty one)");
		*ret = s;
	}
	*end = '\0';
	return 0;
}

static int take_line(char *line, conf_fn fn, void *arg, struct err *e)
{
	char *key = skip_blanks(line), *value = NULL;
	int r;

	if (!*key || *key == '#')
		return 0;
	r = take_key(key, &value, e);
	if (r == 0)
		r = take_value(value, &value, e);
	return r < 0 ? r : fn(arg, key, value, e);
}

static int check_bytes(const char *line, size_t n, struct err *e)
{
	for (size_t i = 0; i < n; i++)
		if (((unsigned char)line[i] < 0x20 && line[i] != '\t') || line[i] == 0x7f)
			return err_set(e, EINVAL, "a control character stands in it");
	return 0;
}

int conf_parse(const char *name, const char *text, size_t n, conf_fn fn, void *arg, struct err *e)
{
	const char *end = text + n;

	if (n > CONF_MAX)
		return err_set(e, EFBIG, "%s: more than %d bytes", name, CONF_MAX);
	for (unsigned number = 1; text < end; number++) {
		const char *stop = memchr(text, '\n', (size_t)(end - text));
		size_t len = (size_t)((stop ? stop : end) - text), used = len;
		autofree char *line = NULL;
		int r;

		if (used && text[used - 1] == '\r')
			used--;
		line = strndup(text, used);
		r = line ? check_bytes(text, used, e) : err_set(e, ENOMEM, "out of memory");
		if (r == 0)
			r = take_line(line, fn, arg, e);
		if (r < 0)
			return err_wrap(e, r, "%s:%u", name, number);
		text += len + 1;
	}
	return 0;
}
