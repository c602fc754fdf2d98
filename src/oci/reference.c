/* reference.c - names of images: [domain/]path[:tag][@sha256:hex], Docker's grammar; pure
 *
 * The grammar (distribution/reference): what stands before the first "/" is a domain if it has a "." or a ":" or
 * an upper-case letter or is "localhost"; all other components are of the path.
 */
#include "oci/reference.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "base/buf.h"

#define LOWER "abcdefghijklmnopqrstuvwxyz"
#define UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGIT "0123456789"

/* [a-z0-9]+ pieces with one of ".", "_", "__" or any number of "-" between them; n bytes at s, behind which is
 * no such character. */
static bool is_component(const char *s, size_t n)
{
	while (n) {
		size_t word = strspn(s, LOWER DIGIT), sep;

		if (!word)
			return false;
		s += word;
		n -= word;
		if (!n)
			return true;
		sep = strspn(s, "-");
		if (!sep)
			sep = *s == '.' ? 1 : *s == '_' ? 1 + (s[1] == '_') : 0;
		if (!sep || sep >= n)
			return false;
		s += sep;
		n -= sep;
	}
	return false;
}

bool is_reference_component(const char *s)
{
	return is_component(s, strlen(s));
}

bool is_reference_tag(const char *s)
{
	size_t n = strlen(s);

	return n && n <= REFERENCE_TAG_MAX && *s != '.' && *s != '-' &&
	       strspn(s, LOWER UPPER DIGIT "_.-") == n;
}

/* A label of a host name: letters and digits, "-" inside only. */
static bool is_host_label(const char *s, size_t n)
{
	return n && strspn(s, LOWER UPPER DIGIT "-") >= n && s[0] != '-' && s[n - 1] != '-';
}

static bool is_port(const char *s, size_t n)
{
	return n && n <= 5 && strspn(s, DIGIT) >= n;
}

/* "host.name", "host:5000", "[::1]:5000"; n bytes at s. */
static bool is_domain(const char *s, size_t n)
{
	const char *end = s + n;

	if (n && *s == '[') {
		size_t inside = strspn(s + 1, DIGIT "abcdefABCDEF:");

		if (!inside || s[1 + inside] != ']')
			return false;
		s += inside + 2;
		return s == end || (s < end && *s == ':' && is_port(s + 1, (size_t)(end - s - 1)));
	}
	for (;;) {
		size_t label = strcspn(s, ".:/");

		if (label > (size_t)(end - s) || !is_host_label(s, label))
			return false;
		s += label;
		if (s == end)
			return true;
		if (*s++ == ':')
			return is_port(s, (size_t)(end - s));
	}
}

/* The length of the domain in front of the first "/", 0 if there is none. */
static size_t domain_length(const char *s, const char *end)
{
	const char *slash = memchr(s, '/', (size_t)(end - s));
	size_t n;

	if (!slash)
		return 0;
	n = (size_t)(slash - s);
	if (strcspn(s, ".:" UPPER) < n || (n == 9 && !strncmp(s, "localhost", 9)))
		return n;
	return 0;
}

static bool is_path(const char *s, const char *end)
{
	while (s < end) {
		const char *slash = memchr(s, '/', (size_t)(end - s));
		size_t n = slash ? (size_t)(slash - s) : (size_t)(end - s);

		if (!is_component(s, n))
			return false;
		s += n;
		if (slash && ++s == end)
			return false;
	}
	return true;
}

/* Checks domain and path in [s, end) and makes the short form. */
static int parse_name(const char *s, const char *end, struct reference *r, struct err *e)
{
	static const char *const hub[] = { "docker.io/", "index.docker.io/" };
	size_t domain = domain_length(s, end);
	const char *path = domain ? s + domain + 1 : s;

	if (path == end)
		return err_set(e, EINVAL, "a name is missing");
	if (end - s > REFERENCE_NAME_MAX)
		return err_set(e, EINVAL, "the name is longer than %d characters", REFERENCE_NAME_MAX);
	if (domain && !is_domain(s, domain))
		return err_set(e, EINVAL, "\"%.*s\" is no host name", (int)domain, s);
	if (strcspn(path, UPPER) < (size_t)(end - path))
		return err_set(e, EINVAL, "the name must be in lower case");
	if (!is_path(path, end))
		return err_set(e, EINVAL,
			       "a name is made of a-z, 0-9 and single \".\", \"_\", \"-\" or \"/\" between");
	if (!domain && end - s == 64 && strspn(s, "abcdef" DIGIT) >= 64)
		return err_set(e, EINVAL, "a name may not look like an image id");
	/* "docker.io/a.b/c" stays: "a.b/c" would name a host */
	for (size_t i = 0; i < ARRAY_LEN(hub) && domain; i++)
		if (!strncmp(s, hub[i], strlen(hub[i])) && !domain_length(path, end))
			s = path;
	if (s == path && end - s > 8 && !strncmp(s, "library/", 8) &&
	    !memchr(s + 8, '/', (size_t)(end - s - 8)))
		s += 8;
	r->name = strndup(s, (size_t)(end - s));
	return r->name ? 0 : err_set(e, ENOMEM, "out of memory");
}

static int parse_tag(const char *s, const char *end, struct reference *r, struct err *e)
{
	r->tag = strndup(s, (size_t)(end - s));
	if (!r->tag)
		return err_set(e, ENOMEM, "out of memory");
	if (!is_reference_tag(r->tag))
		return err_set(e, EINVAL, "a tag is 1 to %d of a-z, A-Z, 0-9, \"_\", \".\" and \"-\"",
			       REFERENCE_TAG_MAX);
	return 0;
}

static int parse_parts(const char *s, struct reference *r, struct err *e)
{
	const char *at = strchr(s, '@'), *end = at ? at : s + strlen(s), *colon;
	int x = 0;

	if (at) {
		r->has_digest = true;
		if (digest_parse(at + 1, &r->digest) < 0)
			return err_set(e, EINVAL, "what follows \"@\" is not sha256: and 64 hex digits");
	}
	colon = memrchr(s, ':', (size_t)(end - s));
	if (colon && memchr(colon, '/', (size_t)(end - colon)))
		colon = NULL; /* a port */
	if (colon)
		x = parse_tag(colon + 1, end, r, e);
	if (x == 0)
		x = parse_name(s, colon ? colon : end, r, e);
	if (x == 0 && !r->tag && !r->has_digest) {
		r->tag = strdup("latest");
		x = r->tag ? 0 : err_set(e, ENOMEM, "out of memory");
	}
	return x;
}

int reference_parse(const char *s, struct reference *ret, struct err *e)
{
	struct reference r = { 0 };
	int x = parse_parts(s, &r, e);

	if (x < 0) {
		reference_done(&r);
		return err_wrap(e, x, "bad image name \"%.80s\"", s);
	}
	*ret = r;
	return 0;
}

void reference_done(struct reference *r)
{
	free(r->name);
	free(r->tag);
	*r = (struct reference){ 0 };
}

char *reference_text(const struct reference *r)
{
	char digest[DIGEST_TEXT];

	if (r->has_digest)
		digest_text(&r->digest, digest);
	return str_printf("%s%s%s%s%s", r->name, r->tag ? ":" : "", r->tag ? r->tag : "",
			  r->has_digest ? "@" : "", r->has_digest ? digest : "");
}

char *reference_whole_name(const char *name)
{
	const char *slash = strchr(name, '/');

	if (!slash)
		return str_printf("docker.io/library/%s", name);
	if (!domain_length(name, name + strlen(name)))
		return str_printf("docker.io/%s", name);
	return strdup(name);
}
