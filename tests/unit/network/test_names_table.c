/* test_names_table.c - what the name service of a network answers, forwards and keeps to itself */
#include "../cm.h"

#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>

#include "base/auto.h"
#include "network/names_int.h"

static const char document[] =
	"{\"network\":\"Net1\",\"gateway\":\"10.9.0.1\",\"gateway6\":\"fd09::1\",\"subnet\":\"10.9.0.0/24\","
	"\"subnet6\":\"fd09::/64\",\"entries\":["
	"{\"instance\":\"aa\",\"names\":[\"web\",\"www\",\"aaaaaaaaaaaa\"],\"address\":\"10.9.0.5\","
	"\"address6\":\"fd09::5\",\"mac\":\"02:42:0a:09:00:05\",\"dhcp\":true},"
	"{\"instance\":\"bb\",\"names\":[\"db\",\"www\",\"no "
	"name\",\"a.dotted.name\"],\"address\":\"10.9.0.6\","
	"\"egress\":[\"example.org\",\"*.example.net\"],\"egressGiven\":true},"
	"{\"instance\":\"cc\",\"names\":[\"learner\"],\"address\":\"10.9.0.7\",\"egressLearn\":true},"
	"{\"instance\":\"dd\",\"names\":[\"shut\"],\"address\":\"10.9.0.8\",\"egressGiven\":true},"
	"{\"instance\":\"ee\",\"names\":[\"both\"],\"address\":\"10.9.0.20\",\"also\":[\"n2\",\"n3\"]},"
	"{\"instance\":\"ee\",\"names\":[\"both\",\"both.Net2\"],\"network\":\"n2\",\"address\":\"10.8.0.9\"}"
	","
	"{\"instance\":\"ff\",\"names\":[\"far\",\"far.Net2\",\"web\"],\"network\":\"n2\",\"address\":\"10.8."
	"0.2\"},"
	"{\"instance\":\"gg\",\"names\":[\"far\",\"far.Net3\"],\"network\":\"n3\",\"address\":\"10.7.0.2\"},"
	"{\"instance\":\"hh\",\"names\":[\"else\"],\"network\":\"n4\",\"address\":\"10.6.0.2\"}]}";

static struct names_table table;

static int read_document(void **state)
{
	struct err e;

	return names_table_parse(document, sizeof(document) - 1, &table, &e);
}

static int free_document(void **state)
{
	names_table_done(&table);
	return 0;
}

/* A question as a client's bytes. */
static size_t question(const char *name, unsigned type, uint8_t *ret)
{
	static const uint8_t head[] = { 1, 2, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0 };
	struct dns_name n;

	assert_int_equal(dns_name_parse(name, &n), 0);
	memcpy(ret, head, sizeof(head));
	memcpy(ret + sizeof(head), n.wire, n.len);
	memcpy(ret + sizeof(head) + n.len, (uint8_t[]){ 0, (uint8_t)type, 0, 1 }, 4);
	return sizeof(head) + n.len + 4;
}

/* "forward", "learn", or the rcode and the addresses. */
static const char *ask(const char *client, const char *name, unsigned type)
{
	static struct dns_answer a;
	static char text[512];
	uint8_t data[DNS_QUERY_MAX], out[DNS_UDP_MAX];
	struct dns_query q;
	struct names_ask ask = { .data = data, .query = &q };
	struct ip ip;
	size_t n = question(name, type, data);
	enum names_verdict v;

	assert_int_equal(dns_query_parse(data, n, &q), 0);
	assert_int_equal(ip_parse(client, &ip), 0);
	ask.client = names_table_at(&table, NULL, &ip);
	v = names_answer(&table, &ask, out, sizeof(out), &n);
	if (v != NAMES_ANSWERED)
		return v == NAMES_FORWARD ? "forward" : "learn";
	assert_int_equal(dns_answer_parse(out, n, &a), 0);
	n = (size_t)snprintf(text, sizeof(text), "%u", a.rcode);
	for (size_t i = 0; i < a.n_addresses; i++) {
		char one[IP_TEXT_MAX];

		n += (size_t)snprintf(text + n, sizeof(text) - n, " %s", ip_print(&a.addresses[i].ip, one));
	}
	return text;
}

