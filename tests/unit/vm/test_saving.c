/* test_saving.c - MSG_SAVE as requests of either VMM: files made, answers counted, what cannot be is said */
#include "../cm.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/path.h"
#include "vm/saving.h"

#define ID	 "0123456789abcdef0123456789abcdef"
#define INSTANCE "instances/i"
#define LAYER	 ID ID /* an id of twice the length */

struct fixture {
	char dir[64];
	struct boot boot;
	struct loop *loop;
	struct vm_control control;
	struct vm_saving s;
	int theirs;
	unsigned answers;
	int no, silent; /* -1: the agent was not asked */
	char text[300];
};

static void on_control(void *arg, const char *error)
{
	struct fixture *f = arg;

	if (f->s.waits)
		vm_saving_answered(&f->s, error, f->control.line);
}

static void on_migrated(void *arg, bool well)
{
	struct fixture *f = arg;

	vm_saving_migrated(&f->s, well);
}

static int on_silence(void *arg, bool silent)
{
	((struct fixture *)arg)->silent = silent;
	return 0;
}

static void on_answer(void *arg, int no, const char *text)
{
	struct fixture *f = arg;

	f->answers++;
	f->no = no;
	snprintf(f->text, sizeof(f->text), "%s", text);
}

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	int pair[2], root, dir;

	strcpy(f->dir, "/tmp/saving.XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	root = open(f->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	close(mkdir_open(root, "writable/" LAYER, 0700));
	dir = mkdir_open(root, INSTANCE, 0700);
	close(root);
	close(mkdir_open(dir, "snapshots/" ID, 0700));
	boot_add_fd(&f->boot, "dir", dir);
	f->boot.spec.vm.driver = VM_DRIVER_KVM;
	f->boot.spec.vm.ram_bytes = 4 << 20;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	f->theirs = pair[1];
	f->loop = loop_new();
	f->silent = -1;
	f->control.answered = on_control;
	f->control.migrated = on_migrated;
	f->control.arg = f;
	assert_int_equal(vm_control_open(&f->control, f->loop, pair[0], false), 0);
	f->s = (struct vm_saving){ .boot = &f->boot,
				   .control = &f->control,
				   .state_fd = -1,
				   .room_fd = -1,
				   .patience.fd = -1,
				   .silence = on_silence,
				   .answer = on_answer,
				   .arg = f };
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;
	int ours = f->control.watch.fd;

	vm_saving_close(&f->s);
	vm_control_close(&f->control);
	close(ours);
	close(f->theirs);
	loop_free(f->loop);
	close(f->boot.fds[0].fd);
	remove_tree(AT_FDCWD, f->dir);
	json_done(&boot_table, &f->boot);
	free(f);
	return 0;
}

static void ask(struct fixture *f, uint32_t step, const char *id)
{
	struct buf b = { 0 };
	struct msg m;

	msg_put_text(&b, MSG_SAVE, 0, step, id);
	assert_int_equal(msg_peek(&b, PEER_CLIENT, &m, NULL), 1);
	vm_saving_ask(&f->s, &m);
	buf_done(&b);
}

static void hear(struct fixture *f, const char *want)
{
	char got[1024] = "";
	ssize_t n = 0, k;

	while (n < (ssize_t)strlen(want) &&
	       (k = recv(f->theirs, got + n, sizeof(got) - 1 - (size_t)n, 0)) > 0)
		n += k;
	assert_string_equal(got, want);
}

static void answer(struct fixture *f, const char *line)
{
	assert_int_equal(send(f->theirs, line, strlen(line), 0), strlen(line));
	while (loop_once(f->loop, 0) > 0)
		;
}

static off_t size_of(const struct fixture *f, const char *name)
{
	char path[200];
	struct stat st;

	snprintf(path, sizeof(path), "%s/" INSTANCE "/snapshots/" ID "/%s", f->dir, name);
	return stat(path, &st) < 0 ? -1 : st.st_size;
}

