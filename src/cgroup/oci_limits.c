/* oci_limits.c - linux.resources.memory, cpu and pids (runtime-spec config-linux.md), each for both versions of cgroups
 *
 * -1 means "no limit" in the spec, and to the files of v1; v2 spells it "max".
 */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/auto.h"
#include "cgroup/oci_int.h"

#define NUMBER_LEN 24

static const char *or_max(int64_t v, char ret[NUMBER_LEN])
{
	if (v < 0)
		return "max";
	snprintf(ret, NUMBER_LEN, "%" PRId64, v);
	return ret;
}

/* --- memory */

static bool asks_memory(const struct oci_resources *r)
{
	const struct oci_memory *m = &r->memory;

	return oci_given(&m->limit) || oci_given(&m->reservation) || oci_given(&m->swap) ||
	       oci_given(&m->kernel_tcp) || (m->swappiness.set && m->swappiness.v != -1) ||
	       m->disable_oom_killer;
}

/* memory.swap is memory and swap together.  The kernel keeps limit <= memsw at every moment: when both are raised memsw
 * must go first, when both fall the limit; so for old cgroups the limit is tried, and set again. */
static void memory_v1_limits(struct oci_planner *pl, const char *dir, const struct oci_memory *m)
{
	bool both = oci_given(&m->limit) && oci_given(&m->swap) && !pl->fresh;
	bool lifted = oci_given(&m->limit) && m->limit.v == -1 && !oci_given(&m->swap);

	if (lifted)
		oci_set(pl, dir, "memory.memsw.limit_in_bytes", STEP_OPTIONAL, "-1");
	if (oci_given(&m->limit))
		oci_set(pl, dir, "memory.limit_in_bytes", both ? STEP_TRY : 0, "%" PRId64, m->limit.v);
	if (oci_given(&m->swap))
		oci_set(pl, dir, "memory.memsw.limit_in_bytes", m->swap.v < 0 ? STEP_OPTIONAL : 0, "%" PRId64,
			m->swap.v);
	if (both)
		oci_set(pl, dir, "memory.limit_in_bytes", 0, "%" PRId64, m->limit.v);
}

static void memory_v1(struct oci_planner *pl, const char *dir, const struct oci_memory *m)
{
	memory_v1_limits(pl, dir, m);
	if (oci_given(&m->reservation))
		oci_set(pl, dir, "memory.soft_limit_in_bytes", 0, "%" PRId64, m->reservation.v);
	if (oci_given(&m->kernel_tcp)) /* since Linux 6.x some kernels have it no more */
		oci_set(pl, dir, "memory.kmem.tcp.limit_in_bytes", STEP_OPTIONAL, "%" PRId64,
			m->kernel_tcp.v);
	if (m->swappiness.set && m->swappiness.v != -1)
		oci_set(pl, dir, "memory.swappiness", 0, "%" PRId64, m->swappiness.v);
	if (m->disable_oom_killer)
		oci_set(pl, dir, "memory.oom_control", 0, "1");
}

/* The spec's swap counts memory, too; v2's does not. */
static void memory_v2_swap(struct oci_planner *pl, const char *dir, const struct oci_memory *m)
{
	bool lifted = oci_given(&m->limit) && m->limit.v == -1 && !oci_given(&m->swap);
	int64_t swap = lifted ? -1 : m->swap.v;
	char text[NUMBER_LEN];

	if (!lifted && !oci_given(&m->swap))
		return;
	if (swap >= 0) {
		if (!oci_given(&m->limit) || m->limit.v < 0)
			return oci_fail(pl, EINVAL,
					"linux.resources.memory.swap: cannot be set without a memory limit");
		if (swap < m->limit.v)
			return oci_fail(pl, EINVAL,
					"linux.resources.memory.swap: memory and swap together (%" PRId64
					") cannot be less than memory alone (%" PRId64 ")",
					swap, m->limit.v);
		swap -= m->limit.v;
	}
	/* where there is no swap, "none" and "no limit" hold without being set */
	oci_set(pl, dir, "memory.swap.max", swap <= 0 ? STEP_OPTIONAL : 0, "%s", or_max(swap, text));
}

