/* test_queue.c - split virtqueues: each rule of virtio 1.2, section 2.7 that a driver can break */
#include "rig.h"

#include <errno.h>
#include <pthread.h>

#include "base/auto.h"
#include "virtio/queue.h"

#define SIZE 8
#define OUT  0
#define IN   D_WRITE

static struct rig *r;
static struct vq q;
static struct vq_chain c;

static int start(bool event_idx, bool indirect)
{
	q.s.desc_gpa = r->q[0].desc;
	q.s.avail_gpa = r->q[0].avail;
	q.s.used_gpa = r->q[0].used;
	q.s.size = r->q[0].size;
	return vq_start(&q, &r->ram, event_idx, indirect);
}

/* A queue in new RAM, with all rings zero. */
static void fresh(uint16_t size)
{
	if (r)
		rig_free(r);
	r = rig_new();
	q = (struct vq){ 0 };
	r->q[0] = (struct rig_queue){ .size = size };
	r->q[0].desc = rig_alloc(r, 16 * (uint64_t)size, 16);
	r->q[0].avail = rig_alloc(r, 6 + 2 * (uint64_t)size, 2);
	r->q[0].used = rig_alloc(r, 6 + 8 * (uint64_t)size, 4);
}

static int set_up(void **state)
{
	fresh(SIZE);
	return 0;
}

static int tear_down(void **state)
{
	rig_free(r);
	r = NULL;
	return 0;
}

/* --- start */

static void sizes_are_powers_of_two(void **state)
{
	for (unsigned size = 0; size <= UINT16_MAX; size++) {
		bool good = size && size <= VQ_MAX_SIZE && !(size & (size - 1));

		r->q[0].desc = r->q[0].avail = r->q[0].used = 0x10000;
		r->q[0].size = (uint16_t)size;
		assert_int_equal(start(false, false), good ? 0 : -EINVAL);
	}
}

static void rings_are_aligned(void **state)
{
	for (unsigned i = 0; i < 32; i++) {
		fresh(SIZE);
		r->q[0].desc = 0x10000 + i;
		assert_int_equal(start(false, false), i % 16 ? -EINVAL : 0);
		fresh(SIZE);
		r->q[0].avail = 0x10000 + i;
		assert_int_equal(start(false, false), i % 2 ? -EINVAL : 0);
		fresh(SIZE);
		r->q[0].used = 0x10000 + i;
		assert_int_equal(start(false, false), i % 4 ? -EINVAL : 0);
	}
}

/* The bytes of a ring must be RAM to the last, and of one slot. */
static void check_place(uint64_t *ring, uint64_t bytes, uint64_t align)
{
	const struct {
		uint64_t gpa;
		bool good;
	} places[] = {
		{ 0, true },
		{ RIG_LOW_BYTES - bytes, true },
		{ RIG_LOW_BYTES - bytes + align, false },
		{ RIG_LOW_BYTES - 16, false },
		{ RIG_LOW_BYTES, false },
		{ RIG_HIGH - 16, false },
		{ RIG_HIGH, true },
		{ RIG_HIGH + RIG_HIGH_BYTES - bytes, true },
		{ RIG_HIGH + RIG_HIGH_BYTES - bytes + align, false },
		{ RIG_HIGH + RIG_HIGH_BYTES, false },
		{ UINT64_C(1) << 63, false },
		{ UINT64_MAX - 15, false },
	};
	uint64_t good = *ring;

	for (size_t i = 0; i < ARRAY_LEN(places); i++) {
		*ring = places[i].gpa & ~(align - 1);
		assert_int_equal(start(true, true), places[i].good ? 0 : -EINVAL);
	}
	*ring = good;
}

static void rings_are_wholly_in_ram(void **state)
{
	check_place(&r->q[0].desc, 16 * SIZE, 16);
	check_place(&r->q[0].avail, 6 + 2 * SIZE, 2);
	check_place(&r->q[0].used, 6 + 8 * SIZE, 4);
}

