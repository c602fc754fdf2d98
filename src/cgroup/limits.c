/* limits.c - the limits of an instance: which flag, which controller, which file; and as linux.resources */
#include "cgroup/limits.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "cgroup/plan.h"

#define PERIOD_US   100000 /* the kernel's own default */
#define LEAST_QUOTA 1000 /* the kernel's */

enum limit_type { LIMIT_NUMBER, LIMIT_OPTIONAL, LIMIT_BOOL, LIMIT_TEXT, LIMIT_DEVICES };

static const struct limit {
	const char *flag;
	enum limit_type type;
	size_t off; /* in struct resources */
	const char *v1, *v2; /* controllers; v2 NULL: cgroup v2 has no such thing */
	const char *v1_file, *v2_file; /* where it is set first */
} limits[] = {
#define LIMIT(flag_, type_, member_, v1_, v2_, v1_file_, v2_file_)                                           \
	{                                                                                                    \
		flag_, LIMIT_##type_, offsetof(struct resources, member_), v1_, v2_, v1_file_, v2_file_      \
	}
	LIMIT("--memory", NUMBER, memory_bytes, "memory", "memory", "memory.limit_in_bytes", "memory.max"),
	LIMIT("--memory-swap", NUMBER, memory_swap_bytes, "memory", "memory", "memory.memsw.limit_in_bytes",
	      "memory.swap.max"),
	LIMIT("--memory-reservation", NUMBER, memory_reservation_bytes, "memory", "memory",
	      "memory.soft_limit_in_bytes", "memory.low"),
	LIMIT("--memory-swappiness", OPTIONAL, memory_swappiness, "memory", NULL, "memory.swappiness", NULL),
	LIMIT("--oom-kill-disable", BOOL, oom_kill_disable, "memory", NULL, "memory.oom_control", NULL),
	LIMIT("--cpus", NUMBER, cpu_milli, "cpu", "cpu", "cpu.cfs_quota_us", "cpu.max"),
	LIMIT("--cpu-quota", NUMBER, cpu_quota_us, "cpu", "cpu", "cpu.cfs_quota_us", "cpu.max"),
	LIMIT("--cpu-period", NUMBER, cpu_period_us, "cpu", "cpu", "cpu.cfs_period_us", "cpu.max"),
	LIMIT("--cpu-shares", NUMBER, cpu_shares, "cpu", "cpu", "cpu.shares", "cpu.weight"),
	LIMIT("--cpuset-cpus", TEXT, cpuset_cpus, "cpuset", "cpuset", "cpuset.cpus", "cpuset.cpus"),
	LIMIT("--cpuset-mems", TEXT, cpuset_mems, "cpuset", "cpuset", "cpuset.mems", "cpuset.mems"),
	LIMIT("--blkio-weight", NUMBER, blkio_weight, "blkio", "io", "blkio.bfq.weight", "io.bfq.weight"),
	LIMIT("--blkio-weight-device", DEVICES, blkio_weights, "blkio", "io", "blkio.bfq.weight_device",
	      "io.bfq.weight"),
	LIMIT("--device-read-bps", DEVICES, read_bps, "blkio", "io", "blkio.throttle.read_bps_device",
	      "io.max"),
	LIMIT("--device-write-bps", DEVICES, write_bps, "blkio", "io", "blkio.throttle.write_bps_device",
	      "io.max"),
	LIMIT("--device-read-iops", DEVICES, read_iops, "blkio", "io", "blkio.throttle.read_iops_device",
	      "io.max"),
	LIMIT("--device-write-iops", DEVICES, write_iops, "blkio", "io", "blkio.throttle.write_iops_device",
	      "io.max"),
	LIMIT("--pids-limit", NUMBER, pids, "pids", "pids", "pids.max", "pids.max"),
#undef LIMIT
};

static bool is_given(const struct limit *l, const struct resources *r)
{
	const char *at = (const char *)r + l->off;

	switch (l->type) {
	case LIMIT_NUMBER:
		return *(const uint64_t *)at != 0;
	case LIMIT_OPTIONAL:
		return ((const struct opt_i64 *)at)->set;
	case LIMIT_BOOL:
		return *(const bool *)at;
	case LIMIT_TEXT:
		return *(char *const *)at != NULL;
	case LIMIT_DEVICES:
		return ((const struct device_limits *)at)->n > 0;
	}
	return false;
}

static bool is_named(const char *name, const char *wanted)
{
	return name && !strcmp(name, wanted);
}

bool limits_want(const struct resources *r, const char *controller)
{
	for (size_t i = 0; i < ARRAY_LEN(limits); i++)
		if (is_given(&limits[i], r) &&
		    (is_named(limits[i].v1, controller) || is_named(limits[i].v2, controller)))
			return true;
	return false;
}

const char *limits_flag_of_file(const struct resources *r, const char *file)
{
	for (size_t i = 0; i < ARRAY_LEN(limits); i++)
		if (is_given(&limits[i], r) &&
		    (is_named(limits[i].v1_file, file) || is_named(limits[i].v2_file, file)))
			return limits[i].flag;
	return NULL;
}