static void the_steps_are_requests_and_one_answer_each(void **state)
{
	struct fixture *f = *state;

	ask(f, SAVE_WRITE, ID);
	hear(f, "ram whole\nwrite\n");
	assert_int_equal(size_of(f, "ram"), 4 << 20);
	answer(f, "{\"ok\":true}\n");
	assert_int_equal(f->answers, 0);
	answer(f, "{\"ok\":true,\"pages\":7}\n");
	assert_int_equal(f->answers, 1);
	assert_int_equal(f->no, 0);
	assert_string_equal(f->text, "{\"ok\":true,\"pages\":7}");
	ask(f, SAVE_REST, ID);
	hear(f, "save\n");
	assert_int_equal(size_of(f, "state"), 0);
	answer(f, "{\"ok\":true}\n");
	ask(f, SAVE_GO_ON, "");
	hear(f, "resume\n");
	answer(f, "{\"ok\":true}\n");
	assert_int_equal(f->answers, 3);
}

static void the_first_error_is_told_after_all_answers(void **state)
{
	struct fixture *f = *state;

	ask(f, SAVE_WRITE, ID);
	answer(f, "{\"error\":\"no\"}\n");
	assert_int_equal(f->answers, 0);
	answer(f, "{\"error\":\"neither\"}\n");
	assert_int_equal(f->answers, 1);
	assert_int_equal(f->no, EIO);
	assert_non_null(strstr(f->text, "\"no\""));
}

static void one_at_a_time(void **state)
{
	struct fixture *f = *state;

	ask(f, SAVE_WRITE, ID);
	ask(f, SAVE_WRITE, ID);
	assert_int_equal(f->answers, 1);
	assert_int_equal(f->no, EBUSY);
	answer(f, "{\"ok\":true}\n{\"ok\":true}\n");
	assert_int_equal(f->answers, 2);
	assert_int_equal(f->no, 0);
	ask(f, SAVE_WRITE, ID); /* the file is there */
	assert_int_equal(f->no, EEXIST);
}

static void hear_with_a_descriptor(struct fixture *f, const char *want)
{
	_Alignas(struct cmsghdr) char room[CMSG_SPACE(sizeof(int))];
	char text[64] = "";
	struct iovec v = { text, sizeof(text) - 1 };
	struct msghdr m = {
		.msg_iov = &v, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof(room)
	};
	int fd;

	assert_int_equal(recvmsg(f->theirs, &m, MSG_CMSG_CLOEXEC), strlen(want));
	assert_string_equal(text, want);
	assert_non_null(CMSG_FIRSTHDR(&m));
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof(fd));
	close(fd);
}