static void a_queue_that_is_not_started_is_empty(void **state)
{
	assert_int_equal(vq_pop(&q, &c), 0);
	vq_push(&q, 0, 0);
	assert_false(vq_must_notify(&q));
	assert_false(vq_kicks_on(&q));
	vq_kicks_off(&q);
	assert_int_equal(start(true, true), 0);
	rig_avail(r, 0, 0);
	vq_stop(&q);
	assert_int_equal(vq_pop(&q, &c), 0);
	assert_int_equal(q.s.size, SIZE);
}

/* --- chains */

#define TABLE 0x20000
#define BUF   0x30000

struct chain_case {
	const char *name;
	struct rig_desc d[4], table[4];
	int good;
	unsigned n_out, n_in;
	uint32_t out_bytes, in_bytes;
	uint16_t head;
	bool no_indirect;
};

static const struct chain_case chains[] = {
	{ "one out", { { BUF, 5, OUT, 0 } }, .good = 1, .n_out = 1, .out_bytes = 5 },
	{ "one in", { { BUF, 5, IN, 0 } }, .good = 1, .n_in = 1, .in_bytes = 5 },
	{ "next without its flag is ignored",
	  { { BUF, 5, OUT, 0xffff } },
	  .good = 1,
	  .n_out = 1,
	  .out_bytes = 5 },
	{ "flags without a meaning are ignored",
	  { { BUF, 5, 0xfff8, 0 } },
	  .good = 1,
	  .n_out = 1,
	  .out_bytes = 5 },
	{ "two out, one in",
	  { { BUF, 5, D_NEXT, 1 }, { BUF, 6, D_NEXT, 2 }, { BUF, 7, IN, 0 } },
	  .good = 1,
	  .n_out = 2,
	  .n_in = 1,
	  .out_bytes = 11,
	  .in_bytes = 7 },
	{ "head is not the first",
	  { [3] = { BUF, 5, D_NEXT, 1 }, [1] = { BUF, 6, IN, 0 } },
	  .head = 3,
	  .good = 1,
	  .n_out = 1,
	  .n_in = 1,
	  .out_bytes = 5,
	  .in_bytes = 6 },
	{ "last byte of RAM", { { RIG_LOW_BYTES - 1, 1, OUT, 0 } }, .good = 1, .n_out = 1, .out_bytes = 1 },
	{ "all of the low RAM",
	  { { 0, RIG_LOW_BYTES, IN, 0 } },
	  .good = 1,
	  .n_in = 1,
	  .in_bytes = RIG_LOW_BYTES },
	{ "all of the high RAM",
	  { { RIG_HIGH, RIG_HIGH_BYTES, IN, 0 } },
	  .good = 1,
	  .n_in = 1,
	  .in_bytes = RIG_HIGH_BYTES },
	{ "head out of range", { { BUF, 5, OUT, 0 } }, .head = SIZE },
	{ "head out of range by far", { { BUF, 5, OUT, 0 } }, .head = 0xffff },
	{ "next out of range", { { BUF, 5, D_NEXT, SIZE } } },
	{ "next out of range by far", { { BUF, 5, D_NEXT, 0xffff } } },
	{ "loop of one", { { BUF, 5, D_NEXT, 0 } } },
	{ "loop of two", { { BUF, 5, D_NEXT, 1 }, { BUF, 5, D_NEXT, 0 } } },
	{ "loop behind the head", { { BUF, 5, D_NEXT, 1 }, { BUF, 5, D_NEXT, 2 }, { BUF, 5, D_NEXT, 1 } } },
	{ "zero length", { { BUF, 0, OUT, 0 } } },
	{ "zero length in", { { BUF, 0, IN, 0 } } },
	{ "zero length in the middle", { { BUF, 5, D_NEXT, 1 }, { BUF, 0, D_NEXT, 2 }, { BUF, 5, IN, 0 } } },
	{ "readable behind writable", { { BUF, 5, IN | D_NEXT, 1 }, { BUF, 5, OUT, 0 } } },
	{ "one byte beyond RAM", { { RIG_LOW_BYTES - 1, 2, OUT, 0 } } },
	{ "begins behind RAM", { { RIG_LOW_BYTES, 1, OUT, 0 } } },
	{ "in the hole", { { RIG_HIGH - 1, 1, OUT, 0 } } },
	{ "from the hole into RAM", { { RIG_HIGH - 1, 2, OUT, 0 } } },
	{ "from low to high RAM across the hole", { { RIG_LOW_BYTES - 1, UINT32_MAX, IN, 0 } } },
	{ "behind the high RAM", { { RIG_HIGH + RIG_HIGH_BYTES, 1, IN, 0 } } },
	{ "around the end of 64 bits", { { UINT64_MAX, 2, OUT, 0 } } },
	{ "around the end of 64 bits into RAM", { { UINT64_MAX - 0xff, 0x1000, OUT, 0 } } },
	{ "length of 32 bits", { { BUF, UINT32_MAX, OUT, 0 } } },
	{ "indirect",
	  { { TABLE, 48, D_INDIRECT, 0 } },
	  { { BUF, 5, D_NEXT, 2 }, { BUF, 1, OUT, 0 }, { BUF, 6, IN, 0 } },
	  .good = 1,
	  .n_out = 1,
	  .n_in = 1,
	  .out_bytes = 5,
	  .in_bytes = 6 },
	{ "indirect behind direct",
	  { { BUF, 4, D_NEXT, 1 }, { TABLE, 16, D_INDIRECT, 0 } },
	  { { BUF, 6, IN, 0 } },
	  .good = 1,
	  .n_out = 1,
	  .n_in = 1,
	  .out_bytes = 4,
	  .in_bytes = 6 },
	{ "the write flag of an indirect descriptor is ignored (2.7.5.3.2)",
	  { { TABLE, 16, D_INDIRECT | D_WRITE, 0 } },
	  { { BUF, 5, OUT, 0 } },
	  .good = 1,
	  .n_out = 1,
	  .out_bytes = 5 },
	{ "indirect without the feature",
	  { { TABLE, 16, D_INDIRECT, 0 } },
	  { { BUF, 5, OUT, 0 } },
	  .no_indirect = true },
	{ "indirect and next",
	  { { TABLE, 16, D_INDIRECT | D_NEXT, 1 }, { BUF, 5, OUT, 0 } },
	  { { BUF, 5, OUT, 0 } } },
	{ "indirect in indirect",
	  { { TABLE, 32, D_INDIRECT, 0 } },
	  { { TABLE + 16, 16, D_INDIRECT, 0 }, { BUF, 5, OUT, 0 } } },
	{ "a table in itself", { { TABLE, 16, D_INDIRECT, 0 } }, { { TABLE, 16, D_INDIRECT, 0 } } },
	{ "empty table", { { TABLE, 0, D_INDIRECT, 0 } }, { { BUF, 5, OUT, 0 } } },
	{ "half a descriptor", { { TABLE, 8, D_INDIRECT, 0 } }, { { BUF, 5, OUT, 0 } } },
	{ "one and a half", { { TABLE, 24, D_INDIRECT, 0 } }, { { BUF, 5, OUT, 0 } } },
	{ "table out of RAM", { { RIG_LOW_BYTES, 16, D_INDIRECT, 0 } } },
	{ "table half out of RAM", { { RIG_LOW_BYTES - 16, 32, D_INDIRECT, 0 } } },
	{ "next out of the table", { { TABLE, 32, D_INDIRECT, 0 } }, { { BUF, 5, D_NEXT, 2 } } },
	{ "loop in a table",
	  { { TABLE, 32, D_INDIRECT, 0 } },
	  { { BUF, 5, D_NEXT, 1 }, { BUF, 5, D_NEXT, 0 } } },
	{ "zero length in a table", { { TABLE, 16, D_INDIRECT, 0 } }, { { BUF, 0, OUT, 0 } } },
	{ "readable behind writable across tables",
	  { { BUF, 5, IN | D_NEXT, 1 }, { TABLE, 16, D_INDIRECT, 0 } },
	  { { BUF, 5, OUT, 0 } } },
};

