/* netlink.c - sockets of netlink: a batch sent, its answers taken */
#include "sys/netlink.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "base/auto.h"

#define ANSWER_BYTES 32768 /* the kernel fills at most so much of a dump into one datagram */

int nl_open(int protocol)
{
	static const int on = 1;
	static const struct timeval limit = { .tv_sec = NL_TIMEOUT_S };
	autoclose int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol);

	if (fd < 0)
		return -errno;
	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) < 0)
		return -errno;
	/* without these there are only numbers, and errors carry the whole request */
	setsockopt(fd, SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof(on));
	setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof(on));
	return take_fd(&fd);
}

/* The sequence numbers of a batch are 1..n: what was left over of an earlier one has been drained before. */
struct exchange {
	int fd;
	unsigned n; /* messages sent */
	unsigned last_ack; /* the last message that is answered in any case */
	int r; /* of the first message that failed */
	unsigned failed_seq;
	struct nl_failure *failed;
	nl_each each;
	void *arg;
	bool ended, interrupted;
};

static struct nlmsghdr *at(struct nl_batch *b, size_t offset)
{
	return (struct nlmsghdr *)(void *)(b->bytes.data + offset);
}

/* Numbers the messages; returns the last one that asks for an acknowledgement. */
static unsigned number(struct nl_batch *b)
{
	unsigned seq = 0, acked = 0;

	for (size_t o = 0; o < b->bytes.len; o += NLMSG_ALIGN(at(b, o)->nlmsg_len)) {
		at(b, o)->nlmsg_seq = ++seq;
		if (at(b, o)->nlmsg_flags & NLM_F_ACK)
			acked = seq;
	}
	if (!acked && seq) {
		at(b, b->message)->nlmsg_flags |= NLM_F_ACK;
		acked = seq;
	}
	return acked;
}

static int send_batch(int fd, const struct nl_batch *b)
{
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	ssize_t n;

	do
		n = sendto(fd, b->bytes.data, b->bytes.len, 0, (struct sockaddr *)&kernel, sizeof(kernel));
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : 0;
}

static void drain(int fd)
{
	char c;

	while (recv(fd, &c, 1, MSG_DONTWAIT | MSG_TRUNC) > 0)
		;
}

static void note_failure(struct exchange *x, const struct nlmsghdr *m, const struct nlmsgerr *err)
{
	/* capped (NLM_F_CAPPED) the request is not in it, but its header is */
	size_t inner = m->nlmsg_flags & NLM_F_CAPPED ? 0 : err->msg.nlmsg_len - sizeof(struct nlmsghdr);

	if (x->r && m->nlmsg_seq >= x->failed_seq)
		return;
	x->r = err->error;
	x->failed_seq = m->nlmsg_seq;
	if (!x->failed)
		return;
	*x->failed = (struct nl_failure){ .message = m->nlmsg_seq ? m->nlmsg_seq - 1 : 0 };
	if (m->nlmsg_flags & NLM_F_ACK_TLVS)
		nl_get_string(nl_message_attrs(m, sizeof(*err) + inner), NLMSGERR_ATTR_MSG, x->failed->text,
			      sizeof(x->failed->text));
}

static void take_error(struct exchange *x, const struct nlmsghdr *m)
{
	const struct nlmsgerr *err = NLMSG_DATA(m);

	if (m->nlmsg_len < NLMSG_LENGTH(sizeof(*err)))
		return;
	if (err->error < 0)
		note_failure(x, m, err);
	if (m->nlmsg_seq == x->last_ack)
		x->ended = true;
}

/* The end of a dump carries its result. */
static void take_done(struct exchange *x, const struct nlmsghdr *m)
{
	int r = 0;

	if (m->nlmsg_len >= NLMSG_LENGTH(sizeof(r)))
		memcpy(&r, NLMSG_DATA(m), sizeof(r));
	if (r < 0 && !x->r)
		x->r = r;
	x->ended = true;
}

static void take_one(struct exchange *x, const struct nlmsghdr *m)
{
	if (!m->nlmsg_seq || m->nlmsg_seq > x->n)
		return; /* news of a group, or somebody else's */
	if (m->nlmsg_flags & NLM_F_DUMP_INTR)
		x->interrupted = true;
	if (m->nlmsg_type == NLMSG_ERROR)
		take_error(x, m);
	else if (m->nlmsg_type == NLMSG_DONE)
		take_done(x, m);
	else if (m->nlmsg_type >= NLMSG_MIN_TYPE && x->each && !x->r)
		x->r = x->each(x->arg, m);
}

/* One datagram.  -EAGAIN: there is none. */
static int receive(struct exchange *x, char *space, int flags)
{
	ssize_t n;

	do
		n = recv(x->fd, space, ANSWER_BYTES, flags);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	for (const struct nlmsghdr *m = (void *)space; NLMSG_OK(m, n); m = NLMSG_NEXT(m, n))
		take_one(x, m);
	return 0;
}

/* A batch is done when it has been sent, so its answers are there; a dump goes on as it is read. */
static int take_answers(struct exchange *x)
{
	autofree char *space = malloc(ANSWER_BYTES);
	int r = space ? 0 : -ENOMEM;

	while (r == 0 && !x->ended)
		r = receive(x, space, x->each ? 0 : MSG_DONTWAIT);
	if (x->r < 0)
		return x->r;
	if (r == -EAGAIN)
		return x->each ? -ETIMEDOUT : -EPROTO;
	return r == 0 && x->interrupted ? -EAGAIN : r;
}

static int exchange(struct exchange *x, struct nl_batch *b)
{
	int r = buf_ok(&b->bytes) ? 0 : -ENOMEM;

	if (x->failed)
		*x->failed = (struct nl_failure){ 0 };
	x->n = b->n;
	if (r == 0 && b->n) {
		drain(x->fd);
		x->last_ack = number(b);
		r = send_batch(x->fd, b);
		if (r == 0)
			r = take_answers(x);
	}
	nl_batch_done(b);
	return r;
}

int nl_run(int fd, struct nl_batch *b, struct nl_failure *failed)
{
	struct exchange x = { .fd = fd, .failed = failed };

	return exchange(&x, b);
}

int nl_ask(int fd, struct nl_batch *b, nl_each each, void *arg, struct nl_failure *failed)
{
	struct exchange x = { .fd = fd, .failed = failed, .each = each, .arg = arg };

	return exchange(&x, b);
}
