/* test_relay6.c - the relay of [::1] serves as many at once as it has places for */
#include "../cm.h"

#include <arpa/inet.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/sanitized.h"
#include "network/relay6.h"

#define PLACES	256 /* FLOWS_MAX and TALKS_MAX of relay6.c */
#define LATE_MS 10000

static const struct sockaddr_in own4 = { .sin_family = AF_INET, .sin_addr.s_addr = 0x0100007f };
static const struct sockaddr_in6 own6 = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };

static int bound(int type, const void *at, socklen_t len)
{
	int fd = socket(((const struct sockaddr *)at)->sa_family, type, 0);

	assert_int_equal(bind(fd, at, len), 0);
	return fd;
}

static unsigned port_of(int fd)
{
	struct sockaddr_in6 at = { 0 };
	socklen_t len = sizeof(at);

	assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &len), 0);
	return ntohs(at.sin6_port); /* where that of IPv4 is, too */
}

static int dial(int type, unsigned port)
{
	struct sockaddr_in6 to = own6;
	int fd = socket(AF_INET6, type, 0);

	to.sin6_port = htons((uint16_t)port);
	assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
	return fd;
}

static void await(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	assert_int_equal(poll(&p, 1, LATE_MS), 1);
}

/* "relay", in a process of its own, whose end of a pair is its life. */
static pid_t run(int life, int tcp, int tcp_to, int udp, int udp_to)
{
	static char text[5][16], tcp_word[] = "tcp", udp_word[] = "udp", at[] = "127.0.0.1";
	char *words[] = { text[0], text[1], tcp_word, at, text[2], text[3], udp_word, at, text[4], NULL };
	const int numbers[] = { life, tcp, (int)port_of(tcp_to), udp, (int)port_of(udp_to) };
	pid_t pid;

	for (unsigned i = 0; i < 5; i++)
		snprintf(text[i], sizeof(text[i]), "%d", numbers[i]);
	pid = fork();
	if (pid == 0)
		_exit(relay6_run(words));
	return pid;
}

static void all_places_can_be_taken_at_once(void **state)
{
	int tcp = bound(SOCK_STREAM, &own6, sizeof(own6)), udp = bound(SOCK_DGRAM, &own6, sizeof(own6));
	int tcp_to = bound(SOCK_STREAM, &own4, sizeof(own4)), udp_to = bound(SOCK_DGRAM, &own4, sizeof(own4));
	struct rlimit many;
	char byte[2];
	int life[2];
	pid_t pid;

	if (geteuid() != 0 || SANITIZED) {
		print_message("skipped: its sandbox is made by root, and has no room for a sanitizer\n");
		skip();
	}
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &many), 0);
	many.rlim_cur = many.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &many), 0);
	assert_int_equal(listen(tcp_to, PLACES), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, life), 0);
	pid = run(life[1], tcp, tcp_to, udp, udp_to);
	close(life[1]);
	await(life[0]);
	assert_int_equal(read(life[0], byte, sizeof(byte)), 2);
	for (unsigned i = 0; i < PLACES; i++) {
		assert_int_equal(send(dial(SOCK_DGRAM, port_of(udp)), "x", 1, 0), 1);
		await(udp_to);
		assert_int_equal(recv(udp_to, byte, 1, 0), 1);
	}
	for (unsigned i = 0; i < PLACES; i++) {
		dial(SOCK_STREAM, port_of(tcp));
		await(tcp_to);
		assert_true(accept(tcp_to, NULL, NULL) >= 0);
	}
	close(life[0]);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(all_places_can_be_taken_at_once) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
