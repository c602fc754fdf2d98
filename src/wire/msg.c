/* msg.c - messages over one byte stream: client <-> ketch-monitor <-> guest agent */
#include "wire/msg.h"

#include <assert.h>
#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"

/* What each type may look like and who may send it.  max 0: empty. */
static const struct {
	const char *name;
	unsigned from;
	uint32_t min, max;
} types[] = {
	[MSG_HELLO] = { "HELLO", PEER_MONITOR | PEER_GUEST | PEER_CLIENT, 4, 4 },
	[MSG_CONFIG] = { "CONFIG", PEER_MONITOR, 2, MSG_MAX_JSON },
	[MSG_READY] = { "READY", PEER_MONITOR | PEER_GUEST, 0, 0 },
	[MSG_ATTACH] = { "ATTACH", PEER_CLIENT, 4, 4 },
	[MSG_START] = { "START", PEER_MONITOR | PEER_CLIENT, 2, MSG_MAX_JSON },
	[MSG_STARTED] = { "STARTED", PEER_MONITOR | PEER_GUEST, 4, 4 },
	[MSG_FAILED] = { "FAILED", PEER_MONITOR | PEER_GUEST, 4, 4096 },
	[MSG_STDIN] = { "STDIN", PEER_MONITOR | PEER_CLIENT, 1, MSG_MAX_DATA },
	[MSG_STDIN_EOF] = { "STDIN_EOF", PEER_MONITOR | PEER_CLIENT, 0, 0 },
	[MSG_STDOUT] = { "STDOUT", PEER_MONITOR | PEER_GUEST, 1, MSG_MAX_DATA },
	[MSG_STDERR] = { "STDERR", PEER_MONITOR | PEER_GUEST, 1, MSG_MAX_DATA },
	[MSG_CREDIT] = { "CREDIT", PEER_MONITOR | PEER_GUEST | PEER_CLIENT, 8, 8 },
	[MSG_RESIZE] = { "RESIZE", PEER_MONITOR | PEER_CLIENT, 8, 8 },
	[MSG_SIGNAL] = { "SIGNAL", PEER_MONITOR | PEER_CLIENT, 4, 4 },
	[MSG_EXIT] = { "EXIT", PEER_MONITOR | PEER_GUEST, 8, 8 },
	[MSG_STATS] = { "STATS", PEER_MONITOR | PEER_CLIENT, 0, 0 },
	[MSG_STATS_REPLY] = { "STATS_REPLY", PEER_MONITOR | PEER_GUEST, 2, MSG_MAX_DATA },
	[MSG_SHUTDOWN] = { "SHUTDOWN", PEER_MONITOR, 0, 0 },
	[MSG_STOP] = { "STOP", PEER_CLIENT, 8, 8 },
	[MSG_ERROR] = { "ERROR", PEER_MONITOR | PEER_GUEST, 4, 4096 },
	[MSG_CLOCK] = { "CLOCK", PEER_MONITOR, 8, 8 },
	[MSG_GET] = { "GET", PEER_MONITOR | PEER_CLIENT, 2, MSG_MAX_PATHS },
	[MSG_PUT] = { "PUT", PEER_MONITOR | PEER_CLIENT, 2, MSG_MAX_PATHS },
	[MSG_PAUSE] = { "PAUSE", PEER_MONITOR | PEER_CLIENT, 4, 4 },
	[MSG_PAUSED] = { "PAUSED", PEER_MONITOR, 4, 4096 },
	[MSG_TOP] = { "TOP", PEER_MONITOR | PEER_CLIENT, 0, 0 },
	[MSG_TOP_REPLY] = { "TOP_REPLY", PEER_MONITOR | PEER_GUEST, 0, MSG_MAX_DATA },
	[MSG_UPDATE] = { "UPDATE", PEER_MONITOR | PEER_CLIENT, 2, MSG_MAX_DATA },
	[MSG_UPDATE_REPLY] = { "UPDATE_REPLY", PEER_MONITOR | PEER_GUEST, 4, 4096 },
	[MSG_NETWORK] = { "NETWORK", PEER_MONITOR | PEER_CLIENT, 2, MSG_MAX_DATA },
	[MSG_NETWORK_REPLY] = { "NETWORK_REPLY", PEER_MONITOR | PEER_GUEST, 4, 4096 },
	[MSG_SEED] = { "SEED", PEER_MONITOR, MSG_SEED_BYTES, MSG_SEED_BYTES },
	[MSG_SAVE] = { "SAVE", PEER_MONITOR | PEER_CLIENT, 4, 128 },
	[MSG_SAVED] = { "SAVED", PEER_MONITOR, 4, 4096 },
	[MSG_PORT] = { "PORT", PEER_CLIENT, 5, 128 },
	[MSG_PORT_REPLY] = { "PORT_REPLY", PEER_MONITOR, 4, 4096 },
	[MSG_SILENCE] = { "SILENCE", PEER_MONITOR | PEER_GUEST, 4, 4 },
};
static_assert(ARRAY_LEN(types) == MSG_N, "a row for every message");

