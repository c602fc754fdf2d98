/* test_relay.c - who hears what, in whose numbers, and when credit goes back */
#include "../cm.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/io.h"
#include "monitor/questions.h"
#include "monitor/relay.h"
#include "sys/scm.h"
#include "wire/conn.h"

struct fixture {
	struct loop *loop;
	struct relay_ops ops;
	struct relay *relay;
	struct buf down; /* what the back end got, as frames */
	bool settled, attached;
	int stop_signal;
	int pauses, pause_result;
	bool pause_at_once; /* the back end answers inside of the call */
	struct buf ports; /* what was asked of them */
};

static void to_backend(void *arg, const struct msg *m)
{
	struct fixture *f = arg;

	msg_put(&f->down, m->type, m->stream, m->data, m->len);
}

static void on_stop(void *arg, int signo, unsigned timeout_s)
{
	struct fixture *f = arg;

	f->stop_signal = signo + (int)timeout_s * 1000;
}

static int on_pause(void *arg, bool pause)
{
	struct fixture *f = arg;

	f->pauses += pause ? 1 : 100;
	if (f->pause_at_once)
		relay_paused(f->relay, EBUSY, "its memory is just being saved");
	return f->pause_result;
}

static int on_port(void *arg, enum port_step step, const char *name, int fd)
{
	struct fixture *f = arg;

	buf_addf(&f->ports, "%d %s %s;", step, name, fd >= 0 ? "came" : "none");
	if (fd >= 0)
		close(fd);
	return fd >= 0 ? 0 : -EBADF;
}

static void on_settled(void *arg, bool attached)
{
	struct fixture *f = arg;

	f->settled = true;
	f->attached = attached;
}

static bool is_paused(void *arg)
{
	return false;
}

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	f->loop = loop_new();
	f->ops = (struct relay_ops){ .to_backend = to_backend,
				     .stop = on_stop,
				     .pause = on_pause,
				     .is_paused = is_paused,
				     .port = on_port,
				     .first_client_settled = on_settled,
				     .arg = f };
	f->relay = relay_new(f->loop, &f->ops, NULL);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	relay_free(f->relay);
	loop_free(f->loop);
	buf_done(&f->down);
	buf_done(&f->ports);
	free(f);
	return 0;
}

/* A client that has said HELLO; returns its end. */
static int connect_client(struct fixture *f, bool first)
{
	struct buf b = { 0 };
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	assert_int_equal(relay_add_client(f->relay, pair[1], first), 0);
	msg_put_u32(&b, MSG_HELLO, 0, MSG_VERSION);
	assert_int_equal(write_full(pair[0], b.data, b.len), 0);
	buf_done(&b);
	return pair[0];
}

static void turn(struct fixture *f)
{
	while (loop_once(f->loop, 0) > 0)
		;
}

static void say(struct fixture *f, int fd, const struct buf *b)
{
	assert_int_equal(write_full(fd, b->data, b->len), 0);
	turn(f);
}

static void attach(struct fixture *f, int fd, uint32_t flags)
{
	struct buf b = { 0 };

	msg_put_u32(&b, MSG_ATTACH, 0, flags);
	say(f, fd, &b);
	buf_done(&b);
}

static void from_backend(struct fixture *f, enum msg_type t, uint32_t stream, const char *data, size_t n)
{
	struct msg m = { t, stream, data, n };

	relay_from_backend(f->relay, &m);
	turn(f);
}

/* The next frame in b must be this one. */
static void expect(struct buf *b, enum msg_peer peer, enum msg_type type, uint32_t stream)
{
	struct err e = { 0 };
	struct msg m;

	assert_int_equal(msg_peek(b, peer, &m, &e), 1);
	assert_string_equal(msg_name(m.type), msg_name(type));
	assert_int_equal(m.stream, stream);
	msg_drop(b, &m);
}

static void expect_at_client(int fd, struct buf *seen, enum msg_type type, uint32_t stream)
{
	char data[70000];
	ssize_t k;

	while ((k = recv(fd, data, sizeof(data), MSG_DONTWAIT)) > 0)
		buf_add(seen, data, (size_t)k);
	expect(seen, PEER_MONITOR, type, stream);
}

