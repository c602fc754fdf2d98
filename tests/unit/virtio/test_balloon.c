/* test_balloon.c - the balloon: pages, statistics, free page reports, and broken drivers */
#include "rig.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "virtio/balloon.h"

#define INFLATE	    0
#define DEFLATE	    1
#define STATS	    2
#define F_STATS	    (UINT64_C(1) << 1)
#define F_REPORTING (UINT64_C(1) << 5)
#define PAGE	    4096

static struct balloon b;
static struct rig *r;

static int set_up(void **state)
{
	r = rig_new();
	assert_int_equal(balloon_init(&b, &r->ram, r->loop), 0);
	rig_start(r, &b.dev, 0);
	return 0;
}

static int tear_down(void **state)
{
	balloon_done(&b);
	rig_free(r);
	return 0;
}

static uint64_t resident_bytes(void)
{
	struct stat st;

	assert_int_equal(fstat(r->ram.fd, &st), 0);
	return (uint64_t)st.st_blocks * 512;
}

static void fill(uint64_t gpa, uint64_t n)
{
	memset(rig_at(r, gpa), 'x', n);
}

static bool is_zero(uint64_t gpa)
{
	static const char zeroes[PAGE];

	return !memcmp(rig_at(r, gpa), zeroes, PAGE);
}

/* A list of pages, cut within a number. */
static uint16_t send(unsigned q, const uint32_t *pfns, uint32_t bytes)
{
	uint64_t at = rig_alloc(r, bytes, 4);
	uint16_t head;

	memcpy(rig_at(r, at), pfns, bytes);
	head = rig_add(r, q, (struct rig_buf[]){ { at, 2, false }, { at + 2, bytes - 2, false } }, 2);
	rig_kick(r, q);
	rig_turn(r);
	return head;
}

static void it_is_a_balloon_and_its_target_is_seen(void **state)
{
	struct balloon_stats s;
	uint32_t v;

	assert_int_equal(rig_get(r, R_DEVICE_ID), 5);
	rig_interrupts(r);
	balloon_set_target(&b, 3 << 20);
	assert_int_equal(rig_get(r, R_INTERRUPT_STATUS), 2);
	virtio_mmio_read(&b.dev, R_CONFIG, &v, 4);
	assert_int_equal(v, 3 << 8);
	virtio_mmio_write(&b.dev, R_CONFIG, &(uint32_t){ 1 }, 4); /* not the driver's */
	virtio_mmio_write(&b.dev, R_CONFIG + 4, &(uint32_t){ 5 }, 4);
	virtio_mmio_read(&b.dev, R_CONFIG, &v, 4);
	assert_int_equal(v, 3 << 8);
	balloon_stats(&b, &s);
	assert_int_equal(s.target_bytes, 3 << 20);
	assert_int_equal(s.actual_bytes, 5 * PAGE);
	assert_int_equal(s.told_ns, 0);
	balloon_set_target(&b, UINT64_MAX);
	balloon_stats(&b, &s);
	assert_int_equal(s.target_bytes, RIG_LOW_BYTES + RIG_HIGH_BYTES);
}

/* Given back to the pool, one might be somebody else's when the guest wants it again: a SIGBUS. */
static void huge_pages_are_kept(void **state)
{
	static const uint32_t pfns[] = { 1024, 1025 };

	r->ram.huge = true;
	fill(4 << 20, 2 * PAGE);
	assert_int_equal(rig_wait(r, INFLATE, send(INFLATE, pfns, sizeof(pfns))), 0);
	assert_false(is_zero(1024 * PAGE));
	assert_false(is_zero(1025 * PAGE));
}

static void inflated_pages_go_back_to_the_host(void **state)
{
	/* up, down, alone, beyond 4 GiB: four ranges */
	static const uint32_t pfns[] = { 1024, 1025, 1026, 1100, 1099, 1200, 0x100000, 0x100001 };
	struct balloon_stats s;

	fill((4 << 20) - PAGE, 2 << 20);
	fill(RIG_HIGH, 3 * PAGE);
	assert_int_equal(rig_wait(r, INFLATE, send(INFLATE, pfns, sizeof(pfns))), 0);
	for (size_t i = 0; i < 8; i++)
		assert_true(is_zero((uint64_t)pfns[i] * PAGE));
	assert_false(is_zero(1023 * PAGE));
	assert_false(is_zero(1027 * PAGE));
	assert_false(is_zero(1098 * PAGE));
	assert_false(is_zero(1101 * PAGE));
	assert_false(is_zero(RIG_HIGH + 2 * PAGE));
	balloon_stats(&b, &s);
	assert_int_equal(s.discarded_bytes, 8 * PAGE);
}

