/* track.h - which pages of a machine's RAM have changed since it was looked at last
 *
 * Two sources: KVM's log of what vcpus write, and the marks that devices leave for what we write (ram_mark).  A device may
 * mark a page when it takes a chain and write to it later: so between two looks all devices settle once, together
 * (track_hold), and what was marked before has been written.
 *
 * Bit i of `pages` is the page at i * RAM_PAGE of the mapping.
 */
#ifndef VMM_TRACK_H
#define VMM_TRACK_H

#include "vmm/machine.h"

struct track {
	struct machine *m;
	uint64_t *pages; /* what track_look has found */
	uint64_t words;
	bool on; /* atomic: devices look at it */
};

/* Before the machine runs; no more than address space until it is used.  0 or -errno. */
int track_init(struct track *t, struct machine *m);
/* From now on.  0 or -errno. */
int track_start(struct track *t);
void track_stop(struct track *t);
/* No device of the machine writes to its RAM, nor starts to, until track_release; from any thread but a device's own. */
void track_hold(struct machine *m);
void track_release(struct machine *m);
/* Held: *t->pages is what has changed since track_start or the last track_look.  Number of pages, or -errno. */
int64_t track_look(struct track *t);

#endif
