/* stream_restore.c - stream 0 of an instance whose processes were kept: it has the process that CRIU makes */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/timerfd.h>

#include "container/stream_int.h"

enum { STATUS_FAILED = 125 };

/* As the report of a child that could not become its process. */
static void fail(struct stream *s, const struct err *e)
{
	buf_addc(&s->report_text, STATUS_FAILED);
	buf_adds(&s->report_text, e->msg);
	s->dead = true;
	stream_finish_if_done(s); /* which may free s */
}

static int take_process(struct stream *s, struct err *e)
{
	pid_t pid = restore_end(&s->restoring, &s->exit.fd, e);
	int r;

	if (pid < 0)
		return pid;
	s->pid = s->c->state->pid = pid;
	s->c->init_pidfd = fcntl(s->exit.fd, F_DUPFD_CLOEXEC, 3);
	r = s->c->init_pidfd < 0 ? -errno : loop_add(s->loop, &s->exit);
	if (r == 0)
		return 0;
	stream_kill(s);
	return err_sys(e, -r, "cannot look after the process");
}

static void on_criu(void *arg, uint32_t events)
{
	struct stream *s = arg;
	struct err e = { 0 };
	int r;

	loop_del(s->loop, &s->criu);
	s->criu.fd = -1;
	r = take_process(s, &e);
	restore_done(&s->restoring);
	if (r < 0)
		fail(s, &e);
	else
		stream_has_begun(s);
}

void stream_restore_init(struct stream *s)
{
	s->criu = (struct watch){ .fd = -1, .events = EPOLLIN, .fn = on_criu, .arg = s };
	s->restoring = RESTORING_INIT;
}

static int begin(struct stream *s, const struct launch *l, struct err *e)
{
	int r;

	s->idle.fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	r = s->idle.fd < 0 ? -errno : loop_add(s->loop, &s->idle);
	if (r < 0)
		return err_sys(e, -r, "cannot look after the process");
	s->oom_before = cgroup_oom_kills(&s->c->cgroups);
	r = restore_begin(s->c, l->stdio, &s->restoring, e);
	if (r < 0)
		return r;
	s->criu.fd = s->restoring.job.pidfd;
	r = loop_add(s->loop, &s->criu);
	return r < 0 ? err_sys(e, -r, "cannot look after the process") : 0;
}

int stream_restore(struct stream *s, const struct process *p, struct err *e)
{
	struct launch l = { .stdio = { -1, -1, -1 }, .report = -1, .go = -1 };
	int r = stream_open_pipes(s, p->stdin_open, &l);

	r = r < 0 ? err_sys(e, -r, "cannot make pipes") : begin(s, &l, e);
	stream_close_child_ends(&l);
	if (r < 0)
		stream_close_all(s);
	return r;
}
