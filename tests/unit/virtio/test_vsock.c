/* test_vsock.c - the socket device: connections, credit, all kinds of ends, guests that break the rules */
#include "rig.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

#include "virtio/vsock_int.h"

#define CID	    7
#define RX_BYTES    4096
#define N_RX	    100
#define PORT	    1024 /* of the host; two connections */
#define OTHER	    1025
#define GUEST_PORT  50000
#define GUEST_ALLOC (256u << 10)

static struct vsock v;
static struct rig *r;
static int ends[3]; /* the host's: of PORT, PORT, OTHER */
static uint64_t rx_at[1024]; /* by head */
static uint64_t tx_at;

struct packet {
	struct vsock_hdr h;
	uint8_t data[RX_BYTES];
};

/* --- a guest */

static void add_rx(void)
{
	uint64_t at = rig_alloc(r, RX_BYTES, 16);

	rx_at[rig_add(r, VSOCK_QUEUE_RX, &(struct rig_buf){ at, RX_BYTES, true }, 1)] = at;
}

static void add_rx_again(uint64_t at)
{
	rx_at[rig_add(r, VSOCK_QUEUE_RX, &(struct rig_buf){ at, RX_BYTES, true }, 1)] = at;
}

static struct vsock_hdr header(uint16_t op, uint32_t guest_port, uint32_t host_port)
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
static void say_bytes(const struct vsock_hdr *h, const void *data)
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

static void say(uint16_t op, uint32_t host_port)
{
	const struct vsock_hdr h = header(op, GUEST_PORT, host_port);

	say_bytes(&h, NULL);
}

static void say_shutdown(uint32_t host_port, uint32_t flags)
{
	struct vsock_hdr h = header(VSOCK_OP_SHUTDOWN, GUEST_PORT, host_port);

	h.flags = flags;
	say_bytes(&h, NULL);
}

static void say_data(uint32_t host_port, const void *data, uint32_t len)
{
	struct vsock_hdr h = header(VSOCK_OP_RW, GUEST_PORT, host_port);

	h.len = len;
	say_bytes(&h, data);
}

/* Is there one more packet?  Its buffer goes back. */
static bool hear_any(struct packet *p)
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

static struct packet hear(uint16_t op, uint32_t host_port)
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

static void hear_nothing(void)
{
	struct packet p;

	assert_false(hear_any(&p));
}

static void connect_to(uint32_t host_port)
{
	say(VSOCK_OP_REQUEST, host_port);
	hear(VSOCK_OP_RESPONSE, host_port);
}

static void assert_text(int fd, const char *text)
{
	char buf[256];
	ssize_t n = recv(fd, buf, sizeof(buf), MSG_DONTWAIT);

	assert_int_equal(n, strlen(text));
	assert_memory_equal(buf, text, (size_t)n);
}

static void assert_eof(int fd)
{
	char c;

	assert_int_equal(recv(fd, &c, 1, MSG_DONTWAIT), 0);
}

static unsigned conns_in_use(void)
{
	unsigned n = 0;

	for (unsigned i = 0; i < VSOCK_MAX_CONNS; i++)
		n += v.in->conns[i].state != VSOCK_FREE;
	return n;
}

static void pair(int *ours, int *theirs)
{
	int p[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, p), 0);
	*ours = p[0];
	*theirs = p[1];
}

static int set_up(void **state)
{
	struct vsock_port ports[] = { { PORT, -1 }, { PORT, -1 }, { OTHER, -1 } };
	const struct vsock_spec s = { CID, ports, 3 };

	for (unsigned i = 0; i < 3; i++)
		pair(&ends[i], &ports[i].fd);
	r = rig_new();
	assert_int_equal(vsock_init(&v, &s, &r->ram, r->loop), 0);
	rig_start(r, &v.dev, 0);
	tx_at = rig_alloc(r, VSOCK_HDR + GUEST_ALLOC, 16);
	for (unsigned i = 0; i < N_RX; i++)
		add_rx();
	return 0;
}

static int tear_down(void **state)
{
	vsock_done(&v);
	rig_free(r);
	for (unsigned i = 0; i < 3; i++)
		if (ends[i] >= 0)
			close(ends[i]);
	return 0;
}

/* --- what it is */

