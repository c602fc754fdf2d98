/* runtime_resources.c - what can be wrong with the resources of a cgroup (config-linux.md#control-groups) */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "oci/runtime_int.h"

#define NUMBERS	   ((struct oci_range){ 0, INT64_MAX })
#define NUMBERS_32 ((struct oci_range){ 0, UINT32_MAX })
#define LIMITS	   ((struct oci_range){ -1, INT64_MAX }) /* -1: unlimited */
#define WEIGHTS	   ((struct oci_range){ 10, 1000 })
#define MAX_IFNAME 15 /* bytes of the name of a network interface (IFNAMSIZ) */

static int check_device_rules(const struct oci_resources *r, const char *at, struct err *e)
{
	static const char *const types[] = { "", "a", "b", "c", NULL };

	for (size_t i = 0; i < r->n_devices; i++) {
		const struct oci_device_rule *d = &r->devices[i];

		if ((d->type && oci_check_name(e, d->type, types, "%sdevices[%zu].type", at, i) < 0) ||
		    oci_check_optional(e, &d->major, OCI_MAJORS, "%sdevices[%zu].major", at, i) < 0 ||
		    oci_check_optional(e, &d->minor, OCI_MINORS, "%sdevices[%zu].minor", at, i) < 0)
			return -EINVAL;
		if (d->access && d->access[strspn(d->access, "rwm")])
			return err_set(e, EINVAL, "%sdevices[%zu].access: \"%.60s\" is not made of r, w, m",
				       at, i, d->access);
	}
	return 0;
}

static int check_memory(const struct oci_resources *r, const char *at, struct err *e)
{
	const struct oci_memory *m = &r->memory;

	if (oci_check_optional(e, &m->limit, LIMITS, "%smemory.limit", at) < 0 ||
	    oci_check_optional(e, &m->reservation, LIMITS, "%smemory.reservation", at) < 0 ||
	    oci_check_optional(e, &m->swap, LIMITS, "%smemory.swap", at) < 0 ||
	    oci_check_optional(e, &m->kernel, LIMITS, "%smemory.kernel", at) < 0 ||
	    oci_check_optional(e, &m->kernel_tcp, LIMITS, "%smemory.kernelTCP", at) < 0 ||
	    oci_check_optional(e, &m->swappiness, (struct oci_range){ 0, 100 }, "%smemory.swappiness", at) <
		    0)
		return -EINVAL;
	if (m->swap.v > 0 && m->limit.v > m->swap.v)
		return err_set(e, EINVAL, "%smemory.swap: below memory.limit, which it includes", at);
	return 0;
}

/* The kernel takes quotas of 1 ms or more and periods of 1 ms to 1 s. */
static int check_cpu(const struct oci_resources *r, const char *at, struct err *e)
{
	const struct oci_range periods = { 1000, 1000000 };
	const struct oci_cpu *c = &r->cpu;

	if (oci_check_optional(e, &c->shares, NUMBERS, "%scpu.shares", at) < 0 ||
	    oci_check_optional(e, &c->quota, LIMITS, "%scpu.quota", at) < 0 ||
	    oci_check_optional(e, &c->burst, NUMBERS, "%scpu.burst", at) < 0 ||
	    oci_check_optional(e, &c->period, periods, "%scpu.period", at) < 0 ||
	    oci_check_optional(e, &c->realtime_runtime, LIMITS, "%scpu.realtimeRuntime", at) < 0 ||
	    oci_check_optional(e, &c->realtime_period, NUMBERS, "%scpu.realtimePeriod", at) < 0 ||
	    oci_check_optional(e, &c->idle, (struct oci_range){ 0, 1 }, "%scpu.idle", at) < 0 ||
	    oci_check_cpus(e, c->cpus, "%scpu.cpus", at) < 0 ||
	    oci_check_cpus(e, c->mems, "%scpu.mems", at) < 0)
		return -EINVAL;
	if (c->quota.v > 0 && c->quota.v < periods.min)
		return err_set(e, EINVAL, "%scpu.quota: %lld is less than 1000 microseconds", at,
			       (long long)c->quota.v);
	if (c->quota.v > 0 && c->burst.v > c->quota.v)
		return err_set(e, EINVAL, "%scpu.burst: above the quota", at);
	return 0;
}

static int check_pids(const struct oci_resources *r, const char *at, struct err *e)
{
	return oci_check_optional(e, &r->pids_limit, LIMITS, "%spids.limit", at);
}

/* --- block devices */

static int check_weight_device(const struct oci_weight_device *d, const char *at, size_t i, struct err *e)
{
	if (oci_check_range(e, d->major, OCI_MAJORS, "%sblockIO.weightDevice[%zu].major", at, i) < 0 ||
	    oci_check_range(e, d->minor, OCI_MINORS, "%sblockIO.weightDevice[%zu].minor", at, i) < 0 ||
	    oci_check_optional(e, &d->weight, WEIGHTS, "%sblockIO.weightDevice[%zu].weight", at, i) < 0)
		return -EINVAL;
	if (!d->weight.set && !d->leaf_weight.set)
		return err_set(e, EINVAL, "%sblockIO.weightDevice[%zu].weight: missing, as is leafWeight", at,
			       i);
	return oci_check_optional(e, &d->leaf_weight, WEIGHTS, "%sblockIO.weightDevice[%zu].leafWeight", at,
				  i);
}

