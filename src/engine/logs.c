/* logs.c - reading the log of an instance (format: monitor/log.h), from an end, and following it */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/io.h"
#include "engine/engine_int.h"

/* A record: time stamp, ' ', "stdout" or "stderr", ' ', 'F' or 'P', ' ', text, '\n' */
#define STAMP_LEN  (RFC3339_LEN - 1)
#define TAG_AT	   (STAMP_LEN + 8)
#define TEXT_AT	   (TAG_AT + 2)
#define MAX_RECORD (TEXT_AT + 16 * 1024 + 1)

struct reader {
	int fd;
	const struct log_request *rq;
	struct buf in; /* read, not yet printed */
	struct buf out[2]; /* for stdout and stderr */
	bool inside[2]; /* the last record of this stream had no newline: no time stamp in the middle */
};

/* The offset where the record that ends before `end` (exclusive, behind its newline) begins. */
static int64_t previous_record(int fd, int64_t end, char *ret_tag)
{
	char block[MAX_RECORD + 1];
	int64_t from = end > (int64_t)sizeof(block) ? end - (int64_t)sizeof(block) : 0, start;
	ssize_t n = pread(fd, block, (size_t)(end - from), from);
	const char *nl;

	if (n != end - from || n < 1)
		return -EIO;
	nl = memrchr(block, '\n', (size_t)n - 1);
	start = nl ? from + (nl + 1 - block) : from;
	*ret_tag = end - start > TAG_AT ? block[start - from + TAG_AT] : 'F';
	return start;
}

/* Where the last `lines` lines begin. */
static int64_t tail_offset(int fd, int64_t size, int64_t lines)
{
	int64_t at = size;
	bool counted_open = false; /* the pieces of a line that has not ended count once */

	while (at > 0) {
		char tag;
		int64_t start = previous_record(fd, at, &tag);

		if (start < 0)
			return start;
		if (tag == 'F' || (at == size && !counted_open)) {
			if (lines-- == 0)
				return at;
			counted_open = true;
		}
		at = start;
	}
	return 0;
}

static void print_record(struct reader *rd, const char *rec, size_t n)
{
	unsigned which = n > TEXT_AT && !memcmp(rec + STAMP_LEN + 1, "stderr", 6);
	struct buf *out = &rd->out[which];
	bool whole;

	if (n < TEXT_AT) /* a line that is not ours: the disk was full */
		return;
	whole = rec[TAG_AT] == 'F';
	if (rd->rq->timestamps && !rd->inside[which]) {
		buf_add(out, rec, STAMP_LEN);
		buf_addc(out, ' ');
	}
	buf_add(out, rec + TEXT_AT, n - TEXT_AT);
	if (whole)
		buf_addc(out, '\n');
	rd->inside[which] = !whole;
}

static int flush_out(struct reader *rd)
{
	int r = 0;

	for (int i = 0; i < 2; i++) {
		if (r == 0 && rd->out[i].len)
			r = buf_ok(&rd->out[i]) ? write_full(i ? rd->rq->err_fd : rd->rq->out_fd,
							     rd->out[i].data, rd->out[i].len)
						: -ENOMEM;
		rd->out[i].len = 0;
	}
	return r;
}

/* Prints the whole records that are in rd->in. */
static int print_records(struct reader *rd)
{
	size_t at = 0;
	const char *nl;

	while (at < rd->in.len && (nl = memchr(rd->in.data + at, '\n', rd->in.len - at))) {
		print_record(rd, rd->in.data + at, (size_t)(nl - rd->in.data) - at);
		at = (size_t)(nl - rd->in.data) + 1;
	}
	buf_drop(&rd->in, at);
	return flush_out(rd);
}

/* Reads to the present end of the file. */
static int read_on(struct reader *rd)
{
	for (;;) {
		char *p = buf_room(&rd->in, 65536);
		ssize_t k = p ? read(rd->fd, p, 65536) : -1;
		int r;

		if (k < 0)
			return p ? -errno : -ENOMEM;
		if (k == 0)
			return 0;
		rd->in.len += (size_t)k;
		r = print_records(rd);
		if (r < 0)
			return r;
	}
}

/* Goes on as the log grows, until the monitor closes its connection. */
static int follow(struct reader *rd, int log_dir, int monitor_fd)
{
	autoclose int ino = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	char path[64], junk[4096];
	struct pollfd p[2] = { { .fd = ino, .events = POLLIN }, { .fd = monitor_fd, .events = POLLIN } };
	int r = 0;

	snprintf(path, sizeof(path), "/proc/self/fd/%d/log", log_dir);
	if (ino < 0 || inotify_add_watch(ino, path, IN_MODIFY) < 0)
		return -errno;
	while (r == 0) {
		r = read_on(rd);
		if (r < 0 || (p[1].revents && read(monitor_fd, junk, sizeof(junk)) <= 0))
			break;
		if (poll(p, 2, -1) < 0 && errno != EINTR)
			return -errno;
		while (read(ino, junk, sizeof(junk)) > 0)
			;
	}
	return r < 0 ? r : read_on(rd);
}

static int seek_tail(struct reader *rd)
{
	struct stat st;
	int64_t at = 0;

	if (fstat(rd->fd, &st) < 0)
		return -errno;
	if (rd->rq->tail >= 0)
		at = tail_offset(rd->fd, st.st_size, rd->rq->tail);
	if (at < 0)
		return (int)at;
	return lseek(rd->fd, at, SEEK_SET) < 0 ? -errno : 0;
}

static void reader_done(struct reader *rd)
{
	if (rd->fd >= 0)
		close(rd->fd);
	buf_done(&rd->in);
	buf_done(&rd->out[0]);
	buf_done(&rd->out[1]);
}

int engine_logs(struct engine *en, const struct instance *in, const struct log_request *rq, struct err *e)
{
	AUTO(reader_done) struct reader rd = { .fd = -1, .rq = rq };
	autoclose int dir = truth_dir_open(en, in->spec.id), monitor = -1;
	int r;

	if (rq->follow)
		engine_connect(en, in, &monitor, NULL);
	rd.fd = dir < 0 ? -1 : openat(dir, "log", O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (rd.fd < 0)
		return dir >= 0 && errno == ENOENT
			       ? 0
			       : err_sys(e, dir < 0 ? -dir : errno, "log of %s", in->spec.name);
	r = seek_tail(&rd);
	if (r == 0)
		r = monitor >= 0 ? follow(&rd, dir, monitor) : read_on(&rd);
	if (r == -EPIPE)
		r = 0; /* the reader has seen enough */
	return r < 0 ? err_sys(e, -r, "log of %s", in->spec.name) : 0;
}
