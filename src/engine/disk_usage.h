/* disk_usage.h - what trees take on the disk */
#ifndef ENGINE_DISK_USAGE_H
#define ENGINE_DISK_USAGE_H

#include <stdint.h>

/* Of dirfd/name with all that is below it on the same file system, as far as it can be read; a file with several names
 * counts in parts.  Links are not followed; missing is 0. */
uint64_t disk_usage_bytes(int dirfd, const char *name);

#endif