static void check_chain(const struct chain_case *k)
{
	fresh(SIZE);
	assert_int_equal(start(true, !k->no_indirect), 0);
	memcpy(rig_desc(r, 0, 0), k->d, sizeof(k->d));
	memcpy(rig_at(r, TABLE), k->table, sizeof(k->table));
	rig_avail(r, 0, k->head);
	if (vq_pop(&q, &c) != (k->good ? 1 : -EPROTO))
		fail_msg("%s", k->name);
	if (!k->good) {
		assert_true(q.broken);
		assert_int_equal(vq_pop(&q, &c), -EPROTO);
		return;
	}
	if (c.head != k->head || c.n_out != k->n_out || c.n_in != k->n_in || c.out_bytes != k->out_bytes ||
	    c.in_bytes != k->in_bytes)
		fail_msg("%s: head %u out %u in %u bytes %u %u", k->name, c.head, c.n_out, c.n_in,
			 c.out_bytes, c.in_bytes);
	assert_int_equal(vq_pop(&q, &c), 0);
}

static void chains_are_taken_or_refused(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(chains); i++)
		check_chain(&chains[i]);
}

static void buffers_are_where_the_driver_said(void **state)
{
	start(true, true);
	*rig_desc(r, 0, 0) = (struct rig_desc){ BUF, 5, D_NEXT, 1 };
	*rig_desc(r, 0, 1) = (struct rig_desc){ RIG_HIGH + 7, 9, IN, 0 };
	rig_avail(r, 0, 0);
	assert_int_equal(vq_pop(&q, &c), 1);
	assert_ptr_equal(c.iov[0].iov_base, rig_at(r, BUF));
	assert_int_equal(c.iov[0].iov_len, 5);
	assert_ptr_equal(c.iov[1].iov_base, rig_at(r, RIG_HIGH + 7));
	assert_int_equal(c.iov[1].iov_len, 9);
}

