/* vhost_user.c - vhost-user messages, and the sequences that a device needs
 *
 *	message: u32 request, u32 flags (version 1, reply, need_reply), u32 size; then size bytes
 *
 * Only the last message of a sequence asks for an answer (REPLY_ACK): the other side takes messages in
 * their order.
 */
#include "virtio/vhost_user.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "base/clock.h"

enum request {
	GET_FEATURES = 1,
	SET_FEATURES = 2,
	SET_OWNER = 3,
	SET_MEM_TABLE = 5,
	SET_VRING_NUM = 8,
	SET_VRING_ADDR = 9,
	SET_VRING_BASE = 10,
	GET_VRING_BASE = 11,
	SET_VRING_KICK = 12,
	SET_VRING_CALL = 13,
	GET_PROTOCOL_FEATURES = 15,
	SET_PROTOCOL_FEATURES = 16,
	SET_VRING_ENABLE = 18,
};

#define VERSION		    1u
#define VERSION_MASK	    3u
#define REPLY		    4u
#define NEED_REPLY	    8u
#define F_PROTOCOL_FEATURES (UINT64_C(1) << 30)
#define PROTOCOL_REPLY_ACK  (UINT64_C(1) << 3)
#define NS_PER_MS	    INT64_C(1000000)

struct head {
	uint32_t request, flags, size;
};

struct vring_state {
	uint32_t index, num;
};

struct vring_addr {
	uint32_t index, flags;
	uint64_t desc, used, avail, log;
};

struct region {
	uint64_t gpa, bytes, user_addr, mmap_offset;
};

struct mem_table {
	uint32_t n, padding;
	struct region regions[RAM_SLOTS];
};

struct message {
	struct head head;
	union {
		uint64_t u64;
		struct vring_state state;
		struct vring_addr addr;
		struct mem_table table;
	} body;
} __attribute__((packed));

/* --- one message */

static int lose(struct vhost_user *u, int r)
{
	u->lost = true;
	return r;
}

static int64_t deadline(const struct vhost_user *u)
{
	return clock_mono_ns() + u->deadline_ms * NS_PER_MS;
}

/* n_fds copies go with the first byte.  The socket's own timeout ends each call. */
static int send_message(struct vhost_user *u, struct message *m, const int *fds, unsigned n_fds)
{
	union {
		struct cmsghdr head;
		char space[CMSG_SPACE(RAM_SLOTS * sizeof(int))];
	} control = { 0 };
	size_t n = sizeof(m->head) + m->head.size;
	struct iovec io = { m, n };
	struct msghdr h = { .msg_iov = &io, .msg_iovlen = 1 };
	int64_t end = deadline(u);

	if (u->lost)
		return -EIO;
	m->head.flags |= VERSION;
	if (n_fds) {
		h.msg_control = control.space;
		h.msg_controllen = CMSG_SPACE(n_fds * sizeof(int));
		control.head = (struct cmsghdr){ CMSG_LEN(n_fds * sizeof(int)), SOL_SOCKET, SCM_RIGHTS };
		memcpy(CMSG_DATA(&control.head), fds, n_fds * sizeof(int));
	}
	while (n) {
		ssize_t r = sendmsg(u->sock, &h, MSG_NOSIGNAL);

		if (r < 0 && errno != EINTR)
			return lose(u, errno == EAGAIN ? -ETIMEDOUT : -EIO);
		if (r > 0) {
			n -= (size_t)r;
			io = (struct iovec){ (char *)io.iov_base + r, n };
			h.msg_control = NULL;
			h.msg_controllen = 0;
		}
		if (n && clock_mono_ns() > end)
			return lose(u, -ETIMEDOUT);
	}
	return 0;
}

/* Descriptors that come along are not taken: there is no room for them, so the kernel closes them. */
static int receive(struct vhost_user *u, void *to, size_t n, int64_t end)
{
	struct iovec io = { to, n };
	struct msghdr h = { .msg_iov = &io, .msg_iovlen = 1 };

	while (io.iov_len) {
		ssize_t r = recvmsg(u->sock, &h, 0);

		if (r == 0 || (r < 0 && errno != EINTR && errno != EAGAIN))
			return lose(u, -EIO);
		if (r < 0 && errno == EAGAIN)
			return lose(u, -ETIMEDOUT);
		if (r > 0)
			io = (struct iovec){ (char *)io.iov_base + r, io.iov_len - (size_t)r };
		if (io.iov_len && clock_mono_ns() > end)
			return lose(u, -ETIMEDOUT);
	}
	return 0;
}

/* Sends m; the answer, of the same type and exactly `size` bytes, is put into it. */
static int ask(struct vhost_user *u, struct message *m, const int *fds, unsigned n_fds, uint32_t size)
{
	uint32_t request = m->head.request;
	int r = send_message(u, m, fds, n_fds);
	int64_t end = deadline(u);

	if (r == 0)
		r = receive(u, &m->head, sizeof(m->head), end);
	if (r < 0)
		return r;
	if (m->head.request != request || m->head.size != size ||
	    (m->head.flags & (VERSION_MASK | REPLY)) != (VERSION | REPLY))
		return lose(u, -EPROTO);
	return receive(u, &m->body, size, end);
}

static int ask_done(struct vhost_user *u, struct message *m, const int *fds, unsigned n_fds)
{
	int r;

	m->head.flags |= NEED_REPLY;
	r = ask(u, m, fds, n_fds, sizeof(m->body.u64));
	return r < 0 ? r : m->body.u64 ? lose(u, -EPROTO) : 0;
}

static int send_u64(struct vhost_user *u, enum request request, uint64_t v)
{
	struct message m = { { request, 0, sizeof(v) }, { .u64 = v } };

	return send_message(u, &m, NULL, 0);
}

