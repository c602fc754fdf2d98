/* test_reserve.c - sockets that hold ports, on 127.0.0.1, and who holds them */
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../cm.h"
#include "base/auto.h"
#include "network/reserve.h"

static void a_port_is_held_once(void **state)
{
	struct published_port p = { .protocol = PORT_TCP, .host_ip = (char[]){ "127.0.0.1" } }, again;
	autofree char *who = NULL, *me = str_printf("(process %d)", (int)getpid());
	struct err e;
	int fd = reserve_port(&p, &e), other;

	assert_true(fd >= 3);
	assert_true(p.host_port > 0);
	again = p;
	assert_int_equal(reserve_port(&again, &e), -EADDRINUSE);
	assert_int_equal(listen(fd, 1), 0); /* else the kernel lists it nowhere */
	who = reserve_holder(&p);
	assert_non_null(strstr(who, me));
	again.protocol = PORT_UDP; /* another thing */
	other = reserve_port(&again, &e);
	assert_true(other >= 0 || other == -EADDRINUSE);
	if (other >= 0)
		close(other);
	close(fd);
	fd = reserve_port(&p, &e);
	assert_true(fd >= 0);
	close(fd);
}

static void of_a_range_the_first_that_is_free(void **state)
{
	struct published_port p = { .protocol = PORT_UDP, .host_ip = (char[]){ "127.0.0.1" } }, range;
	struct err e;
	int fd = reserve_port(&p, &e), second;

	assert_true(fd >= 0);
	range = p;
	range.host_last = p.host_port + 20;
	second = reserve_port(&range, &e);
	assert_true(second >= 0);
	assert_true(range.host_port > p.host_port && range.host_port <= p.host_port + 20);
	assert_int_equal(range.host_last, 0);
	close(fd);
	close(second);
}

/* The relay ends connections first, which leaves TIME_WAIT for a minute. */
static void what_was_accepted_on_a_port_is_not_in_its_way(void **state)
{
	char host[] = "::1";
	struct published_port p = { .protocol = PORT_TCP, .host_ip = host }, again;
	int fd = reserve_port(&p, NULL), client, there;
	struct sockaddr_in6 at = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };
	char c;

	if (fd == -EADDRNOTAVAIL || fd == -EAFNOSUPPORT)
		skip();
	assert_true(fd >= 0);
	at.sin6_port = htons((uint16_t)p.host_port);
	client = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(client, (struct sockaddr *)&at, sizeof(at)), 0);
	there = accept(fd, NULL, NULL);
	assert_true(there >= 0);
	close(there);
	assert_int_equal(read(client, &c, 1), 0);
	close(client);
	again = p;
	assert_int_equal(reserve_port(&again, NULL), -EADDRINUSE);
	close(fd);
	fd = reserve_port(&again, NULL);
	assert_true(fd >= 0);
	assert_int_equal(reserve_port(&p, NULL), -EADDRINUSE);
	close(fd);
}

static void an_address_of_nobody_is_refused(void **state)
{
	struct published_port p = { .host_ip = (char[]){ "192.0.2.1" }, .host_port = 80 };
	struct err e;

	assert_int_equal(reserve_port(&p, &e), -EADDRNOTAVAIL);
}

static void inodes_are_found_by_port(void **state)
{
	static const char table[] = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when "
				    "retrnsmt   uid  timeout inode\n"
				    "   0: 0100007F:1F90 0100007F:C350 01 00000000:00000000 00:00000000 "
				    "00000000     0        0 11 1\n"
				    "   1: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 "
				    "00000000     0        0 12 1\n"
				    "   2: 00000000:0050 00000000:0000 06 00000000:00000000 00:00000000 "
				    "00000000     0        0 0 1\n"
				    "   3: 00000000000000000000000001000000:0051 "
				    "00000000000000000000000000000000:0000 0A 0:0 0:0 0 0 0 14 1\n";

	assert_int_equal(reserve_find_inode(table, 0x1f90, false), 11);
	assert_int_equal(reserve_find_inode(table, 0x1f90, true), 12);
	assert_int_equal(reserve_find_inode(table, 0x50, false), 0);
	assert_int_equal(reserve_find_inode(table, 0x51, true), 14);
	assert_int_equal(reserve_find_inode("", 80, true), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_port_is_held_once),
		cmocka_unit_test(of_a_range_the_first_that_is_free),
		cmocka_unit_test(what_was_accepted_on_a_port_is_not_in_its_way),
		cmocka_unit_test(an_address_of_nobody_is_refused),
		cmocka_unit_test(inodes_are_found_by_port),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