/* A table of n buffers of `len` bytes. */
static void long_table(unsigned n, uint64_t gpa, uint32_t len)
{
	struct rig_desc *d = rig_at(r, TABLE);

	for (unsigned i = 0; i < n; i++)
		d[i] = (struct rig_desc){ gpa, len, i + 1 < n ? D_NEXT : 0, (uint16_t)(i + 1) };
	*rig_desc(r, 0, 0) = (struct rig_desc){ TABLE, 16 * n, D_INDIRECT, 0 };
	rig_avail(r, 0, 0);
}

static void a_chain_has_at_most_so_many_buffers(void **state)
{
	start(true, true);
	long_table(VQ_MAX_SEGS, BUF, 1);
	assert_int_equal(vq_pop(&q, &c), 1);
	assert_int_equal(c.n_out, VQ_MAX_SEGS);
	long_table(VQ_MAX_SEGS + 1, BUF, 1);
	assert_int_equal(vq_pop(&q, &c), -EPROTO);
}

static int pop_direct(uint16_t size, unsigned n)
{
	fresh(size);
	start(true, true);
	for (unsigned i = 0; i < n; i++)
		*rig_desc(r, 0, (uint16_t)i) =
			(struct rig_desc){ BUF, 1, i + 1 < n ? D_NEXT : 0, (uint16_t)(i + 1) };
	rig_avail(r, 0, 0);
	return vq_pop(&q, &c);
}

static void a_direct_chain_may_be_as_long_as_the_queue(void **state)
{
	for (unsigned size = 1; size <= VQ_MAX_SEGS; size *= 2)
		assert_int_equal(pop_direct((uint16_t)size, size), 1);
	assert_int_equal(pop_direct(2 * VQ_MAX_SEGS, VQ_MAX_SEGS), 1);
	assert_int_equal(pop_direct(2 * VQ_MAX_SEGS, VQ_MAX_SEGS + 1), -EPROTO);
	assert_int_equal(pop_direct(VQ_MAX_SIZE, VQ_MAX_SIZE), -EPROTO);
}

