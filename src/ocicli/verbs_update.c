/* verbs_update.c - update and events: the resources of a container that runs, changed and watched */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/io.h"
#include "base/json.h"
#include "base/parse.h"
#include "cgroup/ops.h"
#include "ocicli/ocicli.h"
#include "sys/pidfd.h"

#define RESOURCES_MAX (1024 * 1024)

/* --- update */

struct update_args {
	char *resources;
	char *blkio_weight, *cpu_period, *cpu_quota, *cpu_burst, *cpu_share, *cpu_rt_period, *cpu_rt_runtime,
		*cpu_idle, *cpuset_cpus, *cpuset_mems, *memory, *memory_reservation, *memory_swap,
		*pids_limit;
	char *kernel_memory, *kernel_memory_tcp;
	char *l3_cache_schema, *mem_bw_schema;
};

#define LIMIT(name_, member_, metavar_, help_)                                                               \
	OPT(STR, 0, name_, struct update_args, member_, metavar_, help_)

static const struct opt update_opts[] = {
	OPT(STR, 'r', "resources", struct update_args, resources, "FILE",
	    "linux.resources as JSON; \"-\": stdin"),
	LIMIT("blkio-weight", blkio_weight, "N", "Weight of block I/O, 10 to 1000"),
	LIMIT("cpu-period", cpu_period, "US", "Period of the CPU quota"),
	LIMIT("cpu-quota", cpu_quota, "US", "CPU time in each period"),
	LIMIT("cpu-burst", cpu_burst, "US", "CPU time that may be saved up"),
	LIMIT("cpu-share", cpu_share, "N", "Weight of CPU time"),
	LIMIT("cpu-rt-period", cpu_rt_period, "US", "Period of real-time CPU time"),
	LIMIT("cpu-rt-runtime", cpu_rt_runtime, "US", "Real-time CPU time in each period"),
	LIMIT("cpu-idle", cpu_idle, "0|1", "Run only when nobody else wants to"),
	LIMIT("cpuset-cpus", cpuset_cpus, "LIST", "CPUs to use"),
	LIMIT("cpuset-mems", cpuset_mems, "LIST", "Memory nodes to use"),
	LIMIT("memory", memory, "BYTES", "Ceiling of memory"),
	LIMIT("memory-reservation", memory_reservation, "BYTES", "Memory to be left when it is short"),
	LIMIT("memory-swap", memory_swap, "BYTES", "Ceiling of memory and swap; -1: none"),
	LIMIT("pids-limit", pids_limit, "N", "Ceiling of processes; -1: none"),
	LIMIT("kernel-memory", kernel_memory, "BYTES", "Accepted; today's kernels have no such limit"),
	LIMIT("kernel-memory-tcp", kernel_memory_tcp, "BYTES", "Accepted; as above"),
	LIMIT("l3-cache-schema", l3_cache_schema, "TEXT", "Refused: there is no Intel RDT"),
	LIMIT("mem-bw-schema", mem_bw_schema, "TEXT", "Refused: as above"),
	{ 0 },
};

struct member {
	const char *key, *value;
	bool quoted;
};

/* "SECTION":{...} of the members that were given. */
static void add_section(struct buf *b, const char *section, const struct member *m, size_t n)
{
	bool open = false;

	for (size_t i = 0; i < n; i++) {
		if (!m[i].value)
			continue;
		if (open)
			buf_adds(b, ",");
		else
			buf_addf(b, "%s\"%s\":{", b->len > 1 ? "," : "", section);
		open = true;
		buf_addf(b, "\"%s\":", m[i].key);
		if (m[i].quoted)
			json_add_str(b, m[i].value);
		else
			buf_adds(b, m[i].value);
	}
	if (open)
		buf_adds(b, "}");
}

/* The options in the words of linux.resources, which has the one parser of them. */
static void add_options(const struct update_args *a, struct buf *b)
{
	const struct member cpu[] = {
		{ "shares", a->cpu_share },
		{ "quota", a->cpu_quota },
		{ "burst", a->cpu_burst },
		{ "period", a->cpu_period },
		{ "realtimeRuntime", a->cpu_rt_runtime },
		{ "realtimePeriod", a->cpu_rt_period },
		{ "idle", a->cpu_idle },
		{ "cpus", a->cpuset_cpus, true },
		{ "mems", a->cpuset_mems, true },
	};
	const struct member memory[] = {
		{ "limit", a->memory },
		{ "reservation", a->memory_reservation },
		{ "swap", a->memory_swap },
	};
	const struct member pids[] = { { "limit", a->pids_limit } };
	const struct member block_io[] = { { "weight", a->blkio_weight } };

	buf_adds(b, "{");
	add_section(b, "cpu", cpu, ARRAY_LEN(cpu));
	add_section(b, "memory", memory, ARRAY_LEN(memory));
	add_section(b, "pids", pids, ARRAY_LEN(pids));
	add_section(b, "blockIO", block_io, ARRAY_LEN(block_io));
	buf_adds(b, "}");
}

static int check_refused(const struct update_args *a, struct err *e)
{
	if (!a->l3_cache_schema && !a->mem_bw_schema)
		return 0;
	return err_set(e, ENOTSUP, "--%s: Intel RDT is not supported",
		       a->l3_cache_schema ? "l3-cache-schema" : "mem-bw-schema");
}

