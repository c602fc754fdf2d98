/* test_oci_plan.c - the cgroups of OCI containers as plans, against tests/golden/cgroup-*.plan; what is refused
 *
 * test_oci_plan DIR; with KETCH_GOLDEN=write the texts are written anew, to be looked at in the diff.
 */
#include "../cm.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/auto.h"
#include "base/io.h"
#include "cgroup/oci.h"
#include "cgroup/oci_int.h"

static const char *golden_dir;

static int never(void *ctx, const struct step *s, struct err *e)
{
	return -EINVAL;
}

static const struct step_op enable = { "enable", STAGE_HOST, never }, make = { "make", STAGE_HOST, never },
			    set = { "set", STAGE_HOST, never }, devices = { "devices", STAGE_HOST, never },
			    scope = { "scope", STAGE_HOST, never }, warn = { "warn", STAGE_HOST, never };
static const struct cgroup_rows rows = { &enable, &make, &set, &devices, &scope, &warn };

/* --- hosts */

static void add_all(struct strv *s, const char *text)
{
	assert_int_equal(strv_split(s, text, " "), 0);
}

static struct host_facts v1_host(void)
{
	struct host_facts h = { .cgroup_mode = CGROUP_V1 };

	add_all(&h.cgroups,
		"cpuset=/c/cpuset cpu=/c/cpu,cpuacct cpuacct=/c/cpu,cpuacct blkio=/c/blkio memory=/c/memory "
		"devices=/c/devices freezer=/c/freezer net_cls=/c/net_cls,net_prio perf_event=/c/perf_event "
		"net_prio=/c/net_cls,net_prio hugetlb=/c/hugetlb pids=/c/pids rdma=/c/rdma "
		"systemd=/c/systemd");
	add_all(&h.own_cgroups, "memory=/c/memory/me pids=/c/pids/me/deep");
	return h;
}

static struct host_facts hybrid_host(void)
{
	struct host_facts h = { .cgroup_mode = CGROUP_HYBRID };

	add_all(&h.cgroups, "cpu=/c/cpu memory=/c/memory devices=/c/devices freezer=/c/freezer pids=/c/pids "
			    "systemd=/c/systemd unified=/c/unified hugetlb=/c/unified");
	return h;
}

static struct host_facts v2_host(void)
{
	struct host_facts h = { .cgroup_mode = CGROUP_V2 };

	add_all(&h.cgroups, "unified=/c cpuset=/c cpu=/c io=/c memory=/c hugetlb=/c pids=/c rdma=/c misc=/c");
	add_all(&h.own_cgroups, "unified=/c/user.slice/shell.scope");
	return h;
}

/* --- resources */

static struct opt_i64 some(int64_t v)
{
	return (struct opt_i64){ true, v };
}

static struct oci_device_rule rules[] = {
	{ .allow = false, .access = (char *)"rwm" },
	{ .allow = true, .type = (char *)"c", .major = { true, 10 }, .minor = { true, 229 } },
	{ .allow = true, .type = (char *)"b", .major = { true, 8 }, .access = (char *)"r" },
};
static struct oci_weight_device weights[] = { { 8, 0, { true, 500 }, { 0 } } };
static struct oci_throttle_device rates[] = { { 8, 0, 1000 }, { 8, 16, 0 } };
static struct oci_hugepage_limit pages[] = { { (char *)"2MB", 4194304 } };
static struct oci_rdma rdma[] = { { (char *)"mlx5_1", { true, 3 }, { true, 10000 } } };
static struct oci_interface_priority priorities[] = { { (char *)"eth0", 500 } };