static int check_weights(const struct oci_resources *r, const char *at, struct err *e)
{
	const struct oci_block_io *b = &r->block_io;

	if (oci_check_optional(e, &b->weight, WEIGHTS, "%sblockIO.weight", at) < 0 ||
	    oci_check_optional(e, &b->leaf_weight, WEIGHTS, "%sblockIO.leafWeight", at) < 0)
		return -EINVAL;
	for (size_t i = 0; i < b->n_weight_devices; i++)
		if (check_weight_device(&b->weight_devices[i], at, i, e) < 0)
			return -EINVAL;
	return 0;
}

static int check_throttles(const struct oci_resources *r, const char *at, struct err *e)
{
	const struct oci_block_io *b = &r->block_io;
	const struct {
		const struct oci_throttle_list *list;
		const char *key;
	} lists[] = {
		{ &b->read_bps, "throttleReadBpsDevice" },
		{ &b->write_bps, "throttleWriteBpsDevice" },
		{ &b->read_iops, "throttleReadIOPSDevice" },
		{ &b->write_iops, "throttleWriteIOPSDevice" },
	};

	for (size_t l = 0; l < ARRAY_LEN(lists); l++)
		for (size_t i = 0; i < lists[l].list->n; i++) {
			const struct oci_throttle_device *d = &lists[l].list->v[i];

			if (oci_check_range(e, d->major, OCI_MAJORS, "%sblockIO.%s[%zu].major", at,
					    lists[l].key, i) < 0 ||
			    oci_check_range(e, d->minor, OCI_MINORS, "%sblockIO.%s[%zu].minor", at,
					    lists[l].key, i) < 0)
				return -EINVAL;
		}
	return 0;
}

/* --- the rest */

/* "2MB": a power of two of KB, MB or GB. */
static bool is_page_size(const char *s)
{
	size_t n = strspn(s, "0123456789");
	unsigned long size = n > 0 && n < 8 ? strtoul(s, NULL, 10) : 0;

	return size && (size & (size - 1)) == 0 && s[0] != '0' &&
	       (!strcmp(s + n, "KB") || !strcmp(s + n, "MB") || !strcmp(s + n, "GB"));
}

static int check_hugepages(const struct oci_resources *r, const char *at, struct err *e)
{
	for (size_t i = 0; i < r->n_hugepage_limits; i++)
		if (!is_page_size(r->hugepage_limits[i].page_size))
			return err_set(e, EINVAL,
				       "%shugepageLimits[%zu].pageSize: \"%.60s\" is not a size like 2MB", at,
				       i, r->hugepage_limits[i].page_size);
	return 0;
}

static int check_network(const struct oci_resources *r, const char *at, struct err *e)
{
	if (oci_check_optional(e, &r->network_class_id, NUMBERS_32, "%snetwork.classID", at) < 0)
		return -EINVAL;
	for (size_t i = 0; i < r->n_network_priorities; i++) {
		const char *name = r->network_priorities[i].name;

		if (!*name || strlen(name) > MAX_IFNAME || name[strcspn(name, "/ \t\n")])
			return err_set(e, EINVAL,
				       "%snetwork.priorities[%zu].name: \"%.60s\" is no network interface",
				       at, i, name);
	}
	return 0;
}

static int check_rdma(const struct oci_resources *r, const char *at, struct err *e)
{
	for (size_t i = 0; i < r->n_rdma; i++) {
		const struct oci_rdma *d = &r->rdma[i];

		if (!*d->device || d->device[strcspn(d->device, "/ \t\n")])
			return err_set(e, EINVAL, "%srdma[\"%.60s\"]: not a device", at, d->device);
		if (oci_check_optional(e, &d->hca_handles, NUMBERS_32, "%srdma.%.60s.hcaHandles", at,
				       d->device) < 0 ||
		    oci_check_optional(e, &d->hca_objects, NUMBERS_32, "%srdma.%.60s.hcaObjects", at,
				       d->device) < 0)
			return -EINVAL;
		if (!d->hca_handles.set && !d->hca_objects.set)
			return err_set(e, EINVAL, "%srdma.%.60s.hcaHandles: missing", at, d->device);
	}
	return 0;
}

/* The keys are names of files in the directory of the cgroup: "memory.high". */
static int check_unified(const struct oci_resources *r, const char *at, struct err *e)
{
	for (size_t i = 0; i < r->unified.n; i++) {
		const char *key = r->unified.v[i];
		size_t n = strcspn(key, "="), first = strcspn(key, ".");

		if (first == 0 || first + 1 >= n || memchr(key, '/', n))
			return err_set(e, EINVAL, "%sunified[\"%.*s\"]: not a file like memory.high", at,
				       (int)(n < 60 ? n : 60), key);
	}
	return 0;
}

int oci_check_resources(const struct oci_resources *r, const char *at, struct err *e)
{
	static int (*const checks[])(const struct oci_resources *r, const char *at, struct err *e) = {
		check_device_rules, check_memory,    check_cpu,	    check_pids, check_weights,
		check_throttles,    check_hugepages, check_network, check_rdma, check_unified,
	};
	int rc = 0;

	for (size_t i = 0; i < ARRAY_LEN(checks) && rc == 0; i++)
		rc = checks[i](r, at, e);
	return rc;
}
