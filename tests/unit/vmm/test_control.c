/* test_control.c - the control socket: each request has its answer, and what is none has an error */
#include "../cm.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "rig.h"
#include "vmm/control.h"

static struct machine m;
static struct control control;
static struct devices *devices;
static struct saver saver;
static int ours;

static int set_up(void **state)
{
	static const struct vmm_config none = { .console_fd = -1 }; /* and so vsock, entropy, balloon only */
	struct err e = { 0 };
	int pair[2];

	memset(&m, 0, sizeof(m));
	memset(&control, 0, sizeof(control));
	saver = (struct saver){ .ram_fd = -1 };
	machine_rig_init(&m, -1);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	devices = devices_make(&none, &m, &e);
	assert_non_null(devices);
	assert_int_equal(control_init(&control, &m, devices, &saver, pair[1]), 0);
	ours = pair[0];
	return 0;
}

static int tear_down(void **state)
{
	loop_del(m.loop, &control.watch);
	devices_free(devices);
	close(control.watch.fd);
	close(ours);
	machine_rig_done(&m);
	return 0;
}

static const char *ask(const char *request)
{
	static char answer[CONTROL_MAX_ANSWER];
	ssize_t n;

	assert_int_equal(write(ours, request, strlen(request)), strlen(request));
	assert_true(loop_once(m.loop, 1000) >= 0);
	n = recv(ours, answer, sizeof(answer) - 1, MSG_DONTWAIT);
	answer[n < 0 ? 0 : n] = '\0';
	return answer;
}

static void expect(const char *request, const char *answer)
{
	assert_string_equal(ask(request), answer);
}

static void it_runs_pauses_and_goes_on(void **state)
{
	expect("state\n", "{\"state\":\"running\"}\n");
	expect("pause\n", "{\"ok\":true}\n");
	expect("state\n", "{\"state\":\"paused\"}\n");
	expect("pause\n", "{\"ok\":true}\n");
	expect("resume\n", "{\"ok\":true}\n");
	expect("state\n", "{\"state\":\"running\"}\n");
}

static void quit_ends_the_machine(void **state)
{
	expect("quit\n", "");
	assert_int_equal(m.end, END_POWER_OFF);
}

static void the_owner_who_hangs_up_ends_it_too(void **state)
{
	shutdown(ours, SHUT_RDWR);
	assert_true(loop_once(m.loop, 1000) >= 0);
	assert_int_equal(m.end, END_POWER_OFF);
}

static void the_power_button_is_an_event_of_the_guest(void **state)
{
	expect("power-button\n", "{\"ok\":true}\n");
	assert_int_equal(m.power.s.pending, GED_POWER_BUTTON);
}

static void the_serial_log_is_quoted(void **state)
{
	for (const char *s = "a\"\n\xff"; *s; s++)
		serial_write(&m.serial, 0, (uint8_t)*s);
	expect("serial\n", "{\"serial\":\"a\\u0022\\u000a\\u00ff\"}\n");
}

static void statistics_are_json(void **state)
{
	m.n_vcpus = 1;
	m.vcpus[0].exits[KVM_EXIT_IO] = 7;
	assert_non_null(strstr(ask("stats\n"), "{\"vcpus\":[{\"io\":7}],\"devices\":["));
}

static void descriptors_that_nobody_wants_are_closed(void **state)
{
	int fds[3] = { 0, 0, 0 }, before = dup(0), after;
	_Alignas(struct cmsghdr) char room[CMSG_SPACE(sizeof(fds))] = { 0 };
	char line[] = "state\n";
	struct iovec iov = { line, 6 };
	struct msghdr h = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof(room)
	};

	close(before);
	*CMSG_FIRSTHDR(&h) = (struct cmsghdr){ CMSG_LEN(sizeof(fds)), SOL_SOCKET, SCM_RIGHTS };
	memcpy(CMSG_DATA(CMSG_FIRSTHDR(&h)), fds, sizeof(fds));
	assert_int_equal(sendmsg(ours, &h, 0), 6);
	expect("", "{\"state\":\"running\"}\n");
	after = dup(0);
	close(after);
	assert_int_equal(after, before);
}

static void what_is_no_request_is_refused(void **state)
{
	char longest[CONTROL_MAX_LINE + 20];

	expect("\n", "{\"error\":\"unknown request\"}\n");
	expect("open /etc/passwd\n", "{\"error\":\"unknown request\"}\n");
	expect("pause now\n", "{\"error\":\"the request takes no word\"}\n");
	expect("balloon\n", "{\"error\":\"the request needs a word\"}\n");
	expect("balloon -1\n", "{\"error\":\"balloon: not a number of bytes\"}\n");
	expect("vsock x\n", "{\"error\":\"vsock: not a port\"}\n");
	expect("vsock 5\n", "{\"error\":\"vsock: no descriptor came with the request\"}\n");
	memset(longest, 'x', sizeof(longest));
	longest[sizeof(longest) - 2] = '\n';
	longest[sizeof(longest) - 1] = '\0';
	ask(longest);
	expect("", "{\"error\":\"the request is too long, or has a zero byte\"}\n");
}

static void a_line_may_come_in_pieces(void **state)
{
	expect("sta", "");
	expect("te\nst", "{\"state\":\"running\"}\n");
	expect("ate\n", "{\"state\":\"running\"}\n");
}

static void an_owner_that_does_not_read_its_answers_has_gone(void **state)
{
	for (unsigned i = 0; i < 100000 && m.end == END_NONE; i++) {
		assert_int_equal(write(ours, "stats\n", 6), 6);
		assert_true(loop_once(m.loop, 1000) >= 0);
	}
	assert_int_equal(m.end, END_POWER_OFF);
}

#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(it_runs_pauses_and_goes_on),
		T(quit_ends_the_machine),
		T(the_owner_who_hangs_up_ends_it_too),
		T(the_power_button_is_an_event_of_the_guest),
		T(the_serial_log_is_quoted),
		T(statistics_are_json),
		T(descriptors_that_nobody_wants_are_closed),
		T(what_is_no_request_is_refused),
		T(a_line_may_come_in_pieces),
		T(an_owner_that_does_not_read_its_answers_has_gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
