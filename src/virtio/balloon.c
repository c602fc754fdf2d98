/* balloon.c - virtio memory balloon: inflating, statistics, free page reporting
 *
 * Queues are inflate, deflate, then those of negotiated features.  Linux counts only queues that exist, so
 * reporting, without free page hints, is its queue 3 (2 without statistics); the specification says 4, and
 * a Linux that was mended (patch of July 2024) tries that first.  Both are served.
 *
 * A page that is not RAM, half a page number or an endless list is a broken driver: the device needs a
 * reset.
 */
#include "virtio/balloon.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>

#include "base/clock.h"

#define F_STATS		 (UINT64_C(1) << 1)
#define F_DEFLATE_ON_OOM (UINT64_C(1) << 2)
#define F_REPORTING	 (UINT64_C(1) << 5)

#define QUEUE_SIZE   128
#define PAGE	     UINT64_C(4096) /* of the device, whatever the guest's is */
#define PFN_BYTES    4
#define PFNS_AT_ONCE 256
#define MOST_PFNS    4096 /* in one chain; Linux has 256, Windows 1024 */
#define CALLS_A_TURN 512 /* system calls, at most, until the loop is somebody else's: milliseconds */
#define MOST_STATS   64 /* entries in one buffer: Linux has 10 and adds some each year */

enum role { NONE, INFLATE, DEFLATE, STATS, REPORTING };

struct stat_entry {
	uint16_t tag;
	uint64_t value;
} __attribute__((packed));

const char *const balloon_stat_names[BALLOON_N_STATS] = {
	"swap_in", "swap_out",	"major_faults", "minor_faults",	       "free",
	"total",   "available", "disk_caches",	"hugetlb_allocations", "hugetlb_failures",
};

static enum role role_of(const struct virtio_dev *d, unsigned q)
{
	bool stats = virtio_has(d, F_STATS), reporting = virtio_has(d, F_REPORTING);

	if (q < 2)
		return q ? DEFLATE : INFLATE;
	if (q == 2 && stats)
		return STATS;
	return reporting && (q == 4 || q == 2U + stats) ? REPORTING : NONE;
}

/* --- giving memory back */

/* Bytes of a slot, whole pages. */
static void discard(struct balloon *b, const struct ram_slot *s, uint64_t offset, uint64_t n)
{
	const struct ram *ram = b->dev.ram;

	/* an error leaves the page where it is, which the guest cannot see */
	if (ram->huge)
		return;
	ram_mark(ram, s->host + offset, n);
	if (ram->fd < 0)
		madvise(s->host + offset, n, MADV_DONTNEED);
	else if (fallocate(ram->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)(s->offset + offset),
			   (off_t)n) < 0)
		return;
	b->stats.discarded_bytes += n;
}

/* Neighbours, upwards or downwards, in one slot. */
struct range {
	const struct ram_slot *slot;
	uint64_t gpa, n;
};

static void discard_range(struct balloon *b, struct range *r, unsigned *calls)
{
	if (!r->n)
		return;
	discard(b, r->slot, r->gpa - r->slot->gpa, r->n);
	(*calls)++;
	r->n = 0;
}

/* r NULL: it is only looked at.  false: it is no page of RAM. */
static bool take_page(struct balloon *b, struct range *r, uint64_t gpa, unsigned *calls)
{
	const struct ram_slot *s = ram_slot_of(b->dev.ram, gpa, PAGE);

	if (!s || !r)
		return s;
	if (r->n && s == r->slot && gpa == r->gpa + r->n) {
		r->n += PAGE;
	} else if (r->n && s == r->slot && gpa + PAGE == r->gpa) {
		r->gpa = gpa;
		r->n += PAGE;
	} else {
		discard_range(b, r, calls);
		*r = (struct range){ s, gpa, PAGE };
	}
	return true;
}

/* false: the driver is broken. */
static bool take_pages(struct balloon *b, const struct vq_chain *k, bool inflate, unsigned *calls)
{
	struct range r = { 0 };
	uint32_t pfns[PFNS_AT_ONCE];
	bool ok = true;

	if (k->n_in || k->out_bytes % PFN_BYTES || k->out_bytes > MOST_PFNS * PFN_BYTES)
		return false;
	for (uint32_t at = 0; at < k->out_bytes && ok; at += sizeof(pfns)) {
		uint32_t n = k->out_bytes - at < sizeof(pfns) ? k->out_bytes - at : sizeof(pfns);

		vq_chain_read(k, at, pfns, n);
		for (uint32_t i = 0; i < n / PFN_BYTES && ok; i++)
			ok = take_page(b, inflate ? &r : NULL, pfns[i] * PAGE, calls);
	}
	discard_range(b, &r, calls);
	return ok;
}

static const struct ram_slot *slot_of_host(const struct ram *ram, const uint8_t *p)
{
	for (unsigned i = 0; i < ram->n; i++)
		if (p >= ram->slots[i].host && (size_t)(p - ram->slots[i].host) < ram->slots[i].bytes)
			return &ram->slots[i];
	return NULL;
}

/* The buffers themselves are the free memory; what is not a whole page stays. */
static bool take_report(struct balloon *b, const struct vq_chain *k, unsigned *calls)
{
	if (k->n_out)
		return false;
	for (unsigned i = 0; i < k->n_in; i++) {
		const struct ram_slot *s = slot_of_host(b->dev.ram, k->iov[i].iov_base);
		uint64_t from = (uint64_t)((uint8_t *)k->iov[i].iov_base - s->host);
		uint64_t end = (from + k->iov[i].iov_len) & ~(PAGE - 1);

		from = (from + PAGE - 1) & ~(PAGE - 1);
		if (from >= end)
			continue;
		discard(b, s, from, end - from);
		(*calls)++;
	}
	return true;
}

