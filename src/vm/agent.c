/* agent.c - the host's side of the conversation with ketch-guest */
#include "vm/agent.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/clock.h"
#include "wire/conn.h"

enum agent_state { WAIT_HELLO, WAIT_READY, UP, LOST };

struct agent {
	struct conn *conn;
	const struct agent_ops *ops;
	void *arg;
	enum agent_state state;
	struct buf config; /* until it is sent */
	bool restored, silent;
	unsigned silences; /* asked for and not answered */
	struct streams streams;
};

static void lose(struct agent *a, const struct err *why)
{
	if (a->state == LOST)
		return;
	a->state = LOST;
	a->conn = conn_free(a->conn);
	a->ops->lost(a->arg, why);
}

/* Only now: what was read before the machine booted would be seconds old. */
static void put_clock(struct buf *out)
{
	int64_t now_ns = clock_real_ns();

	msg_put_u32x2(out, MSG_CLOCK, 0, (uint32_t)(now_ns / NS_PER_S), (uint32_t)(now_ns % NS_PER_S));
}

/* The pool of a restored kernel is that of all who were restored from the same. */
static void put_seed(struct buf *out)
{
	uint8_t seed[MSG_SEED_BYTES];

	if (getrandom(seed, sizeof(seed), 0) == sizeof(seed))
		msg_put(out, MSG_SEED, 0, seed, sizeof(seed));
	explicit_bzero(seed, sizeof(seed));
}

static void on_hello(struct agent *a, const struct msg *m)
{
	struct err e;

	if (m->type != MSG_HELLO || msg_u32(m, 0) != MSG_VERSION) {
		err_set(&e, EPROTO,
			m->type == MSG_HELLO ? "the guest speaks another version of the protocol"
					     : "the guest did not say HELLO");
		lose(a, &e);
		return;
	}
	a->state = WAIT_READY;
	put_clock(conn_out(a->conn));
	if (a->restored)
		put_seed(conn_out(a->conn));
	msg_put(conn_out(a->conn), MSG_CONFIG, 0, a->config.data, a->config.len);
	buf_done(&a->config);
	conn_flush(a->conn);
}

/* The guest may find out only by the config that it cannot go on: FAILED of stream 0, instead of READY. */
static void on_readiness(struct agent *a, const struct msg *m)
{
	char *text = NULL;
	struct err e;

	if (m->type == MSG_READY) {
		a->state = UP;
		a->ops->ready(a->arg);
		return;
	}
	if (m->type == MSG_FAILED && !m->stream)
		text = msg_text(m);
	err_set(&e, text ? EIO : EPROTO, "%s", text ? text : "the guest did not say READY");
	free(text);
	lose(a, &e);
}

static void on_message(void *arg, const struct msg *m)
{
	struct agent *a = arg;
	struct err e;
	int r;

	if (a->state == WAIT_HELLO) {
		on_hello(a, m);
		return;
	}
	if (a->state == WAIT_READY) {
		on_readiness(a, m);
		return;
	}
	if (m->type == MSG_SILENCE && a->silences) {
		if (!--a->silences && a->silent)
			a->ops->silent(a->arg);
		return;
	}
	r = streams_from_guest(&a->streams, m, &e);
	if (r < 0)
		lose(a, &e);
	else if (r > 0)
		a->ops->message(a->arg, m);
}

static void on_closed(void *arg, const struct err *why)
{
	struct err e = *why;

	if (e.no)
		err_wrap(&e, 0, "the guest broke the protocol");
	lose(arg, &e);
}

static const struct conn_ops conn_ops = { on_message, on_closed, NULL };

struct agent *agent_new(struct loop *l, int fd, const struct agent_start *start, const struct agent_ops *ops,
			void *arg)
{
	struct agent *a = calloc(1, sizeof(*a));

	if (!a) {
		close(fd);
		return NULL;
	}
	*a = (struct agent){ .ops = ops, .arg = arg, .restored = start->restored };
	buf_add(&a->config, start->config->data, start->config->len);
	a->conn = conn_new(l, fd, PEER_GUEST, &conn_ops, a);
	if (!a->conn || !buf_ok(&a->config))
		return agent_free(a);
	msg_put_u32(conn_out(a->conn), MSG_HELLO, 0, MSG_VERSION);
	conn_flush(a->conn);
	return a;
}

struct agent *agent_free(struct agent *a)
{
	if (!a)
		return NULL;
	conn_free(a->conn);
	buf_done(&a->config);
	streams_done(&a->streams);
	free(a);
	return NULL;
}

const struct streams *agent_streams(const struct agent *a)
{
	return &a->streams;
}

void agent_send(struct agent *a, const struct msg *m)
{
	if (a->state != UP || streams_to_guest(&a->streams, m) != 1)
		return;
	msg_put(conn_out(a->conn), m->type, m->stream, m->data, m->len);
	conn_flush(a->conn);
}

int agent_silence(struct agent *a, bool silent)
{
	if (a->state != UP)
		return -ENOTCONN;
	if (!silent)
		conn_silence(a->conn, false);
	msg_put_u32(conn_out(a->conn), MSG_SILENCE, 0, silent);
	conn_flush(a->conn);
	if (silent)
		conn_silence(a->conn, true);
	a->silent = silent;
	a->silences += silent;
	return 0;
}

void agent_set_clock(struct agent *a)
{
	if (a->state != UP)
		return;
	put_clock(conn_out(a->conn));
	conn_flush(a->conn);
}
