/* attach.c - the pump between the user's descriptors and a process behind a monitor's connection
 *
 * How it works: one loop over the connection, our stdin and a signalfd.  stdin is read when the poll says
 * so, at most as many bytes as the peer's window has room for; a file that cannot be polled is read whenever
 * there is room.
 */
#include "cli/attach.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/log.h"
#include "cli/attach_int.h"

#define STATUS_LOST 125

void attach_finish(struct pump *p, int status)
{
	p->status = status;
	loop_stop(p->loop);
}

static void give_up(struct pump *p, const char *what)
{
	err_set(&p->why, EPROTO, "%s", what);
	attach_finish(p, STATUS_LOST);
}

/* --- the terminal */

void attach_send_size(struct pump *p, int more_rows)
{
	int rows, cols;

	if (!terminal_size(p->a->in_fd, &rows, &cols) && !terminal_size(p->a->out_fd, &rows, &cols))
		return;
	msg_put_u32x2(conn_out(p->conn), MSG_RESIZE, p->a->stream, (uint32_t)(rows + more_rows),
		      (uint32_t)cols);
	conn_flush(p->conn);
}

/* --- messages */

/* The size is sent again: it may have changed since the request.  A program that runs already draws its screen anew when
 * the size changes. */
static void start_terminal(struct pump *p)
{
	int fd = p->a->interactive ? p->a->in_fd : p->a->out_fd;
	int r = isatty(fd) ? terminal_raw(&p->terminal, fd, p->a->interactive) : 0;

	if (r < 0)
		log_warn("the terminal stays as it is: %s", strerror(-r));
	if (p->a->running)
		attach_send_size(p, 1);
	attach_send_size(p, 0);
}

static void begin(struct pump *p)
{
	if (p->started)
		return;
	p->started = true;
	if (p->a->started)
		p->a->started(p->a->arg);
	if (p->a->detach) {
		attach_finish(p, 0);
		return;
	}
	if (p->a->tty)
		start_terminal(p);
	attach_pump_stdin(p);
}

static void on_started(struct pump *p, const struct msg *m)
{
	begin(p);
}

static void on_failed(struct pump *p, const struct msg *m)
{
	autofree char *text = msg_text(m);
	uint32_t status = msg_u32(m, 0);

	err_set(&p->why, EIO, "%s", text && *text ? text : "the process could not be started");
	attach_finish(p, status > 0 && status < 256 ? (int)status : STATUS_LOST);
}

static void on_credit(struct pump *p, const struct msg *m)
{
	uint32_t n = msg_u32(m, 1);

	if (msg_u32(m, 0) != 0)
		return;
	if (n > MSG_WINDOW - p->window) {
		give_up(p, "the monitor gave more credit than the window holds");
		return;
	}
	p->window += n;
	attach_pump_stdin(p);
}

static void on_error(struct pump *p, const struct msg *m)
{
	autofree char *text = msg_text(m);

	if (attach_is_about_answer(p, m))
		return;
	log_warn("%s%s", text ? text : "out of memory", p->terminal.raw ? "\r" : "");
}

/* A full disk behind `run ... >backup` must not look like success. */
static void on_exit_status(struct pump *p, const struct msg *m)
{
	int status = (int)(msg_u32(m, 0) & 0xff);

	attach_finish(p, !status && p->output_lost ? STATUS_LOST : status);
}

static void on_output(struct pump *p, const struct msg *m)
{
	attach_write_output(p, m->type == MSG_STDOUT ? 1 : 2, m);
}

/* The rest is nothing that a client asked for. */
static void (*const handlers[MSG_N])(struct pump *, const struct msg *) = {
	[MSG_STARTED] = on_started, [MSG_FAILED] = on_failed, [MSG_STDOUT] = on_output,
	[MSG_STDERR] = on_output,   [MSG_CREDIT] = on_credit, [MSG_EXIT] = on_exit_status,
	[MSG_ERROR] = on_error,
};

static void on_message(void *arg, const struct msg *m)
{
	struct pump *p = arg;

	if (p->status >= 0)
		return; /* it has ended; what is still in the buffer is of no use */
	if (!p->greeted) {
		p->greeted = true;
		if (m->type != MSG_HELLO || msg_u32(m, 0) != MSG_VERSION)
			give_up(p, "the monitor is of another version of ketch");
		else if (p->a->running)
			begin(p);
		return;
	}
	if (m->type == MSG_STATS_REPLY)
		attach_answered(p);
	else if (m->stream == p->a->stream && handlers[m->type])
		handlers[m->type](p, m);
}

