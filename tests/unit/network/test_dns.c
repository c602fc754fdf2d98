/* test_dns.c - the codec of the DNS: what is read, what is refused, what is written */
#include "../cm.h"

#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>

#include "base/auto.h"
#include "network/dns.h"

#define BYTES(s) (const uint8_t *)(s), sizeof(s) - 1

/* id, flags: recursion wanted, one question */
#define QUERY "\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00"
#define WEB   "\x03WeB\x00\x00\x01\x00\x01"
/* OPT: room of 1232, DO */
#define OPT "\x00\x00\x29\x04\xd0\x00\x00\x80\x00\x00\x00"

static const char query[] = QUERY "\x00" WEB;
static const char query_opt[] = QUERY "\x01" WEB OPT;
/* An alias, its two addresses, one of another name, an authority and an OPT. */
static const char reply[] = "\x12\x34\x81\x80\x00\x01\x00\x04\x00\x01\x00\x01"
			    "\x01w\x07"
			    "example\x03org\x00\x00\x01\x00\x01"
			    "\xc0\x0c\x00\x05\x00\x01\x00\x00\x00\x3c\x00\x04\x01x\xc0\x0e"
			    "\xc0\x2b\x00\x01\x00\x01\x00\x00\x00\x10\x00\x04\xc0\x00\x02\x01"
			    "\xc0\x2b\x00\x01\x00\x01\x80\x00\x00\x00\x00\x04\xc0\x00\x02\x02"
			    "\x01y\xc0\x0e\x00\x01\x00\x01\x00\x00\x00\x10\x00\x04\xc0\x00\x02\x63"
			    "\xc0\x0e\x00\x02\x00\x01\x00\x00\x00\x10\x00\x02\xc0\x0e" OPT;

static void a_query_is_read(void **state)
{
	struct dns_query q;
	struct dns_name web;

	assert_int_equal(dns_name_parse("web", &web), 0);
	assert_int_equal(dns_query_parse(BYTES(query), &q), 0);
	assert_int_equal(q.id, 0x1234);
	assert_true(q.recursion);
	assert_false(q.edns);
	assert_int_equal(q.room, 512);
	assert_true(dns_name_equal(&q.question.name, &web));
	assert_int_equal(q.question.type, DNS_A);
	assert_int_equal(dns_query_parse(BYTES(query_opt), &q), 0);
	assert_true(q.edns);
	assert_int_equal(q.room, 1232);
}

static void what_is_wrong_with_a_query_is_told(void **state)
{
#define CASE(text, rcode)                                                                                    \
	{                                                                                                    \
		text, sizeof(text) - 1, rcode                                                                \
	}
	static const struct {
		const char *bytes;
		size_t n;
		int r;
	} cases[] = {
		CASE("", -EBADMSG),
		CASE("\x12\x34\x81\x00\x00\x01\x00\x00\x00\x00\x00\x00" WEB, -EBADMSG), /* an answer */
		CASE("\x12\x34\x11\x00\x00\x01\x00\x00\x00\x00\x00\x00" WEB, DNS_NOTIMP), /* a status */
		CASE("\x12\x34\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00", DNS_FORMERR), /* no question */
		CASE("\x12\x34\x01\x00\x00\x02\x00\x00\x00\x00\x00\x00" WEB WEB, DNS_FORMERR),
		CASE(QUERY "\x00" WEB "x", DNS_FORMERR), /* something behind */
		CASE(QUERY "\x01" WEB, DNS_FORMERR), /* a record is missing */
		CASE(QUERY "\x02" WEB OPT OPT, DNS_FORMERR),
		CASE(QUERY "\x01" WEB "\x01x\x00\x29\x04\xd0\x00\x00\x80\x00\x00\x00", DNS_FORMERR),
		CASE(QUERY "\x01" WEB "\x00\x00\x29\x04\xd0\x00\x01\x80\x00\x00\x00", DNS_BADVERS),
		CASE(QUERY "\x00\x03web\x00\x00\x01\x00\x03", DNS_REFUSED), /* CHAOS */
		CASE(QUERY "\x00\x03web\x00\x00\xfc\x00\x01", DNS_NOTIMP), /* AXFR */
		CASE(QUERY "\x00\xc0\x0c\x00\x01\x00\x01", DNS_FORMERR), /* a pointer to itself */
		CASE(QUERY "\x00\x01"
			   "a\xc0\x0c\x00\x01\x00\x01",
		     DNS_FORMERR), /* to its own beginning */
		CASE(QUERY "\x00\xc0\x10\x00\x01\x00\x01\x00", DNS_FORMERR), /* forward */
		CASE(QUERY "\x00\xc0\x02\x00\x01\x00\x01", DNS_FORMERR), /* into the header */
		CASE(QUERY "\x00\x40xxx\x00\x00\x01\x00\x01", DNS_FORMERR), /* another kind of label */
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		static struct dns_answer a;
		uint8_t out[DNS_PLAIN_MAX];
		struct dns_query q;
		int r = dns_query_parse((const uint8_t *)cases[i].bytes, cases[i].n, &q);

		if (r != cases[i].r)
			fail_msg("case %zu: %d, not %d", i, r, cases[i].r);
		if (r < 0 || cases[i].bytes[2] & 0x78)
			continue;
		assert_int_equal(
			dns_answer_parse(
				out, dns_refuse((const uint8_t *)cases[i].bytes, &q, (unsigned)r, out), &a),
			0);
		assert_int_equal(a.id, 0x1234);
		assert_int_equal(a.rcode, r & 15);
	}
}

