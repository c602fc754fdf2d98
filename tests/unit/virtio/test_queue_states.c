/* test_queue_states.c - every chain of one or two descriptors, of the boundary classes of each field, against an oracle
 *
 * Two descriptors of 13 addresses x 7 lengths x 8 flags x 5 nexts each are 13.2 million states.  The oracle is written from
 * the specification alone: it follows the chain with a set of what it has seen, and adds in 128 bits.
 */
#include "rig.h"

#include <errno.h>

#include "base/auto.h"
#include "virtio/queue.h"

#define SIZE  2
#define DESC  0x1000
#define AVAIL 0x2000
#define USED  0x3000
#define TABLE 0x4000 /* two good descriptors, then bad ones */
#define MOST  16 /* buffers in a chain of these states */

static const uint64_t addrs[] = {
	0,
	DESC, /* the rings are RAM as well; as a table: the queue's own */
	TABLE,
	TABLE + 16,
	TABLE + 32,
	RIG_LOW_BYTES - 1,
	RIG_LOW_BYTES - 32,
	RIG_LOW_BYTES,
	RIG_HIGH - 1,
	RIG_HIGH,
	RIG_HIGH + RIG_HIGH_BYTES - 16,
	UINT64_C(1) << 63,
	UINT64_MAX - 15,
};
static const uint32_t lens[] = { 0, 1, 16, 32, RIG_HIGH_BYTES, UINT32_C(1) << 31, UINT32_MAX };
static const uint16_t nexts[] = { 0, 1, SIZE, 0x7fff, 0xffff };

#define N_FLAGS 8
#define STATES	(ARRAY_LEN(addrs) * ARRAY_LEN(lens) * N_FLAGS * ARRAY_LEN(nexts))

static struct rig *r;

static struct rig_desc state_of(size_t i)
{
	struct rig_desc d;

	d.addr = addrs[i % ARRAY_LEN(addrs)];
	i /= ARRAY_LEN(addrs);
	d.len = lens[i % ARRAY_LEN(lens)];
	i /= ARRAY_LEN(lens);
	d.flags = (uint16_t)(i % N_FLAGS);
	d.next = nexts[i / N_FLAGS];
	return d;
}

/* --- the oracle */

struct verdict {
	bool good;
	unsigned n, n_out;
	struct iovec iov[MOST];
};

static uint8_t *ram_bytes(uint64_t addr, uint64_t len)
{
	unsigned __int128 end = (unsigned __int128)addr + len;

	if (!len)
		return NULL;
	if (end <= RIG_LOW_BYTES)
		return r->ram.slots[0].host + addr;
	if (addr >= RIG_HIGH && end <= RIG_HIGH + RIG_HIGH_BYTES)
		return r->ram.slots[1].host + (addr - RIG_HIGH);
	return NULL;
}

static bool take(struct verdict *v, const struct rig_desc *d)
{
	uint8_t *p = ram_bytes(d->addr, d->len);

	if (!p || v->n == MOST)
		return false;
	if (!(d->flags & D_WRITE) && v->n != v->n_out)
		return false;
	v->iov[v->n++] = (struct iovec){ p, d->len };
	v->n_out += !(d->flags & D_WRITE);
	return true;
}

static bool judge_table(struct verdict *v, const struct rig_desc *table, size_t n)
{
	uint64_t seen = 0;
	size_t i = 0;

	for (;;) {
		struct rig_desc d;

		if (i >= n || (i < 64 && (seen >> i & 1)))
			return false;
		assert_true(i < 64);
		seen |= UINT64_C(1) << i;
		d = table[i];
		if ((d.flags & D_INDIRECT) || !take(v, &d))
			return false;
		if (!(d.flags & D_NEXT))
			return true;
		i = d.next;
	}
}

static struct verdict judge(const struct rig_desc d[2], bool indirect)
{
	struct verdict v = { 0 };
	bool seen[2] = { false, false };
	unsigned i = 0;

