/* test_agent.c - the host's side of the conversation: a guest that lies is cut off, one that behaves is heard */
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../cm.h"
#include "base/auto.h"
#include "base/io.h"
#include "vm/agent.h"

#define CONFIG_TEXT "{\"spec\":{}}"

struct talk {
	struct loop *loop;
	struct agent *agent;
	int guest; /* the guest's end */
	struct buf in; /* what the guest has read and not looked at */
	bool ready, lost;
	struct err why;
	unsigned heard, silences;
	enum msg_type last;
};

static void on_ready(void *arg)
{
	((struct talk *)arg)->ready = true;
}

static void on_message(void *arg, const struct msg *m)
{
	struct talk *t = arg;

	t->heard++;
	t->last = m->type;
}

static void on_lost(void *arg, const struct err *why)
{
	struct talk *t = arg;

	assert_false(t->lost);
	t->lost = true;
	t->why = *why;
}

static void on_silent(void *arg)
{
	((struct talk *)arg)->silences++;
}

static const struct agent_ops ops = { on_ready, on_message, on_silent, on_lost };

static int set_up(void **state)
{
	struct talk *t = calloc(1, sizeof(*t));
	struct buf config = { 0 };
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	t->guest = pair[0];
	t->loop = loop_new();
	buf_adds(&config, CONFIG_TEXT);
	t->agent = agent_new(t->loop, pair[1], &(struct agent_start){ .config = &config }, &ops, t);
	buf_done(&config);
	assert_non_null(t->agent);
	*state = t;
	return 0;
}

static int tear_down(void **state)
{
	struct talk *t = *state;

	agent_free(t->agent);
	if (t->guest >= 0)
		close(t->guest);
	loop_free(t->loop);
	buf_done(&t->in);
	free(t);
	return 0;
}

/* --- the guest */

/* Lets the host take what was sent: the loop turns until there is nothing more to do. */
static void settle(struct talk *t)
{
	while (loop_once(t->loop, 0) > 0)
		;
}

