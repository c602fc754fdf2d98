/* test_back.c - a machine goes back in place: what is asked of its VMM and its agent, what becomes of who spoke with it */
#include "../cm.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/auto.h"
#include "instance/backend.h"
#include "sys/scm.h"
#include "vm/running.h"
#include "vm/vm.h"

#define SNAPSHOT "0123456789abcdef0123456789abcdef"
#define OTHER	 "fedcba9876543210fedcba9876543210"

struct fixture {
	struct running r; /* first: the agent's operations get it */
	struct boot boot;
	struct backend_events ev;
	struct instance_state state;
	int vmm, guest;
	struct buf heard; /* by the monitor */
	struct buf said; /* to the guest */
	struct err lost;
};

/* --- what vm.c does */

static void on_ready(void *arg)
{
	struct fixture *f = arg;

	if (!vm_back_ready(&f->r))
		f->r.state = UP;
}

static void on_message(void *arg, const struct msg *m)
{
	struct fixture *f = arg;

	if (!vm_back_heard(&f->r, m))
		msg_put(&f->heard, m->type, m->stream, m->data, m->len);
}

static void on_silent(void *arg)
{
	fail_msg("nobody asked for silence");
}

static void on_lost(void *arg, const struct err *why)
{
	struct fixture *f = arg;

	if (vm_back_lost(&f->r))
		return;
	f->lost = *why;
	f->r.agent = agent_free(f->r.agent);
}

static const struct agent_ops agent_ops = { on_ready, on_message, on_silent, on_lost };

static void on_answer(void *arg, const char *error)
{
	vm_back_answered(&((struct fixture *)arg)->r, error);
}

static void to_monitor(void *arg, const struct msg *m)
{
	struct fixture *f = arg;

	msg_put(&f->heard, m->type, m->stream, m->data, m->len);
}

/* --- both ends */

static void settle(struct fixture *f)
{
	while (loop_once(f->r.machine.loop, 0) > 0)
		;
}

static void vmm_says(struct fixture *f, const char *line)
{
	assert_int_equal(send(f->vmm, line, strlen(line), MSG_NOSIGNAL), (ssize_t)strlen(line));
	settle(f);
}

