/* pagemap.h - which pages of the guest's RAM there are, and which of them are this machine's own */
#ifndef VMM_PAGEMAP_H
#define VMM_PAGEMAP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/ioctl.h>

#include "virtio/ram.h"

/* PAGEMAP_SCAN of linux/fs.h, since Linux 6.7: newer than the headers that we are built with. */
struct pagemap_scan {
	uint64_t size, flags; /* of this; none */
	uint64_t start, end, walk_end; /* addresses; walk_end is the answer: so far */
	uint64_t regions, n_regions, most_pages; /* where they are put; how many fit; 0: no limit */
	uint64_t inverted, all_of, any_of,
		told; /* categories: looked at inversely, all, one of these; to be told */
};
#define PAGEMAP_SCAN_REQUEST _IOWR('f', 16, struct pagemap_scan)

/* This process's pages: a descriptor, or -1. */
int pagemap_open(void);
/* Sets the bits of the pages that may be other than zero, or with own_only, for RAM that maps files, other than there.  Without
 * a pagemap (-1) all are set.  0, or -errno. */
int pagemap_find(int fd, const struct ram *r, bool own_only, uint64_t *pages);

#endif
