/* test_process_info.c - what procfs tells of a process, whatever its name, and of a network namespace */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "../cm.h"
#include "base/auto.h"
#include "sys/process_info.h"

static void a_line_of_the_kernel_is_read(void **state)
{
	struct process_info p;

	assert_int_equal(
		process_info_parse("42 (tail) S 7 42 42 34817 42 4194560 110 0 0 0 150 250 0 0 20 0 3 0 "
				   "9000 6000640 400 18446744073709551615 1 2",
				   &p),
		0);
	assert_string_equal(p.comm, "tail");
	assert_int_equal(p.state, 'S');
	assert_int_equal(p.ppid, 7);
	assert_int_equal(p.tty, 34817);
	assert_int_equal(p.cpu_ticks, 400);
	assert_int_equal(p.threads, 3);
	assert_int_equal(p.start_ticks, 9000);
	assert_int_equal(p.vsz_bytes, 6000640);
	assert_int_equal(p.rss_bytes, 400 * sysconf(_SC_PAGESIZE));
	assert_false(p.of_kernel);
}

static void a_thread_of_the_kernel_is_known_by_its_flags(void **state)
{
	struct process_info p;

	assert_int_equal(
		process_info_parse("2 (kthreadd) S 0 0 0 0 -1 2129984 0 0 0 0 0 6 0 0 20 0 1 0 20 0 0 "
				   "18446744073709551615",
				   &p),
		0);
	assert_true(p.of_kernel);
}

static void a_name_may_look_like_the_rest_of_the_line(void **state)
{
	autoclose int dir = open("/proc/self", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct process_info p;

	assert_int_equal(prctl(PR_SET_NAME, ") Z 1 ((", 0, 0, 0), 0);
	assert_int_equal(process_info_read(dir, &p), 0);
	assert_string_equal(p.comm, ") Z 1 ((");
	assert_int_equal(p.state, 'R');
	assert_int_equal(p.ppid, getppid());
	assert_true(p.rss_bytes > 0);
}

static void what_is_no_such_line_is_refused(void **state)
{
	static const char *const bad[] = { "", "1 (a", "1 a) S 1", ")(", "1 (a) S", "1 (a) S x y z" };
	struct process_info p;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		if (process_info_parse(bad[i], &p) != -EINVAL)
			fail_msg("accepted: %s", bad[i]);
}

static void bytes_of_all_devices_but_the_loopback_are_summed(void **state)
{
	uint64_t in, out;

	netdev_parse("Inter-|   Receive                |  Transmit\n"
		     " face |bytes    packets errs drop fifo frame compressed multicast|bytes packets\n"
		     "    lo: 999 1 0 0 0 0 0 0 999 1 0 0 0 0 0 0\n"
		     "  eth0: 100 1 0 0 0 0 0 0 200 1 0 0 0 0 0 0\n"
		     " hello:  10 1 0 0 0 0 0 0  20 1 0 0 0 0 0 0\n",
		     &in, &out);
	assert_int_equal(in, 110);
	assert_int_equal(out, 220);
	netdev_parse("", &in, &out);
	assert_int_equal(in + out, 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_line_of_the_kernel_is_read),
		cmocka_unit_test(a_thread_of_the_kernel_is_known_by_its_flags),
		cmocka_unit_test(a_name_may_look_like_the_rest_of_the_line),
		cmocka_unit_test(what_is_no_such_line_is_refused),
		cmocka_unit_test(bytes_of_all_devices_but_the_loopback_are_summed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