/* Lines, as many as were asked; a descriptor that comes along is the guest's new end. */
static void vmm_heard(struct fixture *f, const char *want)
{
	char got[256];
	_Alignas(struct cmsghdr) char room[CMSG_SPACE(sizeof(int))];
	size_t n = 0;

	settle(f);
	while (n < strlen(want)) {
		struct iovec iov = { got + n, strlen(want) - n };
		struct msghdr m = {
			.msg_iov = &iov, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof(room)
		};
		ssize_t k = recvmsg(f->vmm, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
		struct cmsghdr *h = k > 0 ? CMSG_FIRSTHDR(&m) : NULL;

		if (k <= 0)
			fail_msg("the VMM was asked \"%.*s\", not \"%s\"", (int)n, got, want);
		if (h) {
			close(f->guest);
			memcpy(&f->guest, CMSG_DATA(h), sizeof(int));
		}
		n += (size_t)k;
	}
	assert_memory_equal(got, want, n);
	assert_int_equal(recv(f->vmm, got, 1, MSG_DONTWAIT), -1);
}

static void guest_says(struct fixture *f, enum msg_type type, uint32_t stream, const void *data, size_t n)
{
	AUTO(buf_done) struct buf b = { 0 };

	msg_put(&b, type, stream, data, n);
	assert_int_equal(send(f->guest, b.data, b.len, MSG_NOSIGNAL), (ssize_t)b.len);
	settle(f);
}

static void guest_says_u32(struct fixture *f, enum msg_type type, uint32_t stream, uint32_t v)
{
	AUTO(buf_done) struct buf b = { 0 };

	msg_put_u32(&b, type, stream, v);
	assert_int_equal(send(f->guest, b.data, b.len, MSG_NOSIGNAL), (ssize_t)b.len);
	settle(f);
}

static void guest_heard(struct fixture *f, enum msg_type type, uint32_t stream)
{
	struct msg m;
	struct err e;

	settle(f);
	for (;;) {
		int r = msg_peek(&f->said, PEER_MONITOR, &m, &e);
		ssize_t n;

		assert_true(r >= 0);
		if (r > 0)
			break;
		n = recv(f->guest, buf_room(&f->said, 65536), 65536, MSG_DONTWAIT);
		if (n <= 0)
			fail_msg("the guest was not told %s", msg_name(type));
		f->said.len += (size_t)n;
	}
	assert_string_equal(msg_name(m.type), msg_name(type));
	assert_int_equal(m.stream, stream);
	msg_drop(&f->said, &m);
}

static void guest_heard_nothing(struct fixture *f)
{
	char c;

	settle(f);
	assert_int_equal(f->said.len, 0);
	assert_int_equal(recv(f->guest, &c, 1, MSG_DONTWAIT | MSG_PEEK), -1);
}

/* The monitor hears this next; *ret is good until the next call. */
static void monitor_heard(struct fixture *f, enum msg_type type, uint32_t stream, uint32_t number)
{
	struct msg m;
	struct err e;

	assert_int_equal(msg_peek(&f->heard, PEER_MONITOR | PEER_GUEST, &m, &e), 1);
	assert_string_equal(msg_name(m.type), msg_name(type));
	assert_int_equal(m.stream, stream);
	assert_int_equal(msg_u32(&m, 0), number);
	msg_drop(&f->heard, &m);
}

static void monitor_heard_no_more(struct fixture *f)
{
	assert_int_equal(f->heard.len, 0);
}

static void monitor_says(struct fixture *f, enum msg_type type, uint32_t stream, const void *data, size_t n)
{
	vm_backend.send(&f->r, &(struct msg){ type, stream, data, n });
	settle(f);
}

static void monitor_credits(struct fixture *f, uint32_t which, uint32_t n)
{
	const uint32_t v[2] = { which, n };

	monitor_says(f, MSG_CREDIT, 0, v, sizeof(v));
}

static void ask_back(struct fixture *f, const char *id)
{
	AUTO(buf_done) struct buf b = { 0 };
	struct msg m;
	struct err e;

	msg_put_text(&b, MSG_SAVE, 0, SAVE_BACK, id);
	assert_int_equal(msg_peek(&b, PEER_MONITOR, &m, &e), 1);
	vm_backend.send(&f->r, &m);
	settle(f);
}

/* --- a machine that runs */

static void meet(struct fixture *f)
{
	guest_says_u32(f, MSG_HELLO, 0, MSG_VERSION);
	guest_heard(f, MSG_HELLO, 0);
	guest_heard(f, MSG_CLOCK, 0);
	guest_heard(f, MSG_SEED, 0);
	guest_heard(f, MSG_CONFIG, 0);
	guest_says(f, MSG_READY, 0, NULL, 0);
}

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct machine *m = &f->r.machine;
	struct err e;
	int pair[2];

	f->boot.spec.isolation = ISOLATION_VM;
	f->boot.spec.vm.driver = VM_DRIVER_KVM;
	f->boot.restored = strdup(SNAPSHOT);
	f->ev = (struct backend_events){ .message = to_monitor, .arg = f };
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	f->vmm = pair[1];
	f->guest = -1;
	*m = (struct machine){ .boot = &f->boot,
			       .state = &f->state,
			       .loop = loop_new(),
			       .cgroups = CGROUPS_INIT,
			       .agent_fd = -1,
			       .console_fd = -1,
			       .control_fd = pair[0],
			       .vmm_control_fd = -1,
			       .say_fd = -1 };
	f->r.ev = &f->ev;
	f->r.agent_ops = &agent_ops;
	f->r.control = (struct vm_control){ .watch.fd = -1, .answered = on_answer, .arg = f };
	f->r.saving =
		(struct vm_saving){ .boot = &f->boot, .state_fd = -1, .room_fd = -1, .patience.fd = -1 };
	f->r.console.watch.fd = f->r.said.watch.fd = -1;
	f->r.deadline.fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
	assert_int_equal(vm_control_open(&f->r.control, m->loop, pair[0], false), 0);
	if (running_meet(&f->r, true, &e) < 0)
		fail_msg("%s", e.msg);
	f->guest = m->agent_fd;
	m->agent_fd = -1;
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;
	struct machine *m = &f->r.machine;

	agent_free(f->r.agent);
	vm_back_done(&f->r.back);
	vm_control_close(&f->r.control);
	close(m->control_fd);
	close(f->r.deadline.fd);
	close(f->vmm);
	close(f->guest);
	loop_free(m->loop);
	buf_done(&f->heard);
	buf_done(&f->said);
	json_done(&boot_table, &f->boot);
	free(f);
	return 0;
}