static void an_answer_tells_the_addresses_of_the_name_asked_for(void **state)
{
	static struct dns_answer a;
	char text[IP_TEXT_MAX], name[DNS_TEXT_MAX];

	assert_int_equal(dns_answer_parse(BYTES(reply), &a), 0);
	assert_int_equal(a.id, 0x1234);
	assert_int_equal(a.rcode, DNS_OK);
	assert_string_equal(dns_name_print(&a.question.name, name), "w.example.org");
	assert_int_equal(a.n_addresses, 2);
	assert_string_equal(ip_print(&a.addresses[0].ip, text), "192.0.2.1");
	assert_int_equal(a.addresses[0].ttl_s, 16);
	assert_string_equal(ip_print(&a.addresses[1].ip, text), "192.0.2.2");
	assert_int_equal(a.addresses[1].ttl_s, 0); /* negative */
}

/* Each in memory of its own, so that a sanitizer sees one byte too many. */
static int parse_copy(const char *data, size_t n, bool is_query)
{
	static struct dns_answer a;
	struct dns_query q;
	uint8_t *copy = malloc(n ? n : 1);
	int r;

	memcpy(copy, data, n);
	r = is_query ? dns_query_parse(copy, n, &q) : dns_answer_parse(copy, n, &a);
	free(copy);
	return r;
}

static void no_beginning_of_a_message_is_one(void **state)
{
	for (size_t n = 0; n < sizeof(reply) - 1; n++)
		assert_int_equal(parse_copy(reply, n, false), -EBADMSG);
	for (size_t n = 0; n < sizeof(query_opt) - 1; n++)
		assert_int_not_equal(parse_copy(query_opt, n, true), 0);
}

static void every_byte_may_be_any(void **state)
{
	char copy[sizeof(reply)];
	unsigned good = 0;

	for (size_t at = 0; at < sizeof(reply) - 1; at++)
		for (unsigned v = 0; v < 256; v++) {
			memcpy(copy, reply, sizeof(reply));
			copy[at] = (char)v;
			good += parse_copy(copy, sizeof(reply) - 1, false) == 0;
			if (at < sizeof(query_opt) - 1) {
				memcpy(copy, query_opt, sizeof(query_opt));
				copy[at] = (char)v;
				good += parse_copy(copy, sizeof(query_opt) - 1, true) == 0;
			}
		}
	assert_true(good > 5000); /* ids, letters, addresses and TTLs may be any */
}

/* A chain of pointers, each to the one before: read once, and no longer than a name may be. */
static void pointers_make_no_loop_and_no_long_name(void **state)
{
	uint8_t data[2048] = { 0x12, 0x34, 0x81, 0x80, 0, 1, 0, 0, 0, 0, 0, 0 };
	static struct dns_answer a;
	size_t n = DNS_HEADER;

	for (unsigned i = 0; i < 4; i++) {
		data[n++] = 63;
		memset(data + n, 'a', 63);
		n += 63;
	}
	data[n++] = 0; /* 257 bytes */
	memcpy(data + n, "\x00\x01\x00\x01", 4);
	assert_int_equal(dns_answer_parse(data, n + 4, &a), -EBADMSG);
	data[DNS_HEADER + 3 * 64] = 61; /* 255 */
	n -= 2;
	data[n - 1] = 0;
	memcpy(data + n, "\x00\x01\x00\x01", 4);
	assert_int_equal(dns_answer_parse(data, n + 4, &a), 0);
	assert_int_equal(a.question.name.len, 255);
}

