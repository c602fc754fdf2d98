/* filters.c - --filter KEY=VALUE of lists */
#include "cli/filters.h"

#include <errno.h>
#include <fnmatch.h>
#include <regex.h>
#include <string.h>

#include "base/auto.h"
#include "base/buf.h"
#include "base/parse.h"
#include "opts/opts.h"
#include "opts/suggest.h"

/* The value of "KEY=VALUE" when it is of this key, or NULL. */
static const char *value_of(const char *given, const char *key)
{
	size_t n = strlen(key);

	return !strncmp(given, key, n) && given[n] == '=' ? given + n + 1 : NULL;
}

static int unknown(const struct filter_kind *kinds, const char *given, struct err *e)
{
	AUTO(buf_done) struct buf all = { 0 };
	autofree char *key = strndup(given, strcspn(given, "="));
	struct suggest near = { .want = key ? key : "" };

	for (const struct filter_kind *k = kinds; k->key; k++) {
		suggest_try(&near, k->key);
		buf_addf(&all, "%s%s", k == kinds ? "" : ", ", k->key);
	}
	if (near.best)
		return err_set(e, EINVAL, "invalid filter: %.80s (did you mean %s?)", near.want, near.best);
	return err_set(e, EINVAL, "invalid filter: %.80s (there are %s)", near.want,
		       all.data ? all.data : "none");
}

static int check(const struct filter_kind *kinds, const char *given, struct err *e)
{
	uint32_t number;

	for (; kinds->key; kinds++) {
		const char *value = value_of(given, kinds->key);

		if (!value)
			continue;
		if (kinds->choices && !opts_is_choice(kinds->choices, value))
			return err_set(e, EINVAL, "invalid filter: %s=%.80s must be one of %s", kinds->key,
				       value, kinds->choices);
		if (kinds->number && parse_u32(value, &number) < 0)
			return err_set(e, EINVAL, "invalid filter: %s=%.80s must be a number", kinds->key,
				       value);
		return 0;
	}
	return -ENOENT;
}

int filters_check(const struct filter_kind *kinds, const struct strv *given, struct err *e)
{
	for (size_t i = 0; i < given->n; i++) {
		int r = 0;

		if (!strchr(given->v[i], '='))
			return err_set(e, EINVAL, "invalid filter: %.80s must be KEY=VALUE", given->v[i]);
		r = check(kinds, given->v[i], e);
		if (r == -ENOENT)
			return unknown(kinds, given->v[i], e);
		if (r < 0)
			return r;
	}
	return 0;
}

static bool fits_kind(const struct filter_kind *k, const struct strv *given, const void *obj, void *arg)
{
	bool any = false, fits = false;

	for (size_t i = 0; i < given->n; i++) {
		const char *value = value_of(given->v[i], k->key);

		if (!value)
			continue;
		any = true;
		fits = k->fits(obj, value, arg);
		if (fits != k->every)
			return fits;
	}
	return !any || fits;
}

bool filters_fit(const struct filter_kind *kinds, const struct strv *given, const void *obj, void *arg)
{
	for (; kinds->key; kinds++)
		if (!fits_kind(kinds, given, obj, arg))
			return false;
	return true;
}

bool filters_have(const struct strv *given, const char *key)
{
	for (size_t i = 0; i < given->n; i++)
		if (value_of(given->v[i], key))
			return true;
	return false;
}

bool filter_label(const struct strv *labels, const char *wanted)
{
	size_t key = strcspn(wanted, "=");

	for (size_t i = 0; i < labels->n; i++) {
		if (wanted[key] ? !strcmp(labels->v[i], wanted)
				: !strncmp(labels->v[i], wanted, key) && labels->v[i][key] == '=')
			return true;
	}
	return false;
}

bool filter_name(const char *name, const char *pattern)
{
	autofree char *slashed =
		str_printf("/%s", name); /* as Docker has them: "^/web$" is meant to find web */
	regex_t re;
	bool fits;

	if (!strcmp(name, pattern))
		return true;
	if (!slashed || regcomp(&re, pattern, REG_EXTENDED | REG_NOSUB))
		return false;
	fits = regexec(&re, name, 0, NULL, 0) == 0 || regexec(&re, slashed, 0, NULL, 0) == 0;
	regfree(&re);
	return fits;
}

bool filter_glob(const char *text, const char *pattern)
{
	return fnmatch(pattern, text, FNM_PATHNAME) == 0;
}
