/* attach_output.c - what the process says goes to stdout and stderr
 *
 * How it works: while the reader of our stdout sleeps we do not read the connection, so the window closes and the process
 * waits, as it would on a pipe.  A pipe is opened once more, and what we opened does not block, whereas the user's
 * descriptor stays as it is: so signals are heard meanwhile.  Anything else is written blocking.  A reader that has gone
 * (ketch run IMAGE yes | head) is passed on as SIGPIPE; what still comes is discarded.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/io.h"
#include "base/log.h"
#include "cli/attach_int.h"

#define BROKEN_PIPE_GRACE_S 1
#define CREDIT_STEP	    (64 * 1024) /* credits smaller than this are saved up: one message for many lines */

/* -1: it is no pipe, or has no reader any more. */
static int open_pipe(int fd)
{
	struct stat st;
	char path[32];

	if (fstat(fd, &st) < 0 || !S_ISFIFO(st.st_mode))
		return -1;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
}

void attach_open_output(struct pump *p)
{
	p->pipe[1] = open_pipe(p->a->out_fd);
	p->pipe[2] = open_pipe(p->a->err_fd);
}

void attach_close_output(struct pump *p)
{
	auto_close(&p->pipe[1]);
	auto_close(&p->pipe[2]);
}

static void give_credit(struct pump *p, unsigned which)
{
	if (p->owed[which] < CREDIT_STEP)
		return;
	msg_put_u32x2(conn_out(p->conn), MSG_CREDIT, p->a->stream, which, p->owed[which]);
	p->owed[which] = 0;
	conn_flush(p->conn);
}

/* As for a writer to a pipe.  The first process of a pid namespace does not hear a SIGPIPE that it has no handler for
 * (pid_namespaces(7)): an instance that goes on is killed, or it would fill the disk with a log that nobody wants. */
static void pass_on_broken_pipe(struct pump *p)
{
	if (p->a->start)
		msg_put_u32(conn_out(p->conn), MSG_SIGNAL, p->a->stream, SIGPIPE);
	else
		msg_put_u32x2(conn_out(p->conn), MSG_STOP, 0, SIGPIPE, BROKEN_PIPE_GRACE_S);
	conn_flush(p->conn);
}

/* 0: there may be room now; -ECANCELED: a signal has ended the pump meanwhile. */
static int await_room(struct pump *p, int fd)
{
	struct pollfd fds[] = { { fd, POLLOUT, 0 },
				{ p->signals.fd, POLLIN, 0 },
				{ p->answer.fd, POLLIN, 0 } };

	if (poll(fds, ARRAY_LEN(fds), -1) < 0)
		return errno == EINTR ? 0 : -errno;
	p->nobody_reads = !fds[0].revents;
	if (fds[1].revents)
		attach_on_signal(p, EPOLLIN);
	if (fds[2].revents)
		p->answer.fn(p, EPOLLIN);
	p->nobody_reads = false;
	return p->status >= 0 ? -ECANCELED : 0;
}

static int write_pipe(struct pump *p, int fd, const char *at, size_t n)
{
	int r = 0;

	while (n && r == 0) {
		ssize_t w = write(fd, at, n);

		if (w >= 0) {
			at += w;
			n -= (size_t)w;
		} else if (errno == EAGAIN) {
			r = await_room(p, fd);
		} else if (errno != EINTR) {
			r = -errno;
		}
	}
	return r;
}

static int put_output(struct pump *p, unsigned which, const struct msg *m)
{
	const struct attach *a = p->a;

	if (which == 1 && a->sink)
		return a->sink(a->sink_arg, m->data, m->len);
	if (p->pipe[which] >= 0)
		return write_pipe(p, p->pipe[which], m->data, m->len);
	return write_full(which == 1 ? a->out_fd : a->err_fd, m->data, m->len);
}

void attach_write_output(struct pump *p, unsigned which, const struct msg *m)
{
	int r = p->discard[which] ? 0 : put_output(p, which, m);

	if (r == -ECANCELED)
		return;
	if (r < 0) {
		p->discard[which] = true;
		p->output_lost |= r != -EPIPE;
		if (r == -EPIPE)
			pass_on_broken_pipe(p);
		else
			log_warn("cannot write to %s: %s", which == 1 ? "stdout" : "stderr", strerror(-r));
	}
	p->owed[which] += (uint32_t)m->len;
	give_credit(p, which);
}
