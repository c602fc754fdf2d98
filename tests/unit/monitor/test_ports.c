/* test_ports.c - what a client may have the monitor hold, and let go of */
#include "../cm.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "monitor/ports.h"

static void forget(struct boot *b)
{
	while (b->n_fds)
		free(b->fds[--b->n_fds].name);
	free(b->fds);
}

static bool is_open(int fd)
{
	return fcntl(fd, F_GETFD) >= 0;
}

static void a_port_is_held_until_it_is_let_go(void **state)
{
	struct boot b = { 0 };
	int pair[2];
	char c;

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	assert_int_equal(boot_add_fd(&b, "lock", 0), 0);
	assert_int_equal(ports_change(&b, PORT_HOLD, "port/tcp/127.0.0.1:80", pair[0]), 0);
	assert_int_equal(boot_add_fd(&b, "dir", 1), 0);
	assert_int_equal(boot_fd(&b, "port/tcp/127.0.0.1:80"), pair[0]);
	assert_int_equal(ports_change(&b, PORT_LET_GO, "port/tcp/127.0.0.1:80", -1), 0);
	assert_int_equal(boot_fd(&b, "port/tcp/127.0.0.1:80"), -ENOENT);
	assert_int_equal(boot_fd(&b, "dir"), 1);
	assert_int_equal(b.n_fds, 2);
	assert_false(is_open(pair[0]));
	assert_int_equal(ports_change(&b, PORT_LET_GO, "port/tcp/127.0.0.1:80", -1), 0);
	assert_int_equal(read(pair[1], &c, 1), 0);
	close(pair[1]);
	forget(&b);
}

static void one_sees_whether_a_relay_lives(void **state)
{
	struct boot b = { 0 };
	int pair[2];

	assert_int_equal(ports_change(&b, PORT_LOOK, "relay6", -1), -ENOENT);
	assert_int_equal(ports_change(&b, PORT_LOOK, "dir", -1), -EINVAL);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	assert_int_equal(boot_add_fd(&b, "relay6", pair[0]), 0);
	assert_int_equal(ports_change(&b, PORT_LOOK, "relay6", -1), 0);
	close(pair[1]);
	assert_int_equal(ports_change(&b, PORT_LOOK, "relay6", -1), -ENXIO);
	assert_int_equal(ports_change(&b, PORT_LET_GO, "relay6", -1), -EINVAL);
	close(pair[0]);
	forget(&b);
}

/* A relay has a copy of the socket. */
static void who_has_a_copy_sees_that_it_was_let_go(void **state)
{
	struct boot b = { 0 };
	int pair[2], copy;
	char c;

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	copy = dup(pair[0]);
	assert_int_equal(ports_change(&b, PORT_HOLD, "relay6/tcp/::1:80", pair[0]), 0);
	assert_int_equal(ports_change(&b, PORT_LET_GO, "relay6/tcp/::1:80", -1), 0);
	assert_int_equal(recv(copy, &c, 1, MSG_DONTWAIT), 0);
	close(copy);
	close(pair[1]);
	forget(&b);
}

static void what_is_no_port_stays_as_it_is(void **state)
{
	static const char *const names[] = { "lock", "relay6", "port", "", "ports/x" };
	struct boot b = { 0 };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		int fd = open("/dev/null", O_RDONLY);

		assert_int_equal(boot_add_fd(&b, names[i], 0), 0);
		assert_int_equal(ports_change(&b, PORT_LET_GO, names[i], -1), -EINVAL);
		assert_int_equal(boot_fd(&b, names[i]), 0);
		assert_int_equal(ports_change(&b, PORT_HOLD, names[i], fd), -EINVAL);
		assert_false(is_open(fd)); /* it was taken all the same */
	}
	forget(&b);
}

static void a_hold_needs_a_descriptor_and_a_free_name(void **state)
{
	struct boot b = { 0 };
	int fd = open("/dev/null", O_RDONLY), other = open("/dev/null", O_RDONLY);

	assert_int_equal(ports_change(&b, PORT_HOLD, "port/tcp/::1:1", -ENOENT), -EBADF);
	assert_int_equal(ports_change(&b, PORT_HOLD, "port/tcp/::1:1", fd), 0);
	assert_int_equal(ports_change(&b, PORT_HOLD, "port/tcp/::1:1", other), -EEXIST);
	assert_false(is_open(other));
	assert_int_equal(boot_fd(&b, "port/tcp/::1:1"), fd);
	assert_int_equal(ports_change(&b, (enum port_step)7, "port/tcp/::1:1", -1), -EINVAL);
	close(fd);
	forget(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_port_is_held_until_it_is_let_go),
		cmocka_unit_test(one_sees_whether_a_relay_lives),
		cmocka_unit_test(who_has_a_copy_sees_that_it_was_let_go),
		cmocka_unit_test(what_is_no_port_stays_as_it_is),
		cmocka_unit_test(a_hold_needs_a_descriptor_and_a_free_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