/* A slot large enough is pretended: nothing touches its bytes. */
static void a_chain_has_less_than_4_gib(void **state)
{
	start(true, true);
	r->ram.slots[1].bytes = UINT64_C(1) << 33;
	*rig_desc(r, 0, 0) = (struct rig_desc){ RIG_HIGH, UINT32_MAX, D_NEXT, 1 };
	*rig_desc(r, 0, 1) = (struct rig_desc){ RIG_HIGH, UINT32_MAX - 1, IN | D_NEXT, 2 };
	*rig_desc(r, 0, 2) = (struct rig_desc){ RIG_HIGH, 1, IN, 0 };
	rig_avail(r, 0, 0);
	assert_int_equal(vq_pop(&q, &c), 1);
	assert_true(c.out_bytes == UINT32_MAX && c.in_bytes == UINT32_MAX);
	rig_desc(r, 0, 2)->len = 2;
	rig_avail(r, 0, 0);
	assert_int_equal(vq_pop(&q, &c), -EPROTO);
	r->ram.slots[1].bytes = RIG_HIGH_BYTES;
}

/* --- the available ring */

static void the_available_index_is_ahead_by_at_most_the_size(void **state)
{
	for (unsigned ahead = 0; ahead <= UINT16_MAX; ahead++) {
		int want = !ahead ? 0 : ahead <= SIZE ? 1 : -EPROTO;

		q = (struct vq){ .s.next_avail = (uint16_t)(ahead * 7) };
		start(true, true);
		*rig_desc(r, 0, 0) = (struct rig_desc){ BUF, 5, OUT, 0 };
		*rig_avail_idx(r, 0) = (uint16_t)(q.s.next_avail + ahead);
		assert_int_equal(vq_pop(&q, &c), want);
	}
}

static void indices_wrap_around(void **state)
{
	q.s.next_avail = q.s.next_used = r->q[0].next_avail = 0xfffd;
	start(true, true);
	*rig_avail_idx(r, 0) = 0xfffd;
	for (unsigned i = 0; i < 3 * SIZE; i++) {
		uint16_t head = (uint16_t)(i * 5 % SIZE);

		*rig_desc(r, 0, head) = (struct rig_desc){ BUF, i + 1, OUT, 0 };
		rig_avail(r, 0, head);
		assert_int_equal(vq_pop(&q, &c), 1);
		assert_int_equal(c.head, head);
		assert_int_equal(c.out_bytes, i + 1);
		vq_push(&q, head, i);
		assert_int_equal(*rig_used_idx(r, 0), (uint16_t)(0xfffd + i + 1));
	}
}

static void a_chain_can_be_put_back(void **state)
{
	start(true, true);
	*rig_desc(r, 0, 4) = (struct rig_desc){ BUF, 5, OUT, 0 };
	rig_avail(r, 0, 4);
	assert_int_equal(vq_pop(&q, &c), 1);
	vq_unpop(&q);
	assert_int_equal(vq_pop(&q, &c), 1);
	assert_int_equal(c.head, 4);
	assert_int_equal(vq_pop(&q, &c), 0);
}

/* --- the used ring, interrupts and kicks */

static void what_is_used_is_in_order(void **state)
{
	const struct rig_used *ring = (const struct rig_used *)(rig_used_flags(r, 0) + 2);

	start(true, true);
	for (unsigned i = 0; i < 2 * SIZE; i++) {
		vq_push(&q, (uint16_t)(7 - i % SIZE), 100 + i);
		assert_int_equal(ring[i % SIZE].id, 7 - i % SIZE);
		assert_int_equal(ring[i % SIZE].len, 100 + i);
		assert_int_equal(*rig_used_idx(r, 0), i + 1);
	}
	/* nothing behind the ring was touched */
	assert_int_equal(*rig_avail_event(r, 0), 0);
}

static void without_event_idx_a_flag_asks_for_no_interrupts(void **state)
{
	start(false, true);
	assert_false(vq_must_notify(&q));
	vq_push(&q, 0, 0);
	*rig_used_event(r, 0) = 77; /* means nothing */
	assert_true(vq_must_notify(&q));
	assert_false(vq_must_notify(&q));
	*rig_avail_flags(r, 0) = 1;
	vq_push(&q, 0, 0);
	assert_false(vq_must_notify(&q));
	*rig_avail_flags(r, 0) = 0;
	assert_false(vq_must_notify(&q));
	vq_push(&q, 0, 0);
	assert_true(vq_must_notify(&q));
}

