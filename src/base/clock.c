/* clock.c - the time of day and RFC 3339 text */
#include "base/clock.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/auto.h"

static int64_t now_ns(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return ts.tv_sec * NS_PER_S + ts.tv_nsec;
}

int64_t clock_real_ns(void)
{
	return now_ns(CLOCK_REALTIME);
}

int64_t clock_mono_ns(void)
{
	return now_ns(CLOCK_MONOTONIC);
}

void rfc3339_format(int64_t real_ns, char ret[RFC3339_LEN])
{
	int64_t ns = (real_ns % NS_PER_S + NS_PER_S) % NS_PER_S; /* forwards, before 1970, too */
	time_t s = real_ns / NS_PER_S - (real_ns % NS_PER_S < 0);
	struct tm tm;

	gmtime_r(&s, &tm);
	snprintf(ret, RFC3339_LEN, "%04u-%02u-%02uT%02u:%02u:%02u.%09uZ",
		 (unsigned)(tm.tm_year + 1900) % 10000, (unsigned)(tm.tm_mon + 1) % 100,
		 (unsigned)tm.tm_mday % 100, (unsigned)tm.tm_hour % 100, (unsigned)tm.tm_min % 100,
		 (unsigned)tm.tm_sec % 100, (unsigned)ns % 1000000000);
}

/* The digits behind "." as nanoseconds; *end is the first character behind them. */
static int64_t parse_fraction(const char *s, const char **end)
{
	int64_t ns = 0, unit = NS_PER_S;

	for (; *s >= '0' && *s <= '9' && unit > 1; s++) {
		unit /= 10;
		ns += (*s - '0') * unit;
	}
	*end = s;
	return ns;
}

/* "Z", "+02:00", "-05:30": seconds to take away. */
static int parse_offset(const char *s, int *ret_s)
{
	static const char form[] = "00:00";
	int h, m;

	if (!strcmp(s, "Z")) {
		*ret_s = 0;
		return 0;
	}
	if ((*s != '+' && *s != '-') || strlen(s + 1) != strlen(form))
		return -EINVAL;
	for (size_t i = 0; form[i]; i++)
		if (form[i] == '0' ? s[1 + i] < '0' || s[1 + i] > '9' : s[1 + i] != form[i])
			return -EINVAL;
	h = (s[1] - '0') * 10 + s[2] - '0';
	m = (s[4] - '0') * 10 + s[5] - '0';
	if (h > 23 || m > 59)
		return -EINVAL;
	*ret_s = (h * 3600 + m * 60) * (*s == '-' ? -1 : 1);
	return 0;
}

int rfc3339_parse(const char *s, int64_t *ret_real_ns)
{
	struct tm tm = { 0 };
	const char *rest = strptime(s, "%Y-%m-%dT%H:%M:%S", &tm);
	int64_t fraction = 0, ns;
	int offset;

	if (!rest)
		return -EINVAL;
	if (*rest == '.')
		fraction = parse_fraction(rest + 1, &rest);
	if (parse_offset(rest, &offset) < 0 || __builtin_mul_overflow(timegm(&tm) - offset, NS_PER_S, &ns) ||
	    __builtin_add_overflow(ns, fraction, ret_real_ns))
		return -EINVAL;
	return 0;
}

/* go-units' HumanDuration: hours are rounded, all else is cut. */
void duration_words(int64_t ns, char *ret, size_t n)
{
	static const struct {
		int64_t below, unit; /* in seconds; from hours on, in hours */
		const char *word, *one;
	} units[] = {
		{ 60, 1, "seconds", "1 second" },	{ 3600, 60, "minutes", "About a minute" },
		{ 48, 1, "hours", "About an hour" },	{ 14 * 24, 24, "days", NULL },
		{ 60 * 24, 7 * 24, "weeks", NULL },	{ 730 * 24, 30 * 24, "months", NULL },
		{ INT64_MAX, 365 * 24, "years", NULL },
	};
	int64_t amount = ns < 0 ? 0 : ns / NS_PER_S, count;
	size_t i = 0;

	if (amount < 1) {
		snprintf(ret, n, "Less than a second");
		return;
	}
	while (amount >= units[i].below)
		if (++i == 2)
			amount = (amount + 1800) / 3600;
	count = amount / units[i].unit;
	if (count == 1 && units[i].one)
		snprintf(ret, n, "%s", units[i].one);
	else
		snprintf(ret, n, "%lld %s", (long long)count, units[i].word);
}
