/* test_plan.c - the address plan of a network: what is chosen, what is refused */
#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>

#include "../cm.h"
#include "base/auto.h"
#include "network/plan.h"

#define ID "0123456789abcdef0123456789abcdef"

static char *copy(const char *s)
{
	return s ? strdup(s) : NULL;
}

struct plan_case {
	const char *subnet, *gateway, *range, *subnet6;
	bool v4, v6;
	const char *taken; /* one network */
	const char *want, *want_gateway, *want6; /* NULL: none */
	const char *error;
};

static const struct plan_case cases[] = {
	{ NULL, NULL, NULL, NULL, true, false, NULL, "10.88.0.0/16", "10.88.0.1", NULL, NULL },
	{ NULL, NULL, NULL, NULL, true, false, "10.88.3.0/24", "10.89.0.0/16", "10.89.0.1", NULL, NULL },
	{ NULL, NULL, NULL, NULL, true, false, "10.0.0.0/8", "172.24.0.0/16", "172.24.0.1", NULL, NULL },
	{ NULL, NULL, NULL, NULL, true, false, "0.0.0.0/0", NULL, NULL, NULL, "no free subnet" },
	{ NULL, NULL, NULL, NULL, true, true, NULL, "10.88.0.0/16", "10.88.0.1", "fd01:2345:6789::/64",
	  NULL },
	{ NULL, NULL, NULL, "2001:db8::/64", false, true, NULL, NULL, NULL, "2001:db8::/64", NULL },
	{ "10.9.0.0/24", "10.9.0.254", NULL, NULL, true, false, NULL, "10.9.0.0/24", "10.9.0.254", NULL,
	  NULL },
	{ "10.9.0.0/24", NULL, "10.9.0.128/25", NULL, true, false, NULL, "10.9.0.0/24", "10.9.0.1", NULL,
	  NULL },
	{ "10.9.0.0/24", NULL, NULL, NULL, true, false, "10.9.0.128/25", NULL, NULL, NULL,
	  "overlaps with network web" },
	{ "10.9.0.1/24", NULL, NULL, NULL, true, false, NULL, NULL, NULL, NULL, "it should be 10.9.0.0/24" },
	{ "10.9.0.0/31", NULL, NULL, NULL, true, false, NULL, NULL, NULL, NULL, "8 to 30 bits" },
	{ "10.9.0.0/33", NULL, NULL, NULL, true, false, NULL, NULL, NULL, NULL, "not ADDRESS/BITS" },
	{ "127.0.0.0/8", NULL, NULL, NULL, true, false, NULL, NULL, NULL, NULL, "not for hosts" },
	{ "224.0.0.0/8", NULL, NULL, NULL, true, false, NULL, NULL, NULL, NULL, "not for hosts" },
	{ "fd00::/64", NULL, NULL, NULL, true, false, NULL, NULL, NULL, NULL, "not ADDRESS/BITS" },
	{ "10.9.0.0/24", "10.8.0.1", NULL, NULL, true, false, NULL, NULL, NULL, NULL,
	  "no matching subnet for gateway" },
	{ "10.9.0.0/24", "10.9.0.255", NULL, NULL, true, false, NULL, NULL, NULL, NULL,
	  "no matching subnet for gateway" },
	{ "10.9.0.0/24", NULL, "10.8.0.0/25", NULL, true, false, NULL, NULL, NULL, NULL,
	  "no matching subnet for range" },
	{ "10.9.0.0/24", NULL, "10.9.0.0/16", NULL, true, false, NULL, NULL, NULL, NULL,
	  "no matching subnet for range" },
	{ NULL, NULL, NULL, NULL, false, false, NULL, NULL, NULL, NULL, "IPv4, IPv6 or both" },
	{ "10.9.0.0/24", NULL, NULL, NULL, false, true, NULL, NULL, NULL, NULL, "want IPv4 to be on" },
};

static void same(const char *got, const char *want)
{
	if (want)
		assert_string_equal(got ? got : "(none)", want);
	else
		assert_null(got);
}

