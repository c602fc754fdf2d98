/* test_control.c - requests to either VMM, and what of its words is taken for an answer */
#include "../cm.h"

#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "vm/control.h"

struct fixture {
	struct vm_control c;
	struct loop *loop;
	int ours, theirs;
	unsigned answers;
	char error[600]; /* of the last */
};

static void on_answer(void *arg, const char *error)
{
	struct fixture *f = arg;

	f->answers++;
	snprintf(f->error, sizeof(f->error), "%s", error ? error : "");
}

static void open_control(struct fixture *f, bool qmp)
{
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	*f = (struct fixture){ .loop = loop_new(), .ours = pair[0], .theirs = pair[1] };
	f->c.answered = on_answer;
	f->c.arg = f;
	assert_int_equal(vm_control_open(&f->c, f->loop, f->ours, qmp), 0);
}

static void close_control(struct fixture *f)
{
	vm_control_close(&f->c);
	loop_free(f->loop);
	close(f->ours);
	if (f->theirs >= 0)
		close(f->theirs);
}

static void expect_heard(const struct fixture *f, const char *want)
{
	char got[256];
	ssize_t n = recv(f->theirs, got, sizeof(got) - 1, MSG_DONTWAIT);

	got[n > 0 ? n : 0] = '\0';
	assert_string_equal(got, want);
}

static void answer(struct fixture *f, const char *text)
{
	assert_int_equal(send(f->theirs, text, strlen(text), 0), strlen(text));
	while (loop_once(f->loop, 0) > 0)
		;
}

static void ketch_vmm_is_asked_in_its_words(void **state)
{
	struct fixture f;

	open_control(&f, false);
	assert_int_equal(vm_control_pause(&f.c, true), 0);
	assert_int_equal(vm_control_pause(&f.c, false), 0);
	expect_heard(&f, "pause\nresume\n");
	answer(&f, "{\"ok\":true}\n{\"err");
	assert_int_equal(f.answers, 1);
	assert_string_equal(f.error, "");
	answer(&f, "or\":\"no\x1b\"}\n");
	assert_int_equal(f.answers, 2);
	assert_non_null(strstr(f.error, "no"));
	assert_null(strchr(f.error, '\x1b'));
	close_control(&f);
}

static void qemu_is_greeted_and_its_events_are_no_answers(void **state)
{
	struct fixture f;

	open_control(&f, true);
	expect_heard(&f, "{\"execute\":\"qmp_capabilities\"}\n");
	assert_int_equal(vm_control_pause(&f.c, true), 0);
	expect_heard(&f, "{\"execute\":\"stop\"}\n");
	answer(&f, "{\"QMP\": {\"version\": {}}}\r\n{\"return\": {}}\r\n");
	assert_int_equal(f.answers, 0);
	answer(&f, "{\"timestamp\": {}, \"event\": \"STOP\"}\r\n{\"return\": {}}\r\n");
	assert_int_equal(f.answers, 1);
	assert_int_equal(vm_control_pause(&f.c, false), 0);
	expect_heard(&f, "{\"execute\":\"cont\"}\n");
	answer(&f, "{\"error\": {\"desc\": \"no\"}}\r\n");
	assert_int_equal(f.answers, 2);
	assert_non_null(strstr(f.error, "no"));
	close_control(&f);
}

static void a_line_without_end_takes_no_room(void **state)
{
	struct fixture f;
	char junk[3000];

	memset(junk, 'x', sizeof(junk));
	open_control(&f, false);
	for (int i = 0; i < 10; i++)
		vm_control_feed(&f.c, junk, sizeof(junk));
	assert_int_equal(f.answers, 0);
	vm_control_feed(&f.c, "\n{\"ok\":true}\n", 13);
	assert_int_equal(f.answers, 1);
	close_control(&f);
}

static void a_vmm_that_has_gone_cannot_be_asked(void **state)
{
	struct fixture f;

	open_control(&f, false);
	close(f.theirs);
	f.theirs = -1;
	assert_true(vm_control_pause(&f.c, true) < 0);
	assert_int_equal(loop_once(f.loop, 0), 1);
	assert_true(vm_control_pause(&f.c, true) < 0);
	assert_int_equal(f.answers, 0);
	close_control(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ketch_vmm_is_asked_in_its_words),
		cmocka_unit_test(qemu_is_greeted_and_its_events_are_no_answers),
		cmocka_unit_test(a_line_without_end_takes_no_room),
		cmocka_unit_test(a_vmm_that_has_gone_cannot_be_asked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
