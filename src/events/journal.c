/* journal.c - what happened in a store: a file that everybody appends to and anybody may follow
 *
 * How rotation works: who finds the journal too large renames it, under a lock that only those take who rename.  A writer
 * that has opened it before may still append to what is journal.1 by then; so one that follows keeps reading the file that
 * it came from beside the new one.
 */
#include "events/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/io.h"

#define NAME	 "journal"
#define OLD_NAME "journal.1"

/* --- writing */

/* Is the file behind fd still the one of this name? */
static bool is_current(int dir, int fd)
{
	struct stat mine, now;

	return fstat(fd, &mine) == 0 && fstatat(dir, NAME, &now, AT_SYMLINK_NOFOLLOW) == 0 &&
	       mine.st_ino == now.st_ino && mine.st_dev == now.st_dev;
}

static void rotate(int dir, int fd)
{
	if (flock(fd, LOCK_EX | LOCK_NB) < 0) /* somebody else does */
		return;
	if (is_current(dir, fd))
		renameat(dir, NAME, dir, OLD_NAME);
}

int journal_append(int dir, const struct event_news *n)
{
	AUTO(buf_done) struct buf line = { 0 };
	autoclose int fd = openat(dir, NAME, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
	struct stat st;
	int r;

	if (fd < 0)
		return -errno;
	r = event_print(n, clock_real_ns(), &line);
	if (r < 0)
		return r;
	if (write(fd, line.data, line.len) != (ssize_t)line.len)
		return -EIO;
	if (fstat(fd, &st) == 0 && st.st_size > JOURNAL_MAX)
		rotate(dir, fd);
	return 0;
}

/* --- reading */

struct source {
	int fd; /* -1: none */
	struct buf in; /* read, without the newline that ends it */
};

struct reader {
	const struct journal_query *q;
	const struct journal_reader *to;
	int dir;
	struct source old, now;
};

static void source_done(struct source *s)
{
	if (s->fd >= 0)
		close(s->fd);
	buf_done(&s->in);
	*s = (struct source){ .fd = -1 };
}

static void reader_done(struct reader *rd)
{
	source_done(&rd->old);
	source_done(&rd->now);
}

static int give(const struct reader *rd, const char *line, size_t n)
{
	const struct journal_query *q = rd->q;
	struct event ev;
	int r = 0;

	if (event_parse(line, n, &ev) < 0) /* the disk was full in the middle of it */
		return 0;
	if (ev.time_ns >= q->since_ns && (!q->until_ns || ev.time_ns < q->until_ns) &&
	    event_matches(&ev, q->filters))
		r = rd->to->event(rd->to->arg, &ev, line, n);
	event_done(&ev);
	return r;
}

static int give_lines(const struct reader *rd, struct buf *in)
{
	size_t at = 0;
	const char *nl;
	int r = 0;

	while (r == 0 && at < in->len && (nl = memchr(in->data + at, '\n', in->len - at))) {
		r = give(rd, in->data + at, (size_t)(nl - in->data) - at);
		at = (size_t)(nl - in->data) + 1;
	}
	buf_drop(in, at);
	return r;
}

static int read_source(const struct reader *rd, struct source *s)
{
	while (s->fd >= 0) {
		char *room = buf_room(&s->in, 65536);
		ssize_t n = room ? read(s->fd, room, 65536) : -1;
		int r;

		if (n <= 0)
			return n == 0 ? 0 : room ? -errno : -ENOMEM;
		s->in.len += (size_t)n;
		r = give_lines(rd, &s->in);
		if (r)
			return r;
		if (s->in.len > EVENT_MAX) /* no line of ours */
			buf_drop(&s->in, s->in.len);
	}
	return 0;
}

static int open_name(const struct reader *rd, const char *name)
{
	return openat(rd->dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
}

/* Reads all there is now; a journal that was begun anew meanwhile, too. */
static int read_on(struct reader *rd)
{
	int r = read_source(rd, &rd->old);

	if (r == 0)
		r = read_source(rd, &rd->now);
	if (r || (rd->now.fd >= 0 && is_current(rd->dir, rd->now.fd)))
		return r;
	if (rd->now.fd >= 0) {
		source_done(&rd->old);
		rd->old = rd->now;
	}
	rd->now = (struct source){ .fd = open_name(rd, NAME) };
	return read_source(rd, &rd->now);
}

/* Milliseconds to wait; -1: for ever. */
static int time_left_ms(int64_t until_ns)
{
	int64_t left = (until_ns - clock_real_ns()) / 1000000 + 1;

	if (!until_ns)
		return -1;
	return left < 0 ? 0 : left > 1000000 ? 1000000 : (int)left;
}

static int follow(struct reader *rd, int ino)
{
	struct pollfd p = { .fd = ino, .events = POLLIN };
	char junk[4096];
	int r;

	while ((r = read_on(rd)) == 0) {
		if (rd->q->until_ns && clock_real_ns() >= rd->q->until_ns)
			return 0;
		r = rd->to->idle(rd->to->arg);
		if (r)
			return r;
		if (poll(&p, 1, time_left_ms(rd->q->until_ns)) < 0 && errno != EINTR)
			return -errno;
		while (read(ino, junk, sizeof(junk)) > 0)
			;
	}
	return r;
}

int journal_read(int dir, const struct journal_query *q, const struct journal_reader *to, struct err *e)
{
	AUTO(reader_done)
	struct reader rd = { .q = q, .to = to, .dir = dir, .old = { .fd = -1 }, .now = { .fd = -1 } };
	autoclose int ino = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	char path[64];
	int r;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", dir);
	if (ino < 0 || inotify_add_watch(ino, path, IN_MODIFY | IN_CREATE | IN_MOVED_TO) < 0)
		return err_sys(e, errno, "cannot watch the journal of events");
	rd.old.fd = open_name(&rd, OLD_NAME);
	r = q->follow ? follow(&rd, ino) : read_on(&rd);
	return r < 0 ? err_sys(e, -r, "the journal of events") : r;
}
