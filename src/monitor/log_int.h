/* log_int.h - where the lines of a log go: one of two */
#ifndef MONITOR_LOG_INT_H
#define MONITOR_LOG_INT_H

#include <stdbool.h>

#include "base/buf.h"
#include "monitor/log.h"

struct log_line {
	const char *stamp; /* RFC 3339 */
	enum log_stream stream;
	bool whole; /* else a piece: its newline has not come */
	const struct buf *text;
};

struct log_sink {
	/* A line; what is written at once may be gathered until `flush`. */
	void (*add)(void *arg, const struct log_line *line);
	/* 0 or -errno: lines are lost. */
	int (*flush)(void *arg);
	void (*close)(void *arg); /* frees arg */
};

/* log_journald.c: the fields that every entry of this instance has.  0 or -ENOMEM. */
int log_journald_fields(const struct instance_spec *s, struct buf *ret);

/* log.c */
struct log *log_new(const struct log_sink *sink, void *arg_take);

#endif