static void it_is_a_socket_device_with_its_cid(void **state)
{
	uint64_t cid;

	assert_int_equal(rig_get(r, R_DEVICE_ID), 19);
	virtio_mmio_read(&v.dev, R_CONFIG, &cid, sizeof(cid));
	assert_int_equal(cid, CID);
	virtio_mmio_write(&v.dev, R_CONFIG, &(uint64_t){ 9 }, sizeof(cid));
	assert_int_equal(v.config.guest_cid, CID);
}

static void reserved_cids_are_refused(void **state)
{
	static const uint64_t reserved[] = { 0, 1, 2, 0xffffffff, 0x100000003, UINT64_MAX };
	struct vsock w;

	for (size_t i = 0; i < sizeof(reserved) / sizeof(reserved[0]); i++) {
		const struct vsock_spec s = { reserved[i], NULL, 0 };

		assert_int_equal(vsock_init(&w, &s, &r->ram, r->loop), -EINVAL);
	}
}

/* --- connections of the guest */

static void a_connection_is_joined_to_the_socket_of_its_port(void **state)
{
	struct packet p;

	connect_to(PORT);
	say_data(PORT, "to the host", 11);
	assert_text(ends[0], "to the host");
	assert_int_equal(write(ends[0], "to the guest", 12), 12);
	p = hear(VSOCK_OP_RW, PORT);
	assert_int_equal(p.h.len, 12);
	assert_int_equal(p.h.fwd_cnt, 11);
	assert_memory_equal(p.data, "to the guest", 12);
	hear_nothing();
}

static void each_socket_of_a_port_is_for_one_connection(void **state)
{
	struct vsock_hdr h = header(VSOCK_OP_REQUEST, 1, PORT);
	struct packet p;

	for (uint32_t i = 0; i < 3; i++) {
		h.src_port = i;
		say_bytes(&h, NULL);
		assert_true(hear_any(&p));
		assert_int_equal(p.h.dst_port, i);
		assert_int_equal(p.h.op, i < 2 ? VSOCK_OP_RESPONSE : VSOCK_OP_RST);
	}
}

static void who_connects_where_nobody_listens_is_reset(void **state)
{
	say(VSOCK_OP_REQUEST, 9999);
	hear(VSOCK_OP_RST, 9999);
	assert_int_equal(conns_in_use(), 0);
}

static void who_asks_twice_is_reset(void **state)
{
	connect_to(PORT);
	say(VSOCK_OP_REQUEST, PORT);
	hear(VSOCK_OP_RST, PORT);
	assert_eof(ends[0]);
	assert_int_equal(conns_in_use(), 0);
}

/* --- connections of the host */

static uint32_t connect_from_host(int *ret_end)
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

static void the_host_connects_and_its_first_bytes_wait_for_the_response(void **state)
{
	uint32_t port;
	int end;

	port = connect_from_host(&end);
	assert_int_equal(write(end, "early", 5), 5);
	hear_nothing();
	say(VSOCK_OP_RESPONSE, port);
	assert_memory_equal(hear(VSOCK_OP_RW, port).data, "early", 5);
	say_data(port, "answer", 6);
	assert_text(end, "answer");
	close(end);
}

static void a_guest_that_refuses_closes_the_hosts_end(void **state)
{
	int end;
	uint32_t port = connect_from_host(&end);

	say(VSOCK_OP_RST, port);
	assert_eof(end);
	hear_nothing();
	close(end);
}

static void a_host_that_gives_up_resets_its_request(void **state)
{
	int end;
	uint32_t port = connect_from_host(&end);

	close(end);
	hear(VSOCK_OP_RST, port);
	assert_int_equal(conns_in_use(), 0);
	say(VSOCK_OP_RESPONSE, port);
	hear(VSOCK_OP_RST, port);
}

static void of_a_request_that_was_never_sent_nothing_is_heard(void **state)
{
	int ours, theirs;

	rig_start(r, &v.dev, 0); /* no buffers */
	pair(&ours, &theirs);
	assert_int_equal(vsock_connect(&v, GUEST_PORT, theirs), 0);
	rig_turn(r);
	close(ours);
	rig_turn(r);
	assert_int_equal(conns_in_use(), 0);
	for (unsigned i = 0; i < 4; i++)
		add_rx();
	rig_kick(r, VSOCK_QUEUE_RX);
	hear_nothing();
}