static void the_first_client_settles_by_attaching_or_by_leaving(void **state)
{
	struct fixture *f = *state;
	int fd = connect_client(f, true);

	turn(f);
	assert_false(f->settled);
	close(fd);
	turn(f);
	assert_true(f->settled);
	assert_false(f->attached);
	assert_false(relay_has_first_client(f->relay));
}

static void output_reaches_those_who_attached_to_it(void **state)
{
	struct fixture *f = *state;
	int a = connect_client(f, true), b = connect_client(f, false);
	struct buf seen_a = { 0 }, seen_b = { 0 };
	char c;

	attach(f, a, ATTACH_STDOUT);
	attach(f, b, ATTACH_STDERR);
	from_backend(f, MSG_STDOUT, 0, "x", 1);
	from_backend(f, MSG_STDERR, 0, "y", 1);
	expect_at_client(a, &seen_a, MSG_HELLO, 0);
	expect(&seen_a, PEER_MONITOR, MSG_STDOUT, 0);
	assert_int_equal(seen_a.len, 0);
	expect_at_client(b, &seen_b, MSG_HELLO, 0);
	expect(&seen_b, PEER_MONITOR, MSG_STDERR, 0);
	assert_int_equal(recv(b, &c, 1, MSG_DONTWAIT), -1);
	expect(&f->down, PEER_MONITOR, MSG_CREDIT, 0);
	expect(&f->down, PEER_MONITOR, MSG_CREDIT, 0);
	buf_done(&seen_a);
	buf_done(&seen_b);
	close(a);
	close(b);
}

static void credit_waits_for_a_client_that_lags(void **state)
{
	struct fixture *f = *state;
	int fd = connect_client(f, true);
	char *data = calloc(1, MSG_MAX_DATA);
	struct msg m;
	struct err e;
	size_t sent = 0, owed = 0;

	attach(f, fd, ATTACH_STDOUT);
	while (sent < (size_t)CONN_HIGH * 3) {
		from_backend(f, MSG_STDOUT, 0, data, MSG_MAX_DATA);
		sent += MSG_MAX_DATA;
	}
	while (msg_peek(&f->down, PEER_MONITOR, &m, &e) == 1) {
		owed += msg_u32(&m, 1);
		msg_drop(&f->down, &m);
	}
	assert_true(owed < sent);
	for (size_t got = 0; got < sent;) {
		ssize_t k = recv(fd, data, MSG_MAX_DATA, MSG_DONTWAIT);

		assert_true(k > 0 || errno == EAGAIN);
		got += k > 0 ? (size_t)k : 0;
		turn(f);
	}
	while (msg_peek(&f->down, PEER_MONITOR, &m, &e) == 1) {
		owed += msg_u32(&m, 1);
		msg_drop(&f->down, &m);
	}
	assert_int_equal(owed, sent);
	free(data);
	close(fd);
}

static void streams_of_two_clients_never_mix(void **state)
{
	struct fixture *f = *state;
	int a = connect_client(f, false), b = connect_client(f, false);
	struct buf start = { 0 }, seen_a = { 0 }, seen_b = { 0 };
	static const char exit_bytes[8] = { 3 };

	msg_put(&start, MSG_START, 1, "{}", 2);
	say(f, a, &start);
	say(f, b, &start);
	expect(&f->down, PEER_MONITOR, MSG_START, 1);
	expect(&f->down, PEER_MONITOR, MSG_START, 2);
	from_backend(f, MSG_STDOUT, 2, "for b", 5);
	from_backend(f, MSG_EXIT, 1, exit_bytes, 8);
	expect_at_client(a, &seen_a, MSG_HELLO, 0);
	expect(&seen_a, PEER_MONITOR, MSG_EXIT, 1);
	assert_int_equal(seen_a.len, 0);
	expect_at_client(b, &seen_b, MSG_HELLO, 0);
	expect(&seen_b, PEER_MONITOR, MSG_STDOUT, 1);
	assert_int_equal(seen_b.len, 0);
	buf_done(&start);
	buf_done(&seen_a);
	buf_done(&seen_b);
	close(a);
	close(b);
}

