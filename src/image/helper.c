/* helper.c - a helper program of ours: started with nothing but its descriptors, heard line by line */
#include "image/helper.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/self.h"

#define PIECE 65536

/* In the child, after clone. */
static void start(const struct helper *c, const char *path)
{
	char name[32] = "";
	char *const argv[] = { name, NULL };
	int up[HELPER_FDS_MAX], end = HELPER_FD_BASE + c->n_fds, null;

	strncpy(name, c->program, sizeof(name) - 1);
	for (int i = 0; i < c->n_fds; i++)
		up[i] = fcntl(c->fds[i], F_DUPFD_CLOEXEC, end);
	for (int i = 0; i < c->n_fds; i++)
		if (up[i] < 0 || dup2(up[i], HELPER_FD_BASE + i) < 0)
			_exit(126);
	null = open("/dev/null", O_RDWR);
	if (null < 0 || dup2(null, 0) < 0 || dup2(null, 1) < 0)
		_exit(126);
	close_range((unsigned)end, ~0U, 0);
	/* should we have died before this call, its answer finds no reader */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	execve(path, argv, c->env);
	_exit(127);
}

int helper_start(const struct helper *c, struct err *e)
{
	autofree char *path = self_program(c->program);
	int pidfd = -1;
	struct clone_args args = { .flags = c->namespaces | CLONE_PIDFD,
				   .pidfd = (uint64_t)(uintptr_t)&pidfd,
				   .exit_signal = SIGCHLD };
	long pid;

	if (!path)
		return err_sys(e, errno, "find %s", c->program);
	pid = syscall(SYS_clone3, &args, sizeof(args));
	if (pid < 0)
		return errno == EPERM ? err_set(e, EPERM, "images can be added by root only")
				      : err_sys(e, errno, "start %s", c->program);
	if (!pid)
		start(c, path);
	return pidfd;
}

static int take_lines(const struct helper_reader *rd, struct buf *text, struct err *e)
{
	char *end;
	int r = 0;

	while (r == 0 && text->len && (end = memchr(text->data, '\n', text->len))) {
		size_t n = (size_t)(end - text->data);

		r = rd->take(rd->arg, text->data, n, e);
		buf_drop(text, n + 1);
	}
	if (r == 0 && text->len > rd->line_max)
		r = err_set(e, EFBIG, "the answer of a helper is too long");
	return r;
}

int helper_read_some(int fd, const struct helper_reader *rd, struct buf *text, struct err *e)
{
	char *room;
	ssize_t n;
	int r = rd->wait ? rd->wait(rd->arg, fd, e) : 0;

	if (r < 0)
		return r;
	room = buf_room(text, PIECE);
	n = room ? read(fd, room, PIECE) : -1;
	if (n < 0 && errno == EINTR)
		return 1;
	if (n < 0)
		return err_sys(e, room ? errno : ENOMEM, "read the answer of a helper");
	if (!n)
		return 0;
	text->len += (size_t)n;
	r = take_lines(rd, text, e);
	return r < 0 ? r : 1;
}

int helper_read(int fd, const struct helper_reader *rd, struct err *e)
{
	AUTO(buf_done) struct buf text = { 0 };
	int r;

	do
		r = helper_read_some(fd, rd, &text, e);
	while (r > 0);
	return r;
}

int helper_end(int pidfd, const char *program, bool has_answered, struct err *e)
{
	siginfo_t si = { 0 };

	while (waitid(P_PIDFD, (id_t)pidfd, &si, WEXITED) < 0)
		if (errno != EINTR)
			return err_sys(e, errno, "wait for %s", program);
	if (si.si_code == CLD_EXITED && si.si_status == 127)
		return err_set(e, ENOEXEC, "%s cannot be executed", program);
	if (si.si_code != CLD_EXITED)
		return err_set(e, EIO, "%s was ended by signal %d%s", program, si.si_status,
			       si.si_status == SIGSYS ? ": the sandbox stopped it" : "");
	return has_answered ? 0
			    : err_set(e, EIO, "%s ended with status %d and no answer", program, si.si_status);
}