static void a_request_allows_only_its_answers(void **state)
{
	static const uint16_t ops[] = { VSOCK_OP_REQUEST, VSOCK_OP_SHUTDOWN, VSOCK_OP_RW,
					VSOCK_OP_CREDIT_UPDATE, VSOCK_OP_CREDIT_REQUEST };

	for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++) {
		int end;
		uint32_t port = connect_from_host(&end);

		say(ops[i], port);
		hear(VSOCK_OP_RST, port);
		assert_eof(end);
		close(end);
	}
}

static void no_connection_without_a_driver_and_none_beyond_the_limit(void **state)
{
	int theirs[VSOCK_MAX_CONNS + 1], ours[VSOCK_MAX_CONNS + 1];

	for (unsigned i = 0; i <= VSOCK_MAX_CONNS; i++) {
		pair(&ours[i], &theirs[i]);
		assert_int_equal(vsock_connect(&v, GUEST_PORT, theirs[i]), i < VSOCK_MAX_CONNS ? 0 : -EBUSY);
	}
	say(VSOCK_OP_REQUEST, PORT);
	for (struct packet p; hear_any(&p);)
		assert_int_equal(p.h.op, p.h.src_port == PORT ? VSOCK_OP_RST : VSOCK_OP_REQUEST);
	rig_reset(r);
	assert_int_equal(vsock_connect(&v, GUEST_PORT, theirs[VSOCK_MAX_CONNS]), -ENOTCONN);
	for (unsigned i = 0; i <= VSOCK_MAX_CONNS; i++)
		close(ours[i]);
	close(theirs[VSOCK_MAX_CONNS]);
}

/* --- credit */

static void no_more_is_sent_than_the_guest_has_room_for(void **state)
{
	struct vsock_hdr h = header(VSOCK_OP_REQUEST, GUEST_PORT, PORT);
	struct packet p;

	h.buf_alloc = 10;
	say_bytes(&h, NULL);
	hear(VSOCK_OP_RESPONSE, PORT);
	assert_int_equal(write(ends[0], "0123456789abcdef", 16), 16);
	assert_int_equal(hear(VSOCK_OP_RW, PORT).h.len, 10);
	hear(VSOCK_OP_CREDIT_REQUEST, PORT);
	hear_nothing();
	h.op = VSOCK_OP_CREDIT_UPDATE;
	h.fwd_cnt = 4;
	say_bytes(&h, NULL);
	p = hear(VSOCK_OP_RW, PORT);
	assert_int_equal(p.h.len, 4);
	assert_memory_equal(p.data, "abcd", 4);
	hear(VSOCK_OP_CREDIT_REQUEST, PORT);
	h.fwd_cnt = 1000; /* more than it got: nonsense gives no credit */
	say_bytes(&h, NULL);
	hear_nothing();
	h.fwd_cnt = 14;
	say_bytes(&h, NULL);
	assert_int_equal(hear(VSOCK_OP_RW, PORT).h.len, 2);
	hear_nothing();
}

static void a_guest_that_sends_beyond_its_credit_is_reset(void **state)
{
	static uint8_t data[64 << 10];
	uint32_t sent = 0, fwd = 0;
	struct packet p = { 0 };

	connect_to(PORT);
	while (p.h.op != VSOCK_OP_RST) {
		assert_true(sent < 64 * sizeof(data));
		say_data(PORT, data, sizeof(data));
		sent += sizeof(data);
		while (p.h.op != VSOCK_OP_RST && hear_any(&p))
			fwd = p.h.op == VSOCK_OP_RST ? fwd : p.h.fwd_cnt;
	}
	assert_true(sent - fwd > VSOCK_BUF_BYTES);
	assert_int_equal(conns_in_use(), 0);
}

static void a_request_for_credit_is_answered(void **state)
{
	connect_to(PORT);
	say_data(PORT, "12345", 5);
	say(VSOCK_OP_CREDIT_REQUEST, PORT);
	assert_int_equal(hear(VSOCK_OP_CREDIT_UPDATE, PORT).h.fwd_cnt, 5);
}

static uint8_t pattern(uint32_t i)
{
	return (uint8_t)(i * 2654435761u >> 13);
}

/* A guest that keeps to its credit, a host that reads slowly: every byte comes, in order, and nobody is
 * stuck. */
