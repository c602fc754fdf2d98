/* rlimit.h - resource limits by the names that --ulimit takes */
#ifndef SYS_RLIMIT_H
#define SYS_RLIMIT_H

#include <stdint.h>

/* "nofile" -> RLIMIT_NOFILE, or -EINVAL. */
int rlimit_number(const char *name);
/* Of the calling process; UINT64_MAX: unlimited.  0 or -errno. */
int rlimit_get(int number, uint64_t *ret_soft, uint64_t *ret_hard);
int rlimit_set(int number, uint64_t soft, uint64_t hard);

#endif
