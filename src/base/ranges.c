/* ranges.c - lists of small numbers */
#include "base/ranges.h"

#include <errno.h>
#include <string.h>

#include "base/auto.h"
#include "base/parse.h"
#include "base/strv.h"

static int add_range(char *part, struct ranges *r)
{
	char *dash = strchr(part, '-');
	uint32_t from, to;

	if (dash)
		*dash = '\0';
	if (parse_u32(part, &from) < 0 || parse_u32(dash ? dash + 1 : part, &to) < 0 || from > to)
		return -EINVAL;
	if (to >= RANGES_MAX)
		return -ERANGE;
	for (uint32_t n = from; n <= to; n++)
		r->bits[n / 8] |= (uint8_t)(1U << n % 8);
	return 0;
}

int ranges_parse(const char *text, struct ranges *ret)
{
	AUTO(strv_done) struct strv parts = { 0 };
	struct ranges set = { 0 };
	int r = strv_split(&parts, text, ",");

	for (size_t i = 0; i < parts.n && r == 0; i++)
		r = add_range(parts.v[i], &set);
	if (r == 0)
		*ret = set;
	return r;
}

unsigned ranges_count(const struct ranges *r)
{
	unsigned n = 0;

	for (size_t i = 0; i < sizeof(r->bits); i++)
		n += (unsigned)__builtin_popcount(r->bits[i]);
	return n;
}

bool ranges_within(const struct ranges *r, const struct ranges *all)
{
	for (size_t i = 0; i < sizeof(r->bits); i++)
		if (r->bits[i] & ~all->bits[i])
			return false;
	return true;
}

size_t ranges_bytes(const struct ranges *r)
{
	size_t n = sizeof(r->bits);

	while (n && !r->bits[n - 1])
		n--;
	return n;
}
