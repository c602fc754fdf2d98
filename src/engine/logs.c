/* logs.c - reading the log of an instance (format: monitor/log.h), from an end, through its files, and following it */
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
#include "instance/log_details.h"

/* A record: time stamp, ' ', "stdout" or "stderr", ' ', 'F' or 'P', ' ', text, '\n' */
#define STAMP_LEN  (RFC3339_LEN - 1)
#define TAG_AT	   (STAMP_LEN + 8)
#define TEXT_AT	   (TAG_AT + 2)
#define MAX_RECORD (TEXT_AT + 16 * 1024 + 1)

struct reader {
	int dir; /* of the instance */
	int fds[LOG_FILES_MAX]; /* log, log.1 ...: the newest first */
	int n_fds;
	const struct log_request *rq;
	char since[RFC3339_LEN], until[RFC3339_LEN]; /* stamps of one form compare as text; "": none */
	bool over; /* a record of after `until` was met */
	struct buf in; /* read, not yet printed */
	struct buf out[2]; /* for stdout and stderr */
	struct buf details; /* what goes before a line: the same for all */
	bool inside[2]; /* the last record of this stream had no newline: no time stamp in the middle */
};

/* --- files */

static void name_file(int i, char ret[16])
{
	snprintf(ret, 16, i ? "log.%d" : "log", i);
}

/* Is the file behind fd the one of this number now? */
static bool is_file(int dir, int i, int fd)
{
	struct stat mine, now;
	char name[16];

	name_file(i, name);
	return fstat(fd, &mine) == 0 && fstatat(dir, name, &now, AT_SYMLINK_NOFOLLOW) == 0 &&
	       mine.st_ino == now.st_ino && mine.st_dev == now.st_dev;
}

static int open_file(int dir, int i)
{
	char name[16];
	int fd;

	name_file(i, name);
	fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	return fd < 0 ? -errno : fd;
}

/* All that there are.  One that became older between two opens is not read twice. */
static int open_files(struct reader *rd)
{
	for (int i = 0; i < LOG_FILES_MAX; i++) {
		int fd = open_file(rd->dir, i);

		if (fd < 0)
			return fd == -ENOENT ? 0 : fd;
		if (rd->n_fds && is_file(rd->dir, i, rd->fds[rd->n_fds - 1]))
			close(fd);
		else
			rd->fds[rd->n_fds++] = fd;
	}
	return 0;
}

/* --- records */

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

/* Where the last *lines lines begin; 0 with *lines > 0: earlier, in an older file. */
static int64_t tail_offset(int fd, int64_t size, int64_t *lines)
{
	int64_t at = size;
	bool counted_open = false; /* the pieces of a line that has not ended count once */

	while (at > 0) {
		char tag;
		int64_t start = previous_record(fd, at, &tag);

		if (start < 0)
			return start;
		if (tag == 'F' || (at == size && !counted_open)) {
			if (*lines == 0)
				return at;
			--*lines;
			counted_open = true;
		}
		at = start;
	}
	return 0;
}

static bool is_wanted(struct reader *rd, const char *rec)
{
	if (rd->until[0] && memcmp(rec, rd->until, STAMP_LEN) >= 0)
		rd->over = true;
	return !rd->over && (!rd->since[0] || memcmp(rec, rd->since, STAMP_LEN) >= 0);
}

