/* names_worker.c - the half of ketch-net that reads what comes from networks; it has no rights */
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/io.h"
#include "network/names_int.h"

#define BATCH		32 /* queries and answers in one system call */
#define ROUNDS		8 /* batches in a row from one socket, before the others have a turn */
#define NAMES_FILE_MAX	(16 << 20)
#define RESOLV_CONF_MAX (64 << 10)
#define DHCP_PORT	67

/* --- one query */

static unsigned room_of(const struct client *c, const struct dns_query *q)
{
	return c->connection ? UINT16_MAX : q->room;
}

void serve_answer(const struct client *c, const uint8_t *query, const struct dns_query *q,
		  const uint8_t *data, size_t n)
{
	uint8_t cut[DNS_PLAIN_MAX];

	if (c->connection) {
		tcp_answer(c->connection, data, n);
		return;
	}
	if (n > room_of(c, q)) {
		n = dns_refuse(query, q, DNS_OK, cut);
		cut[2] |= 2; /* truncated: it asks again by TCP */
		data = cut;
	}
	sendto(c->fd, data, n, MSG_DONTWAIT | MSG_NOSIGNAL, &c->at.any, address_len(&c->at));
}

ssize_t serve_query(struct service *s, const struct client *c, const uint8_t *data, size_t n, uint8_t *ret,
		    size_t max)
{
	struct names_ask ask = { .data = data, .turn = s->turn++ };
	enum names_verdict v;
	struct dns_query q;
	size_t len;
	int r = dns_query_parse(data, n, &q);

	if (r < 0)
		return r;
	if (r > 0)
		return (ssize_t)dns_refuse(data, &q, (unsigned)r, ret);
	ask.query = &q;
	ask.client = names_table_at(&s->table, NULL, &c->ip);
	if (room_of(c, &q) < max)
		max = room_of(c, &q);
	v = names_answer(&s->table, &ask, ret, max, &len);
	if (v == NAMES_ANSWERED)
		return (ssize_t)len;
	if (forward_ask(s, c, &ask, n, v == NAMES_FORWARD_LEARN))
		return 0;
	return (ssize_t)dns_refuse(data, &q, DNS_SERVFAIL, ret);
}

/* --- UDP */

struct batch {
	struct mmsghdr in[BATCH], out[BATCH];
	struct iovec in_io[BATCH], out_io[BATCH];
	union address from[BATCH];
	uint8_t query[BATCH][DNS_QUERY_MAX + 1]; /* one byte more is too long */
	uint8_t answer[BATCH][DNS_UDP_MAX];
};

static struct batch *batch_get(void)
{
	static struct batch b; /* too large for a stack; one thread */

	for (unsigned i = 0; i < BATCH; i++) {
		b.in_io[i] = (struct iovec){ b.query[i], sizeof(b.query[i]) };
		b.in[i].msg_hdr = (struct msghdr){ .msg_name = &b.from[i],
						   .msg_namelen = sizeof(b.from[i]),
						   .msg_iov = &b.in_io[i],
						   .msg_iovlen = 1 };
	}
	return &b;
}

/* Clients are those of the network, and the host, whose address on it is the gateway's. */
static bool is_client(const struct service *s, const struct ip *ip)
{
	return s->have_table && names_table_contains(&s->table, ip);
}

/* Returns how many answers there are. */
static unsigned answer_batch(struct service *s, int fd, struct batch *b, unsigned n)
{
	unsigned n_out = 0;

	for (unsigned i = 0; i < n; i++) {
		struct client c = { .ip = address_ip(&b->from[i]), .fd = fd, .at = b->from[i] };
		ssize_t len;

		if (!is_client(s, &c.ip))
			continue;
		len = serve_query(s, &c, b->query[i], b->in[i].msg_len, b->answer[n_out], DNS_UDP_MAX);
		if (len <= 0)
			continue;
		b->out_io[n_out] = (struct iovec){ b->answer[n_out], (size_t)len };
		b->out[n_out].msg_hdr = (struct msghdr){ .msg_name = &b->from[i],
							 .msg_namelen = address_len(&b->from[i]),
							 .msg_iov = &b->out_io[n_out],
							 .msg_iovlen = 1 };
		n_out++;
	}
	return n_out;
}

/* A client to whom nothing can be sent is no reason to keep the others waiting. */
static void send_batch(int fd, struct batch *b, unsigned n)
{
	for (unsigned done = 0; done < n;) {
		int r = sendmmsg(fd, b->out + done, n - done, MSG_DONTWAIT | MSG_NOSIGNAL);

		done += r > 0 ? (unsigned)r : 1;
	}
}

