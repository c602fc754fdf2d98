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
#include "container/plan_int.h"
#include "container/server_int.h"
#include "sys/pidfd.h"

#define REAP_MS 5000

static void wake(struct running *r)
{
	uint64_t one = 1;

	if (write(r->wake.fd, &one, sizeof(one)) < 0)
		return; /* the counter is full: it is awake */
}

void server_later(void *arg, enum msg_type t, uint32_t id, uint32_t v, uint32_t w, const char *text)
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

void server_go_on(struct running *r)
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
		server_go_on(r);
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

/* --- requests */

struct stream *server_find_stream(const struct running *r, uint32_t id)
{
	for (size_t i = 0; i < r->n_streams; i++)
		if (stream_id(r->streams[i]) == id && !stream_is_mute(r->streams[i]))
			return r->streams[i];
	return NULL;
}

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
	server_later(r, MSG_PAUSED, 0, k < 0 ? (uint32_t)-k : 0, 0, e.msg);
}

static void kill_all(struct running *r)
{
	if (!r->ending || r->n_streams)
		cgroup_kill(&r->c.state->cgroups); /* also thaws */
	r->ending = true;
	for (size_t i = 0; i < r->n_streams; i++)
		stream_kill(r->streams[i]);
	wake(r);
}

static void container_send(struct running *r, const struct msg *m)
{
	struct stream *s = server_find_stream(r, m->stream);

	if (r->told_ended) /* `ended` was the last word */
		return;
	if (m->type == MSG_START)
		server_start_process(r, m);
	else if (m->type == MSG_GET || m->type == MSG_PUT)
		server_start_copy(r, m);
	else if (m->type == MSG_PAUSE)
		pause_all(r, msg_u32(m, 0));
	else if (msg_answer(m->type))
		answer(r, m);
	else if (m->type == MSG_SHUTDOWN)
		kill_all(r);
	else if (s)
		stream_send(s, m);
	else if (m->type == MSG_SIGNAL)
		server_later(r, MSG_ERROR, m->stream, ESRCH, 0, "the process is not running");
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
	r->ops = (struct stream_ops){
		.message = on_message, .gone = on_gone, .later = server_later, .arg = r
	};
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
	struct stream *main = server_find_stream(r, 0);
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
		server_later(r, MSG_FAILED, 0, 125, 0, "the process has ended");
		return;
	}
	msg_put_u32(&b, MSG_STARTED, 0, (uint32_t)stream_pid(main));
	if (msg_peek(&b, PEER_MONITOR, &m, NULL) == 1)
		r->ev.message(r->ev.arg, &m);
	buf_done(&b);
	stream_attach(main);
}

bool container_has_begun(const struct running *r)
{
	return r->started;
}

const struct backend container_backend = {
	.name = "container",
	.plan = container_plan,
	.start = container_start,
	.send = container_send,
	.kill = kill_all,
	.release = container_release,
};
