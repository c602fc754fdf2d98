/* test_dhcp.c - DHCP: a card gets exactly what it was leased, and bytes that are no request get nothing */
#include "../cm.h"

#include <errno.h>
#include <sys/socket.h>

#include "base/auto.h"
#include "network/dhcp.h"

static const struct ip gateway = { AF_INET, { 10, 88, 0, 1 } };

static struct dhcp_lease lease(void)
{
	return (struct dhcp_lease){ .address = { { AF_INET, { 10, 88, 0, 5 } }, 16 },
				    .server = gateway,
				    .router = gateway,
				    .dns = gateway,
				    .mtu = 1400,
				    .seconds = 3600,
				    .hostname = "web" };
}

/* A message with these options behind its type. */
static size_t message(uint8_t *data, unsigned type, const void *options, size_t n)
{
	static const uint8_t head[] = { 1, 1, 6, 0, 0xde, 0xad, 0xbe, 0xef, 0, 0, 0x80 };
	static const uint8_t mac[] = { 2, 0x42, 10, 88, 0, 5 };
	const uint8_t kind[] = { 99, 130, 83, 99, 53, 1, (uint8_t)type };

	memset(data, 0, DHCP_MAX);
	memcpy(data, head, sizeof(head));
	memcpy(data + 28, mac, sizeof(mac));
	memcpy(data + 236, kind, sizeof(kind));
	if (n)
		memcpy(data + 243, options, n);
	data[243 + n] = 255;
	return 244 + n;
}

#define WANTED(x) "\x32\x04\x0a\x58\x00" x
#define SERVER(x) "\x36\x04\x0a\x58\x00" x

static void a_request_gets_its_lease_or_a_refusal(void **state)
{
	static const struct {
		enum dhcp_type type, answer;
		const char *options;
		size_t n;
		uint8_t own; /* last byte of ciaddr */
	} cases[] = {
		{ DHCP_DISCOVER, DHCP_OFFER, "", 0, 0 },
		{ DHCP_DISCOVER, DHCP_OFFER, WANTED("\x63"), 6, 0 }, /* it may wish */
		{ DHCP_REQUEST, DHCP_ACK, SERVER("\x01") WANTED("\x05"), 12, 0 },
		{ DHCP_REQUEST, DHCP_NAK, SERVER("\x01") WANTED("\x06"), 12, 0 },
		{ DHCP_REQUEST, DHCP_NONE, SERVER("\x02") WANTED("\x05"), 12, 0 }, /* it has chosen another */
		{ DHCP_REQUEST, DHCP_ACK, WANTED("\x05"), 6, 0 }, /* after a reboot */
		{ DHCP_REQUEST, DHCP_NAK, WANTED("\x07"), 6, 0 },
		{ DHCP_REQUEST, DHCP_ACK, "", 0, 5 }, /* renewal */
		{ DHCP_REQUEST, DHCP_NAK, "", 0, 6 },
		{ DHCP_REQUEST, DHCP_NAK, "", 0, 0 }, /* for nothing */
		{ DHCP_RELEASE, DHCP_NONE, "", 0, 5 },
		{ DHCP_DECLINE, DHCP_NONE, WANTED("\x05"), 6, 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct dhcp_lease l = lease();
		uint8_t data[DHCP_MAX];
		size_t n = message(data, cases[i].type, cases[i].options, cases[i].n);
		struct dhcp_request rq;

		if (cases[i].own)
			memcpy(data + 12, (uint8_t[]){ 10, 88, 0, cases[i].own }, 4);
		assert_int_equal(dhcp_parse(data, n, &rq), 0);
		assert_int_equal(rq.transaction, 0xdeadbeef);
		assert_true(rq.broadcast);
		if (dhcp_decide(&rq, &l) != cases[i].answer)
			fail_msg("case %zu", i);
	}
}

static const uint8_t *find_option(const uint8_t *data, unsigned option)
{
	const uint8_t *at = data + 240;

	while (*at != 255 && *at != option)
		at += 2 + at[1];
	return *at == option ? at + 1 : NULL;
}

static void an_answer_tells_all_of_the_lease(void **state)
{
	static const struct {
		unsigned option;
		const char *bytes;
		size_t n;
	} want[] = {
		{ 53, "\x05", 1 },
		{ 54, "\x0a\x58\x00\x01", 4 },
		{ 51, "\x00\x00\x0e\x10", 4 },
		{ 1, "\xff\xff\x00\x00", 4 },
		{ 3, "\x0a\x58\x00\x01", 4 },
		{ 6, "\x0a\x58\x00\x01", 4 },
		{ 28, "\x0a\x58\xff\xff", 4 },
		{ 26, "\x05\x78", 2 },
		{ 12, "web", 3 },
	};
	struct dhcp_lease l = lease();
	uint8_t data[DHCP_MAX];
	struct dhcp_request rq;
	size_t n = message(data, DHCP_REQUEST, WANTED("\x05"), 6);

	assert_int_equal(dhcp_parse(data, n, &rq), 0);
	assert_int_equal(dhcp_print(&rq, DHCP_ACK, &l, data), 300);
	assert_memory_equal(data, "\x02\x01\x06\x00\xde\xad\xbe\xef", 8);
	assert_memory_equal(data + 16, "\x0a\x58\x00\x05", 4);
	assert_memory_equal(data + 28, "\x02\x42\x0a\x58\x00\x05", 6);
	for (size_t i = 0; i < ARRAY_LEN(want); i++) {
		const uint8_t *got = find_option(data, want[i].option);

		if (!got || *got != want[i].n || memcmp(got + 1, want[i].bytes, want[i].n) != 0)
			fail_msg("option %u", want[i].option);
	}
	dhcp_print(&rq, DHCP_NAK, &l, data);
	assert_null(find_option(data, 1));
	assert_memory_equal(data + 16, "\0\0\0\0", 4);
	l.router.family = l.dns.family = 0; /* of an internal network */
	dhcp_print(&rq, DHCP_ACK, &l, data);
	assert_null(find_option(data, 3));
}

static void what_is_no_request_is_refused(void **state)
{
	static const struct {
		size_t at;
		uint8_t v;
	} cases[] = {
		{ 0, 2 }, /* an answer */
		{ 1, 6 }, /* another kind of network */
		{ 2, 16 }, /* a card with longer addresses */
		{ 24, 10 }, /* through a relay */
		{ 236, 98 }, /* plain BOOTP */
		{ 241, 0 }, /* a type without a value */
		{ 241, 2 },   { 242, 0 }, { 242, 8 }, { 244, 3 }, /* a short address */
		{ 244, 200 }, /* a length past the end */
		{ 249, 0 }, /* no end */
	};
	uint8_t data[DHCP_MAX];
	struct dhcp_request rq;
	size_t n = message(data, DHCP_REQUEST, WANTED("\x05"), 6);

	assert_int_equal(dhcp_parse(data, n, &rq), 0);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		message(data, DHCP_REQUEST, WANTED("\x05"), 6);
		data[cases[i].at] = cases[i].v;
		if (dhcp_parse(data, n, &rq) != -EBADMSG)
			fail_msg("case %zu", i);
	}
	message(data, DHCP_REQUEST, WANTED("\x05"), 6);
	for (size_t i = 0; i < n; i++) {
		uint8_t *copy = malloc(i ? i : 1);

		memcpy(copy, data, i);
		assert_int_equal(dhcp_parse(copy, i, &rq), -EBADMSG);
		free(copy);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_request_gets_its_lease_or_a_refusal),
		cmocka_unit_test(an_answer_tells_all_of_the_lease),
		cmocka_unit_test(what_is_no_request_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
