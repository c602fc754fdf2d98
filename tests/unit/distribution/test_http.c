/* test_http.c - what servers say in headers: challenges, and where they lead */
#include "../cm.h"

#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "base/auto.h"
#include "base/buf.h"
#include "base/clock.h"
#include "distribution/challenge.h"
#include "distribution/http_int.h"
#include "distribution/session.h"
#include "distribution/url.h"

static void challenges_are_read_and_the_best_is_taken(void **state)
{
	static const struct {
		const char *header;
		enum challenge_kind kind;
		const char *realm, *service, *scope;
	} rows[] = {
		{ "Basic realm=\"x\"", CHALLENGE_BASIC, "x", NULL, NULL },
		{ "basic", CHALLENGE_BASIC, NULL, NULL, NULL },
		{ "Bearer realm=\"https://a/t\",service=\"a b\",scope=\"repository:x:pull,push\"",
		  CHALLENGE_BEARER, "https://a/t", "a b", "repository:x:pull,push" },
		{ "Bearer realm=https://a/t , service=s", CHALLENGE_BEARER, "https://a/t", "s", NULL },
		{ "Basic realm=\"x\", Bearer realm=\"y\", error=\"z\"", CHALLENGE_BEARER, "y", NULL, NULL },
		{ "Bearer realm=\"y\", Basic realm=\"x\"", CHALLENGE_BEARER, "y", NULL, NULL },
		{ "Negotiate", CHALLENGE_NONE, NULL, NULL, NULL },
		{ "Digest realm=\"d\", nonce=\"n\", Basic realm=\"x\"", CHALLENGE_BASIC, "x", NULL, NULL },
		{ "Bearer realm=\"a\\\"b\"", CHALLENGE_BEARER, "a\"b", NULL, NULL },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		AUTO(challenge_done) struct challenge c = { 0 };

		assert_int_equal(challenge_parse(rows[i].header, &c), 0);
		assert_int_equal(c.kind, rows[i].kind);
		if (rows[i].realm)
			assert_string_equal(c.realm, rows[i].realm);
		if (rows[i].service)
			assert_string_equal(c.service, rows[i].service);
		if (rows[i].scope)
			assert_string_equal(c.scope, rows[i].scope);
	}
}

static void what_is_no_challenge_is_refused(void **state)
{
	static const char *const wrong[] = { "",
					     " ",
					     "Bearer",
					     "Bearer service=\"x\"",
					     "Bearer realm=\"x",
					     "Bearer realm=\"x\",realm=\"y\"",
					     "Bearer realm=",
					     "Bearer =x",
					     "Bearer realm=\"x\"\"y\"",
					     "Bea/rer realm=\"x\"",
					     "Bearer realm=\"a\nb\"" };

	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		struct challenge c = { 0 };

		assert_true(challenge_parse(wrong[i], &c) < 0);
		assert_int_equal(c.kind, CHALLENGE_NONE);
	}
}

static void an_origin_is_scheme_host_and_port(void **state)
{
	static const char *const rows[][2] = {
		{ "https://A.example/x", "https://a.example" },
		{ "https://a.example:443/", "https://a.example" },
		{ "http://a.example:443/", "http://a.example:443" },
		{ "http://a.example:80?x", "http://a.example" },
		{ "https://[::1]:5000/x", "https://[::1]:5000" },
		{ "ftp://a.example/", NULL },
		{ "https://user@a.example/", NULL },
		{ "https:///x", NULL },
		{ "https://a example/", NULL },
		{ "https://a.example/\nx", NULL },
		{ "", NULL },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		autofree char *origin = url_origin(rows[i][0]);

		if (rows[i][1])
			assert_string_equal(origin, rows[i][1]);
		else
			assert_null(origin);
	}
}

