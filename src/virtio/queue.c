/* queue.c - split virtqueues: every descriptor is copied once, then checked */
#include "virtio/queue.h"

#include <errno.h>
#include <string.h>

#define DESC_NEXT     1u
#define DESC_WRITE    2u
#define DESC_INDIRECT 4u
#define NO_INTERRUPT  1u /* avail.flags */
#define NO_NOTIFY     1u /* used.flags */

struct desc { /* section 2.7.5; all little-endian, as every host of ours is */
	uint64_t addr;
	uint32_t len;
	uint16_t flags, next;
};

/* avail: flags, idx, ring[size], used_event; used: flags, idx, {u32 id, u32 len}[size], avail_event; in u16 */
#define IDX	    1
#define RING	    2
#define USED_UNITS  4 /* of one entry */
#define DESC_ALIGN  15
#define AVAIL_ALIGN 1
#define USED_ALIGN  3

static uint16_t load(const volatile uint16_t *p)
{
	return __atomic_load_n(p, __ATOMIC_ACQUIRE);
}

static void store(volatile uint16_t *p, uint16_t v)
{
	__atomic_store_n(p, v, __ATOMIC_RELEASE);
}

/* What the driver reads to know whether to kick. */
static void set_flag(struct vq *q, volatile uint16_t *at, uint16_t v)
{
	ram_mark(q->ram, at, sizeof(*at));
	store(at, v);
}

int vq_start(struct vq *q, const struct ram *ram, bool event_idx, bool indirect)
{
	const struct vq_state *s = &q->s;
	uint64_t size = s->size;

	if (!size || size > VQ_MAX_SIZE || (size & (size - 1)))
		return -EINVAL;
	if ((s->desc_gpa & DESC_ALIGN) || (s->avail_gpa & AVAIL_ALIGN) || (s->used_gpa & USED_ALIGN))
		return -EINVAL;
	q->desc = ram_at(ram, s->desc_gpa, size * sizeof(struct desc));
	q->avail = ram_at(ram, s->avail_gpa, 6 + 2 * size);
	q->used = ram_at(ram, s->used_gpa, 6 + 8 * size);
	if (!q->desc || !q->avail || !q->used)
		return -EINVAL;
	q->ram = ram;
	q->event_idx = event_idx;
	q->indirect = indirect;
	q->signalled = s->next_used;
	q->started = true;
	q->broken = false;
	return 0;
}

void vq_stop(struct vq *q)
{
	q->started = false;
	q->desc = NULL;
	q->avail = q->used = NULL;
}

/* --- taking */

/* Where descriptors are read: the queue's own table, or the one that an indirect descriptor names. */
struct walk {
	const volatile uint8_t *table;
	uint32_t n; /* of the table */
	uint32_t left; /* links that may still come: no loop is longer */
	bool inside;
};

static struct desc read_desc(const struct walk *w, uint16_t i)
{
	struct desc d;

	memcpy(&d, (const uint8_t *)w->table + i * sizeof(d), sizeof(d));
	/* the compiler may not read it from the guest once more instead of keeping the copy */
	__asm__ volatile("" : "+m"(d));
	return d;
}

static bool add_buffer(const struct vq *q, const struct desc *d, struct vq_chain *c)
{
	unsigned n = c->n_out + c->n_in;
	bool in = d->flags & DESC_WRITE;
	uint32_t *bytes = in ? &c->in_bytes : &c->out_bytes;
	void *host = ram_at(q->ram, d->addr, d->len);

	if (!host || n == VQ_MAX_SEGS || (!in && c->n_in) || d->len > UINT32_MAX - *bytes)
		return false;
	c->iov[n] = (struct iovec){ host, d->len };
	*bytes += d->len;
	if (in) {
		c->n_in++;
		ram_mark(q->ram, host, d->len);
	} else {
		c->n_out++;
	}
	return true;
}

static bool enter_table(const struct vq *q, const struct desc *d, struct walk *w)
{
	if (!q->indirect || w->inside || (d->flags & DESC_NEXT) || !d->len || d->len % sizeof(*d))
		return false;
	*w = (struct walk){ ram_at(q->ram, d->addr, d->len), d->len / (uint32_t)sizeof(*d), VQ_MAX_SEGS,
			    true };
	return w->table;
}

static bool walk_chain(const struct vq *q, uint16_t head, struct vq_chain *c)
{
	struct walk w = { q->desc, q->s.size, q->s.size, false };
	uint16_t i = head;

	while (i < w.n && w.left--) {
		struct desc d = read_desc(&w, i);

		if (d.flags & DESC_INDIRECT) {
			if (!enter_table(q, &d, &w))
				return false;
			i = 0;
			continue;
		}
		if (!add_buffer(q, &d, c))
			return false;
		if (!(d.flags & DESC_NEXT))
			return true;
		i = d.next;
	}
	return false;
}

static int break_queue(struct vq *q)
{
	q->broken = true;
	return -EPROTO;
}

int vq_reread(struct vq *q, uint16_t head, struct vq_chain *ret)
{
	if (!q->started || q->broken)
		return -EPROTO;
	ret->head = head;
	ret->n_out = ret->n_in = 0;
	ret->out_bytes = ret->in_bytes = 0;
	return walk_chain(q, head, ret) ? 1 : break_queue(q);
}

