/* relay.c - between the clients of an instance and its back end: who hears what, and in whose numbers
 *
 * relay_clients.c has what clients ask for, relay_streams.c the streams that it is about.
 */
#include <signal.h>
#include <stdlib.h>

#include "base/auto.h"
#include "monitor/relay_int.h"

struct relay *relay_new(struct loop *loop, const struct relay_ops *ops, struct log *log)
{
	struct relay *r = calloc(1, sizeof(*r));

	if (r)
		*r = (struct relay){ .loop = loop, .ops = ops, .log = log };
	return r;
}

/* --- of the monitor itself */

uint32_t relay_begin(struct relay *r, const struct buf *json)
{
	struct stream *s = relay_add_stream(r, &(const struct stream){ .own = true });
	const struct msg start = { MSG_START, s ? s->id : 0, json->data, json->len };

	if (!s)
		return 0;
	relay_tell_exec(r, s, &start);
	relay_send_down(r, MSG_START, s->id, &start);
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
		relay_release_input(r);
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
	struct stream *s = relay_find_stream(r, m->stream);

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
		relay_settle_credit(r, s);
	}
	if (s->id && is_end(m)) {
		bool own = s->own;

		relay_tell_exec(r, s, m);
		relay_remove_stream(r, s);
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
		relay_remove_stream(r, r->execs);
	input_done(&r->input);
	free(r);
	return NULL;
}
