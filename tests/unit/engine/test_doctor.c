/* test_doctor.c - every thing is looked at, and what is not well has its remedy */
#include "../cm.h"

#include <fcntl.h>
#include <stdlib.h>

#include "base/auto.h"
#include "base/buf.h"
#include "base/path.h"
#include "engine/doctor.h"
#include "engine/doctor_int.h"

static const char *const expected[] = {
	"kernel",
	"cgroups",
	"mount namespace",
	"pid namespace",
	"network namespace",
	"ipc namespace",
	"uts namespace",
	"cgroup namespace",
	"user namespace",
	"unprivileged user namespace",
	"overlay",
	"erofs",
	"seccomp",
	"AppArmor or SELinux",
	"Landlock",
	"KVM",
	"QEMU",
	"virtiofsd",
	"guest kernel",
	"mke2fs",
	"ketch's programs",
	"subuid",
	"subgid",
	"newuidmap",
	"root",
	"CAP_SYS_RESOURCE",
	"disk",
};

static const struct doctor_row *find(const struct doctor_report *r, const char *name)
{
	for (size_t i = 0; i < r->n; i++)
		if (!strcmp(r->rows[i].name, name))
			return &r->rows[i];
	return NULL;
}

static void every_thing_is_looked_at_and_has_a_remedy(void **state)
{
	char dir[] = "/tmp/ketch-test.XXXXXX";
	autofree char *root = NULL, *run = NULL;
	struct doctor_report r, again = { 0 };
	AUTO(buf_done) struct buf text = { 0 };
	struct engine *en;
	struct err e = { 0 };

	assert_non_null(mkdtemp(dir));
	root = str_printf("%s/root", dir);
	run = str_printf("%s/run", dir);
	if (engine_open(root, run, true, &en, &e) < 0)
		fail_msg("%s", e.msg);
	assert_int_equal(engine_doctor(en, &r, &e), 0);
	for (size_t i = 0; i < ARRAY_LEN(expected); i++)
		if (!find(&r, expected[i]))
			fail_msg("no row \"%s\"", expected[i]);
	for (size_t i = 0; i < r.n; i++)
		if (!r.rows[i].what[0] || (r.rows[i].status == DOCTOR_OK) != !r.rows[i].fix)
			fail_msg("row \"%s\": \"%s\", fix \"%s\"", r.rows[i].name, r.rows[i].what,
				 r.rows[i].fix ? r.rows[i].fix : "(none)");
	assert_int_equal(json_print(&doctor_report_table, &r, JSON_PRETTY, &text), 0);
	assert_int_equal(json_parse(&doctor_report_table, text.data, text.len, JSON_STRICT, &again, &e), 0);
	assert_int_equal(r.n, again.n);
	doctor_done(&r);
	doctor_done(&again);
	engine_close(en);
	remove_tree(AT_FDCWD, dir);
}

struct cgroup_case {
	int mode;
	const char *controllers; /* "name=path name=path" */
	const char *row;
	int status;
};

static const struct cgroup_case cgroup_cases[] = {
	{ CGROUP_NONE, "", "cgroups", DOCTOR_MISSING },
	{ CGROUP_V2, "unified=/x memory=/x cpu=/x pids=/x", "cgroup memory", DOCTOR_OK },
	{ CGROUP_V2, "unified=/x cpu=/x pids=/x", "cgroup memory", DOCTOR_MISSING },
	{ CGROUP_V2, "unified=/x io=/x", "cgroup io", DOCTOR_OK },
	{ CGROUP_V2, "unified=/x", "cgroup cpuset", DOCTOR_WARN },
	{ CGROUP_V1, "memory=/m", "cgroup memory", DOCTOR_OK },
	{ CGROUP_V1, "memory=/m", "cgroup devices", DOCTOR_MISSING },
	{ CGROUP_HYBRID, "memory=/m", "cgroup freezer", DOCTOR_WARN },
};

static void missing_controllers_are_said(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(cgroup_cases); i++) {
		const struct cgroup_case *c = &cgroup_cases[i];
		struct host_facts h = { .cgroup_mode = c->mode };
		struct doctor d = { .facts = &h };
		const struct doctor_row *row;

		if (*c->controllers)
			assert_int_equal(strv_split(&h.cgroups, c->controllers, " "), 0);
		doctor_cgroups(&d);
		row = find(&d.report, c->row);
		if (!row || row->status != c->status)
			fail_msg("case %zu: %s", i, row ? doctor_status_names[row->status] : "no row");
		assert_true(doctor_worst(&d.report) >= row->status);
		doctor_done(&d.report);
		strv_done(&h.cgroups);
	}
}

static void each_state_of_kvm_has_its_own_remedy(void **state)
{
	static const char *const reasons[] = {
		"there is no /dev/kvm", "no permission to open /dev/kvm",
		"/dev/kvm is a software KVM: 1.9 MIPS, a stock kernel would not start"
	};
	static const char *const fixes[] = { "modprobe kvm-intel", "usermod -aG kvm",
					     "hardware virtualization" };

	for (size_t i = 0; i < ARRAY_LEN(reasons); i++) {
		struct host_facts h = { .kvm_reason = (char *)(uintptr_t)reasons[i] };
		struct doctor d = { .facts = &h };

		doctor_kvm(&d);
		assert_int_equal(d.report.n, 1);
		assert_int_equal(d.report.rows[0].status, DOCTOR_WARN);
		assert_non_null(strstr(d.report.rows[0].what, reasons[i]));
		assert_non_null(strstr(d.report.rows[0].fix, fixes[i]));
		doctor_done(&d.report);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_thing_is_looked_at_and_has_a_remedy),
		cmocka_unit_test(missing_controllers_are_said),
		cmocka_unit_test(each_state_of_kvm_has_its_own_remedy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