/* Its main process runs, and an exec of number 5; both have said something, and heard something. */
static void run(struct fixture *f)
{
	meet(f);
	assert_int_equal(f->r.state, UP);
	monitor_says(f, MSG_START, 0, "{}", 2);
	monitor_says(f, MSG_START, 5, "{}", 2);
	guest_heard(f, MSG_START, 0);
	guest_heard(f, MSG_START, 5);
	guest_says_u32(f, MSG_STARTED, 0, 1);
	guest_says_u32(f, MSG_STARTED, 5, 2);
	guest_says(f, MSG_STDOUT, 0, "abcdef", 6);
	monitor_says(f, MSG_STDIN, 0, "xyz", 3);
	guest_heard(f, MSG_STDIN, 0);
	buf_done(&f->heard);
}

/* It runs, was asked to go back and stands still; the VMM has not answered. */
static void begin_to_take(struct fixture *f)
{
	run(f);
	ask_back(f, SNAPSHOT);
	vmm_heard(f, "pause\n");
	vmm_says(f, "{\"ok\":true}\n");
	vmm_heard(f, "rollback\n");
}

/* --- cases */

static void it_goes_back_and_its_main_process_is_met_anew(void **state)
{
	struct fixture *f = *state;

	begin_to_take(f);
	monitor_says(f, MSG_START, 6, "{}", 2); /* waits, as all that comes now */
	monitor_credits(f, 1, 4);
	vmm_says(f, "{\"ok\":true,\"pages\":10,\"us\":20}\n");
	vmm_heard(f, "port 1024\nresume\n");
	monitor_heard(f, MSG_CREDIT, 0, 0);
	monitor_heard(f, MSG_EXIT, 5, 137); /* input that is read by nobody */
	vmm_says(f, "{\"ok\":true}\n{\"ok\":true}\n");
	monitor_heard_no_more(f);
	meet(f);
	guest_heard(f, MSG_START, 0);
	guest_heard_nothing(f);
	guest_says_u32(f, MSG_STARTED, 0, 1);
	monitor_heard(f, MSG_SAVED, 0, 0);
	monitor_heard_no_more(f);
	guest_heard(f, MSG_START, 6);
	guest_heard_nothing(f); /* what was owed to the last conversation is no credit of this one */
	monitor_credits(f, 1, 2);
	guest_heard_nothing(f);
	guest_says(f, MSG_STDOUT, 0, "gh", 2);
	monitor_heard(f, MSG_STDOUT, 0, 0x6867);
}

static void credit_beyond_what_was_owed_is_handed_on(void **state)
{
	struct fixture *f = *state;

	begin_to_take(f);
	vmm_says(f, "{\"ok\":true}\n");
	vmm_heard(f, "port 1024\nresume\n");
	vmm_says(f, "{\"ok\":true}\n{\"ok\":true}\n");
	meet(f);
	guest_heard(f, MSG_START, 0);
	guest_says_u32(f, MSG_STARTED, 0, 1);
	guest_says(f, MSG_STDOUT, 0, "ghij", 4);
	monitor_credits(f, 2, 6); /* of the other stream nothing was owed, nor is */
	monitor_credits(f, 1, 10);
	guest_heard(f, MSG_CREDIT, 0);
	guest_heard(f, MSG_CREDIT, 0);
	guest_heard_nothing(f);
}