static void a_location_leads_from_where_it_was_said(void **state)
{
	static const char *const rows[][3] = {
		{ "https://a/v2/x?q", "/b", "https://a/b" },
		{ "https://a/v2/x?q", "b/c", "https://a/v2/b/c" },
		{ "https://a/v2/x?q", "?b", "https://a/v2/x?b" },
		{ "https://a", "b", "https://a/b" },
		{ "https://a/v2/x", "http://c/d", "http://c/d" },
		{ "https://a/v2/x", "//c/d", "https://c/d" },
		{ "https://a/v2/x", "file:///etc/passwd", NULL },
		{ "https://a/v2/x", "", NULL },
		{ "https://a/v2/x", "/a b", NULL },
		{ "https://a/v2/x", "https://u:p@c/d", NULL },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		autofree char *to = url_follow(rows[i][0], rows[i][1]);

		if (rows[i][2])
			assert_string_equal(to, rows[i][2]);
		else
			assert_null(to);
	}
}

static void a_query_grows(void **state)
{
	AUTO(buf_done) struct buf b = { 0 };

	buf_adds(&b, "https://a/t");
	url_add_query(&b, "service", "a b&c");
	url_add_query(&b, "scope", "repository:x/y:pull,push");
	assert_string_equal(b.data, "https://a/t?service=a%20b%26c&scope=repository:x/y:pull,push");
}

static void a_header_is_taken_or_refused_with_a_reason(void **state)
{
	static const struct {
		const char *line, *refused; /* NULL: taken */
	} rows[] = {
		{ "Location: /x\r\n", NULL },
		{ "X-Odd:\ta\tb\r\n", NULL },
		{ "Content-Range: bytes 5-9/10\r\n", NULL },
		{ "Content-Range: bytes 5-9/9\r\n", "Content-Range" },
		{ "Content-Range: bytes -10--5/-1\r\n", "Content-Range" },
		{ "Content-Range: bytes 1-2/18446744073709551615\r\n", "Content-Range" },
		{ "Content-Length: -1\r\n", "Content-Length" },
		{ "WWW-Authenticate: Basic\rLocation: x\r\n", "control character" },
		{ "Location: http://a/\x1b[2J\r\n", "control character" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct http_call c = { .head = { .length = -1 } };
		size_t n = strlen(rows[i].line);
		autofree char *line = strdup(rows[i].line);

		assert_int_equal(http_on_header(line, 1, n, &c), rows[i].refused ? 0 : n);
		assert_int_equal(c.refused, rows[i].refused != NULL);
		if (rows[i].refused)
			assert_non_null(strstr(c.err.msg, rows[i].refused));
		http_head_done(&c.head);
	}
}

/* Bound, but nobody listens: a connection is refused. */
static int closed_port(struct sockaddr_in *ret)
{
	socklen_t n = sizeof(*ret);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	*ret = (struct sockaddr_in){ .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	assert_int_equal(bind(fd, (struct sockaddr *)ret, n), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)ret, &n), 0);
	return fd;
}

/* The pauses between five tries would be 1.5 s. */
static void where_nobody_listens_nothing_is_tried_again(void **state)
{
	struct sockaddr_in at;
	int fd = closed_port(&at);
	autofree char *server = str_printf("127.0.0.1:%u", ntohs(at.sin_port));
	const struct registry_endpoint ep = { .server = server, .plain = true };
	struct errand er = { .call.method = "GET" };
	struct http *h = http_new(30);
	struct session s;
	struct err e = { 0 };
	int64_t begin = clock_mono_ns();

	assert_non_null(h);
	assert_int_equal(session_open(&s, h, &ep, NULL, &e), 0);
	assert_int_equal(errand_insist(&s, &er, "", &e), -ECONNREFUSED);
	assert_true(er.call.nobody);
	assert_true(clock_mono_ns() - begin < 1400 * 1000000LL);
	assert_non_null(strstr(e.msg, "cannot connect: connection refused"));
	errand_done(&s, &er);
	session_done(&s);
	http_free(h);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(challenges_are_read_and_the_best_is_taken),
		cmocka_unit_test(what_is_no_challenge_is_refused),
		cmocka_unit_test(an_origin_is_scheme_host_and_port),
		cmocka_unit_test(a_location_leads_from_where_it_was_said),
		cmocka_unit_test(a_query_grows),
		cmocka_unit_test(a_header_is_taken_or_refused_with_a_reason),
		cmocka_unit_test(where_nobody_listens_nothing_is_tried_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