static void who_is_on_another_network_too_sees_its_names(void **state)
{
	static const struct {
		const char *client, *name, *answer;
	} rows[] = {
		{ "10.9.0.20", "far", "0 10.8.0.2" }, /* the first other network that has it */
		{ "10.9.0.20", "FAR.net3", "0 10.7.0.2" },
		{ "10.9.0.20", "far.net2.ketch", "0 10.8.0.2" },
		{ "10.9.0.20", "web", "0 10.9.0.5" }, /* its own before all */
		{ "10.9.0.20", "both", "0 10.9.0.20" },
		{ "10.9.0.20", "both.net2", "0 10.8.0.9" },
		{ "10.9.0.20", "else", "3" },
		{ "10.9.0.5", "far", "3" },
		{ "10.9.0.5", "far.net2.ketch", "3" },
		{ "10.9.0.5", "both", "0 10.9.0.20" },
		{ "10.9.0.250", "far", "3" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		assert_string_equal(ask(rows[i].client, rows[i].name, DNS_A), rows[i].answer);
	assert_string_equal(ask("10.9.0.20", "2.0.8.10.in-addr.arpa", DNS_PTR), "0");
	assert_string_equal(ask("10.9.0.5", "2.0.8.10.in-addr.arpa", DNS_PTR), "forward");
}

static void an_internal_network_leaves_the_way_out_to_the_next_resolver(void **state)
{
	table.file.internal = true;
	assert_string_equal(ask("10.9.0.20", "example.com", DNS_A), "5");
	assert_string_equal(ask("10.9.0.5", "example.com", DNS_A), "3");
	table.file.internal = false;
}

static void names_of_the_network_are_answered(void **state)
{
	static const struct {
		const char *name;
		unsigned type;
		const char *answer;
	} cases[] = {
		{ "web", DNS_A, "0 10.9.0.5" },
		{ "WEB", DNS_AAAA, "0 fd09::5" },
		{ "web", DNS_ANY, "0 10.9.0.5 fd09::5" },
		{ "web", DNS_MX, "0" }, /* no data: it is there */
		{ "db", DNS_AAAA, "0" },
		{ "aaaaaaaaaaaa", DNS_A, "0 10.9.0.5" },
		{ "www", DNS_A, "0 10.9.0.5 10.9.0.6" },
		{ "a.dotted.name", DNS_A, "0 10.9.0.6" },
		{ "web.ketch", DNS_A, "0 10.9.0.5" },
		{ "web.net1", DNS_A, "0 10.9.0.5" },
		{ "web.net1.ketch", DNS_A, "0 10.9.0.5" },
		{ "web.other.ketch", DNS_A, "3" },
		{ "nobody", DNS_A, "3" },
		{ "nobody.ketch", DNS_A, "3" },
		{ "org", DNS_NS, "3" }, /* one label is never forwarded */
		{ "web.org", DNS_A, "forward" },
		{ "other.net1", DNS_A, "forward" },
		{ "ketch.example.org", DNS_A, "forward" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		assert_string_equal(ask("10.9.0.5", cases[i].name, cases[i].type), cases[i].answer);
}

static void addresses_of_the_network_have_names(void **state)
{
	uint8_t data[DNS_QUERY_MAX], out[DNS_UDP_MAX];
	size_t n = question("5.0.9.10.in-addr.arpa", DNS_PTR, data);
	struct dns_query q;
	struct names_ask about = { .data = data, .query = &q };

	assert_int_equal(dns_query_parse(data, n, &q), 0);
	assert_int_equal(names_answer(&table, &about, out, sizeof(out), &n), NAMES_ANSWERED);
	assert_memory_equal(out + n - 5, "\3web", 5);
	assert_string_equal(ask("10.9.0.5", "9.0.9.10.in-addr.arpa", DNS_PTR), "3");
	assert_string_equal(ask("10.9.0.5", "5.0.9.10.in-addr.arpa", DNS_A), "0");
	assert_string_equal(ask("10.9.0.5", "5.0.8.10.in-addr.arpa", DNS_PTR), "forward");
}

static void who_may_reach_some_names_hears_of_no_others(void **state)
{
	static const struct {
		const char *client, *name;
		unsigned type;
		const char *answer;
	} cases[] = {
		{ "10.9.0.6", "example.org", DNS_A, "learn" },
		{ "10.9.0.6", "example.org", DNS_MX, "learn" },
		{ "10.9.0.6", "example.org", DNS_HTTPS, "0" }, /* carries addresses, too */
		{ "10.9.0.6", "example.org", DNS_ANY, "0" },
		{ "10.9.0.6", "www.example.org", DNS_A, "3" },
		{ "10.9.0.6", "a.b.example.net", DNS_A, "learn" },
		{ "10.9.0.6", "example.net", DNS_A, "3" },
		{ "10.9.0.6", "badexample.net", DNS_A, "3" },
		{ "10.9.0.6", "web", DNS_A, "0 10.9.0.5" }, /* its own network */
		{ "10.9.0.7", "any.thing", DNS_A, "learn" },
		{ "10.9.0.8", "example.org", DNS_A, "3" },
		{ "10.9.0.1", "any.thing", DNS_A, "forward" }, /* the host */
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		assert_string_equal(ask(cases[i].client, cases[i].name, cases[i].type), cases[i].answer);
}

static void an_internal_network_asks_nobody(void **state)
{
	table.file.internal = true;
	assert_string_equal(ask("10.9.0.5", "example.org", DNS_A), "3");
	assert_string_equal(ask("10.9.0.7", "example.org", DNS_A), "3");
	assert_string_equal(ask("10.9.0.5", "web", DNS_A), "0 10.9.0.5");
	table.file.internal = false;
}

static void cards_and_addresses_are_found(void **state)
{
	static const uint8_t mac[6] = { 2, 0x42, 10, 9, 0, 5 }, other[6] = { 2, 0x42, 10, 9, 0, 6 };
	struct ip in, out;

	assert_string_equal(names_table_card(&table, mac)->entry->instance, "aa");
	assert_null(names_table_card(&table, other));
	assert_int_equal(ip_parse("fd09::77", &in), 0);
	assert_int_equal(ip_parse("10.9.1.5", &out), 0);
	assert_true(names_table_contains(&table, &in));
	assert_false(names_table_contains(&table, &out));
}

static void a_broken_document_is_refused(void **state)
{
	static const char *const cases[] = {
		"",
		"[]",
		"{\"subnet\":\"10.9.0.0\"}",
		"{\"entries\":[{\"address\":\"10.9.0.5/24\"}]}",
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct names_table t;
		struct err e;

		assert_true(names_table_parse(cases[i], strlen(cases[i]), &t, &e) < 0);
	}
}

static void resolvers_of_the_host_are_read(void **state)
{
	static const char text[] =
		"# a comment\nsearch example.org\nnameserver 192.0.2.1\n"
		"nameserver\t2001:db8::1 # with a word\nnameserver fe80::1%3\nnameserverx 192.0.2.9\n"
		"nameserver name\nnameserver fe80::1%eth0\nnameserver 192.0.2.2\nnameserver 192.0.2.3";
	struct upstreams u;
	char one[IP_TEXT_MAX];
	struct ip ip;

	resolv_parse(text, sizeof(text) - 1, &u);
	assert_int_equal(u.n, UPSTREAMS_MAX);
	ip = address_ip(&u.at[0]);
	assert_string_equal(ip_print(&ip, one), "192.0.2.1");
	ip = address_ip(&u.at[1]);
	assert_string_equal(ip_print(&ip, one), "2001:db8::1");
	assert_int_equal(u.at[2].v6.sin6_scope_id, 3);
	ip = address_ip(&u.at[3]);
	assert_string_equal(ip_print(&ip, one), "192.0.2.2");
	resolv_parse("", 0, &u);
	assert_int_equal(u.n, 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_of_the_network_are_answered),
		cmocka_unit_test(who_is_on_another_network_too_sees_its_names),
		cmocka_unit_test(an_internal_network_leaves_the_way_out_to_the_next_resolver),
		cmocka_unit_test(addresses_of_the_network_have_names),
		cmocka_unit_test(who_may_reach_some_names_hears_of_no_others),
		cmocka_unit_test(an_internal_network_asks_nobody),
		cmocka_unit_test(cards_and_addresses_are_found),
		cmocka_unit_test(a_broken_document_is_refused),
		cmocka_unit_test(resolvers_of_the_host_are_read),
	};

	return cmocka_run_group_tests(tests, read_document, free_document);
}