static void all_bytes_come_in_order_however_slow_the_host(void **state)
{
	static uint8_t data[50000], got[20000];
	uint32_t sent = 0, fwd = 0, read_bytes = 0, total = 4u << 20;
	struct packet p;

	connect_to(PORT);
	while (read_bytes < total) {
		uint32_t n = GUEST_ALLOC - (sent - fwd);
		ssize_t k;

		n = n < sizeof(data) ? n : sizeof(data);
		n = n < total - sent ? n : total - sent;
		for (uint32_t i = 0; i < n; i++)
			data[i] = pattern(sent + i);
		if (n)
			say_data(PORT, data, n);
		sent += n;
		k = recv(ends[0], got, sizeof(got), MSG_DONTWAIT);
		assert_true(k > 0);
		for (ssize_t i = 0; i < k; i++)
			assert_int_equal(got[i], pattern(read_bytes + (uint32_t)i));
		read_bytes += (uint32_t)k;
		while (hear_any(&p)) {
			assert_int_equal(p.h.op, VSOCK_OP_CREDIT_UPDATE);
			fwd = p.h.fwd_cnt;
		}
	}
}

static void all_bytes_come_in_order_however_slow_the_guest(void **state)
{
	static uint8_t data[1 << 20];
	struct vsock_hdr h = header(VSOCK_OP_CREDIT_UPDATE, GUEST_PORT, PORT);
	uint32_t sent = 0, got = 0;
	struct packet p;

	for (uint32_t i = 0; i < sizeof(data); i++)
		data[i] = pattern(i);
	connect_to(PORT);
	while (got < sizeof(data)) {
		ssize_t n = send(ends[0], data + sent, sizeof(data) - sent, MSG_DONTWAIT);

		sent += n > 0 ? (uint32_t)n : 0;
		assert_true(hear_any(&p));
		if (p.h.op == VSOCK_OP_CREDIT_REQUEST) {
			h.fwd_cnt = got;
			say_bytes(&h, NULL);
			continue;
		}
		assert_int_equal(p.h.op, VSOCK_OP_RW);
		assert_true(got + p.h.len - h.fwd_cnt <= GUEST_ALLOC);
		assert_memory_equal(p.data, data + got, p.h.len);
		got += p.h.len;
	}
}

/* Both always have more than the guest has buffers for. */
static void connections_have_their_turn(void **state)
{
	static uint8_t data[100000];
	struct vsock_hdr h = header(VSOCK_OP_REQUEST, GUEST_PORT, PORT);
	uint32_t got[2] = { 0 };
	struct packet p;

	h.buf_alloc = 64u << 20;
	say_bytes(&h, NULL);
	hear(VSOCK_OP_RESPONSE, PORT);
	h.dst_port = OTHER;
	say_bytes(&h, NULL);
	hear(VSOCK_OP_RESPONSE, OTHER);
	for (unsigned i = 0; i < 1000; i++) {
		send(ends[0], data, sizeof(data), MSG_DONTWAIT);
		send(ends[2], data, sizeof(data), MSG_DONTWAIT);
		assert_true(hear_any(&p));
		got[p.h.src_port == OTHER] += p.h.len;
	}
	assert_true(got[0] + got[1] > 3u << 20);
	assert_true(got[0] < got[1] + (256u << 10) && got[1] < got[0] + (256u << 10));
}

/* --- ends */

static void the_guests_half_close_is_the_hosts_end_of_file(void **state)
{
	connect_to(PORT);
	say_data(PORT, "last", 4);
	say_shutdown(PORT, VSOCK_NO_SEND);
	assert_text(ends[0], "last");
	assert_eof(ends[0]);
	assert_int_equal(write(ends[0], "more", 4), 4);
	assert_memory_equal(hear(VSOCK_OP_RW, PORT).data, "more", 4);
	say_data(PORT, "x", 1); /* it said that it would not */
	hear(VSOCK_OP_RST, PORT);
}

static void a_guest_that_receives_nothing_more_is_sent_nothing(void **state)
{
	connect_to(PORT);
	say_shutdown(PORT, VSOCK_NO_RECEIVE);
	assert_int_equal(send(ends[0], "x", 1, MSG_NOSIGNAL), -1);
	assert_int_equal(errno, EPIPE);
	say_data(PORT, "still", 5);
	assert_text(ends[0], "still");
	hear_nothing();
	say_shutdown(PORT, VSOCK_NO_SEND); /* the first hint is permanent */
	hear(VSOCK_OP_RST, PORT);
	assert_eof(ends[0]);
}