static void the_memory_is_really_freed(void **state)
{
	static uint32_t pfns[256];
	uint64_t before;

	for (uint32_t i = 0; i < 256; i++)
		pfns[i] = 1024 + (i * 37 & 255); /* all of a mebibyte, in disorder */
	fill(4 << 20, 1 << 20);
	rig_alloc(r, sizeof(pfns), PAGE);
	before = resident_bytes();
	rig_wait(r, INFLATE, send(INFLATE, pfns, sizeof(pfns)));
	assert_true(resident_bytes() <= before - (1 << 20) + 2 * PAGE);
	rig_wait(r, DEFLATE, send(DEFLATE, pfns, sizeof(pfns)));
	fill(4 << 20, 1 << 20);
	assert_true(resident_bytes() >= before);
}

static void a_page_that_is_no_ram_needs_a_reset(void **state)
{
	static const uint32_t bad[] = { RIG_LOW_BYTES / PAGE, 0xd0000, 0xfffff,
					0x100000 + RIG_HIGH_BYTES / PAGE, UINT32_MAX };

	for (size_t i = 0; i < 2 * sizeof(bad) / sizeof(bad[0]); i++) {
		uint32_t pfns[] = { 1024, bad[i / 2], 1026 };
		struct rig_used u;

		rig_start(r, &b.dev, 0);
		fill(4 << 20, 4 * PAGE);
		send(i % 2, pfns, sizeof(pfns));
		assert_true(rig_needs_reset(r));
		assert_false(rig_take(r, i % 2, &u));
		assert_false(is_zero(1026 * PAGE));
	}
}

static void broken_lists_need_a_reset(void **state)
{
	static const struct {
		unsigned q;
		uint32_t len;
		bool in;
	} t[] = {
		{ INFLATE, 7, false }, /* half a number */
		{ INFLATE, 4097 * 4, false }, /* too long */
		{ INFLATE, 4, true },	      { DEFLATE, 2, false }, { DEFLATE, 8, true },
		{ STATS, 10, true },	      { STATS, 650, false }, /* too long */
		{ 3, 4096, false }, /* a report names memory by buffers that can be written */
		{ 4, 4096, false },
	};

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		uint64_t at;

		rig_start(r, &b.dev, 0);
		at = rig_alloc(r, t[i].len, PAGE);
		rig_add(r, t[i].q, &(struct rig_buf){ at, t[i].len, t[i].in }, 1);
		rig_kick(r, t[i].q);
		rig_turn(r);
		if (!rig_needs_reset(r))
			fail_msg("row %zu: running", i);
	}
}

static uint16_t tell(unsigned n)
{
	static const struct {
		uint16_t tag;
		uint64_t value;
	} __attribute__((packed)) t[] = { { 4, 1 << 20 }, { 5, 9 << 20 }, { 700, 1 }, { 0, 7 } };
	uint64_t at = rig_alloc(r, sizeof(t), 1);
	uint16_t head;

	memcpy(rig_at(r, at), t, sizeof(t));
	head = rig_add(r, STATS, &(struct rig_buf){ at, 10 * n, false }, 1);
	rig_kick(r, STATS);
	rig_turn(r);
	return head;
}

static void statistics_are_told_and_asked_for(void **state)
{
	struct balloon_stats s;
	struct rig_used u;
	uint16_t head = tell(4);

	assert_false(rig_take(r, STATS, &u)); /* it is kept for the next question */
	rig_interrupts(r);
	balloon_stats(&b, &s);
	assert_int_equal(s.known, 1 << 4 | 1 << 5 | 1 << 0);
	assert_int_equal(s.values[4], 1 << 20);
	assert_int_equal(s.values[5], 9 << 20);
	assert_int_equal(s.values[0], 7);
	assert_true(s.told_ns > 0);
	assert_true(rig_interrupts(r) > 0);
	assert_int_equal(rig_wait(r, STATS, head), 0);
	balloon_stats(&b, &s); /* nothing to ask with */
	assert_false(rig_take(r, STATS, &u));
	tell(1);
	assert_false(rig_needs_reset(r));
	tell(1); /* at most one at a time */
	assert_true(rig_needs_reset(r));
	balloon_stats(&b, &s);
	assert_false(rig_take(r, STATS, &u));
}