static void a_process_outlives_its_client_with_its_stdin_ended(void **state)
{
	struct fixture *f = *state;
	int fd = connect_client(f, false);
	struct buf start = { 0 };

	msg_put(&start, MSG_START, 9, "{}", 2);
	say(f, fd, &start);
	expect(&f->down, PEER_MONITOR, MSG_START, 1);
	close(fd);
	turn(f);
	expect(&f->down, PEER_MONITOR, MSG_STDIN_EOF, 1);
	from_backend(f, MSG_STDOUT, 1, "unheard", 7);
	expect(&f->down, PEER_MONITOR, MSG_CREDIT, 1);
	buf_done(&start);
}

static void a_copy_of_files_ends_with_its_client(void **state)
{
	struct fixture *f = *state;
	int fd = connect_client(f, false);
	struct buf b = { 0 };
	struct err e = { 0 };
	struct msg m;

	msg_put(&b, MSG_GET, 1, "{}", 2);
	msg_put(&b, MSG_PUT, 2, "{}", 2);
	msg_put(&b, MSG_STDIN, 2, "tar", 3);
	say(f, fd, &b);
	expect(&f->down, PEER_MONITOR, MSG_GET, 1);
	expect(&f->down, PEER_MONITOR, MSG_PUT, 2);
	expect(&f->down, PEER_MONITOR, MSG_STDIN, 2);
	close(fd);
	turn(f);
	for (uint32_t stream = 2; stream > 0; stream--) {
		assert_int_equal(msg_peek(&f->down, PEER_MONITOR, &m, &e), 1);
		assert_int_equal(msg_u32(&m, 0), SIGKILL);
		expect(&f->down, PEER_MONITOR, MSG_SIGNAL, stream);
	}
	buf_done(&b);
}

static void only_the_owner_of_stdin_may_write_it(void **state)
{
	struct fixture *f = *state;
	int a = connect_client(f, true), b = connect_client(f, false);
	struct buf in = { 0 }, seen = { 0 };

	attach(f, a, ATTACH_STDIN);
	attach(f, b, ATTACH_STDIN);
	msg_put(&in, MSG_STDIN, 0, "x", 1);
	say(f, b, &in);
	assert_int_equal(f->down.len, 0);
	expect_at_client(b, &seen, MSG_HELLO, 0);
	expect(&seen, PEER_MONITOR, MSG_ERROR, 0);
	say(f, a, &in);
	expect(&f->down, PEER_MONITOR, MSG_STDIN, 0);
	close(a);
	turn(f);
	expect(&f->down, PEER_MONITOR, MSG_STDIN_EOF, 0);
	buf_done(&in);
	buf_done(&seen);
	close(b);
}

/* Its first credits pay for what the old one sent; only then the new one's own input goes down. */
static void what_an_owner_leaves_under_way_fills_the_next_ones_window(void **state)
{
	struct fixture *f = *state;
	int a = connect_client(f, true), b = connect_client(f, false);
	struct buf in = { 0 }, seen = { 0 };
	static const char three[8] = { 0, 0, 0, 0, 3 }, five[8] = { 0, 0, 0, 0, 5 };

	f->ops.keep_stdin = true;
	attach(f, a, ATTACH_STDIN);
	msg_put(&in, MSG_STDIN, 0, "12345", 5);
	say(f, a, &in);
	expect(&f->down, PEER_MONITOR, MSG_STDIN, 0);
	close(a);
	turn(f);
	attach(f, b, ATTACH_STDIN);
	buf_drop(&in, in.len);
	msg_put(&in, MSG_STDIN, 0, "new", 3);
	say(f, b, &in);
	assert_int_equal(f->down.len, 0); /* neither the end of stdin nor more input */
	from_backend(f, MSG_CREDIT, 0, three, 8);
	assert_int_equal(f->down.len, 0);
	from_backend(f, MSG_CREDIT, 0, five, 8); /* one more than the debt: of nobody */
	expect(&f->down, PEER_MONITOR, MSG_STDIN, 0);
	expect_at_client(b, &seen, MSG_HELLO, 0);
	assert_int_equal(seen.len, 0);
	from_backend(f, MSG_CREDIT, 0, three, 8);
	expect_at_client(b, &seen, MSG_CREDIT, 0);
	buf_done(&in);
	buf_done(&seen);
	close(b);
}