/* What both versions have. */
static struct oci_resources rich(void)
{
	return (struct oci_resources){
		.devices = rules,
		.n_devices = ARRAY_LEN(rules),
		.memory = { .limit = some(1 << 30),
			    .swap = some(3LL << 29),
			    .reservation = some(1 << 29),
			    .kernel = some(1 << 20) },
		.cpu = { .shares = some(1024),
			 .quota = some(50000),
			 .period = some(100000),
			 .burst = some(1000),
			 .idle = some(0),
			 .cpus = (char *)"0-1",
			 .mems = (char *)"0" },
		.pids_limit = some(100),
		.block_io = { .weight = some(100),
			      .weight_devices = weights,
			      .n_weight_devices = 1,
			      .read_bps = { rates, 2 },
			      .write_iops = { rates, 1 } },
		.hugepage_limits = pages,
		.n_hugepage_limits = 1,
		.rdma = rdma,
		.n_rdma = 1,
	};
}

static struct oci_resources rich_v1(void)
{
	struct oci_resources r = rich();

	r.memory.swappiness = some(10);
	r.memory.kernel_tcp = some(4096);
	r.memory.disable_oom_killer = true;
	r.cpu.realtime_period = some(1000000);
	r.cpu.realtime_runtime = some(950000);
	r.block_io.leaf_weight = some(300);
	r.network_class_id = some(0x100001);
	r.network_priorities = priorities;
	r.n_network_priorities = 1;
	return r;
}

/* What on v2 is ignored, and nothing else. */
static struct oci_resources only_v1(void)
{
	return (struct oci_resources){ .memory = { .swappiness = some(60), .disable_oom_killer = true },
				       .cpu.realtime_runtime = some(1000),
				       .network_class_id = some(1) };
}

static struct oci_resources rich_v2(void)
{
	struct oci_resources r = rich();

	r.memory.check_before_update = true;
	assert_int_equal(strv_add(&r.unified, "memory.high=900000000"), 0);
	assert_int_equal(strv_add(&r.unified, "misc.max=sev 1\nsev_es 2\n"), 0);
	return r;
}

static struct oci_resources small(void)
{
	return (struct oci_resources){ .memory.limit = some(1 << 20) };
}

static struct oci_resources lifted(void)
{
	return (struct oci_resources){ .memory.limit = some(-1),
				       .cpu = { .quota = some(-1), .idle = some(1), .shares = some(2) },
				       .pids_limit = some(-1) };
}

static struct oci_resources period_only(void)
{
	return (struct oci_resources){ .cpu.period = some(50000) };
}

static struct oci_resources nothing(void)
{
	return (struct oci_resources){ 0 };
}

/* --- plans */

struct plan_case {
	const char *name;
	struct host_facts (*host)(void);
	struct oci_resources (*resources)(void);
	const char *path;
	bool update, rootless, systemd;
};

static const struct plan_case plan_cases[] = {
	{ "v1", v1_host, rich_v1, "/docker/ID" },
	{ "v1-relative", v1_host, small, "a/b" },
	{ "v1-update", v1_host, rich_v1, "/docker/ID", .update = true },
	{ "v1-lifted", v1_host, lifted, "/x", .update = true },
	{ "hybrid", hybrid_host, small, "/k8s.io/pod/ID" },
	{ "hybrid-no-limits", hybrid_host, nothing, NULL },
	{ "v2", v2_host, rich_v2, "//docker/./ID/" },
	{ "v2-relative", v2_host, nothing, NULL },
	{ "v2-update", v2_host, rich_v2, "/docker/ID", .update = true },
	{ "v2-lifted", v2_host, lifted, "/x", .update = true },
	{ "v2-period", v2_host, period_only, "/x" },
	{ "v2-period-update", v2_host, period_only, "/x", .update = true },
	{ "v2-rootless", v2_host, nothing, "user/x", .rootless = true },
	{ "v2-ignored", v2_host, rich_v1, "/x" },
	{ "v2-ignored-alone", v2_host, only_v1, "/x", .update = true },
	{ "v2-systemd", v2_host, small, "a-b.slice:cri:ID", .systemd = true },
	{ "v2-systemd-update", v2_host, lifted, "a-b.slice:cri:ID", .update = true, .systemd = true },
	{ "v1-systemd", v1_host, small, NULL, .systemd = true },
	{ "v1-rootless", v1_host, small, "/x", .rootless = true },
};