static void on_closed(void *arg, const struct err *why)
{
	struct pump *p = arg;

	if (p->status >= 0)
		return;
	err_set(&p->why, ECONNRESET, "the connection to the monitor was lost%s%s", why->no ? ": " : "",
		why->no ? why->msg : "");
	attach_finish(p, STATUS_LOST);
}

static void on_drained(void *arg)
{
	attach_pump_stdin(arg);
}

/* --- life */

static void send_request(struct pump *p)
{
	struct buf *out = conn_out(p->conn);
	uint32_t flags = ATTACH_STDOUT | ATTACH_STDERR | (p->a->interactive ? ATTACH_STDIN : 0);

	flags = p->a->detach ? 0 : flags & ~p->a->without;

	msg_put_u32(out, MSG_HELLO, 0, MSG_VERSION);
	if (p->a->start)
		msg_put(out, p->a->start_type, p->a->stream, p->a->start->data, p->a->start->len);
	else
		msg_put_u32(out, MSG_ATTACH, p->a->stream, flags);
	conn_flush(p->conn);
}

static int start(struct pump *p, int fd, const sigset_t *signals)
{
	static const struct conn_ops ops = { .message = on_message,
					     .closed = on_closed,
					     .drained = on_drained };

	p->signals = (struct watch){ .fd = signalfd(-1, signals, SFD_CLOEXEC | SFD_NONBLOCK),
				     .events = EPOLLIN,
				     .fn = attach_on_signal,
				     .arg = p };
	p->in = (struct watch){ .fd = p->a->in_fd, .events = EPOLLIN, .fn = attach_on_stdin, .arg = p };
	p->loop = loop_new();
	if (!p->loop || p->signals.fd < 0 || loop_add(p->loop, &p->signals) < 0 ||
	    attach_answer_init(p) < 0) {
		close(fd);
		return -ENOMEM;
	}
	attach_open_output(p);
	p->fd = fd;
	p->conn = conn_new(p->loop, fd, PEER_MONITOR, &ops, p);
	return p->conn ? 0 : -ENOMEM;
}

static void stop(struct pump *p)
{
	terminal_restore(&p->terminal);
	attach_answer_done(p);
	attach_close_output(p);
	if (p->loop)
		loop_del(p->loop, &p->in);
	if (p->signals.fd >= 0) {
		if (p->loop)
			loop_del(p->loop, &p->signals);
		close(p->signals.fd);
	}
	conn_free(p->conn);
	loop_free(p->loop);
}

static int run(int fd, const struct attach *a, const sigset_t *signals, int *ret_fatal)
{
	struct pump p = { .a = a,
			  .window = MSG_WINDOW,
			  .in_polls = true,
			  .status = -1,
			  .answer.fd = -1,
			  .pipe = { -1, -1, -1 } };
	int r;

	p.in_open = a->interactive && !a->detach;
	if (a->tty)
		p.keys = a->keys;
	r = start(&p, fd, signals);
	if (r == 0) {
		send_request(&p);
		r = loop_run(p.loop);
	}
	stop(&p);
	*ret_fatal = p.fatal;
	if (r < 0) {
		log_error("cannot attach: %s", strerror(-r));
		return STATUS_LOST;
	}
	if (p.why.no)
		log_error("%s", p.why.msg);
	return p.status;
}

void attach_hold_signals(sigset_t *ret_before)
{
	sigset_t wanted;

	attach_wanted_signals(&wanted);
	sigprocmask(SIG_BLOCK, &wanted, ret_before);
}

int attach_run(int fd, const struct attach *a)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN }, old_pipe;
	sigset_t wanted, old;
	int status, fatal = 0;

	attach_wanted_signals(&wanted);
	sigprocmask(SIG_BLOCK, &wanted, &old);
	if (a->held)
		old = *a->held;
	sigaction(SIGPIPE, &ignore, &old_pipe);
	status = run(fd, a, &wanted, &fatal);
	sigaction(SIGPIPE, &old_pipe, NULL);
	if (fatal)
		raise(fatal); /* still blocked: it ends us below, with the terminal restored */
	sigprocmask(SIG_SETMASK, &old, NULL);
	return status;
}
