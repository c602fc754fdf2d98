/* test_msg.c - frames survive the way, and a peer that breaks the rules is found out */
#include "../cm.h"

#include <errno.h>
#include <stdlib.h>

#include "wire/msg.h"

static void a_message_arrives_whole_however_it_is_cut(void **state)
{
	struct buf out = { 0 }, in = { 0 };
	struct err e = { 0 };
	struct msg m;

	msg_put(&out, MSG_STDOUT, 7, "hello", 5);
	msg_put_u32x2(&out, MSG_EXIT, 7, 137, 1);
	for (size_t i = 0; i < out.len; i++) {
		int r = msg_peek(&in, PEER_GUEST, &m, &e);

		assert_int_equal(r, i == MSG_HEADER + 5);
		if (r)
			msg_drop(&in, &m);
		buf_add(&in, out.data + i, 1);
	}
	assert_int_equal(msg_peek(&in, PEER_GUEST, &m, &e), 1);
	assert_int_equal(m.type, MSG_EXIT);
	assert_int_equal(m.stream, 7);
	assert_int_equal(msg_u32(&m, 0), 137);
	assert_int_equal(msg_u32(&m, 1), 1);
	buf_done(&in);
	buf_done(&out);
}

static void a_guest_may_not_send_what_only_others_may(void **state)
{
	static const enum msg_type forbidden[] = { MSG_CONFIG, MSG_ATTACH,   MSG_START, MSG_STDIN, MSG_SIGNAL,
						   MSG_STOP,   MSG_SHUTDOWN, MSG_STATS, MSG_GET,   MSG_PUT };

	for (size_t i = 0; i < sizeof(forbidden) / sizeof(forbidden[0]); i++) {
		const unsigned char frame[MSG_HEADER] = { 0, 0, 0, 0, (unsigned char)forbidden[i] };
		struct buf in = { 0 };
		struct err e = { 0 };
		struct msg m;

		buf_add(&in, frame, sizeof(frame));
		assert_int_equal(msg_peek(&in, PEER_GUEST, &m, &e), -EPROTO);
		buf_done(&in);
	}
}

static void wrong_lengths_are_refused_before_the_payload_comes(void **state)
{
	static const unsigned char frames[][MSG_HEADER] = {
		{ 1, 0, 1, 0, MSG_STDOUT }, /* 64 KiB + 1 */
		{ 255, 255, 255, 255, MSG_STDOUT },
		{ 0, 0, 0, 0, MSG_STDOUT }, /* empty data */
		{ 3, 0, 0, 0, MSG_STARTED },
		{ 5, 0, 0, 0, MSG_STARTED },
		{ 4, 0, 0, 0, MSG_STARTED, 0, 1 }, /* reserved field */
		{ 0, 0, 0, 0, MSG_NONE },
		{ 0, 0, 0, 0, MSG_N },
		{ 0, 0, 0, 0, 0, 1 },
	};

	for (size_t i = 0; i < sizeof(frames) / sizeof(frames[0]); i++) {
		struct buf in = { 0 };
		struct err e = { 0 };
		struct msg m;

		buf_add(&in, frames[i], MSG_HEADER);
		assert_int_equal(msg_peek(&in, PEER_GUEST, &m, &e), -EPROTO);
		buf_done(&in);
	}
}

static void text_of_a_guest_is_made_printable(void **state)
{
	struct buf out = { 0 };
	struct err e = { 0 };
	struct msg m;
	char *s;

	msg_put_text(&out, MSG_FAILED, 0, 127, "a\033[2Jb\n\302\2332J\303\251");
	assert_int_equal(msg_peek(&out, PEER_GUEST, &m, &e), 1);
	s = msg_text(&m);
	assert_string_equal(s, "a?[2Jb???2J\303\251");
	free(s);
	buf_done(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_message_arrives_whole_however_it_is_cut),
		cmocka_unit_test(a_guest_may_not_send_what_only_others_may),
		cmocka_unit_test(wrong_lengths_are_refused_before_the_payload_comes),
		cmocka_unit_test(text_of_a_guest_is_made_printable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
