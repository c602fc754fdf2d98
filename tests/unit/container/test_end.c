/* test_end.c - ends that are not in order: a killed monitor, frozen processes, strays; nothing is left; as root */
#include "rig.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/io.h"
#include "cgroup/cgroup.h"
#include "sys/pidfd.h"

#define SLEEPER "{\"process\":{\"args\":[\"sh\",\"-c\",\"echo up; sleep 100 & sleep 100\"]}}"

static void start(struct rig *r)
{
	if (rig_start(r) < 0)
		fail_msg("%s", r->err.msg);
	rig_main(r);
	rig_until_output(r, 0, "up");
}

/* Makes whatever hierarchy can do it freeze the instance; false where none can. */
static bool freeze(struct rig *r)
{
	for (size_t i = 0; i < r->state.cgroups.n; i++) {
		autofree char *v1 = str_printf("%s/freezer.state", r->state.cgroups.v[i]);
		autofree char *v2 = str_printf("%s/cgroup.freeze", r->state.cgroups.v[i]);

		if (write_existing(AT_FDCWD, v1, "FROZEN") == 0 || write_existing(AT_FDCWD, v2, "1") == 0)
			return true;
	}
	return false;
}

static void a_frozen_instance_can_be_killed(void **state)
{
	struct rig *r = rig_new(SLEEPER);

	start(r);
	assert_true(freeze(r));
	container_backend.kill(r->running);
	rig_until(r, &r->ended);
	assert_int_equal(r->s[0].status, 137);
	rig_done(r);
}

static void a_frozen_instance_can_be_released(void **state)
{
	struct rig *r = rig_new(SLEEPER);

	start(r);
	assert_true(freeze(r));
	rig_done(r);
}

/* The part of a monitor: tells its container's pid, then waits to be killed. */
static void be_monitor(struct rig *r, int to)
{
	start(r);
	write_full(to, &r->s[0].pid, sizeof(r->s[0].pid));
	for (;;)
		pause();
}

static void what_a_killed_monitor_leaves_is_cleared_by_the_id(void **state)
{
	struct rig *r = rig_new(SLEEPER);
	struct err e = { 0 };
	int pipe_fd[2], status;
	pid_t monitor;
	uint32_t pid;
	int pidfd;

	assert_int_equal(pipe_cloexec(pipe_fd), 0);
	monitor = fork();
	if (monitor == 0)
		be_monitor(r, pipe_fd[1]);
	assert_int_equal(read_full(pipe_fd[0], &pid, sizeof(pid)), sizeof(pid));
	pidfd = pidfd_open_pid((pid_t)pid);
	assert_true(pidfd >= 0);
	assert_int_equal(kill(monitor, SIGKILL), 0);
	assert_int_equal(waitpid(monitor, &status, 0), monitor);
	/* the workload dies with its monitor */
	assert_int_equal(pidfd_wait_end(pidfd, 10000), 0);
	if (cgroup_clear(&r->boot.facts, NULL, r->boot.spec.id, &e) < 0)
		fail_msg("%s", e.msg);
	/* a second time, and for what never was */
	assert_int_equal(cgroup_clear(&r->boot.facts, NULL, r->boot.spec.id, &e), 0);
	for (size_t i = 0; i < r->boot.facts.cgroups.n; i++) {
		autofree char *dir = str_printf("%s/ketch/%s", strchr(r->boot.facts.cgroups.v[i], '=') + 1,
						r->boot.spec.id);

		assert_int_equal(access(dir, F_OK), -1);
	}
	close(pipe_fd[0]);
	close(pipe_fd[1]);
	close(pidfd);
	rig_done(r);
}

/* A process of the host that somebody put into the cgroup: it belongs to the instance, and ends with it. */
static void strays_in_the_cgroup_end_with_the_instance(void **state)
{
	struct rig *r = rig_new("{\"process\":{\"args\":[\"sh\",\"-c\",\"echo up; cat\"],\"stdin\":true}}");
	int status;
	pid_t stray;

	start(r);
	stray = fork();
	if (stray == 0) {
		close_range(3, ~0U, 0); /* our end of its stdin, too */
		for (;;)
			pause();
	}
	for (size_t i = 0; i < r->state.cgroups.n; i++) {
		autofree char *path = str_printf("%s/cgroup.procs", r->state.cgroups.v[i]);
		autofree char *pid = str_printf("%d", stray);

		assert_int_equal(write_existing(AT_FDCWD, path, pid), 0);
	}
	rig_send(r, MSG_STDIN_EOF, 0, NULL, 0);
	rig_until(r, &r->ended);
	assert_int_equal(waitpid(stray, &status, 0), stray);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	rig_done(r);
}

static int count_fds(void)
{
	DIR *d = opendir("/proc/self/fd");
	int n = 0;

	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

static void many_execs_leave_no_descriptor_and_no_child(void **state)
{
	struct rig *r = rig_new("{\"process\":{\"args\":[\"sh\",\"-c\",\"echo up; sleep 100\"]}}");
	int before;

	start(r);
	before = count_fds();
	for (int i = 0; i < 50; i++) {
		r->s[1] = (struct rig_stream){ 0 };
		rig_exec(r, 1,
			 i % 2 ? "{\"args\":[\"/bin/true\"],\"terminal\":true}" : "{\"args\":[\"/nope\"]}");
		while (!r->s[1].exited && !r->s[1].failed)
			assert_true(loop_once(r->loop, 5000) > 0);
		buf_done(&r->s[1].text);
	}
	assert_int_equal(count_fds(), before);
	rig_done(r);
}

static void nothing_of_the_caller_gets_in(void **state)
{
	struct rig *r = rig_new("{\"process\":{\"args\":[\"sh\",\"-c\",\"ls /proc/self/fd; grep -c "
				"KETCH_SECRET /proc/self/environ; cat /proc/self/oom_score_adj\"],"
				"\"env\":[\"PATH=/bin\",\"HOME=/\"]}}");
	int stray[200];

	for (size_t i = 0; i < ARRAY_LEN(stray); i++)
		stray[i] = open("/etc", O_RDONLY | O_DIRECTORY); /* without close-on-exec */
	setenv("KETCH_SECRET", "marker", 1);
	assert_int_equal(write_existing(AT_FDCWD, "/proc/self/oom_score_adj", "100"), 0);
	assert_int_equal(rig_start(r), 0);
	rig_main(r);
	rig_until(r, &r->ended);
	assert_string_equal(rig_out(r, 0), "0\n1\n2\n3\n0\n0\n");
	write_existing(AT_FDCWD, "/proc/self/oom_score_adj", "0");
	for (size_t i = 0; i < ARRAY_LEN(stray); i++)
		close(stray[i]);
	rig_done(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(a_frozen_instance_can_be_killed, rig_teardown),
		cmocka_unit_test_teardown(a_frozen_instance_can_be_released, rig_teardown),
		cmocka_unit_test_teardown(what_a_killed_monitor_leaves_is_cleared_by_the_id, rig_teardown),
		cmocka_unit_test_teardown(strays_in_the_cgroup_end_with_the_instance, rig_teardown),
		cmocka_unit_test_teardown(many_execs_leave_no_descriptor_and_no_child, rig_teardown),
		cmocka_unit_test_teardown(nothing_of_the_caller_gets_in, rig_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
