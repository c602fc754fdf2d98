/* test_processes.c - the processes of an instance as ps would list them */
#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "../cm.h"
#include "base/auto.h"
#include "base/clock.h"
#include "cli/processes.h"

#define NOW (INT64_C(1700000000) * NS_PER_S) /* 2023-11-14 22:13:20 UTC */

static struct process_row rows[] = {
	{ .pid = 7,
	  .ppid = 1,
	  .uid = 0,
	  .state = (char *)"S",
	  .tty = 0x8801, /* pts/1 */
	  .start_ns = NOW - 100 * NS_PER_S,
	  .cpu_ns = 50 * NS_PER_S,
	  .rss_bytes = 2048,
	  .vsz_bytes = 8192,
	  .threads = 2,
	  .args = (char *)"/bin/sh -c \033[2J" },
	{ .pid = 4000,
	  .ppid = 7,
	  .uid = 1000,
	  .state = (char *)"Z",
	  .start_ns = NOW - 86400 * 2 * NS_PER_S,
	  .args = (char *)"[gone]" },
};

static void expect(const char *const *words, const char *want)
{
	const struct process_list l = { rows, ARRAY_LEN(rows) };
	const struct processes_context c = { NOW, 20480 };
	AUTO(strv_done) struct strv options = { 0 }, columns = { 0 };
	AUTO(buf_done) struct buf out = { 0 };
	struct err e = { 0 };

	for (; *words; words++)
		strv_add(&options, *words);
	if (processes_columns(&options, &columns, &e) < 0)
		fail_msg("%s", e.msg);
	assert_int_equal(processes_print(&l, &columns, &c, &out), 0);
	assert_string_equal(out.data, want);
}

static void it_is_ps_ef_unless_asked_otherwise(void **state)
{
	static const char *const none[] = { NULL }, *const ef[] = { "-ef", NULL };
	const char *want =
		"UID       PID       PPID      C         STIME     TTY       TIME       CMD\n"
		"root      7         1         50        22:11     pts/1     00:00:50   /bin/sh -c ?[2J\n"
		"1000      4000      7         0         Nov12     ?         00:00:00   [gone]\n";

	expect(none, want);
	expect(ef, want);
}

static void aux_has_memory(void **state)
{
	static const char *const aux[] = { "aux", NULL };

	expect(aux, "USER      PID       %CPU      %MEM      VSZ       RSS       TTY       STAT      START   "
		    "  TIME       "
		    "COMMAND\n"
		    "root      7         50.0      10.0      8         2         pts/1     S         22:11   "
		    "  00:00:50   "
		    "/bin/sh -c ?[2J\n"
		    "1000      4000      0.0       0.0       0         0         ?         Z         Nov12   "
		    "  00:00:00   "
		    "[gone]\n");
}

static void columns_can_be_chosen(void **state)
{
	static const char *const apart[] = { "-o", "pid,comm,etime", NULL };
	static const char *const together[] = { "-opid,comm,etime", NULL };
	const char *want =
		"PID       COMMAND   ELAPSED\n7         sh        00:01:40\n4000      [gone]    48:00:00\n";

	expect(apart, want);
	expect(together, want);
}

static void other_words_are_refused(void **state)
{
	static const char *const bad[][3] = {
		{ "-x" },
		{ "-o", "pid,color" },
		{ "-o" },
		{ "-ef", "aux" },
		{ "-o", "" },
		{ "pid,pid,,pid" },
		{ "-o", "pid,pid,pid,pid,pid,pid,pid,pid,pid,pid,pid,pid,pid,pid,pid,pid,pid" },
	};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		AUTO(strv_done) struct strv options = { 0 }, columns = { 0 };
		struct err e = { 0 };

		for (size_t k = 0; k < 3 && bad[i][k]; k++)
			strv_add(&options, bad[i][k]);
		if (processes_columns(&options, &columns, &e) >= 0 || !e.msg[0])
			fail_msg("accepted: %s", bad[i][0]);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_is_ps_ef_unless_asked_otherwise),
		cmocka_unit_test(aux_has_memory),
		cmocka_unit_test(columns_can_be_chosen),
		cmocka_unit_test(other_words_are_refused),
	};

	setenv("TZ", "UTC0", 1);
	tzset();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