static int make_plan(const struct plan_case *c, struct buf *out, struct err *e)
{
	struct oci_resources res = c->resources();
	struct host_facts h = c->host();
	struct cgroup_oci_request rq = { .facts = &h,
					 .id = "box",
					 .path = c->path,
					 .rootless = c->rootless,
					 .systemd = c->systemd,
					 .resources = &res,
					 .rows = &rows };
	AUTO(strv_done) struct strv dirs = { 0 };
	AUTO(plan_done) struct plan p = { 0 };
	int r = 0;

	if (c->update)
		r = oci_place_dirs(&rq, &dirs, e);
	if (c->update && c->systemd)
		r = strv_add(&dirs, "scope=cri-ID.scope");
	if (r == 0)
		r = c->update ? cgroup_plan_update(&rq, &dirs, &p, e) : cgroup_plan_oci(&rq, &p, &dirs, e);
	if (r == 0) {
		for (size_t i = 0; i < dirs.n; i++)
			buf_addf(out, "%s\n", dirs.v[i]);
		plan_print(&p, out);
	}
	strv_done(&res.unified);
	json_done(&host_facts_table, &h);
	return r;
}

static void check_golden(const struct plan_case *c)
{
	autofree char *file = str_printf("%s/cgroup-%s.plan", golden_dir, c->name);
	AUTO(buf_done) struct buf want = { 0 }, got = { 0 };
	struct err e = { 0 };

	if (make_plan(c, &got, &e) < 0)
		fail_msg("%s: %s", c->name, e.msg);
	if (getenv("KETCH_GOLDEN")) {
		assert_int_equal(write_file_atomic(AT_FDCWD, file, 0644, got.data, got.len), 0);
		return;
	}
	if (read_file(AT_FDCWD, file, 1 << 20, &want) < 0)
		fail_msg("%s is missing; KETCH_GOLDEN=write makes it", file);
	if (want.len != got.len || memcmp(want.data, got.data, got.len))
		fail_msg("%s: the plan is now\n%s", file, got.data);
}

static void plans_are_as_the_golden_texts(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(plan_cases); i++)
		check_golden(&plan_cases[i]);
}

/* --- refusals */

static struct oci_resources swap_alone(void)
{
	return (struct oci_resources){ .memory.swap = some(1 << 20) };
}

static struct oci_resources swap_below_memory(void)
{
	return (struct oci_resources){ .memory = { .limit = some(2 << 20), .swap = some(1 << 20) } };
}

static struct oci_resources too_swappy(void)
{
	return (struct oci_resources){ .memory.swappiness = some(101) };
}

static struct oci_resources classy(void)
{
	return (struct oci_resources){ .network_class_id = some(1) };
}

static struct oci_resources huge(void)
{
	static struct oci_hugepage_limit l[] = { { (char *)"../../2MB", 1 } };

	return (struct oci_resources){ .hugepage_limits = l, .n_hugepage_limits = 1 };
}

static struct oci_resources heavy(void)
{
	return (struct oci_resources){ .block_io.weight = some(5) };
}

static struct oci_resources infiniband(void)
{
	return (struct oci_resources){ .rdma = rdma, .n_rdma = 1 };
}

static struct oci_resources hole(void)
{
	static struct oci_device_rule l[] = { { .allow = true, .type = (char *)"b" },
					      { .allow = false, .type = (char *)"b", .major = { true, 8 } } };

	return (struct oci_resources){ .devices = l, .n_devices = 2 };
}

static struct oci_resources odd_device(void)
{
	static struct oci_device_rule l[] = { { .allow = true, .access = (char *)"rx" } };

	return (struct oci_resources){ .devices = l, .n_devices = 1 };
}

static struct oci_resources unified(const char *line)
{
	struct oci_resources r = { 0 };

	assert_int_equal(strv_add(&r.unified, line), 0);
	return r;
}

