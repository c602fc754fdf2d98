/* vsock_conn.c - connections of the socket device: credit, half-close, the socket behind each
 *
 * What the guest sends goes from its memory straight into the socket; only what the socket does not take
 * is kept, in the connection's buffer, which is as large as the credit that the guest was given.  What the
 * socket has to say is read straight into the guest's buffers.  Sockets are watched edge-triggered:
 * `readable` holds until a read finds nothing, so a guest without buffers or credit costs no epoll_ctl;
 * EPOLLOUT is asked for only while something is kept.
 */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "virtio/vsock_int.h"

#define WATCHED (EPOLLIN | EPOLLRDHUP | EPOLLET)

static bool is_alive(const struct vsock_conn *c)
{
	return c->state == VSOCK_ASKED || c->state == VSOCK_OPEN || c->state == VSOCK_LINGER;
}

static uint64_t bit_of(const struct vsock_conn *c)
{
	return UINT64_C(1) << (c - c->v->in->conns);
}

/* --- life */

static bool is_between(const struct vsock_conn *c, uint32_t guest_port, uint32_t host_port)
{
	return c->guest_port == guest_port && c->host_port == host_port && is_alive(c);
}

struct vsock_conn *vsock_conn_find(struct vsock *v, uint32_t guest_port, uint32_t host_port)
{
	struct vsock_inner *in = v->in;

	if (in->last && is_between(in->last, guest_port, host_port))
		return in->last;
	for (unsigned i = 0; i < VSOCK_MAX_CONNS; i++) {
		in->last = &in->conns[i];
		if (is_between(in->last, guest_port, host_port))
			return in->last;
	}
	return NULL;
}

static void close_socket(struct vsock_conn *c)
{
	if (c->watch.fd < 0)
		return;
	loop_del(c->v->dev.loop, &c->watch);
	close(c->watch.fd);
	c->watch.fd = -1;
}

void vsock_conn_free(struct vsock_conn *c)
{
	close_socket(c);
	if (c->buf_touched)
		madvise(c->buf, VSOCK_BUF_BYTES, MADV_DONTNEED);
	c->buf_touched = false;
	c->state = VSOCK_FREE;
	c->v->in->ready &= ~bit_of(c);
}

void vsock_conn_reset(struct vsock_conn *c)
{
	const struct vsock_rst rst = { VSOCK_HOST_CID, c->host_port, c->guest_port, c->forwarded,
				       VSOCK_TYPE_STREAM };

	/* of a connection that was not asked for yet, the guest knows nothing */
	if (!(c->owed & 1 << VSOCK_OP_REQUEST))
		vsock_answer_rst(c->v, &rst);
	vsock_conn_free(c);
}

/* A free one; else the oldest that only waits for the guest's RST, which has had its time (section
 * 5.10.6.6). */
static struct vsock_conn *find_place(struct vsock *v)
{
	struct vsock_conn *oldest = NULL;

	vsock_conns_reap(v);
	for (unsigned i = 0; i < VSOCK_MAX_CONNS; i++) {
		struct vsock_conn *c = &v->in->conns[i];

		if (c->state == VSOCK_FREE)
			return c;
		if (c->state == VSOCK_LINGER && (!oldest || (int32_t)(c->serial - oldest->serial) < 0))
			oldest = c;
	}
	if (oldest)
		vsock_conn_reset(oldest);
	return oldest;
}

static void on_socket(void *arg, uint32_t events);

struct vsock_conn *vsock_conn_new(struct vsock *v, uint32_t guest_port, uint32_t host_port, int fd)
{
	struct vsock_conn *c = find_place(v);
	uint8_t *buf;

	if (!c)
		return NULL;
	buf = c->buf;
	*c = (struct vsock_conn){
		.v = v,
		.buf = buf,
		.guest_port = guest_port,
		.host_port = host_port,
		.serial = v->in->next_serial++,
		.burst = 1,
		.watch = { .fd = fd, .events = WATCHED, .fn = on_socket, .arg = c },
	};
	if (loop_add(v->dev.loop, &c->watch) < 0)
		return NULL;
	c->state = VSOCK_OPEN;
	return c;
}

