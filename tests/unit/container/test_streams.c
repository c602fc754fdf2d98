/* test_streams.c - bytes to and from processes: binary-clean, within the window, terminals; as root */
#include "rig.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"

#define BIG (100u << 20)

/* A sender that keeps within the window: bytes 0, 1, 2 ... of a sequence that is easy to check. */
static unsigned char byte_at(size_t i)
{
	return (unsigned char)(i * 2654435761u >> 13);
}

struct pump {
	size_t sent, checked;
	bool eof;
};

static void pump_in(struct rig *r, struct pump *p, size_t total)
{
	unsigned char data[MSG_MAX_DATA];

	while (p->sent < total && p->sent - r->s[0].credit + sizeof(data) <= MSG_WINDOW) {
		size_t n = total - p->sent < sizeof(data) ? total - p->sent : sizeof(data);

		for (size_t i = 0; i < n; i++)
			data[i] = byte_at(p->sent + i);
		rig_send(r, MSG_STDIN, 0, data, n);
		p->sent += n;
	}
	if (p->sent == total && !p->eof) {
		rig_send(r, MSG_STDIN_EOF, 0, NULL, 0);
		p->eof = true;
	}
}

static void check_out(struct rig *r, struct pump *p)
{
	struct buf *b = &r->s[0].out;

	for (size_t i = 0; i < b->len; i++)
		if ((unsigned char)b->data[i] != byte_at(p->checked + i))
			fail_msg("byte %zu is wrong", p->checked + i);
	p->checked += b->len;
	b->len = 0;
}

static void a_hundred_megabytes_come_back_as_they_went(void **state)
{
	struct rig *r = rig_new("{\"process\":{\"args\":[\"cat\"],\"stdin\":true}}");
	struct pump p = { 0 };

	assert_int_equal(rig_start(r), 0);
	rig_main(r);
	while (!r->ended) {
		pump_in(r, &p, BIG);
		assert_true(loop_once(r->loop, 5000) > 0);
		check_out(r, &p);
	}
	assert_int_equal(p.checked, BIG);
	assert_int_equal(r->s[0].credit, BIG);
	assert_int_equal(r->s[0].status, 0);
	rig_done(r);
}

static void stdout_and_stderr_stay_apart(void **state)
{
	struct rig *r =
		rig_run("{\"process\":{\"args\":[\"sh\",\"-c\",\"echo o; echo e >&2; echo o2; cat\"]}}");

	assert_string_equal(rig_out(r, 0), "o\no2\n");
	assert_string_equal(rig_err(r, 0), "e\n");
	rig_done(r);
}

static void output_without_credit_stops_at_the_window(void **state)
{
	struct rig *r = rig_new(
		"{\"process\":{\"args\":[\"sh\",\"-c\",\"head -c 1000000 /dev/zero; echo end >&2\"]}}");
	int idle = 0;

	r->s[0].hold_credit = true;
	assert_int_equal(rig_start(r), 0);
	rig_main(r);
	while (r->s[0].out.len < MSG_WINDOW)
		assert_true(loop_once(r->loop, 5000) > 0);
	/* nothing more comes, and nothing spins */
	for (int i = 0; i < 3; i++)
		idle += loop_once(r->loop, 100) == 0;
	assert_int_equal(r->s[0].out.len, MSG_WINDOW);
	assert_true(idle >= 2);
	r->s[0].hold_credit = false;
	rig_send2(r, MSG_CREDIT, 0, 1, MSG_WINDOW);
	rig_until(r, &r->ended);
	assert_int_equal(r->s[0].out.len, 1000000);
	assert_string_equal(rig_err(r, 0), "end\n");
	rig_done(r);
}

static void the_end_waits_for_output_that_waits_for_credit(void **state)
{
	struct rig *r = rig_new("{\"process\":{\"args\":[\"head\",\"-c\",\"300000\",\"/dev/zero\"]}}");

	r->s[0].hold_credit = true;
	assert_int_equal(rig_start(r), 0);
	rig_main(r);
	while (loop_once(r->loop, 500) > 0)
		;
	assert_int_equal(r->s[0].out.len, MSG_WINDOW);
	assert_false(r->s[0].exited);
	r->s[0].hold_credit = false;
	rig_send2(r, MSG_CREDIT, 0, 1, MSG_WINDOW);
	rig_until(r, &r->ended);
	assert_int_equal(r->s[0].out.len, 300000);
	rig_done(r);
}

static void input_beyond_the_window_is_an_error_and_harms_nothing(void **state)
{
	struct rig *r = rig_new("{\"process\":{\"args\":[\"sh\",\"-c\",\"echo up; read x <&1; cat | wc "
				"-c\"],\"stdin\":true}}");
	char data[MSG_MAX_DATA] = { 0 };

	free(r->boot.spec.process.args.v[2]);
	r->boot.spec.process.args.v[2] = strdup("echo up; sleep 1; cat | wc -c");
	assert_int_equal(rig_start(r), 0);
	rig_main(r);
	rig_until_output(r, 0, "up");
	for (int i = 0; i < 8; i++) /* twice the window; the pipe itself takes none before the loop runs */
		rig_send(r, MSG_STDIN, 0, data, sizeof(data));
	rig_send(r, MSG_STDIN_EOF, 0, NULL, 0);
	rig_send(r, MSG_STDIN, 0, data, 1);
	rig_until(r, &r->ended);
	assert_int_equal(r->s[0].errors, 5);
	assert_non_null(strstr(rig_out(r, 0), "262144\n"));
	assert_int_equal(r->s[0].credit, MSG_WINDOW);
	rig_done(r);
}

