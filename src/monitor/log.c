/* log.c - the log of one instance, in the CRI (kubelet) format */
#include "monitor/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/io.h"

#define MAX_LINE (16 * 1024) /* longer lines are written in pieces, as kubelet expects them */

static const char *const stream_names[LOG_STREAM_N] = { "stdout", "stderr" };

struct log {
	int fd;
	bool failing; /* the last write did not succeed */
	struct buf part[LOG_STREAM_N]; /* the beginning of a line whose end has not come */
	struct buf out; /* scratch */
};

struct log *log_open(int dirfd, const char *name)
{
	struct log *l = calloc(1, sizeof(*l));

	if (!l)
		return NULL;
	l->fd = openat(dirfd, name, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (l->fd < 0) {
		free(l);
		return NULL;
	}
	return l;
}

static void add_record(struct buf *out, const char *stamp, enum log_stream stream, char tag,
		       const struct buf *text)
{
	buf_addf(out, "%s %s %c ", stamp, stream_names[stream], tag);
	buf_add(out, text->data, text->len);
	buf_addc(out, '\n');
}

/* Adds a record for each line that `data` completes; what is left waits in part[]. */
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
		if (nl || part->len == MAX_LINE) {
			add_record(&l->out, stamp, stream, nl ? 'F' : 'P', part);
			part->len = 0;
		}
	}
}

static int write_out(struct log *l)
{
	int r = buf_ok(&l->out) ? write_full(l->fd, l->out.data, l->out.len) : -ENOMEM;
	bool first = r < 0 && !l->failing;

	l->failing = r < 0;
	if (l->out.failed)
		buf_done(&l->out);
	l->out.len = 0;
	return first ? r : 0;
}

int log_write(struct log *l, enum log_stream stream, const void *data, size_t n)
{
	split_lines(l, stream, data, n);
	return l->out.len || l->out.failed ? write_out(l) : 0;
}

struct log *log_close(struct log *l)
{
	char stamp[RFC3339_LEN];

	if (!l)
		return NULL;
	rfc3339_format(clock_real_ns(), stamp);
	for (int i = 0; i < LOG_STREAM_N; i++) {
		if (l->part[i].len)
			add_record(&l->out, stamp, (enum log_stream)i, 'P', &l->part[i]);
		buf_done(&l->part[i]);
	}
	if (l->out.len)
		write_out(l);
	buf_done(&l->out);
	close(l->fd);
	free(l);
	return NULL;
}
