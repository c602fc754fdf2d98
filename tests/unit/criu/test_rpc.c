/* test_rpc.c - messages of CRIU's RPC: as rpc.proto has them, cut short and broken */
#include "../cm.h"

#include <errno.h>

#include "base/auto.h"
#include "criu/rpc.h"

#define IS_BYTES(b, text)                                                                                    \
	do {                                                                                                 \
		assert_true(buf_ok(&(b)));                                                                   \
		assert_int_equal((b).len, sizeof(text) - 1);                                                 \
		assert_memory_equal((b).data, text, sizeof(text) - 1);                                       \
	} while (0)

static void make(struct criu *c, const char *verb, const char *const *options)
{
	*c = (struct criu){ .images = -1, .master = -1 };
	assert_int_equal(criu_add(c, "criu"), 0);
	assert_int_equal(criu_add(c, "%s", verb), 0);
	for (; *options; options++)
		assert_int_equal(criu_add(c, "%s", *options), 0);
	c->terminal = true;
}

static void requests_are_protobuf(void **state)
{
	static const char *const options[] = { "--work-dir=/w",
					       "--tree=300",
					       "--leave-running",
					       "--external=mnt[/a\n\"b]:/c d",
					       "--inherit-fd=fd[203]:pipe:[7]",
					       "--join-ns=ipc:/i",
					       "--empty-ns=net",
					       "--manage-cgroups=ignore",
					       "--lazy-pages",
					       "--address=::1",
					       "--port=300",
					       NULL },
				 *const none[] = { NULL };
	AUTO(buf_done) struct buf dump = { 0 }, restore = { 0 }, answer = { 0 };
	AUTO(criu_done) struct criu c, d;
	struct err e;

	make(&c, "dump", options);
	assert_int_equal(criu_rpc_add_request(&c, 9, &dump, &e), 0);
	IS_BYTES(dump, "\x08\x01\x12\x5d"
		       "\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\x88\x01\x09\x60\x01\x90\x03\x01"
		       "\x10\xac\x02\x18\x01"
		       "\xaa\x02\x0fmnt[/a\n\"b]:/c d"
		       "\xda\x01\x0d\x0a\x08pipe:[7]\x10\xcb\x01"
		       "\xba\x02\x09\x0a\x03ipc\x12\x02/i"
		       "\xb0\x02\x80\x80\x80\x80\x04\x90\x02\x00\x80\x03\x01"
		       "\x5a\x08\x0a\x03::1\x10\xac\x02");
	make(&d, "restore", none);
	assert_int_equal(criu_rpc_add_request(&d, 9, &restore, &e), 0);
	IS_BYTES(restore, "\x08\x02\x12\x13"
			  "\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\x88\x01\x09\x60\x01\x90\x03\x01");
	criu_rpc_add_answer(&answer);
	IS_BYTES(answer, "\x08\x06\x18\x01");
}

static void an_option_that_it_lacks_is_refused(void **state)
{
	static const char *const options[] = { "--action-script=/x", NULL };
	AUTO(buf_done) struct buf b = { 0 };
	AUTO(criu_done) struct criu c;
	struct err e;

	make(&c, "dump", options);
	assert_int_equal(criu_rpc_add_request(&c, 9, &b, &e), -EINVAL);
	assert_non_null(strstr(e.msg, "--action-script"));
}

#define TERMINAL "\x08\x06\x10\x01\x2a\x13\x0a\x11orphan-pts-master"

static void responses_are_read(void **state)
{
	static const char restored[] = "\x08\x02\x10\x01\x22\x03\x08\xb9\x60";
	static const char failed[] = "\x08\x02\x10\x00\x22\x0b\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"
				     "\x4a\x05"
				     "error";
	struct criu_response r;

	assert_int_equal(criu_rpc_parse(TERMINAL, sizeof(TERMINAL) - 1, &r), 0);
	assert_int_equal(r.type, CRIU_NOTIFY);
	assert_true(r.success);
	assert_string_equal(r.script, "orphan-pts-master");
	assert_int_equal(criu_rpc_parse(restored, sizeof(restored) - 1, &r), 0);
	assert_true(r.success);
	assert_int_equal(r.pid, 12345);
	assert_int_equal(criu_rpc_parse(failed, sizeof(failed) - 1, &r), 0);
	assert_int_equal(r.type, CRIU_RESTORE);
	assert_false(r.success);
	assert_int_equal(r.pid, 0);
	assert_string_equal(r.script, "");
}

static void what_is_cut_short_is_refused_or_says_less(void **state)
{
	struct criu_response r;

	for (size_t n = 0; n < sizeof(TERMINAL) - 1; n++) {
		int parsed = criu_rpc_parse(TERMINAL, n, &r);

		/* only between two fields is it whole */
		assert_int_equal(parsed, n == 0 || n == 2 || n == 4 ? 0 : -EBADMSG);
		assert_string_equal(r.script, "");
	}
}

static void what_is_broken_is_refused(void **state)
{
	static const struct {
		const char *data;
		size_t n;
	} broken[] = {
		{ "\x0b\x00", 2 }, /* an encoding that is not in use any more */
		{ "\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 12 }, /* more than 64 bits */
		{ "\x2a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11 }, /* a length without end */
		{ "\x0d\x00\x00\x00", 4 }, /* four bytes that are three */
		{ "\x2a\x02\x0a\x05", 4 }, /* a message within that leaves its room */
	};
	struct criu_response r;

	for (size_t i = 0; i < ARRAY_LEN(broken); i++)
		assert_int_equal(criu_rpc_parse(broken[i].data, broken[i].n, &r), -EBADMSG);
}

static void a_word_that_is_too_long_is_none(void **state)
{
	char data[64] = "\x08\x06\x10\x01\x2a\x22\x0a\x20";
	struct criu_response r;

	memset(data + 8, 'x', 32);
	assert_int_equal(criu_rpc_parse(data, 40, &r), 0);
	assert_string_equal(r.script, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(requests_are_protobuf),
		cmocka_unit_test(an_option_that_it_lacks_is_refused),
		cmocka_unit_test(responses_are_read),
		cmocka_unit_test(what_is_cut_short_is_refused_or_says_less),
		cmocka_unit_test(what_is_broken_is_refused),
		cmocka_unit_test(a_word_that_is_too_long_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
