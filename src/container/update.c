/* update.c - new limits for a running container */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/auto.h"
#include "base/io.h"
#include "cgroup/limits.h"
#include "cgroup/ops.h"
#include "container/answers.h"
#include "container/oci.h"
#include "instance/update.h"

#define MOVE_ROUNDS 10 /* each finds those that were born during the last */

static void update_done(struct instance_update *up)
{
	json_done(&instance_update_table, up);
}

static int move_all(const struct container *c, const char *dir)
{
	size_t before = 0;

	for (int round = 0; round < MOVE_ROUNDS; round++) {
		AUTO(pidv_done) struct pidv pids = { 0 };
		int r = cgroup_pids(&c->cgroups.by_controller, &pids);

		for (size_t i = 0; i < pids.n && r >= 0; i++) {
			char pid[16];

			snprintf(pid, sizeof(pid), "%d", (int)pids.v[i]);
			r = write_existing(AT_FDCWD, dir, pid);
			r = r == -ESRCH ? 0 : r; /* it has ended */
		}
		if (r < 0 || pids.n == before)
			return r < 0 ? r : 0;
		before = pids.n;
	}
	return 0;
}

/* On v1 an instance joins only the controllers of limits that it has: this one is joined now. */
static int join_v1(struct container *c, const char *controller, struct err *e)
{
	const struct instance_spec *s = &c->boot->spec;
	autofree char *dir = cgroup_dir(&c->boot->facts, controller,
					c->boot->facts.in_guest ? NULL : s->sandbox.cgroup_parent, s->id);
	autofree char *procs = dir ? str_printf("%s/cgroup.procs", dir) : NULL;
	int r;

	if (!procs || strv_add(&c->state->cgroups, dir) < 0)
		return err_set(e, ENOMEM, "out of memory");
	r = cgroup_make(&c->cgroups, dir, controller, false, e);
	if (r < 0)
		return r;
	r = move_all(c, procs);
	return r < 0 ? err_sys(e, -r, "cannot enter the %s cgroup", controller) : 0;
}

static int join_missing(struct container *c, const struct resources *limits, struct err *e)
{
	static const char *const controllers[] = { "cpu", "cpuset", "blkio", "pids", "memory" };
	const struct host_facts *h = &c->boot->facts;
	int r = 0;

	for (size_t i = 0; i < ARRAY_LEN(controllers) && r == 0; i++)
		if (limits_want(limits, controllers[i]) && cgroup_base(h, controllers[i]) &&
		    !cgroup_is_v2(h, controllers[i]) &&
		    !strv_env_get(&c->cgroups.by_controller, controllers[i]))
			r = join_v1(c, controllers[i], e);
	return r;
}

/* "No swap beside the memory" is the rule here; OCI's document has to say it. */
static void forbid_swap(const struct container *c, const struct resources *limits, struct oci_resources *oci)
{
	const char *dir = strv_env_get(&c->cgroups.by_controller, "memory");
	autofree char *file = dir ? str_printf("%s/memory.memsw.limit_in_bytes", dir) : NULL;

	if (limits->memory_bytes && !limits->memory_swap_bytes && file && access(file, F_OK) == 0)
		oci->memory.swap = oci->memory.limit;
}

/* As ketch-oci records them (cgroup/ops.h): those of v2 are all "unified". */
static int make_record(const struct container *c, struct strv *ret)
{
	const struct strv *all = &c->cgroups.by_controller;
	int r = 0;

	for (size_t i = 0; i < all->n && r == 0; i++) {
		autofree char *name = strndup(all->v[i], strcspn(all->v[i], "="));

		if (!name)
			r = -ENOMEM;
		else if (!strcmp(name, "unified") || !cgroup_is_v2(&c->boot->facts, name))
			r = strv_add(ret, all->v[i]);
	}
	return r;
}

static int set_limits(struct container *c, const struct resources *limits, struct err *e)
{
	AUTO(limits_done) struct oci_resources oci = { 0 };
	AUTO(strv_done) struct strv warnings = { 0 }, record = { 0 };
	int r = limits_check(limits, &c->boot->facts, e);

	if (r == 0)
		r = join_missing(c, limits, e);
	if (r < 0)
		return r;
	if (make_record(c, &record) < 0 || limits_to_oci(limits, &c->boot->facts, &oci) < 0)
		return err_set(e, ENOMEM, "out of memory");
	forbid_swap(c, limits, &oci);
	if (!limits->pids && strv_env_get(&c->cgroups.by_controller, "pids"))
		oci.pids_limit = (struct opt_i64){ true, -1 };
	return oci_container_update(&c->boot->facts, &record, c->boot->spec.id, &oci, &warnings, e);
}

int answer_update(struct container *c, const char *json, size_t n, struct err *e)
{
	AUTO(update_done) struct instance_update up = { 0 };
	int r = json_parse(&instance_update_table, json, n, 0, &up, e);

	return r < 0 ? r : set_limits(c, &up.resources, e);
}
