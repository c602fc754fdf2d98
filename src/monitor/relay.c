/* relay.c - between the clients of an instance and its back end: who hears what, and in whose numbers */
#include "monitor/relay.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/auto.h"
#include "monitor/input.h"
#include "monitor/questions.h"
#include "wire/conn.h"

#define MAX_CLIENTS 256

struct client {
	struct client *next;
	struct relay *relay;
	struct conn *conn;
	bool greeted; /* has sent HELLO */
	bool first;
	bool attached; /* to stream 0 */
	bool awaits_pause;
	uint32_t attach; /* enum attach_flags */
};

/* An exec, or a copy of files: a process besides the main one. */
struct stream {
	struct stream *next;
	uint32_t id; /* for the back end */
	struct client *client; /* NULL: gone */
	uint32_t client_id;
	uint32_t owed[3]; /* CREDIT held back, per descriptor */
	bool copies; /* files: of no use without its client */
	bool own; /* the monitor's */
};

struct relay {
	struct loop *loop;
	const struct relay_ops *ops;
	struct log *log;
	struct client *clients;
	unsigned n_clients;
	struct stream main; /* id 0 */
	struct stream *execs;
	struct client *stdin_owner; /* of stream 0 */
	struct input input;
	struct questions questions;
	uint32_t last_id;
	bool first_settled;
};

struct relay *relay_new(struct loop *loop, const struct relay_ops *ops, struct log *log)
{
	struct relay *r = calloc(1, sizeof(*r));

	if (r)
		*r = (struct relay){ .loop = loop, .ops = ops, .log = log };
	return r;
}

/* --- streams */

static struct stream *find_stream(struct relay *r, uint32_t id)
{
	struct stream *s = r->execs;

	if (!id)
		return &r->main;
	while (s && s->id != id)
		s = s->next;
	return s;
}

static struct stream *find_client_stream(struct client *c, uint32_t client_id)
{
	struct stream *s = c->relay->execs;

	if (!client_id)
		return &c->relay->main;
	while (s && (s->client != c || s->client_id != client_id))
		s = s->next;
	return s;
}

static void remove_stream(struct relay *r, struct stream *s)
{
	for (struct stream **p = &r->execs; *p; p = &(*p)->next) {
		if (*p == s) {
			*p = s->next;
			free(s);
			return;
		}
	}
}

/* --- to the back end */

static void send_down(struct relay *r, enum msg_type type, uint32_t id, const struct msg *like)
{
	struct msg m = { type, id, like ? like->data : NULL, like ? like->len : 0 };

	r->ops->to_backend(r->ops->arg, &m);
}

static void give_credit(struct relay *r, struct stream *s, unsigned which)
{
	AUTO(buf_done) struct buf b = { 0 };
	struct err e;
	struct msg m;

	if (!s->owed[which])
		return;
	msg_put_u32x2(&b, MSG_CREDIT, s->id, which, s->owed[which]);
	s->owed[which] = 0;
	if (buf_ok(&b) && msg_peek(&b, PEER_MONITOR, &m, &e) == 1)
		r->ops->to_backend(r->ops->arg, &m);
}

/* STDIN and STDIN_EOF of stream 0, of its owner. */
static void send_main_input(struct relay *r, const struct msg *m)
{
	if (input_pass(&r->input, m))
		send_down(r, m->type, 0, m);
}

static void release_held_input(struct relay *r)
{
	struct buf held = r->input.held;
	struct err e;
	struct msg m;

	r->input.held = (struct buf){ 0 };
	while (msg_peek(&held, PEER_CLIENT, &m, &e) == 1) {
		send_main_input(r, &m);
		msg_drop(&held, &m);
	}
	buf_done(&held);
}

static void leave_stdin(struct relay *r)
{
	r->stdin_owner = NULL;
	input_leave(&r->input);
}

/* Does anybody who hears this stream lag behind? */
static bool is_choked(const struct relay *r, const struct stream *s)
{
	if (s->id)
		return s->client && conn_is_high(s->client->conn);
	for (const struct client *c = r->clients; c; c = c->next)
		if (c->attached && conn_is_high(c->conn))
			return true;
	return false;
}