static void say_bytes(struct talk *t, const void *data, size_t n)
{
	/* small enough for the socket, or the host reads between */
	for (const char *p = data; n;) {
		ssize_t k = send(t->guest, p, n, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (k > 0) {
			p += k;
			n -= (size_t)k;
		} else if (errno != EAGAIN) {
			return; /* cut off */
		}
		settle(t);
	}
}

static void say(struct talk *t, struct buf *b)
{
	say_bytes(t, b->data, b->len);
	buf_done(b);
}

static void say_type(struct talk *t, enum msg_type type, uint32_t stream)
{
	struct buf b = { 0 };

	msg_put(&b, type, stream, NULL, 0);
	say(t, &b);
}

static void say_u32(struct talk *t, enum msg_type type, uint32_t stream, uint32_t v)
{
	struct buf b = { 0 };

	msg_put_u32(&b, type, stream, v);
	say(t, &b);
}

static void say_u32x2(struct talk *t, enum msg_type type, uint32_t stream, uint32_t v, uint32_t w)
{
	struct buf b = { 0 };

	msg_put_u32x2(&b, type, stream, v, w);
	say(t, &b);
}

static void say_text(struct talk *t, enum msg_type type, uint32_t stream, const char *text)
{
	struct buf b = { 0 };

	msg_put_text(&b, type, stream, 125, text);
	say(t, &b);
}

static void say_output(struct talk *t, enum msg_type type, uint32_t stream, size_t n)
{
	autofree char *data = calloc(1, MSG_MAX_DATA);

	while (n && !t->lost) {
		size_t k = n < MSG_MAX_DATA ? n : MSG_MAX_DATA;
		struct buf b = { 0 };

		msg_put(&b, type, stream, data, k);
		say(t, &b);
		n -= k;
	}
}

/* The guest reads one message, which must be of this type. */
static void hear(struct talk *t, enum msg_type type)
{
	struct err e;
	struct msg m;
	int r;

	while ((r = msg_peek(&t->in, PEER_MONITOR, &m, &e)) == 0) {
		char *p = buf_room(&t->in, 65536);
		ssize_t k;

		settle(t);
		k = recv(t->guest, p, 65536, MSG_DONTWAIT);
		if (k <= 0)
			fail_msg("the host did not say %s", msg_name(type));
		t->in.len += (size_t)k;
	}
	assert_int_equal(r, 1);
	assert_string_equal(msg_name(m.type), msg_name(type));
	msg_drop(&t->in, &m);
}

/* --- the host */

static void ask(struct talk *t, enum msg_type type, uint32_t stream, const void *data, size_t n)
{
	agent_send(t->agent, &(struct msg){ type, stream, data, n });
}

static void greet(struct talk *t)
{
	say_u32(t, MSG_HELLO, 0, MSG_VERSION);
	hear(t, MSG_HELLO);
	hear(t, MSG_CLOCK);
	hear(t, MSG_CONFIG);
}

static void bring_up(struct talk *t)
{
	greet(t);
	say_type(t, MSG_READY, 0);
	assert_true(t->ready);
}

static void start(struct talk *t, uint32_t stream)
{
	ask(t, MSG_START, stream, "{}", 2);
	say_u32(t, MSG_STARTED, stream, 100 + stream);
	assert_false(t->lost);
}

/* --- a guest that behaves */

static void an_orderly_guest_is_heard_from_hello_to_exit(void **state)
{
	struct talk *t = *state;

	bring_up(t);
	start(t, 0);
	hear(t, MSG_START);
	assert_int_equal(t->last, MSG_STARTED);
	ask(t, MSG_STDIN, 0, "abc", 3);
	hear(t, MSG_STDIN);
	say_u32x2(t, MSG_CREDIT, 0, 0, 3);
	assert_int_equal(t->last, MSG_CREDIT);
	say_output(t, MSG_STDOUT, 0, 10);
	assert_int_equal(t->last, MSG_STDOUT);
	say_u32x2(t, MSG_EXIT, 0, 3, 0);
	assert_int_equal(t->last, MSG_EXIT);
	assert_false(t->lost);
}

static void a_whole_window_may_be_under_way_and_credit_opens_it_again(void **state)
{
	struct talk *t = *state;
	uint32_t credit[2] = { 1, 4096 };

	bring_up(t);
	start(t, 0);
	say_output(t, MSG_STDOUT, 0, MSG_WINDOW);
	say_output(t, MSG_STDERR, 0, MSG_WINDOW);
	assert_false(t->lost);
	ask(t, MSG_CREDIT, 0, credit, sizeof(credit));
	say_output(t, MSG_STDOUT, 0, 4096);
	assert_false(t->lost);
	say_output(t, MSG_STDOUT, 0, 1);
	assert_true(t->lost);
}

static void messages_for_a_process_that_has_ended_are_dropped(void **state)
{
	struct talk *t = *state;

	bring_up(t);
	start(t, 7);
	hear(t, MSG_START);
	say_u32x2(t, MSG_EXIT, 7, 0, 0);
	ask(t, MSG_STDIN, 7, "late", 4);
	ask(t, MSG_SIGNAL, 7, "\x0f\0\0\0", 4);
	ask(t, MSG_STATS, 0, NULL, 0);
	hear(t, MSG_STATS);
	/* an answer that crossed the end is no lie, nor is credit for bytes that did */
	say_u32x2(t, MSG_CREDIT, 7, 0, 3);
	assert_false(t->lost);
	assert_int_equal(t->last, MSG_EXIT);
	say_text(t, MSG_ERROR, 7, "no such process");
	assert_false(t->lost);
	assert_int_equal(t->last, MSG_EXIT);
}

static void an_error_that_answers_nothing_is_dropped(void **state)
{
	struct talk *t = *state;

	bring_up(t);
	start(t, 7);
	say_text(t, MSG_ERROR, 7, "noise");
	assert_int_equal(t->last, MSG_STARTED);
	ask(t, MSG_SIGNAL, 7, "\x0f\0\0\0", 4);
	say_text(t, MSG_ERROR, 7, "the signal cannot be sent");
	assert_int_equal(t->last, MSG_ERROR);
	say_u32x2(t, MSG_EXIT, 7, 0, 0);
	say_text(t, MSG_ERROR, 7, "noise");
	assert_int_equal(t->last, MSG_EXIT);
	assert_false(t->lost);
}

static void statistics_that_make_sense_are_handed_on(void **state)
{
	struct talk *t = *state;
	struct buf b = { 0 };

	bring_up(t);
	ask(t, MSG_STATS, 0, NULL, 0);
	msg_put(&b, MSG_STATS_REPLY, 0, "{\"pids\":3}", 10);
	say(t, &b);
	assert_false(t->lost);
	assert_int_equal(t->last, MSG_STATS_REPLY);
}

static void files_go_out_and_in_by_turns(void **state)
{
	static const char rq[] = "{\"path\":\"/x\"}";
	struct talk *t = *state;

	bring_up(t);
	ask(t, MSG_GET, 1, rq, sizeof(rq) - 1);
	hear(t, MSG_GET);
	say_u32(t, MSG_STARTED, 1, 5);
	say_output(t, MSG_STDOUT, 1, 1024);
	say_output(t, MSG_STDERR, 1, 100);
	say_u32x2(t, MSG_EXIT, 1, 1, 0);
	assert_int_equal(t->last, MSG_EXIT);
	ask(t, MSG_PUT, 1, rq, sizeof(rq) - 1);
	hear(t, MSG_PUT);
	say_u32(t, MSG_STARTED, 1, 6);
	ask(t, MSG_STDIN, 1, "abc", 3);
	say_u32x2(t, MSG_CREDIT, 1, 0, 3);
	say_u32x2(t, MSG_EXIT, 1, 0, 0);
	assert_int_equal(t->last, MSG_EXIT);
	ask(t, MSG_GET, 2, rq, sizeof(rq) - 1);
	say_text(t, MSG_FAILED, 2, "/x: No such file or directory");
	assert_int_equal(t->last, MSG_FAILED);
	assert_false(t->lost);
}

static void an_id_can_be_used_again_after_its_end(void **state)
{
	struct talk *t = *state;

	bring_up(t);
	start(t, 7);
	say_u32x2(t, MSG_EXIT, 7, 0, 0);
	start(t, 7);
	assert_int_equal(t->last, MSG_STARTED);
}

static void a_guest_that_cannot_use_its_config_says_why(void **state)
{
	struct talk *t = *state;

	greet(t);
	say_text(t, MSG_FAILED, 0, "there is no disk \"root\"");
	assert_true(t->lost);
	assert_non_null(strstr(t->why.msg, "there is no disk"));
}

static void a_guest_that_goes_away_is_no_liar(void **state)
{
	struct talk *t = *state;

	bring_up(t);
	close(t->guest);
	t->guest = -1;
	settle(t);
	assert_true(t->lost);
	assert_int_equal(t->why.no, 0);
}

static void messages_in_small_pieces_are_put_together(void **state)
{
	struct talk *t = *state;
	struct buf b = { 0 };

	bring_up(t);
	ask(t, MSG_START, 0, "{}", 2);
	msg_put_u32(&b, MSG_STARTED, 0, 5);
	msg_put(&b, MSG_STDOUT, 0, "hello", 5);
	msg_put_u32x2(&b, MSG_EXIT, 0, 0, 0);
	for (size_t i = 0; i < b.len; i++)
		say_bytes(t, b.data + i, 1);
	buf_done(&b);
	assert_int_equal(t->heard, 3);
	assert_int_equal(t->last, MSG_EXIT);
}

/* Nothing is under way between the guest's answer and the end of the silence, and nothing is lost. */
static void before_a_save_both_fall_silent(void **state)
{
	struct talk *t = *state;
	char c;

	assert_true(agent_silence(t->agent, true) < 0); /* not up */
	bring_up(t);
	assert_int_equal(agent_silence(t->agent, true), 0);
	hear(t, MSG_SILENCE);
	ask(t, MSG_STATS, 0, NULL, 0);
	agent_set_clock(t->agent);
	settle(t);
	assert_true(recv(t->guest, &c, 1, MSG_DONTWAIT) < 0);
	assert_int_equal(t->silences, 0);
	say_u32(t, MSG_SILENCE, 0, 1);
	assert_int_equal(t->silences, 1);
	assert_int_equal(agent_silence(t->agent, false), 0);
	hear(t, MSG_STATS);
	hear(t, MSG_CLOCK);
	hear(t, MSG_SILENCE);
	/* an answer that comes late is not that to the next request */
	assert_int_equal(agent_silence(t->agent, true), 0);
	assert_int_equal(agent_silence(t->agent, false), 0);
	assert_int_equal(agent_silence(t->agent, true), 0);
	say_u32(t, MSG_SILENCE, 0, 1);
	assert_int_equal(t->silences, 1);
	say_u32(t, MSG_SILENCE, 0, 1);
	assert_int_equal(t->silences, 2);
	assert_false(t->lost);
	say_u32(t, MSG_SILENCE, 0, 1); /* unasked */
	assert_true(t->lost);
}

/* --- liars: before they are up */

static void lie_ready_before_hello(struct talk *t)
{
	say_type(t, MSG_READY, 0);
}

static void lie_another_version(struct talk *t)
{
	say_u32(t, MSG_HELLO, 0, MSG_VERSION + 1);
}

static void lie_rubbish(struct talk *t)
{
	say_bytes(t, "GET / HTTP/1.1\r\n\r\n", 18);
}

static void lie_output_before_ready(struct talk *t)
{
	greet(t);
	say_output(t, MSG_STDOUT, 0, 1);
}

static void lie_hello_instead_of_ready(struct talk *t)
{
	greet(t);
	say_u32(t, MSG_HELLO, 0, MSG_VERSION);
}

/* --- liars: frames */

static void lie_unknown_type(struct talk *t)
{
	static const char frame[MSG_HEADER] = { 0, 0, 0, 0, 99, 0, 0, 0 };

	bring_up(t);
	say_bytes(t, frame, sizeof(frame));
}

static void lie_reserved_field(struct talk *t)
{
	static const char frame[MSG_HEADER] = { 0, 0, 0, 0, MSG_READY, 0, 1, 0 };

	bring_up(t);
	say_bytes(t, frame, sizeof(frame));
}

static void lie_huge_length(struct talk *t)
{
	static const char frame[MSG_HEADER] = { '\xff', '\xff', '\xff', '\xff', MSG_STDOUT, 0, 0, 0 };

	bring_up(t);
	start(t, 0);
	say_bytes(t, frame, sizeof(frame));
}

static void lie_empty_output(struct talk *t)
{
	static const char frame[MSG_HEADER] = { 0, 0, 0, 0, MSG_STDOUT, 0, 0, 0 };

	bring_up(t);
	start(t, 0);
	say_bytes(t, frame, sizeof(frame));
}

static void lie_short_exit(struct talk *t)
{
	static const char frame[MSG_HEADER + 4] = { 4, 0, 0, 0, MSG_EXIT, 0, 0, 0 };

	bring_up(t);
	start(t, 0);
	say_bytes(t, frame, sizeof(frame));
}

/* What only the host may say. */
static void lie_config(struct talk *t)
{
	struct buf b = { 0 };

	bring_up(t);
	msg_put(&b, MSG_CONFIG, 0, "{}", 2);
	say(t, &b);
}

static void lie_start(struct talk *t)
{
	struct buf b = { 0 };

	bring_up(t);
	msg_put(&b, MSG_START, 0, "{}", 2);
	say(t, &b);
}

static void lie_stop(struct talk *t)
{
	bring_up(t);
	say_u32x2(t, MSG_STOP, 0, 9, 0);
}

static void lie_shutdown(struct talk *t)
{
	bring_up(t);
	say_type(t, MSG_SHUTDOWN, 0);
}

/* --- liars: the wrong thing at the wrong time */

static void lie_ready_twice(struct talk *t)
{
	bring_up(t);
	say_type(t, MSG_READY, 0);
}

static void lie_started_unasked(struct talk *t)
{
	bring_up(t);
	say_u32(t, MSG_STARTED, 0, 1);
}

static void lie_started_twice(struct talk *t)
{
	bring_up(t);
	start(t, 0);
	say_u32(t, MSG_STARTED, 0, 1);
}

static void lie_failed_after_started(struct talk *t)
{
	bring_up(t);
	start(t, 0);
	say_text(t, MSG_FAILED, 0, "x");
}

static void lie_output_of_nobody(struct talk *t)
{
	bring_up(t);
	start(t, 0);
	say_output(t, MSG_STDOUT, 1, 1);
}

static void lie_output_before_started(struct talk *t)
{
	bring_up(t);
	ask(t, MSG_START, 0, "{}", 2);
	say_output(t, MSG_STDERR, 0, 1);
}

static void lie_output_after_exit(struct talk *t)
{
	bring_up(t);
	start(t, 0);
	say_u32x2(t, MSG_EXIT, 0, 0, 0);
	say_output(t, MSG_STDOUT, 0, 1);
}

static void lie_exit_before_started(struct talk *t)
{
	bring_up(t);
	ask(t, MSG_START, 0, "{}", 2);
	say_u32x2(t, MSG_EXIT, 0, 0, 0);
}

static void lie_exit_twice(struct talk *t)
{
	bring_up(t);
	start(t, 0);
	say_u32x2(t, MSG_EXIT, 0, 0, 0);
	say_u32x2(t, MSG_EXIT, 0, 0, 0);
}

static void lie_beyond_the_window(struct talk *t)
{
	bring_up(t);
	start(t, 0);
	say_output(t, MSG_STDERR, 0, MSG_WINDOW + 1);
}

static void lie_credit_for_nothing(struct talk *t)
{
	bring_up(t);
	start(t, 0);
	say_u32x2(t, MSG_CREDIT, 0, 0, 1);
}

static void lie_credit_of_zero(struct talk *t)
{
	bring_up(t);
	start(t, 0);
	ask(t, MSG_STDIN, 0, "abc", 3);
	say_u32x2(t, MSG_CREDIT, 0, 0, 0);
}

static void lie_credit_for_stdout(struct talk *t)
{
	bring_up(t);
	start(t, 0);
	ask(t, MSG_STDIN, 0, "abc", 3);
	say_u32x2(t, MSG_CREDIT, 0, 1, 3);
}

static void lie_more_credit_than_bytes(struct talk *t)
{
	bring_up(t);
	start(t, 0);
	ask(t, MSG_STDIN, 0, "abc", 3);
	say_u32x2(t, MSG_CREDIT, 0, 0, 2);
	say_u32x2(t, MSG_CREDIT, 0, 0, 2);
}

static void lie_statistics_unasked(struct talk *t)
{
	struct buf b = { 0 };

	bring_up(t);
	msg_put(&b, MSG_STATS_REPLY, 0, "{}", 2);
	say(t, &b);
}

static void lie_statistics_of_no_sense(struct talk *t)
{
	static const char text[] = "{\"machineBytes\":1,\"machineAvailableBytes\":2}";
	struct buf b = { 0 };

	bring_up(t);
	ask(t, MSG_STATS, 0, NULL, 0);
	msg_put(&b, MSG_STATS_REPLY, 0, text, sizeof(text) - 1);
	say(t, &b);
}

static void lie_an_update_unasked(struct talk *t)
{
	struct buf b = { 0 };

	bring_up(t);
	ask(t, MSG_TOP, 0, NULL, 0);
	msg_put_text(&b, MSG_UPDATE_REPLY, 0, 0, "");
	say(t, &b);
}

static void lie_a_network_unasked(struct talk *t)
{
	struct buf b = { 0 };

	bring_up(t);
	ask(t, MSG_UPDATE, 0, "{}", 2);
	msg_put_text(&b, MSG_NETWORK_REPLY, 0, 0, "");
	say(t, &b);
}

static void lie_processes_without_an_end(struct talk *t)
{
	static char part[MSG_MAX_DATA];

	bring_up(t);
	ask(t, MSG_TOP, 0, NULL, 0);
	for (size_t n = 0; n <= MSG_MAX_TOP; n += sizeof(part)) {
		struct buf b = { 0 };

		msg_put(&b, MSG_TOP_REPLY, 0, part, sizeof(part));
		say(t, &b);
	}
}

static void lie_more_processes_after_the_end(struct talk *t)
{
	struct buf b = { 0 };

	bring_up(t);
	ask(t, MSG_TOP, 0, NULL, 0);
	msg_put(&b, MSG_TOP_REPLY, 0, "[]", 2);
	msg_put(&b, MSG_TOP_REPLY, 0, NULL, 0);
	say(t, &b);
	assert_false(t->lost);
	msg_put(&b, MSG_TOP_REPLY, 0, "[]", 2);
	say(t, &b);
}

/* --- liars: about files */

#define FILES "{\"path\":\"/x\"}"

static void copy(struct talk *t, enum msg_type type)
{
	bring_up(t);
	ask(t, type, 1, FILES, sizeof(FILES) - 1);
	say_u32(t, MSG_STARTED, 1, 5);
	assert_false(t->lost);
}

static void lie_get(struct talk *t)
{
	struct buf b = { 0 };

	bring_up(t);
	msg_put(&b, MSG_GET, 1, FILES, sizeof(FILES) - 1);
	say(t, &b);
}

static void lie_put(struct talk *t)
{
	struct buf b = { 0 };

	bring_up(t);
	msg_put(&b, MSG_PUT, 1, FILES, sizeof(FILES) - 1);
	say(t, &b);
}

static void lie_files_unasked(struct talk *t)
{
	bring_up(t);
	start(t, 0);
	say_output(t, MSG_STDOUT, 1, 512);
}

static void lie_files_before_they_begin(struct talk *t)
{
	bring_up(t);
	ask(t, MSG_GET, 1, FILES, sizeof(FILES) - 1);
	say_output(t, MSG_STDOUT, 1, 512);
}

static void lie_files_where_files_go_in(struct talk *t)
{
	copy(t, MSG_PUT);
	say_output(t, MSG_STDOUT, 1, 512);
}

static void lie_files_beyond_the_window(struct talk *t)
{
	copy(t, MSG_GET);
	say_output(t, MSG_STDOUT, 1, MSG_WINDOW + 1);
}

static void lie_credit_for_files_that_come_out(struct talk *t)
{
	copy(t, MSG_GET);
	say_u32x2(t, MSG_CREDIT, 1, 0, 1);
}

static void lie_more_credit_than_files(struct talk *t)
{
	copy(t, MSG_PUT);
	ask(t, MSG_STDIN, 1, "abc", 3);
	say_u32x2(t, MSG_CREDIT, 1, 0, 4);
}

static void lie_a_complaint_without_an_end(struct talk *t)
{
	copy(t, MSG_GET);
	say_output(t, MSG_STDERR, 1, 4097);
}

static void lie_files_after_their_end(struct talk *t)
{
	copy(t, MSG_GET);
	say_u32x2(t, MSG_EXIT, 1, 0, 0);
	say_output(t, MSG_STDOUT, 1, 512);
}

static void every_liar_is_cut_off_with_a_reason(void **state)
{
	static const struct {
		const char *name;
		void (*lie)(struct talk *t);
	} liars[] = {
#define L(f) { #f, f }
		L(lie_ready_before_hello),
		L(lie_another_version),
		L(lie_rubbish),
		L(lie_output_before_ready),
		L(lie_hello_instead_of_ready),
		L(lie_unknown_type),
		L(lie_reserved_field),
		L(lie_huge_length),
		L(lie_empty_output),
		L(lie_short_exit),
		L(lie_config),
		L(lie_start),
		L(lie_stop),
		L(lie_shutdown),
		L(lie_ready_twice),
		L(lie_started_unasked),
		L(lie_started_twice),
		L(lie_failed_after_started),
		L(lie_output_of_nobody),
		L(lie_output_before_started),
		L(lie_output_after_exit),
		L(lie_exit_before_started),
		L(lie_exit_twice),
		L(lie_beyond_the_window),
		L(lie_credit_for_nothing),
		L(lie_credit_of_zero),
		L(lie_credit_for_stdout),
		L(lie_more_credit_than_bytes),
		L(lie_statistics_unasked),
		L(lie_statistics_of_no_sense),
		L(lie_an_update_unasked),
		L(lie_a_network_unasked),
		L(lie_processes_without_an_end),
		L(lie_more_processes_after_the_end),
		L(lie_get),
		L(lie_put),
		L(lie_files_unasked),
		L(lie_files_before_they_begin),
		L(lie_files_where_files_go_in),
		L(lie_files_beyond_the_window),
		L(lie_credit_for_files_that_come_out),
		L(lie_more_credit_than_files),
		L(lie_a_complaint_without_an_end),
		L(lie_files_after_their_end),
#undef L
	};

	for (size_t i = 0; i < ARRAY_LEN(liars); i++) {
		struct talk *t;
		void *own;
		unsigned heard;

		set_up(&own);
		t = own;
		liars[i].lie(t);
		if (!t->lost || t->why.no <= 0 || !t->why.msg[0])
			fail_msg("%s was believed", liars[i].name);
		/* and is heard no more */
		heard = t->heard;
		say_output(t, MSG_STDOUT, 0, 1);
		assert_int_equal(t->heard, heard);
		tear_down(&own);
	}
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(an_orderly_guest_is_heard_from_hello_to_exit),
		TEST(a_whole_window_may_be_under_way_and_credit_opens_it_again),
		TEST(messages_for_a_process_that_has_ended_are_dropped),
		TEST(an_error_that_answers_nothing_is_dropped),
		TEST(an_error_that_answers_nothing_is_dropped),
		TEST(statistics_that_make_sense_are_handed_on),
		TEST(files_go_out_and_in_by_turns),
		TEST(an_id_can_be_used_again_after_its_end),
		TEST(a_guest_that_cannot_use_its_config_says_why),
		TEST(a_guest_that_goes_away_is_no_liar),
		TEST(messages_in_small_pieces_are_put_together),
		TEST(before_a_save_both_fall_silent),
		cmocka_unit_test(every_liar_is_cut_off_with_a_reason),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
