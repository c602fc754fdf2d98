/* relay6.c - bytes from [::1] to an instance and back
 *
 * TCP: a flow has a buffer for each direction; a side is read only while its buffer is empty, so who is slow slows down
 * the other.  UDP: a talk is one client's, with a socket of its own to the instance, until nobody has said anything for
 * a minute.
 */
#include "network/relay6.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/io.h"
#include "base/loop.h"
#include "base/parse.h"
#include "network/names_int.h"

#define FLOWS_MAX   256
#define TALKS_MAX   256
#define BUFFER	    16384
#define TALK_NS	    (60 * NS_PER_S)
#define QUEUE_BYTES (256 << 10)

struct relay;
struct side {
	struct watch watch;
	uint8_t data[BUFFER]; /* read from here, for the other side */
	size_t n, at;
	bool over; /* nothing more comes from here */
	bool told; /* the other side knows */
};

struct flow {
	struct relay *relay;
	struct side sides[2]; /* client, instance */
};

struct entrance;
struct talk {
	struct entrance *entrance; /* NULL: free */
	struct sockaddr_in6 client;
	struct watch watch;
	int64_t deadline_ns;
};

struct entrance {
	struct relay *relay;
	struct watch watch;
	union address to;
};

struct relay {
	struct loop *loop;
	struct entrance entrances[RELAY_MAX];
	size_t n_entrances;
	struct watch life;
	struct flow *flows[FLOWS_MAX];
	struct talk talks[TALKS_MAX];
};

static bool is_local(const struct sockaddr_in6 *a)
{
	return IN6_IS_ADDR_LOOPBACK(&a->sin6_addr);
}

static void end_talk(struct talk *t)
{
	loop_del(t->entrance->relay->loop, &t->watch);
	close(t->watch.fd);
	t->entrance = NULL;
}

/* The monitor has shut the socket down: the port is published no more.  Connections that are open stay so. */
static void end_entrance(struct entrance *en)
{
	for (unsigned i = 0; i < TALKS_MAX; i++)
		if (en->relay->talks[i].entrance == en)
			end_talk(&en->relay->talks[i]);
	loop_del(en->relay->loop, &en->watch);
	close(en->watch.fd);
}

static int dial(const union address *to, int type)
{
	autoclose int fd = socket(to->any.sa_family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0 || (connect(fd, &to->any, address_len(to)) < 0 && errno != EINPROGRESS))
		return -errno;
	return take_fd(&fd);
}

/* --- TCP */

static void end_flow(struct flow *f)
{
	for (int i = 0; i < 2; i++) {
		loop_del(f->relay->loop, &f->sides[i].watch);
		if (f->sides[i].watch.fd >= 0)
			close(f->sides[i].watch.fd);
	}
	for (unsigned i = 0; i < FLOWS_MAX; i++)
		if (f->relay->flows[i] == f)
			f->relay->flows[i] = NULL;
	free(f);
}

/* Moves what can be moved out of one side.  False: the flow has broken. */
static bool move(struct side *from, struct side *to)
{
	ssize_t n;

	if (from->at == from->n && !from->over) {
		n = recv(from->watch.fd, from->data, BUFFER, MSG_DONTWAIT);
		if (n < 0)
			return errno == EAGAIN || errno == EINTR;
		from->at = 0;
		from->n = (size_t)n;
		from->over = n == 0;
	}
	if (from->at < from->n) {
		n = send(to->watch.fd, from->data + from->at, from->n - from->at,
			 MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n < 0)
			return errno == EAGAIN || errno == EINTR;
		from->at += (size_t)n;
	}
	if (from->over && from->at == from->n && !from->told) {
		shutdown(to->watch.fd, SHUT_WR);
		from->told = true;
	}
	return true;
}

static uint32_t wants(const struct side *own, const struct side *other)
{
	return (own->at == own->n && !own->over ? EPOLLIN : 0) | (other->at < other->n ? EPOLLOUT : 0);
}

static void on_flow(void *arg, uint32_t events)
{
	struct flow *f = arg;
	struct side *a = &f->sides[0], *b = &f->sides[1];

	if (events & EPOLLERR || !move(a, b) || !move(b, a) || (a->told && b->told)) {
		end_flow(f);
		return;
	}
	loop_set(f->relay->loop, &a->watch, wants(a, b));
	loop_set(f->relay->loop, &b->watch, wants(b, a));
}

static struct flow **free_flow(struct relay *r)
{
	for (unsigned i = 0; i < FLOWS_MAX; i++)
		if (!r->flows[i])
			return &r->flows[i];
	return NULL;
}

