/* clock.c - the time of day and RFC 3339 text */
#include "base/clock.h"

#include <stdio.h>
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
	time_t s = real_ns / NS_PER_S;
	struct tm tm;

	gmtime_r(&s, &tm);
	snprintf(ret, RFC3339_LEN, "%04u-%02u-%02uT%02u:%02u:%02u.%09uZ",
		 (unsigned)(tm.tm_year + 1900) % 10000, (unsigned)(tm.tm_mon + 1) % 100,
		 (unsigned)tm.tm_mday % 100, (unsigned)tm.tm_hour % 100, (unsigned)tm.tm_min % 100,
		 (unsigned)tm.tm_sec % 100, (unsigned)(real_ns % NS_PER_S) % 1000000000);
}

void duration_words(int64_t ns, char *ret, size_t n)
{
	static const struct {
		int64_t below, unit;
		const char *word;
	} units[] = {
		{ 60, 1, "second" },
		{ 3600, 60, "minute" },
		{ 48 * 3600, 3600, "hour" },
		{ 14 * 86400, 86400, "day" },
		{ 60 * 86400, 7 * 86400, "week" },
		{ 730 * INT64_C(86400), 30 * 86400, "month" },
		{ INT64_MAX, 365 * 86400, "year" },
	};
	int64_t s = ns < 0 ? 0 : ns / NS_PER_S, count;
	size_t i = 0;

	if (s < 1) {
		snprintf(ret, n, "Less than a second");
		return;
	}
	while (s >= units[i].below)
		i++;
	count = s / units[i].unit;
	snprintf(ret, n, "%lld %s%s", (long long)count, units[i].word, count == 1 ? "" : "s");
}
