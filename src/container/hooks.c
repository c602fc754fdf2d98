/* hooks.c - programs that the caller wants run at points of a container's life */
#include "container/hooks.h"

#include <errno.h>
#include <limits.h>
#include <linux/close_range.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/io.h"
#include "sys/ns.h"
#include "sys/pidfd.h"

#define SAID_MAX 200 /* bytes of its output in the message */

/* Files, not pipes: nobody has to read and write by turns, and a hook may leave a process behind. */
static int make_file(const struct buf *content)
{
	autoclose int fd = memfd_create("hook", MFD_CLOEXEC);
	int r = fd < 0 ? -errno : 0;

	if (r == 0 && content && content->len)
		r = pwrite_full(fd, content->data, content->len, 0);
	return r < 0 ? r : take_fd(&fd);
}

static __attribute__((noreturn)) void become(const struct oci_hook *h, int in, int out)
{
	static char *const nothing[] = { NULL };
	char *const alone[] = { h->path, NULL };
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (dup2(in, 0) < 0 || dup2(out, 1) < 0 || dup2(out, 2) < 0)
		_exit(127);
	syscall(SYS_close_range, 3, ~0U, CLOSE_RANGE_CLOEXEC);
	execve(h->path, h->args.n ? h->args.v : alone, h->env.n ? h->env.v : nothing);
	dprintf(2, "%s", strerrordesc_np(errno));
	_exit(127);
}

/* The last line of what it said, for the message. */
static void read_said(int out, char ret[SAID_MAX + 1])
{
	off_t size = lseek(out, 0, SEEK_END);
	ssize_t n = size < 0 ? -1 : pread(out, ret, SAID_MAX, size > SAID_MAX ? size - SAID_MAX : 0);
	char *line;

	if (n < 0)
		n = 0;
	while (n > 0 && ret[n - 1] == '\n')
		n--;
	ret[n] = '\0';
	line = strrchr(ret, '\n');
	if (line)
		memmove(ret, line + 1, strlen(line));
}

static int run_one(const struct oci_hook *h, const struct buf *state, char said[SAID_MAX + 1],
		   int *ret_status)
{
	int64_t ms = h->timeout.set ? h->timeout.v * 1000 : -1;
	autoclose int in = make_file(state), out = make_file(NULL), pidfd = -1;
	int r;
	pid_t pid;

	*said = '\0';
	if (in < 0 || out < 0)
		return in < 0 ? in : out;
	pid = ns_clone(0, -1, &pidfd);
	if (pid < 0)
		return pid;
	if (pid == 0)
		become(h, in, out);
	r = pidfd_wait_end(pidfd, ms > INT_MAX ? INT_MAX : (int)ms);
	if (r < 0) {
		pidfd_signal(pidfd, SIGKILL);
		pidfd_wait_end(pidfd, -1);
		pidfd_reap(pidfd, ret_status);
		return r;
	}
	read_said(out, said);
	return pidfd_reap(pidfd, ret_status);
}

static int run_checked(const struct oci_hook_list *hooks, size_t i, const char *kind, const struct buf *state,
		       struct err *e)
{
	const struct oci_hook *h = &hooks->v[i];
	char said[SAID_MAX + 1];
	int status = 0, r = run_one(h, state, said, &status);

	if (r == -ETIMEDOUT)
		return err_set(e, ETIMEDOUT, "hooks.%s[%zu]: %s: still running after %lld s", kind, i,
			       h->path, (long long)h->timeout.v);
	if (r < 0)
		return err_sys(e, -r, "hooks.%s[%zu]: %s", kind, i, h->path);
	if (status)
		return err_set(e, ECANCELED, "hooks.%s[%zu]: %s: exit status %d%s%s", kind, i, h->path,
			       status, *said ? ": " : "", said);
	return 0;
}

int hooks_run(const struct oci_hook_list *hooks, const char *kind, const struct buf *state, struct err *e)
{
	int r = 0;

	for (size_t i = 0; i < hooks->n && r == 0; i++)
		r = run_checked(hooks, i, kind, state, e);
	return r;
}

void hooks_run_all(const struct oci_hook_list *hooks, const char *kind, const struct buf *state,
		   struct strv *failed)
{
	for (size_t i = 0; i < hooks->n; i++) {
		struct err e = { 0 };

		if (run_checked(hooks, i, kind, state, &e) < 0)
			strv_add(failed, e.msg);
	}
}
