/* test_rule.c - the words of --allow, --deny and --net-rate */
#include <errno.h>
#include <stdio.h>

#include "../cm.h"
#include "base/auto.h"
#include "network/rate.h"
#include "network/rule.h"

static void rules_are_read_and_printed(void **state)
{
	static const struct {
		const char *text, *printed; /* NULL: refused */
	} cases[] = {
		{ "tcp:80", "in:tcp:80" },
		{ "80", "in:80" },
		{ "in:10.0.0.0/8", "in:10.0.0.0/8" },
		{ "out:udp:[fd00::/8]:53", "out:udp:[fd00::/8]:53" },
		{ "[::1]", "in:[::1]" },
		{ "out:db:5432", "out:db:5432" },
		{ "out:db:5000-6000", "out:db:5000-6000" },
		{ "in:icmp:", "in:icmp:" },
		{ "icmp", "in:icmp:" },
		{ "tcp::80", "in:tcp:80" },
		{ "in:", "in:" },
		{ "out", "out:" },
		{ "my-net", "in:my-net" },
		{ "10.1.2.3:1", "in:10.1.2.3:1" },
		{ "", NULL },
		{ "tcp:0", NULL },
		{ "tcp:65536", NULL },
		{ "tcp:90-80", NULL },
		{ "tcp:80-", NULL },
		{ "tcp:-80", NULL },
		{ "icmp:80", NULL },
		{ "in:out:80", "in:out:80" }, /* an instance may be called so */
		{ "tcp:db:80:90", NULL },
		{ "fd00::1", NULL },
		{ "[fd00::1", NULL },
		{ "[fd00::1]80", NULL },
		{ "[db]:80", NULL },
		{ "10.0.0.0/33", NULL },
		{ "d b", NULL },
		{ "tcp:udp:80", "in:tcp:udp:80" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		AUTO(rule_done) struct net_rule r = { 0 };
		AUTO(buf_done) struct buf out = { 0 };
		struct err e = { 0 };
		int got = rule_parse(cases[i].text, true, &r, &e);

		if (got < 0 && cases[i].printed)
			fail_msg("%s: %s", cases[i].text, e.msg);
		if (got < 0)
			continue;
		assert_int_equal(rule_print(&r, &out), 0);
		assert_string_equal(out.data, cases[i].printed ? cases[i].printed : "refused");
	}
}

static void an_allow_that_can_never_hold_is_a_contradiction(void **state)
{
	static const struct {
		const char *allow, *deny;
		bool bad;
	} cases[] = {
		{ "tcp:80", "tcp:80", true },
		{ "tcp:80", "80", true },
		{ "tcp:80", "in:", true },
		{ "80", "tcp:80", false },
		{ "tcp:80", "out:tcp:80", false },
		{ "tcp:80", "tcp:81", false },
		{ "tcp:80-90", "tcp:80", false },
		{ "tcp:80", "tcp:70-90", true },
		{ "10.1.0.0/16", "10.0.0.0/8", true },
		{ "10.0.0.0/8", "10.1.0.0/16", false },
		{ "10.0.0.1", "10.0.0.0/24", true },
		{ "db", "db", true },
		{ "db", "web", false },
		{ "in:", "db", false },
		{ "icmp", "80", false },
		{ "[fd00::1]", "10.0.0.0/8", false },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct net_rule r[2] = { 0 };
		struct err e = { 0 };

		assert_int_equal(rule_parse(cases[i].allow, true, &r[0], &e), 0);
		assert_int_equal(rule_parse(cases[i].deny, false, &r[1], &e), 0);
		if ((rules_check(r, 2, &e) == -EINVAL) != cases[i].bad)
			fail_msg("--allow %s --deny %s", cases[i].allow, cases[i].deny);
		rule_done(&r[0]);
		rule_done(&r[1]);
	}
}

static void rates_are_bits_or_bytes_a_second(void **state)
{
	static const struct {
		const char *text;
		uint64_t in, out; /* 1: as it was; both 0: refused */
	} cases[] = {
		{ "10mbit", 1250000, 1250000 },
		{ "1.5gbit:in", 187500000, 1 },
		{ "2m:out", 1, 2097152 },
		{ "8bit", 1, 1 },
		{ "0:in", 0, 1 },
		{ "100KBIT:out", 1, 12500 },
		{ "7bit", 0, 0 },
		{ "mbit", 0, 0 },
		{ "10mbit:up", 0, 0 },
		{ "10mbit:in:out", 0, 0 },
		{ "-1", 0, 0 },
		{ "", 0, 0 },
		{ "99999999999999gbit", 0, 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct net_rate r = { .in_bps = 1, .out_bps = 1 };
		struct err e;

		if (rate_parse(cases[i].text, &r, &e) < 0)
			r.in_bps = r.out_bps = 0;
		assert_int_equal(r.in_bps, cases[i].in);
		assert_int_equal(r.out_bps, cases[i].out);
	}
}

static void a_second_link_is_named_by_its_port(void **state)
{
	char name[RT_NAME_MAX];

	rate_link("kv-0123abcd", name);
	assert_string_equal(name, "kiv-0123abcd");
	rate_link("kv-0123456789ab", name);
	assert_int_equal(strlen(name), 14);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rules_are_read_and_printed),
		cmocka_unit_test(an_allow_that_can_never_hold_is_a_contradiction),
		cmocka_unit_test(rates_are_bits_or_bytes_a_second),
		cmocka_unit_test(a_second_link_is_named_by_its_port),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
