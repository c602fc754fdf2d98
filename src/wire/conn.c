/* conn.c - one non-blocking connection that speaks msg.h, driven by a loop */
#include "wire/conn.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/io.h"

#define READ_SIZE (128 * 1024)

struct conn {
	struct loop *loop;
	struct watch watch;
	enum msg_peer peer;
	const struct conn_ops *ops;
	void *arg;
	struct buf in, out;
	struct buf later; /* waits while `silent` */
	int came_fd; /* from a client, and not taken yet; -1: none */
	bool silent;
	bool dispatching; /* inside a callback: conn_free only marks */
	bool freed;
	bool was_high;
	bool dead; /* closed was reported */
};

static void destroy(struct conn *c)
{
	if (c->came_fd >= 0)
		close(c->came_fd);
	buf_done(&c->in);
	buf_done(&c->out);
	buf_done(&c->later);
	free(c);
}

struct conn *conn_free(struct conn *c)
{
	if (!c || c->freed)
		return NULL;
	loop_del(c->loop, &c->watch);
	close(c->watch.fd);
	c->freed = true;
	if (!c->dispatching)
		destroy(c);
	return NULL;
}

static void report_closed(struct conn *c, const struct err *why)
{
	if (c->dead || c->freed)
		return;
	c->dead = true;
	loop_del(c->loop, &c->watch);
	c->ops->closed(c->arg, why);
}

/* When the queue has become short outside of the loop, the next turn tells of it: a caller of conn_flush is not called back. */
static void update_events(struct conn *c)
{
	bool news = c->was_high && !conn_is_high(c);
	uint32_t events = EPOLLIN | (c->out.len || news ? EPOLLOUT : 0);

	if (!c->freed && !c->dead)
		loop_set(c->loop, &c->watch, events);
}

/* Hands over the whole messages that are in the buffer. */
static void deliver(struct conn *c)
{
	struct err e = { 0 };
	struct msg m;

	while (!c->freed && !c->dead) {
		int r = msg_peek(&c->in, c->peer, &m, &e);

		if (r < 0)
			report_closed(c, &e);
		if (r <= 0)
			return;
		c->ops->message(c->arg, &m);
		if (!c->freed)
			msg_drop(&c->in, &m);
	}
}

int conn_take_fd(struct conn *c)
{
	return c->came_fd < 0 ? -ENOENT : take_fd(&c->came_fd);
}

/* What does not fit (more than one) the kernel closes. */
static void keep_fd(struct conn *c, struct msghdr *m)
{
	struct cmsghdr *head = CMSG_FIRSTHDR(m);

	if (!head || head->cmsg_level != SOL_SOCKET || head->cmsg_type != SCM_RIGHTS ||
	    head->cmsg_len != CMSG_LEN(sizeof(int)))
		return;
	if (c->came_fd >= 0)
		close(c->came_fd);
	memcpy(&c->came_fd, CMSG_DATA(head), sizeof(c->came_fd));
}

static ssize_t get(struct conn *c, void *data, size_t n)
{
	union {
		struct cmsghdr head;
		char space[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec io = { data, n };
	struct msghdr m = {
		.msg_iov = &io,
		.msg_iovlen = 1,
		.msg_control = control.space,
		/* with its padding there would be room for a second */
		.msg_controllen = CMSG_LEN(sizeof(int)),
	};
	ssize_t k;

	if (c->peer != PEER_CLIENT)
		return read(c->watch.fd, data, n);
	k = recvmsg(c->watch.fd, &m, MSG_CMSG_CLOEXEC);
	if (k > 0)
		keep_fd(c, &m);
	return k;
}

static void read_some(struct conn *c)
{
	struct err e = { 0 };
	char *p = buf_room(&c->in, READ_SIZE);
	ssize_t k = p ? get(c, p, READ_SIZE) : -1;

	if (k > 0) {
		c->in.len += (size_t)k;
		deliver(c);
		return;
	}
	if (k < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (k < 0 && errno != ECONNRESET)
		err_sys(&e, p ? errno : ENOMEM, "connection lost");
	report_closed(c, &e);
}

/* A socket whose peer has gone gives EPIPE, not SIGPIPE; in a guest the other end is a character device. */
static ssize_t put(int fd, const void *data, size_t n)
{
	ssize_t k = send(fd, data, n, MSG_NOSIGNAL);

	return k < 0 && errno == ENOTSOCK ? write(fd, data, n) : k;
}

static void write_some(struct conn *c)
{
	while (c->out.len) {
		ssize_t k = put(c->watch.fd, c->out.data, c->out.len);

		if (k < 0 && errno == EINTR)
			continue;
		if (k < 0 && errno == EAGAIN)
			break;
		if (k < 0) {
			/* the peer is gone: what it said before may still be read */
			buf_done(&c->out);
			break;
		}
		buf_drop(&c->out, (size_t)k);
	}
}

static void after_write(struct conn *c)
{
	if (conn_is_high(c)) {
		c->was_high = true;
	} else if (c->was_high) {
		c->was_high = false;
		if (c->ops->drained)
			c->ops->drained(c->arg);
	}
	update_events(c);
}

static void on_ready(void *arg, uint32_t events)
{
	struct conn *c = arg;

	c->dispatching = true;
	if (events & EPOLLOUT) {
		write_some(c);
		after_write(c);
	}
	if (!c->freed && !c->dead && (events & (EPOLLIN | EPOLLHUP | EPOLLERR)))
		read_some(c);
	c->dispatching = false;
	if (c->freed)
		destroy(c);
	else
		update_events(c);
}

struct conn *conn_new(struct loop *l, int fd, enum msg_peer peer, const struct conn_ops *ops, void *arg)
{
	struct conn *c = calloc(1, sizeof(*c));
	int r = c ? fd_set_nonblock(fd, true) : -ENOMEM;

	if (r == 0) {
		*c = (struct conn){ .loop = l, .peer = peer, .ops = ops, .arg = arg, .came_fd = -1 };
		c->watch = (struct watch){ .fd = fd, .events = EPOLLIN, .fn = on_ready, .arg = c };
		r = loop_add(l, &c->watch);
	}
	if (r < 0) {
		free(c);
		close(fd);
		errno = -r;
		return NULL;
	}
	return c;
}

struct buf *conn_out(struct conn *c)
{
	return c->silent ? &c->later : &c->out;
}

void conn_silence(struct conn *c, bool silent)
{
	c->silent = silent;
	if (silent || !c->later.len)
		return;
	buf_add(&c->out, c->later.data, c->later.len);
	buf_done(&c->later);
	conn_flush(c);
}

void conn_forget(struct conn *c)
{
	c->silent = false;
	buf_done(&c->later);
}

void conn_flush(struct conn *c)
{
	if (c->freed || c->dead)
		return;
	write_some(c);
	if (conn_is_high(c))
		c->was_high = true;
	update_events(c);
}

bool conn_is_high(const struct conn *c)
{
	return c->out.len + c->later.len > CONN_HIGH;
}

int conn_drain(struct conn *c, int timeout_ms)
{
	int64_t end = clock_mono_ns() + (int64_t)timeout_ms * 1000000;

	while (c->out.len) {
		struct pollfd p = { .fd = c->watch.fd, .events = POLLOUT };
		int64_t left = (end - clock_mono_ns()) / 1000000;

		if (left <= 0)
			return -ETIMEDOUT;
		if (poll(&p, 1, (int)left) < 0 && errno != EINTR)
			return -errno;
		if (p.revents & (POLLERR | POLLNVAL))
			return -EPIPE;
		write_some(c);
	}
	return 0;
}
