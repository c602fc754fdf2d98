/* batch.c - a long-running program and all that it starts: followed line by line, ended as a whole */
#include "sys/batch.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/io.h"
#include "sys/ns.h"
#include "sys/pidfd.h"

#define NOT_FOUND 127
#define STOP_MS	  5000 /* from SIGTERM to SIGKILL */

/* --- in the new process */

/* Is the parent's end of the pipe there?  In a PID namespace of its own a process cannot see its parent. */
static bool has_reader(int fd)
{
	struct pollfd p = { .fd = fd };

	return poll(&p, 1, 0) >= 0 && !(p.revents & POLLERR);
}

static int make_env(const struct batch *b, struct strv *ret)
{
	int r = strv_add(ret, "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");

	if (r == 0)
		r = strv_add(ret, "LC_ALL=C");
	return r < 0 || !b->env ? r : strv_add_all(ret, b->env);
}

__attribute__((noreturn)) static void become(const struct batch *b, int out, int failed_fd, int end_signal)
{
	struct strv env = { 0 };
	int no, null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	sigset_t none;

	signal(SIGPIPE, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	setsid();
	if (prctl(PR_SET_PDEATHSIG, end_signal) < 0 || !has_reader(out))
		_exit(NOT_FOUND);
	no = make_env(b, &env) < 0 ? ENOMEM : 0;
	if (!no && (null < 0 || dup2(null, 0) < 0 || dup2(out, 1) < 0 || dup2(out, 2) < 0))
		no = errno;
	if (!no) {
		execvpe(b->argv[0], b->argv, env.v);
		no = errno;
	}
	write_full(failed_fd, &no, sizeof(no));
	_exit(NOT_FOUND);
}

/* --- in ours */

struct follower {
	const struct batch *b;
	char line[BATCH_LINE_MAX];
	size_t n;
};

static void end_line(struct follower *f)
{
	f->line[f->n] = '\0';
	f->n = 0;
	if (f->b->line)
		f->b->line(f->b->arg, f->line);
}

static int take_output(struct follower *f, const char *text, size_t n)
{
	int r = write_full(f->b->log_fd, text, n);

	for (size_t i = 0; i < n && r >= 0; i++)
		if (text[i] == '\n')
			end_line(f);
		else if (f->n < sizeof(f->line) - 1)
			f->line[f->n++] = text[i];
	return r;
}

/* Until its output ends, which comes when all that it started is gone, too. */
static int follow(const struct batch *b, int out)
{
	struct follower f = { .b = b };
	struct pollfd p[] = { { .fd = out, .events = POLLIN }, { .fd = b->stop_fd, .events = POLLIN } };

	for (;;) {
		char text[4096];
		ssize_t k;
		int r;

		if (poll(p, 2, -1) < 0 && errno != EINTR)
			return -errno;
		if (p[1].revents)
			return -ECANCELED;
		if (!p[0].revents)
			continue;
		k = read(out, text, sizeof(text));
		if (k < 0 && errno == EINTR)
			continue;
		if (k <= 0)
			break;
		r = take_output(&f, text, (size_t)k);
		if (r < 0)
			return r;
	}
	if (f.n)
		end_line(&f);
	return 0;
}

static void stop(int pidfd, int end_signal)
{
	pidfd_signal(pidfd, end_signal);
	if (pidfd_wait_end(pidfd, STOP_MS) < 0)
		pidfd_signal(pidfd, SIGKILL);
}

/* What kept it from being started; 0: nothing. */
static int start_failure(int fd)
{
	int no;

	return read_full(fd, &no, sizeof(no)) == (ssize_t)sizeof(no) ? -no : 0;
}

int batch_run(const struct batch *b, int *ret_status)
{
	autoclose int out = -1, in = -1, failed = -1, fail = -1, pidfd = -1;
	const bool whole = geteuid() == 0;
	const int end_signal = whole ? SIGKILL : SIGTERM;
	int r, pair[2], fail_pair[2];
	pid_t pid;

	r = pipe_cloexec(pair);
	if (r < 0)
		return r;
	out = pair[0];
	in = pair[1];
	r = pipe_cloexec(fail_pair);
	if (r < 0)
		return r;
	failed = fail_pair[0];
	fail = fail_pair[1];
	pid = ns_clone(whole ? CLONE_NEWPID : 0, -1, &pidfd);
	if (pid < 0)
		return pid;
	if (pid == 0) {
		close(out); /* or has_reader would see this one */
		become(b, in, fail, end_signal);
	}
	auto_close(&in);
	auto_close(&fail);
	in = fail = -1;
	r = start_failure(failed);
	if (r == 0)
		r = follow(b, out);
	if (r < 0)
		stop(pidfd, end_signal);
	pidfd_wait_end(pidfd, -1);
	pidfd_reap(pidfd, ret_status);
	return r;
}
