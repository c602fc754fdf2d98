/* oci_ignored.c - what linux.resources may ask and cgroup v2, or any kernel of today, does not have: left out, with a warning
 *
 * As runc does it: callers send such settings without looking at the host, and v1 and v2 are to be alike to them.
 */
#include <errno.h>

#include "base/auto.h"
#include "cgroup/oci_int.h"

static bool takes_number(struct opt_i64 *n, int64_t none)
{
	bool asked = n->set && n->v != none;

	*n = (struct opt_i64){ 0 };
	return asked;
}

static bool takes_kernel(struct oci_resources *r)
{
	return takes_number(&r->memory.kernel, -1);
}

static bool takes_kernel_tcp(struct oci_resources *r)
{
	return takes_number(&r->memory.kernel_tcp, -1);
}

static bool takes_swappiness(struct oci_resources *r)
{
	return takes_number(&r->memory.swappiness, -1);
}

static bool takes_oom_killer(struct oci_resources *r)
{
	bool asked = r->memory.disable_oom_killer;

	r->memory.disable_oom_killer = false;
	return asked;
}

static bool takes_realtime_runtime(struct oci_resources *r)
{
	return takes_number(&r->cpu.realtime_runtime, 0);
}

static bool takes_realtime_period(struct oci_resources *r)
{
	return takes_number(&r->cpu.realtime_period, 0);
}

static bool takes_leaf_weight(struct oci_resources *r)
{
	return takes_number(&r->block_io.leaf_weight, 0);
}

static bool takes_class_id(struct oci_resources *r)
{
	return takes_number(&r->network_class_id, 0);
}

static bool takes_priorities(struct oci_resources *r)
{
	bool asked = r->n_network_priorities > 0;

	r->n_network_priorities = 0;
	return asked;
}

static const struct {
	const char *controller; /* ignored where that is a v2 one; "": where all are; NULL: everywhere */
	const char *key;
	bool (*takes)(struct oci_resources *r); /* out of r; was it asked for? */
} ignored[] = {
	{ NULL, "memory.kernel", takes_kernel },
	{ "memory", "memory.kernelTCP", takes_kernel_tcp },
	{ "memory", "memory.swappiness", takes_swappiness },
	{ "memory", "memory.disableOOMKiller", takes_oom_killer },
	{ "cpu", "cpu.realtimeRuntime", takes_realtime_runtime },
	{ "cpu", "cpu.realtimePeriod", takes_realtime_period },
	{ "io", "blockIO.leafWeight", takes_leaf_weight },
	{ "", "network.classID", takes_class_id },
	{ "", "network.priorities", takes_priorities },
};

static bool is_absent(const struct host_facts *h, const char *controller)
{
	return !controller || h->cgroup_mode == CGROUP_V2 || (*controller && cgroup_is_v2(h, controller));
}

void oci_leave_out(struct oci_planner *pl, struct oci_resources *r)
{
	for (size_t i = 0; i < ARRAY_LEN(ignored); i++)
		if (is_absent(pl->rq->facts, ignored[i].controller) && ignored[i].takes(r))
			oci_warn(pl, "linux.resources.%s: ignored, %s has no such setting", ignored[i].key,
				 ignored[i].controller ? "cgroup v2" : "the kernel");
}
