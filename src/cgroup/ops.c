/* ops.c - a container's cgroups by their record: directories and processes */
#include "cgroup/ops.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"

const char *cgroup_record_dir(const struct strv *record, const char *controller, bool *ret_v2)
{
	const char *dir = strv_env_get(record, controller);

	*ret_v2 = !dir || !strcmp(controller, "unified");
	return dir ? dir : strv_env_get(record, "unified");
}

int cgroup_record_dirs(const struct strv *record, struct strv *ret)
{
	int r = 0;

	for (size_t i = 0; i < record->n && r == 0; i++) {
		const char *eq = strchr(record->v[i], '=');

		if (eq && eq[1] == '/' && !strv_has(ret, eq + 1))
			r = strv_add(ret, eq + 1);
	}
	return r;
}

static int read_procs(int dirfd, const char *name, int parent, void *ctx)
{
	return cgroup_read_procs(dirfd, ctx);
}

int cgroup_has_processes(const struct strv *dirs)
{
	AUTO(pidv_done) struct pidv pids = { 0 };
	int r = cgroup_walk(dirs, read_procs, &pids);

	return r < 0 ? r : pids.n > 0;
}

static int compare_pids(const void *a, const void *b)
{
	pid_t x = *(const pid_t *)a, y = *(const pid_t *)b;

	return (x > y) - (x < y);
}

/* One hierarchy tells: every process of the container is in all of them. */
static int main_dir(const struct strv *record, struct strv *ret)
{
	static const char *const best_first[] = { "unified", "freezer", "pids", "memory", "devices" };

	for (size_t i = 0; i < ARRAY_LEN(best_first); i++) {
		const char *dir = strv_env_get(record, best_first[i]);

		if (dir)
			return strv_add(ret, dir);
	}
	return record->n ? strv_add(ret, strchr(record->v[0], '=') + 1) : 0;
}

int cgroup_pids(const struct strv *record, struct pidv *ret)
{
	AUTO(strv_done) struct strv dir = { 0 };
	AUTO(pidv_done) struct pidv pids = { 0 };
	int r = main_dir(record, &dir);

	if (r == 0)
		r = cgroup_walk(&dir, read_procs, &pids);
	if (r < 0)
		return r;
	if (pids.n)
		qsort(pids.v, pids.n, sizeof(*pids.v), compare_pids);
	*ret = pids;
	pids = (struct pidv){ 0 };
	return 0;
}
