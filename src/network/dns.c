/* dns.c - messages of the DNS: bytes to structs, and answers to bytes
 *
 * One cursor reads; the first thing that is not as it should be makes it `bad`, and everything read from then on is 0: so
 * one check at the end of a part is enough.
 */
#include "network/dns.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#define FLAG_ANSWER    0x8000
#define FLAG_OPCODE    0x7800
#define FLAG_OWN       0x0400 /* authoritative */
#define FLAG_TRUNCATED 0x0200
#define FLAG_RECURSION 0x0100
#define FLAG_AVAILABLE 0x0080
#define FLAG_UNCHECKED 0x0010 /* checking disabled */
#define FLAG_RCODE     0x000f

#define POINTER	    0xc0
#define NAME_ASKED  0xc00c /* a pointer to the name of the question */
#define OPT_LEN	    11
#define MAX_ALIASES 16 /* in a row, from the name asked for to its addresses */
#define TTL_SIGN    0x80000000 /* RFC 2181, 8: such a TTL is 0 */

/* --- reading */

struct cursor {
	const uint8_t *data;
	size_t n, at;
	bool bad;
};

static unsigned get8(struct cursor *c)
{
	if (c->bad || c->at >= c->n) {
		c->bad = true;
		return 0;
	}
	return c->data[c->at++];
}

static uint16_t get16(struct cursor *c)
{
	unsigned high = get8(c);

	return (uint16_t)(high << 8 | get8(c));
}

static uint32_t get32(struct cursor *c)
{
	uint32_t high = get16(c);

	return high << 16 | get16(c);
}

static void skip(struct cursor *c, size_t n)
{
	if (n > c->n - c->at)
		c->bad = true;
	if (!c->bad)
		c->at += n;
}

static bool add_label(struct cursor *c, unsigned len, struct dns_name *ret)
{
	if (len > c->n - c->at || ret->len + len + 2 > DNS_NAME_MAX)
		return false;
	ret->wire[ret->len++] = (uint8_t)len;
	for (unsigned i = 0; i < len; i++) {
		uint8_t b = c->data[c->at++];

		ret->wire[ret->len++] = b >= 'A' && b <= 'Z' ? (uint8_t)(b | 0x20) : b;
	}
	ret->labels++;
	return true;
}

/* A pointer has to go in front of where this run of labels began: so there is no loop. */
static void get_name(struct cursor *c, struct dns_name *ret)
{
	size_t behind = 0, begin = c->at;

	ret->len = ret->labels = 0;
	for (;;) {
		unsigned len = get8(c);

		if (c->bad || len == 0)
			break;
		if ((len & POINTER) == POINTER) {
			size_t to = (len & ~(unsigned)POINTER) << 8 | get8(c);

			if (to >= begin || to < DNS_HEADER)
				c->bad = true;
			if (c->bad)
				break;
			behind = behind ? behind : c->at;
			c->at = begin = to;
		} else if (len > DNS_LABEL_MAX || !add_label(c, len, ret)) {
			c->bad = true;
		}
	}
	ret->wire[ret->len++] = 0;
	if (behind && !c->bad)
		c->at = behind;
}

static void get_question(struct cursor *c, struct dns_question *ret)
{
	get_name(c, &ret->name);
	ret->type = get16(c);
	ret->class = get16(c);
}

struct record {
	struct dns_name name;
	uint16_t type, class;
	uint32_t ttl_s;
	size_t data, len;
};

/* Leaves the cursor behind it. */
static void get_record(struct cursor *c, struct record *ret)
{
	get_name(c, &ret->name);
	ret->type = get16(c);
	ret->class = get16(c);
	ret->ttl_s = get32(c);
	ret->len = get16(c);
	ret->data = c->at;
	skip(c, ret->len);
	if (ret->type == DNS_OPT)
		return;
	if (ret->ttl_s & TTL_SIGN)
		ret->ttl_s = 0;
	if (ret->class == DNS_IN &&
	    ((ret->type == DNS_A && ret->len != 4) || (ret->type == DNS_AAAA && ret->len != 16)))
		c->bad = true;
}

struct header {
	uint16_t id, flags, questions, answers, authorities, further;
};

