/* compare_run.c - starts one instance, times its first output and its end, keeps the beginning of what it says */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "base/clock.h"
#include "engine/compare_int.h"
#include "wire/conn.h"

#define OUT_KEPT (64 * 1024)

struct watcher {
	struct run_result *r;
	const struct run_wish *wish;
	struct conn *conn;
	int64_t began_ns;
	bool over;
	struct err why; /* why.no: it could not be started, or was lost */
};

static void finish(struct watcher *w)
{
	w->r->total_ns = clock_mono_ns() - w->began_ns;
	w->over = true;
}

static void on_output(struct watcher *w, const struct msg *m)
{
	struct buf *out = &w->r->out;
	size_t room = out->len < OUT_KEPT ? OUT_KEPT - out->len : 0;

	if (w->r->first_ns < 0)
		w->r->first_ns = clock_mono_ns() - w->began_ns;
	if (m->type == MSG_STDOUT)
		buf_add(out, m->data, m->len < room ? m->len : room);
	msg_put_u32x2(conn_out(w->conn), MSG_CREDIT, 0, m->type == MSG_STDOUT ? 1 : 2, (uint32_t)m->len);
	conn_flush(w->conn);
	if (w->wish->until_line && out->len && memchr(out->data, '\n', out->len))
		finish(w);
}

static void on_failed(struct watcher *w, const struct msg *m)
{
	autofree char *text = msg_text(m);

	err_set(&w->why, EIO, "%s", text && *text ? text : "the process could not be started");
	finish(w);
}

static void on_message(void *arg, const struct msg *m)
{
	struct watcher *w = arg;

	if (w->over || m->stream)
		return;
	if (m->type == MSG_STDOUT || m->type == MSG_STDERR) {
		on_output(w, m);
	} else if (m->type == MSG_FAILED) {
		on_failed(w, m);
	} else if (m->type == MSG_EXIT) {
		w->r->status = (int)(msg_u32(m, 0) & 0xff);
		finish(w);
	}
}

static void on_closed(void *arg, const struct err *why)
{
	struct watcher *w = arg;

	if (w->over)
		return;
	err_set(&w->why, ECONNRESET, "the connection to the monitor was lost%s%s", why->no ? ": " : "",
		why->msg);
	finish(w);
}

static int watch(struct loop *loop, struct watcher *w)
{
	int64_t deadline = w->began_ns + w->wish->deadline_ms * INT64_C(1000000);

	msg_put_u32(conn_out(w->conn), MSG_HELLO, 0, MSG_VERSION);
	msg_put_u32(conn_out(w->conn), MSG_ATTACH, 0, ATTACH_STDOUT | ATTACH_STDERR);
	conn_flush(w->conn);
	while (!w->over) {
		int64_t left_ms = (deadline - clock_mono_ns()) / 1000000;
		int r = left_ms > 0 ? loop_once(loop, (int)left_ms) : 0;

		if (r < 0)
			return r;
		if (left_ms <= 0)
			finish(w);
	}
	return 0;
}

static int attach(int fd, struct watcher *w, struct err *e)
{
	static const struct conn_ops ops = { .message = on_message, .closed = on_closed };
	struct loop *loop = loop_new();
	int r = -ENOMEM;

	if (loop) {
		w->conn = conn_new(loop, fd, PEER_MONITOR, &ops, w);
		r = w->conn ? watch(loop, w) : -errno;
		conn_free(w->conn);
	}
	loop_free(loop);
	if (r < 0)
		return err_sys(e, -r, "cannot attach");
	if (w->why.no)
		return err_set(e, w->why.no, "%s", w->why.msg);
	return 0;
}

static void remove_instance(struct engine *en, const char *id)
{
	struct instance in = { 0 };

	if (engine_find(en, id, &in, NULL) == 0)
		engine_remove(en, &in, REMOVE_FORCE, NULL);
	instance_done(&in);
}

void run_result_done(struct engine *en, struct run_result *r)
{
	if (r->spec.id)
		remove_instance(en, r->spec.id);
	json_done(&instance_spec_table, &r->spec);
	buf_done(&r->out);
}

int compare_run(struct engine *en, const struct run_request *rq, const struct run_wish *w,
		struct run_result *ret, struct err *e)
{
	struct run_result res = { .first_ns = -1, .status = -1 };
	struct watcher watcher = { .r = &res, .wish = w, .began_ns = clock_mono_ns() };
	int fd = -1, r = engine_create(en, rq, &res.spec, e);

	if (r == 0)
		r = engine_start(en, &res.spec, &fd, e);
	if (r == 0)
		r = attach(fd, &watcher, e);
	if (r < 0) {
		run_result_done(en, &res);
		return r;
	}
	*ret = res;
	return 0;
}
