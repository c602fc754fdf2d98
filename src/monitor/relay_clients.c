/* relay_clients.c - the clients of an instance: they come, ask for things, and go */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/auto.h"
#include "monitor/relay_int.h"

#define MAX_CLIENTS 256

static struct stream *find_client_stream(struct client *c, uint32_t client_id)
{
	struct stream *s = c->relay->execs;

	if (!client_id)
		return &c->relay->main;
	while (s && (s->client != c || s->client_id != client_id))
		s = s->next;
	return s;
}

static void first_settled(struct relay *r, bool attached)
{
	if (r->first_settled)
		return;
	r->first_settled = true;
	r->ops->first_client_settled(r->ops->arg, attached);
}

/* A process goes on: its stdin ends, what it says is dropped.  A copy of files ends. */
static void orphan(struct relay *r, struct stream *s)
{
	AUTO(buf_done) struct buf b = { 0 };
	struct err e;
	struct msg m;

	s->client = NULL;
	if (s->copies)
		msg_put_u32(&b, MSG_SIGNAL, s->id, SIGKILL);
	else
		msg_put(&b, MSG_STDIN_EOF, s->id, NULL, 0);
	if (buf_ok(&b) && msg_peek(&b, PEER_MONITOR, &m, &e) == 1)
		r->ops->to_backend(r->ops->arg, &m);
}

/* What stood still for it goes on. */
static void end_save(struct client *c)
{
	const struct msg go_on = { MSG_SAVE, 0, "\0\0\0", 4 };

	c->saves = false;
	if (questions_add(&c->relay->questions, NULL, MSG_SAVE) == 0)
		relay_send_down(c->relay, MSG_SAVE, 0, &go_on);
}

static void remove_client(struct client *c)
{
	struct relay *r = c->relay;

	for (struct client **p = &r->clients; *p; p = &(*p)->next) {
		if (*p == c) {
			*p = c->next;
			break;
		}
	}
	r->n_clients--;
	if (r->stdin_owner == c) {
		relay_leave_stdin(r);
		if (!r->ops->keep_stdin)
			relay_send_down(r, MSG_STDIN_EOF, 0, NULL);
	}
	for (struct stream *s = r->execs; s; s = s->next)
		if (s->client == c)
			orphan(r, s);
	relay_settle_all_credit(r);
	questions_forget(&r->questions, c);
	if (c->saves)
		end_save(c);
	if (c->first)
		first_settled(r, false);
	conn_free(c->conn);
	free(c);
}

static void refuse(struct client *c, uint32_t stream, int no, const char *text)
{
	msg_put_text(conn_out(c->conn), MSG_ERROR, stream, (uint32_t)no, text);
	conn_flush(c->conn);
}

/* The process goes on as it is, with its stdin open, and unheard. */
static void leave_exec(struct client *c, uint32_t client_id)
{
	struct stream *s = find_client_stream(c, client_id);

	if (!s || s->copies)
		return;
	s->client = NULL;
	relay_settle_credit(c->relay, s);
}

static void on_attach(struct client *c, const struct msg *m)
{
	struct relay *r = c->relay;

	if (m->stream) {
		leave_exec(c, m->stream);
		return;
	}
	c->attach = msg_u32(m, 0);
	c->attached = true;
	if (!(c->attach & ATTACH_STDIN) && r->stdin_owner == c)
		relay_leave_stdin(r);
	if ((c->attach & ATTACH_STDIN) && r->stdin_owner && r->stdin_owner != c)
		refuse(c, 0, EBUSY, "somebody else is attached to its stdin");
	else if (c->attach & ATTACH_STDIN)
		r->stdin_owner = c;
	if (c->first)
		first_settled(r, true);
}

static void on_start(struct client *c, const struct msg *m)
{
	struct relay *r = c->relay;
	const struct stream like = { .client = c, .client_id = m->stream, .copies = m->type != MSG_START };
	struct stream *s;

	if (!m->stream || find_client_stream(c, m->stream)) {
		refuse(c, m->stream, EEXIST, "the stream is in use");
		return;
	}
	s = relay_add_stream(r, &like);
	if (!s) {
		refuse(c, m->stream, ENOMEM, "out of memory");
		return;
	}
	relay_tell_exec(r, s, m);
	relay_send_down(r, m->type, s->id, m);
}