static void report(unsigned q, uint64_t from, uint32_t n)
{
	uint16_t head =
		rig_add(r, q, (struct rig_buf[]){ { from, n, true }, { RIG_HIGH + PAGE, PAGE, true } }, 2);

	rig_kick(r, q);
	rig_turn(r);
	assert_int_equal(rig_wait(r, q, head), 0);
}

/* Which queue it is depends on the features and on who counts. */
static void free_pages_are_discarded_whichever_queue_reports_them(void **state)
{
	static const struct {
		uint64_t without;
		unsigned q;
	} t[] = { { 0, 3 }, { 0, 4 }, { F_STATS, 2 }, { F_STATS, 4 } };

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		rig_start(r, &b.dev, t[i].without);
		fill(4 << 20, 8 * PAGE);
		fill(RIG_HIGH, 3 * PAGE);
		report(t[i].q, (4 << 20) + 100, 3 * PAGE); /* whole pages only */
		assert_false(is_zero(4 << 20));
		assert_true(is_zero((4 << 20) + PAGE));
		assert_true(is_zero((4 << 20) + 2 * PAGE));
		assert_false(is_zero((4 << 20) + 3 * PAGE));
		assert_false(is_zero(RIG_HIGH));
		assert_true(is_zero(RIG_HIGH + PAGE));
		assert_false(is_zero(RIG_HIGH + 2 * PAGE));
		report(t[i].q, (4 << 20) + 5 * PAGE + 1, PAGE);
		assert_false(is_zero((4 << 20) + 5 * PAGE));
	}
	rig_start(r, &b.dev, F_REPORTING);
	rig_add(r, 3, &(struct rig_buf){ 4 << 20, PAGE, true }, 1);
	rig_kick(r, 3);
	rig_turn(r);
	assert_true(rig_needs_reset(r)); /* there is no such queue now */
}

static void many_pages_are_done_in_turns(void **state)
{
	static uint32_t pfns[1000];
	uint64_t kicks;

	for (uint32_t i = 0; i < 1000; i++)
		pfns[i] = 1024 + i % 500 * 2; /* no neighbours */
	for (unsigned i = 0; i < 4; i++) {
		uint64_t at = rig_alloc(r, sizeof(pfns), 4);

		memcpy(rig_at(r, at), pfns, sizeof(pfns));
		rig_add(r, INFLATE, &(struct rig_buf){ at, sizeof(pfns), false }, 1);
	}
	kicks = b.dev.counters.kicks;
	rig_kick(r, INFLATE);
	for (unsigned i = 0; i < 4; i++)
		rig_next(r, INFLATE);
	assert_true(b.dev.counters.kicks >= kicks + 4);
	assert_int_equal(b.stats.discarded_bytes, 4000 * PAGE);
}

static void a_restored_balloon_knows_its_buffer(void **state)
{
	static struct balloon_state s;
	struct balloon_stats stats;
	uint16_t head = tell(2);

	balloon_set_target(&b, 1 << 20);
	balloon_save(&b, &s);
	rig_set(r, R_STATUS, 0);
	balloon_set_target(&b, 0);
	assert_int_equal(balloon_restore(&b, &s), 0);
	balloon_stats(&b, &stats);
	assert_int_equal(stats.target_bytes, 1 << 20);
	assert_int_equal(rig_wait(r, STATS, head), 0);
	s.dev.status = 0xffff;
	assert_int_equal(balloon_restore(&b, &s), -EINVAL);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(it_is_a_balloon_and_its_target_is_seen),
		CASE(inflated_pages_go_back_to_the_host),
		CASE(huge_pages_are_kept),
		CASE(the_memory_is_really_freed),
		CASE(a_page_that_is_no_ram_needs_a_reset),
		CASE(broken_lists_need_a_reset),
		CASE(statistics_are_told_and_asked_for),
		CASE(free_pages_are_discarded_whichever_queue_reports_them),
		CASE(many_pages_are_done_in_turns),
		CASE(a_restored_balloon_knows_its_buffer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
