/* test_net.c - the network device between a driver and a datagram socket that stands in for the tap */
#include "rig.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/clock.h"
#include "virtio/net.h"

enum { RX, TX };
#define HDR	  12
#define F_CSUM	  (UINT64_C(1) << 1) /* of the guest */
#define F_TSO4	  (UINT64_C(1) << 7)
#define F_TSO6	  (UINT64_C(1) << 8)
#define F_MRG	  (UINT64_C(1) << 15)
#define FRAME_MAX 65550

static struct rig *r;
static struct net net;
static int peer;
static const uint8_t mac[6] = { 2, 0, 0, 1, 2, 3 };

static void make(struct net_config c, uint64_t without)
{
	int s[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, s), 0);
	peer = s[1];
	c.fd = s[0];
	memcpy(c.mac, mac, sizeof(mac));
	r = rig_new();
	assert_int_equal(net_init(&net, &c, &r->ram, r->loop), 0);
	rig_start(r, &net.dev, without);
}

static int set_up(void **state)
{
	make((struct net_config){ .mtu = 1400 }, 0);
	return 0;
}

static int tear_down(void **state)
{
	int fd = net.tap.fd;

	net_done(&net);
	close(fd);
	close(peer);
	rig_free(r);
	return 0;
}

static void again(struct net_config c, uint64_t without)
{
	tear_down(NULL);
	make(c, without);
}

static void fill(uint8_t *p, size_t n, unsigned seed)
{
	for (size_t i = 0; i < n; i++)
		p[i] = (uint8_t)(seed + i * 7 + i / 251);
}

/* A frame from outside: header (gso type 0) and n bytes. */
static void from_outside(size_t n, unsigned seed, uint8_t flags, uint8_t gso)
{
	static uint8_t b[HDR + FRAME_MAX + 100];

	memset(b, 0, HDR);
	b[0] = flags;
	b[1] = gso;
	fill(b + HDR, n, seed);
	assert_int_equal(send(peer, b, HDR + n, 0), HDR + n);
}

static uint64_t give_buffers(unsigned n, uint32_t bytes)
{
	uint64_t first = rig_alloc(r, (uint64_t)n * bytes, 1);

	for (unsigned i = 0; i < n; i++)
		rig_add(r, RX, &(struct rig_buf){ first + (uint64_t)i * bytes, bytes, true }, 1);
	return first;
}

/* --- sending */

static void frames_are_sent(void **state)
{
	static const uint32_t sizes[] = { 14, 60, 1514, 9000, FRAME_MAX };
	static uint8_t got[HDR + FRAME_MAX + 1];

	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		uint64_t b = rig_alloc(r, HDR + sizes[i], 1);
		uint16_t head;

		fill(rig_at(r, b), HDR + sizes[i], 5);
		head = rig_add(r, TX,
			       (struct rig_buf[]){ { b, 7, false },
						   { b + 7, HDR + 3, false },
						   { b + HDR + 10, sizes[i] - 10, false } },
			       3);
		rig_kick(r, TX);
		assert_int_equal(rig_wait(r, TX, head), 0);
		assert_int_equal(recv(peer, got, sizeof(got), 0), HDR + sizes[i]);
		assert_memory_equal(got, rig_at(r, b), HDR + sizes[i]);
	}
	assert_int_equal(net.dev.counters.requests, ARRAY_LEN(sizes));
	assert_int_equal(net.dropped, 0);
}

static void what_is_no_frame_is_not_sent(void **state)
{
	static const uint32_t sizes[] = { 1, 11, 12, 25, HDR + FRAME_MAX + 1, 1 << 20 };
	uint64_t b = rig_alloc(r, 1 << 20, 1);
	uint8_t got[100];

	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		uint16_t head = rig_add(r, TX, &(struct rig_buf){ b, sizes[i], false }, 1);

		rig_kick(r, TX);
		assert_int_equal(rig_wait(r, TX, head), 0);
		assert_int_equal(recv(peer, got, sizeof(got), 0), -1);
		assert_int_equal(net.dropped, i + 1);
	}
	assert_false(rig_needs_reset(r));
}