static void a_clean_close_of_the_guest_is_answered_when_all_is_through(void **state)
{
	static uint8_t data[64 << 10];
	size_t want = 0, got = 0;
	ssize_t n;

	connect_to(PORT);
	while (v.in->conns[0].from_guest == v.in->conns[0].forwarded) {
		say_data(PORT, data, sizeof(data));
		want += sizeof(data);
	}
	for (struct packet p; hear_any(&p);)
		assert_int_equal(p.h.op, VSOCK_OP_CREDIT_UPDATE);
	say_shutdown(PORT, VSOCK_SHUT);
	hear_nothing();
	do {
		n = recv(ends[0], data, sizeof(data), MSG_DONTWAIT);
		got += n > 0 ? (size_t)n : 0;
		rig_turn(r);
	} while (n > 0);
	assert_int_equal(n, 0);
	assert_int_equal(got, want);
	hear(VSOCK_OP_RST, PORT);
	assert_int_equal(conns_in_use(), 0);
}

static void the_hosts_half_close_is_told_behind_its_bytes(void **state)
{
	connect_to(PORT);
	assert_int_equal(write(ends[0], "bye", 3), 3);
	shutdown(ends[0], SHUT_WR);
	assert_int_equal(hear(VSOCK_OP_RW, PORT).h.len, 3);
	assert_int_equal(hear(VSOCK_OP_SHUTDOWN, PORT).h.flags, VSOCK_NO_SEND);
	say_data(PORT, "back", 4);
	assert_text(ends[0], "back");
	say_shutdown(PORT, VSOCK_SHUT);
	hear(VSOCK_OP_RST, PORT);
	hear_nothing();
}

static void a_host_that_closes_is_told_behind_its_bytes(void **state)
{
	connect_to(PORT);
	assert_int_equal(write(ends[0], "bye", 3), 3);
	close(ends[0]);
	ends[0] = -1;
	assert_int_equal(hear(VSOCK_OP_RW, PORT).h.len, 3);
	assert_int_equal(hear(VSOCK_OP_SHUTDOWN, PORT).h.flags, VSOCK_SHUT);
	say_data(PORT, "too late", 8);
	hear_nothing();
	assert_int_equal(conns_in_use(), 1);
	say(VSOCK_OP_RST, PORT);
	assert_int_equal(conns_in_use(), 0);
	hear_nothing();
}

static void who_waits_for_a_reset_makes_room_when_there_is_none(void **state)
{
	int ours, theirs;
	struct packet p;

	for (unsigned i = 0; i < VSOCK_MAX_CONNS; i++) {
		uint32_t port = connect_from_host(&ours);

		say(VSOCK_OP_RESPONSE, port);
		close(ours);
		assert_int_equal(hear(VSOCK_OP_SHUTDOWN, port).h.flags, VSOCK_SHUT);
	}
	assert_int_equal(conns_in_use(), VSOCK_MAX_CONNS);
	pair(&ours, &theirs);
	assert_int_equal(vsock_connect(&v, GUEST_PORT, theirs), 0);
	assert_true(hear_any(&p));
	assert_int_equal(p.h.op, VSOCK_OP_RST);
	assert_int_equal(p.h.src_port, v.in->next_port - VSOCK_MAX_CONNS - 1); /* the oldest */
	assert_true(hear_any(&p));
	assert_int_equal(p.h.op, VSOCK_OP_REQUEST);
	close(ours);
}

static void a_reset_of_the_device_closes_and_the_next_driver_begins_anew(void **state)
{
	connect_to(PORT);
	rig_reset(r);
	rig_turn(r);
	assert_eof(ends[0]);
	assert_int_equal(conns_in_use(), 0);
	rig_start(r, &v.dev, 0);
	for (unsigned i = 0; i < N_RX; i++)
		add_rx();
	connect_to(PORT); /* its second socket */
	say_data(PORT, "again", 5);
	assert_text(ends[1], "again");
	rig_start(r, &v.dev, 0); /* the loop has no turn between the two drivers */
	assert_eof(ends[1]);
	assert_int_equal(conns_in_use(), 0);
}

/* --- breaches */

struct breach {
	const char *what;
	uint64_t dst_cid;
	uint16_t type, op;
	uint32_t host_port;
	bool connected;
};