int vq_pop(struct vq *q, struct vq_chain *ret)
{
	uint16_t waiting, mask = q->s.size - 1;
	int r;

	if (!q->started || q->broken)
		return q->broken ? -EPROTO : 0;
	waiting = (uint16_t)(load(&q->avail[IDX]) - q->s.next_avail);
	if (!waiting)
		return 0;
	if (waiting > q->s.size)
		return break_queue(q);
	r = vq_reread(q, load(&q->avail[RING + (q->s.next_avail & mask)]), ret);
	q->s.next_avail += r == 1;
	return r;
}

void vq_unpop(struct vq *q)
{
	q->s.next_avail--;
}

/* --- giving back */

void vq_push(struct vq *q, uint16_t head, uint32_t written)
{
	volatile uint16_t *entry;
	uint32_t id = head;

	if (!q->started)
		return;
	entry = &q->used[RING + USED_UNITS * (q->s.next_used & (q->s.size - 1))];
	memcpy((void *)entry, &id, sizeof(id));
	memcpy((void *)(entry + 2), &written, sizeof(written));
	q->s.next_used++;
	ram_mark(q->ram, entry, 8);
	ram_mark(q->ram, q->used, RING * sizeof(*q->used));
	store(&q->used[IDX], q->s.next_used); /* orders the entry before the index */
}

/* Section 2.7.7.1: was used_event passed since `old`? */
static bool passed(uint16_t event, uint16_t now, uint16_t old)
{
	return (uint16_t)(now - event - 1) < (uint16_t)(now - old);
}

bool vq_must_notify(struct vq *q)
{
	uint16_t old = q->signalled;

	if (!q->started || old == q->s.next_used)
		return false;
	/* the index must be seen before we look whether an interrupt is wanted */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	q->signalled = q->s.next_used;
	if (q->event_idx)
		return passed(load(&q->avail[RING + q->s.size]), q->s.next_used, old);
	return !(load(&q->avail[0]) & NO_INTERRUPT);
}

void vq_kicks_off(struct vq *q)
{
	if (q->started && !q->event_idx)
		set_flag(q, &q->used[0],
			 NO_NOTIFY); /* with event_idx, an avail_event in the past is enough */
}

bool vq_kicks_on(struct vq *q)
{
	if (!q->started)
		return false;
	if (q->event_idx)
		set_flag(q, &q->used[RING + USED_UNITS * q->s.size], q->s.next_avail);
	else
		set_flag(q, &q->used[0], 0);
	/* the wish must be seen before we look for what came meanwhile */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return !q->broken && load(&q->avail[IDX]) != q->s.next_avail;
}

void vq_kicks_after(struct vq *q, uint16_t n)
{
	if (q->started && q->event_idx && n)
		set_flag(q, &q->used[RING + USED_UNITS * q->s.size], (uint16_t)(q->s.next_avail + n - 1));
}

/* --- the bytes of a chain */

static unsigned part(const struct iovec *iov, unsigned n_iov, size_t skip, size_t n, struct iovec *ret,
		     unsigned max)
{
	unsigned k = 0;

	for (unsigned i = 0; i < n_iov && n; i++) {
		size_t len = iov[i].iov_len;

		if (skip >= len) {
			skip -= len;
			continue;
		}
		len -= skip;
		len = len < n ? len : n;
		if (k == max)
			return 0;
		ret[k++] = (struct iovec){ (uint8_t *)iov[i].iov_base + skip, len };
		n -= len;
		skip = 0;
	}
	return n ? 0 : k;
}

unsigned vq_chain_out(const struct vq_chain *c, size_t skip, size_t n, struct iovec *ret, unsigned max)
{
	return part(c->iov, c->n_out, skip, n, ret, max);
}

unsigned vq_chain_in(const struct vq_chain *c, size_t skip, size_t n, struct iovec *ret, unsigned max)
{
	return part(c->iov + c->n_out, c->n_in, skip, n, ret, max);
}

bool vq_chain_read(const struct vq_chain *c, size_t skip, void *to, size_t n)
{
	uint8_t *at = to;

	for (unsigned i = 0; i < c->n_out && n; i++) {
		size_t len = c->iov[i].iov_len;

		if (skip >= len) {
			skip -= len;
			continue;
		}
		len = len - skip < n ? len - skip : n;
		memcpy(at, (const uint8_t *)c->iov[i].iov_base + skip, len);
		at += len;
		n -= len;
		skip = 0;
	}
	return !n;
}

bool vq_iov_write(const struct iovec *iov, unsigned n_iov, size_t skip, const void *from, size_t n)
{
	const uint8_t *at = from;

	for (unsigned i = 0; i < n_iov && n; i++) {
		size_t len = iov[i].iov_len;

		if (skip >= len) {
			skip -= len;
			continue;
		}
		len = len - skip < n ? len - skip : n;
		memcpy((uint8_t *)iov[i].iov_base + skip, at, len);
		at += len;
		n -= len;
		skip = 0;
	}
	return !n;
}

bool vq_chain_write(const struct vq_chain *c, size_t skip, const void *from, size_t n)
{
	return vq_iov_write(c->iov + c->n_out, c->n_in, skip, from, n);
}