static void get_header(struct cursor *c, struct header *ret)
{
	*ret = (struct header){ .id = get16(c) };
	ret->flags = get16(c);
	ret->questions = get16(c);
	ret->answers = get16(c);
	ret->authorities = get16(c);
	ret->further = get16(c);
}

/* --- queries */

/* OPT stands at the root, once; its class is the room, the upper byte of its TTL belongs to the rcode, then the version. */
static int take_opt(const struct record *r, struct dns_query *q)
{
	if (q->edns || r->name.labels)
		return DNS_FORMERR;
	q->edns = true;
	if (r->ttl_s >> 16 & 0xff)
		return DNS_BADVERS;
	q->room = r->class < DNS_PLAIN_MAX ? DNS_PLAIN_MAX : r->class > DNS_UDP_MAX ? DNS_UDP_MAX : r->class;
	return 0;
}

static int get_further(struct cursor *c, unsigned n, struct dns_query *q)
{
	for (unsigned i = 0; i < n && !c->bad; i++) {
		struct record r;

		int rcode;

		get_record(c, &r);
		rcode = !c->bad && r.type == DNS_OPT ? take_opt(&r, q) : 0;
		if (rcode)
			return rcode;
	}
	return c->bad || c->at != c->n ? DNS_FORMERR : 0;
}

int dns_query_parse(const uint8_t *data, size_t n, struct dns_query *ret)
{
	struct cursor c = { .data = data, .n = n };
	struct header h;

	*ret = (struct dns_query){ .room = DNS_PLAIN_MAX, .question_end = DNS_HEADER };
	get_header(&c, &h);
	if (c.bad || h.flags & FLAG_ANSWER)
		return -EBADMSG;
	ret->id = h.id;
	ret->recursion = h.flags & FLAG_RECURSION;
	ret->checking_disabled = h.flags & FLAG_UNCHECKED;
	if (h.flags & FLAG_OPCODE)
		return DNS_NOTIMP;
	if (n > DNS_QUERY_MAX || h.questions != 1 || h.answers || h.authorities || h.flags & FLAG_TRUNCATED)
		return DNS_FORMERR;
	get_question(&c, &ret->question);
	if (c.bad)
		return DNS_FORMERR;
	ret->question_end = c.at;
	if (ret->question.class != DNS_IN)
		return DNS_REFUSED;
	if (ret->question.type >= DNS_IXFR && ret->question.type < DNS_ANY)
		return DNS_NOTIMP;
	return get_further(&c, h.further, ret);
}

/* --- answers that come */

static void take_address(const struct cursor *c, const struct record *r, struct dns_answer *ret)
{
	struct dns_address *a = &ret->addresses[ret->n_addresses];

	if (ret->n_addresses == DNS_ADDRESSES_MAX) {
		ret->more_addresses = true;
		return;
	}
	*a = (struct dns_address){ .ip.family = r->type == DNS_A ? AF_INET : AF_INET6, .ttl_s = r->ttl_s };
	memcpy(a->ip.bytes, c->data + r->data, r->len);
	ret->n_addresses++;
}

/* The alias chain: `want` is the name whose records count from here on. */
struct chain {
	struct dns_name want;
	unsigned aliases;
};

static void follow(struct cursor *c, const struct record *r, struct chain *ch)
{
	struct cursor in = { .data = c->data, .n = r->data + r->len, .at = r->data };
	struct dns_name to;

	get_name(&in, &to);
	if (in.bad || in.at != in.n) {
		c->bad = true;
	} else if (ch->aliases < MAX_ALIASES) {
		ch->want = to;
		ch->aliases++;
	}
}

static void get_answers(struct cursor *c, unsigned n, struct dns_answer *ret)
{
	struct chain ch = { .want = ret->question.name };

	for (unsigned i = 0; i < n && !c->bad; i++) {
		struct record r;

		get_record(c, &r);
		if (c->bad || r.class != DNS_IN || !dns_name_equal(&r.name, &ch.want))
			continue;
		if (r.type == DNS_CNAME)
			follow(c, &r, &ch);
		else if (r.type == DNS_A || r.type == DNS_AAAA)
			take_address(c, &r, ret);
	}
}