static void settle_credit(struct relay *r, struct stream *s)
{
	if (is_choked(r, s))
		return;
	give_credit(r, s, 1);
	give_credit(r, s, 2);
}

static void settle_all_credit(struct relay *r)
{
	settle_credit(r, &r->main);
	for (struct stream *s = r->execs; s; s = s->next)
		settle_credit(r, s);
}

/* --- clients */

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
		leave_stdin(r);
		if (!r->ops->keep_stdin)
			send_down(r, MSG_STDIN_EOF, 0, NULL);
	}
	for (struct stream *s = r->execs; s; s = s->next)
		if (s->client == c)
			orphan(r, s);
	settle_all_credit(r);
	questions_forget(&r->questions, c);
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
	settle_credit(c->relay, s);
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
		leave_stdin(r);
	if ((c->attach & ATTACH_STDIN) && r->stdin_owner && r->stdin_owner != c)
		refuse(c, 0, EBUSY, "somebody else is attached to its stdin");
	else if (c->attach & ATTACH_STDIN)
		r->stdin_owner = c;
	if (c->first)
		first_settled(r, true);
}

static void tell_exec(const struct relay *r, const struct stream *s, const struct msg *m)
{
	if (!s->copies && r->ops->exec)
		r->ops->exec(r->ops->arg, s->id, m);
}

/* A further stream with a number of its own; NULL: out of memory. */
static struct stream *add_stream(struct relay *r, const struct stream *like)
{
	struct stream *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	do
		r->last_id = r->last_id == UINT32_MAX ? 1 : r->last_id + 1;
	while (find_stream(r, r->last_id));
	*s = *like;
	s->id = r->last_id;
	s->next = r->execs;
	r->execs = s;
	return s;
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
	s = add_stream(r, &like);
	if (!s) {
		refuse(c, m->stream, ENOMEM, "out of memory");
		return;
	}
	tell_exec(r, s, m);
	send_down(r, m->type, s->id, m);
}

uint32_t relay_begin(struct relay *r, const struct buf *json)
{
	struct stream *s = add_stream(r, &(const struct stream){ .own = true });
	const struct msg start = { MSG_START, s ? s->id : 0, json->data, json->len };

	if (!s)
		return 0;
	tell_exec(r, s, &start);
	send_down(r, MSG_START, s->id, &start);
	return start.stream;
}

void relay_kill(struct relay *r, uint32_t id)
{
	AUTO(buf_done) struct buf b = { 0 };
	struct err e;
	struct msg m;

	msg_put_u32(&b, MSG_SIGNAL, id, SIGKILL);
	if (buf_ok(&b) && msg_peek(&b, PEER_MONITOR, &m, &e) == 1)
		r->ops->to_backend(r->ops->arg, &m);
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
			send_main_input(c->relay, m);
		return;
	}
	send_down(c->relay, m->type, s->id, m);
}

static void on_pause(struct client *c, const struct msg *m)
{
	struct relay *r = c->relay;
	int no = -r->ops->pause(r->ops->arg, msg_u32(m, 0));

	c->awaits_pause = !no;
	if (!no)
		return;
	msg_put_text(conn_out(c->conn), MSG_PAUSED, 0, (uint32_t)no, "");
	conn_flush(c->conn);
}

