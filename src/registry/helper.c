/* helper.c - programs that keep credentials: docker-credential-NAME, by Docker's protocol
 *
 * The verb is its argument, the question its stdin, the answer its stdout.  It runs with the rights and the
 * environment of whoever called us, and may open a window: so its time is long.
 */
#include "registry/helper.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/io.h"
#include "base/json.h"

#define ANSWER_MAX 65536
#define WAIT_S	   120
#define HUB	   "https://index.docker.io/v1/"

struct answer {
	char *server, *user, *secret;
};

static const struct jfield answer_fields[] = {
	JK(J_STR, struct answer, server, "ServerURL"),
	JK(J_STR, struct answer, user, "Username"),
	JK(J_STR, struct answer, secret, "Secret"),
	{ 0 },
};
static const struct jtable answer_table = { sizeof(struct answer), answer_fields };

static void answer_done(struct answer *a)
{
	json_done(&answer_table, a);
}

static const char *as_helpers_know_it(const char *server)
{
	return !strcmp(server, "docker.io") ? HUB : server;
}

static __attribute__((noreturn)) void child(char *program, char *verb, int in, int out)
{
	char *const argv[] = { program, verb, NULL };

	signal(SIGPIPE, SIG_DFL);
	if (dup2(in, 0) < 0 || dup2(out, 1) < 0)
		_exit(126);
	execvp(program, argv);
	_exit(errno == ENOENT ? 127 : 126);
}

/* Reads until the end or the deadline. */
static int read_answer(int fd, struct buf *ret)
{
	int64_t end_ns = clock_mono_ns() + WAIT_S * NS_PER_S;
	int64_t left_ns;

	while ((left_ns = end_ns - clock_mono_ns()) > 0) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		char *room = buf_room(ret, 4096);
		ssize_t n;

		if (!room)
			return -ENOMEM;
		if (poll(&p, 1, (int)(left_ns / 1000000) + 1) <= 0)
			continue;
		n = read(fd, room, 4096);
		if (n <= 0)
			return n < 0 && errno != EINTR ? -errno : 0;
		ret->len += (size_t)n;
		ret->data[ret->len] = '\0';
		if (ret->len > ANSWER_MAX)
			return -EFBIG;
	}
	return -ETIMEDOUT;
}

static int end_of(pid_t pid, bool kill_it)
{
	int status;

	if (kill_it)
		kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static bool is_helper_name(const char *s)
{
	return *s && strlen(s) < 64 &&
	       !s[strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-")];
}

/* Its exit status. */
static int run(const char *helper, const char *verb, const struct buf *question, struct buf *answer,
	       struct err *e)
{
	autofree char *program = str_printf("docker-credential-%s", helper);
	autoclose int in = memfd_create("question", MFD_CLOEXEC), out = -1;
	int pipe_fd[2], r;
	pid_t pid;

	if (!is_helper_name(helper))
		return err_set(e, EINVAL, "\"%.60s\" is no name of a credential helper", helper);
	if (!program || in < 0 || pwrite_full(in, question->data, question->len, 0) < 0 ||
	    pipe_cloexec(pipe_fd) < 0)
		return err_sys(e, program ? errno : ENOMEM, "ask the credential helper %s", helper);
	out = pipe_fd[0];
	pid = fork();
	if (pid == 0)
		child(program, (char *)(uintptr_t)verb, in, pipe_fd[1]);
	close(pipe_fd[1]);
	if (pid < 0)
		return err_sys(e, errno, "start %s", program);
	r = read_answer(out, answer);
	if (r < 0) {
		end_of(pid, true);
		return err_sys(e, -r, "the answer of %s", program);
	}
	r = end_of(pid, false);
	return r == 127 ? err_set(e, ENOENT, "%s is named as credential helper, but not installed", program)
			: r;
}

static int refused(const char *helper, struct buf *said, struct err *e)
{
	if (said->data)
		said->data[strcspn(said->data, "\r\n")] = '\0';
	return err_set(e, EIO, "docker-credential-%s: %.200s", helper, said->len ? said->data : "it failed");
}

int helper_get(const char *helper, const char *server, struct credentials *ret, struct err *e)
{
	AUTO(buf_done) struct buf question = { 0 }, said = { 0 };
	AUTO(answer_done) struct answer a = { 0 };
	int r;

	buf_adds(&question, as_helpers_know_it(server));
	if (!buf_ok(&question))
		return err_set(e, ENOMEM, "out of memory");
	r = run(helper, "get", &question, &said, e);
	if (r > 0)
		return said.data && strstr(said.data, "credentials not found") ? 0
									       : refused(helper, &said, e);
	if (r == 0)
		r = json_parse(&answer_table, said.data ? said.data : "", said.len, 0, &a, e);
	if (said.data)
		explicit_bzero(said.data, said.len);
	if (r < 0 || !a.user || !a.secret)
		return r < 0 ? err_wrap(e, r, "docker-credential-%s", helper) : 0;
	if (!strcmp(a.user, "<token>")) {
		ret->identity_token = take_ptr(a.secret);
		return 1;
	}
	ret->user = take_ptr(a.user);
	ret->password = take_ptr(a.secret);
	return 1;
}

int helper_store(const char *helper, const char *server, const struct credentials *c, struct err *e)
{
	AUTO(buf_done) struct buf question = { 0 }, said = { 0 };
	char token[] = "<token>";
	/* borrowed: only printed */
	struct answer a = { (char *)(uintptr_t)as_helpers_know_it(server), c->user, c->password };
	int r;

	if (c->identity_token) {
		a.user = token;
		a.secret = c->identity_token;
	}
	r = json_print(&answer_table, &a, 0, &question);
	if (r < 0)
		return err_set(e, ENOMEM, "out of memory");
	r = run(helper, "store", &question, &said, e);
	explicit_bzero(question.data, question.len);
	return r > 0 ? refused(helper, &said, e) : r;
}

int helper_erase(const char *helper, const char *server, struct err *e)
{
	AUTO(buf_done) struct buf question = { 0 }, said = { 0 };
	int r;

	buf_adds(&question, as_helpers_know_it(server));
	if (!buf_ok(&question))
		return err_set(e, ENOMEM, "out of memory");
	r = run(helper, "erase", &question, &said, e);
	return r > 0 ? refused(helper, &said, e) : r;
}
