/* test_conn.c - a queue that grew too long is told of when it is short again, whoever wrote it */
#include "../cm.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "wire/conn.h"

struct fixture {
	struct loop *loop;
	struct conn *conn;
	int peer, own; /* own: the end of the connection */
	unsigned drained;
};

static void on_message(void *arg, const struct msg *m)
{
}

static void on_closed(void *arg, const struct err *why)
{
}

static void on_drained(void *arg)
{
	struct fixture *f = arg;

	f->drained++;
}

static int set_up(void **state)
{
	static const struct conn_ops ops = { on_message, on_closed, on_drained };
	struct fixture *f = calloc(1, sizeof(*f));
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	f->loop = loop_new();
	f->own = pair[1];
	f->conn = conn_new(f->loop, pair[1], PEER_GUEST, &ops, f);
	f->peer = pair[0];
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	conn_free(f->conn);
	loop_free(f->loop);
	close(f->peer);
	free(f);
	return 0;
}

static void turn(struct fixture *f)
{
	for (unsigned i = 0; i < 16; i++)
		loop_once(f->loop, 0);
}

static void queue(struct fixture *f, size_t bytes)
{
	static const char data[MSG_MAX_DATA];

	for (size_t n = 0; n < bytes; n += sizeof(data))
		msg_put(conn_out(f->conn), MSG_STDIN, 0, data, sizeof(data));
	conn_flush(f->conn);
}

static void read_all(struct fixture *f)
{
	static char data[MSG_MAX_DATA];

	while (recv(f->peer, data, sizeof(data), MSG_DONTWAIT) > 0)
		continue;
}

static void a_queue_that_the_loop_shortens_is_told_of_once(void **state)
{
	struct fixture *f = *state;

	queue(f, 2 * CONN_HIGH);
	assert_true(conn_is_high(f->conn));
	turn(f);
	assert_int_equal(f->drained, 0);
	for (unsigned i = 0; i < 64; i++) {
		read_all(f);
		turn(f);
	}
	assert_false(conn_is_high(f->conn));
	assert_int_equal(f->drained, 1);
}

/* Its reader was so fast that the next message found room for all: nothing is left that the loop would have to write. */
static void a_queue_that_conn_flush_empties_is_told_of_too(void **state)
{
	struct fixture *f = *state;
	const int room = 8 * CONN_HIGH;

	queue(f, 2 * CONN_HIGH);
	assert_true(conn_is_high(f->conn));
	turn(f);
	read_all(f);
	if (setsockopt(f->own, SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof(room)) < 0) {
		print_message("SKIP: only root may make the buffer of a socket so large\n");
		skip();
	}
	queue(f, 1);
	assert_false(conn_is_high(f->conn));
	turn(f);
	assert_int_equal(f->drained, 1);
}

/* What waits behind a silence is queued as well, and no reason to turn in circles. */
static void a_silent_queue_that_is_high_does_not_keep_the_loop_busy(void **state)
{
	struct fixture *f = *state;

	conn_silence(f->conn, true);
	queue(f, 2 * CONN_HIGH);
	assert_true(conn_is_high(f->conn));
	turn(f);
	assert_int_equal(loop_once(f->loop, 0), 0);
	assert_int_equal(f->drained, 0);
	conn_forget(f->conn);
	conn_flush(f->conn);
	turn(f);
	assert_int_equal(f->drained, 1);
	assert_int_equal(loop_once(f->loop, 0), 0);
}

#define CONN_TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CONN_TEST(a_queue_that_the_loop_shortens_is_told_of_once),
		CONN_TEST(a_queue_that_conn_flush_empties_is_told_of_too),
		CONN_TEST(a_silent_queue_that_is_high_does_not_keep_the_loop_busy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
