/* oci_io.c - linux.resources.blockIO, hugepageLimits, rdma and network (runtime-spec config-linux.md) */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "cgroup/oci_int.h"

/* --- block devices */

static bool asks_block_io(const struct oci_resources *r)
{
	const struct oci_block_io *b = &r->block_io;

	return oci_given(&b->weight) || oci_given(&b->leaf_weight) || b->n_weight_devices || b->read_bps.n ||
	       b->write_bps.n || b->read_iops.n || b->write_iops.n;
}

/* io.weight has 1..10000 where blkio.weight and BFQ have 10..1000. */
static int64_t io_weight(int64_t blkio)
{
	return 1 + (blkio - 10) * 9999 / 990;
}

/* The file is that of BFQ, when its scheduler is there (the other one is gone from v1 since Linux 5.0); else on v1 that of
 * the old scheduler, on v2 that of the cost model, which reckons otherwise. */
static void set_weight(struct oci_planner *pl, const char *dir, const char *device, int64_t weight, bool v2)
{
	const char *suffix = *device && !v2 ? "_device" : "";
	autofree char *file = str_printf("%s/%s.bfq.weight%s", dir, v2 ? "io" : "blkio", suffix);
	autofree char *value = str_printf("%s%" PRId64, device, weight);
	autofree char *otherwise = v2 ? str_printf("io.weight=%s%" PRId64, device, io_weight(weight))
				      : str_printf("blkio.weight%s=%s%" PRId64, suffix, device, weight);

	if (weight < 10 || weight > 1000)
		return oci_fail(pl, EINVAL,
				"linux.resources.blockIO.weight%s: %" PRId64 " is not in 10..1000",
				*device ? "Device" : "", weight);
	if (!file || !value || !otherwise)
		return oci_fail(pl, ENOMEM, "out of memory");
	oci_set_either(pl, file, value, otherwise);
}

static void set_weight_device(struct oci_planner *pl, const char *dir, const struct oci_weight_device *d,
			      bool v2)
{
	autofree char *device = str_printf("%" PRId64 ":%" PRId64 " ", d->major, d->minor);

	if (!device)
		return oci_fail(pl, ENOMEM, "out of memory");
	if (oci_given(&d->weight))
		set_weight(pl, dir, device, d->weight.v, v2);
	if (!oci_given(&d->leaf_weight))
		return;
	if (v2)
		return oci_warn(pl, "linux.resources.blockIO.weightDevice: cgroup v2 has no leaf weight");
	oci_set(pl, dir, "blkio.leaf_weight_device", 0, "%s%" PRId64, device, d->leaf_weight.v);
}

struct throttle {
	const struct oci_throttle_list *list;
	const char *v1, *v2;
};

static void set_throttle(struct oci_planner *pl, const char *dir, const struct throttle *t, bool v2)
{
	for (size_t i = 0; i < t->list->n; i++) {
		const struct oci_throttle_device *d = &t->list->v[i];

		if (!v2)
			oci_set(pl, dir, t->v1, 0, "%" PRId64 ":%" PRId64 " %" PRIu64, d->major, d->minor,
				d->rate);
		else if (d->rate)
			oci_set(pl, dir, "io.max", 0, "%" PRId64 ":%" PRId64 " %s=%" PRIu64, d->major,
				d->minor, t->v2, d->rate);
		else /* v1 takes 0 for "no limit" */
			oci_set(pl, dir, "io.max", 0, "%" PRId64 ":%" PRId64 " %s=max", d->major, d->minor,
				t->v2);
	}
}

static void set_block_io(struct oci_planner *pl, const char *dir, bool v2)
{
	const struct oci_block_io *b = &pl->resources->block_io;
	const struct throttle throttles[] = {
		{ &b->read_bps, "blkio.throttle.read_bps_device", "rbps" },
		{ &b->write_bps, "blkio.throttle.write_bps_device", "wbps" },
		{ &b->read_iops, "blkio.throttle.read_iops_device", "riops" },
		{ &b->write_iops, "blkio.throttle.write_iops_device", "wiops" },
	};

	if (oci_given(&b->weight))
		set_weight(pl, dir, "", b->weight.v, v2);
	if (oci_given(&b->leaf_weight))
		oci_set(pl, dir, "blkio.leaf_weight", 0, "%" PRId64, b->leaf_weight.v);
	for (size_t i = 0; i < b->n_weight_devices && pl->r == 0; i++)
		set_weight_device(pl, dir, &b->weight_devices[i], v2);
	for (size_t i = 0; i < ARRAY_LEN(throttles); i++)
		set_throttle(pl, dir, &throttles[i], v2);
}

/* --- huge pages */

