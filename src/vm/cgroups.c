/* cgroups.c - the cgroups of a VM: hypervisor and file servers share them, under the instance's ceilings */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/auto.h"
#include "base/io.h"
#include "cgroup/limits.h"
#include "cgroup/oci.h"
#include "cgroup/steps.h"
#include "vm/vm.h"
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

static int apply_warn(void *ctx, const struct step *s, struct err *e)
{
	struct machine *m = ctx;

	return strv_add(&m->state->warnings, s->data) < 0 ? err_set(e, ENOMEM, "out of memory") : 0;
}

static const struct step_op op_enable = { "cgroup-enable", STAGE_HOST, apply_enable };
static const struct step_op op_make = { "cgroup-make", STAGE_HOST, apply_make };
static const struct step_op op_set = { "cgroup-set", STAGE_HOST, apply_set };
static const struct step_op op_warn = { "warn", STAGE_HOST, apply_warn };

/* Memory: the guest's RAM and what the VMM needs; within the RAM the guest holds the workload to its own ceiling, as it
 * does for processes.  CPU and block devices: the limits of the workload, which all of the VM shares. */
static struct resources host_limits(const struct instance_spec *s)
{
	uint64_t overhead = vm_driver_of(s)->overhead_bytes(s);
	struct resources limits = s->resources;

	if (limits.memory_bytes)
		limits.memory_bytes = s->vm.ram_bytes + overhead;
	if (limits.memory_reservation_bytes)
		limits.memory_reservation_bytes += overhead;
	limits.memory_swap_bytes = 0;
	limits.pids = 0;
	return limits;
}

static bool is_wanted(const char *controller, const struct resources *limits)
{
	return (strcmp(controller, "cpuset") && strcmp(controller, "blkio") && strcmp(controller, "io")) ||
	       limits_want(limits, controller);
}

int vm_plan_cgroups(const struct instance_spec *s, const struct host_facts *h, struct plan *p, struct err *e)
{
	static const struct cgroup_rows rows = {
		.enable = &op_enable, .make = &op_make, .set = &op_set, .warn = &op_warn
	};
	static const char *const all[] = { "unified", "memory", "cpu",	 "cpuacct",
					   "pids",    "cpuset", "blkio", "io" };
	const struct resources limits = host_limits(s); /* borrows */
	const char *wanted[ARRAY_LEN(all) + 1];
	const struct cgroup_request rq = { h, s->id, s->sandbox.cgroup_parent, &limits, wanted, &rows };
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		if (is_wanted(all[i], &limits))
			wanted[n++] = all[i];
	wanted[n] = NULL;
	return cgroup_plan(&rq, p, e);
}

/* --- update */

static int record_dirs(const struct instance_spec *s, const struct host_facts *h, struct strv *ret)
{
	static const char *const controllers[] = { "unified", "memory", "cpu", "cpuset", "blkio" };
	int r = 0;

	for (size_t i = 0; i < ARRAY_LEN(controllers) && r == 0; i++) {
		autofree char *dir = cgroup_dir(h, controllers[i], s->sandbox.cgroup_parent, s->id);

		/* those of v2 are all "unified" */
		if (dir && access(dir, F_OK) == 0 && (i == 0 || !cgroup_is_v2(h, controllers[i])))
			r = strv_addf(ret, "%s=%s", controllers[i], dir);
	}
	return r;
}

static int check_joined(const struct resources *limits, const struct host_facts *h, const struct strv *dirs,
			struct err *e)
{
	static const char *const controllers[] = { "cpuset", "blkio" };

	for (size_t i = 0; i < ARRAY_LEN(controllers); i++)
		if (limits_want(limits, controllers[i]) && !cgroup_is_v2(h, controllers[i]) &&
		    !strv_env_get(dirs, controllers[i]))
			return err_set(e, ENOTSUP,
				       "the running machine has no limit of %s to be changed: stop it first",
				       controllers[i]);
	return 0;
}

/* The ceilings of RAM stay: the machine has what it has. */
static struct resources changeable_limits(const struct instance_spec *s)
{
	struct resources limits = s->resources;

	limits.memory_bytes = limits.memory_reservation_bytes = limits.pids = 0;
	limits.memory_swap_bytes = 0;
	return limits;
}

int vm_update_host(const struct instance_spec *s, const struct host_facts *h, struct err *e)
{
	static const struct cgroup_rows rows = {
		.enable = &op_enable, .make = &op_make, .set = &op_set, .warn = &op_warn
	};
	const struct resources limits = changeable_limits(s); /* borrows */
	AUTO(limits_done) struct oci_resources oci = { 0 };
	const struct cgroup_oci_request rq = { .facts = h, .id = s->id, .resources = &oci, .rows = &rows };
	AUTO(strv_done) struct strv dirs = { 0 };
	AUTO(plan_done) struct plan p = { 0 };
	struct instance_state state = { 0 };
	struct machine m = { .state = &state };
	int r;

	if (record_dirs(s, h, &dirs) < 0 || limits_to_oci(&limits, h, &oci) < 0)
		return err_set(e, ENOMEM, "out of memory");
	r = check_joined(&limits, h, &dirs, e);
	if (r == 0)
		r = cgroup_plan_update(&rq, &dirs, &p, e);
	if (r == 0)
		r = plan_apply(&p, STAGE_HOST, &m, e);
	json_done(&instance_state_table, &state);
	return r;
}

int machine_enter_cgroups(const struct machine *m, struct err *e)
{
	int r = cgroup_enter(&m->cgroups);
	char score[16];

	/* when the host is short of memory, what is given up is the machine; one that cannot be lowered may stay */
	snprintf(score, sizeof(score), "%d", m->boot->spec.resources.oom_score_adj);
	write_existing(AT_FDCWD, "/proc/self/oom_score_adj", score);
	return r < 0 ? err_sys(e, -r, "cannot enter the cgroups") : 0;
}

int machine_cgroup_fd(const struct machine *m)
{
	return m->cgroups.unified;
}
