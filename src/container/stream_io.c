/* stream_io.c - the bytes of one process: read as far as there is credit, written as the process takes them */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "container/stream_int.h"
#include "sys/pty.h"

/* An exec may leave a process behind that keeps its output open: so long the end waits for more of it. */
#define IDLE_NS (200 * 1000 * 1000)
/* A terminal does not tell how much it can hold; the kernel's bound is 64 KiB and what is on its way. */
#define TTY_BYTES   (128 * 1024)
#define CREDIT_STEP (MSG_WINDOW / 4)

/* --- after death */

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
	stream_finish_if_done(s);
}

/* --- output */

/* Reads once.  Returns false when nothing more can be had now. */
static bool read_output(struct output *o)
{
	struct stream *s = o->s;
	size_t want = s->detached ? 0 : o->credit < sizeof(s->data) ? o->credit : sizeof(s->data);
	struct msg m = { o->type, s->id, s->data, 0 };
	ssize_t n;

	if (o->w.fd < 0)
		return false;
	if (!want) {
		watch_pause(s, &o->w, true);
		return false;
	}
	if (s->dead && want > o->left)
		want = o->left;
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
	o->left -= s->dead ? (size_t)n : 0;
	if (s->dead && !o->left) /* the rest would be of others, who may never stop */
		watch_close(s, &o->w);
	m.len = (size_t)n;
	if (s->muted)
		o->credit += (uint32_t)n;
	else
		s->ops->message(s->ops->arg, &m);
	return true;
}

static void on_output(void *arg, uint32_t events)
{
	struct output *o = arg;
	struct stream *s = o->s;

	if (read_output(o) && s->dead)
		arm_idle(s);
	stream_finish_if_done(s);
}

bool stream_has_output(const struct stream *s)
{
	return s->out[0].w.fd >= 0 || s->out[1].w.fd >= 0;
}

void stream_io_begin(struct stream *s)
{
	watch_pause(s, &s->out[0].w, false);
	watch_pause(s, &s->out[1].w, false);
}

static size_t capacity(const struct stream *s, int fd)
{
	int n = s->tty ? TTY_BYTES : fcntl(fd, F_GETPIPE_SZ);

	return n > 0 ? (size_t)n : TTY_BYTES;
}

void stream_io_after_death(struct stream *s)
{
	for (int i = 0; i < 2; i++)
		if (s->out[i].w.fd >= 0)
			s->out[i].left = capacity(s, s->out[i].w.fd);
	for (int i = 0; i < 2; i++)
		while (read_output(&s->out[i]))
			;
	arm_idle(s);
}

void stream_add_credit(struct stream *s, const struct msg *m)
{
	uint32_t which = msg_u32(m, 0), n = msg_u32(m, 1);
	struct output *o = which == 1 || which == 2 ? &s->out[which - 1] : NULL;

	if (!o || n > MSG_WINDOW - o->credit) {
		stream_later(s, MSG_ERROR, EPROTO, 0, "more credit than was used");
		return;
	}
	o->credit += n;
	if (s->running)
		watch_pause(s, &o->w, false);
	if (s->dead)
		arm_idle(s);
}

/* --- input */

/* Small credits are saved up while there is more to be written: one for each page that the process reads would have the
 * sender send pages. */
static void credit_input(struct stream *s, size_t n)
{
	size_t old = n < s->in_old ? n : s->in_old;
	struct buf b = { 0 };

	s->in_old -= old;
	s->in_owed += n - old;
	if (!s->in_owed || (s->in_owed < CREDIT_STEP && s->in_queue.len))
		return;
	msg_put_u32x2(&b, MSG_CREDIT, s->id, 0, (uint32_t)s->in_owed);
	s->in_owed = 0;
	stream_give(s, MSG_CREDIT, &b);
}

/* Nobody will read any more: what is queued is thrown away, and paid back, so that the sender can end. */
void stream_close_input(struct stream *s)
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

	if (!s->tty) {
		stream_close_input(s);
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
			stream_close_input(s);
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

void stream_queue_input(struct stream *s, const struct msg *m)
{
	if (s->in.fd < 0) {
		stream_later(s, MSG_CREDIT, 0, (uint32_t)m->len, NULL);
		return;
	}
	if (s->in_eof || m->len > MSG_WINDOW - (s->in_queue.len - s->in_old)) {
		stream_later(s, MSG_ERROR, EPROTO, 0,
			     "more input than the window allows, or input after its end");
		return;
	}
	buf_add(&s->in_queue, m->data, m->len);
	if (!buf_ok(&s->in_queue))
		stream_later(s, MSG_ERROR, ENOMEM, 0, "out of memory");
	watch_pause(s, &s->in, false);
}

void stream_queue_eof(struct stream *s)
{
	if (s->in.fd < 0)
		return;
	s->in_eof = true;
	watch_pause(s, &s->in, false);
}

/* --- another receiver */

void stream_detach(struct stream *s)
{
	s->detached = true;
	for (int i = 0; i < 2; i++)
		watch_pause(s, &s->out[i].w, true);
}

void stream_attach(struct stream *s)
{
	s->detached = false;
	s->in_old = s->in_queue.len;
	s->in_owed = 0;
	for (int i = 0; i < 2; i++) {
		s->out[i].credit = MSG_WINDOW;
		if (s->running)
			watch_pause(s, &s->out[i].w, false);
	}
	if (s->dead)
		arm_idle(s);
}

void stream_mute(struct stream *s)
{
	s->muted = true;
	stream_attach(s);
}

bool stream_is_mute(const struct stream *s)
{
	return s->muted;
}

void stream_io_init(struct stream *s)
{
	s->idle = (struct watch){ .fd = -1, .events = EPOLLIN, .fn = on_idle, .arg = s };
	s->in = (struct watch){ .fd = -1, .events = EPOLLOUT, .fn = on_input, .arg = s };
	for (int i = 0; i < 2; i++)
		s->out[i] = (struct output){
			.s = s,
			.w = { .fd = -1, .events = EPOLLIN, .fn = on_output, .arg = &s->out[i] },
			.type = i ? MSG_STDERR : MSG_STDOUT,
			.credit = MSG_WINDOW,
		};
}
