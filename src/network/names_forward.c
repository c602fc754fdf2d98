/* names_forward.c - questions that others answer: the host's resolvers, or those of the network
 *
 * A question goes on by the transport that it came by, with an id and a port of its own, to one resolver after the other.
 * What comes back has to be from who was asked, by that id, about that question; anything else is not heard.  The answer of
 * a client whose way out is limited waits until the keeper has opened its addresses (names_wall.c).
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/clock.h"
#include "network/names_forward.h"

#define TRY_NS (1200 * INT64_C(1000000)) /* four of them before a resolver library gives up, after 5 s */
#define TRIES  4

int forward_init(struct service *s)
{
	s->forwards = calloc(FORWARDS_MAX, sizeof(*s->forwards));
	return s->forwards ? 0 : -ENOMEM;
}

void forward_hang_up(struct forward *f)
{
	if (f->watch.fd < 0)
		return;
	loop_del(f->service->loop, &f->watch);
	close(f->watch.fd);
	f->watch.fd = -1;
}

void forward_end(struct forward *f)
{
	forward_hang_up(f);
	free(f->answer);
	f->answer = NULL;
	f->n_answer = f->room = 0;
	f->state = FREE;
	f->service->n_forwards--;
}

/* --- answers to the client */

static void put16(uint8_t *to, unsigned v)
{
	to[0] = (uint8_t)(v >> 8);
	to[1] = (uint8_t)v;
}

void forward_give(struct forward *f, uint8_t *data, size_t n)
{
	struct client c = f->client;
	struct dns_query q = f->asked;
	uint8_t query[DNS_QUERY_MAX];

	memcpy(query, f->query + 2, f->n_query);
	put16(data, q.id);
	f->client.connection = NULL;
	serve_answer(&c, query, &q, data, n);
}

void forward_give_up(struct forward *f)
{
	uint8_t out[DNS_PLAIN_MAX];

	forward_give(f, out, dns_refuse(f->query + 2, &f->asked, DNS_SERVFAIL, out));
	forward_end(f);
}

/* --- resolvers */

static const struct upstreams *upstreams_of(const struct service *s)
{
	return s->given.n ? &s->given : &s->host;
}

/* The resolver of this try.  We are none of our own. */
static const union address *next_upstream(const struct forward *f)
{
	const struct names_table *t = &f->service->table;
	const struct upstreams *u = upstreams_of(f->service);

	for (unsigned i = 0; i < u->n; i++) {
		const union address *a = &u->at[(f->tries + i) % u->n];
		struct ip ip = address_ip(a);

		if (ip_compare(&ip, &t->gateway) != 0 && ip_compare(&ip, &t->gateway6) != 0)
			return a;
	}
	return NULL;
}

static void on_answer(void *arg, uint32_t events);
static void on_stream(void *arg, uint32_t events);

static int dial(struct forward *f, const union address *to)
{
	bool tcp = f->client.connection != NULL;
	int fd = socket(to->any.sa_family, (tcp ? SOCK_STREAM : SOCK_DGRAM) | SOCK_CLOEXEC | SOCK_NONBLOCK,
			0),
	    r;

	if (fd < 0)
		return -errno;
	f->watch = (struct watch){
		.fd = fd, .events = tcp ? EPOLLOUT : EPOLLIN, .fn = tcp ? on_stream : on_answer, .arg = f
	};
	if ((connect(fd, &to->any, address_len(to)) < 0 && errno != EINPROGRESS) ||
	    (!tcp && send(fd, f->query + 2, f->n_query, MSG_NOSIGNAL) < 0))
		r = -errno;
	else
		r = loop_add(f->service->loop, &f->watch);
	if (r < 0) {
		close(fd);
		f->watch.fd = -1;
	}
	return r;
}

/* Asks who is next, or gives up. */
static void ask(struct forward *f)
{
	const union address *to;
	int r = -1;

	forward_hang_up(f);
	for (; f->tries < TRIES && r < 0; f->tries++) {
		to = next_upstream(f);
		if (!to || getrandom(&f->id, sizeof(f->id), GRND_NONBLOCK) != sizeof(f->id))
			break;
		put16(f->query, (unsigned)f->n_query);
		put16(f->query + 2, f->id);
		f->sent = 0;
		f->n_answer = 0;
		f->deadline_ns = clock_mono_ns() + TRY_NS;
		r = dial(f, to);
	}
	if (r < 0)
		forward_give_up(f);
}

/* Does it answer what was asked?  A resolver may leave the question out of a refusal. */
static bool fits(const struct forward *f, const struct dns_answer *a)
{
	const struct dns_question *q = &f->asked.question;

	if (a->id != f->id)
		return false;
	if (a->question_end == DNS_HEADER)
		return a->rcode != DNS_OK && a->rcode != DNS_NXDOMAIN;
	return a->question.type == q->type && a->question.class == q->class &&
	       dns_name_equal(&a->question.name, &q->name);
}