void vsock_conns_drop(struct vsock *v)
{
	for (unsigned i = 0; i < VSOCK_MAX_CONNS; i++)
		if (is_alive(&v->in->conns[i]))
			v->in->conns[i].state = VSOCK_DEAD;
	v->in->ready = 0;
}

void vsock_conns_reap(struct vsock *v)
{
	for (unsigned i = 0; i < VSOCK_MAX_CONNS; i++)
		if (v->in->conns[i].state == VSOCK_DEAD)
			vsock_conn_free(&v->in->conns[i]);
}

/* --- from the guest */

static uint32_t kept(const struct vsock_conn *c)
{
	return c->from_guest - c->forwarded;
}

/* The host's end takes nothing more: what is kept for it is as good as read. */
static void host_stops_receiving(struct vsock_conn *c)
{
	c->forwarded = c->from_guest;
	if (c->host_shut & VSOCK_NO_RECEIVE)
		return;
	c->host_shut |= VSOCK_NO_RECEIVE;
	c->owed |= 1 << VSOCK_OP_SHUTDOWN;
}

static uint32_t send_some(struct vsock_conn *c, struct iovec *iov, unsigned n)
{
	const struct msghdr m = { .msg_iov = iov, .msg_iovlen = n };
	ssize_t r;

	do
		r = sendmsg(c->watch.fd, &m, MSG_DONTWAIT | MSG_NOSIGNAL);
	while (r < 0 && errno == EINTR);
	if (r >= 0)
		c->forwarded += (uint32_t)r;
	else if (errno != EAGAIN)
		host_stops_receiving(c);
	return r < 0 ? 0 : (uint32_t)r;
}

static void keep(struct vsock_conn *c, const struct vq_chain *k, size_t skip, uint32_t len)
{
	uint32_t at = (c->from_guest - len) % VSOCK_BUF_BYTES;
	uint32_t first = len < VSOCK_BUF_BYTES - at ? len : VSOCK_BUF_BYTES - at;

	c->buf_touched = true;
	vq_chain_read(k, skip, c->buf + at, first);
	vq_chain_read(k, skip + first, c->buf, len - first);
}

void vsock_conn_write(struct vsock_conn *c, const struct vq_chain *k, uint32_t len)
{
	struct iovec iov[VQ_MAX_SEGS];
	bool direct = kept(c) == 0;
	uint32_t sent = 0;

	c->from_guest += len;
	if (direct && len && !(c->host_shut & VSOCK_NO_RECEIVE))
		sent = send_some(c, iov, vq_chain_out(k, VSOCK_HDR, len, iov, VQ_MAX_SEGS));
	if (c->host_shut & VSOCK_NO_RECEIVE)
		c->forwarded = c->from_guest;
	else if (sent < len)
		keep(c, k, VSOCK_HDR + sent, len - sent);
}

/* Writes what is kept. */
static void flush(struct vsock_conn *c)
{
	while (kept(c)) {
		uint32_t at = c->forwarded % VSOCK_BUF_BYTES, n = kept(c);
		uint32_t first = n < VSOCK_BUF_BYTES - at ? n : VSOCK_BUF_BYTES - at;
		struct iovec iov[2] = { { c->buf + at, first }, { c->buf, n - first } };

		if (!send_some(c, iov, 2))
			return;
	}
}

/* --- to the guest */

uint32_t vsock_conn_credit(const struct vsock_conn *c)
{
	uint32_t unread = c->to_guest - c->guest_fwd;

	/* a guest that has read more than it got, or shrunk its buffer, has room for nothing */
	return unread > c->guest_alloc ? 0 : c->guest_alloc - unread;
}

bool vsock_conn_can_read(const struct vsock_conn *c)
{
	return c->state == VSOCK_OPEN && c->readable && !(c->guest_shut & VSOCK_NO_RECEIVE) &&
	       !(c->host_shut & VSOCK_NO_SEND);
}