static void many_frames_take_one_interrupt(void **state)
{
	uint64_t b = rig_alloc(r, 60, 1);
	uint8_t got[100];

	for (unsigned i = 0; i < 8; i++)
		rig_add(r, TX, &(struct rig_buf){ b, 60, false }, 1);
	rig_kick(r, TX);
	rig_turn(r);
	assert_int_equal(rig_interrupts(r), 1);
	for (unsigned i = 0; i < 8; i++)
		assert_int_equal(recv(peer, got, sizeof(got), 0), 60);
}

static void another_source_address_is_dropped_if_asked(void **state)
{
	uint64_t b;

	again((struct net_config){ .check_mac = true }, 0);
	b = rig_alloc(r, 60, 1);
	for (unsigned i = 0; i < 2; i++) {
		memcpy((uint8_t *)rig_at(r, b) + HDR + 6, mac, sizeof(mac));
		((uint8_t *)rig_at(r, b))[HDR + 11] ^= (uint8_t)i;
		rig_add(r, TX, &(struct rig_buf){ b, 60, false }, 1);
		rig_kick(r, TX);
		rig_turn(r);
		assert_int_equal(net.dropped, i);
	}
}

/* --- receiving */

/* The next frame must be that one, in num_buffers chains from `at` on, each of `bytes`. */
static void check_frame(uint64_t at, uint32_t bytes, size_t n, unsigned seed)
{
	static uint8_t want[FRAME_MAX];
	const uint8_t *p = rig_at(r, at);
	size_t chains = (n + HDR + bytes - 1) / bytes, sum = 0;
	uint16_t num;

	for (size_t i = 0; i < chains; i++)
		sum += rig_next(r, RX).len;
	assert_int_equal(sum, n + HDR);
	memcpy(&num, p + 10, sizeof(num));
	assert_int_equal(num, chains);
	fill(want, n, seed);
	assert_memory_equal(p + HDR, want, n);
}

static void frames_are_received_into_as_many_buffers_as_they_need(void **state)
{
	static const uint32_t buffers[] = { 12, 13, 64, 1526, 4096, 65562, 100000 };
	static const size_t frames[] = { 14, 60, 1514, 2000 };

	for (size_t i = 0; i < ARRAY_LEN(buffers); i++)
		for (size_t k = 0; k < ARRAY_LEN(frames); k++) {
			uint64_t at, mark = r->heap;

			rig_start(r, &net.dev, 0);
			at = give_buffers(buffers[i] < 1000 ? 256 : 40, buffers[i]);
			rig_kick(r, RX);
			from_outside(frames[k], 3, 0, 0);
			check_frame(at, buffers[i], frames[k], 3);
			r->heap = mark;
		}
	assert_int_equal(net.dropped, 0);
}

static void the_largest_frame_is_received(void **state)
{
	uint64_t at = give_buffers(50, 1526);

	rig_kick(r, RX);
	from_outside(FRAME_MAX, 9, 1, 1);
	check_frame(at, 1526, FRAME_MAX, 9);
	at += (FRAME_MAX + HDR + 1525) / 1526 * 1526;
	from_outside(60, 10, 0, 0);
	check_frame(at, 1526, 60, 10);
}

static void a_frame_waits_for_the_rest_of_its_buffers(void **state)
{
	uint64_t at = give_buffers(2, 1526);
	struct rig_used u;

	rig_kick(r, RX);
	from_outside(20000, 7, 0, 0);
	from_outside(100, 8, 0, 0);
	rig_turn(r);
	assert_false(rig_take(r, RX, &u));
	give_buffers(5, 1526); /* still too few */
	rig_kick(r, RX);
	rig_turn(r);
	assert_false(rig_take(r, RX, &u));
	assert_int_equal(net.tap.events, 0);
	give_buffers(10, 1526);
	rig_kick(r, RX);
	check_frame(at, 1526, 20000, 7);
	check_frame(at + 14 * UINT64_C(1526), 1526, 100, 8);
	assert_int_equal(net.dropped, 0);
}