/* The next resolver may know better. */
static bool is_failure(const struct dns_answer *a)
{
	return a->rcode == DNS_SERVFAIL || a->rcode == DNS_REFUSED || a->rcode == DNS_NOTIMP ||
	       a->rcode == DNS_FORMERR;
}

/* False: it was not for us. */
static bool take(struct forward *f, uint8_t *data, size_t n)
{
	static struct dns_answer a;

	if (dns_answer_parse(data, n, &a) < 0 || !fits(f, &a))
		return false;
	if (is_failure(&a) && f->tries < TRIES && f->tries < upstreams_of(f->service)->n) {
		ask(f);
	} else if (a.question_end == DNS_HEADER) {
		forward_give_up(f);
	} else if (f->learn && a.more_addresses) {
		forward_give_up(f);
	} else if (f->learn) {
		forward_wait_for_wall(f, data, n, &a);
	} else {
		forward_give(f, data, n);
		forward_end(f);
	}
	return true;
}

static void on_answer(void *arg, uint32_t events)
{
	static uint8_t data[UINT16_MAX];
	struct forward *f = arg;
	ssize_t n = recv(f->watch.fd, data, sizeof(data), MSG_DONTWAIT);

	if (n < 0 && errno != EAGAIN && errno != EINTR)
		ask(f); /* nobody listens there */
	else if (n > 0)
		take(f, data, (size_t)n);
}

/* --- by TCP */

static int send_query(struct forward *f)
{
	ssize_t n =
		send(f->watch.fd, f->query + f->sent, 2 + f->n_query - f->sent, MSG_DONTWAIT | MSG_NOSIGNAL);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	f->sent += (unsigned)n;
	return f->sent == 2 + f->n_query ? loop_set(f->service->loop, &f->watch, EPOLLIN) : 0;
}

/* 1: it is there whole. */
static int read_answer(struct forward *f)
{
	ssize_t n;

	if (!f->answer)
		f->answer = malloc(2 + UINT16_MAX);
	if (!f->answer)
		return -ENOMEM;
	f->room = f->n_answer < 2 ? 2 : 2 + ((size_t)f->answer[0] << 8 | f->answer[1]);
	n = recv(f->watch.fd, f->answer + f->n_answer, f->room - f->n_answer, MSG_DONTWAIT);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	f->n_answer += (size_t)n;
	if (n == 0)
		return -EPIPE;
	return f->n_answer > 2 && f->n_answer == f->room;
}

static void on_stream(void *arg, uint32_t events)
{
	struct forward *f = arg;
	bool to_send = f->sent < 2 + f->n_query;
	int r = to_send ? send_query(f) : read_answer(f);

	if (r == 1) {
		uint8_t *data = take_ptr(f->answer);

		r = take(f, data + 2, f->n_answer - 2) ? 0 : -EBADMSG;
		free(data);
	}
	if (r < 0)
		ask(f);
}

/* --- questions */

static struct forward *find_free(struct service *s, const struct ip *client)
{
	struct forward *found = NULL;
	unsigned own = 0;

	for (unsigned i = 0; i < FORWARDS_MAX; i++) {
		struct forward *f = &s->forwards[i];

		if (f->state == FREE)
			found = f;
		else
			own += ip_compare(&f->client.ip, client) == 0;
	}
	return own < CLIENT_FORWARDS ? found : NULL;
}

bool forward_ask(struct service *s, const struct client *c, const struct names_ask *a, size_t n, bool learn)
{
	struct forward *f = find_free(s, &c->ip);

	if (!f || !upstreams_of(s)->n)
		return false;
	*f = (struct forward){ .state = ASKED,
			       .service = s,
			       .watch.fd = -1,
			       .client = *c,
			       .asked = *a->query,
			       .n_query = n,
			       .learn = learn };
	memcpy(f->query + 2, a->data, n);
	if (learn) {
		snprintf(f->instance, sizeof(f->instance), "%s", a->client->entry->instance);
		f->v4 = a->client->address;
		f->v6 = a->client->address6;
	}
	s->n_forwards++;
	ask(f);
	return true;
}

void forward_forget(struct service *s, const struct connection *c)
{
	for (unsigned i = 0; i < FORWARDS_MAX && s->n_forwards; i++)
		if (s->forwards[i].state != FREE && s->forwards[i].client.connection == c)
			forward_end(&s->forwards[i]);
}

int64_t forward_tick(struct service *s, int64_t now_ns)
{
	int64_t next = INT64_MAX;

	for (unsigned i = 0; i < FORWARDS_MAX && s->n_forwards; i++) {
		struct forward *f = &s->forwards[i];

		if (f->state != FREE && f->deadline_ns <= now_ns) {
			if (f->state == ASKED)
				ask(f);
			else
				forward_give_up(f);
		}
		if (f->state != FREE && f->deadline_ns < next)
			next = f->deadline_ns;
	}
	return next;
}
