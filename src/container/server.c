/* server.c - the process server: one instance, its streams, and the messages to and from them
 *
 * States: start() -> PREPARED (ready) -START 0-> LIVE -end of stream 0-> ENDING -all streams gone-> ENDED.
 * What happens inside a call is queued and given out by the loop (`wake`).
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/json.h"
#include "cgroup/cgroup.h"
#include "cgroup/ops.h"
#include "container/answers.h"
#include "container/container.h"
#include "container/container_int.h"
#include "container/plan_int.h"
#include "container/stream.h"
#include "instance/file_request.h"
#include "sys/pidfd.h"

#define MAX_STREAMS 1024
#define REAP_MS	    5000

struct running {
	struct container c;
	struct loop *loop;
	struct backend_events ev;
	struct stream_ops ops;
	struct stream **streams;
	size_t n_streams;
	struct watch wake; /* an eventfd: something is in `queue`, or is_ready or over changed */
	struct buf queue; /* frames for the loop to give out */
	bool tell_ready;
	bool paused; /* by the user: nothing but the user has it go on */
	bool started; /* START of stream 0 was seen */
	bool ending; /* stream 0 is gone, or kill */
	bool told_ended;
	bool detached; /* nobody listens */
	uint32_t still; /* the copy for which all stand still; 0: none */
};

static void wake(struct running *r)
{
	uint64_t one = 1;

	if (write(r->wake.fd, &one, sizeof(one)) < 0)
		return; /* the counter is full: it is awake */
}

static void later(void *arg, enum msg_type t, uint32_t id, uint32_t v, uint32_t w, const char *text)
{
	struct running *r = arg;

	if (text)
		msg_put_text(&r->queue, t, id, v, text);
	else
		msg_put_u32x2(&r->queue, t, id, v, w);
	wake(r);
}

/* --- the end */

static void end_if_over(struct running *r)
{
	struct err none = { 0 };

	if (!r->ending || r->n_streams || r->told_ended)
		return;
	r->told_ended = true;
	r->ev.ended(r->ev.arg, &none); /* which may release r */
}

static void on_message(void *arg, const struct msg *m)
{
	struct running *r = arg;

	if (!r->detached)
		r->ev.message(r->ev.arg, m);
}

static void go_on(struct running *r)
{
	r->still = 0;
	copy_thaw(&r->c);
	if (!r->paused)
		cgroup_thaw(&r->c.cgroups.by_controller, NULL); /* fails when they are gone */
}

static void on_gone(void *arg, struct stream *s, int status)
{
	struct running *r = arg;

	if (r->still && stream_id(s) == r->still)
		go_on(r);
	for (size_t i = 0; i < r->n_streams; i++) {
		if (r->streams[i] != s)
			continue;
		/* the others keep their order: stream 0 is the first as long as it is there */
		memmove(r->streams + i, r->streams + i + 1, (--r->n_streams - i) * sizeof(struct stream *));
		break;
	}
	if (stream_id(s) == 0) {
		r->ending = true;
		/* the PID namespace died with its first process; whoever else was put in the cgroup goes too */
		cgroup_kill(&r->c.state->cgroups);
	}
	stream_free(s);
	wake(r);
}

static void on_wake(void *arg, uint32_t events)
{
	struct running *r = arg;
	struct buf queue = r->queue;
	struct err e = { 0 };
	uint64_t count;
	struct msg m;

	if (read(r->wake.fd, &count, sizeof(count)) < 0)
		return;
	r->queue = (struct buf){ 0 };
	if (r->tell_ready) {
		r->tell_ready = false;
		r->ev.ready(r->ev.arg);
	}
	while (msg_peek(&queue, PEER_MONITOR, &m, &e) > 0) {
		r->ev.message(r->ev.arg, &m);
		msg_drop(&queue, &m);
	}
	buf_done(&queue);
	end_if_over(r);
}

/* --- START, GET, PUT */