static void who_detaches_leaves_stdin_open(void **state)
{
	struct fixture *f = *state;
	int fd = connect_client(f, true);
	struct buf b = { 0 };

	attach(f, fd, ATTACH_STDIN | ATTACH_STDOUT);
	assert_true(relay_has_first_client(f->relay));
	msg_put(&b, MSG_START, 1, "{}", 2);
	msg_put_u32(&b, MSG_ATTACH, 1, 0);
	msg_put_u32(&b, MSG_ATTACH, 0, 0);
	say(f, fd, &b);
	assert_false(relay_has_first_client(f->relay));
	close(fd);
	turn(f);
	expect(&f->down, PEER_MONITOR, MSG_START, 1);
	assert_int_equal(f->down.len, 0);
	from_backend(f, MSG_STDOUT, 1, "unheard", 7);
	expect(&f->down, PEER_MONITOR, MSG_CREDIT, 1);
	buf_done(&b);
}

static void whoever_asked_for_a_pause_is_answered(void **state)
{
	struct fixture *f = *state;
	int a = connect_client(f, false), b = connect_client(f, false), c = connect_client(f, false);
	struct buf pause = { 0 }, seen_a = { 0 }, seen_b = { 0 }, seen_c = { 0 };
	struct msg m;

	msg_put_u32(&pause, MSG_PAUSE, 0, 1);
	say(f, a, &pause);
	assert_int_equal(f->pauses, 1);
	f->pause_result = -EBUSY;
	say(f, b, &pause);
	expect_at_client(b, &seen_b, MSG_HELLO, 0);
	assert_int_equal(msg_peek(&seen_b, PEER_MONITOR, &m, NULL), 1);
	assert_int_equal(msg_u32(&m, 0), EBUSY);
	expect(&seen_b, PEER_MONITOR, MSG_PAUSED, 0);
	relay_paused(f->relay, 0, "");
	expect_at_client(a, &seen_a, MSG_HELLO, 0);
	expect(&seen_a, PEER_MONITOR, MSG_PAUSED, 0);
	expect_at_client(c, &seen_c, MSG_HELLO, 0);
	assert_int_equal(seen_a.len + seen_b.len + seen_c.len, 0);
	buf_done(&pause);
	buf_done(&seen_a);
	buf_done(&seen_b);
	buf_done(&seen_c);
	close(a);
	close(b);
	close(c);
}

static void a_pause_that_is_answered_at_once_is_answered_too(void **state)
{
	struct fixture *f = *state;
	int fd = connect_client(f, false);
	struct buf pause = { 0 }, seen = { 0 };

	f->pause_at_once = true;
	msg_put_u32(&pause, MSG_PAUSE, 0, 1);
	say(f, fd, &pause);
	expect_at_client(fd, &seen, MSG_HELLO, 0);
	expect(&seen, PEER_MONITOR, MSG_PAUSED, 0);
	assert_int_equal(seen.len, 0);
	buf_done(&pause);
	buf_done(&seen);
	close(fd);
}

/* However many others wait for answers, which a machine that stands still does not give. */
static void what_stands_still_for_a_client_goes_on_when_it_leaves(void **state)
{
	struct fixture *f = *state;
	int a = connect_client(f, false), b = connect_client(f, false);
	struct buf save = { 0 }, stats = { 0 };

	msg_put_text(&save, MSG_SAVE, 0, SAVE_REST, "0123456789abcdef0123456789abcdef");
	say(f, a, &save);
	expect(&f->down, PEER_CLIENT, MSG_SAVE, 0);
	for (unsigned i = 0; i < QUESTIONS_MAX; i++)
		msg_put(&stats, MSG_STATS, 0, NULL, 0);
	say(f, b, &stats);
	for (unsigned i = 1; i < QUESTIONS_MAX; i++)
		expect(&f->down, PEER_CLIENT, MSG_STATS, 0);
	assert_int_equal(f->down.len, 0); /* the last was refused */
	say(f, b, &save);
	close(b); /* so was that: nothing stands still for it */
	turn(f);
	assert_int_equal(f->down.len, 0);
	close(a);
	turn(f);
	expect(&f->down, PEER_CLIENT, MSG_SAVE, 0);
	buf_done(&save);
	buf_done(&stats);
}

