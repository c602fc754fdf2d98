/* test_process_list.c - a list of processes that a guest sends: in parts, believed only when it can be true */
#include <string.h>

#include "../cm.h"
#include "base/auto.h"
#include "instance/process_list.h"

static void parts_follow_one_another(void **state)
{
	struct process_row row = {
		.pid = 7, .ppid = 1, .uid = 5, .state = (char *)"S", .args = (char *)"sh -c \"x\""
	};
	AUTO(process_list_done) struct process_list l = { 0 };
	AUTO(buf_done) struct buf b = { 0 };
	struct err e;

	assert_int_equal(json_print_array(&process_row_table, &row, 1, 0, &b), 0);
	assert_int_equal(process_list_parse(b.data, b.len, &l, &e), 0);
	assert_int_equal(process_list_parse("[]", 2, &l, &e), 0);
	assert_int_equal(process_list_parse(b.data, b.len, &l, &e), 0);
	assert_int_equal(l.n, 2);
	assert_int_equal(l.v[1].pid, 7);
	assert_string_equal(l.v[1].args, "sh -c \"x\"");
}

static void what_cannot_be_true_is_refused(void **state)
{
	static const char *const bad[] = {
		"",
		"{}",
		"[{}]",
		"[{\"pid\":0,\"state\":\"S\",\"args\":\"x\"}]",
		"[{\"pid\":1,\"ppid\":-1,\"state\":\"S\",\"args\":\"x\"}]",
		"[{\"pid\":1,\"state\":\"SS\",\"args\":\"x\"}]",
		"[{\"pid\":1,\"state\":\"S\"}]",
		"[{\"pid\":1,\"state\":\"S\",\"args\":\"x\",\"else\":1}]",
		"[{\"pid\":1,\"state\":\"S\",\"args\":\"x\"}],",
	};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		AUTO(process_list_done) struct process_list l = { 0 };
		struct err e = { 0 };

		if (process_list_parse(bad[i], strlen(bad[i]), &l, &e) >= 0 || !e.msg[0] || l.n)
			fail_msg("accepted: %s", bad[i]);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(parts_follow_one_another),
		cmocka_unit_test(what_cannot_be_true_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