static void breaches_of_a_stream_are_answered_by_rst(void **state)
{
	static const struct breach t[] = {
		{ "no such CID", 3, 1, VSOCK_OP_REQUEST, PORT, false },
		{ "reserved bits of a CID", VSOCK_HOST_CID | 1ull << 32, 1, VSOCK_OP_REQUEST, PORT, false },
		{ "seqpacket was not offered", VSOCK_HOST_CID, 2, VSOCK_OP_REQUEST, PORT, false },
		{ "unknown type", VSOCK_HOST_CID, 77, VSOCK_OP_RW, PORT, false },
		{ "invalid op", VSOCK_HOST_CID, 1, 0, PORT, false },
		{ "unknown op", VSOCK_HOST_CID, 1, 8, PORT, false },
		{ "data without a connection", VSOCK_HOST_CID, 1, VSOCK_OP_RW, PORT, false },
		{ "a response to nothing", VSOCK_HOST_CID, 1, VSOCK_OP_RESPONSE, PORT, false },
		{ "a shutdown of nothing", VSOCK_HOST_CID, 1, VSOCK_OP_SHUTDOWN, PORT, false },
		{ "credit of nothing", VSOCK_HOST_CID, 1, VSOCK_OP_CREDIT_UPDATE, PORT, false },
		{ "credit for nothing", VSOCK_HOST_CID, 1, VSOCK_OP_CREDIT_REQUEST, PORT, false },
		{ "invalid op in a connection", VSOCK_HOST_CID, 1, 0, PORT, true },
		{ "a response in a connection", VSOCK_HOST_CID, 1, VSOCK_OP_RESPONSE, PORT, true },
		{ "unknown op in a connection", VSOCK_HOST_CID, 1, 65535, OTHER, true },
	};

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct vsock_hdr h = header(t[i].op, GUEST_PORT, t[i].host_port);
		struct packet p;

		h.dst_cid = t[i].dst_cid;
		h.type = t[i].type;
		if (t[i].connected)
			connect_to(t[i].host_port);
		say_bytes(&h, NULL);
		if (!hear_any(&p) || p.h.op != VSOCK_OP_RST || p.h.type != t[i].type ||
		    p.h.src_cid != t[i].dst_cid || p.h.src_port != h.dst_port || conns_in_use())
			fail_msg("%s: no RST", t[i].what);
		hear_nothing();
	}
	assert_false(rig_needs_reset(r));
}

static void nobody_answers_another_cid_or_a_reset(void **state)
{
	struct vsock_hdr h = header(VSOCK_OP_REQUEST, GUEST_PORT, PORT);

	h.src_cid = CID + 1;
	say_bytes(&h, NULL);
	hear_nothing();
	say(VSOCK_OP_RST, PORT);
	hear_nothing();
	h = header(VSOCK_OP_RST, GUEST_PORT, PORT);
	h.type = 9;
	say_bytes(&h, NULL);
	hear_nothing();
	assert_int_equal(conns_in_use(), 0);
}

static void malformed_buffers_need_a_reset(void **state)
{
	struct vsock_hdr h = header(VSOCK_OP_RW, GUEST_PORT, PORT);
	uint64_t at = rig_alloc(r, 4096, 16);
	const struct {
		unsigned queue;
		uint32_t len; /* in the header */
		struct rig_buf b[2];
		unsigned n;
	} t[] = {
		{ VSOCK_QUEUE_TX, 0, { { at, VSOCK_HDR - 1, false } }, 1 },
		{ VSOCK_QUEUE_TX, 11, { { at, VSOCK_HDR + 10, false } }, 1 },
		{ VSOCK_QUEUE_TX, UINT32_MAX, { { at, VSOCK_HDR + 10, false } }, 1 },
		{ VSOCK_QUEUE_TX, 0, { { at, VSOCK_HDR, false }, { at + 100, 10, true } }, 2 },
		{ VSOCK_QUEUE_TX, 0, { { at, VSOCK_HDR, true } }, 1 },
		{ VSOCK_QUEUE_RX, 0, { { at, VSOCK_HDR, true } }, 1 },
		{ VSOCK_QUEUE_RX, 0, { { at, 10, false }, { at + 100, 100, true } }, 2 },
		{ VSOCK_QUEUE_RX, 0, { { at, 100, false } }, 1 },
	};

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		rig_start(r, &v.dev, 0);
		h.len = t[i].len;
		memcpy(rig_at(r, at), &h, VSOCK_HDR);
		rig_add(r, t[i].queue, t[i].b, t[i].n);
		if (t[i].queue == VSOCK_QUEUE_RX) /* something must want it */
			say(VSOCK_OP_RW, PORT);
		rig_kick(r, t[i].queue);
		rig_turn(r);
		if (!rig_needs_reset(r))
			fail_msg("row %zu: still running", i);
	}
}