/* Not one that nobody hears any more: it ends by itself, and its number may be another's by then. */
static struct stream *find_stream(const struct running *r, uint32_t id)
{
	for (size_t i = 0; i < r->n_streams; i++)
		if (stream_id(r->streams[i]) == id && !stream_is_mute(r->streams[i]))
			return r->streams[i];
	return NULL;
}

static int add_stream(struct running *r, struct stream *s)
{
	struct stream **all = reallocarray(r->streams, r->n_streams + 1, sizeof(struct stream *));

	if (!all)
		return -ENOMEM;
	r->streams = all;
	r->streams[r->n_streams++] = s;
	return 0;
}

/* Is there a container to join?  Its first process must have been started: before that its mounts are half
 * made, and what they hide is open. */
static int check_start(const struct running *r, uint32_t id, struct err *e)
{
	struct stream *first = find_stream(r, 0);

	if (find_stream(r, id) || (id == 0 && r->started))
		return err_set(e, EBUSY, "stream %u is in use", id);
	if (r->n_streams >= MAX_STREAMS)
		return err_set(e, EAGAIN, "%d processes were started already", MAX_STREAMS);
	if (r->ending || (id && !(first && stream_is_running(first))))
		return err_set(e, ESRCH, "the instance is not running");
	return 0;
}

/* What a stream begins with: one of them. */
struct beginning {
	const struct process *process;
	const struct file_copy *copy;
};

static int start_stream(struct running *r, uint32_t id, const struct beginning *b, struct err *e)
{
	struct stream *s = stream_new(id, &r->c, r->loop, &r->ops);
	int k = s ? add_stream(r, s) : -ENOMEM;

	if (k < 0) {
		stream_free(s);
		return err_set(e, ENOMEM, "out of memory");
	}
	k = b->copy ? stream_start_copy(s, b->copy, e) : stream_start(s, b->process, e);
	if (k < 0) {
		r->n_streams--;
		stream_free(s);
		return k;
	}
	if (id)
		return 0;
	r->c.init_pidfd = fcntl(stream_pidfd(s), F_DUPFD_CLOEXEC, 3);
	r->c.state->pid = stream_pid(s);
	return 0;
}

static void start_process(struct running *r, const struct msg *m)
{
	struct process p = { 0 };
	struct err e = { 0 };
	int status = 125, k;

	k = json_parse(&process_table, m->data, m->len, 0, &p, &e);
	if (k == 0 && p.hold && m->stream)
		k = err_set(&e, EINVAL, "only a main process can be one that waits");
	if (k == 0 && !p.hold && (!p.args.n || !*p.args.v[0]))
		k = err_set(&e, EINVAL, "no command was given");
	if (k == 0) {
		k = check_start(r, m->stream, &e);
		status = k == -ESRCH ? 126 : 125;
	}
	if (k == 0 && m->stream == 0)
		r->started = true;
	if (k == 0)
		k = start_stream(r, m->stream, &(struct beginning){ .process = &p }, &e);
	json_done(&process_table, &p);
	if (k == 0)
		return;
	later(r, MSG_FAILED, m->stream, (uint32_t)status, 0, e.msg);
	if (m->stream == 0 && !find_stream(r, 0))
		r->ending = true;
}

/* The copy's own process is not to stand still: it is not in their cgroups. */
static int hold_still(struct running *r, uint32_t id, struct err *e)
{
	int k;

	if (r->still)
		return err_set(e, EBUSY, "another command has it stand still");
	k = r->paused ? 0 : cgroup_freeze(&r->c.cgroups.by_controller, e);
	if (k < 0)
		return err_wrap(e, k, "it cannot be paused");
	r->still = id;
	return 0;
}

/* With what the image has. */
static bool compares(const struct file_copy *cp)
{
	return !cp->in && (cp->request->kind == FILES_CHANGES || cp->request->kind == FILES_LAYER);
}

