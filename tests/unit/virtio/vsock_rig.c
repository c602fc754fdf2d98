/* vsock_rig.c - a guest's driver of the socket device in a test */
#include "vsock_rig.h"

#include <sys/socket.h>
#include <unistd.h>

struct vsock v;
struct rig *r;
int ends[3];
uint64_t rx_at[1024];
uint64_t tx_at;

void add_rx(void)
{
	uint64_t at = rig_alloc(r, RX_BYTES, 16);

	rx_at[rig_add(r, VSOCK_QUEUE_RX, &(struct rig_buf){ at, RX_BYTES, true }, 1)] = at;
}

static void add_rx_again(uint64_t at)
{
	rx_at[rig_add(r, VSOCK_QUEUE_RX, &(struct rig_buf){ at, RX_BYTES, true }, 1)] = at;
}

struct vsock_hdr header(uint16_t op, uint32_t guest_port, uint32_t host_port)
{
	return (struct vsock_hdr){
		.src_cid = CID,
		.dst_cid = VSOCK_HOST_CID,
		.src_port = guest_port,
		.dst_port = host_port,
		.type = VSOCK_TYPE_STREAM,
		.op = op,
		.buf_alloc = GUEST_ALLOC,
	};
}

/* What the guest says is in a place of its own: two buffers, cut where the header is not yet complete. */
void say_bytes(const struct vsock_hdr *h, const void *data)
{
	const uint64_t at = tx_at;
	struct rig_used u;

	memcpy(rig_at(r, at), h, VSOCK_HDR);
	if (data)
		memcpy(rig_at(r, at + VSOCK_HDR), data, h->len);
	rig_add(r, VSOCK_QUEUE_TX,
		(struct rig_buf[]){ { at, 10, false },
				    { at + 10, (uint32_t)VSOCK_HDR - 10 + (data ? h->len : 0), false } },
		2);
	rig_kick(r, VSOCK_QUEUE_TX);
	rig_turn(r);
	while (rig_take(r, VSOCK_QUEUE_TX, &u))
		assert_int_equal(u.len, 0);
}

void say(uint16_t op, uint32_t host_port)
{
	const struct vsock_hdr h = header(op, GUEST_PORT, host_port);

	say_bytes(&h, NULL);
}

void say_shutdown(uint32_t host_port, uint32_t flags)
{
	struct vsock_hdr h = header(VSOCK_OP_SHUTDOWN, GUEST_PORT, host_port);

	h.flags = flags;
	say_bytes(&h, NULL);
}

void say_data(uint32_t host_port, const void *data, uint32_t len)
{
	struct vsock_hdr h = header(VSOCK_OP_RW, GUEST_PORT, host_port);

	h.len = len;
	say_bytes(&h, data);
}

/* Is there one more packet?  Its buffer goes back. */
bool hear_any(struct packet *p)
{
	struct rig_used u;

	rig_turn(r);
	if (!rig_take(r, VSOCK_QUEUE_RX, &u))
		return false;
	memcpy(p, rig_at(r, rx_at[u.id]), sizeof(p->h));
	assert_int_equal(u.len, VSOCK_HDR + p->h.len);
	memcpy(p->data, rig_at(r, rx_at[u.id] + VSOCK_HDR), p->h.len);
	assert_int_equal(p->h.dst_cid, CID);
	add_rx_again(rx_at[u.id]);
	rig_kick(r, VSOCK_QUEUE_RX);
	return true;
}

struct packet hear(uint16_t op, uint32_t host_port)
{
	struct packet p;

	assert_true(hear_any(&p));
	assert_int_equal(p.h.op, op);
	assert_int_equal(p.h.src_port, host_port);
	assert_int_equal(p.h.src_cid, VSOCK_HOST_CID);
	assert_int_equal(p.h.dst_port, GUEST_PORT);
	assert_int_equal(p.h.type, VSOCK_TYPE_STREAM);
	assert_int_equal(p.h.buf_alloc, VSOCK_BUF_BYTES);
	return p;
}

void hear_nothing(void)
{
	struct packet p;

	assert_false(hear_any(&p));
}

void connect_to(uint32_t host_port)
{
	say(VSOCK_OP_REQUEST, host_port);
	hear(VSOCK_OP_RESPONSE, host_port);
}

void assert_text(int fd, const char *text)
{
	char buf[256];
	ssize_t n = recv(fd, buf, sizeof(buf), MSG_DONTWAIT);

	assert_int_equal(n, strlen(text));
	assert_memory_equal(buf, text, (size_t)n);
}

void assert_eof(int fd)
{
	char c;

	assert_int_equal(recv(fd, &c, 1, MSG_DONTWAIT), 0);
}

unsigned conns_in_use(void)
{
	unsigned n = 0;

	for (unsigned i = 0; i < VSOCK_MAX_CONNS; i++)
		n += v.in->conns[i].state != VSOCK_FREE;
	return n;
}

void pair(int *ours, int *theirs)
{
	int p[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, p), 0);
	*ours = p[0];
	*theirs = p[1];
}

uint32_t connect_from_host(int *ret_end)
{
	struct packet p;
	int theirs;

	pair(ret_end, &theirs);
	assert_int_equal(vsock_connect(&v, GUEST_PORT, theirs), 0);
	assert_true(hear_any(&p));
	assert_int_equal(p.h.op, VSOCK_OP_REQUEST);
	assert_int_equal(p.h.dst_port, GUEST_PORT);
	return p.h.src_port;
}

int vsock_set_up(void **state)
{
	struct vsock_port ports[] = { { PORT, -1 }, { PORT, -1 }, { OTHER, -1 } };
	const struct vsock_spec s = { CID, ports, 3 };

	for (unsigned i = 0; i < 3; i++)
		pair(&ends[i], &ports[i].fd);
	r = rig_new();
	assert_int_equal(vsock_init(&v, &s, &r->ram, r->loop), 0);
	rig_start(r, &v.dev, 0);
	tx_at = rig_alloc(r, VSOCK_HDR + GUEST_ALLOC, 16);
	for (unsigned i = 0; i < RX_BUFFERS; i++)
		add_rx();
	return 0;
}

int vsock_tear_down(void **state)
{
	vsock_done(&v);
	rig_free(r);
	for (unsigned i = 0; i < 3; i++)
		if (ends[i] >= 0)
			close(ends[i]);
	return 0;
}
