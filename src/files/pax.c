/* pax.c - what a PAX extended header says about a file (POSIX.1-2017, pax, "pax Interchange Format") */
#include "files/pax.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "base/parse.h"

#define XATTR_KEY "SCHILY.xattr."

static void drop_xattr(struct xattr *a)
{
	free((char *)(uintptr_t)a->name);
	free((void *)(uintptr_t)a->value);
}

void pax_done(struct pax *x)
{
	free(x->path);
	free(x->link);
	for (size_t i = 0; i < x->n_xattrs; i++)
		drop_xattr(&x->xattrs[i]);
	free(x->xattrs);
	*x = (struct pax){ 0 };
}

/* "-12.345": seconds and a fraction, of which nine digits count. */
static int parse_time(const char *s, struct timespec *ret)
{
	bool minus = *s == '-';
	autofree char *whole = strndup(s + minus, strcspn(s + minus, "."));
	const char *fraction = strchr(s, '.');
	int64_t seconds;
	long ns = 0, unit = 100000000;

	if (!whole)
		return -ENOMEM;
	if (parse_i64(whole, &seconds) < 0 || *whole == '-' || seconds > INT64_MAX / 2)
		return -EINVAL;
	for (fraction = fraction ? fraction + 1 : ""; *fraction; fraction++, unit /= 10) {
		if (*fraction < '0' || *fraction > '9')
			return -EINVAL;
		ns += (*fraction - '0') * unit;
	}
	*ret = (struct timespec){ minus ? -seconds : seconds, ns };
	if (minus && ns)
		*ret = (struct timespec){ -seconds - 1, 1000000000 - ns };
	return 0;
}

static int malformed(struct err *e)
{
	return err_set(e, EINVAL, "bad tar archive: a PAX header is malformed");
}

int pax_set_text(char **slot, const char *value, size_t n, struct err *e)
{
	if (strnlen(value, n) != n)
		return err_set(e, EINVAL, "bad tar archive: a name has a NUL in it");
	free(*slot);
	*slot = strndup(value, n);
	return *slot ? 0 : err_set(e, ENOMEM, "out of memory");
}

static int set_number(bool *has, uint64_t *slot, const char *value, struct err *e)
{
	*has = true;
	return parse_u64(value, slot) < 0 ? malformed(e) : 0;
}

/* Of two with one name the later one counts. */
static struct xattr *find_xattr(struct pax *x, const char *name)
{
	for (size_t i = 0; i < x->n_xattrs; i++)
		if (!strcmp(x->xattrs[i].name, name))
			return &x->xattrs[i];
	return NULL;
}

static int add_xattr(struct pax *x, const char *name, const char *value, size_t n, struct err *e)
{
	struct xattr new = { strdup(name), malloc(n + 1), n }, *at = find_xattr(x, name);
	struct xattr *list = at ? x->xattrs : reallocarray(x->xattrs, x->n_xattrs + 1, sizeof(*list));

	if (list)
		x->xattrs = list;
	if (!list || !new.name || !new.value) {
		drop_xattr(&new);
		return err_set(e, ENOMEM, "out of memory");
	}
	memcpy((char *)(uintptr_t) new.value, value, n);
	if (at)
		drop_xattr(at);
	else
		at = &x->xattrs[x->n_xattrs++];
	*at = new;
	return 0;
}

static int set_xattr(struct pax *x, const char *name, const char *value, size_t n, struct err *e)
{
	x->xattr_bytes += strlen(name) + n;
	if (!*name || strlen(name) > PATH_NAME_MAX)
		return malformed(e);
	if (n > XATTR_VALUE_MAX || x->n_xattrs == XATTR_COUNT_MAX || x->xattr_bytes > XATTR_BYTES_MAX)
		return err_set(e, E2BIG, "bad tar archive: too many or too large attributes");
	return add_xattr(x, name, value, n, e);
}

/* One record of a PAX header; what is not known says nothing that is wanted. */
static int take_record(struct pax *x, const char *key, const char *value, size_t n, struct err *e)
{
	if (!strcmp(key, "path"))
		return pax_set_text(&x->path, value, n, e);
	if (!strcmp(key, "linkpath"))
		return pax_set_text(&x->link, value, n, e);
	if (!strcmp(key, "size"))
		return set_number(&x->has_size, &x->size, value, e);
	if (!strcmp(key, "uid"))
		return set_number(&x->has_uid, &x->uid, value, e);
	if (!strcmp(key, "gid"))
		return set_number(&x->has_gid, &x->gid, value, e);
	if (!strcmp(key, "mtime")) {
		x->has_mtime = true;
		return parse_time(value, &x->mtime) < 0 ? malformed(e) : 0;
	}
	if (!strncmp(key, XATTR_KEY, strlen(XATTR_KEY)))
		return set_xattr(x, key + strlen(XATTR_KEY), value, n, e);
	if (!strncmp(key, "GNU.sparse.", 11))
		return err_set(e, EOPNOTSUPP, "bad tar archive: sparse files are not supported");
	return 0;
}

/* "LENGTH KEY=VALUE\n": *text moves behind it. */
static int next_record(struct pax *x, char **text, size_t *left, struct err *e)
{
	char *p = *text, *space = memchr(p, ' ', *left), *equals, *end;
	uint32_t n;

	if (!space)
		return malformed(e);
	*space = '\0';
	if (parse_u32(p, &n) < 0 || n > *left || n < (size_t)(space - p) + 3)
		return malformed(e);
	end = p + n - 1;
	equals = memchr(space + 1, '=', (size_t)(end - space - 1));
	if (*end != '\n' || !equals)
		return malformed(e);
	*end = *equals = '\0';
	*text += n;
	*left -= n;
	return take_record(x, space + 1, equals + 1, (size_t)(end - equals - 1), e);
}

int pax_parse(struct pax *x, char *text, size_t n, struct err *e)
{
	int r = 0;

	while (n && r == 0)
		r = next_record(x, &text, &n, e);
	return r;
}