/* STDIN, STDIN_EOF, RESIZE, SIGNAL, CREDIT of a stream that the client may speak for. */
static void on_stream_message(struct client *c, const struct msg *m)
{
	struct stream *s = find_client_stream(c, m->stream);
	bool is_stdin = m->type == MSG_STDIN || m->type == MSG_STDIN_EOF;

	/* CREDIT for output is ours to give: the socket holds a client that reads slowly */
	if (!s || m->type == MSG_CREDIT)
		return;
	if (!s->id && is_stdin) {
		if (c->relay->stdin_owner == c)
			relay_send_input(c->relay, m);
		return;
	}
	if (m->type == MSG_SIGNAL && msg_u32(m, 0) != SIGKILL && c->relay->ops->is_paused(c->relay->ops->arg))
		refuse(c, m->stream, EAGAIN, "it is paused: the signal is heard when it goes on");
	relay_send_down(c->relay, m->type, s->id, m);
}

static void on_pause(struct client *c, const struct msg *m)
{
	struct relay *r = c->relay;
	int no;

	c->awaits_pause = true; /* before it is asked: the back end may answer at once */
	no = -r->ops->pause(r->ops->arg, msg_u32(m, 0));
	if (!no)
		return;
	c->awaits_pause = false;
	msg_put_text(conn_out(c->conn), MSG_PAUSED, 0, (uint32_t)no, "");
	conn_flush(c->conn);
}

/* The monitor's own matter: answered at once. */
static void on_port(struct client *c, const struct msg *m)
{
	struct relay *r = c->relay;
	autofree char *name = msg_text(m);
	int no = name ? -r->ops->port(r->ops->arg, msg_u32(m, 0), name, conn_take_fd(c->conn)) : ENOMEM;

	msg_put_text(conn_out(c->conn), MSG_PORT_REPLY, 0, (uint32_t)no, no ? strerror(no) : "");
	conn_flush(c->conn);
}

/* One at a time: a back end that is busy says so at once, and that would be taken for the answer to what keeps it busy, and that
 * one for the answer to this. */
static bool must_wait(const struct client *c, const struct msg *m)
{
	return m->type == MSG_SAVE && questions_is_open(&c->relay->questions, MSG_SAVE);
}

static void on_question(struct client *c, const struct msg *m)
{
	if (must_wait(c, m) || questions_add(&c->relay->questions, c, m->type) < 0) {
		refuse(c, m->stream, EBUSY, "it does not answer what was asked before");
		return;
	}
	relay_send_down(c->relay, m->type, 0, m);
	if (m->type == MSG_SAVE && msg_u32(m, 0) < SAVE_DISK) /* the others are done whole, whoever goes */
		c->saves = msg_u32(m, 0) != SAVE_GO_ON;
}

static void on_client_message(void *arg, const struct msg *m)
{
	struct client *c = arg;

	if (!c->greeted && (m->type != MSG_HELLO || msg_u32(m, 0) != MSG_VERSION)) {
		refuse(c, 0, EPROTO, "another version of Ketch started this instance");
		return;
	}
	switch ((int)m->type) {
	case MSG_HELLO:
		c->greeted = true;
		break;
	case MSG_ATTACH:
		on_attach(c, m);
		break;
	case MSG_START:
	case MSG_GET:
	case MSG_PUT:
		on_start(c, m);
		break;
	case MSG_STOP:
		c->relay->ops->stop(c->relay->ops->arg, (int)msg_u32(m, 0), msg_u32(m, 1));
		break;
	case MSG_PAUSE:
		on_pause(c, m);
		break;
	case MSG_PORT:
		on_port(c, m);
		break;
	case MSG_STATS:
	case MSG_TOP:
	case MSG_UPDATE:
	case MSG_NETWORK:
	case MSG_SAVE:
		on_question(c, m);
		break;
	default:
		on_stream_message(c, m);
	}
}

static void on_client_closed(void *arg, const struct err *why)
{
	(void)why;
	remove_client(arg);
}

static void on_client_drained(void *arg)
{
	struct client *c = arg;

	relay_settle_all_credit(c->relay);
}

static const struct conn_ops client_ops = { on_client_message, on_client_closed, on_client_drained };

int relay_add_client(struct relay *r, int fd, bool first)
{
	struct client *c;

	if (r->n_clients >= MAX_CLIENTS) {
		close(fd);
		return -EMFILE;
	}
	c = calloc(1, sizeof(*c));
	if (!c) {
		close(fd);
		return -ENOMEM;
	}
	*c = (struct client){ .next = r->clients, .relay = r, .first = first };
	c->conn = conn_new(r->loop, fd, PEER_CLIENT, &client_ops, c);
	if (!c->conn) {
		free(c);
		return -errno;
	}
	r->clients = c;
	r->n_clients++;
	msg_put_u32(conn_out(c->conn), MSG_HELLO, 0, MSG_VERSION);
	conn_flush(c->conn);
	return 0;
}