static void a_disk_goes_on_in_the_layer_that_was_made_or_as_before(void **state)
{
	struct fixture *f = *state;
	char path[256];

	ask(f, SAVE_DISK, LAYER);
	assert_int_equal(f->no, ENOENT);
	snprintf(path, sizeof(path), "%s/writable/" LAYER "/disk.qcow2", f->dir);
	close(open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
	ask(f, SAVE_DISK, LAYER);
	hear_with_a_descriptor(f, "disk disk\n");
	answer(f, "{\"ok\":true}\n");
	assert_int_equal(f->no, 0);
	ask(f, SAVE_DISK, LAYER);
	hear_with_a_descriptor(f, "disk disk\n");
	answer(f, "{\"error\":\"disk: No space left on device\"}\n");
	assert_int_equal(f->no, ENOTSUP);
	ask(f, SAVE_DISK, ID);
	assert_int_equal(f->no, EINVAL);
	assert_int_equal(f->answers, 4);
}

static void a_disk_that_it_has_already_is_not_given_again(void **state)
{
	struct fixture *f = *state;
	struct boot_fd own[2] = { f->boot.fds[0], { .name = (char *)"disk" } }, *before = f->boot.fds;
	size_t n = f->boot.n_fds;
	char path[256];

	snprintf(path, sizeof(path), "%s/writable/" LAYER "/disk.qcow2", f->dir);
	own[1].fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	f->boot.fds = own;
	f->boot.n_fds = 2;
	ask(f, SAVE_DISK, LAYER);
	assert_int_equal(f->no, EAGAIN);
	assert_int_equal(f->answers, 1);
	close(own[1].fd);
	f->boot.fds = before;
	f->boot.n_fds = n;
}

/* Each over the one that came before it and was taken. */
static void the_disk_of_qemu_gets_an_overlay(void **state)
{
	static const struct {
		const char *node, *answer;
		int no;
	} cases[] = {
		{ "disk", "{\"return\":{}}\n", 0 },
		{ "overlay-1", "{\"error\":{\"desc\":\"no\"}}\n", ENOTSUP },
		{ "overlay-1", "{\"return\":{}}\n", 0 },
		{ "overlay-3", "{\"return\":{}}\n", 0 },
	};
	struct fixture *f = *state;
	char text[512];

	snprintf(text, sizeof(text), "%s/writable/" LAYER "/disk.qcow2", f->dir);
	close(open(text, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
	f->control.qmp = true;
	for (unsigned i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		ask(f, SAVE_DISK, LAYER);
		snprintf(text, sizeof(text), "{\"execute\":\"add-fd\",\"arguments\":{\"fdset-id\":%u}}\n",
			 1001 + i);
		hear_with_a_descriptor(f, text);
		snprintf(text, sizeof(text),
			 "{\"execute\":\"blockdev-add\",\"arguments\":{\"driver\":\"qcow2\",\"node-name\":"
			 "\"overlay-%u\","
			 "\"l2-cache-size\":524288,\"l2-cache-entry-size\":4096,\"discard\":\"unmap\","
			 "\"backing\":null,"
			 "\"file\":{\"driver\":\"file\",\"locking\":\"off\",\"discard\":\"unmap\","
			 "\"filename\":\"/dev/fdset/%u\"}}}\n"
			 "{\"execute\":\"blockdev-snapshot\",\"arguments\":{\"node\":\"%s\","
			 "\"overlay\":\"overlay-%u\"}}\n",
			 i + 1, 1001 + i, cases[i].node, i + 1);
		hear(f, text);
		answer(f, "{\"return\":{}}\n{\"return\":{}}\n");
		assert_int_equal(f->answers, i);
		answer(f, cases[i].answer);
		assert_int_equal(f->answers, i + 1);
		assert_int_equal(f->no, cases[i].no);
	}
}

static void a_name_is_no_path(void **state)
{
	static const char *const names[] = { "", "..", "../../etc", "0123456789ABCDEF0123456789ABCDEF",
					     "0123456789abcdef0123456789abcde/" };
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		ask(f, SAVE_WRITE, names[i]);
		assert_int_equal(f->answers, i + 1);
		assert_int_equal(f->no, EINVAL);
	}
}

static void what_cannot_be_saved_is_refused(void **state)
{
	static struct mount_spec mount = { .type = MOUNT_BIND };
	struct fixture *f = *state;

	f->boot.spec.mounts = &mount;
	f->boot.spec.n_mounts = 1;
	ask(f, SAVE_WRITE, ID);
	assert_int_equal(f->no, ENOTSUP);
	assert_non_null(strstr(f->text, "mounts of the host"));
	f->boot.spec.mounts = NULL;
	f->boot.spec.n_mounts = 0;
	assert_int_equal(size_of(f, "ram"), -1);
	assert_int_equal(f->silent, -1);
}

/* A machine that was paused before stays so. */
static void a_paused_one_does_not_go_on(void **state)
{
	struct fixture *f = *state;

	f->s.paused = true;
	ask(f, SAVE_GO_ON, "");
	assert_int_equal(f->answers, 1);
	assert_int_equal(f->no, 0);
}

/* The VMM answers in order and says not to what: one kind of request at a time. */
static void nothing_is_saved_while_a_pause_is_under_way(void **state)
{
	struct fixture *f = *state;

	f->s.pausing = 1;
	ask(f, SAVE_WRITE, ID);
	assert_int_equal(f->answers, 1);
	assert_int_equal(f->no, EBUSY);
	assert_int_equal(f->s.waits, 0);
	ask(f, SAVE_GO_ON, "");
	assert_int_equal(f->answers, 1);
	assert_true(vm_saving_paused(&f->s, true, true));
	assert_int_equal(f->answers, 2); /* nothing was asked of the VMM: it stays paused */
	assert_int_equal(f->no, 0);
	f->s.pausing = 1;
	ask(f, SAVE_GO_ON, "");
	assert_true(vm_saving_paused(&f->s, true, false));
	hear(f, "resume\n");
	answer(f, "{\"ok\":true}\n");
	assert_int_equal(f->answers, 3);
}

static void an_answer_that_nobody_asked_for_pauses_nothing(void **state)
{
	struct fixture *f = *state;

	assert_false(vm_saving_paused(&f->s, true, true));
	assert_false(f->s.paused);
}

/* Whoever asked was killed meanwhile: what is under way ends first. */
static void going_on_waits_for_what_is_under_way(void **state)
{
	struct fixture *f = *state;

	ask(f, SAVE_WRITE, ID);
	hear(f, "ram whole\nwrite\n");
	ask(f, SAVE_GO_ON, "");
	assert_int_equal(f->answers, 0);
	answer(f, "{\"ok\":true}\n{\"ok\":true}\n");
	assert_int_equal(f->answers, 1);
	assert_int_equal(f->no, ECANCELED);
	hear(f, "resume\n");
	answer(f, "{\"ok\":true}\n");
	assert_int_equal(f->answers, 2);
	assert_int_equal(f->no, 0);
}

/* --- QEMU */

#define RETURN	 "{\"return\": {}}\r\n"
#define EVENT(w) "{\"timestamp\": {}, \"event\": \"MIGRATION\", \"data\": {\"status\": \"" w "\"}}\r\n"
#define MIGRATE                                                                                              \
	"{\"execute\":\"migrate-set-capabilities\",\"arguments\":{\"capabilities\":["                        \
	"{\"capability\":\"events\",\"state\":true}]}}\n"                                                    \
	"{\"execute\":\"migrate-set-parameters\",\"arguments\":{\"max-bandwidth\":1099511627776}}\n"         \
	"{\"execute\":\"getfd\",\"arguments\":{\"fdname\":\"state\"}}\n"                                     \
	"{\"execute\":\"migrate\",\"arguments\":{\"uri\":\"fd:state\"}}\n"
#define CONT "{\"execute\":\"cont\"}\n"

static void qemu_writes_when_the_agent_is_silent(struct fixture *f)
{
	f->boot.spec.vm.driver = VM_DRIVER_QEMU;
	f->control.qmp = true;
	ask(f, SAVE_WRITE, ID);
	assert_int_equal(f->answers, 1);
	assert_int_equal(f->no, 0);
	ask(f, SAVE_REST, ID);
	assert_int_equal(f->silent, 1);
	assert_int_equal(f->answers, 1);
	assert_true(vm_saving_is_busy(&f->s));
	vm_saving_silent(&f->s);
	hear(f, MIGRATE);
	assert_int_equal(size_of(f, "state"), 0);
}

static void qemu_goes_on(struct fixture *f)
{
	unsigned before = f->answers;

	hear(f, CONT);
	answer(f, "{\"error\": {\"desc\": \"Migration is not finalized yet\"}}\r\n");
	hear(f, CONT);
	assert_int_equal(f->silent, 1);
	answer(f, RETURN);
	assert_int_equal(f->answers, before + 1);
	assert_int_equal(f->no, 0);
	assert_int_equal(f->silent, 0);
	assert_false(vm_saving_is_busy(&f->s));
}

static void qemu_is_done_at_its_event(void **state)
{
	struct fixture *f = *state;

	qemu_writes_when_the_agent_is_silent(f);
	answer(f, EVENT("setup") RETURN RETURN RETURN EVENT("active"));
	answer(f, RETURN);
	assert_int_equal(f->answers, 1);
	answer(f, EVENT("completed"));
	assert_int_equal(f->answers, 2);
	assert_int_equal(f->no, 0);
	ask(f, SAVE_GO_ON, "");
	qemu_goes_on(f);
}

static void what_qemu_could_not_write_is_an_error(void **state)
{
	struct fixture *f = *state;

	qemu_writes_when_the_agent_is_silent(f);
	answer(f, RETURN RETURN RETURN EVENT("failed") RETURN);
	assert_int_equal(f->answers, 1);
	hear(f, "{\"execute\":\"query-migrate\"}\n");
	answer(f, "{\"return\": {\"status\": \"failed\", \"error-desc\": \"No space left\"}}\r\n");
	assert_int_equal(f->answers, 2);
	assert_int_equal(f->no, EIO);
	assert_non_null(strstr(f->text, ": No space left"));
	ask(f, SAVE_GO_ON, "");
	qemu_goes_on(f);
}

static void what_qemu_refuses_has_no_event(void **state)
{
	struct fixture *f = *state;

	qemu_writes_when_the_agent_is_silent(f);
	answer(f, RETURN RETURN RETURN "{\"error\": {\"desc\": \"State blocked\"}}\r\n");
	assert_int_equal(f->answers, 2);
	assert_int_equal(f->no, EIO);
	assert_non_null(strstr(f->text, "State blocked"));
}

static void a_migration_that_nobody_waits_for_is_cancelled(void **state)
{
	struct fixture *f = *state;

	qemu_writes_when_the_agent_is_silent(f);
	answer(f, RETURN RETURN RETURN RETURN);
	ask(f, SAVE_GO_ON, "");
	hear(f, "{\"execute\":\"migrate_cancel\"}\n");
	answer(f, RETURN);
	assert_int_equal(f->answers, 1);
	answer(f, EVENT("cancelled"));
	assert_int_equal(f->answers, 2);
	assert_int_equal(f->no, ECANCELED);
	qemu_goes_on(f);
}

static void a_guest_that_does_not_fall_silent_is_not_waited_for(void **state)
{
	struct fixture *f = *state;

	f->boot.spec.vm.driver = VM_DRIVER_QEMU;
	f->control.qmp = true;
	ask(f, SAVE_REST, ID);
	ask(f, SAVE_GO_ON, "");
	assert_int_equal(f->answers, 1);
	assert_int_equal(f->no, ECANCELED);
	qemu_goes_on(f);
	vm_saving_silent(&f->s); /* too late */
	assert_int_equal(f->answers, 2);
}

/* Its agent is stopped, say. */
static void a_guest_that_never_answers_is_given_up_and_goes_on(void **state)
{
	struct fixture *f = *state;

	f->boot.spec.vm.driver = VM_DRIVER_QEMU;
	f->control.qmp = true;
	f->s.patience_ms = 10;
	ask(f, SAVE_REST, ID);
	assert_true(vm_saving_is_busy(&f->s));
	assert_int_equal(loop_once(f->loop, 10000), 1);
	assert_int_equal(f->answers, 1);
	assert_int_equal(f->no, ETIMEDOUT);
	assert_non_null(strstr(f->text, "its guest does not answer"));
	assert_false(vm_saving_is_busy(&f->s));
	assert_int_equal(f->silent, 1);
	ask(f, SAVE_GO_ON, ""); /* whoever asked closes its connection */
	qemu_goes_on(f);
	vm_saving_silent(&f->s); /* late */
	assert_int_equal(f->answers, 2);
	assert_int_equal(loop_once(f->loop, 0), 0);
}

static void a_guest_that_answers_in_time_is_saved(void **state)
{
	struct fixture *f = *state;

	f->s.patience_ms = 10;
	qemu_writes_when_the_agent_is_silent(f);
	assert_int_equal(loop_once(f->loop, 50), 0); /* its time would be over */
	assert_int_equal(f->answers, 1);
}

static void a_paused_qemu_is_not_saved(void **state)
{
	struct fixture *f = *state;

	f->boot.spec.vm.driver = VM_DRIVER_QEMU;
	f->s.paused = true;
	ask(f, SAVE_REST, ID);
	assert_int_equal(f->no, EAGAIN);
	assert_int_equal(f->silent, -1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_steps_are_requests_and_one_answer_each, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(the_first_error_is_told_after_all_answers, set_up, tear_down),
		cmocka_unit_test_setup_teardown(one_at_a_time, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_name_is_no_path, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_cannot_be_saved_is_refused, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_paused_one_does_not_go_on, set_up, tear_down),
		TEST(a_disk_goes_on_in_the_layer_that_was_made_or_as_before),
		TEST(a_disk_that_it_has_already_is_not_given_again),
		TEST(the_disk_of_qemu_gets_an_overlay),
		TEST(nothing_is_saved_while_a_pause_is_under_way),
		TEST(an_answer_that_nobody_asked_for_pauses_nothing),
		TEST(a_guest_that_never_answers_is_given_up_and_goes_on),
		TEST(a_guest_that_answers_in_time_is_saved),
		TEST(going_on_waits_for_what_is_under_way),
		TEST(qemu_is_done_at_its_event),
		TEST(what_qemu_could_not_write_is_an_error),
		TEST(what_qemu_refuses_has_no_event),
		TEST(a_migration_that_nobody_waits_for_is_cancelled),
		TEST(a_guest_that_does_not_fall_silent_is_not_waited_for),
		TEST(a_paused_qemu_is_not_saved),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
