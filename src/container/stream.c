/* stream.c - one process of an instance: its three streams, its credit and its end */
#include "container/stream.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/io.h"
#include "sys/ns.h"
#include "sys/pidfd.h"
#include "sys/pty.h"

/* An exec may leave a process behind that keeps its output open: so long the end waits for more of it. */
#define MAX_REPORT 1024
#define IDLE_NS	   (200 * 1000 * 1000)

/* One direction of output. */
struct output {
	struct stream *s;
	struct watch w; /* fd -1: at its end */
	enum msg_type type;
	uint32_t credit;
};

struct stream {
	uint32_t id;
	struct container *c;
	struct loop *loop;
	const struct stream_ops *ops;
	bool process_tty;
	int pid;
	int master; /* of the terminal, for resizing; -1 */
	struct watch exit; /* the pidfd */
	struct watch report; /* the pipe that exec closes */
	struct watch idle; /* timer after death */
	struct watch in; /* stdin; watched only while there is something to write */
	struct buf in_queue, report_text;
	bool in_eof;
	struct output out[2];
	uint64_t oom_before;
	bool running, dead;
	int status;
	char data[MSG_MAX_DATA]; /* what read_output reads into */
};

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

/* --- watches own their descriptors here */

static void watch_close(struct stream *s, struct watch *w)
{
	if (w->fd < 0)
		return;
	loop_del(s->loop, w);
	close(w->fd);
	w->fd = -1;
}

static void watch_pause(struct stream *s, struct watch *w, bool pause)
{
	/* out of the loop altogether: a hang-up would be reported even without events */
	if (pause)
		loop_del(s->loop, w);
	else if (w->fd >= 0 && !w->active)
		loop_add(s->loop, w);
}

/* --- what is told */

static void give(struct stream *s, enum msg_type t, const void *data, size_t n)
{
	struct msg m = { t, s->id, data, n };

	s->ops->message(s->ops->arg, &m);
}

/* Gives out the one message that `b` holds as a frame. */
static void give_frame(struct stream *s, enum msg_type t, struct buf *b)
{
	if (buf_ok(b))
		give(s, t, b->data + MSG_HEADER, b->len - MSG_HEADER);
	buf_done(b);
}

static void later(struct stream *s, enum msg_type t, uint32_t v, uint32_t w, const char *text)
{
	s->ops->later(s->ops->arg, t, s->id, v, w, text);
}

/* --- the end */

static bool has_output(const struct stream *s)
{
	return s->out[0].w.fd >= 0 || s->out[1].w.fd >= 0;
}

/* FAILED or EXIT, once the process is reaped and all that it said is told.  May free s. */
static void finish_if_done(struct stream *s)
{
	struct buf b = { 0 };
	uint32_t oom;

	if (!s->dead || s->report.fd >= 0)
		return;
	if (s->report_text.len) {
		msg_put_text(&b, MSG_FAILED, s->id, (unsigned char)s->report_text.data[0],
			     s->report_text.data + 1);
		give_frame(s, MSG_FAILED, &b);
		s->ops->gone(s->ops->arg, s, -1);
	} else if (!has_output(s)) {
		oom = cgroup_oom_kills(&s->c->cgroups) > s->oom_before;
		msg_put_u32x2(&b, MSG_EXIT, s->id, (uint32_t)s->status, oom);
		give_frame(s, MSG_EXIT, &b);
		s->ops->gone(s->ops->arg, s, s->status);
	}
}

static void arm_idle(struct stream *s)
{
	struct itimerspec t = { .it_value.tv_nsec = IDLE_NS };

	if (s->idle.fd >= 0)
		timerfd_settime(s->idle.fd, 0, &t, NULL);
}

static bool waits_for_credit(const struct stream *s)
{
	return (s->out[0].w.fd >= 0 && !s->out[0].credit) || (s->out[1].w.fd >= 0 && !s->out[1].credit);
}

static void on_idle(void *arg, uint32_t events)
{
	struct stream *s = arg;
	uint64_t ticks;

	if (read(s->idle.fd, &ticks, sizeof(ticks)) < 0)
		return;
	if (waits_for_credit(s)) /* the receiver is slow, not the sender; credit starts the timer again */
		return;
	watch_close(s, &s->out[0].w);
	watch_close(s, &s->out[1].w);
	finish_if_done(s);
}