static void memory_v2(struct oci_planner *pl, const char *dir, const struct oci_memory *m)
{
	uint64_t check = m->check_before_update && m->limit.v > 0 ? STEP_ABOVE_USAGE : 0;
	char text[NUMBER_LEN];

	memory_v2_swap(pl, dir, m);
	if (oci_given(&m->limit))
		oci_set(pl, dir, "memory.max", check, "%s", or_max(m->limit.v, text));
	if (oci_given(&m->reservation))
		oci_set(pl, dir, "memory.low", 0, "%s", or_max(m->reservation.v, text));
}

static bool check_memory(struct oci_planner *pl, const struct oci_memory *m)
{
	const struct {
		const char *name;
		const struct opt_i64 *n;
	} all[] = { { "limit", &m->limit },
		    { "swap", &m->swap },
		    { "reservation", &m->reservation },
		    { "kernelTCP", &m->kernel_tcp } };

	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		if (all[i].n->set && all[i].n->v < -1)
			oci_fail(pl, EINVAL, "linux.resources.memory.%s: %" PRId64 " bytes", all[i].name,
				 all[i].n->v);
	if (m->swappiness.set && (m->swappiness.v < -1 || m->swappiness.v > 100))
		oci_fail(pl, EINVAL, "linux.resources.memory.swappiness: %" PRId64 " is not in 0..100",
			 m->swappiness.v);
	return pl->r == 0;
}

static void set_memory(struct oci_planner *pl, const char *dir, bool v2)
{
	const struct oci_memory *m = &pl->resources->memory;

	if (!check_memory(pl, m))
		return;
	if (v2)
		memory_v2(pl, dir, m);
	else
		memory_v1(pl, dir, m);
}

/* --- cpu time */

static bool asks_cpu(const struct oci_resources *r)
{
	const struct oci_cpu *c = &r->cpu;

	return oci_given(&c->shares) || oci_given(&c->quota) || oci_given(&c->period) || c->burst.set ||
	       oci_given(&c->realtime_runtime) || oci_given(&c->realtime_period) || c->idle.set;
}

uint64_t oci_cpu_weight(uint64_t shares)
{
	double l;

	if (shares <= 2)
		return 1;
	if (shares >= 262144)
		return 10000;
	l = log2((double)shares);
	return (uint64_t)ceil(pow(10, (l * l + 125 * l) / 612.0 - 7.0 / 34.0));
}

/* An idle group takes no weight (EINVAL): it is made idle after its weight, and wakes before. */
static void set_share(struct oci_planner *pl, const char *dir, const char *file, uint64_t value)
{
	const struct oci_cpu *c = &pl->resources->cpu;
	bool idle = c->idle.set && c->idle.v;

	if (c->idle.set && !idle)
		oci_set(pl, dir, "cpu.idle", STEP_OPTIONAL, "0"); /* Linux 5.15 */
	if (oci_given(&c->shares))
		oci_set(pl, dir, file, idle && !pl->fresh ? STEP_TRY : 0, "%" PRIu64, value);
	if (idle)
		oci_set(pl, dir, "cpu.idle", 0, "%" PRId64, c->idle.v);
}

static void set_burst(struct oci_planner *pl, const char *dir, const char *file, uint64_t flags)
{
	const struct oci_cpu *c = &pl->resources->cpu;

	if (c->burst.set) /* Linux 5.14 */
		oci_set(pl, dir, file, flags | (c->burst.v ? 0 : STEP_OPTIONAL), "%" PRId64, c->burst.v);
}

/* The kernel wants burst <= quota, and quota/period within the parent's, at every moment: in old cgroups period and burst
 * are tried before, and set again behind the quota. */
static void cpu_v1(struct oci_planner *pl, const char *dir, const struct oci_cpu *c)
{
	bool again = !pl->fresh && oci_given(&c->quota);

	set_share(pl, dir, "cpu.shares", (uint64_t)c->shares.v);
	if (oci_given(&c->realtime_period))
		oci_set(pl, dir, "cpu.rt_period_us", 0, "%" PRId64, c->realtime_period.v);
	if (oci_given(&c->realtime_runtime))
		oci_set(pl, dir, "cpu.rt_runtime_us", 0, "%" PRId64, c->realtime_runtime.v);
	if (oci_given(&c->period))
		oci_set(pl, dir, "cpu.cfs_period_us", again ? STEP_TRY : 0, "%" PRId64, c->period.v);
	if (again)
		set_burst(pl, dir, "cpu.cfs_burst_us", STEP_TRY);
	if (oci_given(&c->quota))
		oci_set(pl, dir, "cpu.cfs_quota_us", 0, "%" PRId64, c->quota.v);
	if (again && oci_given(&c->period))
		oci_set(pl, dir, "cpu.cfs_period_us", 0, "%" PRId64, c->period.v);
	set_burst(pl, dir, "cpu.cfs_burst_us", 0);
}

