/* dns.h - messages of the DNS (RFC 1035), with EDNS0 (RFC 6891): read strictly, answers made; pure
 *
 * A name is kept as on the wire, without compression and in lower case: so two are equal when their bytes are.  Read
 * is every byte of a message: what is behind its last record, a pointer that does not go backwards, a length that does
 * not fit its type make it bad.
 */
#ifndef NETWORK_DNS_H
#define NETWORK_DNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/ip.h"

#define DNS_HEADER    12
#define DNS_NAME_MAX  255 /* RFC 1035, 3.1: with its lengths and the root */
#define DNS_LABEL_MAX 63
#define DNS_TEXT_MAX  256 /* a name as text, with a NUL */
#define DNS_PLAIN_MAX 512 /* an answer by UDP to who has not said that it takes more */
#define DNS_UDP_MAX   4096 /* the most that we send by UDP */
#define DNS_QUERY_MAX 1232 /* more is no query of an honest client */

enum dns_type {
	DNS_A = 1,
	DNS_NS = 2,
	DNS_CNAME = 5,
	DNS_SOA = 6,
	DNS_PTR = 12,
	DNS_MX = 15,
	DNS_AAAA = 28,
	DNS_OPT = 41,
	DNS_SVCB = 64,
	DNS_HTTPS = 65,
	DNS_IXFR = 251, /* from here to 254: no questions about one record */
	DNS_ANY = 255
};
enum dns_rcode { DNS_OK, DNS_FORMERR, DNS_SERVFAIL, DNS_NXDOMAIN, DNS_NOTIMP, DNS_REFUSED, DNS_BADVERS = 16 };
#define DNS_IN 1

struct dns_name {
	uint8_t len; /* 1: the root */
	uint8_t labels;
	uint8_t wire[DNS_NAME_MAX];
};

/* "web", "a.example.org"; a dot may stand at the end.  0 or -EINVAL: empty, too long, an empty label, no letters of names
 * (RFC 1123 and '_'). */
int dns_name_parse(const char *text, struct dns_name *ret);
/* Without a dot at its end, "." for the root; what is no letter of names becomes "\DDD" (RFC 4343, 2.1), and what does not
 * fit is cut off. */
const char *dns_name_print(const struct dns_name *n, char ret[DNS_TEXT_MAX]);
bool dns_name_equal(const struct dns_name *a, const struct dns_name *b);
/* As memcmp, in some order. */
int dns_name_compare(const struct dns_name *a, const struct dns_name *b);
/* Is `n` below `parent`, by one label or more?  *ret: what is in front. */
bool dns_name_below(const struct dns_name *n, const struct dns_name *parent, struct dns_name *ret);
/* The address that a name below in-addr.arpa or ip6.arpa is about; false: it is no such name, or of no whole address. */
bool dns_name_reverse(const struct dns_name *n, struct ip *ret);

struct dns_question {
	struct dns_name name;
	uint16_t type, class;
};

struct dns_query {
	uint16_t id;
	bool recursion, checking_disabled;
	struct dns_question question;
	size_t question_end; /* offset */
	bool edns;
	uint16_t room; /* what the client takes by UDP: 512 to DNS_UDP_MAX */
};

/* 0; an rcode to answer with (enough of *ret is filled in for dns_refuse); -EBADMSG: no answer at all. */
int dns_query_parse(const uint8_t *data, size_t n, struct dns_query *ret);
/* An error (or 0: no data) as answer to the query in data, in ret: returns its length. */
size_t dns_refuse(const uint8_t *data, const struct dns_query *q, unsigned rcode, uint8_t ret[DNS_PLAIN_MAX]);

/* --- answers that come */

#define DNS_ADDRESSES_MAX 256

struct dns_address {
	struct ip ip;
	uint32_t ttl_s;
};

struct dns_answer {
	uint16_t id;
	bool truncated;
	unsigned rcode;
	struct dns_question question;
	size_t question_end; /* offset; DNS_HEADER: it repeats no question */
	struct dns_address addresses[DNS_ADDRESSES_MAX]; /* of the name asked for, aliases followed */
	size_t n_addresses;
	bool more_addresses; /* than fit */
};

/* 0 or -EBADMSG. */
int dns_answer_parse(const uint8_t *data, size_t n, struct dns_answer *ret);

/* --- answers that are made */

struct dns_writer {
	uint8_t *data;
	size_t len, max;
	bool edns, full;
	unsigned n;
};

/* In `data`, at most max bytes; the question is repeated as it stands in the query. */
void dns_write_begin(struct dns_writer *w, uint8_t *data, size_t max, const uint8_t *query,
		     const struct dns_query *q);
/* About the name asked for.  What does not fit makes the answer truncated. */
void dns_write_address(struct dns_writer *w, const struct ip *ip, uint32_t ttl_s);
void dns_write_pointer(struct dns_writer *w, const struct dns_name *to, uint32_t ttl_s);
/* Its length. */
size_t dns_write_end(struct dns_writer *w, unsigned rcode);

#endif