	while (i < SIZE && !seen[i]) {
		seen[i] = true;
		if (d[i].flags & D_INDIRECT) {
			const struct rig_desc *t = (const struct rig_desc *)ram_bytes(d[i].addr, d[i].len);

			v.good = indirect && !(d[i].flags & D_NEXT) && t && d[i].len % 16 == 0 &&
				 judge_table(&v, t, d[i].len / 16);
			return v;
		}
		if (!take(&v, &d[i]))
			return v;
		if (!(d[i].flags & D_NEXT)) {
			v.good = true;
			return v;
		}
		i = d[i].next;
	}
	return v;
}

/* --- */

static uint32_t total(const struct iovec *v, unsigned n)
{
	uint32_t t = 0;

	while (n--)
		t += (uint32_t)v++->iov_len;
	return t;
}

static bool same(const struct vq_chain *c, const struct verdict *v)
{
	return c->n_out == v->n_out && c->n_out + c->n_in == v->n &&
	       !memcmp(c->iov, v->iov, v->n * sizeof(v->iov[0])) && c->out_bytes == total(v->iov, v->n_out) &&
	       c->in_bytes == total(v->iov + v->n_out, v->n - v->n_out);
}

/* The queue's verdict must be the oracle's; true for a good chain. */
static bool check(const struct rig_desc d[2], bool indirect)
{
	static struct vq_chain c;
	struct vq q = { .s = { DESC, AVAIL, USED, SIZE, 0, 0, true } };
	struct verdict v = judge(d, indirect);
	int got;

	assert_int_equal(vq_start(&q, &r->ram, true, indirect), 0);
	got = vq_pop(&q, &c);
	if (got != (v.good ? 1 : -EPROTO) || (v.good && !same(&c, &v)))
		fail_msg("{%#jx %#x %x %x} {%#jx %#x %x %x}: popped %d, should be %d", (uintmax_t)d[0].addr,
			 d[0].len, d[0].flags, d[0].next, (uintmax_t)d[1].addr, d[1].len, d[1].flags,
			 d[1].next, got, v.good);
	return v.good;
}

static void lay_out_table(void)
{
	struct rig_desc *t = rig_at(r, TABLE);

	t[0] = (struct rig_desc){ 0x10000, 7, D_NEXT, 1 };
	t[1] = (struct rig_desc){ 0x11000, 9, D_WRITE, 0 };
	t[2] = (struct rig_desc){ 0x12000, 9, D_NEXT, 1 };
	t[3] = (struct rig_desc){ 0x12000, 9, D_INDIRECT, 0 };
	/* what lies at other addresses, read as a table */
	memcpy(rig_at(r, RIG_LOW_BYTES - 32), t, 32);
	memcpy(rig_at(r, RIG_HIGH + RIG_HIGH_BYTES - 16), &t[1], 16);
	memcpy(rig_at(r, RIG_HIGH), &t[2], 32);
}

static void every_chain_of_two_descriptors(void **state)
{
	struct rig_desc *ring;
	size_t good = 0;

	r = rig_new();
	lay_out_table();
	r->q[0].avail = AVAIL;
	*rig_avail_idx(r, 0) = 1; /* head 0 */
	ring = rig_at(r, DESC);
	for (size_t i = 0; i < STATES; i++) {
		ring[0] = state_of(i);
		for (size_t k = 0; k < STATES; k++) {
			ring[1] = state_of(k);
			good += check((struct rig_desc[]){ ring[0], ring[1] }, true);
		}
	}
	print_message("%zu states of one descriptor, %zu of two: %zu good chains\n", STATES, STATES * STATES,
		      good);
	assert_true(good > 10000);
	rig_free(r);
}

static void every_single_descriptor_without_indirect(void **state)
{
	struct rig_desc *ring;

	r = rig_new();
	lay_out_table();
	r->q[0].avail = AVAIL;
	*rig_avail_idx(r, 0) = 1;
	ring = rig_at(r, DESC);
	for (size_t i = 0; i < STATES; i++) {
		ring[0] = state_of(i);
		check((struct rig_desc[]){ ring[0], ring[1] }, false);
	}
	rig_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_chain_of_two_descriptors),
		cmocka_unit_test(every_single_descriptor_without_indirect),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
