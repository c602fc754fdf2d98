/* fuzz_user.c - the user parser: spec, passwd and group, separated by NUL bytes; an error never gives a uid */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "container/user.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* The next piece up to a NUL; the last one takes all that is left. */
static void take(struct buf *ret, const char **at, const char *end, int is_last)
{
	const char *nul = is_last ? NULL : memchr(*at, 0, (size_t)(end - *at));
	const char *stop = nul ? nul : end;

	buf_add(ret, *at, (size_t)(stop - *at));
	*at = nul ? nul + 1 : end;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	AUTO(buf_done) struct buf spec = { 0 }, extra = { 0 }, passwd = { 0 }, group = { 0 };
	const char *at = (const char *)data, *end = at + n;
	struct user u = { .uid = 4711, .gid = 4711 };
	AUTO(strv_done) struct strv groups = { 0 };
	struct err e = { 0 };

	take(&spec, &at, end, 0);
	take(&extra, &at, end, 0);
	take(&passwd, &at, end, 0);
	take(&group, &at, end, 1);
	if (extra.len && strv_split(&groups, extra.data, ",") < 0)
		return 0;
	if (user_parse(spec.data, &groups, &passwd, &group, &u, &e) < 0) {
		if (u.uid != 4711 || u.home || u.groups || !e.no)
			abort();
		return 0;
	}
	if (u.uid > INT32_MAX || u.gid > INT32_MAX || !u.home || *u.home != '/' || !u.n_groups)
		abort();
	user_done(&u);
	return 0;
}
