/* rpc.c - messages of CRIU's RPC as bytes */
#include "criu/rpc.h"

#include <errno.h>
#include <limits.h>
#include <sched.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"

/* Of rpc.proto. */
enum { REQ_TYPE = 1, REQ_OPTS = 2, REQ_NOTIFY_SUCCESS = 3 };
enum {
	OPTS_IMAGES_DIR_FD = 1,
	OPTS_PS = 11,
	OPTS_NOTIFY_SCRIPTS = 12,
	OPTS_WORK_DIR_FD = 17,
	OPTS_ORPHAN_PTS_MASTER = 50
};
enum { PS_ADDRESS = 1, PS_PORT = 2 };
enum { RESP_TYPE = 1, RESP_SUCCESS = 2, RESP_RESTORE = 4, RESP_NOTIFY = 5 };
enum { RESTORE_PID = 1 };
enum { NOTIFY_SCRIPT = 1 };

/* The encodings of protobuf: a number, 8 bytes, bytes behind their length, 4 bytes. */
enum wire { WIRE_NUMBER, WIRE_64, WIRE_BYTES, WIRE_32 = 5 };

/* --- writing */

static void put_number(struct buf *b, uint64_t v)
{
	for (; v >= 0x80; v >>= 7)
		buf_addc(b, (char)(v | 0x80));
	buf_addc(b, (char)v);
}

static void put_field(struct buf *b, unsigned field, uint64_t v)
{
	put_number(b, field << 3 | WIRE_NUMBER);
	put_number(b, v);
}

static void put_bytes(struct buf *b, unsigned field, const void *data, size_t n)
{
	put_number(b, field << 3 | WIRE_BYTES);
	put_number(b, n);
	buf_add(b, data, n);
}

/* --- options of the command line as fields of the request */

enum kind {
	ELSEWHERE, /* the request has it in another way */
	FLAG,
	NUMBER,
	TEXT,
	WORD, /* the one value that we give it is this number */
	FD_AND_KEY, /* "fd[N]:KEY" */
	TYPE_AND_FILE, /* "TYPE:FILE" */
};

static const struct row {
	const char *name;
	enum kind kind;
	unsigned field;
	uint64_t number; /* of a WORD */
} rows[] = {
	{ "--address", ELSEWHERE },
	{ "--auto-dedup", FLAG, 16 },
	{ "--empty-ns", WORD, 38, CLONE_NEWNET },
	{ "--enable-external-masters", FLAG, 30 },
	{ "--evasive-devices", FLAG, 6 },
	{ "--ext-unix-sk", FLAG, 4 },
	{ "--external", TEXT, 37 },
	{ "--file-locks", FLAG, 8 },
	{ "--freeze-cgroup", TEXT, 44 },
	{ "--images-dir", ELSEWHERE },
	{ "--inherit-fd", FD_AND_KEY, 27 },
	{ "--join-ns", TYPE_AND_FILE, 39 },
	{ "--lazy-pages", FLAG, 48 },
	{ "--leave-running", FLAG, 3 },
	{ "--link-remap", FLAG, 18 },
	{ "--log-file", TEXT, 10 },
	{ "--lsm-mount-context", TEXT, 63 },
	{ "--lsm-profile", TEXT, 53 },
	{ "--manage-cgroups", WORD, 34, 0 },
	{ "--page-server", ELSEWHERE },
	{ "--port", ELSEWHERE },
	{ "--prev-images-dir", TEXT, 14 },
	{ "--restore-detached", ELSEWHERE },
	{ "--root", TEXT, 13 },
	{ "--shell-job", FLAG, 7 },
	{ "--tcp-close", FLAG, 52 },
	{ "--tcp-established", FLAG, 5 },
	{ "--track-mem", FLAG, 15 },
	{ "--tree", NUMBER, 2 },
	{ "--verbosity", NUMBER, 9 },
	{ "--work-dir", ELSEWHERE },
};

static const struct row *find_row(const char *option, size_t n)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (strlen(rows[i].name) == n && !strncmp(rows[i].name, option, n))
			return &rows[i];
	return NULL;
}

/* What both "fd[N]:KEY" and "TYPE:FILE" become: a message of two fields. */
static int put_pair(struct buf *b, const struct row *row, const char *value)
{
	AUTO(buf_done) struct buf pair = { 0 };
	const char *colon = strchr(value, ':');

	if (!colon)
		return -EINVAL;
	if (row->kind == FD_AND_KEY) {
		put_bytes(&pair, 1, colon + 1, strlen(colon + 1));
		put_field(&pair, 2, strtoul(value + strlen("fd["), NULL, 10));
	} else {
		put_bytes(&pair, 1, value, (size_t)(colon - value));
		put_bytes(&pair, 2, colon + 1, strlen(colon + 1));
	}
	put_bytes(b, row->field, pair.data, pair.len);
	return pair.failed ? -ENOMEM : 0;
}

static int put_option(struct buf *b, const char *option)
{
	size_t n = strcspn(option, "=");
	const char *value = option[n] ? option + n + 1 : "";
	const struct row *row = find_row(option, n);

	if (!row)
		return -EINVAL;
	switch (row->kind) {
	case ELSEWHERE:
		break;
	case FLAG:
		put_field(b, row->field, true);
		break;
	case NUMBER:
		put_field(b, row->field, strtoul(value, NULL, 10));
		break;
	case WORD:
		put_field(b, row->field, row->number);
		break;
	case TEXT:
		put_bytes(b, row->field, value, strlen(value));
		break;
	case FD_AND_KEY:
	case TYPE_AND_FILE:
		return put_pair(b, row, value);
	}
	return 0;
}

