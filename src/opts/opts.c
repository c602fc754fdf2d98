/* opts.c - the parser of command lines */
#include "opts/opts.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "base/buf.h"
#include "base/parse.h"
#include "opts/suggest.h"

#define SECONDS_MAX  86400
#define SECONDS_TEXT "86400"

struct parser {
	const struct opt *opts;
	char *const *next; /* the argument after this one */
	void *obj;
	const char *dashes; /* before an option's name in a message */
	struct err *e;
};

/* --- values */

static int bad_value(struct parser *p, const struct opt *o, const char *value, const char *why)
{
	return err_set(p->e, EINVAL, "invalid value for %s%s: \"%.160s\" %s", p->dashes, o->name, value, why);
}

static int set_str(char **m, const char *value)
{
	char *copy = strdup(value);

	if (!copy)
		return -ENOMEM;
	free(*m);
	*m = copy;
	return 0;
}

/* The words that Go's ParseBool takes, as Docker does. */
static int parse_flag(const char *s, bool *ret)
{
	static const char *const words[2][7] = { { "0", "f", "F", "false", "FALSE", "False", NULL },
						 { "1", "t", "T", "true", "TRUE", "True", NULL } };

	for (int v = 0; v < 2; v++) {
		for (int i = 0; words[v][i]; i++) {
			if (!strcmp(s, words[v][i])) {
				*ret = v;
				return 0;
			}
		}
	}
	return -EINVAL;
}

bool opts_is_choice(const char *choices, const char *value)
{
	size_t n = strlen(value);

	for (const char *c = choices; n; c++) {
		size_t len = strcspn(c, "|");

		if (len == n && !memcmp(c, value, n))
			return true;
		c += len;
		if (!*c)
			break;
	}
	return false;
}

/* Docker's ".5" is "0.5". */
static int parse_decimal(const char *s, uint64_t *ret)
{
	autofree char *whole = str_printf("%s%s", *s == '.' ? "0" : "", s);

	return whole ? parse_milli(whole, ret) : -ENOMEM;
}

static int bad_choice(struct parser *p, const struct opt *o, const char *value)
{
	autofree char *why = str_printf("must be one of %s", o->metavar);

	return bad_value(p, o, value, why ? why : "");
}

static int parse_seconds(const char *s, int *ret)
{
	uint32_t n;
	int r = parse_u32(s, &n);

	if (r < 0)
		return r;
	if (n > SECONDS_MAX)
		return -ERANGE;
	*ret = (int)n;
	return 0;
}

static const char *what_is_wrong(enum opt_type t, int r)
{
	static const char *const wanted[OPT_TYPE_N] = {
		[OPT_FLAG] = "must be true or false",
		[OPT_BYTES] = "must be a size such as 512m or 2g",
		[OPT_MILLI] = "must be a number such as 1.5, with at most three decimals",
		[OPT_INT] = "must be a whole number",
		[OPT_SECONDS] = "must be a whole number of seconds, at most " SECONDS_TEXT,
		[OPT_SIGNAL] = "must be a signal such as TERM or 15",
	};

	if (r == -ENOMEM)
		return "has no room: out of memory";
	return r == -ERANGE && t != OPT_SECONDS ? "is out of range" : wanted[t];
}

static int set_value(struct parser *p, const struct opt *o, const char *value)
{
	void *m = (char *)p->obj + o->off;
	int r = -EINVAL;

	switch (o->type) {
	case OPT_FLAG:
		r = parse_flag(value, m);
		break;
	case OPT_CHOICE:
		/* as if it were not given: a script's empty variable, or Docker's --isolation default */
		if (!*value || !strcmp(value, "default")) {
			free(*(char **)m);
			*(char **)m = NULL;
			return 0;
		}
		if (!opts_is_choice(o->metavar, value))
			return bad_choice(p, o, value);
		r = set_str(m, value);
		break;
	case OPT_STR:
		r = set_str(m, value);
		break;
	case OPT_LIST:
		r = strv_add(m, value);
		break;
	case OPT_BYTES:
		r = parse_bytes(value, m);
		break;
	case OPT_MILLI:
		r = parse_decimal(value, m);
		break;
	case OPT_INT:
		r = parse_i64(value, m);
		break;
	case OPT_SECONDS:
		r = parse_seconds(value, m);
		break;
	case OPT_SIGNAL:
		r = parse_signal(value, m);
		break;
	case OPT_REFUSED:
	case OPT_END:
	case OPT_TYPE_N:
		break;
	}
	return r < 0 ? bad_value(p, o, value, what_is_wrong(o->type, r)) : 0;
}

/* --- arguments */

static const struct opt *find_name(const struct opt *opts, const char *name, size_t n)
{
	for (; opts->type; opts++)
		if (!strncmp(opts->name, name, n) && !opts->name[n])
			return opts;
	return NULL;
}

static const struct opt *find_letter(const struct opt *opts, char letter)
{
	for (; opts->type; opts++)
		if (opts->letter == letter)
			return opts;
	return NULL;
}

