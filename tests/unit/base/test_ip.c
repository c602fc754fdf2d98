/* test_ip.c - addresses and networks of both families */
#include <arpa/inet.h>
#include <errno.h>

#include "../cm.h"
#include "base/auto.h"
#include "base/ip.h"

static struct ip ip(const char *s)
{
	struct ip ip;

	assert_int_equal(ip_parse(s, &ip), 0);
	return ip;
}

static struct ip_prefix net(const char *s)
{
	struct ip_prefix p;

	assert_int_equal(ip_parse_prefix(s, &p), 0);
	return p;
}

static void text_is_read_and_printed_in_its_shortest_form(void **state)
{
	static const char *const rows[][2] = {
		{ "10.88.0.5/16", "10.88.0.5/16" },
		{ "0.0.0.0/0", "0.0.0.0/0" },
		{ "255.255.255.255/32", "255.255.255.255/32" },
		{ "FD00:0:0:0::5/64", "fd00::5/64" },
		{ "::/0", "::/0" },
		{ "::1/128", "::1/128" },
	};
	char text[IP_TEXT_MAX];

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct ip_prefix p = net(rows[i][0]);

		assert_string_equal(ip_print_prefix(&p, text), rows[i][1]);
	}
}

static void what_is_no_address_is_refused(void **state)
{
	static const char *const bad[] = { "",		 "10.88.0",    "10.88.0.256", "010.1.1.1",
					   "10.88.0.5 ", "fe80::1%lo", "fd00:::1",    "::ffff:1.2.3",
					   "localhost",	 "1" };
	static const char *const bad_nets[] = {
		"10.88.0.0",	"10.88.0.0/", "10.88.0.0/33",
		"10.88.0.0/-1", "fd00::/129", "10.88.0.0/0016",
		"10.88.0.0/+8", "/8",	      "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/8"
	};
	struct ip_prefix p;
	struct ip a;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(ip_parse(bad[i], &a), -EINVAL);
	for (size_t i = 0; i < ARRAY_LEN(bad_nets); i++)
		assert_int_equal(ip_parse_prefix(bad_nets[i], &p), -EINVAL);
}

static void a_network_has_a_first_and_a_last_address(void **state)
{
	static const struct {
		const char *net, *first, *last;
		uint64_t count;
	} rows[] = {
		{ "10.88.3.5/16", "10.88.0.0", "10.88.255.255", 65536 },
		{ "10.88.3.5/30", "10.88.3.4", "10.88.3.7", 4 },
		{ "10.88.3.5/32", "10.88.3.5", "10.88.3.5", 1 },
		{ "1.2.3.4/0", "0.0.0.0", "255.255.255.255", (uint64_t)1 << 32 },
		{ "fd00::5/64", "fd00::", "fd00::ffff:ffff:ffff:ffff", UINT64_MAX },
		{ "fd00::5/65", "fd00::", "fd00::7fff:ffff:ffff:ffff", (uint64_t)1 << 63 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct ip_prefix p = net(rows[i].net);
		struct ip first = ip_first(&p), last = ip_last(&p), want_first = ip(rows[i].first),
			  want_last = ip(rows[i].last);

		assert_int_equal(ip_compare(&first, &want_first), 0);
		assert_int_equal(ip_compare(&last, &want_last), 0);
		assert_int_equal(ip_count(&p), rows[i].count);
		assert_true(ip_contains(&p, &first) && ip_contains(&p, &last));
		assert_true(ip_is_network(&(struct ip_prefix){ first, p.bits }));
	}
}

static void networks_overlap_where_one_holds_the_other(void **state)
{
	static const struct {
		const char *a, *b;
		bool overlap;
	} rows[] = {
		{ "10.0.0.0/8", "10.88.0.0/16", true }, { "10.88.0.0/16", "10.89.0.0/16", false },
		{ "0.0.0.0/0", "10.0.0.0/8", true },	{ "10.88.0.0/17", "10.88.128.0/17", false },
		{ "fd00::/64", "fd00::5/128", true },	{ "fd00::/64", "10.0.0.0/8", false },
		{ "::/0", "0.0.0.0/0", false },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct ip_prefix a = net(rows[i].a), b = net(rows[i].b);

		assert_int_equal(ip_overlaps(&a, &b), rows[i].overlap);
		assert_int_equal(ip_overlaps(&b, &a), rows[i].overlap);
	}
}

static void addresses_are_counted_across_bytes(void **state)
{
	static const struct {
		const char *from;
		uint64_t n;
		const char *to;
	} rows[] = {
		{ "10.88.0.255", 1, "10.88.1.0" },
		{ "10.88.0.0", 65535, "10.88.255.255" },
		{ "255.255.255.255", 1, "0.0.0.0" },
		{ "fd00::ffff:ffff:ffff:ffff", 1, "fd00:0:0:1::" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct ip from = ip(rows[i].from), to = ip(rows[i].to), sum = ip_add(&from, rows[i].n);

		assert_int_equal(ip_compare(&sum, &to), 0);
	}
}

static void hardware_addresses_are_read_strictly(void **state)
{
	static const char *const bad[] = { "", "02:42:0a:58:00", "02:42:0a:58:00:05:", "02-42-0a-58-00-05",
					   "02:42:0a:58:00:0g" };
	uint8_t mac[6];
	char text[18];

	assert_int_equal(mac_parse("02:42:0A:58:00:ff", mac), 0);
	assert_string_equal(mac_print(mac, text), "02:42:0a:58:00:ff");
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(mac_parse(bad[i], mac), -EINVAL);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_is_read_and_printed_in_its_shortest_form),
		cmocka_unit_test(what_is_no_address_is_refused),
		cmocka_unit_test(a_network_has_a_first_and_a_last_address),
		cmocka_unit_test(networks_overlap_where_one_holds_the_other),
		cmocka_unit_test(addresses_are_counted_across_bytes),
		cmocka_unit_test(hardware_addresses_are_read_strictly),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