/* Section 2.7.7.2: an interrupt when an index from used_event on was used since the last look. */
static bool must(uint16_t old, unsigned pushed, uint16_t event)
{
	for (unsigned i = 0; i < pushed; i++)
		if ((uint16_t)(old + i) == event)
			return true;
	return false;
}

static void with_event_idx_an_index_asks_for_an_interrupt(void **state)
{
	static const uint16_t bases[] = { 0, 1, 5, 0x7fff, 0x8000, 0xfff8, 0xfffe, 0xffff };

	for (size_t b = 0; b < ARRAY_LEN(bases); b++)
		for (unsigned pushed = 0; pushed <= SIZE; pushed++)
			for (unsigned event = 0; event <= UINT16_MAX; event++) {
				q = (struct vq){ .s.next_used = bases[b] };
				start(true, true);
				*rig_avail_flags(r, 0) = 1; /* means nothing */
				*rig_used_event(r, 0) = (uint16_t)event;
				for (unsigned i = 0; i < pushed; i++)
					vq_push(&q, 0, 0);
				if (vq_must_notify(&q) != must(bases[b], pushed, (uint16_t)event))
					fail_msg("used %u + %u, event %u", bases[b], pushed, event);
				assert_false(vq_must_notify(&q));
			}
}

static void kicks_are_asked_for_by_flag_or_index(void **state)
{
	start(false, true);
	vq_kicks_off(&q);
	assert_int_equal(*rig_used_flags(r, 0), 1);
	assert_false(vq_kicks_on(&q));
	assert_int_equal(*rig_used_flags(r, 0), 0);
	rig_avail(r, 0, 0);
	assert_true(vq_kicks_on(&q));
	fresh(SIZE);
	q.s.next_avail = 0xffff;
	start(true, true);
	*rig_avail_idx(r, 0) = 0xffff;
	vq_kicks_off(&q);
	assert_int_equal(*rig_used_flags(r, 0), 0);
	assert_false(vq_kicks_on(&q));
	assert_int_equal(*rig_avail_event(r, 0), 0xffff);
	*rig_avail_idx(r, 0) = 0;
	assert_true(vq_kicks_on(&q));
	q.broken = true;
	assert_false(vq_kicks_on(&q));
}

/* --- bytes of a chain */

static void bytes_are_copied_across_buffers(void **state)
{
	char text[16] = "";

	start(true, true);
	*rig_desc(r, 0, 0) = (struct rig_desc){ BUF, 3, D_NEXT, 1 };
	*rig_desc(r, 0, 1) = (struct rig_desc){ BUF + 16, 4, D_NEXT, 2 };
	*rig_desc(r, 0, 2) = (struct rig_desc){ BUF + 32, 2, IN | D_NEXT, 3 };
	*rig_desc(r, 0, 3) = (struct rig_desc){ BUF + 48, 5, IN, 0 };
	memcpy(rig_at(r, BUF), "abc", 3);
	memcpy(rig_at(r, BUF + 16), "defg", 4);
	rig_avail(r, 0, 0);
	assert_int_equal(vq_pop(&q, &c), 1);
	assert_true(vq_chain_read(&c, 0, text, 7));
	assert_string_equal(text, "abcdefg");
	assert_true(vq_chain_read(&c, 2, text, 3));
	assert_memory_equal(text, "cde", 3);
	assert_true(vq_chain_read(&c, 7, text, 0));
	assert_false(vq_chain_read(&c, 0, text, 8));
	assert_false(vq_chain_read(&c, 7, text, 1));
	assert_false(vq_chain_read(&c, SIZE_MAX, text, 1));
	assert_true(vq_chain_write(&c, 1, "123", 3));
	assert_memory_equal(rig_at(r, BUF + 32), "\0001\0", 3);
	assert_memory_equal(rig_at(r, BUF + 48), "23\0", 3);
	assert_true(vq_chain_write(&c, 0, "1234567", 7));
	assert_false(vq_chain_write(&c, 0, "12345678", 8));
	assert_memory_equal(rig_at(r, BUF + 48), "34567\0", 6);
}

