/* test_vsock.c - the socket device: what it is, connections of the guest and of the host */
#include "vsock_rig.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

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

#define CASE(f) cmocka_unit_test_setup_teardown(f, vsock_set_up, vsock_tear_down)

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
		CASE(buffers_may_be_cut_anywhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
