/* test_dbus.c - D-Bus messages: written, read back, cut short and broken */
#include "../cm.h"

#include <errno.h>

#include "base/auto.h"
#include "sys/dbus.h"

static void print_one(struct buf *out)
{
	AUTO(buf_done) struct buf body = { 0 };
	struct dbus_message m = { .type = DBUS_SIGNAL,
				  .serial = 7,
				  .reply_to = 3,
				  .path = "/a/b",
				  .interface = "a.b",
				  .member = "Gone",
				  .signature = "us" };

	dbus_put_u32(&body, 42);
	dbus_put_string(&body, "text");
	m.body = body.data;
	m.body_len = body.len;
	dbus_print(&m, out);
	assert_true(buf_ok(out));
}

static void a_message_is_read_as_it_was_written(void **state)
{
	AUTO(buf_done) struct buf b = { 0 };
	struct dbus_message m;
	struct dbus_reader r;
	const char *text;
	uint32_t number;

	print_one(&b);
	assert_int_equal(dbus_parse(b.data, b.len, &m), b.len);
	assert_int_equal(m.type, DBUS_SIGNAL);
	assert_int_equal(m.serial, 7);
	assert_int_equal(m.reply_to, 3);
	assert_string_equal(m.path, "/a/b");
	assert_string_equal(m.member, "Gone");
	assert_string_equal(m.error, "");
	assert_string_equal(m.signature, "us");
	r = (struct dbus_reader){ m.body, m.body_len, 0 };
	assert_int_equal(dbus_read_u32(&r, &number), 0);
	assert_int_equal(number, 42);
	assert_int_equal(dbus_read_string(&r, &text), 0);
	assert_string_equal(text, "text");
	assert_int_equal(dbus_read_u32(&r, &number), -EBADMSG);
}

static void half_a_message_is_waited_for(void **state)
{
	AUTO(buf_done) struct buf b = { 0 };
	struct dbus_message m;

	print_one(&b);
	for (size_t n = 0; n < b.len; n++)
		assert_int_equal(dbus_parse(b.data, n, &m), 0);
}

static void a_broken_message_is_refused(void **state)
{
	static const struct {
		size_t at;
		char value;
	} breaks[] = {
		{ 0, 'X' }, /* byte order */
		{ 1, 0 }, /* type */
		{ 1, 9 },     { 3, 2 }, /* version */
		{ 7, 0x7f }, /* length of the body */
		{ 15, 0x7f }, /* of the fields */
		{ 17, 9 }, /* of a signature */
		{ 18, 'v' }, /* a type that no field has */
		{ 22, 1 }, /* length of a string: 65536 and more */
		{ 28, 'x' }, /* its end */
	};

	for (size_t i = 0; i < ARRAY_LEN(breaks); i++) {
		AUTO(buf_done) struct buf b = { 0 };
		struct dbus_message m;

		print_one(&b);
		b.data[breaks[i].at] = breaks[i].value;
		if (dbus_parse(b.data, b.len, &m) != -EBADMSG)
			fail_msg("byte %zu was accepted", breaks[i].at);
	}
}

static void arrays_begin_where_their_elements_may(void **state)
{
	AUTO(buf_done) struct buf b = { 0 };
	static const char want[] = "\x01\0\0\0" /* a byte, and what aligns the length */
				   "\x10\0\0\0" /* two elements; the padding before them does not count */
				   "\x05\0\0\0\0\0\0\0\x06\0\0\0\0\0\0\0";
	size_t a;

	if (__BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__)
		skip();
	dbus_put_byte(&b, 1);
	a = dbus_open_array(&b, 8);
	dbus_put_u64(&b, 5);
	dbus_put_u64(&b, 6);
	dbus_close_array(&b, a, 8);
	assert_int_equal(b.len, sizeof(want) - 1);
	assert_memory_equal(b.data, want, b.len);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_message_is_read_as_it_was_written),
		cmocka_unit_test(half_a_message_is_waited_for),
		cmocka_unit_test(a_broken_message_is_refused),
		cmocka_unit_test(arrays_begin_where_their_elements_may),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
