/* platform.c - which of several images is for a machine: OS/ARCH[/VARIANT], as containerd chooses; pure */
#include "oci/platform.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/auto.h"

static const struct {
	const char *name, *architecture, *variant;
} others[] = {
	{ "x86_64", "amd64", NULL }, { "x86-64", "amd64", NULL }, { "aarch64", "arm64", NULL },
	{ "armhf", "arm", "v7" },    { "armel", "arm", "v6" },	  { "i386", "386", NULL },
};

void platform_want_done(struct platform_want *w)
{
	free(w->architecture);
	free(w->variant);
	*w = (struct platform_want){ 0 };
}

static int set(struct platform_want *w, const char *architecture, const char *variant, struct err *e)
{
	w->architecture = strdup(architecture);
	w->variant = variant ? strdup(variant) : NULL;
	return w->architecture && (!variant || w->variant) ? 0 : err_set(e, ENOMEM, "out of memory");
}

int platform_parse(const char *s, struct platform_want *ret, struct err *e)
{
	AUTO(strv_done) struct strv parts = { 0 };
	char **p;
	int n;

	if (!s || !*s)
		return set(ret, platform_host(), NULL, e);
	if (strv_split(&parts, s, "/") < 0)
		return err_set(e, ENOMEM, "out of memory");
	p = parts.v;
	n = (int)parts.n;
	if (n > 1 || !strcasecmp(p[0], "linux")) {
		if (strcasecmp(p[0], "linux") != 0)
			return err_set(e, EINVAL, "platform %.60s: images are for linux here", s);
		p++;
		n--;
	}
	if (n > 2 || (n > 0 && !*p[0]) || (n > 1 && !*p[1]) ||
	    s[strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/_.-")])
		return err_set(e, EINVAL, "platform %.60s: it is OS/ARCH or OS/ARCH/VARIANT", s);
	if (!n)
		return set(ret, platform_host(), NULL, e);
	for (size_t i = 0; i < ARRAY_LEN(others); i++)
		if (!strcasecmp(others[i].name, p[0]))
			return set(ret, others[i].architecture, n > 1 ? p[1] : others[i].variant, e);
	return set(ret, p[0], n > 1 ? p[1] : NULL, e);
}

/* The number in "v7"; the usual one of an architecture where nothing is said. */
static int level(const char *architecture, const char *variant)
{
	if (variant && *variant == 'v' && variant[1] >= '0' && variant[1] <= '9')
		return atoi(variant + 1);
	return !strcmp(architecture, "arm") ? 7 : !strcmp(architecture, "arm64") ? 8 : 1;
}

/* How well it fits, 0: not at all.  An older variant runs on a newer machine. */
static int score(const struct platform_want *w, const struct platform *p)
{
	int want, is;

	if (!p->os && !p->architecture)
		return 1;
	if (!p->os || strcmp(p->os, "linux") != 0 || !p->architecture ||
	    strcmp(p->architecture, w->architecture) != 0)
		return 0;
	want = level(w->architecture, w->variant);
	is = level(w->architecture, p->variant);
	return is > want ? 0 : 2 + is;
}

const struct descriptor *platform_choose(const struct platform_want *w, const struct descriptor *list,
					 size_t n)
{
	const struct descriptor *best = NULL;
	int most = 0;

	for (size_t i = 0; i < n; i++) {
		enum media_type type = media_type_of(list[i].media_type);
		int s = type == MEDIA_MANIFEST || type == MEDIA_INDEX ? score(w, &list[i].platform) : 0;

		if (s > most) {
			most = s;
			best = &list[i];
		}
	}
	return best;
}

char *platform_list(const struct descriptor *list, size_t n)
{
	struct buf b = { 0 };

	for (size_t i = 0; i < n; i++) {
		const struct platform *p = &list[i].platform;

		if (!p->os || !p->architecture || !strcmp(p->os, "unknown"))
			continue; /* attestations */
		buf_addf(&b, "%s%s/%s%s%s", b.len ? ", " : "", p->os, p->architecture, p->variant ? "/" : "",
			 p->variant ? p->variant : "");
	}
	return buf_take(&b);
}
