/* test_facts.c - mountinfo lines, cgroup modes, the cached verdict about KVM */
#include "../cm.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/io.h"
#include "base/path.h"
#include "cgroup/detect.h"
#include "engine/facts.h"
#include "sys/mountinfo.h"

static void a_line_is_split_and_unescaped(void **state)
{
	AUTO(mount_line_done) struct mount_line m = { 0 };

	assert_int_equal(
		mount_line_parse("36 35 98:0 /a\\040b /mnt\\134x\\011 rw master:1 shared:2 - ext3 /dev/root "
				 "rw,errors=continue",
				 &m),
		0);
	assert_string_equal(m.root, "/a b");
	assert_string_equal(m.mount_point, "/mnt\\x\t");
	assert_string_equal(m.fs_type, "ext3");
	assert_true(mount_line_has_option(&m, "rw"));
	assert_true(mount_line_has_option(&m, "errors=continue"));
	assert_false(mount_line_has_option(&m, "errors"));
}

static void a_bad_line_is_refused(void **state)
{
	static const char *const bad[] = {
		"",
		"-",
		"1 2 3:4 / / rw",
		"1 2 3:4 / / rw -",
		"1 2 3:4 / / rw - ext4",
		"1 2 3:4 / / rw - ext4 dev",
		"1 2 3:4 / relative rw - ext4 dev rw",
		"1 2 3:4  / rw - ext4 dev rw",
		"1 - 3:4 / / rw",
	};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct mount_line m = { 0 };

		assert_int_equal(mount_line_parse(bad[i], &m), -EINVAL);
		assert_null(m.root);
	}
}

#define V1(name) "32 31 0:29 / /sys/fs/cgroup/" name " rw - cgroup cgroup rw," name "\n"
#define ROOT	 "1 1 8:1 / / rw - ext4 /dev/vda rw\n"

static bool all_mounted(const char *path, const char *fs_type)
{
	return true;
}

static bool v1_is_hidden(const char *path, const char *fs_type)
{
	return !strcmp(fs_type, "cgroup2");
}

struct mode_case {
	const char *mountinfo;
	bool (*is_mounted)(const char *path, const char *fs_type);
	int mode;
	const char *memory; /* where; NULL: nowhere */
};

static const struct mode_case mode_cases[] = {
	{ "", all_mounted, CGROUP_NONE, NULL },
	{ ROOT, all_mounted, CGROUP_NONE, NULL },
	{ ROOT V1("memory") V1("pids"), all_mounted, CGROUP_V1, "/sys/fs/cgroup/memory" },
	{ ROOT V1("memory") "41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n", all_mounted,
	  CGROUP_HYBRID, "/sys/fs/cgroup/memory" },
	{ ROOT "41 31 0:38 / /nonexistent rw - cgroup2 cgroup2 rw\n", all_mounted, CGROUP_V2, NULL },
	/* the v1 mounts lie under a later one */
	{ ROOT V1("memory") "41 31 0:38 / /nonexistent rw - cgroup2 none rw\n", v1_is_hidden, CGROUP_V2,
	  NULL },
	{ "41 31 0:38 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,name=systemd\n", all_mounted,
	  CGROUP_NONE, NULL },
	{ V1("memory") "33 31 0:29 / /run/other/memory rw - cgroup cgroup rw,memory\n", all_mounted,
	  CGROUP_V1, "/sys/fs/cgroup/memory" },
};

static void mounts_decide_the_cgroup_mode(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(mode_cases); i++) {
		const struct mode_case *c = &mode_cases[i];
		struct host_facts h = { 0 };
		const char *memory;

		assert_int_equal(cgroup_detect_text(c->mountinfo, NULL, c->is_mounted, &h), 0);
		memory = strv_env_get(&h.cgroups, "memory");
		if (h.cgroup_mode != c->mode || !memory != !c->memory ||
		    (memory && strcmp(memory, c->memory)))
			fail_msg("case %zu: mode %d, memory at %s", i, h.cgroup_mode,
				 memory ? memory : "(none)");
		json_done(&host_facts_table, &h);
	}
}

static void unified_controllers_are_read_from_the_root(void **state)
{
	char dir[] = "/tmp/ketch-test.XXXXXX";
	struct host_facts h = { 0 };
	autofree char *line = NULL;
	autoclose int fd = -1;

	assert_non_null(mkdtemp(dir));
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(write_file_atomic(fd, "cgroup.controllers", 0600, "cpu memory pids\n", 16), 0);
	line = str_printf("41 31 0:38 / %s rw - cgroup2 cgroup2 rw\n", dir);
	assert_int_equal(cgroup_detect_text(line, NULL, all_mounted, &h), 0);
	assert_int_equal(h.cgroups.n, 4);
	assert_string_equal(strv_env_get(&h.cgroups, "unified"), dir);
	assert_string_equal(strv_env_get(&h.cgroups, "pids"), dir);
	json_done(&host_facts_table, &h);
	remove_tree(AT_FDCWD, dir);
}

static void this_host_has_facts(void **state)
{
	struct host_facts h;

	facts_gather(&h);
	assert_true(h.cpus >= 1);
	assert_true(h.ram_bytes > 1 << 20);
	assert_non_null(h.kernel_release);
	assert_non_null(h.arch);
	assert_false(h.kvm);
	json_done(&host_facts_table, &h);
}

static void a_verdict_of_another_boot_does_not_count(void **state)
{
	static const char stale[] = "{\"bootId\":\"00000000-0000-0000-0000-000000000000\",\"kernel\":\"x\","
				    "\"reason\":\"from another boot\"}";
	char dir[] = "/tmp/ketch-test.XXXXXX";
	struct host_facts h, again;
	autoclose int fd = -1;

	assert_non_null(mkdtemp(dir));
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(write_file_atomic(fd, "kvm.json", 0600, stale, strlen(stale)), 0);
	facts_gather(&h);
	facts_probe_kvm(fd, &h);
	assert_true(h.kvm == !h.kvm_reason);
	assert_true(h.kvm || strcmp(h.kvm_reason, "from another boot"));
	facts_gather(&again);
	facts_probe_kvm(fd, &again);
	assert_int_equal(h.kvm, again.kvm);
	json_done(&host_facts_table, &h);
	json_done(&host_facts_table, &again);
	remove_tree(AT_FDCWD, dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_line_is_split_and_unescaped),
		cmocka_unit_test(a_bad_line_is_refused),
		cmocka_unit_test(mounts_decide_the_cgroup_mode),
		cmocka_unit_test(unified_controllers_are_read_from_the_root),
		cmocka_unit_test(this_host_has_facts),
		cmocka_unit_test(a_verdict_of_another_boot_does_not_count),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