/* --- what this host has */

static bool has_controller(const struct limit *l, const struct host_facts *h)
{
	return cgroup_base(h, l->v1) || (l->v2 && cgroup_base(h, l->v2));
}

int limits_check(const struct resources *r, const struct host_facts *h, struct err *e)
{
	for (size_t i = 0; i < ARRAY_LEN(limits); i++) {
		const struct limit *l = &limits[i];

		if (is_given(l, r) && !has_controller(l, h) && strcmp(l->v1, "pids"))
			return err_set(e, ENOTSUP, "%s: this host has no %s cgroup controller", l->flag,
				       h->cgroup_mode == CGROUP_V2 && l->v2 ? l->v2 : l->v1);
	}
	return 0;
}

static bool is_ignored(const struct limit *l, const struct host_facts *h)
{
	return !l->v2 && cgroup_is_v2(h, l->v1);
}

void limits_each_ignored(const struct resources *r, const struct host_facts *h,
			 void (*each)(void *arg, const char *flag), void *arg)
{
	for (size_t i = 0; i < ARRAY_LEN(limits); i++)
		if (is_given(&limits[i], r) && is_ignored(&limits[i], h))
			each(arg, limits[i].flag);
}

/* --- as linux.resources */

static struct opt_i64 number(uint64_t v)
{
	return (struct opt_i64){ .set = v != 0, .v = v > INT64_MAX ? INT64_MAX : (int64_t)v };
}

/* On v1 "no swap" is set apart, since there the file may be missing. */
static void memory_to_oci(const struct resources *r, bool v2, struct oci_memory *m)
{
	m->limit = number(r->memory_bytes);
	m->reservation = number(r->memory_reservation_bytes);
	if (r->memory_swap_bytes)
		m->swap = (struct opt_i64){ true, r->memory_swap_bytes };
	else if (v2)
		m->swap = m->limit;
	if (v2)
		return;
	m->swappiness = r->memory_swappiness;
	m->disable_oom_killer = r->oom_kill_disable;
}

static void cpu_to_oci(const struct resources *r, struct oci_cpu *c)
{
	uint64_t quota = r->cpu_milli * (PERIOD_US / 1000);

	if (r->cpu_milli) {
		c->period = number(PERIOD_US);
		c->quota = number(quota < LEAST_QUOTA ? LEAST_QUOTA : quota);
	} else {
		c->period = number(r->cpu_period_us);
		c->quota = number(r->cpu_quota_us);
	}
	c->shares = number(r->cpu_shares);
	c->cpus = r->cpuset_cpus;
	c->mems = r->cpuset_mems;
}

static int throttle_to_oci(const struct device_limits *l, struct oci_throttle_list *ret)
{
	ret->v = calloc(l->n + 1, sizeof(*ret->v));
	if (!ret->v)
		return -ENOMEM;
	for (ret->n = 0; ret->n < l->n; ret->n++)
		ret->v[ret->n] = (struct oci_throttle_device){ l->v[ret->n].major, l->v[ret->n].minor,
							       l->v[ret->n].value };
	return 0;
}

static int weights_to_oci(const struct device_limits *l, struct oci_block_io *b)
{
	b->weight_devices = calloc(l->n + 1, sizeof(*b->weight_devices));
	if (!b->weight_devices)
		return -ENOMEM;
	for (size_t i = 0; i < l->n; i++)
		b->weight_devices[i] = (struct oci_weight_device){ l->v[i].major, l->v[i].minor,
								   .weight = number(l->v[i].value) };
	b->n_weight_devices = l->n;
	return 0;
}

static int block_io_to_oci(const struct resources *r, struct oci_block_io *b)
{
	b->weight = number(r->blkio_weight);
	if (weights_to_oci(&r->blkio_weights, b) < 0 || throttle_to_oci(&r->read_bps, &b->read_bps) < 0 ||
	    throttle_to_oci(&r->write_bps, &b->write_bps) < 0 ||
	    throttle_to_oci(&r->read_iops, &b->read_iops) < 0 ||
	    throttle_to_oci(&r->write_iops, &b->write_iops) < 0)
		return -ENOMEM;
	return 0;
}

int limits_to_oci(const struct resources *r, const struct host_facts *h, struct oci_resources *ret)
{
	*ret = (struct oci_resources){ 0 };
	memory_to_oci(r, cgroup_is_v2(h, "memory"), &ret->memory);
	cpu_to_oci(r, &ret->cpu);
	if (cgroup_base(h, "pids"))
		ret->pids_limit = number(r->pids);
	if (block_io_to_oci(r, &ret->block_io) == 0)
		return 0;
	limits_done(ret);
	return -ENOMEM;
}

void limits_done(struct oci_resources *r)
{
	free(r->block_io.weight_devices);
	free(r->block_io.read_bps.v);
	free(r->block_io.write_bps.v);
	free(r->block_io.read_iops.v);
	free(r->block_io.write_iops.v);
	*r = (struct oci_resources){ 0 };
}
