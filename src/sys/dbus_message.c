/* dbus_message.c - D-Bus messages as bytes: values, headers, strictly parsed */
#include <errno.h>
#include <string.h>

#include "sys/dbus.h"

#define FIXED_HEADER                                                                                         \
	16 /* byte order, type, flags, version, length of the body, serial, length of the fields */
#define MY_ORDER (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? 'l' : 'B')

enum field {
	PATH = 1,
	INTERFACE,
	MEMBER,
	ERROR_NAME,
	REPLY_SERIAL,
	DESTINATION,
	SENDER,
	SIGNATURE,
	UNIX_FDS
};

static size_t aligned(size_t n, size_t align)
{
	return (n + align - 1) / align * align;
}

/* --- writing */

static void pad(struct buf *b, size_t align)
{
	while (b->len % align && !b->failed)
		buf_addc(b, '\0');
}

void dbus_put_byte(struct buf *b, uint8_t v)
{
	buf_add(b, &v, 1);
}

void dbus_put_u16(struct buf *b, uint16_t v)
{
	pad(b, sizeof(v));
	buf_add(b, &v, sizeof(v));
}

void dbus_put_u32(struct buf *b, uint32_t v)
{
	pad(b, sizeof(v));
	buf_add(b, &v, sizeof(v));
}

void dbus_put_u64(struct buf *b, uint64_t v)
{
	pad(b, sizeof(v));
	buf_add(b, &v, sizeof(v));
}

void dbus_put_string(struct buf *b, const char *s)
{
	dbus_put_u32(b, (uint32_t)strlen(s));
	buf_add(b, s, strlen(s) + 1);
}

void dbus_put_signature(struct buf *b, const char *s)
{
	dbus_put_byte(b, (uint8_t)strlen(s));
	buf_add(b, s, strlen(s) + 1);
}

void dbus_put_struct(struct buf *b)
{
	pad(b, 8);
}

size_t dbus_open_array(struct buf *b, size_t align)
{
	size_t at;

	dbus_put_u32(b, 0);
	at = b->len - sizeof(uint32_t);
	pad(b, align);
	return at;
}

void dbus_close_array(struct buf *b, size_t opened, size_t align)
{
	size_t start = aligned(opened + sizeof(uint32_t), align);
	uint32_t n;

	if (b->failed)
		return;
	n = (uint32_t)(b->len - start);
	memcpy(b->data + opened, &n, sizeof(n));
}

static void put_field(struct buf *b, enum field code, const char *type, const char *value)
{
	if (!value || !*value)
		return;
	dbus_put_struct(b);
	dbus_put_byte(b, (uint8_t)code);
	dbus_put_signature(b, type);
	if (*type == 'g')
		dbus_put_signature(b, value);
	else
		dbus_put_string(b, value);
}

void dbus_print(const struct dbus_message *m, struct buf *out)
{
	struct buf b = { 0 };
	size_t fields;

	dbus_put_byte(&b, MY_ORDER);
	dbus_put_byte(&b, (uint8_t)m->type);
	dbus_put_byte(&b, 0);
	dbus_put_byte(&b, 1); /* the protocol's version */
	dbus_put_u32(&b, (uint32_t)m->body_len);
	dbus_put_u32(&b, m->serial);
	fields = dbus_open_array(&b, 8);
	put_field(&b, PATH, "o", m->path);
	put_field(&b, INTERFACE, "s", m->interface);
	put_field(&b, MEMBER, "s", m->member);
	put_field(&b, ERROR_NAME, "s", m->error);
	put_field(&b, DESTINATION, "s", m->destination);
	put_field(&b, SIGNATURE, "g", m->signature);
	if (m->reply_to) {
		dbus_put_struct(&b);
		dbus_put_byte(&b, REPLY_SERIAL);
		dbus_put_signature(&b, "u");
		dbus_put_u32(&b, m->reply_to);
	}
	dbus_close_array(&b, fields, 8);
	pad(&b, 8);
	buf_add(&b, m->body, m->body_len);
	if (buf_ok(&b))
		buf_add(out, b.data, b.len);
	else
		out->failed = true;
	buf_done(&b);
}

