/* fuzz_dns.c - any bytes as a query and as an answer of the DNS: what we answer is read again as what was meant */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "network/dns.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool good)
{
	if (!good)
		abort();
}

static void check_name(const struct dns_name *n)
{
	struct dns_name front, again;
	char text[DNS_TEXT_MAX];
	struct ip ip;

	check(n->len >= 1 && n->wire[n->len - 1] == 0);
	check(strlen(dns_name_print(n, text)) < DNS_TEXT_MAX);
	if (n->labels && !strchr(text, '\\')) {
		check(dns_name_parse(text, &again) == 0);
		check(dns_name_equal(n, &again));
	}
	if (dns_name_parse("example.org", &again) == 0 && dns_name_below(n, &again, &front))
		check(front.len + again.len == n->len + 1);
	dns_name_reverse(n, &ip);
}

static void answer(const uint8_t *data, const struct dns_query *q, size_t max)
{
	static struct dns_answer a;
	static const struct ip v6 = { AF_INET6, { 0xfd } };
	struct ip ip = { AF_INET, { 10, 0, 0, 1 } };
	uint8_t out[DNS_UDP_MAX];
	struct dns_writer w;
	size_t n;

	dns_write_begin(&w, out, max, data, q);
	for (unsigned i = 0; i < 30; i++, ip.bytes[3]++)
		dns_write_address(&w, i & 1 ? &v6 : &ip, i);
	n = dns_write_end(&w, 0);
	check(n <= max);
	check(dns_answer_parse(out, n, &a) == 0);
	check(a.id == q->id && dns_name_equal(&a.question.name, &q->question.name));
	check(a.n_addresses == w.n && a.truncated == (w.n < 30));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct dns_answer a;
	uint8_t out[DNS_PLAIN_MAX];
	struct dns_query q;
	int r = dns_query_parse(data, size, &q);

	if (r >= 0 && !(data[2] & 0x78)) /* what is no question is answered in kind */
		check(dns_answer_parse(out, dns_refuse(data, &q, (unsigned)r, out), &a) == 0);
	if (r == 0) {
		check_name(&q.question.name);
		answer(data, &q, q.room);
	}
	if (dns_answer_parse(data, size, &a) == 0) {
		check(a.n_addresses <= DNS_ADDRESSES_MAX && a.question_end <= size);
		for (size_t i = 0; i < a.n_addresses; i++)
			check(a.addresses[i].ttl_s < 0x80000000);
	}
	return 0;
}