static int ask_u64(struct vhost_user *u, enum request request, uint64_t *ret)
{
	struct message m = { { request, 0, 0 }, { .u64 = 0 } };
	int r = ask(u, &m, NULL, 0, sizeof(*ret));

	if (r == 0)
		*ret = m.body.u64;
	return r;
}

static int send_state(struct vhost_user *u, enum request request, uint32_t index, uint32_t num)
{
	struct message m = { { request, 0, sizeof(m.body.state) }, { .state = { index, num } } };

	return send_message(u, &m, NULL, 0);
}

static int send_fd(struct vhost_user *u, enum request request, uint32_t index, int fd)
{
	struct message m = { { request, 0, sizeof(uint64_t) }, { .u64 = index } };

	return send_message(u, &m, &fd, 1);
}

/* --- sequences */

static int set_deadline(struct vhost_user *u, unsigned ms)
{
	const struct timeval t = { ms / 1000, ms % 1000 * 1000 };

	u->deadline_ms = ms;
	if (setsockopt(u->sock, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof(t)) < 0 ||
	    setsockopt(u->sock, SOL_SOCKET, SO_SNDTIMEO, &t, sizeof(t)) < 0)
		return -errno;
	return 0;
}

static int negotiate(struct vhost_user *u, uint64_t features)
{
	uint64_t protocol;
	int r = set_deadline(u, VHOST_USER_START_MS);

	if (r == 0)
		r = ask_u64(u, GET_FEATURES, &u->features);
	if (r == 0)
		r = set_deadline(u, VHOST_USER_DEADLINE_MS);
	if (r < 0)
		return r;
	if ((u->features & (features | F_PROTOCOL_FEATURES)) != (features | F_PROTOCOL_FEATURES))
		return lose(u, -ENOTSUP);
	u->features &= ~F_PROTOCOL_FEATURES;
	r = ask_u64(u, GET_PROTOCOL_FEATURES, &protocol);
	if (r == 0 && !(protocol & PROTOCOL_REPLY_ACK))
		r = lose(u, -ENOTSUP);
	if (r == 0)
		r = send_u64(u, SET_PROTOCOL_FEATURES, PROTOCOL_REPLY_ACK);
	return r;
}

static int hand_over_ram(struct vhost_user *u, const struct ram *ram)
{
	struct message m = { { SET_MEM_TABLE, 0, 0 }, { .table = { .n = ram->n } } };
	int fds[RAM_SLOTS];

	m.head.size = (uint32_t)(offsetof(struct mem_table, regions) + ram->n * sizeof(struct region));
	for (unsigned i = 0; i < ram->n; i++) {
		const struct ram_slot *s = &ram->slots[i];

		m.body.table.regions[i] =
			(struct region){ s->gpa, s->bytes, (uint64_t)(uintptr_t)s->host, s->offset };
		fds[i] = ram->fd;
	}
	return ask_done(u, &m, fds, ram->n);
}

int vhost_user_open(struct vhost_user *u, int sock, uint64_t features, const struct ram *ram)
{
	struct message owner = { { SET_OWNER, 0, 0 }, { .u64 = 0 } };
	/* of a file that it could shorten, our own accesses would be fatal */
	int seals = fcntl(ram->fd, F_GET_SEALS), r = seals < 0 || !(seals & F_SEAL_SHRINK) ? -EPERM : 0;

	*u = (struct vhost_user){ .sock = sock };
	if (r == 0)
		r = negotiate(u, features);
	if (r == 0)
		r = send_message(u, &owner, NULL, 0);
	if (r == 0)
		r = hand_over_ram(u, ram);
	return r < 0 ? lose(u, r) : 0;
}

static int start_ring(struct vhost_user *u, const struct vhost_user_ring *k)
{
	struct message addr = { { SET_VRING_ADDR, 0, sizeof(addr.body.addr) },
				{ .addr = {
					  .index = k->index,
					  .desc = (uint64_t)(uintptr_t)k->desc,
					  .used = (uint64_t)(uintptr_t)k->used,
					  .avail = (uint64_t)(uintptr_t)k->avail,
				  } } };
	struct message enable = { { SET_VRING_ENABLE, 0, sizeof(enable.body.state) },
				  { .state = { k->index, 1 } } };
	int r = send_state(u, SET_VRING_NUM, k->index, k->size);

	if (r == 0)
		r = send_state(u, SET_VRING_BASE, k->index, k->base);
	if (r == 0)
		r = send_message(u, &addr, NULL, 0);
	if (r == 0)
		r = send_fd(u, SET_VRING_CALL, k->index, k->call_fd);
	if (r == 0)
		r = send_fd(u, SET_VRING_KICK, k->index, k->kick_fd);
	if (r == 0)
		r = ask_done(u, &enable, NULL, 0);
	return r;
}

int vhost_user_start(struct vhost_user *u, uint64_t features, const struct vhost_user_ring *rings, unsigned n)
{
	int r = send_u64(u, SET_FEATURES, (features & u->features) | F_PROTOCOL_FEATURES);

	for (unsigned i = 0; i < n && r == 0; i++)
		r = start_ring(u, &rings[i]);
	return r;
}

int vhost_user_stop(struct vhost_user *u, uint16_t index)
{
	struct message m = { { GET_VRING_BASE, 0, sizeof(m.body.state) }, { .state = { index, 0 } } };
	int r = ask(u, &m, NULL, 0, sizeof(m.body.state));

	if (r == 0 && (m.body.state.index != index || m.body.state.num > UINT16_MAX))
		r = lose(u, -EPROTO);
	return r;
}