static void a_broken_driver_is_the_end_of_its_connections(void **state)
{
	uint64_t at = rig_alloc(r, 16, 1);

	connect_to(PORT);
	rig_add(r, VSOCK_QUEUE_TX, &(struct rig_buf){ at, 16, false }, 1);
	rig_kick(r, VSOCK_QUEUE_TX);
	rig_turn(r);
	assert_true(rig_needs_reset(r));
	assert_eof(ends[0]);
	assert_int_equal(conns_in_use(), 0);
}

/* Nothing is given to it: the device takes what it can answer, then waits; all answers come when it may. */
static void a_flood_without_buffers_waits_in_the_queue(void **state)
{
	struct vsock_hdr h = header(VSOCK_OP_REQUEST, GUEST_PORT, 9999);
	unsigned added = 0, used = 0, answered = 0;
	struct rig_used u;
	uint64_t at;

	rig_start(r, &v.dev, 0);
	at = rig_alloc(r, 128 * VSOCK_HDR, 16);
	for (unsigned round = 0; round < 20; round++) {
		for (; added - used < 128; added++) {
			h.src_port = added;
			memcpy(rig_at(r, at + added % 128 * VSOCK_HDR), &h, VSOCK_HDR);
			rig_add(r, VSOCK_QUEUE_TX,
				&(struct rig_buf){ at + added % 128 * VSOCK_HDR, VSOCK_HDR, false }, 1);
		}
		rig_kick(r, VSOCK_QUEUE_TX);
		rig_turn(r);
		while (rig_take(r, VSOCK_QUEUE_TX, &u))
			used++;
	}
	assert_int_equal(used, VSOCK_RSTS_ARE_MANY);
	for (unsigned i = 0; i < 100; i++)
		add_rx();
	rig_kick(r, VSOCK_QUEUE_RX);
	for (struct packet p; hear_any(&p); answered++) {
		assert_int_equal(p.h.op, VSOCK_OP_RST);
		assert_int_equal(p.h.dst_port, answered);
	}
	assert_int_equal(answered, added);
}

/* --- what the driver must not need to know */

static void buffers_may_be_cut_anywhere(void **state)
{
	uint64_t at;
	uint16_t head;

	rig_start(r, &v.dev, 0);
	at = rig_alloc(r, 256, 1);
	for (unsigned i = 0; i < 2; i++) {
		const struct rig_buf b[] = { { at + 128 * i, 3, true },
					     { at + 128 * i + 3, 50, true },
					     { at + 128 * i + 53, 1, true } };

		head = rig_add_indirect(r, VSOCK_QUEUE_RX, b, 3);
		rx_at[head] = at + 128 * i;
	}
	say(VSOCK_OP_REQUEST, PORT);
	assert_int_equal(rig_next(r, VSOCK_QUEUE_RX).len, VSOCK_HDR);
	assert_int_equal(write(ends[0], "0123456789abcdef", 16), 16);
	assert_int_equal(rig_next(r, VSOCK_QUEUE_RX).len, VSOCK_HDR + 10);
	assert_memory_equal(rig_at(r, at + 128 + VSOCK_HDR), "0123456789", 10);
}

static void a_restored_device_tells_that_its_connections_are_gone(void **state)
{
	static struct vsock_state s;
	uint64_t at = rig_alloc(r, 4, 4);
	uint32_t event = UINT32_MAX;
	uint16_t head;

	connect_to(PORT);
	vsock_save(&v, &s);
	assert_int_equal(vsock_restore(&v, &s), 0);
	rig_turn(r);
	assert_eof(ends[0]);
	memcpy(rig_at(r, at), &event, sizeof(event));
	head = rig_add(r, VSOCK_QUEUE_EVENT, &(struct rig_buf){ at, 4, true }, 1);
	rig_kick(r, VSOCK_QUEUE_EVENT);
	assert_int_equal(rig_wait(r, VSOCK_QUEUE_EVENT, head), 4);
	memcpy(&event, rig_at(r, at), sizeof(event));
	assert_int_equal(event, 0);
	connect_to(PORT);
	s.dev.status = 0xffff;
	assert_int_equal(vsock_restore(&v, &s), -EINVAL);
}

