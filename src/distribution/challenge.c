/* challenge.c - what a server asks for: the header WWW-Authenticate (RFC 9110, section 11.6.1); pure */
#include "distribution/challenge.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/auto.h"

#define TOKEN "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!#$%&'*+-.^_`|~"

void challenge_done(struct challenge *c)
{
	free(c->realm);
	free(c->service);
	free(c->scope);
	*c = (struct challenge){ 0 };
}

static const char *skip(const char *s)
{
	return s + strspn(s, " \t");
}

/* A value behind the "="; quoted or a token. */
static const char *take_value(const char *s, char **ret)
{
	size_t n = 0;
	char *out;

	if (*s != '"') {
		n = strspn(s, TOKEN "/:=?");
		*ret = n ? strndup(s, n) : NULL;
		return *ret ? s + n : NULL;
	}
	out = malloc(strlen(s));
	if (!out)
		return NULL;
	for (s++; *s && *s != '"'; s++) {
		if (*s == '\\' && s[1])
			s++;
		if ((unsigned char)*s < ' ' || *s == 0x7f)
			break;
		out[n++] = *s;
	}
	out[n] = '\0';
	if (*s != '"') {
		free(out);
		return NULL;
	}
	*ret = out;
	return s + 1;
}

/* One parameter into its place; what is there twice makes the whole unclear. */
static bool keep(struct challenge *c, const char *name, size_t n, char *value)
{
	struct {
		const char *name;
		char **to;
	} known[] = { { "realm", &c->realm }, { "service", &c->service }, { "scope", &c->scope } };

	for (size_t i = 0; i < ARRAY_LEN(known); i++) {
		if (strlen(known[i].name) != n || strncasecmp(known[i].name, name, n) != 0)
			continue;
		if (*known[i].to) {
			free(value);
			return false;
		}
		*known[i].to = value;
		return true;
	}
	free(value);
	return true;
}

/* The parameters of one challenge; where the next begins, or NULL: it makes no sense. */
static const char *take_parameters(const char *s, struct challenge *c)
{
	for (;;) {
		const char *name = s = s + strspn(s, " \t,"), *eq;
		size_t n = strspn(s, TOKEN);
		char *value = NULL;

		eq = skip(s + n);
		if (!*s || *eq != '=')
			return s; /* the end, or the scheme of the next one */
		if (!n)
			return NULL;
		s = take_value(skip(eq + 1), &value);
		if (!s || !keep(c, name, n, value))
			return NULL;
		s = skip(s);
		if (*s && *s != ',')
			return NULL;
	}
}

static enum challenge_kind kind_of(const char *scheme, size_t n)
{
	if (n == 6 && !strncasecmp(scheme, "Bearer", n))
		return CHALLENGE_BEARER;
	return n == 5 && !strncasecmp(scheme, "Basic", n) ? CHALLENGE_BASIC : CHALLENGE_NONE;
}

int challenge_parse(const char *header, struct challenge *ret)
{
	AUTO(challenge_done) struct challenge best = { 0 };
	const char *s = header;
	bool any = false;

	if (strlen(header) > CHALLENGE_MAX)
		return -EINVAL;
	for (s += strspn(s, " \t,"); *s; s += strspn(s, " \t,")) {
		AUTO(challenge_done) struct challenge c = { 0 };
		size_t n = strspn(s, TOKEN);

		c.kind = kind_of(s, n);
		if (!n || (s[n] && s[n] != ' ' && s[n] != ',' && s[n] != '\t'))
			return -EINVAL;
		s = take_parameters(s + n, &c);
		if (!s || (c.kind == CHALLENGE_BEARER && !c.realm))
			return -EINVAL;
		any = true;
		if (c.kind <= best.kind)
			continue;
		challenge_done(&best);
		best = c;
		c = (struct challenge){ 0 };
	}
	if (!any || best.kind <= ret->kind)
		return any ? 0 : -EINVAL;
	challenge_done(ret);
	*ret = best;
	best = (struct challenge){ 0 };
	return 0;
}
