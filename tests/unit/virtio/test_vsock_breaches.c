/* test_vsock_breaches.c - the socket device and guests that break the rules, flood it, or reset it meanwhile */
#include "vsock_rig.h"

#include <pthread.h>
#include <sched.h>
#include <sys/socket.h>

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

#define CASE(f) cmocka_unit_test_setup_teardown(f, vsock_set_up, vsock_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(breaches_of_a_stream_are_answered_by_rst),
		CASE(nobody_answers_another_cid_or_a_reset),
		CASE(malformed_buffers_need_a_reset),
		CASE(a_broken_driver_is_the_end_of_its_connections),
		CASE(a_flood_without_buffers_waits_in_the_queue),
		CASE(resets_by_a_vcpu_run_beside_the_loop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
