/* log.c - the log of one instance: bytes become lines, with the time of their end */
#include "monitor/log.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "monitor/log_int.h"

#define MAX_LINE (16 * 1024) /* longer lines are written in pieces, as kubelet expects them */

struct log {
	const struct log_sink *sink;
	void *arg; /* of the sink */
	bool failing; /* the last write did not succeed */
	bool pending; /* lines were added since the last flush */
	struct buf part[LOG_STREAM_N]; /* the beginning of a line whose end has not come */
};

struct log *log_new(const struct log_sink *sink, void *arg)
{
	struct log *l = calloc(1, sizeof(*l));

	if (!l) {
		sink->close(arg);
		errno = ENOMEM;
		return NULL;
	}
	l->sink = sink;
	l->arg = arg;
	return l;
}

static void add_line(struct log *l, const char *stamp, enum log_stream stream, bool whole)
{
	l->sink->add(l->arg, &(const struct log_line){ stamp, stream, whole, &l->part[stream] });
	l->part[stream].len = 0;
	l->pending = true;
}

/* Adds each line that `data` completes; what is left waits in part[]. */
static void split_lines(struct log *l, enum log_stream stream, const char *data, size_t n)
{
	struct buf *part = &l->part[stream];
	char stamp[RFC3339_LEN];

	rfc3339_format(clock_real_ns(), stamp);
	while (n) {
		const char *nl = memchr(data, '\n', n);
		size_t k = nl ? (size_t)(nl - data) : n, room = MAX_LINE - part->len;

		if (k > room) {
			k = room;
			nl = NULL;
		}
		buf_add(part, data, k);
		data += k + (nl != NULL);
		n -= k + (nl != NULL);
		if (nl || part->len == MAX_LINE)
			add_line(l, stamp, stream, nl != NULL);
	}
}

static int flush(struct log *l)
{
	int r = l->sink->flush(l->arg);
	bool first = r < 0 && !l->failing;

	l->pending = false;
	l->failing = r < 0;
	return first ? r : 0;
}

int log_write(struct log *l, enum log_stream stream, const void *data, size_t n)
{
	split_lines(l, stream, data, n);
	return l->pending ? flush(l) : 0;
}

struct log *log_close(struct log *l)
{
	char stamp[RFC3339_LEN];

	if (!l)
		return NULL;
	rfc3339_format(clock_real_ns(), stamp);
	for (int i = 0; i < LOG_STREAM_N; i++) {
		if (l->part[i].len)
			add_line(l, stamp, (enum log_stream)i, false);
		buf_done(&l->part[i]);
	}
	if (l->pending)
		flush(l);
	l->sink->close(l->arg);
	free(l);
	return NULL;
}