/* --address and --port, if there are any, as a message. */
static void put_page_server(struct buf *b, const struct strv *argv)
{
	const char *address = strv_env_get(argv, "--address"), *port = strv_env_get(argv, "--port");
	AUTO(buf_done) struct buf ps = { 0 };

	if (!address || !port)
		return;
	put_bytes(&ps, PS_ADDRESS, address, strlen(address));
	put_field(&ps, PS_PORT, strtoul(port, NULL, 10));
	put_bytes(b, OPTS_PS, ps.data, ps.len);
	b->failed |= ps.failed;
}

int criu_rpc_add_request(const struct criu *c, int work, struct buf *out, struct err *e)
{
	bool restore = !strcmp(c->argv.v[1], "restore");
	AUTO(buf_done) struct buf opts = { 0 };

	put_field(&opts, OPTS_IMAGES_DIR_FD, (uint64_t)c->images);
	put_field(&opts, OPTS_WORK_DIR_FD, (uint64_t)work);
	put_field(&opts, OPTS_NOTIFY_SCRIPTS, true);
	put_field(&opts, OPTS_ORPHAN_PTS_MASTER, c->terminal);
	for (size_t i = 2; i < c->argv.n; i++)
		if (put_option(&opts, c->argv.v[i]) < 0)
			return err_set(e, EINVAL, "%.40s: CRIU's RPC does not have it", c->argv.v[i]);
	put_page_server(&opts, &c->argv);
	put_field(out, REQ_TYPE, restore ? CRIU_RESTORE : CRIU_DUMP);
	put_bytes(out, REQ_OPTS, opts.data, opts.len);
	return opts.failed || !buf_ok(out) ? err_set(e, ENOMEM, "out of memory") : 0;
}

void criu_rpc_add_answer(struct buf *out)
{
	put_field(out, REQ_TYPE, CRIU_NOTIFY);
	put_field(out, REQ_NOTIFY_SUCCESS, true);
}

/* --- reading */

struct reader {
	const unsigned char *at, *end;
};

static int get_number(struct reader *r, uint64_t *ret)
{
	*ret = 0;
	for (unsigned shift = 0; shift < 64 && r->at < r->end; shift += 7) {
		*ret |= (uint64_t)(*r->at & 0x7f) << shift;
		if (!(*r->at++ & 0x80))
			return 0;
	}
	return -EBADMSG;
}

/* The next field: its number, or its bytes.  0 at the end, 1 otherwise, -EBADMSG. */
static int get_field(struct reader *r, uint64_t *ret_field, uint64_t *ret_number, struct reader *ret_bytes)
{
	uint64_t key, n = 0;

	if (r->at == r->end)
		return 0;
	*ret_bytes = (struct reader){ r->at, r->at };
	*ret_number = 0;
	if (get_number(r, &key) < 0)
		return -EBADMSG;
	*ret_field = key >> 3;
	switch (key & 7) {
	case WIRE_NUMBER:
		return get_number(r, ret_number) < 0 ? -EBADMSG : 1;
	case WIRE_BYTES:
		if (get_number(r, &n) < 0)
			return -EBADMSG;
		break;
	case WIRE_64:
	case WIRE_32:
		n = (key & 7) == WIRE_64 ? 8 : 4;
		break;
	default:
		return -EBADMSG;
	}
	if (n > (uint64_t)(r->end - r->at))
		return -EBADMSG;
	*ret_bytes = (struct reader){ r->at, r->at + n };
	r->at += n;
	return 1;
}

static int parse_restore(struct reader r, struct criu_response *ret)
{
	struct reader bytes;
	uint64_t field, number;
	int more;

	while ((more = get_field(&r, &field, &number, &bytes)) > 0)
		if (field == RESTORE_PID)
			ret->pid = number > INT_MAX ? 0 : (pid_t)number;
	return more;
}

static int parse_notify(struct reader r, struct criu_response *ret)
{
	struct reader bytes;
	uint64_t field, number;
	int more;

	while ((more = get_field(&r, &field, &number, &bytes)) > 0) {
		size_t n = (size_t)(bytes.end - bytes.at);

		if (field != NOTIFY_SCRIPT || n >= sizeof(ret->script))
			continue;
		memcpy(ret->script, bytes.at, n);
		ret->script[n] = '\0';
	}
	return more;
}

int criu_rpc_parse(const void *data, size_t n, struct criu_response *ret)
{
	struct reader r = { data, (const unsigned char *)data + n }, bytes;
	uint64_t field, number;
	int more;

	*ret = (struct criu_response){ 0 };
	while ((more = get_field(&r, &field, &number, &bytes)) > 0) {
		if (field == RESP_TYPE)
			ret->type = number > CRIU_NOTIFY ? 0 : (int)number;
		else if (field == RESP_SUCCESS)
			ret->success = number;
		else if (field == RESP_RESTORE && parse_restore(bytes, ret) < 0)
			return -EBADMSG;
		else if (field == RESP_NOTIFY && parse_notify(bytes, ret) < 0)
			return -EBADMSG;
	}
	return more;
}
