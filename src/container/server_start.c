/* server_start.c - what is asked of the process server to begin: a process (START), a copy of files (GET, PUT) */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

#include "base/json.h"
#include "cgroup/ops.h"
#include "container/restore.h"
#include "container/server_int.h"
#include "instance/file_request.h"

#define MAX_STREAMS 1024

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
	struct stream *first = server_find_stream(r, 0);

	if (server_find_stream(r, id) || (id == 0 && r->started))
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
	if (b->copy)
		k = stream_start_copy(s, b->copy, e);
	else if (!id && restore_is_asked(&r->c))
		k = stream_restore(s, b->process, e);
	else
		k = stream_start(s, b->process, e);
	if (k < 0) {
		r->n_streams--;
		stream_free(s);
		return k;
	}
	if (id || stream_pidfd(s) < 0) /* one that is restored says it when it is there */
		return 0;
	r->c.init_pidfd = fcntl(stream_pidfd(s), F_DUPFD_CLOEXEC, 3);
	r->c.state->pid = stream_pid(s);
	return 0;
}

void server_start_process(struct running *r, const struct msg *m)
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
	server_later(r, MSG_FAILED, m->stream, (uint32_t)status, 0, e.msg);
	if (m->stream == 0 && !server_find_stream(r, 0))
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
		server_go_on(r);
	return k;
}

void server_start_copy(struct running *r, const struct msg *m)
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
		server_later(r, MSG_FAILED, m->stream, 125, 0, e.msg);
}
