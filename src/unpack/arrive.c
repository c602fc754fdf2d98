/* arrive.c - blobs of a layout that are still being fetched */
#include "unpack/arrive.h"

#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#define PAUSE_NS 1000000 /* in which a fast network brings a megabyte */

bool arrive_ended(int layout_fd)
{
	return faccessat(layout_fd, ARRIVE_END, F_OK, 0) == 0;
}

void arrive_pause(void)
{
	nanosleep(&(const struct timespec){ .tv_nsec = PAUSE_NS }, NULL);
}
