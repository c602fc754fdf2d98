/* log.h - the log of one instance, in the CRI (kubelet) format: binary-clean, one record a line
 *
 *	2026-11-20T16:37:48.123456789Z stdout F text of a whole line
 *	2026-11-20T16:37:48.123456789Z stderr P a piece whose newline has not come yet
 */
#ifndef MONITOR_LOG_H
#define MONITOR_LOG_H

#include <stddef.h>

#include "base/err.h"

struct log;

enum log_stream { LOG_STDOUT, LOG_STDERR, LOG_STREAM_N };

/* Opens `name` below dirfd for appending (0600).  NULL with errno. */
struct log *log_open(int dirfd, const char *name);
/* Splits into lines, writes them.  A log that cannot be written (disk full) loses lines, never blocks the
 * workload: the first failure is returned, once. */
int log_write(struct log *l, enum log_stream stream, const void *data, size_t n);
/* Writes what is left without a newline. */
struct log *log_close(struct log *l);

#endif