/* --- output */

/* Reads once.  Returns false when nothing more can be had now. */
static bool read_output(struct output *o)
{
	struct stream *s = o->s;
	size_t want = o->credit < sizeof(s->data) ? o->credit : sizeof(s->data);
	ssize_t n;

	if (o->w.fd < 0)
		return false;
	if (!want) {
		watch_pause(s, &o->w, true);
		return false;
	}
	n = read(o->w.fd, s->data, want);
	if (n < 0 && errno == EINTR)
		return true;
	/* with the first process all others of its PID namespace are dead: nothing more will come, even if
	 * somebody outside holds the pipe */
	if (n < 0 && errno == EAGAIN && !(s->dead && s->id == 0))
		return false;
	if (n <= 0) { /* EIO: nobody has the terminal open any more */
		watch_close(s, &o->w);
		return false;
	}
	o->credit -= (uint32_t)n;
	give(s, o->type, s->data, (size_t)n);
	return true;
}

static void on_output(void *arg, uint32_t events)
{
	struct output *o = arg;
	struct stream *s = o->s;

	if (read_output(o) && s->dead)
		arm_idle(s);
	finish_if_done(s);
}

static void add_credit(struct stream *s, const struct msg *m)
{
	uint32_t which = msg_u32(m, 0), n = msg_u32(m, 1);
	struct output *o = which == 1 || which == 2 ? &s->out[which - 1] : NULL;

	if (!o || n > MSG_WINDOW - o->credit) {
		later(s, MSG_ERROR, EPROTO, 0, "more credit than was used");
		return;
	}
	o->credit += n;
	if (s->running)
		watch_pause(s, &o->w, false);
	if (s->dead)
		arm_idle(s);
}

/* --- input */

static void credit_input(struct stream *s, size_t n)
{
	struct buf b = { 0 };

	if (!n)
		return;
	msg_put_u32x2(&b, MSG_CREDIT, s->id, 0, (uint32_t)n);
	give_frame(s, MSG_CREDIT, &b);
}

/* Nobody will read any more: what is queued is thrown away, and paid back, so that the sender can end. */
static void close_input(struct stream *s)
{
	size_t n = s->in_queue.len;

	watch_close(s, &s->in);
	buf_done(&s->in_queue);
	credit_input(s, n);
}

/* A terminal cannot be closed from its user's side: it is told the way a user would. */
static void end_input(struct stream *s)
{
	char eof;

	if (!s->process_tty) {
		close_input(s);
		return;
	}
	eof = pty_eof_char(s->in.fd);
	if (write(s->in.fd, &eof, 1) < 0 && errno == EAGAIN)
		return;
	s->in_eof = false;
	watch_pause(s, &s->in, true);
}

static void on_input(void *arg, uint32_t events)
{
	struct stream *s = arg;
	ssize_t n = 0;

	if (s->in_queue.len) {
		n = write(s->in.fd, s->in_queue.data, s->in_queue.len);
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (n < 0) { /* it closed its stdin */
			close_input(s);
			return;
		}
		buf_drop(&s->in_queue, (size_t)n);
	}
	if (!s->in_queue.len && s->in_eof)
		end_input(s);
	else if (!s->in_queue.len)
		watch_pause(s, &s->in, true);
	credit_input(s, (size_t)n);
}

static void queue_input(struct stream *s, const struct msg *m)
{
	if (s->in.fd < 0) {
		later(s, MSG_CREDIT, 0, (uint32_t)m->len, NULL);
		return;
	}
	if (s->in_eof || m->len > MSG_WINDOW - s->in_queue.len) {
		later(s, MSG_ERROR, EPROTO, 0, "more input than the window allows, or input after its end");
		return;
	}
	buf_add(&s->in_queue, m->data, m->len);
	if (!buf_ok(&s->in_queue))
		later(s, MSG_ERROR, ENOMEM, 0, "out of memory");
	watch_pause(s, &s->in, false);
}