static void on_question(struct client *c, const struct msg *m)
{
	if (questions_add(&c->relay->questions, c, m->type) < 0)
		refuse(c, m->stream, EBUSY, "it does not answer what was asked before");
	else
		send_down(c->relay, m->type, 0, m);
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
	case MSG_STATS:
	case MSG_TOP:
	case MSG_UPDATE:
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

	settle_all_credit(c->relay);
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

/* --- from the back end */

static void forward(struct client *c, const struct msg *m, uint32_t client_id)
{
	msg_put(conn_out(c->conn), m->type, client_id, m->data, m->len);
	conn_flush(c->conn);
}

static bool hears(const struct client *c, const struct msg *m)
{
	if (m->type == MSG_STDOUT)
		return c->attach & ATTACH_STDOUT;
	if (m->type == MSG_STDERR)
		return c->attach & ATTACH_STDERR;
	return c->attached;
}

static void forward_main(struct relay *r, const struct msg *m)
{
	for (struct client *c = r->clients, *next; c; c = next) {
		next = c->next;
		if (hears(c, m))
			forward(c, m, 0);
	}
}

static void credit_stdin(struct relay *r, uint32_t n)
{
	bool release;

	n = input_credit(&r->input, n, &release);
	if (n && r->stdin_owner) {
		msg_put_u32x2(conn_out(r->stdin_owner->conn), MSG_CREDIT, 0, 0, n);
		conn_flush(r->stdin_owner->conn);
	}
	if (release)
		release_held_input(r);
}

void relay_paused(struct relay *r, int no, const char *text)
{
	for (struct client *c = r->clients, *next; c; c = next) {
		next = c->next;
		if (!c->awaits_pause)
			continue;
		c->awaits_pause = false;
		msg_put_text(conn_out(c->conn), MSG_PAUSED, 0, (uint32_t)no, text);
		conn_flush(c->conn);
	}
}

static bool is_end(const struct msg *m)
{
	return m->type == MSG_EXIT || m->type == MSG_FAILED;
}

void relay_from_backend(struct relay *r, const struct msg *m)
{
	bool out = m->type == MSG_STDOUT || m->type == MSG_STDERR;
	unsigned which = m->type == MSG_STDERR ? 2 : 1;
	struct stream *s = find_stream(r, m->stream);

	if (!s)
		return;
	if (!s->id && m->type == MSG_CREDIT) {
		if (msg_u32(m, 0) == 0)
			credit_stdin(r, msg_u32(m, 1));
		return;
	}
	if (questions_is_answer(m->type)) {
		struct client *c = questions_take(&r->questions, m);

		if (c)
			forward(c, m, 0);
		return;
	}
	if (out && !s->id && r->log)
		log_write(r->log, which == 2 ? LOG_STDERR : LOG_STDOUT, m->data, m->len);
	if (!s->id)
		forward_main(r, m);
	else if (s->client)
		forward(s->client, m, s->client_id);
	else if (s->own && !is_end(m))
		r->ops->own(r->ops->arg, s->id, m);
	if (out) {
		s->owed[which] += (uint32_t)m->len;
		settle_credit(r, s);
	}
	if (s->id && is_end(m)) {
		bool own = s->own;

		tell_exec(r, s, m);
		remove_stream(r, s);
		if (own) /* last: it may begin the next */
			r->ops->own(r->ops->arg, m->stream, m);
	}
}

void relay_finish(struct relay *r, const struct msg *last, int timeout_ms)
{
	for (struct stream *s = r->execs; s; s = s->next)
		if (s->client && last->type == MSG_FAILED) /* none began */
			msg_put(conn_out(s->client->conn), last->type, s->client_id, last->data, last->len);
		else if (s->client)
			msg_put_u32x2(conn_out(s->client->conn), MSG_EXIT, s->client_id, 137, 0);
	for (struct client *c = r->clients; c; c = c->next) {
		if (c->attached || c->first)
			msg_put(conn_out(c->conn), last->type, 0, last->data, last->len);
		conn_drain(c->conn, timeout_ms);
	}
}

bool relay_has_first_client(const struct relay *r)
{
	for (const struct client *c = r->clients; c; c = c->next)
		if (c->first && (c->attach & (ATTACH_STDIN | ATTACH_STDOUT | ATTACH_STDERR)))
			return true;
	return false;
}

struct relay *relay_free(struct relay *r)
{
	if (!r)
		return NULL;
	for (struct client *c = r->clients, *next; c; c = next) {
		next = c->next;
		conn_free(c->conn);
		free(c);
	}
	while (r->execs)
		remove_stream(r, r->execs);
	input_done(&r->input);
	free(r);
	return NULL;
}
