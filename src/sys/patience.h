/* patience.h - waiting for what another process holds: one looks again, soon at first, then ever more seldom */
#ifndef SYS_PATIENCE_H
#define SYS_PATIENCE_H

#include <stdint.h>

struct patience {
	int64_t end_ns; /* of clock_mono_ns */
	unsigned pause_us; /* the last one */
};
struct patience patience_for_ms(int64_t ms);
/* A pause.  0: look again; -EBUSY: the time is over; -EINTR: the process is to end (signals_want_end), which is said once:
 * what it does then is to clear up. */
int patience_pause(struct patience *p);

/* flock(2), which has no time limit of its own; how: LOCK_SH or LOCK_EX.  0, -EBUSY, -EINTR, or another -errno. */
int flock_within_ms(int fd, int how, int64_t ms);

#endif
