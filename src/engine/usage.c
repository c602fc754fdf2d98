/* usage.c - what an instance costs, from both sides of its wall */
#include "base/auto.h"
#include "base/clock.h"
#include "cgroup/cgroup.h"
#include "cgroup/plan.h"
#include "engine/ask.h"
#include "engine/engine_int.h"

static int add_controller(const struct host_facts *h, const struct instance_spec *s, const char *controller,
			  struct cgroups *cg)
{
	autofree char *dir = cgroup_dir(h, controller, s->sandbox.cgroup_parent, s->id);

	return dir ? strv_addf(&cg->by_controller, "%s=%s", controller, dir) : 0;
}

/* What the host counts of a VM, found by the name of its cgroups. */
static void read_host(struct engine *en, const struct instance *in, struct stats *ret)
{
	static const char *const controllers[] = { "unified", "memory", "cpuacct", "pids", "io", "blkio" };
	struct cgroups cg = CGROUPS_INIT;
	int r = 0;

	for (size_t i = 0; i < ARRAY_LEN(controllers) && r == 0; i++)
		r = add_controller(engine_facts(en), &in->spec, controllers[i], &cg);
	if (r == 0)
		cgroup_stats(&cg, ret);
	cgroups_done(&cg);
}

static uint64_t memory_limit(struct engine *en, const struct instance *in, const struct stats *inside)
{
	if (in->spec.resources.memory_bytes)
		return in->spec.resources.memory_bytes;
	return in->spec.isolation == ISOLATION_VM ? inside->machine_bytes : engine_facts(en)->ram_bytes;
}

int engine_usage(struct engine *en, const struct instance *in, struct usage *ret, struct err *e)
{
	struct usage u = { 0 };
	int r = engine_ask_stats(en, in, &u.inside, e);

	if (r < 0)
		return r;
	u.at_ns = clock_mono_ns();
	if (in->spec.isolation == ISOLATION_VM)
		read_host(en, in, &u.host);
	u.memory_limit_bytes = memory_limit(en, in, &u.inside);
	u.cpus = in->spec.isolation == ISOLATION_VM ? in->spec.vm.vcpus : engine_facts(en)->cpus;
	*ret = u;
	return 0;
}