static bool asks_hugetlb(const struct oci_resources *r)
{
	return r->n_hugepage_limits > 0;
}

/* "2MB": it becomes part of a file's name. */
static bool is_page_size(const char *s)
{
	size_t digits = s ? strspn(s, "0123456789") : 0;

	return digits && digits <= 9 &&
	       (!strcmp(s + digits, "KB") || !strcmp(s + digits, "MB") || !strcmp(s + digits, "GB"));
}

static void set_hugetlb(struct oci_planner *pl, const char *dir, bool v2)
{
	const char *suffix = v2 ? "max" : "limit_in_bytes";

	for (size_t i = 0; i < pl->resources->n_hugepage_limits; i++) {
		const struct oci_hugepage_limit *l = &pl->resources->hugepage_limits[i];
		autofree char *file = NULL, *reserved = NULL;

		if (!is_page_size(l->page_size))
			return oci_fail(
				pl, EINVAL,
				"linux.resources.hugepageLimits[%zu].pageSize: \"%.40s\" is not a size like "
				"\"2MB\"",
				i, l->page_size ? l->page_size : "");
		file = str_printf("hugetlb.%s.%s", l->page_size, suffix);
		reserved = str_printf("hugetlb.%s.rsvd.%s", l->page_size, suffix);
		if (!file || !reserved)
			return oci_fail(pl, ENOMEM, "out of memory");
		oci_set(pl, dir, file, 0, "%" PRIu64, l->limit);
		/* what is reserved and not yet used (Linux 5.7): without it a process that exceeds the limit dies of
		 * SIGBUS instead of being refused */
		oci_set(pl, dir, reserved, STEP_OPTIONAL, "%" PRIu64, l->limit);
	}
}

/* --- RDMA */

static bool asks_rdma(const struct oci_resources *r)
{
	return r->n_rdma > 0;
}

/* A word: it stands in a line of "NAME VALUE". */
static bool is_word(const char *s)
{
	return s && *s && !strpbrk(s, " \t\n");
}

static void set_rdma(struct oci_planner *pl, const char *dir, bool v2)
{
	for (size_t i = 0; i < pl->resources->n_rdma; i++) {
		const struct oci_rdma *d = &pl->resources->rdma[i];
		AUTO(buf_done) struct buf line = { 0 };

		if (!is_word(d->device))
			return oci_fail(pl, EINVAL, "linux.resources.rdma: \"%.80s\" is not a device",
					d->device ? d->device : "");
		buf_adds(&line, d->device);
		if (d->hca_handles.set)
			buf_addf(&line, " hca_handle=%" PRId64, d->hca_handles.v);
		if (d->hca_objects.set)
			buf_addf(&line, " hca_object=%" PRId64, d->hca_objects.v);
		if (!buf_ok(&line))
			return oci_fail(pl, ENOMEM, "out of memory");
		if (d->hca_handles.set || d->hca_objects.set)
			oci_set(pl, dir, "rdma.max", 0, "%s", line.data);
	}
}

/* --- network: v1 only; on v2 programs at the cgroup do this */

static bool asks_net_cls(const struct oci_resources *r)
{
	return oci_given(&r->network_class_id);
}

static void set_net_cls(struct oci_planner *pl, const char *dir, bool v2)
{
	oci_set(pl, dir, "net_cls.classid", 0, "%" PRId64, pl->resources->network_class_id.v);
}

static bool asks_net_prio(const struct oci_resources *r)
{
	return r->n_network_priorities > 0;
}

static void set_net_prio(struct oci_planner *pl, const char *dir, bool v2)
{
	for (size_t i = 0; i < pl->resources->n_network_priorities; i++) {
		const struct oci_interface_priority *p = &pl->resources->network_priorities[i];

		if (!is_word(p->name))
			return oci_fail(
				pl, EINVAL,
				"linux.resources.network.priorities[%zu].name: \"%.40s\" is not an interface",
				i, p->name ? p->name : "");
		oci_set(pl, dir, "net_prio.ifpriomap", 0, "%s %" PRIu32, p->name, p->priority);
	}
}

const struct oci_kind oci_io[] = {
	{ "blkio", "io", "linux.resources.blockIO", asks_block_io, set_block_io },
	{ "hugetlb", "hugetlb", "linux.resources.hugepageLimits", asks_hugetlb, set_hugetlb },
	{ "rdma", "rdma", "linux.resources.rdma", asks_rdma, set_rdma },
	{ "net_cls", NULL, "linux.resources.network.classID", asks_net_cls, set_net_cls },
	{ "net_prio", NULL, "linux.resources.network.priorities", asks_net_prio, set_net_prio },
	{ 0 },
};
