/* patience.c - waiting for what another process holds */
#include "sys/patience.h"

#include <errno.h>
#include <stdbool.h>
#include <sys/file.h>
#include <time.h>

#include "base/clock.h"
#include "sys/signals.h"

/* Most locks are held for a moment; and of hundreds who wait none should keep from work the one who has it. */
#define FIRST_PAUSE_US 100
#define MOST_PAUSE_US  32000

struct patience patience_for_ms(int64_t ms)
{
	return (struct patience){ .end_ns = clock_mono_ns() + ms * (NS_PER_S / 1000) };
}

int patience_pause(struct patience *p)
{
	static bool told;

	if (clock_mono_ns() >= p->end_ns)
		return -EBUSY;
	if (!told && signals_want_end()) {
		told = true;
		return -EINTR;
	}
	p->pause_us = p->pause_us ? p->pause_us * 2 : FIRST_PAUSE_US;
	if (p->pause_us > MOST_PAUSE_US)
		p->pause_us = MOST_PAUSE_US;
	nanosleep(&(const struct timespec){ .tv_nsec = p->pause_us * 1000L }, NULL);
	return 0;
}

int flock_within_ms(int fd, int how, int64_t ms)
{
	struct patience p = patience_for_ms(ms);
	int r = 0;

	while (r == 0 && flock(fd, how | LOCK_NB) < 0)
		r = errno == EWOULDBLOCK || errno == EINTR ? patience_pause(&p) : -errno;
	return r;
}
