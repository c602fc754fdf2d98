/* strv.c - a list of strings, NULL-terminated so that it can be an argv */
#include "base/strv.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void strv_done(struct strv *s)
{
	for (size_t i = 0; i < s->n; i++)
		free(s->v[i]);
	free(s->v);
	*s = (struct strv){ 0 };
}

int strv_add_take(struct strv *s, char *str)
{
	char **v;

	if (!str)
		return -ENOMEM;
	/* grows at powers of two: n + 2 slots are needed */
	if (!s->v || ((s->n + 1) & s->n) == 0) {
		v = reallocarray(s->v, (s->n + 1) * 2, sizeof(*v));
		if (!v) {
			free(str);
			return -ENOMEM;
		}
		s->v = v;
	}
	s->v[s->n++] = str;
	s->v[s->n] = NULL;
	return 0;
}

int strv_add(struct strv *s, const char *str)
{
	return strv_add_take(s, strdup(str));
}

int strv_addf(struct strv *s, const char *fmt, ...)
{
	va_list ap;
	char *str;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&str, fmt, ap);
	va_end(ap);
	return n < 0 ? -ENOMEM : strv_add_take(s, str);
}

int strv_add_all(struct strv *s, const struct strv *from)
{
	int r = 0;

	for (size_t i = 0; i < from->n && r == 0; i++)
		r = strv_add(s, from->v[i]);
	return r;
}

int strv_copy(struct strv *ret, const struct strv *from)
{
	struct strv s = { 0 };
	int r = strv_add_all(&s, from);

	if (r < 0) {
		strv_done(&s);
		return r;
	}
	*ret = s;
	return 0;
}

bool strv_has(const struct strv *s, const char *str)
{
	for (size_t i = 0; i < s->n; i++)
		if (!strcmp(s->v[i], str))
			return true;
	return false;
}

static char **env_slot(const struct strv *s, const char *key, size_t len)
{
	for (size_t i = 0; i < s->n; i++)
		if (!strncmp(s->v[i], key, len) && (s->v[i][len] == '=' || !s->v[i][len]))
			return &s->v[i];
	return NULL;
}

const char *strv_env_get(const struct strv *s, const char *key)
{
	char **slot = env_slot(s, key, strlen(key));
	const char *eq = slot ? strchr(*slot, '=') : NULL;

	return eq ? eq + 1 : NULL;
}

int strv_env_set(struct strv *s, const char *assignment)
{
	char **slot = env_slot(s, assignment, strcspn(assignment, "="));
	char *copy;

	if (!slot)
		return strv_add(s, assignment);
	copy = strdup(assignment);
	if (!copy)
		return -ENOMEM;
	free(*slot);
	*slot = copy;
	return 0;
}

void strv_env_unset(struct strv *s, const char *key)
{
	char **slot = env_slot(s, key, strlen(key));

	if (!slot)
		return;
	free(*slot);
	memmove(slot, slot + 1, (size_t)(s->v + s->n - slot) * sizeof(*slot));
	s->n--;
}

int strv_split(struct strv *ret, const char *str, const char *seps)
{
	struct strv s = { 0 };
	int r = 0;

	for (;;) {
		size_t n = strcspn(str, seps);

		r = strv_add_take(&s, strndup(str, n));
		if (r < 0 || !str[n])
			break;
		str += n + 1;
	}
	if (r < 0) {
		strv_done(&s);
		return r;
	}
	*ret = s;
	return 0;
}