static void without_buffers_the_tap_is_not_read(void **state)
{
	uint64_t at;

	for (int i = 0; i < 5; i++)
		from_outside(60, (unsigned)i, 0, 0);
	rig_turn(r);
	assert_int_equal(net.tap.events, 0);
	at = give_buffers(1, 1526);
	rig_kick(r, RX);
	check_frame(at, 1526, 60, 0);
	rig_turn(r);
	assert_int_equal(net.tap.events, 0);
	at = give_buffers(10, 1526);
	rig_kick(r, RX);
	for (unsigned i = 1; i < 5; i++)
		check_frame(at + (i - 1) * UINT64_C(1526), 1526, 60, i);
}

static void what_no_buffers_can_hold_is_dropped(void **state)
{
	uint64_t at;

	again((struct net_config){ .mtu = 0 }, F_MRG);
	at = give_buffers(3, 1526);
	rig_kick(r, RX);
	from_outside(5000, 1, 0, 0);
	from_outside(60, 2, 0, 0);
	check_frame(at, 1526, 60, 2);
	assert_int_equal(net.dropped, 1);
	/* every buffer that the ring can have, and too small all together */
	again((struct net_config){ .mtu = 0 }, 0);
	at = give_buffers(NET_QUEUE_SIZE, 12);
	rig_kick(r, RX);
	from_outside(5000, 1, 0, 0);
	from_outside(60, 2, 0, 0);
	check_frame(at, 12, 60, 2);
	assert_int_equal(net.dropped, 1);
}

static void frames_that_the_driver_has_not_asked_for_are_dropped(void **state)
{
	static const struct {
		uint64_t without;
		uint8_t flags, gso;
		unsigned dropped;
	} cases[] = {
		{ 0, 1, 1, 0 },	     { 0, 1, 0x81, 0 },	  { 0, 1, 4, 0 },
		{ 0, 1, 3, 1 }, /* UDP segments are never asked for */
		{ 0, 0, 5, 1 },	     { F_CSUM, 1, 0, 1 }, { F_TSO4, 1, 1, 1 },
		{ F_TSO4, 1, 4, 0 }, { F_TSO6, 1, 4, 1 },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		uint64_t at;

		again((struct net_config){ .mtu = 0 }, cases[i].without);
		at = give_buffers(50, 1526);
		rig_kick(r, RX);
		from_outside(3000, 1, cases[i].flags, cases[i].gso);
		from_outside(60, 2, 0, 0);
		if (!cases[i].dropped) {
			check_frame(at, 1526, 3000, 1);
			at += 2 * 1526;
		}
		check_frame(at, 1526, 60, 2);
		assert_int_equal(net.dropped, cases[i].dropped);
	}
}

static void runts_and_giants_are_dropped(void **state)
{
	uint8_t b[HDR + 13] = { 0 };
	uint64_t at = give_buffers(60, 1526);

	rig_kick(r, RX);
	for (size_t n = 0; n <= sizeof(b); n++)
		assert_int_equal(send(peer, b, n, 0), n);
	from_outside(FRAME_MAX + 1, 1, 0, 0);
	from_outside(60, 2, 0, 0);
	check_frame(at, 1526, 60, 2);
	assert_int_equal(net.dropped, sizeof(b) + 2);
}

static void buffers_without_room_for_a_header_fail_the_device(void **state)
{
	give_buffers(1, 11);
	rig_kick(r, RX);
	rig_turn(r);
	assert_true(rig_needs_reset(r));
	rig_start(r, &net.dev, 0);
	rig_add(r, RX, &(struct rig_buf){ 0x1000, 100, false }, 1); /* nothing to write to */
	rig_kick(r, RX);
	rig_turn(r);
	assert_true(rig_needs_reset(r));
}

/* --- life */

