/* balloon.h - virtio memory balloon (virtio 1.2, section 5.5): RAM that goes back to the host
 *
 * What the guest puts into the balloon, or reports as free, is punched out of the memfd; what it takes
 * back is there again when it is touched, zeroed, so deflating needs nothing of us.
 *
 * System calls after balloon_init beyond those of every device: fallocate (madvise where RAM has no
 * memfd), clock_gettime.
 */
#ifndef VIRTIO_BALLOON_H
#define VIRTIO_BALLOON_H

#include "virtio/device.h"

#define BALLOON_N_STATS	 10 /* tags 0 to 9 of section 5.5.6.3 */
#define BALLOON_N_QUEUES 5

/* Names of the tags, for statistics. */
extern const char *const balloon_stat_names[BALLOON_N_STATS];

struct balloon_stats {
	uint64_t target_bytes; /* wanted */
	uint64_t actual_bytes; /* as the guest says */
	uint64_t discarded_bytes; /* of all time: punched, whether there was a page or not */
	uint32_t known; /* 1 << tag for each of `values` that the guest has told */
	uint64_t values[BALLOON_N_STATS];
	int64_t told_ns; /* clock_mono_ns of that; 0: never */
};

struct balloon {
	struct virtio_dev dev;
	struct {
		uint32_t num_pages, actual;
	} config;
	uint32_t target_pages;
	bool stats_held; /* the buffer that is given back to ask for statistics */
	uint16_t stats_head;
	struct balloon_stats stats;
};

struct balloon_state {
	struct virtio_state dev;
	uint32_t target_pages, actual_pages;
	bool stats_held;
	uint16_t stats_head;
};

int balloon_init(struct balloon *b, const struct ram *ram, struct loop *loop);
void balloon_done(struct balloon *b);

/* How much of the guest's RAM is to be in the balloon; what is more than all of it is all of it.  Any
 * thread. */
void balloon_set_target(struct balloon *b, uint64_t bytes);
/* What is known, and asks the guest for news: `told_ns` shows when they have come.  Any thread. */
void balloon_stats(struct balloon *b, struct balloon_stats *ret);

/* For a device that is not served meanwhile. */
void balloon_save(const struct balloon *b, struct balloon_state *ret);
int balloon_restore(struct balloon *b, const struct balloon_state *s);

#endif