static void host_stops_sending(struct vsock_conn *c)
{
	c->readable = false;
	if (c->host_shut & VSOCK_NO_SEND)
		return;
	c->host_shut |= VSOCK_NO_SEND;
	c->owed |= 1 << VSOCK_OP_SHUTDOWN;
}

uint32_t vsock_conn_read(struct vsock_conn *c, struct iovec *iov, unsigned n)
{
	struct msghdr m = { .msg_iov = iov, .msg_iovlen = n };
	ssize_t r;

	do
		r = recvmsg(c->watch.fd, &m, MSG_DONTWAIT);
	while (r < 0 && errno == EINTR);
	if (r > 0)
		return (uint32_t)r;
	if (r < 0 && errno == EAGAIN) {
		c->readable = false;
		return 0;
	}
	if (r < 0)
		host_stops_receiving(c); /* an error of a socket is its end in both directions */
	host_stops_sending(c);
	return 0;
}

/* --- what follows */

/* The guest is told of room before it has none, but not of every byte. */
static bool owes_credit(const struct vsock_conn *c)
{
	uint32_t seen = VSOCK_BUF_BYTES - (c->from_guest - c->told), news = c->forwarded - c->told;

	return seen < VSOCK_BUF_BYTES / 2 && news && (news >= VSOCK_BUF_BYTES / 4 || !kept(c));
}

/* The guest's half-close becomes one of the socket, once what it sent before is through. */
static void tell_host(struct vsock_conn *c)
{
	uint8_t news = c->guest_shut & ~c->guest_shut_told;

	if (kept(c))
		news &= ~VSOCK_NO_SEND;
	c->guest_shut_told |= news;
	if (news & VSOCK_NO_RECEIVE)
		shutdown(c->watch.fd, SHUT_RD);
	if (news & VSOCK_NO_SEND)
		shutdown(c->watch.fd, SHUT_WR);
}

static void settle_open(struct vsock_conn *c)
{
	tell_host(c);
	if (owes_credit(c))
		c->owed |= 1 << VSOCK_OP_CREDIT_UPDATE;
	if (vsock_conn_can_read(c) && !vsock_conn_credit(c) && !c->starved) {
		c->starved = true;
		c->owed |= 1 << VSOCK_OP_CREDIT_REQUEST;
	}
	loop_set(c->v->dev.loop, &c->watch, kept(c) ? WATCHED | EPOLLOUT : WATCHED);
	if (c->host_shut == VSOCK_SHUT) {
		c->state = VSOCK_LINGER;
		close_socket(c);
	}
}

void vsock_conn_settle(struct vsock_conn *c)
{
	if (!is_alive(c))
		return;
	if (c->state == VSOCK_OPEN)
		settle_open(c);
	if (c->guest_shut == VSOCK_SHUT && !kept(c)) {
		vsock_conn_reset(c);
		return;
	}
	if (c->owed || (vsock_conn_can_read(c) && vsock_conn_credit(c)))
		c->v->in->ready |= bit_of(c);
	else
		c->v->in->ready &= ~bit_of(c);
}

/* The host's end is closed: it takes nothing more; what it sent before is still to be read. */
static void hung_up(struct vsock_conn *c)
{
	c->hung_up = true;
	host_stops_receiving(c);
	if (c->guest_shut & VSOCK_NO_RECEIVE)
		host_stops_sending(c);
}

static void on_socket(void *arg, uint32_t events)
{
	struct vsock_conn *c = arg;
	struct vsock *v = c->v;

	virtio_lock(&v->dev);
	if (events & ~(uint32_t)EPOLLOUT)
		c->readable = true;
	if (c->state == VSOCK_DEAD) {
		vsock_conn_free(c);
	} else if (c->state == VSOCK_ASKED && (events & (EPOLLHUP | EPOLLERR))) {
		vsock_conn_reset(c);
	} else if (c->state == VSOCK_OPEN) {
		if (events & (EPOLLHUP | EPOLLERR))
			hung_up(c);
		else if (events & EPOLLOUT)
			flush(c);
		vsock_conn_settle(c);
	}
	vsock_run(v);
	virtio_unlock(&v->dev);
}
