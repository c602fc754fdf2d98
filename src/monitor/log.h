/* log.h - the log of one instance: a file in the CRI (kubelet) format, binary-clean, one record a line; or journald
 *
 *	2026-11-20T16:37:48.123456789Z stdout F text of a whole line
 *	2026-11-20T16:37:48.123456789Z stderr P a piece whose newline has not come yet
 *
 * A file that has grown too large becomes log.1, that one log.2 and so on up to max_files - 1.  A record is never parted.
 */
#ifndef MONITOR_LOG_H
#define MONITOR_LOG_H

#include <stddef.h>

#include "base/err.h"
#include "instance/spec.h"

struct log;

enum log_stream { LOG_STDOUT, LOG_STDERR, LOG_STREAM_N };

/* Opens `name` below dirfd for appending (0600).  NULL with errno. */
struct log *log_open(int dirfd, const char *name, const struct log_spec *limits);
/* Sends to journald instead, under the name of the instance.  NULL with errno. */
struct log *log_open_journald(const struct instance_spec *s);
/* Splits into lines, writes them.  A log that cannot be written (disk full) loses lines, never blocks the
 * workload: the first failure is returned, once. */
int log_write(struct log *l, enum log_stream stream, const void *data, size_t n);
/* Writes what is left without a newline. */
struct log *log_close(struct log *l);

#endif
