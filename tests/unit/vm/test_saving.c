/* test_saving.c - MSG_SAVE as requests of ketch-vmm: files made, answers counted, what cannot be is said */
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

#define ID "0123456789abcdef0123456789abcdef"

struct fixture {
	char dir[64];
	struct boot boot;
	struct loop *loop;
	struct vm_control control;
	struct vm_saving s;
	int theirs;
	unsigned answers;
	int no;
	char text[300];
};

static void on_control(void *arg, const char *error)
{
	struct fixture *f = arg;

	if (f->s.waits)
		vm_saving_answered(&f->s, error, f->control.line);
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
	int pair[2], dir;

	strcpy(f->dir, "/tmp/saving.XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	dir = open(f->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	close(mkdir_open(dir, "snapshots/" ID, 0700));
	boot_add_fd(&f->boot, "dir", dir);
	f->boot.spec.vm.driver = VM_DRIVER_KVM;
	f->boot.spec.vm.ram_bytes = 4 << 20;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	f->theirs = pair[1];
	f->loop = loop_new();
	f->control.answered = on_control;
	f->control.arg = f;
	assert_int_equal(vm_control_open(&f->control, f->loop, pair[0], false), 0);
	f->s = (struct vm_saving){ .boot = &f->boot, .control = &f->control, .answer = on_answer, .arg = f };
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;
	int ours = f->control.watch.fd;

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
	char got[128] = "";
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

	snprintf(path, sizeof(path), "%s/snapshots/" ID "/%s", f->dir, name);
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

	f->boot.spec.vm.driver = VM_DRIVER_QEMU;
	ask(f, SAVE_WRITE, ID);
	assert_int_equal(f->no, ENOTSUP);
	assert_non_null(strstr(f->text, "--driver kvm"));
	f->boot.spec.vm.driver = VM_DRIVER_KVM;
	f->boot.spec.mounts = &mount;
	f->boot.spec.n_mounts = 1;
	ask(f, SAVE_WRITE, ID);
	assert_int_equal(f->no, ENOTSUP);
	assert_non_null(strstr(f->text, "mounts of the host"));
	f->boot.spec.mounts = NULL;
	f->boot.spec.n_mounts = 0;
	assert_int_equal(size_of(f, "ram"), -1);
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
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
