/* plan.c - which cgroups an instance gets on this host, and its ceilings in them; pure */
#include "cgroup/plan.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"

#define PERIOD_US 100000

struct planner {
	const struct cgroup_request *rq;
	struct plan *plan;
	int r; /* the first failure; after it nothing is added */
};

const char *cgroup_base(const struct host_facts *h, const char *controller)
{
	return strv_env_get(&h->cgroups, controller);
}

bool cgroup_is_v2(const struct host_facts *h, const char *controller)
{
	const char *dir = cgroup_base(h, controller), *unified = cgroup_base(h, "unified");

	return dir && unified && !strcmp(dir, unified);
}

char *cgroup_dir(const struct host_facts *h, const char *controller, const char *id)
{
	const char *base = cgroup_base(h, controller);

	return base ? str_printf("%s/ketch/%s", base, id) : NULL;
}

static void step(struct planner *pl, const struct step_op *op, const char *what, const char *data,
		 uint64_t flags)
{
	if (pl->r == 0)
		pl->r = what && data ? plan_add(pl->plan, op, what, NULL, data, flags) : -ENOMEM;
}

/* --- making */

static void make_unified(struct planner *pl)
{
	static const char *const handed_down[] = { "memory", "cpu", "pids", NULL };
	const struct host_facts *h = pl->rq->facts;
	const char *base = cgroup_base(h, "unified");
	autofree char *ours = str_printf("%s/ketch", base);
	AUTO(buf_done) struct buf plus = { 0 };

	for (const char *const *c = handed_down; *c; c++)
		if (cgroup_is_v2(h, *c))
			buf_addf(&plus, "%s+%s", plus.len ? " " : "", *c);
	if (!plus.len)
		return;
	step(pl, pl->rq->rows->enable, base, plus.data, 0);
	step(pl, pl->rq->rows->enable, ours, plus.data, 0);
}

/* Those of the wanted controllers that live in directory `base`, as "a,b". */
static char *controllers_at(const struct cgroup_request *rq, const char *base)
{
	struct buf b = { 0 };

	for (const char *const *c = rq->controllers; *c; c++) {
		const char *dir = cgroup_base(rq->facts, *c);

		if (dir && !strcmp(dir, base))
			buf_addf(&b, "%s%s", b.len ? "," : "", *c);
	}
	return buf_take(&b);
}

/* One directory for all controllers that are mounted together ("cpu,cpuacct"), made at the first of them. */
static void make_all(struct planner *pl)
{
	const struct host_facts *h = pl->rq->facts;

	for (const char *const *c = pl->rq->controllers; *c; c++) {
		const char *base = cgroup_base(h, *c);
		autofree char *names = base ? controllers_at(pl->rq, base) : NULL;
		autofree char *dir = cgroup_dir(h, *c, pl->rq->id);
		size_t n = strlen(*c);

		if (!names || strncmp(names, *c, n) || (names[n] && names[n] != ','))
			continue;
		step(pl, pl->rq->rows->make, dir, names, cgroup_is_v2(h, *c) ? STEP_V2 : 0);
	}
}

/* --- ceilings */

__attribute__((format(printf, 5, 6))) static void set(struct planner *pl, const char *controller,
						      const char *file, uint64_t flags, const char *fmt, ...)
{
	autofree char *dir = cgroup_dir(pl->rq->facts, controller, pl->rq->id);
	autofree char *path = dir ? str_printf("%s/%s", dir, file) : NULL, *value = NULL;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&value, fmt, ap) < 0)
		value = NULL;
	va_end(ap);
	step(pl, pl->rq->rows->set, path, value, flags);
}

static void limit_memory(struct planner *pl)
{
	unsigned long long bytes = pl->rq->limits->memory_bytes;

	/* no swap beyond it: the ceiling is the same as that of a VM, whose memory is all it has */
	if (cgroup_is_v2(pl->rq->facts, "memory")) {
		set(pl, "memory", "memory.max", 0, "%llu", bytes);
		set(pl, "memory", "memory.swap.max", STEP_OPTIONAL, "0");
	} else {
		set(pl, "memory", "memory.limit_in_bytes", 0, "%llu", bytes);
		set(pl, "memory", "memory.memsw.limit_in_bytes", STEP_OPTIONAL, "%llu", bytes);
	}
}

static void limit_cpu(struct planner *pl)
{
	unsigned long long quota = pl->rq->limits->cpu_milli * (PERIOD_US / 1000);

	if (quota < 1000) /* the kernel's least */
		quota = 1000;
	if (cgroup_is_v2(pl->rq->facts, "cpu")) {
		set(pl, "cpu", "cpu.max", 0, "%llu %d", quota, PERIOD_US);
		return;
	}
	set(pl, "cpu", "cpu.cfs_period_us", 0, "%d", PERIOD_US);
	set(pl, "cpu", "cpu.cfs_quota_us", 0, "%llu", quota);
}

static int check(const struct cgroup_request *rq, struct err *e)
{
	if (rq->limits->memory_bytes && !cgroup_base(rq->facts, "memory"))
		return err_set(e, ENOTSUP, "--memory: this host has no memory cgroup controller");
	if (rq->limits->cpu_milli && !cgroup_base(rq->facts, "cpu"))
		return err_set(e, ENOTSUP, "--cpus: this host has no cpu cgroup controller");
	return 0;
}

int cgroup_plan(const struct cgroup_request *rq, struct plan *p, struct err *e)
{
	struct planner pl = { .rq = rq, .plan = p };
	int r = check(rq, e);

	if (r < 0)
		return r;
	if (cgroup_base(rq->facts, "unified"))
		make_unified(&pl);
	make_all(&pl);
	if (rq->limits->memory_bytes)
		limit_memory(&pl);
	if (rq->limits->cpu_milli)
		limit_cpu(&pl);
	if (rq->limits->pids && cgroup_base(rq->facts, "pids"))
		set(&pl, "pids", "pids.max", 0, "%llu", (unsigned long long)rq->limits->pids);
	return pl.r < 0 ? err_set(e, ENOMEM, "out of memory") : 0;
}
