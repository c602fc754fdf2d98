/* plan.c - which cgroups an instance gets on this host, and its ceilings in them; pure */
#include "cgroup/plan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "cgroup/cgroup.h"
#include "cgroup/limits.h"
#include "cgroup/oci_int.h"

#define ALWAYS 3 /* the first of those that are handed down on v2: statistics need them */

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

char *cgroup_dir(const struct host_facts *h, const char *controller, const char *parent, const char *id)
{
	const char *base = cgroup_base(h, controller);

	return base ? str_printf("%s%s/%s", base, parent ? parent : CGROUP_PARENT, id) : NULL;
}

static char *dir_of(const struct planner *pl, const char *controller)
{
	return cgroup_dir(pl->rq->facts, controller, pl->rq->parent, pl->rq->id);
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
	static const char *const handed_down[] = { "memory", "cpu", "pids", "cpuset", "io", NULL };
	const struct host_facts *h = pl->rq->facts;
	autofree char *dir = dir_of(pl, "unified");
	AUTO(strv_done) struct strv parents = { 0 };
	AUTO(buf_done) struct buf plus = { 0 };

	for (const char *const *c = handed_down; *c; c++)
		if (cgroup_is_v2(h, *c) && (c - handed_down < ALWAYS || limits_want(pl->rq->limits, *c)))
			buf_addf(&plus, "%s+%s", plus.len ? " " : "", *c);
	if (!plus.len)
		return;
	if (!dir || oci_place_parents(cgroup_base(h, "unified"), dir, &parents) < 0)
		pl->r = -ENOMEM;
	for (size_t i = 0; i < parents.n; i++)
		step(pl, pl->rq->rows->enable, parents.v[i], plus.data, 0);
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
		autofree char *dir = dir_of(pl, *c);
		size_t n = strlen(*c);

		if (!names || strncmp(names, *c, n) || (names[n] && names[n] != ','))
			continue;
		step(pl, pl->rq->rows->make, dir, names, cgroup_is_v2(h, *c) ? STEP_V2 : 0);
	}
}

/* --- ceilings */

/* "controller=directory" of all that is here; v2 controllers are behind "unified". */
static int instance_dirs(const struct cgroup_request *rq, struct strv *ret)
{
	const struct host_facts *h = rq->facts;
	int r = 0;

	for (size_t i = 0; i < h->cgroups.n && r == 0; i++) {
		autofree char *name = strndup(h->cgroups.v[i], strcspn(h->cgroups.v[i], "=")), *dir = NULL;

		if (!name)
			return -ENOMEM;
		if (strcmp(name, "unified") && cgroup_is_v2(h, name))
			continue;
		dir = cgroup_dir(h, name, rq->parent, rq->id);
		r = dir ? strv_addf(ret, "%s=%s", name, dir) : -ENOMEM;
	}
	return r;
}

/* No swap beyond the ceiling: it is the same as that of a VM, whose memory is all it has. */
static void forbid_swap_v1(struct planner *pl)
{
	const struct resources *limits = pl->rq->limits;
	autofree char *dir = dir_of(pl, "memory");
	autofree char *path = dir ? str_printf("%s/memory.memsw.limit_in_bytes", dir) : NULL;
	autofree char *value = str_printf("%llu", (unsigned long long)limits->memory_bytes);

	if (limits->memory_bytes && !limits->memory_swap_bytes && !cgroup_is_v2(pl->rq->facts, "memory"))
		step(pl, pl->rq->rows->set, path, value, STEP_OPTIONAL);
}

static int set_limits(struct planner *pl, struct err *e)
{
	const struct cgroup_oci_request rq = { .facts = pl->rq->facts,
					       .id = pl->rq->id,
					       .rows = pl->rq->rows };
	AUTO(limits_done) struct oci_resources resources = { 0 };
	AUTO(strv_done) struct strv dirs = { 0 };
	struct oci_planner oci = {
		.rq = &rq,
		.resources = &resources,
		.limits = pl->rq->limits,
		.dirs = &dirs,
		.plan = pl->plan,
		.fresh = true,
		.e = e,
	};

	if (limits_to_oci(pl->rq->limits, pl->rq->facts, &resources) < 0 || instance_dirs(pl->rq, &dirs) < 0)
		return err_set(e, ENOMEM, "out of memory");
	oci_set_limits(&oci);
	return oci.r;
}

static void warn_ignored(void *arg, const char *flag)
{
	autofree char *text = str_printf("%s: ignored, cgroup v2 has no such setting", flag);
	struct planner *pl = arg;

	step(pl, pl->rq->rows->warn, "limits", text, 0);
}

int cgroup_plan(const struct cgroup_request *rq, struct plan *p, struct err *e)
{
	struct planner pl = { .rq = rq, .plan = p };
	int r = limits_check(rq->limits, rq->facts, e);

	if (r < 0)
		return r;
	limits_each_ignored(rq->limits, rq->facts, warn_ignored, &pl);
	if (cgroup_base(rq->facts, "unified"))
		make_unified(&pl);
	make_all(&pl);
	r = pl.r < 0 ? err_set(e, ENOMEM, "out of memory") : set_limits(&pl, e);
	if (r == 0)
		forbid_swap_v1(&pl);
	return r == 0 && pl.r < 0 ? err_set(e, ENOMEM, "out of memory") : r;
}
