/* test_rights.c - capability sets and limits as pure functions, device rules */
#include "../cm.h"

#include <errno.h>
#include <linux/bpf.h>

#include "base/auto.h"
#include "cgroup/devices.h"
#include "container/rights.h"

static void sets_are_exact_for_every_kind_of_user(void **state)
{
	static const struct {
		const char *caps;
		uid_t uid;
		uint64_t have, bounding, permitted;
	} rows[] = {
		{ "CAP_CHOWN,CAP_KILL", 0, UINT64_MAX, 0x21, 0x21 },
		{ "CAP_CHOWN,CAP_KILL", 1000, UINT64_MAX, 0x21, 0 },
		{ "CAP_CHOWN,CAP_KILL", 0, 0x20, 0x20, 0x20 }, /* what we lack cannot be given */
		{ "", 0, UINT64_MAX, 0, 0 },
		{ "", 1, UINT64_MAX, 0, 0 },
		{ "CAP_CHECKPOINT_RESTORE", 0, UINT64_MAX, UINT64_C(1) << 40, UINT64_C(1) << 40 },
		{ "CAP_CHOWN,CAP_CHOWN", 0, UINT64_MAX, 1, 1 },
		{ "chown,Cap_Kill", 0, UINT64_MAX, 0x21, 0x21 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct strv caps = { 0 };
		struct cap_sets s;
		struct err e;

		if (*rows[i].caps)
			assert_int_equal(strv_split(&caps, rows[i].caps, ","), 0);
		assert_int_equal(rights_cap_sets(&caps, rows[i].uid, rows[i].have, &s, &e), 0);
		assert_true(s.bounding == rows[i].bounding && s.permitted == rows[i].permitted &&
			    s.effective == rows[i].permitted);
		assert_true(s.inheritable == 0 && s.ambient == 0);
		strv_done(&caps);
	}
}

static void an_unknown_capability_is_an_error(void **state)
{
	static const char *const bad[] = { "CAP_", "", "CAP_NOPE", "CAP_CHOWN ", "41", "CAP_CAP_CHOWN" };

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct strv caps = { (char *[]){ (char *)(uintptr_t)bad[i], NULL }, 1 };
		struct cap_sets s = { .bounding = 7 };
		struct err e;

		assert_int_equal(rights_cap_sets(&caps, 0, UINT64_MAX, &s, &e), -EINVAL);
		assert_int_equal(s.bounding, 7);
	}
}

static void limits_fit_as_far_as_the_host_allows(void **state)
{
	static const struct {
		uint64_t soft, hard, highest;
		enum limit_fit fit;
		uint64_t want_soft, want_hard;
	} rows[] = {
		{ 10, 20, 100, LIMIT_AS_ASKED, 10, 20 },
		{ 100, 100, 100, LIMIT_AS_ASKED, 100, 100 },
		{ 10, 200, 100, LIMIT_HARD_KEPT, 10, 100 },
		{ 100, 200, 100, LIMIT_HARD_KEPT, 100, 100 },
		{ 150, 200, 100, LIMIT_CLAMPED, 100, 100 },
		{ UINT64_MAX, UINT64_MAX, 100, LIMIT_CLAMPED, 100, 100 },
		{ UINT64_MAX, UINT64_MAX, UINT64_MAX, LIMIT_AS_ASKED, UINT64_MAX, UINT64_MAX },
		{ 30, 20, 100, LIMIT_AS_ASKED, 20, 20 }, /* never a soft limit over the hard one */
		{ 0, 0, 100, LIMIT_AS_ASKED, 0, 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct rlimit_spec l = { NULL, rows[i].soft, rows[i].hard };
		uint64_t soft, hard;

		assert_int_equal(rights_fit_limit(&l, rows[i].highest, &soft, &hard), rows[i].fit);
		assert_true(soft == rows[i].want_soft && hard == rows[i].want_hard);
	}
}

static void device_rules_are_read_strictly(void **state)
{
	static const char *const bad[] = { "",	       "c",	   "c 1:3",	      "c 1:3 ",	  "x 1:3 r",
					   "c 1 r",    "c 1:3 rx", "c a:3 r",	      "c 1:-1 r", "c 1:3 r w",
					   "c  1:3 r", "a",	   "c 4294967296:1 r" };
	struct device_rule d;

	assert_int_equal(device_rule_parse("c 1:3 rwm", &d), 0);
	assert_true(d.type == 'c' && d.major == 1 && d.minor == 3);
	assert_int_equal(d.access, BPF_DEVCG_ACC_READ | BPF_DEVCG_ACC_WRITE | BPF_DEVCG_ACC_MKNOD);
	assert_int_equal(device_rule_parse("b *:* m", &d), 0);
	assert_true(d.type == 'b' && d.major == -1 && d.minor == -1 && d.access == BPF_DEVCG_ACC_MKNOD);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		if (device_rule_parse(bad[i], &d) != -EINVAL)
			fail_msg("\"%s\" was accepted", bad[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sets_are_exact_for_every_kind_of_user),
		cmocka_unit_test(an_unknown_capability_is_an_error),
		cmocka_unit_test(limits_fit_as_far_as_the_host_allows),
		cmocka_unit_test(device_rules_are_read_strictly),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