static int unknown_name(struct parser *p, const char *name, size_t n)
{
	autofree char *want = strndup(name, n);
	struct suggest s = { .want = want ? want : "" };

	for (const struct opt *o = p->opts; o->type; o++)
		suggest_try(&s, o->name);
	if (s.best)
		return err_set(p->e, EINVAL, "unknown flag: --%.80s (did you mean --%s?)", s.want, s.best);
	return err_set(p->e, EINVAL, "unknown flag: --%.80s", s.want);
}

static int refuse(struct parser *p, const struct opt *o)
{
	return err_set(p->e, ENOTSUP, "--%s: %s", o->name, o->help);
}

/* "--name", "--name=value", "--name value"; arg is behind the dashes. */
static int parse_long(struct parser *p, const char *arg)
{
	size_t n = strcspn(arg, "=");
	const struct opt *o = find_name(p->opts, arg, n);

	if (!n)
		return err_set(p->e, EINVAL, "bad flag syntax: --%.80s", arg);
	if (!o && n == 4 && !memcmp(arg, "help", 4))
		return OPTS_HELP;
	if (!o)
		return unknown_name(p, arg, n);
	if (o->type == OPT_REFUSED)
		return refuse(p, o);
	if (arg[n])
		return set_value(p, o, arg + n + 1);
	if (o->type == OPT_FLAG)
		return set_value(p, o, "true");
	if (!*p->next)
		return err_set(p->e, EINVAL, "flag needs an argument: --%s", o->name);
	return set_value(p, o, *p->next++);
}

/* "-it", "-eA=B", "-e=A=B", "-e A=B", "-t=false"; arg is behind the dash. */
static int parse_letters(struct parser *p, const char *arg)
{
	for (const char *s = arg; *s; s++) {
		const struct opt *o = find_letter(p->opts, *s);
		int r;

		if (!o && *s == 'h')
			return OPTS_HELP;
		if (!o)
			return err_set(p->e, EINVAL, "unknown shorthand flag: '%c' in -%.80s", *s, arg);
		if (o->type == OPT_REFUSED)
			return refuse(p, o);
		if (s[1] == '=' && s[2])
			return set_value(p, o, s + 2);
		if (o->type != OPT_FLAG && s[1])
			return set_value(p, o, s + 1);
		if (o->type != OPT_FLAG && !*p->next)
			return err_set(p->e, EINVAL, "flag needs an argument: '%c' in -%.80s", *s, arg);
		r = set_value(p, o, o->type == OPT_FLAG ? "true" : *p->next++);
		if (r < 0 || o->type != OPT_FLAG)
			return r;
	}
	return 0;
}

static int add_words(struct strv *words, char *const *from, struct err *e)
{
	for (; *from; from++)
		if (strv_add(words, *from) < 0)
			return err_set(e, ENOMEM, "out of memory");
	return 0;
}

int opts_parse(const struct opt *opts, enum opts_grammar grammar, char *const *argv, void *obj,
	       struct strv *ret_words, struct err *e)
{
	struct parser p = { .opts = opts, .next = argv, .obj = obj, .dashes = "--", .e = e };
	int r = 0;

	while (*p.next && r == 0) {
		const char *arg = *p.next++;

		if (arg[0] == '-' && arg[1] == '-' && !arg[2])
			return add_words(ret_words, p.next, e);
		if (arg[0] == '-' && arg[1] == '-')
			r = parse_long(&p, arg + 2);
		else if (arg[0] == '-' && arg[1])
			r = parse_letters(&p, arg + 1);
		else if (grammar == OPTS_FIRST)
			return add_words(ret_words, p.next - 1, e);
		else if (strv_add(ret_words, arg) < 0)
			r = err_set(e, ENOMEM, "out of memory");
	}
	return r;
}

const struct opt *opts_find(const struct opt *opts, const char *name)
{
	return find_name(opts, name, strlen(name));
}

int opts_set(const struct opt *opts, const char *name, const char *value, void *obj, struct err *e)
{
	struct parser p = { .opts = opts, .obj = obj, .dashes = "", .e = e };
	const struct opt *o = opts_find(opts, name);

	if (!o || o->type == OPT_REFUSED)
		return err_set(e, ENOENT, "unknown option: %.80s", name);
	return set_value(&p, o, value);
}

bool opts_is_given(const struct opt *o, const void *obj)
{
	const void *m = (const char *)obj + o->off;

	switch (o->type) {
	case OPT_FLAG:
		return *(const bool *)m;
	case OPT_STR:
	case OPT_CHOICE:
		return *(char *const *)m;
	case OPT_LIST:
		return ((const struct strv *)m)->n;
	case OPT_BYTES:
	case OPT_MILLI:
	case OPT_INT:
		return *(const uint64_t *)m;
	case OPT_SECONDS:
	case OPT_SIGNAL:
		return *(const int *)m;
	case OPT_END:
	case OPT_REFUSED:
	case OPT_TYPE_N:
		break;
	}
	return false;
}

void opts_done(const struct opt *opts, void *obj)
{
	for (const struct opt *o = opts; o->type; o++) {
		void *m = (char *)obj + o->off;

		if (o->type == OPT_STR || o->type == OPT_CHOICE) {
			free(*(char **)m);
			*(char **)m = NULL;
		} else if (o->type == OPT_LIST) {
			strv_done(m);
		}
	}
}