static int begin_copy(struct running *r, uint32_t id, const struct file_copy *cp, struct err *e)
{
	const struct file_request *rq = cp->request;
	int k = check_start(r, id, e);

	if (k == 0 && (cp->in ? rq->kind == FILES_TREE || rq->kind == FILES_CHANGES : rq->kind == FILES_HOLD))
		k = err_set(e, EINVAL, "only copies and layers go in, and nothing that is held comes out");
	if (k == 0 && compares(cp))
		k = overlay_open_lower(&r->c, e);
	if (k == 0 && compares(cp))
		k = overlay_open_written(&r->c, e);
	if (k == 0 && rq->still)
		k = hold_still(r, id, e);
	if (k < 0)
		return k;
	k = start_stream(r, id, &(struct beginning){ .copy = cp }, e);
	if (k < 0 && r->still == id)
		go_on(r);
	return k;
}

static void start_copy(struct running *r, const struct msg *m)
{
	struct file_request rq = { 0 };
	struct file_copy cp = { .request = &rq, .in = m->type == MSG_PUT };
	struct err e = { 0 };
	int k = m->stream ? 0 : err_set(&e, EINVAL, "files are not copied on stream 0");

	if (k == 0)
		k = file_request_parse(m->data, m->len, &rq, &e);
	rq.still |= rq.kind == FILES_HOLD;
	/* what an instance may make now says nothing of the device nodes that it has */
	cp.apart = rq.still || r->paused || (cp.in && rq.kind == FILES_LAYER);
	if (k == 0)
		k = begin_copy(r, m->stream, &cp, &e);
	json_done(&file_request_table, &rq);
	if (k < 0)
		later(r, MSG_FAILED, m->stream, 125, 0, e.msg);
}

/* --- other requests */

static void add_part(void *arg, const struct buf *json)
{
	struct running *r = arg;

	msg_put(&r->queue, MSG_TOP_REPLY, 0, json->data, json->len);
}

static void answer(struct running *r, const struct msg *m)
{
	AUTO(buf_done) struct buf b = { 0 };
	struct err e = { 0 };
	struct stats st;

	if (m->type == MSG_STATS) {
		answer_stats(&r->c, &st);
		if (json_print(&stats_table, &st, JSON_ALL, &b) == 0)
			msg_put(&r->queue, MSG_STATS_REPLY, 0, b.data, b.len);
	} else if (m->type == MSG_TOP) {
		answer_top(&r->c, add_part, r);
		msg_put(&r->queue, MSG_TOP_REPLY, 0, NULL, 0);
	} else if (m->type == MSG_NETWORK) {
		msg_put_text(&r->queue, MSG_NETWORK_REPLY, 0, ENOTSUP,
			     "the interfaces of a container are made by its host");
	} else if (m->type == MSG_SAVE) {
		msg_put_text(&r->queue, MSG_SAVED, 0, ENOTSUP,
			     "the memory of a container cannot be saved: that of a virtual machine can");
	} else {
		int k = answer_update(&r->c, m->data, m->len, &e);

		msg_put_text(&r->queue, MSG_UPDATE_REPLY, 0, (uint32_t)-k, e.msg);
	}
	wake(r);
}

static void pause_all(struct running *r, bool pause)
{
	const struct strv *cgroups = &r->c.cgroups.by_controller;
	struct err e = { 0 };
	int k = r->still ? err_set(&e, EBUSY, "it stands still while its files are copied")
		: pause	 ? cgroup_freeze(cgroups, &e)
			 : cgroup_thaw(cgroups, &e);

	if (k == 0)
		r->paused = pause;
	later(r, MSG_PAUSED, 0, k < 0 ? (uint32_t)-k : 0, 0, e.msg);
}

static void kill_all(struct running *r)
{
	r->ending = true;
	cgroup_kill(&r->c.state->cgroups); /* also thaws */
	for (size_t i = 0; i < r->n_streams; i++)
		stream_kill(r->streams[i]);
	wake(r);
}