int dns_answer_parse(const uint8_t *data, size_t n, struct dns_answer *ret)
{
	struct cursor c = { .data = data, .n = n };
	struct header h;

	get_header(&c, &h);
	if (c.bad || !(h.flags & FLAG_ANSWER) || h.flags & FLAG_OPCODE || h.questions > 1)
		return -EBADMSG;
	ret->id = h.id;
	ret->truncated = h.flags & FLAG_TRUNCATED;
	ret->rcode = h.flags & FLAG_RCODE;
	ret->question = (struct dns_question){ .type = 0 };
	ret->n_addresses = 0;
	ret->more_addresses = false;
	if (h.questions)
		get_question(&c, &ret->question);
	ret->question_end = c.at;
	get_answers(&c, h.answers, ret);
	for (unsigned i = 0; i < (unsigned)h.authorities + h.further && !c.bad; i++) {
		struct record r;

		get_record(&c, &r);
	}
	return c.bad || c.at != c.n ? -EBADMSG : 0;
}

/* --- answers that are made */

static void put16(uint8_t *to, unsigned v)
{
	to[0] = (uint8_t)(v >> 8);
	to[1] = (uint8_t)v;
}

static void put_opt(uint8_t *to, unsigned rcode)
{
	memset(to, 0, OPT_LEN);
	to[5] = (uint8_t)(rcode >> 4);
	put16(to + 1, DNS_OPT);
	put16(to + 3, DNS_UDP_MAX);
}

void dns_write_begin(struct dns_writer *w, uint8_t *data, size_t max, const uint8_t *query,
		     const struct dns_query *q)
{
	*w = (struct dns_writer){ .data = data, .len = q->question_end, .max = max, .edns = q->edns };
	memset(data, 0, DNS_HEADER);
	put16(data, q->id);
	put16(data + 2, FLAG_ANSWER | FLAG_AVAILABLE | (q->recursion ? FLAG_RECURSION : 0) |
				(q->checking_disabled ? FLAG_UNCHECKED : 0));
	data[2] |= query[2] & FLAG_OPCODE >> 8;
	put16(data + 4, q->question_end > DNS_HEADER);
	memcpy(data + DNS_HEADER, query + DNS_HEADER, q->question_end - DNS_HEADER);
}

static void put_record(struct dns_writer *w, unsigned type, uint32_t ttl_s, const void *data, size_t n)
{
	uint8_t *to = w->data + w->len;

	if (w->full || w->len + 12 + n + (w->edns ? OPT_LEN : 0) > w->max) {
		w->full = true;
		return;
	}
	put16(to, NAME_ASKED);
	put16(to + 2, type);
	put16(to + 4, DNS_IN);
	put16(to + 6, ttl_s >> 16);
	put16(to + 8, ttl_s & 0xffff);
	put16(to + 10, (unsigned)n);
	memcpy(to + 12, data, n);
	w->len += 12 + n;
	w->n++;
}

void dns_write_address(struct dns_writer *w, const struct ip *ip, uint32_t ttl_s)
{
	put_record(w, ip->family == AF_INET ? DNS_A : DNS_AAAA, ttl_s, ip->bytes, ip_len(ip->family));
}

void dns_write_pointer(struct dns_writer *w, const struct dns_name *to, uint32_t ttl_s)
{
	put_record(w, DNS_PTR, ttl_s, to->wire, to->len);
}

size_t dns_write_end(struct dns_writer *w, unsigned rcode)
{
	w->data[2] |= (uint8_t)((w->n ? FLAG_OWN : 0) >> 8 | (w->full ? FLAG_TRUNCATED : 0) >> 8);
	w->data[3] |= rcode & FLAG_RCODE;
	put16(w->data + 6, w->n);
	if (w->edns) {
		put_opt(w->data + w->len, rcode);
		put16(w->data + 10, 1);
		w->len += OPT_LEN;
	}
	return w->len;
}

size_t dns_refuse(const uint8_t *data, const struct dns_query *q, unsigned rcode, uint8_t ret[DNS_PLAIN_MAX])
{
	struct dns_writer w;

	dns_write_begin(&w, ret, DNS_PLAIN_MAX, data, q);
	return dns_write_end(&w, rcode);
}
