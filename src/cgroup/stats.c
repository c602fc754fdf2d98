/* stats.c - what a cgroup counts: memory, CPU time, processes, block devices */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "base/io.h"
#include "base/parse.h"
#include "cgroup/cgroup.h"

static int read_in(const struct cgroups *cg, const char *controller, const char *file, struct buf *b)
{
	const char *dir = strv_env_get(&cg->by_controller, controller);
	autofree char *path = dir ? str_printf("%s/%s", dir, file) : NULL;

	return path ? read_file(AT_FDCWD, path, 65536, b) : -ENOENT;
}

/* The number behind the line's first word `key`, or behind nothing when key is NULL; 0 when it is not there. */
static uint64_t number_in(const struct cgroups *cg, const char *controller, const char *file, const char *key)
{
	AUTO(buf_done) struct buf b = { 0 };
	AUTO(strv_done) struct strv lines = { 0 };
	size_t n = key ? strlen(key) : 0;
	uint64_t v;

	if (read_in(cg, controller, file, &b) < 0 || !b.data || strv_split(&lines, b.data, "\n") < 0)
		return 0;
	for (size_t i = 0; i < lines.n; i++) {
		const char *l = lines.v[i];

		if (key && (strncmp(l, key, n) || l[n] != ' '))
			continue;
		if (parse_u64(key ? l + n + 1 : l, &v) == 0)
			return v;
	}
	return 0;
}

static bool is_v2(const struct cgroups *cg, const char *controller)
{
	const char *dir = strv_env_get(&cg->by_controller, controller);
	const char *unified = strv_env_get(&cg->by_controller, "unified");

	return dir && unified && !strcmp(dir, unified);
}

uint64_t cgroup_oom_kills(const struct cgroups *cg)
{
	return number_in(cg, "memory", is_v2(cg, "memory") ? "memory.events" : "memory.oom_control",
			 "oom_kill");
}

/* "8:0 Read 4096" (v1), "8:0 rbytes=4096 wbytes=0" (v2): the sum over all devices. */
static uint64_t sum_io(const struct strv *lines, const char *word, bool v2)
{
	uint64_t sum = 0, v;

	for (size_t i = 0; i < lines->n; i++) {
		AUTO(strv_done) struct strv f = { 0 };
		const char *value;

		if (strv_split(&f, lines->v[i], " ") < 0)
			continue;
		value = v2 ? strv_env_get(&f, word) : f.n == 3 && !strcmp(f.v[1], word) ? f.v[2] : NULL;
		if (value && parse_u64(value, &v) == 0)
			sum += v;
	}
	return sum;
}

/* Only where the controller is in use: who limits nothing does not pay for it. */
static bool read_io(const struct cgroups *cg, struct stats *ret)
{
	bool v2 = strv_env_get(&cg->by_controller, "io") != NULL;
	AUTO(buf_done) struct buf b = { 0 };
	AUTO(strv_done) struct strv lines = { 0 };

	if (read_in(cg, v2 ? "io" : "blkio", v2 ? "io.stat" : "blkio.throttle.io_service_bytes", &b) < 0 ||
	    strv_split(&lines, b.data ? b.data : "", "\n") < 0)
		return false;
	ret->read_bytes = sum_io(&lines, v2 ? "rbytes" : "Read", v2);
	ret->written_bytes = sum_io(&lines, v2 ? "wbytes" : "Write", v2);
	return true;
}

bool cgroup_stats(const struct cgroups *cg, struct stats *ret)
{
	bool v2 = is_v2(cg, "memory");

	*ret = (struct stats){
		.memory_bytes =
			number_in(cg, "memory", v2 ? "memory.current" : "memory.usage_in_bytes", NULL),
		.cache_bytes =
			number_in(cg, "memory", "memory.stat", v2 ? "inactive_file" : "total_inactive_file"),
		.pids = number_in(cg, "pids", "pids.current", NULL),
		/* v2 accounts CPU time in every cgroup, whether or not the controller is on */
		.cpu_ns = number_in(cg, "cpuacct", "cpuacct.usage", NULL),
	};
	if (!ret->cpu_ns)
		ret->cpu_ns = 1000 * number_in(cg, "unified", "cpu.stat", "usage_usec");
	if (ret->cache_bytes > ret->memory_bytes) /* read a moment later */
		ret->cache_bytes = ret->memory_bytes;
	return read_io(cg, ret);
}