/* --- statistics */

static bool take_stats(struct balloon *b, const struct vq_chain *k)
{
	struct balloon_stats *s = &b->stats;
	struct stat_entry e;

	if (k->n_in || k->out_bytes > MOST_STATS * sizeof(e) || b->stats_held)
		return false;
	for (uint32_t at = 0; at + sizeof(e) <= k->out_bytes; at += sizeof(e)) {
		vq_chain_read(k, at, &e, sizeof(e));
		if (e.tag >= BALLOON_N_STATS)
			continue; /* as the specification says */
		s->values[e.tag] = e.value;
		s->known |= 1U << e.tag;
	}
	s->told_ns = clock_mono_ns();
	b->stats_held = true;
	b->stats_head = k->head;
	return true;
}

/* Gives the buffer back: the driver answers with a new one. */
static void ask_for_stats(struct balloon *b)
{
	for (unsigned q = 0; q < BALLOON_N_QUEUES && b->stats_held; q++) {
		if (role_of(&b->dev, q) != STATS || !virtio_is_running(&b->dev))
			continue;
		b->stats_held = false;
		vq_push(&b->dev.queues[q], b->stats_head, 0);
		virtio_notify(&b->dev, q);
	}
}

/* --- the device */

static bool take(struct balloon *b, enum role role, const struct vq_chain *k, unsigned *calls)
{
	switch (role) {
	case INFLATE:
	case DEFLATE:
		return take_pages(b, k, role == INFLATE, calls);
	case REPORTING:
		return take_report(b, k, calls);
	case STATS:
		return take_stats(b, k);
	case NONE:
	default:
		return false;
	}
}

static void on_kick(struct virtio_dev *d, unsigned q)
{
	struct balloon *b = (struct balloon *)d;
	enum role role = role_of(d, q);
	unsigned calls = 0;
	struct vq_chain k;

	while (calls < CALLS_A_TURN && virtio_pop(d, q, &k)) {
		if (!take(b, role, &k, &calls)) {
			virtio_fail(d);
			return;
		}
		d->counters.requests++;
		if (role != STATS)
			vq_push(&d->queues[q], k.head, 0);
	}
	if (calls >= CALLS_A_TURN)
		virtio_kick_again(d, q);
	virtio_notify(d, q);
}

/* Only `actual` is the driver's. */
static void on_config_written(struct virtio_dev *d, uint32_t offset, uint32_t len)
{
	struct balloon *b = (struct balloon *)d;

	b->config.num_pages = b->target_pages;
}

static void on_stop(struct virtio_dev *d)
{
	struct balloon *b = (struct balloon *)d;

	b->stats_held = false;
	b->config.actual = 0;
	b->stats.known = 0;
	b->stats.told_ns = 0;
}

static const struct virtio_ops ops = {
	.name = "balloon",
	.id = 5,
	.stop = on_stop,
	.kick = on_kick,
	.config_written = on_config_written,
};

int balloon_init(struct balloon *b, const struct ram *ram, struct loop *loop)
{
	*b = (struct balloon){
		.dev = {
			.ops = &ops,
			.features = F_STATS | F_DEFLATE_ON_OOM | F_REPORTING,
			.n_queues = BALLOON_N_QUEUES,
			.queue_size = QUEUE_SIZE,
		},
	};
	b->dev.config = &b->config;
	b->dev.config_bytes = sizeof(b->config);
	return virtio_init(&b->dev, ram, loop);
}

void balloon_done(struct balloon *b)
{
	virtio_done(&b->dev);
}

static uint64_t ram_pages(const struct ram *ram)
{
	uint64_t n = ram_size(ram) / PAGE;

	return n < UINT32_MAX ? n : UINT32_MAX;
}

void balloon_set_target(struct balloon *b, uint64_t bytes)
{
	uint64_t most = ram_pages(b->dev.ram), pages = bytes / PAGE;

	virtio_lock(&b->dev);
	b->target_pages = (uint32_t)(pages < most ? pages : most);
	if (b->config.num_pages != b->target_pages) {
		b->config.num_pages = b->target_pages;
		virtio_config_changed(&b->dev);
	}
	virtio_unlock(&b->dev);
}

void balloon_stats(struct balloon *b, struct balloon_stats *ret)
{
	virtio_lock(&b->dev);
	*ret = b->stats;
	ret->target_bytes = b->target_pages * PAGE;
	ret->actual_bytes = b->config.actual * PAGE;
	ask_for_stats(b);
	virtio_unlock(&b->dev);
}

/* --- saved form */

void balloon_save(const struct balloon *b, struct balloon_state *ret)
{
	virtio_save(&b->dev, &ret->dev);
	ret->target_pages = b->target_pages;
	ret->actual_pages = b->config.actual;
	ret->stats_held = b->stats_held;
	ret->stats_head = b->stats_head;
}

int balloon_restore(struct balloon *b, const struct balloon_state *s)
{
	int r = virtio_restore(&b->dev, &s->dev);

	if (r < 0)
		return r;
	b->target_pages = b->config.num_pages = s->target_pages;
	b->config.actual = s->actual_pages;
	b->stats_held = s->stats_held;
	b->stats_head = s->stats_head;
	virtio_show(&b->dev);
	return 0;
}
