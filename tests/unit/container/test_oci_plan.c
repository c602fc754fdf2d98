/* test_oci_plan.c - plans of OCI configs against the golden texts: tests/golden/oci/HOST-NAME.json -> .plan
 *
 * test_oci_plan DIR; HOST is none, v1, v2 or hybrid: the cgroups of the host.  A name that ends in rootless or no-pivot
 * says how it is asked for.  With KETCH_GOLDEN=write the texts are written anew, to be looked at in the diff.
 */
#include "../cm.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>

#include "base/auto.h"
#include "base/io.h"
#include "container/oci.h"

static const char *golden_dir;

struct host {
	const char *name;
	int mode;
	const char *cgroups[12];
};

static const struct host hosts[] = {
	{ "none", CGROUP_NONE, { NULL } },
	{ "v1",
	  CGROUP_V1,
	  { "memory=/sys/fs/cgroup/memory", "cpu=/sys/fs/cgroup/cpu,cpuacct",
	    "cpuacct=/sys/fs/cgroup/cpu,cpuacct", "devices=/sys/fs/cgroup/devices",
	    "pids=/sys/fs/cgroup/pids", "systemd=/sys/fs/cgroup/systemd" } },
	{ "v2",
	  CGROUP_V2,
	  { "unified=/sys/fs/cgroup", "memory=/sys/fs/cgroup", "cpu=/sys/fs/cgroup",
	    "pids=/sys/fs/cgroup" } },
	{ "hybrid",
	  CGROUP_HYBRID,
	  { "memory=/sys/fs/cgroup/memory", "devices=/sys/fs/cgroup/devices",
	    "unified=/sys/fs/cgroup/unified" } },
};

static void find_facts(const char *name, struct host_facts *ret)
{
	*ret = (struct host_facts){ 0 };
	for (size_t i = 0; i < ARRAY_LEN(hosts); i++) {
		size_t n = strlen(hosts[i].name);

		if (strncmp(name, hosts[i].name, n) || name[n] != '-')
			continue;
		ret->cgroup_mode = hosts[i].mode;
		ret->selinux = strstr(name, "label") != NULL;
		for (const char *const *c = hosts[i].cgroups; *c; c++)
			assert_int_equal(strv_add(&ret->cgroups, *c), 0);
		return;
	}
	fail_msg("%s names no host", name);
}

/* The plan as text, or "error: ...". */
static void make_plan(const char *config, size_t n, struct oci_request *rq, struct buf *ret)
{
	AUTO(strv_done) struct strv cgroups = { 0 };
	struct oci_spec spec;
	struct plan p = { 0 };
	struct err e = { 0 };

	if (oci_spec_parse(config, n, &spec, &e) < 0) {
		buf_addf(ret, "error: %s\n", e.msg);
		return;
	}
	rq->spec = &spec;
	rq->id = "box1";
	if (container_plan_oci(rq, &p, &cgroups, &e) == 0)
		plan_print(&p, ret);
	else
		buf_addf(ret, "error: %s\n", e.msg);
	plan_done(&p);
	oci_spec_done(&spec);
}

static void check_one(const char *json)
{
	autofree char *plan = str_printf("%.*s.plan", (int)strlen(json) - 5, json);
	AUTO(buf_done) struct buf want = { 0 }, got = { 0 }, config = { 0 };
	struct host_facts facts;
	struct oci_request rq = {
		.facts = &facts,
		.rootless = strstr(json, "rootless.json"),
		.no_pivot = strstr(json, "no-pivot.json"),
	};

	find_facts(strrchr(json, '/') + 1, &facts);
	assert_int_equal(read_file(AT_FDCWD, json, 1 << 20, &config), 0);
	make_plan(config.data, config.len, &rq, &got);
	strv_done(&facts.cgroups);
	if (getenv("KETCH_GOLDEN")) {
		assert_int_equal(write_file_atomic(AT_FDCWD, plan, 0644, got.data, got.len), 0);
		return;
	}
	if (read_file(AT_FDCWD, plan, 1 << 20, &want) < 0)
		fail_msg("%s is missing", plan);
	if (strcmp(want.data, got.data))
		fail_msg("%s is not what is planned now:\n%s", plan, got.data);
}

static void every_plan_is_the_golden_one(void **state)
{
	autofree char *pattern = str_printf("%s/*.json", golden_dir);
	glob_t g;

	assert_int_equal(glob(pattern, 0, NULL, &g), 0);
	assert_true(g.gl_pathc >= 9);
	for (size_t i = 0; i < g.gl_pathc; i++)
		check_one(g.gl_pathv[i]);
	globfree(&g);
}

/* The mounts of a config that is refused, and the place and words of the message. */
static const struct {
	const char *mounts, *text;
	bool rootless;
} refused[] = {
	{ "{\"destination\":\"/\",\"type\":\"tmpfs\"}", "mounts[0].destination: " },
	{ "{\"destination\":\"/a/..\",\"type\":\"tmpfs\"}", "mounts[0].destination: " },
	{ "{\"destination\":\"/a/../..//.\",\"type\":\"bind\",\"source\":\"/x\"}",
	  "mounts[0].destination: " },
	{ "{\"destination\":\"/proc\",\"type\":\"tmpfs\"}", "mounts[0].destination: only a proc" },
	{ "{\"destination\":\"/proc/self/attr\",\"type\":\"tmpfs\"}",
	  "mounts[0].destination: \"/proc/self/attr\" is inside /proc" },
	{ "{\"destination\":\"/x/../proc//sys\",\"type\":\"bind\",\"source\":\"/x\"}",
	  "\"/proc/sys\" is inside /proc" },
	{ "{\"destination\":\"/proc/meminfo\",\"type\":\"tmpfs\"}", "\"/proc/meminfo\" is inside /proc" },
	{ "{\"destination\":\"/a\",\"type\":\"tmpfs\"},{\"destination\":\"/"
	  "b\",\"type\":\"tmpfs\",\"options\":["
	  "\"slave\",\"slave\",\"slave\",\"slave\",\"slave\"]}",
	  "mounts[1].options" },
	{ "{\"destination\":\"/a\",\"type\":\"bind\",\"source\":\"/x\",\"options\":[\"idmap\"],"
	  "\"uidMappings\":[{\"containerID\":0,\"hostID\":1,\"size\":1}],"
	  "\"gidMappings\":[{\"containerID\":0,\"hostID\":1,\"size\":1}]}",
	  "mounts[0]: an ID-mapped mount", true },
};

static void a_place_that_cannot_be_is_named(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
		autofree char *config = str_printf(
			"{\"ociVersion\":\"1.2.0\",\"root\":{\"path\":\"r\"},\"mounts\":[%s],\"linux\":{"
			"\"namespaces\":[{\"type\":\"mount\"}]}}",
			refused[i].mounts);
		struct host_facts none = { 0 };
		struct oci_request rq = { .facts = &none, .rootless = refused[i].rootless };
		AUTO(buf_done) struct buf got = { 0 };

		make_plan(config, strlen(config), &rq, &got);
		if (strncmp(got.data, "error: mounts[", 14) || !strstr(got.data, refused[i].text))
			fail_msg("%s: %s", refused[i].mounts, got.data);
	}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_plan_is_the_golden_one),
		cmocka_unit_test(a_place_that_cannot_be_is_named),
	};

	golden_dir = argc > 1 ? argv[1] : "tests/golden/oci";
	return cmocka_run_group_tests(tests, NULL, NULL);
}