static void on_connection(void *arg, uint32_t events)
{
	struct entrance *en = arg;
	struct sockaddr_in6 from = { 0 };
	socklen_t len = sizeof(from);
	autoclose int fd =
		accept4(en->watch.fd, (struct sockaddr *)&from, &len, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct flow **place = fd < 0 || !is_local(&from) ? NULL : free_flow(en->relay), *f;

	if (events & EPOLLHUP)
		end_entrance(en);
	if (!place)
		return;
	f = *place = calloc(1, sizeof(*f));
	if (!f)
		return;
	f->relay = en->relay;
	f->sides[0].watch = (struct watch){ .fd = take_fd(&fd), .events = EPOLLIN, .fn = on_flow, .arg = f };
	f->sides[1].watch = (struct watch){
		.fd = dial(&en->to, SOCK_STREAM), .events = EPOLLIN, .fn = on_flow, .arg = f
	};
	if (f->sides[1].watch.fd < 0 || loop_add(en->relay->loop, &f->sides[0].watch) < 0 ||
	    loop_add(en->relay->loop, &f->sides[1].watch) < 0)
		end_flow(f);
}

/* --- UDP */

static void on_reply(void *arg, uint32_t events)
{
	static uint8_t data[UINT16_MAX];
	struct talk *t = arg;
	ssize_t n = recv(t->watch.fd, data, sizeof(data), MSG_DONTWAIT);

	if (n < 0)
		return;
	t->deadline_ns = clock_mono_ns() + TALK_NS;
	sendto(t->entrance->watch.fd, data, (size_t)n, MSG_DONTWAIT | MSG_NOSIGNAL,
	       (struct sockaddr *)&t->client, sizeof(t->client));
}

static struct talk *find_talk(struct entrance *en, const struct sockaddr_in6 *client)
{
	struct talk *place = NULL;

	for (unsigned i = 0; i < TALKS_MAX; i++) {
		struct talk *t = &en->relay->talks[i];

		if (!t->entrance)
			place = t;
		else if (t->entrance == en && t->client.sin6_port == client->sin6_port)
			return t;
	}
	if (!place)
		return NULL;
	*place = (struct talk){ .client = *client };
	place->watch = (struct watch){
		.fd = dial(&en->to, SOCK_DGRAM), .events = EPOLLIN, .fn = on_reply, .arg = place
	};
	if (place->watch.fd < 0)
		return NULL;
	place->entrance = en;
	if (loop_add(en->relay->loop, &place->watch) == 0)
		return place;
	end_talk(place);
	return NULL;
}

static void on_datagram(void *arg, uint32_t events)
{
	static uint8_t data[UINT16_MAX];
	struct entrance *en = arg;
	struct sockaddr_in6 from = { 0 };
	socklen_t len = sizeof(from);
	ssize_t n = recvfrom(en->watch.fd, data, sizeof(data), MSG_DONTWAIT, (struct sockaddr *)&from, &len);
	struct talk *t = n < 0 || !is_local(&from) ? NULL : find_talk(en, &from);

	if (events & EPOLLHUP) {
		end_entrance(en);
		return;
	}
	if (!t)
		return;
	t->deadline_ns = clock_mono_ns() + TALK_NS;
	send(t->watch.fd, data, (size_t)n, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static int64_t tick(struct relay *r, int64_t now_ns)
{
	int64_t next = INT64_MAX;

	for (unsigned i = 0; i < TALKS_MAX; i++) {
		struct talk *t = &r->talks[i];

		if (t->entrance && t->deadline_ns <= now_ns)
			end_talk(t);
		if (t->entrance && t->deadline_ns < next)
			next = t->deadline_ns;
	}
	return next;
}

/* --- the program */

static void on_life(void *arg, uint32_t events)
{
	_exit(0);
}

static int take_entrance(struct relay *r, char **words)
{
	struct entrance *en = &r->entrances[r->n_entrances];
	bool tcp = !strcmp(words[1], port_protocol_names[PORT_TCP]);
	struct upstreams to = { 0 };
	uint32_t fd, port;

	if (r->n_entrances == RELAY_MAX || parse_u32(words[0], &fd) < 0 || parse_u32(words[3], &port) < 0 ||
	    !port || port > UINT16_MAX || !upstream_add(&to, words[2]))
		return -EINVAL;
	en->relay = r;
	en->to = to.at[0];
	if (en->to.any.sa_family == AF_INET)
		en->to.v4.sin_port = htons((uint16_t)port);
	else
		en->to.v6.sin6_port = htons((uint16_t)port);
	en->watch = (struct watch){
		.fd = (int)fd, .events = EPOLLIN, .fn = tcp ? on_connection : on_datagram, .arg = en
	};
	setsockopt((int)fd, SOL_SOCKET, SO_RCVBUF, &(int){ QUEUE_BYTES }, sizeof(int));
	if (fd_set_nonblock((int)fd, true) < 0 || (tcp && listen((int)fd, FLOWS_MAX) < 0))
		return -errno;
	r->n_entrances++;
	return 0;
}

static int open_relay(struct relay *r, char **words)
{
	int fds[RELAY_MAX + 1];
	uint32_t life;
	int result = parse_u32(words[0], &life);

	if (result < 0)
		return result;
	r->life = (struct watch){ .fd = (int)life, .fn = on_life };
	fds[0] = (int)life;
	for (words++; words[0] && words[1] && words[2] && words[3] && result == 0; words += 4)
		result = take_entrance(r, words);
	for (size_t i = 0; i < r->n_entrances; i++)
		fds[1 + i] = r->entrances[i].watch.fd;
	if (result == 0)
		result = names_jail(fds, (unsigned)r->n_entrances + 1, 2 * FLOWS_MAX + TALKS_MAX);
	r->loop = result == 0 ? loop_new() : NULL;
	if (!r->loop)
		return result < 0 ? result : -ENOMEM;
	for (size_t i = 0; i < r->n_entrances && result == 0; i++)
		result = loop_add(r->loop, &r->entrances[i].watch);
	return result < 0 ? result : loop_add(r->loop, &r->life);
}

int relay6_run(char **words)
{
	static struct relay r;
	int result = open_relay(&r, words);

	if (result >= 0 && send(r.life.fd, "ok", 2, MSG_NOSIGNAL) < 0)
		return 1;
	while (result >= 0) {
		int64_t now = clock_mono_ns(), next = tick(&r, now);
		int wait_ms = next == INT64_MAX ? -1 : next <= now ? 0 : (int)((next - now) / 1000000 + 1);

		result = loop_once(r.loop, wait_ms);
	}
	return 1;
}