static void queue_eof(struct stream *s)
{
	if (s->in.fd < 0)
		return;
	s->in_eof = true;
	watch_pause(s, &s->in, false);
}

/* --- start and death */

static void after_death(struct stream *s)
{
	if (!s->dead || s->report.fd >= 0)
		return;
	for (int i = 0; i < 2; i++)
		while (read_output(&s->out[i]))
			;
	arm_idle(s);
	finish_if_done(s);
}

/* Its end without a text: exec has closed it, so the process runs, or has run. */
static void on_report(void *arg, uint32_t events)
{
	struct stream *s = arg;
	char *p = buf_room(&s->report_text, MAX_REPORT);
	ssize_t n = p ? read(s->report.fd, p, MAX_REPORT) : 0;
	struct buf b = { 0 };

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n > 0) { /* one write of the child, which is followed by its death */
		s->report_text.len += (size_t)n;
		s->report_text.data[s->report_text.len] = '\0';
	}
	watch_close(s, &s->report);
	if (!s->report_text.len) {
		s->running = true;
		msg_put_u32(&b, MSG_STARTED, s->id, (uint32_t)s->pid);
		give_frame(s, MSG_STARTED, &b);
		watch_pause(s, &s->out[0].w, false);
		watch_pause(s, &s->out[1].w, false);
	}
	after_death(s);
}

static void on_death(void *arg, uint32_t events)
{
	struct stream *s = arg;

	if (pidfd_reap(s->exit.fd, &s->status) == -EAGAIN)
		return;
	s->dead = true;
	loop_del(s->loop, &s->exit);
	if (s->in.fd >= 0)
		close_input(s);
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
	s->master = -1;
	s->exit = (struct watch){ .fd = -1, .events = EPOLLIN, .fn = on_death, .arg = s };
	s->report = (struct watch){ .fd = -1, .events = EPOLLIN, .fn = on_report, .arg = s };
	s->idle = (struct watch){ .fd = -1, .events = EPOLLIN, .fn = on_idle, .arg = s };
	s->in = (struct watch){ .fd = -1, .events = EPOLLOUT, .fn = on_input, .arg = s };
	for (int i = 0; i < 2; i++)
		s->out[i] = (struct output){
			.s = s,
			.w = { .fd = -1, .events = EPOLLIN, .fn = on_output, .arg = &s->out[i] },
			.type = i ? MSG_STDERR : MSG_STDOUT,
			.credit = MSG_WINDOW,
		};
	return s;
}

static void close_all(struct stream *s)
{
	watch_close(s, &s->exit);
	watch_close(s, &s->report);
	watch_close(s, &s->idle);
	watch_close(s, &s->in);
	watch_close(s, &s->out[0].w);
	watch_close(s, &s->out[1].w);
	if (s->master >= 0)
		close(s->master);
	s->master = -1;
}

struct stream *stream_free(struct stream *s)
{
	if (!s)
		return NULL;
	close_all(s);
	buf_done(&s->in_queue);
	buf_done(&s->report_text);
	free(s);
	return NULL;
}

/* A pipe whose end `ours` (0: we read) becomes *ret_ours, non-blocking; the other one is the child's. */
static int open_pipe(const struct container *c, int ours, int *ret_ours, int *ret_child)
{
	int p[2], r = pipe_cloexec(p);

	if (r < 0)
		return r;
	for (int i = 0; i < 2; i++)
		p[i] = fd_move_above_stdio(p[i]);
	*ret_ours = p[ours];
	*ret_child = p[!ours];
	if (p[0] < 0 || p[1] < 0)
		return -EMFILE;
	/* the child gives its ends to the user, which it can only when they are its root's */
	if (c->first_id && fchown(*ret_child, c->first_id, c->first_id) < 0)
		return -errno;
	return fd_set_nonblock(*ret_ours, true);
}

