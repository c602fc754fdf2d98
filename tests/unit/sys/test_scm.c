/* test_scm.c - one descriptor a message, and none that nobody knows of */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../cm.h"
#include "sys/scm.h"

struct fixture {
	int pair[2], pipe[2];
};

static int set_up(void **state)
{
	static struct fixture f;

	*state = &f;
	return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, f.pair) < 0 || pipe(f.pipe) < 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < 2; i++)
		close(f->pair[i]);
	close(f->pipe[0]);
	return 0;
}

/* The pipe's end for writing, twice. */
static void send_two(struct fixture *f, const char *text)
{
	union {
		struct cmsghdr head;
		char space[CMSG_SPACE(2 * sizeof(int))];
	} control = { .head = { CMSG_LEN(2 * sizeof(int)), SOL_SOCKET, SCM_RIGHTS } };
	struct iovec io = { (void *)(uintptr_t)text, strlen(text) };
	struct msghdr m = { .msg_iov = &io,
			    .msg_iovlen = 1,
			    .msg_control = control.space,
			    .msg_controllen = CMSG_LEN(2 * sizeof(int)) };

	memcpy(CMSG_DATA(&control.head), (int[]){ f->pipe[1], f->pipe[1] }, 2 * sizeof(int));
	assert_int_equal(sendmsg(f->pair[0], &m, 0), io.iov_len);
}

static void nobody_writes(struct fixture *f)
{
	char byte;

	close(f->pipe[1]);
	assert_int_equal(read(f->pipe[0], &byte, 1), 0);
}

static void of_two_none_stays_open_unseen(void **state)
{
	struct fixture *f = *state;
	char text[8];
	int fd;

	send_two(f, "two");
	assert_int_equal(scm_read(f->pair[1], text, sizeof(text), &fd), 3);
	if (fd >= 0)
		close(fd);
	nobody_writes(f);
}

static void what_is_too_long_brings_none(void **state)
{
	struct fixture *f = *state;
	char text[2];
	int fd = 0;

	assert_int_equal(scm_send(f->pair[0], f->pipe[1], "long", 4), 0);
	assert_int_equal(scm_read(f->pair[1], text, sizeof(text), &fd), -EMSGSIZE);
	assert_int_equal(fd, -1);
	nobody_writes(f);
}

static void one_arrives_as_what_it_is(void **state)
{
	struct fixture *f = *state;
	char byte = 0;
	int fd;

	assert_int_equal(scm_send(f->pair[0], f->pipe[1], "x", 1), 0);
	fd = scm_receive(f->pair[1]);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, "y", 1), 1);
	assert_int_equal(read(f->pipe[0], &byte, 1), 1);
	assert_int_equal(byte, 'y');
	close(fd);
	nobody_writes(f);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(of_two_none_stays_open_unseen),
		TEST(what_is_too_long_brings_none),
		TEST(one_arrives_as_what_it_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
