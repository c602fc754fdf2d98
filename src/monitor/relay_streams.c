/* relay_streams.c - the streams of an instance: their numbers, what goes down to the back end, credit for what comes up */
#include <stdlib.h>

#include "base/auto.h"
#include "monitor/relay_int.h"

struct stream *relay_find_stream(struct relay *r, uint32_t id)
{
	struct stream *s = r->execs;

	if (!id)
		return &r->main;
	while (s && s->id != id)
		s = s->next;
	return s;
}

void relay_remove_stream(struct relay *r, struct stream *s)
{
	for (struct stream **p = &r->execs; *p; p = &(*p)->next) {
		if (*p == s) {
			*p = s->next;
			free(s);
			return;
		}
	}
}

struct stream *relay_add_stream(struct relay *r, const struct stream *like)
{
	struct stream *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	do
		r->last_id = r->last_id == UINT32_MAX ? 1 : r->last_id + 1;
	while (relay_find_stream(r, r->last_id));
	*s = *like;
	s->id = r->last_id;
	s->next = r->execs;
	r->execs = s;
	return s;
}

/* --- to the back end */

void relay_send_down(struct relay *r, enum msg_type type, uint32_t id, const struct msg *like)
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

void relay_send_input(struct relay *r, const struct msg *m)
{
	if (input_pass(&r->input, m))
		relay_send_down(r, m->type, 0, m);
}

void relay_release_input(struct relay *r)
{
	struct buf held = r->input.held;
	struct err e;
	struct msg m;

	r->input.held = (struct buf){ 0 };
	while (msg_peek(&held, PEER_CLIENT, &m, &e) == 1) {
		relay_send_input(r, &m);
		msg_drop(&held, &m);
	}
	buf_done(&held);
}

void relay_leave_stdin(struct relay *r)
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

void relay_settle_credit(struct relay *r, struct stream *s)
{
	if (is_choked(r, s))
		return;
	give_credit(r, s, 1);
	give_credit(r, s, 2);
}

void relay_settle_all_credit(struct relay *r)
{
	relay_settle_credit(r, &r->main);
	for (struct stream *s = r->execs; s; s = s->next)
		relay_settle_credit(r, s);
}

void relay_tell_exec(const struct relay *r, const struct stream *s, const struct msg *m)
{
	if (!s->copies && r->ops->exec)
		r->ops->exec(r->ops->arg, s->id, m);
}