static void a_client_of_another_version_is_refused(void **state)
{
	struct fixture *f = *state;
	struct buf b = { 0 }, seen = { 0 };
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	assert_int_equal(relay_add_client(f->relay, pair[1], false), 0);
	msg_put_u32(&b, MSG_HELLO, 0, MSG_VERSION + 1);
	msg_put_u32x2(&b, MSG_STOP, 0, 15, 0);
	say(f, pair[0], &b);
	assert_int_equal(f->stop_signal, 0);
	expect_at_client(pair[0], &seen, MSG_HELLO, 0);
	expect(&seen, PEER_MONITOR, MSG_ERROR, 0);
	buf_done(&b);
	buf_done(&seen);
	close(pair[0]);
}

static void the_last_words_reach_everybody(void **state)
{
	struct fixture *f = *state;
	int a = connect_client(f, true), b = connect_client(f, false);
	struct buf start = { 0 }, seen_a = { 0 }, seen_b = { 0 };
	static const char exit_bytes[8] = { 0 };
	struct msg last = { MSG_EXIT, 0, exit_bytes, 8 };

	attach(f, a, 0);
	msg_put(&start, MSG_START, 4, "{}", 2);
	say(f, b, &start);
	relay_finish(f->relay, &last, 1000);
	expect_at_client(a, &seen_a, MSG_HELLO, 0);
	expect(&seen_a, PEER_MONITOR, MSG_EXIT, 0);
	expect_at_client(b, &seen_b, MSG_HELLO, 0);
	expect(&seen_b, PEER_MONITOR, MSG_EXIT, 4);
	buf_done(&start);
	buf_done(&seen_a);
	buf_done(&seen_b);
	close(a);
	close(b);
}

#define RELAY_TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)

/* With the first byte of its message; another message does not get it. */
static void a_socket_comes_with_its_message(void **state)
{
	struct fixture *f = *state;
	int fd = connect_client(f, false);
	struct buf b = { 0 }, seen = { 0 };
	char data[4096];
	struct msg m;
	struct err e;
	ssize_t k;

	msg_put_text(&b, MSG_PORT, 0, PORT_HOLD, "port/a");
	assert_int_equal(scm_send(fd, fd, b.data, b.len), 0);
	turn(f);
	assert_int_equal(scm_send(fd, fd, b.data, 7), 0); /* in two parts */
	turn(f);
	assert_int_equal(write_full(fd, b.data + 7, b.len - 7), 0);
	turn(f);
	say(f, fd, &b); /* and none */
	assert_string_equal(f->ports.data, "1 port/a came;1 port/a came;1 port/a none;");
	while ((k = recv(fd, data, sizeof(data), MSG_DONTWAIT)) > 0)
		buf_add(&seen, data, (size_t)k);
	expect(&seen, PEER_MONITOR, MSG_HELLO, 0);
	expect(&seen, PEER_MONITOR, MSG_PORT_REPLY, 0);
	expect(&seen, PEER_MONITOR, MSG_PORT_REPLY, 0);
	assert_int_equal(msg_peek(&seen, PEER_MONITOR, &m, &e), 1);
	assert_int_equal(msg_u32(&m, 0), EBADF);
	assert_int_equal(f->down.len, 0);
	buf_done(&b);
	buf_done(&seen);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RELAY_TEST(the_first_client_settles_by_attaching_or_by_leaving),
		RELAY_TEST(output_reaches_those_who_attached_to_it),
		RELAY_TEST(credit_waits_for_a_client_that_lags),
		RELAY_TEST(streams_of_two_clients_never_mix),
		RELAY_TEST(a_process_outlives_its_client_with_its_stdin_ended),
		RELAY_TEST(a_copy_of_files_ends_with_its_client),
		RELAY_TEST(only_the_owner_of_stdin_may_write_it),
		RELAY_TEST(what_an_owner_leaves_under_way_fills_the_next_ones_window),
		RELAY_TEST(who_detaches_leaves_stdin_open),
		RELAY_TEST(whoever_asked_for_a_pause_is_answered),
		RELAY_TEST(a_pause_that_is_answered_at_once_is_answered_too),
		RELAY_TEST(what_stands_still_for_a_client_goes_on_when_it_leaves),
		RELAY_TEST(a_client_of_another_version_is_refused),
		RELAY_TEST(the_last_words_reach_everybody),
		RELAY_TEST(a_socket_comes_with_its_message),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