const char *msg_name(enum msg_type t)
{
	return t > MSG_NONE && t < MSG_N ? types[t].name : "?";
}

bool msg_begins_stream(enum msg_type t)
{
	return t == MSG_START || t == MSG_GET || t == MSG_PUT;
}

enum msg_type msg_answer(enum msg_type question)
{
	static const enum msg_type answers[MSG_N] = {
		[MSG_STATS] = MSG_STATS_REPLY,	 [MSG_PAUSE] = MSG_PAUSED,	    [MSG_TOP] = MSG_TOP_REPLY,
		[MSG_UPDATE] = MSG_UPDATE_REPLY, [MSG_NETWORK] = MSG_NETWORK_REPLY, [MSG_SAVE] = MSG_SAVED,
		[MSG_PORT] = MSG_PORT_REPLY,
	};

	return question < MSG_N ? answers[question] : MSG_NONE;
}

static void put_header(struct buf *out, enum msg_type t, uint32_t stream, size_t n)
{
	uint32_t length = htole32((uint32_t)n), id = htole32(stream);
	uint16_t head[2] = { htole16((uint16_t)t), 0 };

	buf_add(out, &length, 4);
	buf_add(out, head, 4);
	buf_add(out, &id, 4);
}

void msg_put(struct buf *out, enum msg_type t, uint32_t stream, const void *data, size_t n)
{
	assert(n >= types[t].min && n <= types[t].max);
	put_header(out, t, stream, n);
	buf_add(out, data, n);
}

void msg_put_u32(struct buf *out, enum msg_type t, uint32_t stream, uint32_t v)
{
	v = htole32(v);
	msg_put(out, t, stream, &v, 4);
}

void msg_put_u32x2(struct buf *out, enum msg_type t, uint32_t stream, uint32_t v, uint32_t w)
{
	uint32_t both[2] = { htole32(v), htole32(w) };

	msg_put(out, t, stream, both, 8);
}

void msg_put_text(struct buf *out, enum msg_type t, uint32_t stream, uint32_t v, const char *text)
{
	size_t n = strnlen(text, 2048);

	v = htole32(v);
	put_header(out, t, stream, 4 + n);
	buf_add(out, &v, 4);
	buf_add(out, text, n);
}

static uint32_t get_u32(const char *p)
{
	uint32_t v;

	memcpy(&v, p, 4);
	return le32toh(v);
}

int msg_peek(const struct buf *in, enum msg_peer from, struct msg *ret, struct err *e)
{
	uint32_t n, stream;
	uint16_t type, zero;

	if (in->len < MSG_HEADER)
		return 0;
	n = get_u32(in->data);
	memcpy(&type, in->data + 4, 2);
	memcpy(&zero, in->data + 6, 2);
	type = le16toh(type);
	stream = get_u32(in->data + 8);
	if (type == MSG_NONE || type >= MSG_N || zero)
		return err_set(e, EPROTO, "message of unknown type %u", type);
	if (!(types[type].from & from))
		return err_set(e, EPROTO, "message %s from the wrong side", types[type].name);
	if (n < types[type].min || n > types[type].max)
		return err_set(e, EPROTO, "message %s with %u bytes", types[type].name, n);
	if (in->len - MSG_HEADER < n)
		return 0;
	*ret = (struct msg){ (enum msg_type)type, stream, in->data + MSG_HEADER, n };
	return 1;
}

void msg_drop(struct buf *in, const struct msg *m)
{
	buf_drop(in, MSG_HEADER + m->len);
}

uint32_t msg_u32(const struct msg *m, unsigned i)
{
	return get_u32((const char *)m->data + (size_t)4 * i);
}

char *msg_text(const struct msg *m)
{
	char *s = strndup((const char *)m->data + 4, m->len - 4);

	if (s)
		str_make_printable(s);
	return s;
}
