/* test_compare.c - what the probe says becomes rows; a wall that fails leaves its column empty */
#include "../cm.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/io.h"
#include "engine/compare_int.h"
#include "seccomp/seccomp.h"

static const char probe_line[] =
	"{\"kernel\":\"6.1.0\",\"bootId\":\"other\",\"processes\":1,\"devices\":6,\"capabilities\":11,"
	"\"seccomp\":2,"
	"\"cpus\":2,\"memory\":1048576,\"syscallPicoseconds\":340266,\"forkPicoseconds\":1807452651,"
	"\"pageFaultPicoseconds\":2251977,\"hashBytesPerSecond\":661481058,\"filesPerSecond\":33410,"
	"\"fsyncsPerSecond\":281,\"writeBytesPerSecond\":1042213394,\"readBytesPerSecond\":10280672066,"
	"\"pssBytes\":1048576}\n";

static struct wall make_wall(int isolation, int64_t first_ns)
{
	struct wall w = { .isolation = isolation,
			  .n_starts = 1,
			  .workload_first_ns = -1,
			  .workload_ns = 5000000,
			  .cost = { .processes = 2, .pss_bytes = 3 << 20, .uid = 7, .seccomp = 2 },
			  .syscalls = 295 };
	struct err e = { 0 };

	w.starts_ns[0] = first_ns;
	if (json_parse(&probe_table, probe_line, strlen(probe_line), JSON_STRICT, &w.probe, &e) < 0)
		fail_msg("%s", e.msg);
	return w;
}

static const struct compare_row *find(const struct compare_report *r, const char *metric)
{
	for (size_t i = 0; i < r->n; i++)
		if (!strcmp(r->rows[i].metric, metric))
			return &r->rows[i];
	fail_msg("no row \"%s\"", metric);
	return NULL;
}

struct expected {
	const char *metric, *container, *vm, *note;
};

static void check_rows(const struct compare_report *r, const struct expected *x, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct compare_row *row = find(r, x[i].metric);

		if (strcmp(row->container, x[i].container) || strcmp(row->vm, x[i].vm) ||
		    (x[i].note && (!row->note || strcmp(row->note, x[i].note))))
			fail_msg("%s: %s, %s, %s", row->metric, row->container, row->vm,
				 row->note ? row->note : "-");
	}
}

static void two_walls_become_rows(void **state)
{
	static const struct expected rows[] = {
		{ "kernel it runs on", "6.1.0", "6.1.0", NULL },
		{ "shares the host's kernel", "no", "no", NULL },
		{ "system calls the workload can make", "295", "295", NULL },
		{ "of them, to the host's kernel", "0", "0", NULL },
		{ "its uid on the host", "7", "7", NULL },
		{ "beyond the workload's own", "2.00", "2.00", "VM 1.0 times as much" },
		{ "memory of its cgroup", "-", "-", NULL },
		{ "to first output, median", "10.0", "4000", "VM 400.0 times as much" },
		{ "the workload: to first output", "-", "-", NULL },
		{ "the workload: to its end", "5.00", "-", NULL },
		{ "the workload: exit status", "0", "stopped", NULL },
		{ "system call", "340", "340", NULL },
		{ "file write", "1042", "1042", "VM 1.0 times slower" },
	};
	struct wall container = make_wall(ISOLATION_CONTAINER, 10000000),
		    vm = make_wall(ISOLATION_VM, 4000000000);
	struct compare_report r = { 0 };

	vm.workload_stopped = true;
	assert_int_equal(compare_add_rows(&container, &vm, &r), 0);
	check_rows(&r, rows, ARRAY_LEN(rows));
	compare_done(&r);
	json_done(&probe_table, &container.probe);
	json_done(&probe_table, &vm.probe);
}

static void a_wall_that_fails_is_a_column_of_dashes(void **state)
{
	struct wall container = make_wall(ISOLATION_CONTAINER, 10000000), vm = { .isolation = ISOLATION_VM };
	struct compare_report r = { 0 };

	err_set(&vm.error, ENOENT, "no guest kernel");
	assert_int_equal(compare_add_rows(&container, &vm, &r), 0);
	for (size_t i = 0; i < r.n; i++)
		assert_string_equal(r.rows[i].vm, "-");
	assert_string_equal(find(&r, "system call")->container, "340");
	compare_done(&r);
	json_done(&probe_table, &container.probe);
}

static void a_report_is_json_and_back(void **state)
{
	struct wall container = make_wall(ISOLATION_CONTAINER, 1), vm = make_wall(ISOLATION_VM, 1);
	struct compare_report r = { 0 }, again = { 0 };
	AUTO(buf_done) struct buf text = { 0 };
	struct err e = { 0 };

	assert_int_equal(compare_add_rows(&container, &vm, &r), 0);
	assert_int_equal(json_print(&compare_report_table, &r, 0, &text), 0);
	assert_int_equal(json_parse(&compare_report_table, text.data, text.len, JSON_STRICT, &again, &e), 0);
	assert_int_equal(again.n, r.n);
	assert_string_equal(again.rows[r.n - 1].metric, r.rows[r.n - 1].metric);
	compare_done(&r);
	compare_done(&again);
	json_done(&probe_table, &container.probe);
	json_done(&probe_table, &vm.probe);
}

static void a_filter_lets_a_number_of_calls_through(void **state)
{
	AUTO(buf_done) struct buf program = { 0 };
	struct strv none = { 0 };
	struct err e = { 0 };
	int fd[2], n;

	assert_int_equal(seccomp_build(NULL, &none, "6.1.0", &program, &e), 0);
	assert_int_equal(pipe_cloexec(fd), 0);
	assert_int_equal(write_full(fd[1], program.data, program.len), 0);
	close(fd[1]);
	n = compare_count_syscalls(fd[0]);
	close(fd[0]);
	assert_true(n > 250 && n < 360);
}

static void the_host_has_processes(void **state)
{
	assert_true(compare_host_processes() >= 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(two_walls_become_rows),
		cmocka_unit_test(a_wall_that_fails_is_a_column_of_dashes),
		cmocka_unit_test(a_report_is_json_and_back),
		cmocka_unit_test(a_filter_lets_a_number_of_calls_through),
		cmocka_unit_test(the_host_has_processes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
