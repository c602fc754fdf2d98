/* test_isolation.c - which rule of --isolation=auto decides, and that none falls back to a container */
#include "../cm.h"

#include <errno.h>

#include "base/auto.h"
#include "engine/isolation.h"

#define LIST(...)                                                                                            \
	{                                                                                                    \
		.v = (char **)(const char *[]){ __VA_ARGS__, NULL },                                         \
		.n = sizeof((const char *[]){ __VA_ARGS__ }) / sizeof(char *)                                \
	}
#define TEXT(s)                                                                                              \
	(char[])                                                                                             \
	{                                                                                                    \
		s                                                                                            \
	}

static const struct host_facts host = { .arch = TEXT("amd64"), .qemu = TEXT("/usr/bin/qemu-system-x86_64") };

static const struct {
	const char *rule;
	struct run_request rq;
	struct image_config image;
} cases[] = {
	{ "default", { 0 }, { .os = TEXT("linux"), .architecture = TEXT("amd64") } },
	{ "default", { 0 }, { 0 } }, /* an image that says nothing */
	{ "foreign-os", { .privileged = true }, { .os = TEXT("freebsd"), .architecture = TEXT("amd64") } },
	{ "foreign-arch", { 0 }, { .architecture = TEXT("arm64") } },
	{ "machine", { .kernel = TEXT("6.1") }, { 0 } },
	{ "machine", { .driver = TEXT("kvm") }, { 0 } },
	{ "label", { .labels = LIST("ketch.isolation=vm") }, { 0 } },
	{ "label", { .annotations = LIST("ketch.isolation=vm") }, { 0 } },
	{ "label", { 0 }, { .config.labels = LIST("ketch.isolation=vm") } },
	{ "default", { 0 }, { .config.labels = LIST("ketch.isolation=container") } },
	{ "privileged", /* an image cannot ask for less */
	  { .privileged = true },
	  { .config.labels = LIST("ketch.isolation=container", "ketch.trust=trusted") } },
	{ "untrusted", { 0 }, { .config.labels = LIST("ketch.trust=untrusted") } },
	{ "untrusted", { .labels = LIST("ketch.trust=untrusted"), .privileged = true }, { 0 } },
	{ "privileged", { .privileged = true, .cap_add = LIST("ALL") }, { 0 } },
	{ "capabilities", { .cap_add = LIST("SYS_ADMIN") }, { 0 } },
	{ "capabilities", { .cap_add = LIST("all") }, { 0 } },
	{ "capabilities", { .cap_add = LIST("CHOWN", "cap_net_admin") }, { 0 } },
	{ "default", { .cap_add = LIST("NET_RAW", "MKNOD", "CAP_AUDIT_WRITE", "chown") }, { 0 } },
	{ "default", { .cap_add = LIST("NOSUCH") }, { 0 } }, /* refused for that, later */
	{ "default", { .cap_drop = LIST("ALL") }, { 0 } },
	{ "devices", { .sandbox.devices = LIST("/dev/fuse") }, { 0 } },
	{ "devices", { .sandbox.device_rules = LIST("c 1:1 r") }, { 0 } },
	{ "modules", { .volumes = LIST("/lib/modules:/lib/modules:ro") }, { 0 } },
	{ "default", { .volumes = LIST("/srv:/srv") }, { 0 } },
	{ "sysctl", { .sandbox.sysctls = LIST("vm.overcommit_ratio=7") }, { 0 } },
	{ "default", { .sandbox.sysctls = LIST("net.core.somaxconn=7") }, { 0 } },
	{ "unconfined", { .security_opt = LIST("seccomp=unconfined") }, { 0 } },
	{ "unconfined", { .security_opt = LIST("no-new-privileges", "unmask=ALL") }, { 0 } },
	{ "default", { .security_opt = LIST("no-new-privileges") }, { 0 } },
};

static void the_first_rule_that_fires_decides(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const struct isolation_input in = { &cases[i].rq, &cases[i].image, &host };
		const struct isolation_rule *r = isolation_choose(&in);

		if (strcmp(r->name, cases[i].rule))
			fail_msg("case %zu: %s, not %s", i, r->name, cases[i].rule);
		assert_int_equal(r->isolation,
				 strcmp(r->name, "default") ? ISOLATION_VM : ISOLATION_CONTAINER);
	}
}

static void every_rule_is_met_by_a_case(void **state)
{
	for (const struct isolation_rule *r = isolation_rules; r->name; r++) {
		bool met = false;

		for (size_t i = 0; i < ARRAY_LEN(cases); i++)
			met |= !strcmp(cases[i].rule, r->name);
		if (!met)
			fail_msg("no case for %s", r->name);
	}
}

static void a_machine_that_cannot_be_is_an_error(void **state)
{
	const struct {
		struct host_facts h;
		struct image_config image;
		const char *why; /* NULL: it can */
	} rows[] = {
		{ { .arch = TEXT("amd64"), .qemu = TEXT("q") }, { 0 }, NULL },
		{ { .arch = TEXT("amd64"), .kvm = true, .vmm = TEXT("v") }, { 0 }, NULL },
		{ { .arch = TEXT("amd64"), .vmm = TEXT("v") }, { 0 }, "this host runs none" },
		{ { .arch = TEXT("amd64"), .kvm = true }, { 0 }, "--isolation=container says" },
		{ { .arch = TEXT("arm64"), .qemu = TEXT("q") }, { 0 }, "rule privileged wants" },
		{ { .arch = TEXT("amd64"), .qemu = TEXT("q") },
		  { .architecture = TEXT("arm64") },
		  "is for linux/arm64" },
		{ { .arch = TEXT("amd64"), .qemu = TEXT("q") },
		  { .os = TEXT("windows") },
		  "is for windows/" },
	};
	const struct run_request rq = { .privileged = true };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct isolation_input in = { &rq, &rows[i].image, &rows[i].h };
		struct err e = { 0 };
		int r = isolation_check_vm(&in, isolation_choose(&in), &e);

		assert_int_equal(r, rows[i].why ? -ENOTSUP : 0);
		if (rows[i].why && !strstr(e.msg, rows[i].why))
			fail_msg("\"%s\" does not say \"%s\"", e.msg, rows[i].why);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_rule_that_fires_decides),
		cmocka_unit_test(every_rule_is_met_by_a_case),
		cmocka_unit_test(a_machine_that_cannot_be_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
