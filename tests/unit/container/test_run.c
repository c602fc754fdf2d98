/* test_run.c - processes in containers: exit status, errors, users, exec, signals, limits; as root */
#include "rig.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/auto.h"
#include "instance/stats.h"

static void the_exit_status_is_the_commands(void **state)
{
	static const struct {
		const char *spec;
		uint32_t status;
	} rows[] = {
		{ "{\"process\":{\"args\":[\"/bin/true\"]}}", 0 },
		{ "{\"process\":{\"args\":[\"true\"]}}", 0 },
		{ "{\"process\":{\"args\":[\"sh\",\"-c\",\"exit 42\"]}}", 42 },
		{ "{\"process\":{\"args\":[\"sh\",\"-c\",\"sh -c 'kill -15 $$'; exit $?\"]}}", 143 },
		{ "{\"init\":true,\"process\":{\"args\":[\"sh\",\"-c\",\"exit 7\"]}}", 7 },
		{ "{\"init\":true,\"process\":{\"args\":[\"sh\",\"-c\",\"kill -9 $$\"]}}", 137 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct rig *r = rig_run(rows[i].spec);

		if (!r->s[0].exited || r->s[0].status != rows[i].status)
			fail_msg("%s: status %u text %s", rows[i].spec, r->s[0].status, rig_text(r, 0));
		rig_done(r);
	}
}

static void what_cannot_start_says_why_with_dockers_status(void **state)
{
	static const struct {
		const char *spec;
		uint32_t status;
		const char *text;
	} rows[] = {
		{ "{\"process\":{\"args\":[\"nope\"]}}", 127,
		  "exec: \"nope\": executable file not found in $PATH" },
		{ "{\"init\":true,\"process\":{\"args\":[\"nope\"]}}", 127, "executable file not found" },
		{ "{\"process\":{\"args\":[\"/bin/nope\"]}}", 127, "exec: \"/bin/nope\": no such file" },
		{ "{\"process\":{\"args\":[\"/sbin/init\"]}}", 127, "the image has no init system" },
		{ "{\"process\":{\"args\":[\"/etc/passwd\"]}}", 126,
		  "exec: \"/etc/passwd\": permission denied" },
		{ "{\"process\":{\"args\":[\"/etc\"]}}", 126, "exec: \"/etc\": permission denied" },
		{ "{\"process\":{\"args\":[\"/noformat\"]}}", 126, "exec: \"/noformat\": exec format error" },
		{ "{\"process\":{\"args\":[\"/bin/true\"],\"user\":\"bob\"}}", 125,
		  "unable to find user bob" },
		{ "{\"process\":{\"args\":[\"/bin/true\"],\"user\":\"4294967296\"}}", 125,
		  "not in the range" },
		{ "{\"process\":{\"args\":[\"/bin/true\"],\"cwd\":\"etc\"}}", 125, "not absolute" },
		{ "{\"process\":{\"args\":[\"/bin/true\"],\"cwd\":\"/etc/passwd\"}}", 125, "/etc/passwd" },
		{ "{\"process\":{\"args\":[\"/bin/true\"],\"caps\":[\"CAP_X\"]}}", 125,
		  "unknown capability" },
		{ "{\"process\":{\"args\":[\"/bin/true\"],\"rlimits\":[{\"type\":\"x\"}]}}", 125,
		  "unknown limit" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct rig *r = rig_new(rows[i].spec);

		rig_file(r, "./noformat", 0755, "not a program");
		assert_int_equal(rig_start(r), 0);
		rig_main(r);
		rig_until(r, &r->ended);
		if (!r->s[0].failed || r->s[0].status != rows[i].status ||
		    !strstr(rig_text(r, 0), rows[i].text))
			fail_msg("%s: status %u text %s", rows[i].spec, r->s[0].status, rig_text(r, 0));
		rig_done(r);
	}
}

static void the_user_and_its_surroundings_come_from_the_image(void **state)
{
	static const struct {
		const char *spec, *out;
	} rows[] = {
		{ "{\"process\":{\"args\":[\"sh\",\"-c\",\"id; echo $HOME\"]}}",
		  "uid=0(root) gid=0(root) groups=0(root)\n/root\n" },
		{ "{\"process\":{\"args\":[\"sh\",\"-c\",\"id; echo $HOME\"],\"user\":\"ann\"}}",
		  "uid=1000(ann) gid=1001(ann) groups=10(wheel),29(audio),1001(ann)\n/home/ann\n" },
		{ "{\"process\":{\"args\":[\"sh\",\"-c\",\"id; echo "
		  "$HOME\"],\"user\":\"5:29\",\"groups\":[\"wheel\"]}}",
		  "uid=5 gid=29(audio) groups=10(wheel),29(audio)\n/\n" },
		{ "{\"process\":{\"args\":[\"sh\",\"-c\",\"pwd; umask; echo "
		  "$X\"],\"cwd\":\"/a/b\",\"env\":[\"X=1 2\"]}}",
		  "/a/b\n0022\n1 2\n" },
		{ "{\"process\":{\"args\":[\"env\"],\"env\":[\"A=b\",\"HOME=/x\",\"PATH=/bin\"]}}",
		  "A=b\nHOME=/x\nPATH=/bin\n" },
		{ "{\"process\":{\"args\":[\"sh\",\"-c\",\"echo $$; hostname; cat /etc/hostname\"]}}",
		  "1\ninside\ninside\n" },
		{ "{\"process\":{\"args\":[\"sh\",\"-c\",\"ls /proc/self/fd; readlink /proc/self/fd/0\"]}}",
		  "0\n1\n2\n3\n/dev/null\n" },
		{ "{\"process\":{\"args\":[\"sh\",\"-c\",\"echo again >/dev/stdout\"],\"user\":\"ann\"}}",
		  "again\n" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct rig *r = rig_run(rows[i].spec);

		if (strcmp(rig_out(r, 0), rows[i].out))
			fail_msg("%s: %s%s%s", rows[i].spec, rig_out(r, 0), rig_err(r, 0), rig_text(r, 0));
		rig_done(r);
	}
}

/* A container that stays until it is killed. */
static struct rig *start_sleeper(const char *spec)
{
	struct rig *r = rig_new(spec);

	if (rig_start(r) < 0)
		fail_msg("%s", r->err.msg);
	rig_main(r);
	rig_until_output(r, 0, "up");
	return r;
}

#define SLEEPER                                                                                              \
	"{\"process\":{\"args\":[\"sh\",\"-c\",\"trap 'echo got; exit 5' TERM; echo up; while :; do sleep "  \
	"100 & wait; done\"]}}"
#define SLEEPER_INIT "{\"init\":true," SLEEPER_TAIL
#define SLEEPER_TAIL "\"process\":{\"args\":[\"sh\",\"-c\",\"echo up; exec sleep 100\"]}}"

static void exec_runs_beside_the_first_process(void **state)
{
	struct rig *r = start_sleeper(SLEEPER);

	rig_exec(r, 1,
		 "{\"args\":[\"sh\",\"-c\",\"id -u; hostname; ls /proc/1 >/dev/null && cat; exit 9\"],"
		 "\"env\":[\"PATH=/bin\"],\"user\":\"ann\",\"stdin\":true}");
	rig_until(r, &r->s[1].started);
	assert_true(r->s[1].pid > 1);
	rig_send(r, MSG_STDIN, 1, "hello\n", 6);
	rig_send(r, MSG_STDIN_EOF, 1, NULL, 0);
	rig_until(r, &r->s[1].exited);
	assert_string_equal(rig_out(r, 1), "1000\ninside\nhello\n");
	assert_int_equal(r->s[1].status, 9);
	assert_int_equal(r->s[1].credit, 6);

	rig_exec(r, 2, "{\"args\":[\"nope\"]}");
	rig_until(r, &r->s[2].failed);
	assert_int_equal(r->s[2].status, 127);

	rig_send2(r, MSG_SIGNAL, 0, SIGTERM, 0);
	rig_until(r, &r->ended);
	assert_int_equal(r->s[0].status, 5);
	rig_done(r);
}

static void exec_into_what_does_not_run_is_refused(void **state)
{
	struct rig *r = rig_new("{}");

	assert_int_equal(rig_start(r), 0);
	rig_until(r, &r->ready);
	rig_exec(r, 1, "{\"args\":[\"/bin/true\"]}");
	rig_until(r, &r->s[1].failed);
	assert_int_equal(r->s[1].status, 126);
	assert_non_null(strstr(rig_text(r, 1), "not running"));
	rig_main(r);
	rig_exec(r, 2, "{\"args\":[\"/bin/true\"]}"); /* its mounts are not made yet */
	rig_until(r, &r->ended);
	assert_true(r->s[2].failed);
	assert_int_equal(r->s[2].status, 126);
	rig_exec(r, 3, "{\"args\":[\"/bin/true\"]}");
	assert_int_equal(loop_once(r->loop, 0), 0);
	assert_false(r->s[3].failed);
	rig_done(r);
}

static void an_exec_ends_with_the_first_process(void **state)
{
	struct rig *r = start_sleeper(SLEEPER);

	rig_exec(r, 1, "{\"args\":[\"sh\",\"-c\",\"echo in; sleep 100\"],\"env\":[\"PATH=/bin\"]}");
	rig_until_output(r, 1, "in");
	container_backend.kill(r->running);
	rig_until(r, &r->ended);
	assert_true(r->s[0].exited && r->s[1].exited);
	assert_int_equal(r->s[0].status, 137);
	assert_int_equal(r->s[1].status, 137);
	rig_done(r);
}

static void an_exec_that_leaves_a_child_with_its_output_ends_soon(void **state)
{
	struct rig *r = start_sleeper(SLEEPER);

	rig_exec(r, 1,
		 "{\"args\":[\"sh\",\"-c\",\"sleep 100 & echo done; exit 4\"],\"env\":[\"PATH=/bin\"]}");
	rig_until(r, &r->s[1].exited);
	assert_int_equal(r->s[1].status, 4);
	assert_string_equal(rig_out(r, 1), "done\n");
	assert_false(r->s[0].exited);
	rig_done(r); /* which ends the rest */
}

static void an_exec_that_leaves_an_endless_writer_ends_too(void **state)
{
	struct rig *r = start_sleeper(SLEEPER);

	rig_exec(r, 1,
		 "{\"args\":[\"sh\",\"-c\",\"cat /dev/zero & head -c 100000 /dev/zero >&2; exit "
		 "4\"],\"env\":[\"PATH=/bin\"]}");
	rig_until(r, &r->s[1].exited);
	assert_int_equal(r->s[1].status, 4);
	assert_int_equal(r->s[1].err.len, 100000);
	rig_done(r);
}

static void the_small_init_passes_signals_on(void **state)
{
	struct rig *r = start_sleeper(SLEEPER_INIT);

	/* without it a first process that handles nothing would not even hear of it */
	rig_send2(r, MSG_SIGNAL, 0, SIGTERM, 0);
	rig_until(r, &r->ended);
	assert_int_equal(r->s[0].status, 143);
	rig_done(r);
}

static void a_signal_before_the_process_has_begun_is_not_lost(void **state)
{
	struct rig *r = rig_new(SLEEPER_INIT);

	assert_int_equal(rig_start(r), 0);
	rig_until(r, &r->ready);
	rig_main(r);
	rig_send2(r, MSG_SIGNAL, 0, SIGWINCH, 0);
	rig_send2(r, MSG_SIGNAL, 0, SIGTERM, 0);
	assert_false(r->s[0].started);
	rig_until(r, &r->ended);
	assert_true(r->s[0].started);
	assert_int_equal(r->s[0].errors, 0);
	assert_int_equal(r->s[0].status, 143);
	rig_done(r);
}

static void the_small_init_reaps_and_keeps_no_rights(void **state)
{
	struct rig *r = rig_run("{\"init\":true,\"process\":{\"args\":[\"sh\",\"-c\","
				"\"(sleep 0 & ); cat /proc/1/comm; grep CapEff /proc/1/status; while ps -o "
				"stat | grep -q Z; do :; done; echo $$\"]}}");

	assert_string_equal(rig_out(r, 0), "ketch-init\nCapEff:\t0000000000000020\n2\n");
	rig_done(r);
}

static void bad_requests_are_answered_and_harm_nothing(void **state)
{
	struct rig *r = start_sleeper(SLEEPER);

	rig_send2(r, MSG_SIGNAL, 0, 65, 0);
	rig_send2(r, MSG_SIGNAL, 3, SIGTERM, 0);
	rig_send2(r, MSG_RESIZE, 0, 24, 80);
	rig_send2(r, MSG_CREDIT, 0, 1, MSG_WINDOW + 1);
	rig_exec(r, 1, "{\"args\":[]}");
	rig_exec(r, 2, "{\"args\":");
	rig_until(r, &r->s[2].failed);
	assert_int_equal(r->s[0].errors, 3);
	assert_int_equal(r->s[3].errors, 1);
	assert_true(r->s[1].failed);
	assert_int_equal(r->s[1].status, 125);
	rig_send(r, MSG_SHUTDOWN, 0, NULL, 0);
	rig_until(r, &r->ended);
	rig_done(r);
}

static void release_takes_everything_with_it(void **state)
{
	struct rig *r = start_sleeper(SLEEPER);

	rig_exec(r, 1, "{\"args\":[\"sleep\",\"100\"],\"env\":[\"PATH=/bin\"]}");
	rig_until(r, &r->s[1].started);
	rig_done(r); /* which looks for what is left */
	r = rig_new("{}");
	assert_int_equal(rig_start(r), 0);
	rig_done(r);
	r = rig_new("{}");
	assert_int_equal(rig_start(r), 0);
	container_backend.kill(r->running);
	rig_until(r, &r->ended);
	rig_done(r);
}

static void limits_hold_and_statistics_tell(void **state)
{
	struct rig *r = start_sleeper(
		"{\"resources\":{\"memory\":67108864,\"pids\":20,\"milliCpus\":500}," SLEEPER_TAIL);
	struct stats st = { 0 };
	struct err e;

	rig_send(r, MSG_STATS, 0, NULL, 0);
	while (!r->s[0].text.len)
		loop_once(r->loop, 100);
	assert_int_equal(stats_parse(r->s[0].text.data, r->s[0].text.len, &st, &e), 0);
	assert_true(st.memory_bytes > 4096 && st.memory_bytes < 67108864);
	assert_int_equal(st.pids, 1);
	assert_true(st.cpu_ns > 0);
	assert_true(st.machine_bytes == 0 &&
		    st.machine_available_bytes == 0); /* the machine is not its own */

	rig_exec(r, 1,
		 "{\"args\":[\"sh\",\"-c\",\"for i in $(seq 30); do sleep 100 & "
		 "done\"],\"env\":[\"PATH=/bin\"]}");
	rig_until(r, &r->s[1].exited);
	assert_non_null(strstr(rig_err(r, 1), "fork"));
	container_backend.kill(r->running);
	rig_until(r, &r->ended);
	assert_int_equal(r->s[0].flags, 0);
	rig_done(r);
}

static void a_process_that_wants_too_much_memory_is_killed_and_that_is_said(void **state)
{
	struct rig *r = rig_run(
		"{\"resources\":{\"memory\":33554432},"
		"\"process\":{\"args\":[\"dd\",\"if=/dev/zero\",\"of=/dev/null\",\"bs=200M\",\"count=1\"]}}");

	assert_int_equal(r->s[0].status, 137);
	assert_int_equal(r->s[0].flags, 1);
	rig_done(r);
}

static void ulimits_are_set_as_far_as_the_host_allows(void **state)
{
	struct rig *r =
		rig_run("{\"process\":{\"args\":[\"sh\",\"-c\",\"ulimit -n; ulimit -Hn; ulimit -Hs\"],"
			"\"rlimits\":[{\"type\":\"nofile\",\"soft\":100,\"hard\":200},"
			"{\"type\":\"stack\",\"soft\":65536,\"hard\":18446744073709551615}]}}");

	assert_string_equal(rig_out(r, 0), "100\n200\nunlimited\n");
	rig_done(r);
	r = rig_run("{\"process\":{\"args\":[\"sh\",\"-c\",\"ulimit -n\"],"
		    "\"rlimits\":[{\"type\":\"nofile\",\"soft\":2147483647,\"hard\":2147483647}]}}");
	assert_int_equal(r->s[0].status, 0);
	assert_int_equal(r->state.warnings.n, 1);
	assert_non_null(strstr(r->state.warnings.v[0], "nofile"));
	rig_done(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(the_exit_status_is_the_commands, rig_teardown),
		cmocka_unit_test_teardown(what_cannot_start_says_why_with_dockers_status, rig_teardown),
		cmocka_unit_test_teardown(the_user_and_its_surroundings_come_from_the_image, rig_teardown),
		cmocka_unit_test_teardown(exec_runs_beside_the_first_process, rig_teardown),
		cmocka_unit_test_teardown(exec_into_what_does_not_run_is_refused, rig_teardown),
		cmocka_unit_test_teardown(an_exec_ends_with_the_first_process, rig_teardown),
		cmocka_unit_test_teardown(an_exec_that_leaves_a_child_with_its_output_ends_soon,
					  rig_teardown),
		cmocka_unit_test_teardown(an_exec_that_leaves_an_endless_writer_ends_too, rig_teardown),
		cmocka_unit_test_teardown(the_small_init_passes_signals_on, rig_teardown),
		cmocka_unit_test_teardown(a_signal_before_the_process_has_begun_is_not_lost, rig_teardown),
		cmocka_unit_test_teardown(the_small_init_reaps_and_keeps_no_rights, rig_teardown),
		cmocka_unit_test_teardown(bad_requests_are_answered_and_harm_nothing, rig_teardown),
		cmocka_unit_test_teardown(release_takes_everything_with_it, rig_teardown),
		cmocka_unit_test_teardown(limits_hold_and_statistics_tell, rig_teardown),
		cmocka_unit_test_teardown(a_process_that_wants_too_much_memory_is_killed_and_that_is_said,
					  rig_teardown),
		cmocka_unit_test_teardown(ulimits_are_set_as_far_as_the_host_allows, rig_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