static void parts_of_a_chain_are_given_as_buffers(void **state)
{
	struct iovec v[4];

	start(true, true);
	*rig_desc(r, 0, 0) = (struct rig_desc){ BUF, 10, D_NEXT, 1 };
	*rig_desc(r, 0, 1) = (struct rig_desc){ BUF + 16, 10, D_NEXT, 2 };
	*rig_desc(r, 0, 2) = (struct rig_desc){ BUF + 32, 10, IN, 0 };
	rig_avail(r, 0, 0);
	assert_int_equal(vq_pop(&q, &c), 1);
	assert_int_equal(vq_chain_out(&c, 4, 8, v, 4), 2);
	assert_ptr_equal(v[0].iov_base, rig_at(r, BUF + 4));
	assert_int_equal(v[0].iov_len, 6);
	assert_ptr_equal(v[1].iov_base, rig_at(r, BUF + 16));
	assert_int_equal(v[1].iov_len, 2);
	assert_int_equal(vq_chain_out(&c, 10, 10, v, 1), 1);
	assert_int_equal(vq_chain_out(&c, 4, 8, v, 1), 0);
	assert_int_equal(vq_chain_out(&c, 4, 17, v, 4), 0);
	assert_int_equal(vq_chain_in(&c, 0, 10, v, 4), 1);
	assert_ptr_equal(v[0].iov_base, rig_at(r, BUF + 32));
	assert_int_equal(vq_chain_in(&c, 9, 2, v, 4), 0);
	assert_int_equal(vq_chain_in(&c, 0, 0, v, 4), 0);
}

/* --- a driver that changes its mind */

static bool flipping;

static void *flip(void *arg)
{
	volatile struct rig_desc *d = arg;

	while (__atomic_load_n(&flipping, __ATOMIC_RELAXED)) {
		d->addr = BUF;
		d->len = 16;
		d->addr = RIG_LOW_BYTES - 4;
		d->len = 0x7fffffff;
	}
	return NULL;
}

/* Row D3: whatever the other side writes meanwhile, a buffer that is taken lies in RAM. */
static void a_descriptor_is_read_once(void **state)
{
	pthread_t t;
	unsigned taken = 0;

	start(true, true);
	*rig_desc(r, 0, 0) = (struct rig_desc){ BUF, 16, OUT, 0 };
	flipping = true;
	assert_int_equal(pthread_create(&t, NULL, flip, rig_desc(r, 0, 0)), 0);
	for (int i = 0; i < 2000000; i++) {
		q.broken = false;
		q.s.next_avail = 0;
		*rig_avail_idx(r, 0) = 1;
		if (vq_pop(&q, &c) != 1)
			continue;
		taken++;
		assert_non_null(c.iov[0].iov_base);
		assert_true((uint8_t *)c.iov[0].iov_base + c.iov[0].iov_len <=
			    r->ram.slots[0].host + RIG_LOW_BYTES);
	}
	__atomic_store_n(&flipping, false, __ATOMIC_RELAXED);
	pthread_join(t, NULL);
	assert_true(taken > 0);
}

#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(sizes_are_powers_of_two),
		T(rings_are_aligned),
		T(rings_are_wholly_in_ram),
		T(a_queue_that_is_not_started_is_empty),
		T(chains_are_taken_or_refused),
		T(buffers_are_where_the_driver_said),
		T(a_chain_has_at_most_so_many_buffers),
		T(a_direct_chain_may_be_as_long_as_the_queue),
		T(a_chain_has_less_than_4_gib),
		T(the_available_index_is_ahead_by_at_most_the_size),
		T(indices_wrap_around),
		T(a_chain_can_be_put_back),
		T(what_is_used_is_in_order),
		T(without_event_idx_a_flag_asks_for_no_interrupts),
		T(with_event_idx_an_index_asks_for_an_interrupt),
		T(kicks_are_asked_for_by_flag_or_index),
		T(bytes_are_copied_across_buffers),
		T(parts_of_a_chain_are_given_as_buffers),
		T(a_descriptor_is_read_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