/* --- threads */

static void *turn_until_told(void *stop)
{
	while (!__atomic_load_n((bool *)stop, __ATOMIC_SEQ_CST))
		loop_once(r->loop, 1);
	return NULL;
}

/* What a vcpu does: requests and resets, while the loop's thread serves and the host writes and closes. */
static void resets_by_a_vcpu_run_beside_the_loop(void **state)
{
	struct vsock_hdr h = header(VSOCK_OP_REQUEST, GUEST_PORT, PORT);
	bool stop = false;
	pthread_t loop;

	assert_int_equal(pthread_create(&loop, NULL, turn_until_told, &stop), 0);
	for (unsigned i = 0; i < 300; i++) {
		r->heap = tx_at + VSOCK_HDR + GUEST_ALLOC;
		assert_true(rig_negotiate(r, rig_offered(r)));
		for (unsigned q = 0; q < 3; q++)
			rig_queue_setup(r, q, 64);
		rig_driver_ok(r);
		for (unsigned k = 0; k < 30; k++)
			add_rx();
		for (h.dst_port = PORT; h.dst_port <= OTHER; h.dst_port++) {
			uint64_t at = rig_alloc(r, VSOCK_HDR, 16);

			memcpy(rig_at(r, at), &h, VSOCK_HDR);
			rig_add(r, VSOCK_QUEUE_TX, &(struct rig_buf){ at, VSOCK_HDR, false }, 1);
			rig_kick(r, VSOCK_QUEUE_TX);
			for (unsigned k = 0; k < i % 7; k++)
				sched_yield();
		}
		for (unsigned k = 0; k < 3; k++) /* some are closed by now */
			send(ends[k], "to the guest", 12, MSG_NOSIGNAL | MSG_DONTWAIT);
	}
	rig_reset(r);
	__atomic_store_n(&stop, true, __ATOMIC_SEQ_CST);
	pthread_join(loop, NULL);
	rig_turn(r);
	assert_int_equal(conns_in_use(), 0);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(it_is_a_socket_device_with_its_cid),
		CASE(reserved_cids_are_refused),
		CASE(a_connection_is_joined_to_the_socket_of_its_port),
		CASE(each_socket_of_a_port_is_for_one_connection),
		CASE(who_connects_where_nobody_listens_is_reset),
		CASE(who_asks_twice_is_reset),
		CASE(the_host_connects_and_its_first_bytes_wait_for_the_response),
		CASE(a_guest_that_refuses_closes_the_hosts_end),
		CASE(a_host_that_gives_up_resets_its_request),
		CASE(of_a_request_that_was_never_sent_nothing_is_heard),
		CASE(a_request_allows_only_its_answers),
		CASE(no_connection_without_a_driver_and_none_beyond_the_limit),
		CASE(no_more_is_sent_than_the_guest_has_room_for),
		CASE(a_guest_that_sends_beyond_its_credit_is_reset),
		CASE(a_request_for_credit_is_answered),
		CASE(all_bytes_come_in_order_however_slow_the_host),
		CASE(all_bytes_come_in_order_however_slow_the_guest),
		CASE(connections_have_their_turn),
		CASE(the_guests_half_close_is_the_hosts_end_of_file),
		CASE(a_guest_that_receives_nothing_more_is_sent_nothing),
		CASE(a_clean_close_of_the_guest_is_answered_when_all_is_through),
		CASE(the_hosts_half_close_is_told_behind_its_bytes),
		CASE(a_host_that_closes_is_told_behind_its_bytes),
		CASE(who_waits_for_a_reset_makes_room_when_there_is_none),
		CASE(a_reset_of_the_device_closes_and_the_next_driver_begins_anew),
		CASE(breaches_of_a_stream_are_answered_by_rst),
		CASE(nobody_answers_another_cid_or_a_reset),
		CASE(malformed_buffers_need_a_reset),
		CASE(a_broken_driver_is_the_end_of_its_connections),
		CASE(a_flood_without_buffers_waits_in_the_queue),
		CASE(buffers_may_be_cut_anywhere),
		CASE(resets_by_a_vcpu_run_beside_the_loop),
		CASE(a_restored_device_tells_that_its_connections_are_gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