/* Numbers of the options become JSON as they are: what is no number must not get there. */
static int check_numbers(const struct update_args *a, struct err *e)
{
	for (const struct opt *o = update_opts; o->type; o++) {
		const char *v = *(char *const *)((const char *)a + o->off);

		if (!v || o->letter == 'r' || !strncmp(o->name, "cpuset", 6))
			continue;
		if (!*v || strspn(v + (*v == '-'), "0123456789") != strlen(v + (*v == '-')) || !v[*v == '-'])
			return err_set(e, EINVAL, "--%s: \"%.40s\" is not a whole number", o->name, v);
	}
	return 0;
}

static int read_resources(const struct verb_context *c, const char *path, struct buf *ret, struct err *e)
{
	int r = !strcmp(path, "-") ? read_to_end(0, RESOURCES_MAX, ret)
				   : read_file(c->rt.cwd, path, RESOURCES_MAX, ret);

	return r < 0 ? err_sys(e, -r, "--resources %s", path) : 0;
}

static int run_update(struct verb_context *c, void *args, struct strv *words, struct err *e)
{
	const struct update_args *a = args;
	AUTO(buf_done) struct buf json = { 0 };
	int r = check_refused(a, e);

	if (r == 0)
		r = check_numbers(a, e);
	if (r < 0)
		return r;
	if (a->resources)
		r = read_resources(c, a->resources, &json, e);
	else
		add_options(a, &json);
	if (r < 0)
		return r;
	return buf_ok(&json) ? runtime_update(&c->rt, words->v[0], &json, e)
			     : err_set(e, ENOMEM, "out of memory");
}

const struct verb verb_update = {
	.name = "update",
	ONE_CONTAINER,
	.summary = "Change the limits of a container",
	OPTIONS(update_opts, struct update_args),
	.run = run_update,
};

/* --- events */

struct events_args {
	char *interval;
	bool stats;
};

static const struct opt events_opts[] = {
	OPT(STR, 0, "interval", struct events_args, interval, "TIME", "How often to print statistics (5s)"),
	OPT(FLAG, 0, "stats", struct events_args, stats, NULL, "Print the statistics once"),
	{ 0 },
};

static int print_stats(const struct container_ref *ref, struct err *e)
{
	AUTO(buf_done) struct buf b = { 0 };

	buf_adds(&b, "{\"type\":\"stats\",\"id\":");
	json_add_str(&b, ref->record.id);
	buf_adds(&b, ",\"data\":");
	if (cgroup_print_usage(&ref->record.cgroups, &b) < 0)
		return err_set(e, ESRCH, "cannot read the statistics of the container");
	buf_adds(&b, "}\n");
	return oci_print(&b, e);
}

static int print_oom(const struct container_ref *ref, struct err *e)
{
	AUTO(buf_done) struct buf b = { 0 };

	buf_adds(&b, "{\"type\":\"oom\",\"id\":");
	json_add_str(&b, ref->record.id);
	buf_adds(&b, "}\n");
	return oci_print(&b, e);
}

/* Go's durations, as far as callers write them: "5s", "500ms", "2m". */
static int parse_interval(const char *text, int *ret_ms)
{
	autofree char *number = strdup(text ? text : "5s");
	size_t n = number ? strspn(number, "0123456789") : 0;
	uint32_t v;
	int factor;

	if (!number)
		return -ENOMEM;
	factor = !strcmp(number + n, "ms")  ? 1
		 : !strcmp(number + n, "s") ? 1000
		 : !strcmp(number + n, "m") ? 60000
					    : 0;
	number[n] = '\0';
	if (!factor || parse_u32(number, &v) < 0 || !v || v > 3600000u / (uint32_t)factor)
		return -EINVAL;
	*ret_ms = (int)v * factor;
	return 0;
}

static int watch(const struct container_ref *ref, int pidfd, int interval_ms, struct err *e)
{
	struct cgroup_oom oom = { .fd = -1 };
	int r = cgroup_oom_open(&ref->record.cgroups, &oom, e);

	if (r < 0 && r != -ENOTSUP && r != -ENOENT)
		return r;
	for (r = 0; r == 0;) {
		struct pollfd p[] = { { .fd = pidfd, .events = POLLIN }, { .fd = oom.fd, .events = POLLIN } };
		int n = poll(p, ARRAY_LEN(p), interval_ms);

		if (n == 0)
			r = print_stats(ref, e);
		else if (n > 0 && p[1].revents && cgroup_oom_read(&oom) == 1)
			r = print_oom(ref, e);
		if (n > 0 && p[0].revents)
			break;
	}
	cgroup_oom_done(&oom);
	return r;
}

static int run_events(struct verb_context *c, void *args, struct strv *words, struct err *e)
{
	AUTO(container_ref_done) struct container_ref ref = { .dir = -1 };
	const struct events_args *a = args;
	autoclose int pidfd = -1;
	int interval_ms, r;

	if (parse_interval(a->interval, &interval_ms) < 0)
		return err_set(e, EINVAL, "--interval: \"%.40s\" is not a time such as 5s", a->interval);
	r = container_ref_open(&c->rt, words->v[0], &ref, e);
	if (r < 0)
		return r;
	pidfd = record_open_process(&ref.record);
	if (pidfd < 0)
		return err_set(e, ESRCH, "container not running");
	return a->stats ? print_stats(&ref, e) : watch(&ref, pidfd, interval_ms, e);
}

const struct verb verb_events = {
	.name = "events",
	ONE_CONTAINER,
	.summary = "Print statistics and want of memory as they come, as JSON",
	OPTIONS(events_opts, struct events_args),
	.run = run_events,
};
