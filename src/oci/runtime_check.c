/* runtime_check.c - the checks that several sections of config.json have in common */
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "oci/runtime_int.h"

#define MAX_CPU	     8192 /* more than a kernel can have (CONFIG_NR_CPUS) */
#define MAX_MAPPINGS 340 /* user_namespaces(7) */
#define SHOWN	     "\"%.60s\"" /* of a foreign value */

/* "PLACE: what"; ends ap, which `place` is formatted with. */
static int fail(struct err *e, const char *what, const char *place, va_list ap)
{
	char at[160]; /* names of the spec and numbers */

	vsnprintf(at, sizeof(at), place, ap);
	va_end(ap);
	return err_set(e, EINVAL, "%s: %s", at, what);
}

int oci_check_range(struct err *e, int64_t n, struct oci_range allowed, const char *place, ...)
{
	char what[100];
	va_list ap;

	if (n >= allowed.min && n <= allowed.max)
		return 0;
	snprintf(what, sizeof(what), "%lld is not within %lld to %lld", (long long)n, (long long)allowed.min,
		 (long long)allowed.max);
	va_start(ap, place);
	return fail(e, what, place, ap);
}

int oci_check_optional(struct err *e, const struct opt_i64 *n, struct oci_range allowed, const char *place,
		       ...)
{
	char at[160];
	va_list ap;

	if (!n->set || (n->v >= allowed.min && n->v <= allowed.max))
		return 0;
	va_start(ap, place);
	vsnprintf(at, sizeof(at), place, ap);
	va_end(ap);
	return oci_check_range(e, n->v, allowed, "%s", at);
}

int oci_check_absolute(struct err *e, const char *path, const char *place, ...)
{
	char what[100];
	va_list ap;

	if (path[0] == '/')
		return 0;
	snprintf(what, sizeof(what), SHOWN " is not an absolute path", path);
	va_start(ap, place);
	return fail(e, what, place, ap);
}

int oci_check_name(struct err *e, const char *s, const char *const *names, const char *place, ...)
{
	char what[100];
	va_list ap;

	for (; *names; names++)
		if (!strcmp(s, *names))
			return 0;
	snprintf(what, sizeof(what), "unknown value " SHOWN, s);
	va_start(ap, place);
	return fail(e, what, place, ap);
}

/* The number of a CPU; *s moves behind it.  -1: there is none. */
static int read_cpu(const char **s)
{
	int n = -1;

	for (; isdigit((unsigned char)**s) && n <= MAX_CPU; (*s)++)
		n = (n < 0 ? 0 : n * 10) + (**s - '0');
	return n <= MAX_CPU ? n : -1;
}

/* "4" or "0-3", with blanks around it */
static bool read_cpu_range(const char **s)
{
	int first, last;

	*s += strspn(*s, " ");
	first = last = read_cpu(s);
	if (**s == '-') {
		++*s;
		last = read_cpu(s);
	}
	*s += strspn(*s, " \n");
	return first >= 0 && last >= first;
}

static bool is_cpu_list(const char *s)
{
	if (!*s)
		return true;
	for (; read_cpu_range(&s); s++)
		if (*s != ',')
			return !*s;
	return false;
}

int oci_check_cpus(struct err *e, const char *s, const char *place, ...)
{
	char what[100];
	va_list ap;

	if (!s || is_cpu_list(s))
		return 0;
	snprintf(what, sizeof(what), SHOWN " is not a list like 0-3,7", s);
	va_start(ap, place);
	return fail(e, what, place, ap);
}

int oci_check_env(struct err *e, const struct strv *env, const char *place, ...)
{
	char at[160];
	va_list ap;

	for (size_t i = 0; i < env->n; i++) {
		if (env->v[i][0] != '=' && strchr(env->v[i], '='))
			continue;
		va_start(ap, place);
		vsnprintf(at, sizeof(at), place, ap);
		va_end(ap);
		return err_set(e, EINVAL, "%s[%zu]: " SHOWN " is not NAME=VALUE", at, i, env->v[i]);
	}
	return 0;
}

static bool is_label(const char *s)
{
	size_t colons = 0;

	for (; *s; s++) {
		if ((unsigned char)*s <= ' ' || *s == '"' || *s == 0x7f)
			return false;
		colons += *s == ':';
	}
	return colons >= 2;
}

int oci_check_label(struct err *e, const char *s, const char *place, ...)
{
	char what[120];
	va_list ap;

	if (!s || !*s || is_label(s))
		return 0;
	snprintf(what, sizeof(what), SHOWN " is not a label user:role:type:level", s);
	va_start(ap, place);
	return fail(e, what, place, ap);
}

/* --- maps of IDs */

static bool overlap(uint32_t a, uint32_t n_a, uint32_t b, uint32_t n_b)
{
	return a < (uint64_t)b + n_b && b < (uint64_t)a + n_a;
}

static bool is_too_large(uint32_t first, uint32_t n)
{
	return (uint64_t)first + n > UINT32_MAX;
}

/* Entry i behind those before it. */
static int check_mapping(struct err *e, const struct oci_id_mapping *v, size_t i, const char *at)
{
	if (!v[i].size)
		return err_set(e, EINVAL, "%s[%zu].size: 0 maps nothing", at, i);
	if (is_too_large(v[i].container_id, v[i].size) || is_too_large(v[i].host_id, v[i].size))
		return err_set(e, EINVAL, "%s[%zu].size: the last ID is too large", at, i);
	for (size_t k = 0; k < i; k++) {
		if (overlap(v[i].container_id, v[i].size, v[k].container_id, v[k].size))
			return err_set(e, EINVAL, "%s[%zu].containerID: overlaps entry %zu", at, i, k);
		if (overlap(v[i].host_id, v[i].size, v[k].host_id, v[k].size))
			return err_set(e, EINVAL, "%s[%zu].hostID: overlaps entry %zu", at, i, k);
	}
	return 0;
}

int oci_check_mappings(struct err *e, const struct oci_id_mapping *v, size_t n, const char *place, ...)
{
	char at[160];
	va_list ap;
	int r = 0;

	if (!n)
		return 0;
	va_start(ap, place);
	vsnprintf(at, sizeof(at), place, ap);
	va_end(ap);
	if (n > MAX_MAPPINGS)
		return err_set(e, EINVAL, "%s: more than %d entries", at, MAX_MAPPINGS);
	for (size_t i = 0; i < n && r == 0; i++)
		r = check_mapping(e, v, i, at);
	return r;
}