static void cpu_v2(struct oci_planner *pl, const char *dir, const struct oci_cpu *c)
{
	char text[NUMBER_LEN];

	set_share(pl, dir, "cpu.weight", oci_cpu_weight((uint64_t)c->shares.v));
	if (!pl->fresh && oci_given(&c->quota))
		set_burst(pl, dir, "cpu.max.burst", STEP_TRY);
	if (oci_given(&c->quota) && oci_given(&c->period))
		oci_set(pl, dir, "cpu.max", 0, "%s %" PRId64, or_max(c->quota.v, text), c->period.v);
	else if (oci_given(&c->quota)) /* the period stays */
		oci_set(pl, dir, "cpu.max", 0, "%s", or_max(c->quota.v, text));
	else if (oci_given(&c->period) && pl->fresh)
		oci_set(pl, dir, "cpu.max", 0, "max %" PRId64, c->period.v);
	else if (oci_given(&c->period))
		oci_set(pl, dir, "cpu.max", STEP_KEEP_FIRST, "%" PRId64, c->period.v);
	set_burst(pl, dir, "cpu.max.burst", 0);
}

static bool check_cpu(struct oci_planner *pl, const struct oci_cpu *c)
{
	const struct {
		const char *name;
		const struct opt_i64 *n;
		int64_t least;
	} all[] = { { "shares", &c->shares, 0 },
		    { "quota", &c->quota, -1 },
		    { "burst", &c->burst, 0 },
		    { "period", &c->period, 0 },
		    { "realtimeRuntime", &c->realtime_runtime, -1 },
		    { "realtimePeriod", &c->realtime_period, 0 },
		    { "idle", &c->idle, 0 } };

	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		if (all[i].n->set && all[i].n->v < all[i].least)
			oci_fail(pl, EINVAL, "linux.resources.cpu.%s: %" PRId64 " is too small", all[i].name,
				 all[i].n->v);
	return pl->r == 0;
}

static void set_cpu(struct oci_planner *pl, const char *dir, bool v2)
{
	const struct oci_cpu *c = &pl->resources->cpu;

	if (!check_cpu(pl, c))
		return;
	if (v2)
		cpu_v2(pl, dir, c);
	else
		cpu_v1(pl, dir, c);
}

/* --- cpus and memory nodes; processes */

static bool asks_cpuset(const struct oci_resources *r)
{
	return (r->cpu.cpus && *r->cpu.cpus) || (r->cpu.mems && *r->cpu.mems);
}

static void set_cpuset(struct oci_planner *pl, const char *dir, bool v2)
{
	const struct oci_cpu *c = &pl->resources->cpu;

	if (c->cpus && *c->cpus)
		oci_set(pl, dir, "cpuset.cpus", 0, "%s", c->cpus);
	if (c->mems && *c->mems)
		oci_set(pl, dir, "cpuset.mems", 0, "%s", c->mems);
}

static bool asks_pids(const struct oci_resources *r)
{
	return oci_given(&r->pids_limit);
}

static void set_pids(struct oci_planner *pl, const char *dir, bool v2)
{
	char text[NUMBER_LEN];

	oci_set(pl, dir, "pids.max", 0, "%s", or_max(pl->resources->pids_limit.v, text));
}

const struct oci_kind oci_limits[] = {
	{ "cpuset", "cpuset", "linux.resources.cpu", asks_cpuset, set_cpuset },
	{ "cpu", "cpu", "linux.resources.cpu", asks_cpu, set_cpu },
	{ "memory", "memory", "linux.resources.memory", asks_memory, set_memory },
	{ "pids", "pids", "linux.resources.pids", asks_pids, set_pids },
	{ 0 },
};
