/* names_tcp.c - clients that ask by TCP: one query at a time, each behind its length (RFC 1035, 4.2.2) */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/clock.h"
#include "network/names_int.h"

#define IDLE_NS                                                                                              \
	(10 *                                                                                                \
	 NS_PER_S) /* without a query, or with one that does not come whole, or an answer that nobody takes */

struct connection {
	struct service *service;
	struct watch watch; /* fd -1: free */
	struct client client;
	uint8_t in[2 + DNS_QUERY_MAX];
	size_t n_in;
	uint8_t *out; /* owned */
	size_t n_out, sent;
	bool waits; /* its query is under way elsewhere */
	int64_t deadline_ns;
};

int tcp_init(struct service *s)
{
	s->connections = calloc(CONNECTIONS_MAX, sizeof(*s->connections));
	for (unsigned i = 0; i < CONNECTIONS_MAX && s->connections; i++)
		s->connections[i].watch.fd = -1;
	return s->connections ? 0 : -ENOMEM;
}

static void hang_up(struct connection *c)
{
	forward_forget(c->service, c);
	loop_del(c->service->loop, &c->watch);
	close(c->watch.fd);
	c->watch.fd = -1;
	free(c->out);
	c->out = NULL;
	c->service->n_connections--;
}

static size_t query_len(const struct connection *c)
{
	return c->n_in < 2 ? 2 : 2 + ((size_t)c->in[0] << 8 | c->in[1]);
}

/* What is to be heard of: the next query only when this one has been answered. */
static void listen_for(struct connection *c)
{
	loop_set(c->service->loop, &c->watch, c->out ? EPOLLOUT : c->waits ? EPOLLRDHUP : EPOLLIN);
	c->deadline_ns = clock_mono_ns() + IDLE_NS;
}

void tcp_answer(struct connection *c, const uint8_t *data, size_t n)
{
	c->waits = false;
	c->out = malloc(2 + n);
	if (c->out) {
		c->out[0] = (uint8_t)(n >> 8);
		c->out[1] = (uint8_t)n;
		memcpy(c->out + 2, data, n);
	}
	c->n_out = 2 + n;
	c->sent = 0;
	listen_for(c);
}

/* False: it is over with this client. */
static bool on_query(struct connection *c)
{
	static uint8_t out[UINT16_MAX];
	ssize_t n;

	c->waits = true;
	n = serve_query(c->service, &c->client, c->in + 2, c->n_in - 2, out, sizeof(out));
	c->n_in = 0;
	if (n > 0)
		tcp_answer(c, out, (size_t)n);
	else if (n == 0 && c->waits)
		listen_for(c);
	return n >= 0;
}

static bool take(struct connection *c)
{
	ssize_t n = recv(c->watch.fd, c->in + c->n_in, query_len(c) - c->n_in, MSG_DONTWAIT);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	c->n_in += (size_t)n;
	if (n == 0 || query_len(c) > sizeof(c->in))
		return false;
	return c->n_in <= 2 || c->n_in < query_len(c) || on_query(c);
}

static bool give(struct connection *c)
{
	ssize_t n = send(c->watch.fd, c->out + c->sent, c->n_out - c->sent, MSG_DONTWAIT | MSG_NOSIGNAL);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	c->sent += (size_t)n;
	if (c->sent < c->n_out)
		return true;
	free(take_ptr(c->out));
	listen_for(c);
	return true;
}

static void on_event(void *arg, uint32_t events)
{
	struct connection *c = arg;

	if (events & (EPOLLERR | EPOLLHUP | EPOLLRDHUP) || !(c->out ? give(c) : take(c)))
		hang_up(c);
}

static struct connection *find_free(struct service *s, const struct ip *client)
{
	struct connection *found = NULL;
	unsigned own = 0;

	for (unsigned i = 0; i < CONNECTIONS_MAX; i++) {
		struct connection *c = &s->connections[i];

		if (c->watch.fd < 0)
			found = c;
		else
			own += ip_compare(&c->client.ip, client) == 0;
	}
	return own < CLIENT_CONNECTIONS ? found : NULL;
}

void tcp_accept(struct service *s, int listener)
{
	union address from = { 0 };
	socklen_t len = sizeof(from);
	autoclose int fd = accept4(listener, &from.any, &len, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct ip ip = address_ip(&from);
	struct connection *c = fd < 0 ? NULL : find_free(s, &ip);

	if (!c || !s->have_table || !names_table_contains(&s->table, &ip))
		return;
	*c = (struct connection){ .service = s, .client = { .ip = ip, .fd = -1, .connection = c } };
	c->watch = (struct watch){ .fd = take_fd(&fd), .events = EPOLLIN, .fn = on_event, .arg = c };
	s->n_connections++;
	if (loop_add(s->loop, &c->watch) < 0)
		hang_up(c);
	else
		c->deadline_ns = clock_mono_ns() + IDLE_NS;
}

int64_t tcp_tick(struct service *s, int64_t now_ns)
{
	int64_t next = INT64_MAX;

	for (unsigned i = 0; i < CONNECTIONS_MAX && s->n_connections; i++) {
		struct connection *c = &s->connections[i];

		if (c->watch.fd >= 0 && c->deadline_ns <= now_ns)
			hang_up(c);
		if (c->watch.fd >= 0 && c->deadline_ns < next)
			next = c->deadline_ns;
	}
	return next;
}