static void print_record(struct reader *rd, const char *rec, size_t n)
{
	unsigned which = n > TEXT_AT && !memcmp(rec + STAMP_LEN + 1, "stderr", 6);
	struct buf *out = &rd->out[which];
	bool whole;

	if (n < TEXT_AT || !is_wanted(rd, rec)) /* shorter: a line that is not ours, the disk was full */
		return;
	whole = rec[TAG_AT] == 'F';
	if (rd->rq->timestamps && !rd->inside[which]) {
		buf_add(out, rec, STAMP_LEN);
		buf_addc(out, ' ');
	}
	if (!rd->inside[which])
		buf_add(out, rd->details.data, rd->details.len);
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
static int read_on(struct reader *rd, int fd)
{
	while (!rd->over) {
		char *p = buf_room(&rd->in, 65536);
		ssize_t k = p ? read(fd, p, 65536) : -1;
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
	return 0;
}

/* --- all of it */

/* Finds where to begin: in which file, which is left at its place. */
static int seek_tail(struct reader *rd)
{
	int64_t lines = rd->rq->tail, at = 0;
	int i = 0;

	if (lines < 0)
		return rd->n_fds - 1;
	for (;; i++) {
		struct stat st;

		if (fstat(rd->fds[i], &st) < 0)
			return -errno;
		at = tail_offset(rd->fds[i], st.st_size, &lines);
		if (at < 0)
			return (int)at;
		if (at > 0 || lines == 0 || i + 1 == rd->n_fds)
			break;
	}
	return lseek(rd->fds[i], at, SEEK_SET) < 0 ? -errno : i;
}

/* What is printed at once: of the files from number `first` on to the newest. */
static int print_past(struct reader *rd, int first)
{
	int r = 0;

	for (int i = first; i >= 0 && r == 0; i--)
		r = read_on(rd, rd->fds[i]);
	return r;
}

/* --- following */

/* The file behind fd has become older: the one that came after it, or, where fd's is gone, the oldest. */
static int open_next(int dir, int fd)
{
	int last = 0;

	for (int i = 1; i < LOG_FILES_MAX; i++) {
		char name[16];

		if (is_file(dir, i, fd))
			return open_file(dir, i - 1);
		name_file(i, name);
		if (faccessat(dir, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
			last = i;
	}
	return open_file(dir, last);
}

/* Reads all there is now, through files that were begun meanwhile. */
static int catch_up(struct reader *rd)
{
	int r = read_on(rd, rd->fds[0]);

	while (r == 0 && !rd->over && !is_file(rd->dir, 0, rd->fds[0])) {
		int next = open_next(rd->dir, rd->fds[0]);

		if (next < 0) /* just between two names: its making will be heard */
			return next == -ENOENT ? 0 : next;
		r = read_on(rd, rd->fds[0]); /* what came before it was renamed */
		close(rd->fds[0]);
		rd->fds[0] = next;
		rd->in.len = 0;
		if (r == 0)
			r = read_on(rd, next);
	}
	return r;
}

/* Milliseconds to `until`; -1: for ever. */
static int time_left_ms(const struct reader *rd)
{
	int64_t left = (rd->rq->until_ns - clock_real_ns()) / 1000000 + 1;

	if (!rd->rq->until_ns)
		return -1;
	return left < 0 ? 0 : left > 1000000 ? 1000000 : (int)left;
}

/* Goes on as the log grows, until the monitor closes its connection. */
static int follow(struct reader *rd, int ino, int monitor_fd)
{
	struct pollfd p[2] = { { .fd = ino, .events = POLLIN }, { .fd = monitor_fd, .events = POLLIN } };
	char junk[4096];
	int r = 0;

	while (r == 0) {
		r = catch_up(rd);
		if (r < 0 || rd->over || (p[1].revents && read(monitor_fd, junk, sizeof(junk)) <= 0))
			break;
		if (rd->rq->until_ns && clock_real_ns() >= rd->rq->until_ns)
			break;
		if (poll(p, 2, time_left_ms(rd)) < 0 && errno != EINTR)
			return -errno;
		while (read(ino, junk, sizeof(junk)) > 0)
			;
	}
	return r < 0 ? r : catch_up(rd);
}

/* The directory: files come and go in it. */
static int watch_dir(int dir)
{
	autoclose int ino = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", dir);
	if (ino < 0 || inotify_add_watch(ino, path, IN_MODIFY | IN_CREATE | IN_MOVED_TO) < 0)
		return -errno;
	return take_fd(&ino);
}

static void reader_done(struct reader *rd)
{
	for (int i = 0; i < rd->n_fds; i++)
		close(rd->fds[i]);
	if (rd->dir >= 0)
		close(rd->dir);
	buf_done(&rd->in);
	buf_done(&rd->details);
	buf_done(&rd->out[0]);
	buf_done(&rd->out[1]);
}

static int make_details(const struct instance_spec *s, struct buf *ret)
{
	int r = log_details_print(s, ret);

	buf_addc(ret, ' '); /* also where nothing is before it, as in Docker */
	return r == 0 && !buf_ok(ret) ? -ENOMEM : r;
}

/* What is kept elsewhere, or nowhere, is not printed here. */
static int check_driver(const struct instance_spec *s, struct err *e)
{
	if (s->log.driver == LOG_NONE)
		return err_set(e, ENOTSUP, "%s keeps no log: it was made with --log-driver none", s->name);
	if (s->log.driver == LOG_JOURNALD)
		return err_set(e, ENOTSUP, "the log of %s is in the journal: journalctl CONTAINER_NAME=%s",
			       s->name, s->name);
	return 0;
}

int engine_logs(struct engine *en, const struct instance *in, const struct log_request *rq, struct err *e)
{
	AUTO(reader_done) struct reader rd = { .dir = truth_dir_open(en, in->spec.id), .rq = rq };
	autoclose int monitor = -1, ino = -1;
	int r = check_driver(&in->spec, e);

	if (r < 0)
		return r;
	if (rq->since_ns)
		rfc3339_format(rq->since_ns, rd.since);
	if (rq->until_ns)
		rfc3339_format(rq->until_ns, rd.until);
	if (rq->follow)
		engine_connect(en, in, &monitor, NULL);
	ino = monitor < 0 || rd.dir < 0 ? -1 : watch_dir(rd.dir);
	r = rd.dir < 0 ? rd.dir : open_files(&rd);
	if (r == 0 && !rd.n_fds) /* it has never run */
		return 0;
	if (r == 0 && rq->details)
		r = make_details(&in->spec, &rd.details);
	if (r == 0)
		r = seek_tail(&rd);
	if (r >= 0)
		r = print_past(&rd, r);
	if (r == 0 && ino >= 0)
		r = follow(&rd, ino, monitor);
	if (r == -EPIPE)
		r = 0; /* the reader has seen enough */
	return r < 0 ? err_sys(e, -r, "log of %s", in->spec.name) : 0;
}
