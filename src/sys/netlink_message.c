/* netlink_message.c - the bytes of netlink messages: made in batches, and attributes found in answers */
#include <arpa/inet.h>
#include <endian.h>
#include <string.h>

#include "sys/netlink.h"

static const char zeros[NLMSG_ALIGNTO];

void nl_batch_done(struct nl_batch *b)
{
	buf_done(&b->bytes);
	*b = (struct nl_batch){ 0 };
}

static struct nlmsghdr *last_message(struct nl_batch *b)
{
	return (struct nlmsghdr *)(void *)(b->bytes.data + b->message);
}

/* Both kinds of headers align to four bytes, and lengths of messages count the padding between attributes only. */
static void pad(struct nl_batch *b)
{
	buf_add(&b->bytes, zeros, NLMSG_ALIGN(b->bytes.len) - b->bytes.len);
}

static void set_length(struct nl_batch *b)
{
	if (buf_ok(&b->bytes))
		last_message(b)->nlmsg_len = (uint32_t)(b->bytes.len - b->message);
}

void nl_append(struct nl_batch *b, const void *data, size_t len)
{
	buf_add(&b->bytes, data, len);
	pad(b);
	set_length(b);
}

void nl_message(struct nl_batch *b, unsigned type, unsigned flags, const void *header, size_t len)
{
	const struct nlmsghdr h = { .nlmsg_type = (uint16_t)type,
				    .nlmsg_flags = (uint16_t)(flags | NLM_F_REQUEST) };

	b->message = b->bytes.len;
	b->n++;
	buf_add(&b->bytes, &h, sizeof(h));
	nl_append(b, header, len);
}

void nl_put(struct nl_batch *b, unsigned type, const void *data, size_t len)
{
	const struct nlattr a = { .nla_len = (uint16_t)(sizeof(a) + len), .nla_type = (uint16_t)type };

	if (len > UINT16_MAX - sizeof(a)) {
		b->bytes.failed = true;
		return;
	}
	buf_add(&b->bytes, &a, sizeof(a));
	nl_append(b, data, len);
}

void nl_put_u8(struct nl_batch *b, unsigned type, uint8_t v)
{
	nl_put(b, type, &v, sizeof(v));
}

void nl_put_u16(struct nl_batch *b, unsigned type, uint16_t v)
{
	nl_put(b, type, &v, sizeof(v));
}

void nl_put_u32(struct nl_batch *b, unsigned type, uint32_t v)
{
	nl_put(b, type, &v, sizeof(v));
}

void nl_put_be64(struct nl_batch *b, unsigned type, uint64_t v)
{
	v = htobe64(v);
	nl_put(b, type, &v, sizeof(v));
}

void nl_put_string(struct nl_batch *b, unsigned type, const char *s)
{
	nl_put(b, type, s, strlen(s) + 1);
}

size_t nl_nest(struct nl_batch *b, unsigned type)
{
	size_t at = b->bytes.len;

	nl_put(b, type | NLA_F_NESTED, NULL, 0);
	return at;
}

void nl_nest_end(struct nl_batch *b, size_t nest)
{
	size_t len = b->bytes.len - nest;

	if (len > UINT16_MAX)
		b->bytes.failed = true;
	if (buf_ok(&b->bytes))
		((struct nlattr *)(void *)(b->bytes.data + nest))->nla_len = (uint16_t)len;
}

/* --- answers: from the kernel, and still never read beyond their end */

static struct nl_attrs attrs(const void *from, size_t skip, size_t len)
{
	const char *p = from;

	return (struct nl_attrs){ p + (skip < len ? skip : len), p + len };
}

struct nl_attrs nl_message_attrs(const struct nlmsghdr *m, size_t len)
{
	return attrs(m, NLMSG_HDRLEN + NLMSG_ALIGN(len), m->nlmsg_len);
}

struct nl_attrs nl_nested(const struct nlattr *a)
{
	return a ? attrs(a, NLA_HDRLEN, a->nla_len) : (struct nl_attrs){ 0 };
}

const struct nlattr *nl_find(struct nl_attrs list, unsigned type)
{
	while ((size_t)(list.end - list.at) >= NLA_HDRLEN) {
		const struct nlattr *a = (const struct nlattr *)(const void *)list.at;

		if (a->nla_len < NLA_HDRLEN || a->nla_len > list.end - list.at)
			break;
		if ((a->nla_type & NLA_TYPE_MASK) == type)
			return a;
		if (NLA_ALIGN(a->nla_len) >= list.end - list.at)
			break;
		list.at += NLA_ALIGN(a->nla_len);
	}
	return NULL;
}

const void *nl_data(const struct nlattr *a)
{
	return (const char *)a + NLA_HDRLEN;
}

size_t nl_len(const struct nlattr *a)
{
	return a->nla_len - (size_t)NLA_HDRLEN;
}

uint8_t nl_get_u8(struct nl_attrs list, unsigned type)
{
	const struct nlattr *a = nl_find(list, type);

	return a && nl_len(a) ? *(const uint8_t *)nl_data(a) : 0;
}

uint32_t nl_get_u32(struct nl_attrs list, unsigned type)
{
	const struct nlattr *a = nl_find(list, type);
	uint32_t v = 0;

	if (a && nl_len(a) >= sizeof(v))
		memcpy(&v, nl_data(a), sizeof(v));
	return v;
}

void nl_get_string(struct nl_attrs list, unsigned type, char *ret, size_t size)
{
	const struct nlattr *a = nl_find(list, type);
	size_t n = a ? strnlen(nl_data(a), nl_len(a)) : 0;

	if (n > size - 1)
		n = size - 1;
	if (n)
		memcpy(ret, nl_data(a), n);
	ret[n] = '\0';
}