static int open_terminal(struct stream *s, const struct process *p, struct launch *l)
{
	int slave, r = pty_open(tree_get(s->c, "pts"), &s->master, &slave);

	if (r < 0)
		return r;
	for (int i = 0; i < 3; i++)
		l->stdio[i] = slave;
	if (p->rows > 0 && p->cols > 0)
		pty_resize(s->master, p->rows, p->cols);
	/* its own descriptors for both directions: an epoll takes each only once */
	s->out[0].w.fd = fcntl(s->master, F_DUPFD_CLOEXEC, 3);
	s->in.fd = fcntl(s->master, F_DUPFD_CLOEXEC, 3);
	return s->out[0].w.fd < 0 || s->in.fd < 0 ? -errno : 0;
}

static int open_pipes(struct stream *s, const struct process *p, struct launch *l)
{
	int r = 0;

	if (p->stdin_open)
		r = open_pipe(s->c, 1, &s->in.fd, &l->stdio[0]);
	for (int i = 0; i < 2 && r == 0; i++)
		r = open_pipe(s->c, 0, &s->out[i].w.fd, &l->stdio[i + 1]);
	return r;
}

static void close_child_ends(struct launch *l)
{
	for (int i = 0; i < 3; i++)
		if (l->stdio[i] >= 0 && (i == 0 || l->stdio[i] != l->stdio[0]))
			close(l->stdio[i]);
	if (l->report >= 0)
		close(l->report);
	if (l->go >= 0)
		close(l->go);
}

/* The child of a new user namespace waits for its IDs. */
static int map_ids(const struct container *c, int pid, int go)
{
	int r = ns_map_ids(pid, c->first_id, USERNS_IDS);

	return r == 0 ? write_full(go, "", 1) : r;
}

static int launch(struct stream *s, struct launch *l, struct err *e)
{
	autoclose int go = -1;
	int r = open_pipe(s->c, 0, &s->report.fd, &l->report), pid;

	if (r == 0 && l->main && s->c->first_id)
		r = open_pipe(s->c, 1, &go, &l->go);
	s->idle.fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (r < 0 || s->idle.fd < 0)
		return err_sys(e, r < 0 ? -r : errno, "cannot make pipes");
	s->oom_before = cgroup_oom_kills(&s->c->cgroups);
	pid = container_launch(s->c, l, &s->exit.fd, e);
	if (pid < 0)
		return pid;
	s->pid = pid;
	r = go >= 0 ? map_ids(s->c, pid, go) : 0;
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
		.init = s->id == 0 && s->c->boot->spec.init,
	};
	int r;

	s->process_tty = p->tty;
	r = p->tty ? open_terminal(s, p, &l) : open_pipes(s, p, &l);
	if (r < 0)
		err_sys(e, -r, "cannot make %s", p->tty ? "a terminal" : "pipes");
	else
		r = launch(s, &l, e);
	close_child_ends(&l);
	if (r < 0)
		close_all(s);
	return r;
}

/* --- requests */

int stream_kill(struct stream *s)
{
	return s->exit.fd >= 0 && !s->dead ? pidfd_signal(s->exit.fd, SIGKILL) : -ESRCH;
}

static void send_signal(struct stream *s, uint32_t signo)
{
	int r = -EINVAL;

	if (signo >= 1 && signo <= 64)
		r = s->running && !s->dead ? pidfd_signal(s->exit.fd, (int)signo) : -ESRCH;
	if (r < 0)
		later(s, MSG_ERROR, (uint32_t)-r, 0,
		      r == -ESRCH ? "the process is not running" : "the signal cannot be sent");
}

static void resize(struct stream *s, const struct msg *m)
{
	uint32_t rows = msg_u32(m, 0), cols = msg_u32(m, 1);

	if (s->master < 0 || rows > UINT16_MAX || cols > UINT16_MAX)
		later(s, MSG_ERROR, EINVAL, 0, "there is no terminal of this size");
	else
		pty_resize(s->master, (int)rows, (int)cols);
}

void stream_send(struct stream *s, const struct msg *m)
{
	if (m->type == MSG_STDIN)
		queue_input(s, m);
	else if (m->type == MSG_STDIN_EOF)
		queue_eof(s);
	else if (m->type == MSG_CREDIT)
		add_credit(s, m);
	else if (m->type == MSG_RESIZE)
		resize(s, m);
	else if (m->type == MSG_SIGNAL)
		send_signal(s, msg_u32(m, 0));
}