static void what_is_refused_is_said_and_all_goes_on(void **state)
{
	struct fixture *f = *state;

	run(f);
	ask_back(f, OTHER);
	monitor_heard(f, MSG_SAVED, 0, ENOTSUP);
	f->boot.spec.vm.driver = VM_DRIVER_QEMU;
	ask_back(f, SNAPSHOT);
	monitor_heard(f, MSG_SAVED, 0, ENOTSUP);
	f->boot.spec.vm.driver = VM_DRIVER_KVM;
	f->r.saving.paused = true;
	ask_back(f, SNAPSHOT);
	monitor_heard(f, MSG_SAVED, 0, EAGAIN);
	f->r.saving.paused = false;
	monitor_says(f, MSG_STATS, 0, NULL, 0);
	guest_heard(f, MSG_STATS, 0);
	ask_back(f, SNAPSHOT);
	monitor_heard(f, MSG_SAVED, 0, EBUSY);
	vmm_heard(f, "");
	guest_says(f, MSG_STDOUT, 0, "gh", 2);
	monitor_heard(f, MSG_STDOUT, 0, 0x6867);
}

static void a_vmm_that_keeps_nothing_lets_it_run_on(void **state)
{
	struct fixture *f = *state;

	begin_to_take(f);
	vmm_says(f, "{\"error\":\"no state is kept to go back to\"}\n");
	vmm_heard(f, "resume\n");
	monitor_heard_no_more(f);
	vmm_says(f, "{\"ok\":true}\n");
	monitor_heard(f, MSG_SAVED, 0, ENOTSUP);
	monitor_credits(f, 1, 6);
	guest_heard(f, MSG_CREDIT, 0);
	assert_int_equal(f->r.killed, false);
	ask_back(f, SNAPSHOT);
	vmm_heard(f, "pause\n");
	vmm_says(f, "{\"error\":\"not now\"}\n");
	monitor_heard(f, MSG_SAVED, 0, EIO);
	assert_int_equal(f->r.killed, false);
}

static void meanwhile_nothing_else_is_done(void **state)
{
	struct fixture *f = *state;
	const uint32_t one = 1;

	run(f);
	ask_back(f, SNAPSHOT);
	ask_back(f, SNAPSHOT);
	monitor_heard(f, MSG_SAVED, 0, EBUSY);
	monitor_says(f, MSG_PAUSE, 0, &one, sizeof(one));
	monitor_heard(f, MSG_PAUSED, 0, EBUSY);
	vmm_heard(f, "pause\n");
	for (uint32_t id = 10; !f->heard.len; id++) { /* and it is not unbounded */
		static const char big[60000];

		monitor_says(f, MSG_START, id, big, sizeof(big));
		assert_true(id < 30);
	}
	assert_true(f->r.back.later.len < 1 << 20);
}

/* The stream of the old agent may be seen to end before the VMM answers. */
static void an_agent_whose_stream_ends_is_no_loss_then(void **state)
{
	struct fixture *f = *state;

	begin_to_take(f);
	close(f->guest);
	f->guest = -1;
	settle(f);
	monitor_heard(f, MSG_CREDIT, 0, 0);
	monitor_heard(f, MSG_EXIT, 5, 137);
	vmm_says(f, "{\"ok\":true}\n");
	vmm_heard(f, "port 1024\nresume\n");
	monitor_heard_no_more(f);
	assert_int_equal(f->lost.no, 0);
}

static void a_machine_that_is_neither_ends(void **state)
{
	struct fixture *f = *state;

	begin_to_take(f);
	vmm_says(f, "{\"ok\":true}\n");
	vmm_heard(f, "port 1024\nresume\n");
	buf_done(&f->heard);
	vmm_says(f, "{\"error\":\"port: too many\"}\n");
	monitor_heard(f, MSG_SAVED, 0, EIO);
	assert_true(f->r.killed);
	assert_non_null(strstr(f->r.why.msg, "did not come back from its snapshot: "));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(it_goes_back_and_its_main_process_is_met_anew, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(credit_beyond_what_was_owed_is_handed_on, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_is_refused_is_said_and_all_goes_on, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_vmm_that_keeps_nothing_lets_it_run_on, set_up, tear_down),
		cmocka_unit_test_setup_teardown(meanwhile_nothing_else_is_done, set_up, tear_down),
		cmocka_unit_test_setup_teardown(an_agent_whose_stream_ends_is_no_loss_then, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(a_machine_that_is_neither_ends, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
