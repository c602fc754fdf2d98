/* streams.c - the processes that a guest runs, as far as it is believed */
#include "vm/streams.h"

#include <errno.h>
#include <stdlib.h>

#include "instance/stats.h"

#define COMPLAINT_MAX 4096 /* what a copy may say on STDERR: one line */

/* One process, from START, GET or PUT to EXIT or FAILED. */
struct stream {
	uint32_t id;
	enum msg_type began; /* by START, GET or PUT */
	bool started; /* STARTED was heard */
	uint32_t complaint; /* of GET and PUT: bytes of STDERR so far */
	uint32_t under_way[3]; /* bytes not yet credited: 0 to the guest, 1 and 2 from it */
	uint32_t asked; /* what may be answered with ERROR and was not */
};

void streams_done(struct streams *s)
{
	free(s->v);
	*s = (struct streams){ 0 };
}

bool streams_get(const struct streams *s, size_t i, struct stream_rest *ret)
{
	const struct stream *st = i < s->n ? &s->v[i] : NULL;

	if (st)
		*ret = (struct stream_rest){ st->id,
					     st->started,
					     { st->under_way[0], st->under_way[1], st->under_way[2] } };
	return st;
}

bool streams_are_asked(const struct streams *s)
{
	for (size_t i = 0; i < MSG_N; i++)
		if (s->asked[i])
			return true;
	return false;
}

static struct stream *find(struct streams *s, uint32_t id)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->v[i].id == id)
			return &s->v[i];
	return NULL;
}

static int add(struct streams *s, uint32_t id, enum msg_type began)
{
	struct stream *v;

	if (find(s, id))
		return -EEXIST;
	v = reallocarray(s->v, s->n + 1, sizeof(*v));
	if (!v)
		return -ENOMEM;
	s->v = v;
	s->v[s->n++] = (struct stream){ .id = id, .began = began };
	return 1;
}

static void drop(struct streams *s, struct stream *st)
{
	*st = s->v[--s->n];
}

int streams_to_guest(struct streams *s, const struct msg *m)
{
	struct stream *st = find(s, m->stream);
	uint32_t which, n;

	switch ((int)m->type) {
	case MSG_START:
	case MSG_GET:
	case MSG_PUT:
		return add(s, m->stream, m->type);
	case MSG_STATS:
	case MSG_TOP:
	case MSG_UPDATE:
	case MSG_NETWORK:
		s->asked[msg_answer(m->type)]++;
		return 1;
	case MSG_SHUTDOWN:
		return 1;
	case MSG_STDIN:
		if (st)
			st->under_way[0] += (uint32_t)m->len;
		return st ? 1 : 0;
	case MSG_CREDIT:
		which = msg_u32(m, 0);
		n = msg_u32(m, 1);
		if (!st || which < 1 || which > 2)
			return 0;
		st->under_way[which] -= n < st->under_way[which] ? n : st->under_way[which];
		return 1;
	default: /* SIGNAL, RESIZE, STDIN_EOF */
		if (st)
			st->asked++;
		return st ? 1 : 0;
	}
}

static int liar(const struct msg *m, const char *what, struct err *e)
{
	return err_set(e, EPROTO, "the guest sent %s %s (stream %u)", msg_name(m->type), what, m->stream);
}

static int check_output(struct stream *st, const struct msg *m, struct err *e)
{
	uint32_t *under_way = &st->under_way[m->type == MSG_STDOUT ? 1 : 2];

	if (m->len > MSG_WINDOW - *under_way)
		return liar(m, "beyond its window", e);
	if (st->began == MSG_PUT && m->type == MSG_STDOUT)
		return liar(m, "where files go in", e);
	if (st->began != MSG_START && m->type == MSG_STDERR) {
		st->complaint += (uint32_t)m->len;
		if (st->complaint > COMPLAINT_MAX)
			return liar(m, "without an end", e);
	}
	*under_way += (uint32_t)m->len;
	return 1;
}

static int check_credit(struct stream *st, const struct msg *m, struct err *e)
{
	uint32_t n = msg_u32(m, 1);

	if (msg_u32(m, 0) != 0 || !n || n > st->under_way[0])
		return liar(m, "for bytes that it did not get", e);
	st->under_way[0] -= n;
	return 1;
}

static int check_of_stream(struct streams *s, struct stream *st, const struct msg *m, struct err *e)
{
	if (m->type == MSG_STARTED || m->type == MSG_FAILED) {
		if (st->started)
			return liar(m, "for a process that runs", e);
		st->started = true;
		if (m->type == MSG_FAILED)
			drop(s, st);
		return 1;
	}
	if (!st->started)
		return liar(m, "for a process that has not started", e);
	if (m->type == MSG_STDOUT || m->type == MSG_STDERR)
		return check_output(st, m, e);
	if (m->type == MSG_CREDIT)
		return check_credit(st, m, e);
	drop(s, st); /* EXIT */
	return 1;
}

static int check_answer(struct streams *s, const struct msg *m, struct err *e)
{
	struct err why;
	struct stats st;

	if (!s->asked[m->type] || m->stream)
		return liar(m, "unasked", e);
	if (m->type == MSG_STATS_REPLY && stats_parse(m->data, m->len, &st, &why) < 0)
		return liar(m, "that are none", e);
	if (m->type == MSG_TOP_REPLY && m->len) { /* a part of it */
		s->top_bytes += m->len;
		return s->top_bytes > MSG_MAX_TOP ? liar(m, "without an end", e) : 1;
	}
	if (m->type == MSG_TOP_REPLY)
		s->top_bytes = 0;
	s->asked[m->type]--;
	return 1;
}

int streams_from_guest(struct streams *s, const struct msg *m, struct err *e)
{
	struct stream *st = find(s, m->stream);

	switch ((int)m->type) {
	case MSG_STARTED:
	case MSG_FAILED:
	case MSG_STDOUT:
	case MSG_STDERR:
	case MSG_EXIT:
		return st ? check_of_stream(s, st, m, e) : liar(m, "for a process that is not there", e);
	case MSG_CREDIT:
		/* bytes that were under way when their process ended are paid back behind its EXIT */
		return st ? check_of_stream(s, st, m, e) : 0;
	case MSG_STATS_REPLY:
	case MSG_TOP_REPLY:
	case MSG_UPDATE_REPLY:
	case MSG_NETWORK_REPLY:
		return check_answer(s, m, e);
	case MSG_ERROR:
		/* what it answers may have crossed the end of its process; without a question it is only memory
		 * that a client who reads slowly would make us keep */
		if (!st || !st->asked)
			return 0;
		st->asked--;
		return 1;
	default:
		return liar(m, "out of turn", e);
	}
}
