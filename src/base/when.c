/* when.c - durations and moments as a user types them */
#include "base/when.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <time.h>

#include "base/auto.h"
#include "base/clock.h"

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* "12", "12.5", ".5": *s is moved behind. */
static int parse_number(const char **s, int64_t *ret_whole, int64_t *ret_billionths)
{
	const char *p = *s;
	int64_t whole = 0, part = 0, unit = NS_PER_S;
	bool any = is_digit(*p);

	for (; is_digit(*p); p++)
		if (__builtin_mul_overflow(whole, 10, &whole) ||
		    __builtin_add_overflow(whole, *p - '0', &whole))
			return -ERANGE;
	if (*p == '.') {
		any = any || is_digit(p[1]);
		for (p++; is_digit(*p); p++) {
			unit /= 10;
			part += (*p - '0') * unit;
		}
	}
	if (!any)
		return -EINVAL;
	*s = p;
	*ret_whole = whole;
	*ret_billionths = part;
	return 0;
}

/* "m" is also the beginning of "ms", which comes first. */
static const struct unit {
	const char *name;
	int64_t ns;
} units[] = { { "ns", 1 },	 { "us", 1000 },	 { "ms", 1000000 },
	      { "s", NS_PER_S }, { "m", 60 * NS_PER_S }, { "h", 3600 * NS_PER_S } };

static const struct unit *take_unit(const char **s)
{
	for (size_t i = 0; i < ARRAY_LEN(units); i++) {
		size_t n = strlen(units[i].name);

		if (strncmp(*s, units[i].name, n))
			continue;
		*s += n;
		return &units[i];
	}
	return NULL;
}

static int add_part(const char **s, int64_t *sum)
{
	int64_t whole, part, ns;
	const struct unit *u;
	int r = parse_number(s, &whole, &part);

	if (r < 0)
		return r;
	u = take_unit(s);
	if (!u)
		return -EINVAL;
	if (__builtin_mul_overflow(whole, u->ns, &ns) || __builtin_add_overflow(*sum, ns, sum))
		return -ERANGE;
	ns = (int64_t)((__int128)part * u->ns / NS_PER_S);
	return __builtin_add_overflow(*sum, ns, sum) ? -ERANGE : 0;
}

int parse_duration(const char *s, int64_t *ret_ns)
{
	int64_t sum = 0;
	int r = *s ? 0 : -EINVAL;

	if (!strcmp(s, "0")) {
		*ret_ns = 0;
		return 0;
	}
	while (*s && r == 0)
		r = add_part(&s, &sum);
	if (r == 0)
		*ret_ns = sum;
	return r;
}

/* "1700000000", "1700000000.25" */
static int parse_unix(const char *s, int64_t *ret_ns)
{
	int64_t whole, part, ns;
	int r = parse_number(&s, &whole, &part);

	if (r < 0 || *s)
		return r < 0 ? r : -EINVAL;
	if (__builtin_mul_overflow(whole, NS_PER_S, &ns) || __builtin_add_overflow(ns, part, ret_ns))
		return -ERANGE;
	return 0;
}

/* Behind a time: "Z", "+01:00", or nothing, which is as the user's clocks show it. */
static int apply_zone(const char *zone, struct tm *tm, int64_t *ret_s)
{
	struct tm offset = { 0 };
	const char *end = zone;

	if (!*zone) {
		tm->tm_isdst = -1;
		*ret_s = mktime(tm);
		return 0;
	}
	if (*zone == 'Z' || *zone == '+' || *zone == '-')
		end = strptime(zone, "%z", &offset);
	if (!end || end == zone || *end)
		return -EINVAL;
	*ret_s = timegm(tm) - offset.tm_gmtoff;
	return 0;
}

/* RFC 3339 cut short, or without its zone. */
static int parse_date(const char *s, int64_t *ret_ns)
{
	static const char *const forms[] = { "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H",
					     "%Y-%m-%d" };
	struct tm tm = { 0 };
	const char *rest = NULL;
	int64_t whole = 0, part = 0, sum;
	int r = 0;

	for (size_t i = 0; i < ARRAY_LEN(forms) && !rest; i++) {
		tm = (struct tm){ 0 };
		rest = strptime(s, forms[i], &tm);
		if (rest && i == 0 && *rest == '.')
			r = parse_number(&rest, &whole, &part);
	}
	if (r == 0)
		r = rest ? apply_zone(rest, &tm, &whole) : -EINVAL;
	if (r < 0)
		return r;
	if (__builtin_mul_overflow(whole, NS_PER_S, &sum) || __builtin_add_overflow(sum, part, ret_ns))
		return -ERANGE;
	return 0;
}

int parse_when(const char *s, int64_t now_ns, int64_t *ret_real_ns)
{
	int64_t ns;
	int r = parse_unix(s, &ns);

	if (r == -EINVAL)
		r = rfc3339_parse(s, &ns);
	if (r == -EINVAL)
		r = parse_date(s, &ns);
	if (r == -EINVAL) {
		r = parse_duration(s, &ns);
		ns = r == 0 ? now_ns - ns : 0;
	}
	if (r == 0)
		*ret_real_ns = ns;
	return r;
}