/* --- reading */

static int read_bytes(struct dbus_reader *r, size_t align, size_t n, const char **ret)
{
	size_t at = aligned(r->at, align);

	if (at > r->n || n > r->n - at)
		return -EBADMSG;
	*ret = r->data + at;
	r->at = at + n;
	return 0;
}

int dbus_read_u32(struct dbus_reader *r, uint32_t *ret)
{
	const char *p;

	if (read_bytes(r, sizeof(*ret), sizeof(*ret), &p) < 0)
		return -EBADMSG;
	memcpy(ret, p, sizeof(*ret));
	return 0;
}

static int read_text(struct dbus_reader *r, size_t n, const char **ret)
{
	const char *p;

	if (n >= DBUS_MESSAGE_MAX || read_bytes(r, 1, n + 1, &p) < 0 || p[n] || memchr(p, 0, n))
		return -EBADMSG;
	*ret = p;
	return 0;
}

int dbus_read_string(struct dbus_reader *r, const char **ret)
{
	uint32_t n;

	return dbus_read_u32(r, &n) < 0 ? -EBADMSG : read_text(r, n, ret);
}

static int read_signature(struct dbus_reader *r, const char **ret)
{
	const char *n;

	return read_bytes(r, 1, 1, &n) < 0 ? -EBADMSG : read_text(r, *(const uint8_t *)n, ret);
}

/* One field: a struct of its code and a variant.  Every code of the protocol has one type. */
static int read_field(struct dbus_reader *r, struct dbus_message *m)
{
	const char *code, *type, *text = "";
	uint32_t number = 0;

	if (read_bytes(r, 8, 1, &code) < 0 || read_signature(r, &type) < 0)
		return -EBADMSG;
	if (!strcmp(type, "s") || !strcmp(type, "o")) {
		if (dbus_read_string(r, &text) < 0)
			return -EBADMSG;
	} else if (!strcmp(type, "g")) {
		if (read_signature(r, &text) < 0)
			return -EBADMSG;
	} else if (strcmp(type, "u") || dbus_read_u32(r, &number) < 0) {
		return -EBADMSG;
	}
	switch (*code) {
	case PATH:
		m->path = text;
		break;
	case INTERFACE:
		m->interface = text;
		break;
	case MEMBER:
		m->member = text;
		break;
	case ERROR_NAME:
		m->error = text;
		break;
	case REPLY_SERIAL:
		m->reply_to = number;
		break;
	case DESTINATION:
		m->destination = text;
		break;
	case SIGNATURE:
		m->signature = text;
		break;
	default: /* the sender, and what later versions may add */
		break;
	}
	return 0;
}

ssize_t dbus_parse(const char *data, size_t n, struct dbus_message *ret)
{
	struct dbus_message m = { 0, 0, 0, "", "", "", "", "", "", NULL, 0 };
	struct dbus_reader r = { data, FIXED_HEADER, 4 };
	uint32_t body, fields;
	size_t start;

	if (n < FIXED_HEADER)
		return 0;
	if (data[0] != MY_ORDER || data[1] < DBUS_CALL || data[1] > DBUS_SIGNAL || data[3] != 1 ||
	    dbus_read_u32(&r, &body) < 0 || dbus_read_u32(&r, &m.serial) < 0 ||
	    dbus_read_u32(&r, &fields) < 0)
		return -EBADMSG;
	if (body > DBUS_MESSAGE_MAX || fields > DBUS_MESSAGE_MAX)
		return -EBADMSG;
	start = aligned(FIXED_HEADER + fields, 8);
	if (n < start + body)
		return 0;
	for (r.n = FIXED_HEADER + fields; r.at < r.n;)
		if (read_field(&r, &m) < 0)
			return -EBADMSG;
	m.type = (enum dbus_type)data[1];
	m.body = data + start;
	m.body_len = body;
	*ret = m;
	return (ssize_t)(start + body);
}
