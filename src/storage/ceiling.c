/* ceiling.c - how much a container may write: a project of the store's file system */
#include "storage/ceiling.h"

#include <errno.h>
#include <stdbool.h>
#include <sys/random.h>

#include "sys/project_quota.h"

#define TRIES 64
#define FIRST 0x10000 /* people give out small numbers by hand (projid(5)) */
#define MASK  0x7fffffff

static uint32_t choose(void)
{
	uint32_t n = 0;

	while (getrandom(&n, sizeof(n), 0) != sizeof(n) || (n & MASK) < FIRST)
		;
	return n & MASK;
}

/* Taken, then looked at: of two who take one at once, in whatever stores, both see it and go on to others. */
static int take_new(int dir, uint32_t *ret)
{
	struct project_use use;
	int r = -EBUSY;

	for (int i = 0; i < TRIES && r == -EBUSY; i++) {
		*ret = choose();
		r = project_set(dir, *ret, false);
		if (r == 0)
			r = project_quota_get(dir, *ret, &use);
		if (r == 0 && (use.files != 1 || use.limit_bytes))
			r = -EBUSY;
	}
	if (r < 0)
		project_set(dir, 0, false);
	return r;
}

int ceiling_hold(int dir, const int *written, size_t n, uint64_t bytes, struct err *e)
{
	uint32_t project = 0;
	int r = project_get(dir, &project);

	if (r == 0 && !project)
		r = take_new(dir, &project);
	if (r == 0)
		r = project_quota_limit(dir, project, bytes);
	for (size_t i = 0; i < n && r == 0; i++)
		r = project_set(written[i], project, true);
	return r < 0 ? err_sys(e, -r, "--storage-opt size: project quota") : 0;
}

void ceiling_release(int dir)
{
	uint32_t project = 0;

	if (project_get(dir, &project) == 0 && project >= FIRST)
		project_quota_limit(dir, project, 0);
}