static struct oci_resources unified_memory(void)
{
	return unified("memory.high=1");
}

static struct oci_resources unified_slash(void)
{
	return unified("memory.x/../../y=1");
}

static struct oci_resources unified_procs(void)
{
	return unified("cgroup.procs=1");
}

static struct host_facts no_host(void)
{
	return (struct host_facts){ .cgroup_mode = CGROUP_NONE };
}

static const struct {
	struct plan_case c;
	const char *message; /* its beginning */
} refusals[] = {
	{ { "", v2_host, swap_alone, "/x" }, "linux.resources.memory.swap: " },
	{ { "", v2_host, swap_below_memory, "/x" }, "linux.resources.memory.swap: " },
	{ { "", v1_host, too_swappy, "/x" }, "linux.resources.memory.swappiness: 101" },
	{ { "", hybrid_host, classy, "/x" }, "linux.resources.network.classID: this host has no net_cls" },
	{ { "", hybrid_host, infiniband, "/x" }, "linux.resources.rdma: this host has no rdma" },
	{ { "", v1_host, huge, "/x" }, "linux.resources.hugepageLimits[0].pageSize: \"../../2MB\"" },
	{ { "", v2_host, heavy, "/x" }, "linux.resources.blockIO.weight: 5" },
	{ { "", v1_host, hole, "/x" }, "linux.resources.devices: cgroup v1 cannot make an exception" },
	{ { "", v2_host, odd_device, "/x" }, "linux.resources.devices[0]: " },
	{ { "", v1_host, unified_memory, "/x" }, "linux.resources.unified: \"memory.high\": there is no" },
	{ { "", hybrid_host, unified_memory, "/x" },
	  "linux.resources.unified: \"memory.high\": there is no" },
	{ { "", v2_host, unified_slash, "/x" }, "linux.resources.unified: \"memory.x/../../y\"" },
	{ { "", v2_host, unified_procs, "/x" }, "linux.resources.unified: \"cgroup.procs\"" },
	{ { "", no_host, small, "/x" }, "linux.resources.memory: this host has no memory" },
	{ { "", no_host, hole, "/x" }, "linux.resources.devices: this host has no" },
	{ { "", v2_host, nothing, "/" }, "linux.cgroupsPath: \"/\" is the root" },
	{ { "", v2_host, nothing, "./." }, "linux.cgroupsPath: " },
	{ { "", v2_host, nothing, "/a/../b" }, "linux.cgroupsPath: " },
};

static void what_cannot_be_is_refused_at_its_place(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(refusals); i++) {
		AUTO(buf_done) struct buf out = { 0 };
		struct err e = { 0 };
		int r = make_plan(&refusals[i].c, &out, &e);

		if (r >= 0 || strncmp(e.msg, refusals[i].message, strlen(refusals[i].message)))
			fail_msg("case %zu: %d, \"%s\" instead of \"%s\"", i, r, e.msg, refusals[i].message);
	}
}

static void shares_become_the_weight_that_means_the_same(void **state)
{
	static const struct {
		uint64_t shares, weight;
	} t[] = { { 0, 1 },	 { 2, 1 },	{ 102, 17 },	   { 1024, 100 },
		  { 2048, 174 }, { 8192, 532 }, { 262144, 10000 }, { UINT64_MAX, 10000 } };

	for (size_t i = 0; i < ARRAY_LEN(t); i++)
		if (oci_cpu_weight(t[i].shares) != t[i].weight)
			fail_msg("%zu: %llu", i, (unsigned long long)oci_cpu_weight(t[i].shares));
}

int main(int argc, char **argv)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(plans_are_as_the_golden_texts),
		cmocka_unit_test(what_cannot_be_is_refused_at_its_place),
		cmocka_unit_test(shares_become_the_weight_that_means_the_same),
	};

	golden_dir = argc > 1 ? argv[1] : "tests/golden";
	return cmocka_run_group_tests(tests, NULL, NULL);
}