static void run_case(const struct plan_case *c)
{
	struct network n = { .id = strdup(ID),
			     .name = strdup("new"),
			     .v4 = { copy(c->subnet), copy(c->gateway), copy(c->range) },
			     .v6.subnet = copy(c->subnet6) };
	struct plan_taken taken = { .by = "network web" };
	struct err e = { 0 };
	int r;

	if (c->taken)
		assert_int_equal(ip_parse_prefix(c->taken, &taken.net), 0);
	r = plan_network(&n, c->v4, c->v6, &taken, c->taken ? 1 : 0, &e);
	if (c->error) {
		if (r == 0 || !strstr(e.msg, c->error))
			print_error("wanted \"%s\", got %d \"%s\"\n", c->error, r, e.msg);
		assert_true(r < 0 && strstr(e.msg, c->error));
	} else {
		if (r < 0)
			print_error("%s\n", e.msg);
		assert_int_equal(r, 0);
		same(n.v4.subnet, c->want);
		same(n.v4.gateway, c->want_gateway);
		same(n.v6.subnet, c->want6);
		assert_string_equal(n.bridge, "kt-01234567");
	}
	network_done(&n);
}

static void each_request_gets_its_plan_or_its_error(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		run_case(&cases[i]);
}

static void addresses_are_given_from_below_until_there_are_none(void **state)
{
	char subnet[] = "10.9.0.0/29", gateway[] = "10.9.0.3", text[IP_TEXT_MAX];
	static const char *const want[] = { "10.9.0.1", "10.9.0.2", "10.9.0.4", "10.9.0.5", "10.9.0.6" };
	const struct network_pool pool = { subnet, gateway, NULL };
	struct ip used[8], ip;

	for (size_t i = 0; i < ARRAY_LEN(want); i++) {
		assert_int_equal(plan_address(&pool, used, i, &ip), 0);
		assert_string_equal(ip_print(&ip, text), want[i]);
		used[i] = ip;
	}
	assert_int_equal(plan_address(&pool, used, ARRAY_LEN(want), &ip), -ENOSPC);
}

static void a_hole_is_filled_and_a_range_is_kept(void **state)
{
	char subnet[] = "10.9.0.0/24", gateway[] = "10.9.0.1", range[] = "10.9.0.64/30", text[IP_TEXT_MAX];
	const struct network_pool all = { subnet, gateway, NULL }, part = { subnet, gateway, range };
	struct ip used[4], ip;

	assert_int_equal(ip_parse("10.9.0.2", &used[0]), 0);
	assert_int_equal(ip_parse("10.9.0.4", &used[1]), 0);
	assert_int_equal(plan_address(&all, used, 2, &ip), 0);
	assert_string_equal(ip_print(&ip, text), "10.9.0.3");
	for (unsigned i = 0; i < 4; i++) {
		assert_int_equal(plan_address(&part, used, i, &used[i]), 0);
		assert_int_equal(used[i].bytes[3], 64 + i);
	}
	assert_int_equal(plan_address(&part, used, 4, &ip), -ENOSPC);
}

static void without_a_gateway_the_first_is_left_to_the_wire(void **state)
{
	char subnet[] = "10.9.0.0/30", text[IP_TEXT_MAX];
	const struct network_pool pool = { subnet, NULL, NULL };
	struct ip ip;

	assert_int_equal(plan_address(&pool, NULL, 0, &ip), 0);
	assert_string_equal(ip_print(&ip, text), "10.9.0.2");
	assert_int_equal(plan_address(&pool, &ip, 1, &ip), -ENOSPC);
}

static void an_asked_address_must_be_one_for_instances(void **state)
{
	static const struct {
		const char *ip, *error;
	} rows[] = {
		{ "10.9.0.5", NULL },
		{ "10.9.0.1", "gateway" },
		{ "10.9.0.0", "no configured" },
		{ "10.9.0.255", "no configured" },
		{ "10.8.0.5", "no configured" },
		{ "fd00::5", "has no IPv6" },
	};
	struct network n = { .name = (char[]){ "web" },
			     .v4 = { (char[]){ "10.9.0.0/24" }, (char[]){ "10.9.0.1" }, NULL } };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct err e = { 0 };
		struct ip ip;
		int r;

		assert_int_equal(ip_parse(rows[i].ip, &ip), 0);
		r = plan_check_address(&n, &ip, "--ip", &e);
		assert_true(rows[i].error ? r < 0 && strstr(e.msg, rows[i].error) : r == 0);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_request_gets_its_plan_or_its_error),
		cmocka_unit_test(addresses_are_given_from_below_until_there_are_none),
		cmocka_unit_test(a_hole_is_filled_and_a_range_is_kept),
		cmocka_unit_test(without_a_gateway_the_first_is_left_to_the_wire),
		cmocka_unit_test(an_asked_address_must_be_one_for_instances),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
