/* stream.c - one process of an instance: its start, its death and what is asked of it */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/io.h"
#include "container/halt.h"
#include "container/stream_int.h"
#include "sys/ns.h"
#include "sys/pidfd.h"
#include "sys/pty.h"

#define MAX_REPORT 1024
#define MAX_SIGNAL 64

uint32_t stream_id(const struct stream *s)
{
	return s->id;
}

int stream_pid(const struct stream *s)
{
	return s->pid;
}

int stream_pidfd(const struct stream *s)
{
	return s->exit.fd;
}

bool stream_is_running(const struct stream *s)
{
	return s->running && !s->dead;
}

void watch_close(struct stream *s, struct watch *w)
{
	if (w->fd < 0)
		return;
	loop_del(s->loop, w);
	close(w->fd);
	w->fd = -1;
}

void watch_pause(struct stream *s, struct watch *w, bool pause)
{
	if (pause)
		loop_del(s->loop, w);
	else if (w->fd >= 0 && !w->active)
		loop_add(s->loop, w);
}

void stream_give(struct stream *s, enum msg_type t, struct buf *b)
{
	struct msg m = { t, s->id, b->data + MSG_HEADER, b->len - MSG_HEADER };

	if (buf_ok(b) && !s->muted)
		s->ops->message(s->ops->arg, &m);
	buf_done(b);
}

void stream_later(struct stream *s, enum msg_type t, uint32_t v, uint32_t w, const char *text)
{
	if (!s->muted)
		s->ops->later(s->ops->arg, t, s->id, v, w, text);
}

/* --- signals */

int stream_kill(struct stream *s)
{
	if (s->criu.fd >= 0) { /* CRIU, and what it has made so far */
		cgroup_kill(&s->c->state->cgroups);
		return 0;
	}
	return s->exit.fd >= 0 && !s->dead ? pidfd_signal(s->exit.fd, SIGKILL) : -ESRCH;
}

static uint64_t signal_bit(uint32_t signo)
{
	return UINT64_C(1) << (signo - 1);
}

/* One for a process that is still on its way to exec waits for that: before it, it would meet code of ours. */
static void send_signal(struct stream *s, uint32_t signo)
{
	bool ours = signo == SIGKILL && (s->copies || s->criu.fd >= 0);
	int r = -EINVAL;

	if (!s->running && !s->dead && !ours && signo >= 1 && signo <= MAX_SIGNAL) {
		s->early_signals |= signal_bit(signo);
		return;
	}
	if (signo == HALT_SIGNAL && stream_is_system(s)) {
		signo = (uint32_t)halt_signal(s->pid);
		if (signo == SIGPWR && halt_by_fifo(s->pid) == 0)
			return;
	}
	if (ours)
		r = stream_kill(s); /* before it says that it has begun, too: whoever asked for it has gone */
	else if (signo >= 1 && signo <= MAX_SIGNAL)
		r = !s->dead ? pidfd_signal(s->exit.fd, (int)signo) : -ESRCH;
	if (r < 0)
		stream_later(s, MSG_ERROR, (uint32_t)-r, 0,
			     r == -ESRCH ? "the process is not running" : "the signal cannot be sent");
}

/* --- start and death */

void stream_finish_if_done(struct stream *s)
{
	struct buf b = { 0 };
	uint32_t oom;

	if (!s->dead || s->report.fd >= 0)
		return;
	if (s->report_text.len) {
		msg_put_text(&b, MSG_FAILED, s->id, (unsigned char)s->report_text.data[0],
			     s->report_text.data + 1);
		stream_give(s, MSG_FAILED, &b);
		s->ops->gone(s->ops->arg, s, -1);
	} else if (!stream_has_output(s)) {
		oom = cgroup_oom_kills(&s->c->cgroups) > s->oom_before;
		msg_put_u32x2(&b, MSG_EXIT, s->id, (uint32_t)s->status, oom);
		stream_give(s, MSG_EXIT, &b);
		s->ops->gone(s->ops->arg, s, s->status);
	}
}

static void after_death(struct stream *s)
{
	if (!s->dead || s->report.fd >= 0)
		return;
	stream_io_after_death(s);
	stream_finish_if_done(s);
}

static void send_early_signals(struct stream *s)
{
	for (int signo = 1; s->early_signals && signo <= MAX_SIGNAL; signo++)
		if (s->early_signals & signal_bit(signo))
			send_signal(s, (uint32_t)signo);
	s->early_signals = 0;
}

void stream_has_begun(struct stream *s)
{
	struct buf b = { 0 };

	s->running = true;
	msg_put_u32(&b, MSG_STARTED, s->id, (uint32_t)s->pid);
	stream_give(s, MSG_STARTED, &b);
	send_early_signals(s);
	stream_io_begin(s);
}

/* Its end without a text: exec has closed it, so the process runs, or has run. */
static void on_report(void *arg, uint32_t events)
{
	struct stream *s = arg;
	char *p = buf_room(&s->report_text, MAX_REPORT);
	ssize_t n = p ? read(s->report.fd, p, MAX_REPORT) : 0;

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n > 0) { /* one write of the child, which is followed by its death */
		s->report_text.len += (size_t)n;
		s->report_text.data[s->report_text.len] = '\0';
	}
	watch_close(s, &s->report);
	if (!s->report_text.len)
		stream_has_begun(s);
	after_death(s);
}

static void release_slave(struct stream *s)
{
	if (s->slave >= 0)
		close(s->slave);
	s->slave = -1;
}

