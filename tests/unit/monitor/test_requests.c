/* test_requests.c - what clients ask before the instance has begun waits for it, whole or not at all */
#include "../cm.h"

#include <stdbool.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/io.h"
#include "monitor/monitor_int.h"

#define STREAMS 3

static int set_up(void **state)
{
	struct monitor *m = calloc(1, sizeof(*m));

	m->run_fd = m->news.dir = -1;
	m->loop = loop_new();
	m->running = (struct running *)m; /* nobody looks at it */
	m->state.status = STATUS_STARTING;
	m->relay_ops = monitor_relay_ops;
	m->relay_ops.arg = m;
	m->relay = relay_new(m->loop, &m->relay_ops, NULL);
	*state = m;
	return 0;
}

static int tear_down(void **state)
{
	struct monitor *m = *state;

	relay_free(m->relay);
	loop_free(m->loop);
	buf_done(&m->early);
	free(m);
	return 0;
}

static void say(struct monitor *m, int fd, struct buf *b)
{
	for (size_t at = 0, n; at < b->len; at += n) {
		n = b->len - at < 4096 ? b->len - at : 4096;
		assert_int_equal(write_full(fd, b->data + at, n), 0);
		while (loop_once(m->loop, 0) > 0)
			;
	}
	buf_done(b);
}

/* How much input of a stream waits. */
static size_t input_of(struct monitor *m, uint32_t stream)
{
	struct buf all = { m->early.data, m->early.len, 0, false };
	struct msg msg;
	struct err e;
	size_t n = 0;

	while (msg_peek(&all, PEER_MONITOR, &msg, &e) == 1) {
		n += msg.type == MSG_STDIN && msg.stream == stream ? msg.len : 0;
		all.data += MSG_HEADER + msg.len;
		all.len -= MSG_HEADER + msg.len;
	}
	return n;
}

static void input_of_processes_that_wait_is_kept_and_one_too_many_is_refused(void **state)
{
	static const char data[MSG_MAX_DATA];
	struct monitor *m = *state;
	struct buf b = { 0 }, seen = { 0 };
	char text[4096];
	struct msg msg;
	struct err e;
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	assert_int_equal(relay_add_client(m->relay, pair[1], false), 0);
	msg_put_u32(&b, MSG_HELLO, 0, MSG_VERSION);
	for (uint32_t i = 1; i <= STREAMS; i++)
		msg_put(&b, MSG_START, i, "{}", 2);
	for (uint32_t i = 1; i <= STREAMS; i++)
		for (size_t n = 0; n < MSG_WINDOW; n += sizeof(data))
			msg_put(&b, MSG_STDIN, i, data, sizeof(data));
	msg_put(&b, MSG_START, STREAMS + 1, "{}", 2);
	say(m, pair[0], &b);
	for (uint32_t i = 1; i <= STREAMS; i++)
		assert_int_equal(input_of(m, i), MSG_WINDOW);
	buf_add(&seen, text, (size_t)recv(pair[0], text, sizeof(text), MSG_DONTWAIT));
	assert_int_equal(msg_peek(&seen, PEER_MONITOR, &msg, &e), 1);
	assert_int_equal(msg.type, MSG_HELLO);
	msg_drop(&seen, &msg);
	assert_int_equal(msg_peek(&seen, PEER_MONITOR, &msg, &e), 1);
	assert_int_equal(msg.type, MSG_FAILED);
	assert_int_equal(msg.stream, STREAMS + 1);
	buf_done(&seen);
	close(pair[0]);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test_setup_teardown(
		input_of_processes_that_wait_is_kept_and_one_too_many_is_refused, set_up, tear_down) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
