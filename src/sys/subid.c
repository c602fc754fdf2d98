/* subid.c - ranges of subordinate IDs */
#include "sys/subid.h"

#include <fcntl.h>
#include <string.h>

#include "base/auto.h"
#include "base/io.h"
#include "base/parse.h"
#include "base/strv.h"

#define MAX_FILE (1 << 20)

static bool is_one_of(const char *name, const char *const *users)
{
	for (; *users; users++)
		if (!strcmp(*users, name))
			return true;
	return false;
}

/* "USER:FIRST:COUNT" */
static bool parse_line(const char *line, const char *const *users, struct subid_range *ret)
{
	AUTO(strv_done) struct strv f = { 0 };

	return strv_split(&f, line, ":") == 0 && f.n == 3 && is_one_of(f.v[0], users) &&
	       parse_u32(f.v[1], &ret->first) == 0 && parse_u32(f.v[2], &ret->count) == 0;
}

bool subid_find(const char *file, const char *const *users, uint32_t least, struct subid_range *ret)
{
	AUTO(strv_done) struct strv lines = { 0 };
	AUTO(buf_done) struct buf b = { 0 };

	if (read_file(AT_FDCWD, file, MAX_FILE, &b) < 0 || !b.data || strv_split(&lines, b.data, "\n") < 0)
		return false;
	for (size_t i = 0; i < lines.n; i++) {
		struct subid_range r;

		if (!parse_line(lines.v[i], users, &r) || r.first < least || r.count < least ||
		    r.first > UINT32_MAX - r.count)
			continue;
		*ret = r;
		return true;
	}
	return false;
}