static void container_send(struct running *r, const struct msg *m)
{
	struct stream *s = find_stream(r, m->stream);

	if (r->told_ended) /* `ended` was the last word */
		return;
	if (m->type == MSG_START)
		start_process(r, m);
	else if (m->type == MSG_GET || m->type == MSG_PUT)
		start_copy(r, m);
	else if (m->type == MSG_PAUSE)
		pause_all(r, msg_u32(m, 0));
	else if (msg_answer(m->type))
		answer(r, m);
	else if (m->type == MSG_SHUTDOWN)
		kill_all(r);
	else if (s)
		stream_send(s, m);
	else if (m->type == MSG_SIGNAL)
		later(r, MSG_ERROR, m->stream, ESRCH, 0, "the process is not running");
}

/* --- life */

static void container_release(struct running *r)
{
	struct err e = { 0 };
	int status;

	if (!r)
		return;
	if (r->n_streams)
		kill_all(r);
	/* the first process last: the kernel lets it end only when its PID namespace is empty, which our own
	 * zombies would keep it from */
	for (size_t i = r->n_streams; i-- > 0;) {
		int pidfd = stream_pidfd(r->streams[i]);

		if (pidfd >= 0 && pidfd_wait_end(pidfd, REAP_MS) == 0)
			pidfd_reap(pidfd, &status);
		stream_free(r->streams[i]);
	}
	free(r->streams);
	container_done(&r->c);
	/* what cannot be removed stays named in the state, for the next command to try again */
	if (cgroup_kill_and_remove(&r->c.state->cgroups, &e) == 0)
		strv_done(&r->c.state->cgroups);
	if (r->wake.fd >= 0) {
		loop_del(r->loop, &r->wake);
		close(r->wake.fd);
	}
	buf_done(&r->queue);
	free(r);
}

static int watch_wake(struct running *r)
{
	r->wake = (struct watch){ .events = EPOLLIN, .fn = on_wake, .arg = r };
	r->wake.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	return r->wake.fd < 0 ? -errno : loop_add(r->loop, &r->wake);
}

static int container_start(const struct boot *b, const struct plan *p, struct loop *loop,
			   const struct backend_events *ev, struct instance_state *state,
			   struct running **ret, struct err *e)
{
	struct running *r = calloc(1, sizeof(*r));
	int k;

	if (!r)
		return err_set(e, ENOMEM, "out of memory");
	r->loop = loop;
	r->ev = *ev;
	r->ops = (struct stream_ops){ .message = on_message, .gone = on_gone, .later = later, .arg = r };
	r->wake.fd = -1;
	signal(SIGPIPE, SIG_IGN); /* writing to a process that closed its stdin is an error, not our end */
	k = container_prepare(&r->c, b, p, state, e);
	if (k == 0) {
		k = watch_wake(r);
		if (k < 0)
			err_sys(e, -k, "cannot watch the instance");
	}
	if (k < 0) {
		container_release(r);
		return k;
	}
	r->tell_ready = true;
	wake(r);
	*ret = r;
	return 0;
}

/* --- a machine that was restored */

void container_detach(struct running *r)
{
	r->detached = true;
	for (size_t i = 0; i < r->n_streams; i++)
		stream_detach(r->streams[i]);
}

void container_attach(struct running *r)
{
	struct stream *main = find_stream(r, 0);
	struct buf b = { 0 };
	struct msg m;

	r->detached = false;
	buf_done(&r->queue); /* for who is not there */
	for (size_t i = 0; i < r->n_streams; i++) {
		if (r->streams[i] == main)
			continue;
		stream_mute(r->streams[i]);
		stream_kill(r->streams[i]);
	}
	if (!main) {
		later(r, MSG_FAILED, 0, 125, 0, "the process has ended");
		return;
	}
	msg_put_u32(&b, MSG_STARTED, 0, (uint32_t)stream_pid(main));
	if (msg_peek(&b, PEER_MONITOR, &m, NULL) == 1)
		r->ev.message(r->ev.arg, &m);
	buf_done(&b);
	stream_attach(main);
}

const struct backend container_backend = {
	.name = "container",
	.plan = container_plan,
	.start = container_start,
	.send = container_send,
	.kill = kill_all,
	.release = container_release,
};