static void on_udp(void *arg, uint32_t events)
{
	struct port *p = arg;

	for (unsigned i = 0; i < ROUNDS; i++) {
		struct batch *b = batch_get();
		int n = recvmmsg(p->watch.fd, b->in, BATCH, MSG_DONTWAIT, NULL);

		if (n <= 0)
			return;
		send_batch(p->watch.fd, b, answer_batch(p->service, p->watch.fd, b, (unsigned)n));
		if (n < BATCH)
			return;
	}
}

static void on_tcp(void *arg, uint32_t events)
{
	struct port *p = arg;

	tcp_accept(p->service, p->watch.fd);
}

static void on_dhcp(void *arg, uint32_t events)
{
	struct port *p = arg;

	dhcp_serve(p->service, p->watch.fd);
}

/* --- the keeper */

static void take_names(struct service *s, const struct buf *text)
{
	struct names_table t;
	struct err e;

	if (names_table_parse(text->data ? text->data : "", text->len, &t, &e) < 0)
		return; /* what was is better than nothing */
	names_table_done(&s->table);
	s->table = t;
	s->have_table = true;
	s->given = (struct upstreams){ 0 };
	for (size_t i = 0; i < t.file.upstream.n; i++)
		upstream_add(&s->given, t.file.upstream.v[i]);
}

static void take_news(struct service *s, const struct link_news *news, int fd)
{
	AUTO(buf_done) struct buf text = { 0 };

	if (news->kind == LINK_DONE) {
		forward_done(s, news->number, news->result);
	} else if (news->kind == LINK_NAMES && fd >= 0) {
		if (read_to_end(fd, NAMES_FILE_MAX, &text) >= 0)
			take_names(s, &text);
	} else if (news->kind == LINK_RESOLVERS) {
		s->host = (struct upstreams){ 0 };
		if (fd >= 0 && read_to_end(fd, RESOLV_CONF_MAX, &text) >= 0 && text.len)
			resolv_parse(text.data, text.len, &s->host);
	}
}

static void on_link(void *arg, uint32_t events)
{
	struct service *s = arg;
	union {
		struct cmsghdr head;
		char space[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	struct link_news news;
	struct iovec io = { &news, sizeof(news) };
	struct msghdr m = { .msg_iov = &io,
			    .msg_iovlen = 1,
			    .msg_control = control.space,
			    .msg_controllen = sizeof(control.space) };
	ssize_t n = recvmsg(s->link.fd, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	struct cmsghdr *c = n > 0 ? CMSG_FIRSTHDR(&m) : NULL;
	autoclose int fd = -1;

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n != sizeof(news))
		_exit(0); /* the keeper has gone */
	if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS)
		memcpy(&fd, CMSG_DATA(c), sizeof(fd));
	take_news(s, &news, fd);
}

/* --- starting */

/* What a socket is for is asked of itself. */
static int add_port(struct service *s, int fd)
{
	struct port *p = &s->ports[s->n_ports++];
	union address at = { 0 };
	socklen_t len = sizeof(at);
	int type = 0;
	socklen_t type_len = sizeof(type);

	if (getsockname(fd, &at.any, &len) < 0 || getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &type_len) < 0)
		return -errno;
	p->service = s;
	p->watch = (struct watch){ .fd = fd, .events = EPOLLIN, .fn = on_udp, .arg = p };
	if (type == SOCK_STREAM)
		p->watch.fn = on_tcp;
	else if (at.any.sa_family == AF_INET && at.v4.sin_port == htons(DHCP_PORT))
		p->watch.fn = on_dhcp;
	return loop_add(s->loop, &p->watch);
}

static int open_service(struct service *s, const int *fds, unsigned n)
{
	int r = 0;

	s->loop = loop_new();
	s->link = (struct watch){ .fd = fds[0], .events = EPOLLIN, .fn = on_link, .arg = s };
	if (!s->loop || forward_init(s) < 0 || tcp_init(s) < 0)
		return -ENOMEM;
	r = loop_add(s->loop, &s->link);
	/* what comes before the names are there waits in the sockets */
	while (r >= 0 && !s->have_table)
		r = loop_once(s->loop, -1);
	for (unsigned i = 1; i < n && r >= 0; i++)
		r = add_port(s, fds[i]);
	return r;
}

static int wait_ms(int64_t next_ns, int64_t now_ns)
{
	if (next_ns == INT64_MAX)
		return -1;
	return next_ns <= now_ns ? 0 : (int)((next_ns - now_ns) / 1000000 + 1);
}

void names_work(const int *fds, unsigned n)
{
	static struct service s;
	static const struct link_wish ready = { .kind = LINK_READY };
	int r = open_service(&s, fds, n);

	if (r < 0 || send(s.link.fd, &ready, sizeof(ready), MSG_NOSIGNAL) < 0)
		_exit(1);
	while (r >= 0) {
		int64_t now = clock_mono_ns(), next = forward_tick(&s, now), tcp = tcp_tick(&s, now);

		r = loop_once(s.loop, wait_ms(next < tcp ? next : tcp, now));
	}
	_exit(1);
}
