/* cgroups.c - the cgroups of a VM: hypervisor and file servers share them, under the instance's ceilings */
#include <errno.h>

#include "cgroup/steps.h"
#include "vm/vm_int.h"

static int apply_enable(void *ctx, const struct step *s, struct err *e)
{
	return cgroup_step_enable(s, e);
}

static int apply_make(void *ctx, const struct step *s, struct err *e)
{
	struct machine *m = ctx;

	/* the record first: what is made is then found by whoever cleans up */
	if (strv_add(&m->state->cgroups, s->what) < 0)
		return err_set(e, ENOMEM, "out of memory");
	return cgroup_step_make(s, &m->cgroups, e);
}

static int apply_set(void *ctx, const struct step *s, struct err *e)
{
	return cgroup_step_set(s, e);
}

static const struct step_op op_enable = { "cgroup-enable", STAGE_HOST, apply_enable };
static const struct step_op op_make = { "cgroup-make", STAGE_HOST, apply_make };
static const struct step_op op_set = { "cgroup-set", STAGE_HOST, apply_set };

/* Memory: the guest's RAM and what the VMM needs; within the RAM the guest holds the workload to its own ceiling, as it
 * does for processes.  CPU: the ceiling of the workload, which all of the VM shares. */
int vm_plan_cgroups(const struct instance_spec *s, const struct host_facts *h, struct plan *p, struct err *e)
{
	static const struct cgroup_rows rows = { &op_enable, &op_make, &op_set };
	static const char *const controllers[] = { "unified", "memory", "cpu", "cpuacct", "pids", NULL };
	struct resources limits = { .cpu_milli = s->resources.cpu_milli };
	const struct cgroup_request rq = { h, s->id, &limits, controllers, &rows };

	if (s->resources.memory_bytes)
		limits.memory_bytes = s->vm.ram_bytes + vm_driver_of(s)->overhead_bytes(s);
	return cgroup_plan(&rq, p, e);
}

int machine_enter_cgroups(const struct machine *m, struct err *e)
{
	int r = cgroup_enter(&m->cgroups);

	return r < 0 ? err_sys(e, -r, "cannot enter the cgroups") : 0;
}

int machine_cgroup_fd(const struct machine *m)
{
	return m->cgroups.unified;
}