static void a_saved_device_goes_on(void **state)
{
	struct net_config c = { .fd = net.tap.fd };
	struct net_state s;
	uint64_t at = give_buffers(100, 1526);

	rig_kick(r, RX);
	from_outside(60, 1, 0, 0);
	check_frame(at, 1526, 60, 1);
	assert_true(net.hand.n > 0);
	net_save(&net, &s);
	assert_int_equal(s.dev.queues[RX].next_avail, s.dev.queues[RX].next_used);
	from_outside(60, 2, 0, 0); /* the old one may go on too */
	check_frame(at + 1526, 1526, 60, 2);
	net_save(&net, &s);
	net_done(&net);
	assert_int_equal(net_init(&net, &c, &r->ram, r->loop), 0);
	assert_int_equal(net_restore(&net, &s), -EINVAL); /* has no MTU to tell */
	net_done(&net);
	c.mtu = 1400;
	assert_int_equal(net_init(&net, &c, &r->ram, r->loop), 0);
	assert_int_equal(net_restore(&net, &s), 0);
	from_outside(60, 3, 0, 0);
	check_frame(at + 2 * 1526, 1526, 60, 3);
}

static void a_reset_empties_the_hand(void **state)
{
	give_buffers(1, 1526);
	rig_kick(r, RX);
	from_outside(5000, 1, 0, 0); /* waits */
	rig_turn(r);
	assert_true(net.waiting && net.hand.n);
	rig_reset(r);
	assert_true(!net.waiting && !net.hand.n && !net.hand.bytes);
	from_outside(60, 2, 0, 0);
	rig_turn(r);
	rig_start(r, &net.dev, 0);
	check_frame((rig_kick(r, RX), give_buffers(1, 1526)), 1526, 60, 2);
}

static void both_ways_can_be_limited(void **state)
{
	int64_t begin;
	uint64_t b, at;
	uint8_t got[100];

	again((struct net_config){ .rx_rate.ops = { 200, 5 }, .tx_rate.ops = { 200, 5 } }, 0);
	begin = clock_mono_ns();
	b = rig_alloc(r, 60, 1);
	for (unsigned i = 0; i < 40; i++)
		rig_add(r, TX, &(struct rig_buf){ b, 60, false }, 1);
	rig_kick(r, TX);
	for (unsigned i = 1; i <= 40; i++) {
		rig_next(r, TX);
		assert_true(i <= 6 + 200e-9 * (double)(clock_mono_ns() - begin));
		assert_int_equal(recv(peer, got, sizeof(got), 0), 60);
	}
	begin = clock_mono_ns();
	at = give_buffers(60, 1526);
	rig_kick(r, RX);
	for (unsigned i = 0; i < 10; i++)
		from_outside(60, i, 0, 0);
	for (unsigned i = 0; i < 10; i++) {
		check_frame(at + i * UINT64_C(1526), 1526, 60, i);
		assert_true(i <= 6 + 200e-9 * (double)(clock_mono_ns() - begin));
	}
}

static void what_is_no_network_is_refused(void **state)
{
	struct net_config c = { .fd = -1 };
	struct net other;
	int p[2];

	assert_int_equal(net_init(&other, &c, &r->ram, r->loop), -EBADF);
	assert_int_equal(pipe2(p, O_NONBLOCK | O_CLOEXEC), 0);
	c.fd = p[0];
	assert_int_equal(net_init(&other, &c, &r->ram, r->loop), -EINVAL);
	close(p[0]);
	close(p[1]);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, p), 0);
	c.fd = p[0];
	assert_int_equal(net_init(&other, &c, &r->ram, r->loop), -EINVAL);
	close(p[0]);
	close(p[1]);
	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM, 0, p), 0);
	c.fd = p[0]; /* would block */
	assert_int_equal(net_init(&other, &c, &r->ram, r->loop), -EINVAL);
	close(p[0]);
	close(p[1]);
}

#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(frames_are_sent),
		T(what_is_no_frame_is_not_sent),
		T(many_frames_take_one_interrupt),
		T(another_source_address_is_dropped_if_asked),
		T(frames_are_received_into_as_many_buffers_as_they_need),
		T(the_largest_frame_is_received),
		T(a_frame_waits_for_the_rest_of_its_buffers),
		T(without_buffers_the_tap_is_not_read),
		T(what_no_buffers_can_hold_is_dropped),
		T(frames_that_the_driver_has_not_asked_for_are_dropped),
		T(runts_and_giants_are_dropped),
		T(buffers_without_room_for_a_header_fail_the_device),
		T(a_saved_device_goes_on),
		T(a_reset_empties_the_hand),
		T(both_ways_can_be_limited),
		T(what_is_no_network_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
