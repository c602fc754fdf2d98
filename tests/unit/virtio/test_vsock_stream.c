/* test_vsock_stream.c - the socket device's connections: credit, the order of bytes, all kinds of ends */
#include "vsock_rig.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

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

/* The guest gives no more buffers: of the few that are left the last read took all, and needed two. */
static void buffers_that_a_read_did_not_need_are_there_for_what_follows(void **state)
{
	const unsigned left = 20, by_doubling = 1 + 2 + 4 + 8;
	static uint8_t data[(1 + 2 + 4 + 8 + 2) * (RX_BYTES - VSOCK_HDR)];
	const struct vsock_hdr *h;
	struct rig_used u;

	connect_to(PORT);
	for (unsigned i = left; i < RX_BUFFERS; i++) {
		say(VSOCK_OP_CREDIT_REQUEST, PORT);
		assert_true(rig_take(r, VSOCK_QUEUE_RX, &u));
	}
	assert_int_equal(write(ends[0], data, sizeof(data)), sizeof(data));
	close(ends[0]);
	ends[0] = -1;
	rig_turn(r);
	for (unsigned i = 0; i < by_doubling + 2; i++)
		assert_true(rig_take(r, VSOCK_QUEUE_RX, &u));
	assert_true(rig_take(r, VSOCK_QUEUE_RX, &u));
	h = rig_at(r, rx_at[u.id]);
	assert_int_equal(h->op, VSOCK_OP_SHUTDOWN);
	assert_int_equal(h->flags, VSOCK_SHUT);
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
	for (unsigned i = 0; i < RX_BUFFERS; i++)
		add_rx();
	connect_to(PORT); /* its second socket */
	say_data(PORT, "again", 5);
	assert_text(ends[1], "again");
	rig_start(r, &v.dev, 0); /* the loop has no turn between the two drivers */
	assert_eof(ends[1]);
	assert_int_equal(conns_in_use(), 0);
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

#define CASE(f) cmocka_unit_test_setup_teardown(f, vsock_set_up, vsock_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
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
		CASE(buffers_that_a_read_did_not_need_are_there_for_what_follows),
		CASE(who_waits_for_a_reset_makes_room_when_there_is_none),
		CASE(a_reset_of_the_device_closes_and_the_next_driver_begins_anew),
		CASE(a_restored_device_tells_that_its_connections_are_gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