static void on_death(void *arg, uint32_t events)
{
	struct stream *s = arg;

	if (pidfd_reap(s->exit.fd, &s->status) == -EAGAIN)
		return;
	if (stream_is_system(s) &&
	    s->status == 128 + SIGINT) /* the end by reboot(2), "power off" or "halt", of a PID namespace */
		s->status = 0;
	s->dead = true;
	release_slave(s);
	loop_del(s->loop, &s->exit);
	if (s->in.fd >= 0)
		stream_close_input(s);
	after_death(s);
}

struct stream *stream_new(uint32_t id, struct container *c, struct loop *l, const struct stream_ops *ops)
{
	struct stream *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->id = id;
	s->c = c;
	s->loop = l;
	s->ops = ops;
	s->master = s->slave = -1;
	s->exit = (struct watch){ .fd = -1, .events = EPOLLIN, .fn = on_death, .arg = s };
	s->report = (struct watch){ .fd = -1, .events = EPOLLIN, .fn = on_report, .arg = s };
	stream_io_init(s);
	stream_restore_init(s);
	return s;
}

void stream_close_all(struct stream *s)
{
	watch_close(s, &s->exit);
	watch_close(s, &s->report);
	if (s->criu.fd >= 0)
		loop_del(s->loop, &s->criu);
	s->criu.fd = -1;
	restore_done(&s->restoring);
	watch_close(s, &s->idle);
	watch_close(s, &s->in);
	watch_close(s, &s->out[0].w);
	watch_close(s, &s->out[1].w);
	if (s->master >= 0)
		close(s->master);
	s->master = -1;
	release_slave(s);
}

struct stream *stream_free(struct stream *s)
{
	if (!s)
		return NULL;
	stream_close_all(s);
	buf_done(&s->in_queue);
	buf_done(&s->report_text);
	free(s);
	return NULL;
}

/* The child of a new user namespace waits for its IDs, and what its network has. */
static int prepare_child(const struct container *c, int pid, int go, struct err *e)
{
	int r = ns_write_map(pid, "uid_map", c->uid_map);

	if (r == 0)
		r = ns_write_map(pid, "gid_map", c->gid_map);
	if (r < 0)
		return err_sys(e, -r, "--userns: cannot map IDs");
	r = launch_move_ports(c, pid, e);
	if (r < 0)
		return r;
	r = write_full(go, "", 1);
	return r < 0 ? err_sys(e, -r, "cannot speak to the process") : 0;
}

static int launch(struct stream *s, struct launch *l, struct err *e)
{
	autoclose int go = -1;
	int r = stream_open_pipe(s->c, 0, &s->report.fd, &l->report), pid;

	if (r == 0 && l->main && s->c->own_users)
		r = stream_open_pipe(s->c, 1, &go, &l->go);
	l->go_parent = go;
	l->report_parent = s->report.fd;
	s->idle.fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (r < 0 || s->idle.fd < 0)
		return err_sys(e, r < 0 ? -r : errno, "cannot make pipes");
	s->oom_before = cgroup_oom_kills(&s->c->cgroups);
	pid = container_launch(s->c, l, &s->exit.fd, e);
	if (pid < 0)
		return pid;
	s->pid = pid;
	if (go >= 0) {
		r = prepare_child(s->c, pid, go, e);
		if (r < 0) {
			stream_kill(s);
			return r;
		}
	}
	if (r == 0)
		r = loop_add(s->loop, &s->exit);
	if (r == 0)
		r = loop_add(s->loop, &s->report);
	if (r == 0)
		r = loop_add(s->loop, &s->idle);
	if (r < 0) {
		stream_kill(s);
		return err_sys(e, -r, "cannot look after the process");
	}
	return 0;
}

int stream_start(struct stream *s, const struct process *p, struct err *e)
{
	struct launch l = {
		.process = p,
		.stdio = { -1, -1, -1 },
		.report = -1,
		.go = -1,
		.main = s->id == 0,
		.init = s->id == 0 && !p->hold && s->c->boot->spec.init,
	};
	int r;

	s->tty = p->tty;
	r = p->tty ? stream_open_terminal(s, p, &l) : stream_open_pipes(s, p->stdin_open, &l);
	if (r < 0)
		err_sys(e, -r, "cannot make %s", p->tty ? "a terminal" : "pipes");
	else
		r = launch(s, &l, e);
	stream_close_child_ends(&l);
	if (r < 0)
		stream_close_all(s);
	return r;
}

int stream_start_copy(struct stream *s, const struct file_copy *cp, struct err *e)
{
	struct launch l = { .copy = cp, .stdio = { -1, -1, -1 }, .report = -1, .go = -1 };
	int r = stream_open_pipes(s, cp->in, &l);

	s->copies = true;
	if (r < 0)
		err_sys(e, -r, "cannot make pipes");
	else
		r = launch(s, &l, e);
	stream_close_child_ends(&l);
	if (r < 0)
		stream_close_all(s);
	return r;
}

/* --- requests */

static void resize(struct stream *s, const struct msg *m)
{
	uint32_t rows = msg_u32(m, 0), cols = msg_u32(m, 1);

	if (s->master < 0 || rows > UINT16_MAX || cols > UINT16_MAX)
		stream_later(s, MSG_ERROR, EINVAL, 0, "there is no terminal of this size");
	else
		pty_resize(s->master, (int)rows, (int)cols);
}

void stream_send(struct stream *s, const struct msg *m)
{
	if (m->type == MSG_STDIN)
		stream_queue_input(s, m);
	else if (m->type == MSG_STDIN_EOF)
		stream_queue_eof(s);
	else if (m->type == MSG_CREDIT)
		stream_add_credit(s, m);
	else if (m->type == MSG_RESIZE)
		resize(s, m);
	else if (m->type == MSG_SIGNAL)
		send_signal(s, msg_u32(m, 0));
}
