/* test_port_words.c - published ports in the words of docker ps, inspect and port */
#include <errno.h>

#include "../cm.h"
#include "base/auto.h"
#include "cli/port_words.h"

static struct published_port ports[] = {
	{ .host_ip = (char[]){ "127.0.0.1" }, .host_port = 8080, .port = 80 },
	{ .host_ip = (char[]){ "127.0.0.1" }, .host_port = 8081, .port = 81 },
	{ .host_ip = (char[]){ "::" }, .host_port = 5353, .port = 53, .protocol = PORT_UDP },
	{ .host_ip = (char[]){ "0.0.0.0" }, .port = 80 },
};
static const struct net_spec net = {
	.ports = ports,
	.n_ports = ARRAY_LEN(ports),
	.exposed = { .v = (char *[]){ (char[]){ "80/tcp" }, (char[]){ "443/tcp" }, NULL }, .n = 2 },
};

static void same(struct buf *b, const char *want)
{
	assert_string_equal(b->data ? b->data : "", want);
	buf_done(b);
}

static void ranges_are_one_word_and_what_is_not_chosen_is_not_said(void **state)
{
	struct buf b = { 0 };

	port_words(&net, true, &b);
	same(&b, "127.0.0.1:8080-8081->80-81/tcp, [::]:5353->53/udp, 443/tcp");
	port_words(&net, false, &b);
	same(&b, "");
}

static void inspect_has_a_list_for_each_port(void **state)
{
	struct buf b = { 0 };

	port_json(&net, true, &b);
	same(&b, "{\"80/"
		 "tcp\":[{\"HostIp\":\"127.0.0.1\",\"HostPort\":\"8080\"},{\"HostIp\":\"0.0.0.0\","
		 "\"HostPort\":\"\"}],"
		 "\"81/tcp\":[{\"HostIp\":\"127.0.0.1\",\"HostPort\":\"8081\"}],"
		 "\"53/udp\":[{\"HostIp\":\"::\",\"HostPort\":\"5353\"}],\"443/tcp\":null}");
	port_json(&(struct net_spec){ 0 }, true, &b);
	same(&b, "{}");
}

static void one_port_is_asked_by_number_and_protocol(void **state)
{
	struct buf b = { 0 };

	assert_int_equal(port_lines(&net, "80", &b), 0);
	same(&b, "127.0.0.1:8080\n");
	assert_int_equal(port_lines(&net, "53/udp", &b), 0);
	same(&b, "[::]:5353\n");
	assert_int_equal(port_lines(&net, "53", &b), -ENOENT);
	assert_int_equal(port_lines(&net, "8", &b), -ENOENT);
	assert_int_equal(port_lines(&net, NULL, &b), 0);
	same(&b, "80/tcp -> 127.0.0.1:8080\n81/tcp -> 127.0.0.1:8081\n53/udp -> [::]:5353\n");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(ranges_are_one_word_and_what_is_not_chosen_is_not_said),
		cmocka_unit_test(inspect_has_a_list_for_each_port),
		cmocka_unit_test(one_port_is_asked_by_number_and_protocol),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