static void names_are_text_and_back(void **state)
{
	static const char *const good[][2] = {
		{ "web", "web" },
		{ "WEB.", "web" },
		{ "a.B-c_d.0", "a.b-c_d.0" },
	};
	static const char *const bad[] = {
		"",	".",  "..",
		"a..b", ".a", "a b",
		"a\\b", "ä",  "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffff1234"
	};
	static const struct dns_name odd = { 6, 1, "\4a.\0B" };
	char text[DNS_TEXT_MAX];
	struct dns_name n;

	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		assert_int_equal(dns_name_parse(good[i][0], &n), 0);
		assert_string_equal(dns_name_print(&n, text), good[i][1]);
	}
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		if (dns_name_parse(bad[i], &n) != -EINVAL)
			fail_msg("%s", bad[i]);
	assert_string_equal(dns_name_print(&odd, text), "a\\046\\000\\066");
	assert_string_equal(dns_name_print(&(struct dns_name){ .len = 1 }, text), ".");
}

static void what_is_below_a_name(void **state)
{
	static const struct {
		const char *name, *parent, *front;
	} cases[] = {
		{ "a.example.org", "example.org", "a" }, { "a.b.example.org", "example.org", "a.b" },
		{ "example.org", "example.org", NULL },	 { "aexample.org", "example.org", NULL },
		{ "org", "example.org", NULL },
	};
	struct dns_name n, p, front;
	char text[DNS_TEXT_MAX];

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		assert_int_equal(dns_name_parse(cases[i].name, &n), 0);
		assert_int_equal(dns_name_parse(cases[i].parent, &p), 0);
		assert_int_equal(dns_name_below(&n, &p, &front), cases[i].front != NULL);
		if (cases[i].front)
			assert_string_equal(dns_name_print(&front, text), cases[i].front);
	}
}

static void reverse_names_are_addresses(void **state)
{
	static const struct {
		const char *name, *address;
	} cases[] = {
		{ "5.0.88.10.in-addr.arpa", "10.88.0.5" },
		{ "5.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.d.f.ip6.arpa", "fd00::5" },
		{ "256.0.88.10.in-addr.arpa", NULL },
		{ "05.0.88.10.in-addr.arpa", NULL },
		{ "0.88.10.in-addr.arpa", NULL },
		{ "1.5.0.88.10.in-addr.arpa", NULL },
		{ "x.0.88.10.in-addr.arpa", NULL },
		{ "in-addr.arpa", NULL },
		{ "g.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.d.f.ip6.arpa", NULL },
		{ "5.0.88.10.ip6.arpa", NULL },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char text[IP_TEXT_MAX];
		struct dns_name n;
		struct ip ip;

		assert_int_equal(dns_name_parse(cases[i].name, &n), 0);
		if (dns_name_reverse(&n, &ip) != (cases[i].address != NULL))
			fail_msg("%s", cases[i].name);
		if (cases[i].address)
			assert_string_equal(ip_print(&ip, text), cases[i].address);
	}
}

static void what_does_not_fit_makes_an_answer_truncated(void **state)
{
	static struct dns_answer a;
	struct ip ip = { AF_INET, { 10, 0, 0, 0 } };
	uint8_t out[DNS_UDP_MAX];
	struct dns_writer w;
	struct dns_query q;
	size_t n;

	for (unsigned edns = 0; edns < 2; edns++) {
		const char *from = edns ? query_opt : query;

		assert_int_equal(dns_query_parse((const uint8_t *)from,
						 edns ? sizeof(query_opt) - 1 : sizeof(query) - 1, &q),
				 0);
		dns_write_begin(&w, out, q.room, (const uint8_t *)from, &q);
		for (unsigned i = 0; i < 100; i++, ip.bytes[3]++)
			dns_write_address(&w, &ip, 7);
		n = dns_write_end(&w, DNS_OK);
		assert_in_range(n, q.room - 16, q.room);
		assert_int_equal(dns_answer_parse(out, n, &a), 0);
		assert_true(a.truncated);
		assert_int_equal(a.n_addresses, edns ? 75 : 30);
		assert_int_equal(a.addresses[0].ttl_s, 7);
		assert_memory_equal(out + DNS_HEADER, from + DNS_HEADER, 9); /* the client's own letters */
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_query_is_read),
		cmocka_unit_test(what_is_wrong_with_a_query_is_told),
		cmocka_unit_test(an_answer_tells_the_addresses_of_the_name_asked_for),
		cmocka_unit_test(no_beginning_of_a_message_is_one),
		cmocka_unit_test(every_byte_may_be_any),
		cmocka_unit_test(pointers_make_no_loop_and_no_long_name),
		cmocka_unit_test(names_are_text_and_back),
		cmocka_unit_test(what_is_below_a_name),
		cmocka_unit_test(reverse_names_are_addresses),
		cmocka_unit_test(what_does_not_fit_makes_an_answer_truncated),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