static void input_that_nobody_reads_is_paid_back(void **state)
{
	struct rig *r = rig_new("{\"process\":{\"args\":[\"sh\",\"-c\",\"exec <&-; echo closed; sleep "
				"100\"],\"stdin\":true}}");
	char data[1000] = { 0 };

	assert_int_equal(rig_start(r), 0);
	rig_main(r);
	rig_until_output(r, 0, "closed");
	rig_send(r, MSG_STDIN, 0, data, sizeof(data));
	while (r->s[0].credit < 1000)
		assert_true(loop_once(r->loop, 5000) > 0);
	rig_send(r, MSG_STDIN, 0, data, sizeof(data));
	while (r->s[0].credit < 2000)
		assert_true(loop_once(r->loop, 5000) > 0);
	container_backend.kill(r->running);
	rig_until(r, &r->ended);
	rig_done(r);
}

static void a_terminal_is_a_real_one(void **state)
{
	struct rig *r = rig_new(
		"{\"process\":{\"args\":[\"sh\",\"-c\",\"tty; stty size; readlink /proc/self/fd/0; "
		"ls -l /dev/console | head -c 1; echo to-stderr >&2; read x; echo got $x; cat; stty size\"],"
		"\"terminal\":true,\"stdin\":true,\"rows\":33,\"cols\":111}}");

	assert_int_equal(rig_start(r), 0);
	rig_main(r);
	rig_until_output(r, 0, "to-stderr");
	assert_non_null(strstr(rig_out(r, 0), "/dev/pts/0\r\n33 111\r\n/dev/pts/0\r\nc"));
	rig_send(r, MSG_STDIN, 0, "line\n", 5);
	rig_until_output(r, 0, "got line\r\n");
	rig_send2(r, MSG_RESIZE, 0, 50, 200);
	rig_send(r, MSG_STDIN_EOF, 0, NULL, 0);
	rig_until(r, &r->ended);
	assert_non_null(strstr(rig_out(r, 0), "50 200\r\n"));
	assert_int_equal(r->s[0].err.len, 0);
	assert_int_equal(r->s[0].status, 0);
	rig_done(r);
}

static void control_c_on_the_terminal_interrupts(void **state)
{
	struct rig *r = rig_new(
		"{\"process\":{\"args\":[\"sh\",\"-c\",\"sh -c 'echo up; sleep 100'; echo status $?\"],"
		"\"terminal\":true,\"stdin\":true}}");

	assert_int_equal(rig_start(r), 0);
	rig_main(r);
	rig_until_output(r, 0, "up");
	rig_send(r, MSG_STDIN, 0, "\003", 1);
	rig_until(r, &r->ended);
	assert_int_equal(r->s[0].exited, true);
	assert_int_equal(r->s[0].status, 130);
	rig_done(r);
}

static void an_exec_gets_a_terminal_of_its_own(void **state)
{
	struct rig *r =
		rig_new("{\"process\":{\"args\":[\"sh\",\"-c\",\"echo up; sleep 100\"],\"terminal\":true}}");

	assert_int_equal(rig_start(r), 0);
	rig_main(r);
	rig_until_output(r, 0, "up");
	rig_exec(r, 1,
		 "{\"args\":[\"sh\",\"-c\",\"tty; stty size; stat -c %u $(tty); exit "
		 "3\"],\"env\":[\"PATH=/bin\"],"
		 "\"terminal\":true,\"stdin\":true,\"user\":\"ann\",\"rows\":10,\"cols\":20}");
	rig_until(r, &r->s[1].exited);
	assert_int_equal(r->s[1].status, 3);
	assert_non_null(strstr(rig_out(r, 1), "/dev/pts/1\r\n10 20\r\n"));
	assert_non_null(strstr(rig_out(r, 1), "1000\r\n"));
	container_backend.kill(r->running);
	rig_until(r, &r->ended);
	rig_done(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(a_hundred_megabytes_come_back_as_they_went, rig_teardown),
		cmocka_unit_test_teardown(stdout_and_stderr_stay_apart, rig_teardown),
		cmocka_unit_test_teardown(output_without_credit_stops_at_the_window, rig_teardown),
		cmocka_unit_test_teardown(the_end_waits_for_output_that_waits_for_credit, rig_teardown),
		cmocka_unit_test_teardown(input_beyond_the_window_is_an_error_and_harms_nothing,
					  rig_teardown),
		cmocka_unit_test_teardown(input_that_nobody_reads_is_paid_back, rig_teardown),
		cmocka_unit_test_teardown(a_terminal_is_a_real_one, rig_teardown),
		cmocka_unit_test_teardown(control_c_on_the_terminal_interrupts, rig_teardown),
		cmocka_unit_test_teardown(an_exec_gets_a_terminal_of_its_own, rig_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
