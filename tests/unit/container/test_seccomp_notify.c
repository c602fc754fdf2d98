/* test_seccomp_notify.c - an agent gets the listener of a filter and answers a call in the container's place */
#include "../cm.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/io.h"
#include "container/seccomp_notify.h"
#include "seccomp/oci.h"
#include "sys/pidfd.h"
#include "sys/seccomp.h"

#define DEADLINE_MS 10000

struct agent {
	char dir[40], path[60];
	int listener;
};

static int start_agent(void **state)
{
	struct agent *a = calloc(1, sizeof(*a));
	struct sockaddr_un at = { .sun_family = AF_UNIX };

	strcpy(a->dir, "/tmp/ketch-test.XXXXXX");
	if (!mkdtemp(a->dir))
		return -1;
	snprintf(a->path, sizeof(a->path), "%s/agent", a->dir);
	strcpy(at.sun_path, a->path);
	a->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	*state = a;
	return bind(a->listener, (const struct sockaddr *)&at, sizeof(at)) < 0 ? -1 : listen(a->listener, 1);
}

static int stop_agent(void **state)
{
	struct agent *a = *state;

	close(a->listener);
	unlink(a->path);
	rmdir(a->dir);
	free(a);
	return 0;
}

/* The container: its exit status is what getppid says. */
static pid_t start_container(const struct seccomp_oci *s, int out)
{
	struct sock_fprog prog = { .len = (unsigned short)(s->program.len / sizeof(struct sock_filter)),
				   .filter = (void *)s->program.data };
	pid_t pid = fork();
	int fd;

	if (pid)
		return pid;
	fd = prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ? -1 : seccomp_install(&prog, s->flags);
	if (fd < 0 || write(out, &fd, sizeof(fd)) != sizeof(fd))
		_exit(250);
	_exit((int)syscall(SYS_getppid));
}

/* The runtime: fetches the listener and sends it. */
static void hand_over(const struct agent *a, pid_t pid, int in)
{
	autoclose int sock = -1, pidfd = pidfd_open_pid(pid), listener = -1;
	AUTO(buf_done) struct buf message = { 0 };
	struct err e = { 0 };
	int number;

	assert_int_equal(read_full(in, &number, sizeof(number)), sizeof(number));
	listener = pidfd_get_fd(pidfd, number);
	assert_true(listener >= 0);
	sock = seccomp_notify_connect(a->path, &e);
	assert_true(sock >= 0);
	seccomp_notify_state(pid, "who=\"me\"", "{\"id\":\"c1\"}", &message);
	assert_int_equal(seccomp_notify_send(sock, listener, &message, &e), 0);
}

static int receive(const struct agent *a, char *text, size_t size)
{
	autoclose int conn = accept4(a->listener, NULL, NULL, SOCK_CLOEXEC);
	union {
		struct cmsghdr head;
		char space[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec to = { text, size - 1 };
	struct msghdr m = { .msg_iov = &to,
			    .msg_iovlen = 1,
			    .msg_control = control.space,
			    .msg_controllen = sizeof(control.space) };
	ssize_t n = recvmsg(conn, &m, MSG_CMSG_CLOEXEC);
	int fd;

	assert_true(n > 0);
	text[n] = '\0';
	assert_non_null(CMSG_FIRSTHDR(&m));
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof(fd));
	return fd;
}

static void answer_one(int listener, pid_t pid)
{
	struct pollfd p = { .fd = listener, .events = POLLIN };
	struct seccomp_notif asked = { 0 };
	struct seccomp_notif_resp said = { 0 };

	assert_int_equal(poll(&p, 1, DEADLINE_MS), 1);
	assert_int_equal(ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &asked), 0);
	assert_int_equal(asked.pid, pid);
	assert_int_equal(asked.data.nr, SYS_getppid);
	said.id = asked.id;
	said.val = 42;
	assert_int_equal(ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &said), 0);
}

static const char *const flags[] = { "", "\"SECCOMP_FILTER_FLAG_TSYNC\"",
				     "\"SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV\"" };

static void an_agent_gets_the_listener_and_answers(void **state)
{
	const struct agent *a = *state;

	for (size_t i = 0; i < ARRAY_LEN(flags); i++) {
		AUTO(seccomp_oci_done) struct seccomp_oci s = { 0 };
		autofree char *json = str_printf(
			"{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"flags\":[%s],\"listenerPath\":\"%s\","
			"\"syscalls\":[{\"names\":[\"getppid\",\"sendmsg\"],\"action\":\"SCMP_ACT_NOTIFY\"}]"
			"}",
			flags[i], a->path);
		autofree char *want = NULL;
		char text[1000];
		struct err e = { 0 };
		int pipe[2], listener, status;
		pid_t pid;

		assert_int_equal(seccomp_oci_build(NULL, json, &s, &e), 0);
		assert_int_equal(pipe_cloexec(pipe), 0);
		pid = start_container(&s, pipe[1]);
		hand_over(a, pid, pipe[0]);
		listener = receive(a, text, sizeof(text));
		want = str_printf("{\"ociVersion\":\"1.2.0\",\"fds\":[\"seccompFd\"],\"pid\":%d,\"metadata\":"
				  "\"who=\\\"me\\\"\",\"state\":{\"id\":\"c1\"}}",
				  (int)pid);
		assert_string_equal(text, want);
		answer_one(listener, pid);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFEXITED(status));
		assert_int_equal(WEXITSTATUS(status), 42);
		close(listener);
		close(pipe[0]);
		close(pipe[1]);
	}
}

static void an_agent_that_is_not_there_is_one_line(void **state)
{
	char path[200];
	struct err e = { 0 };

	assert_int_equal(seccomp_notify_connect("/nonexistent/agent", &e), -ENOENT);
	assert_string_equal(e.msg, "linux.seccomp.listenerPath: cannot reach \"/nonexistent/agent\": no such "
				   "file or directory");
	memset(path, 'x', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	assert_int_equal(seccomp_notify_connect(path, &e), -ENAMETOOLONG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(an_agent_gets_the_listener_and_answers, start_agent,
						stop_agent),
		cmocka_unit_test(an_agent_that_is_not_there_is_one_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
