/* freezer.c - stopping all processes of a container and letting them go on */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/io.h"
#include "cgroup/ops.h"

#define NS_PER_MS   INT64_C(1000000)
#define RETRY_AFTER 64 /* ms: how long a v1 freezer may hang before it is thawed and tried again */

static int open_freezer(const struct strv *record, bool *ret_v2)
{
	const char *dir = cgroup_record_dir(record, "freezer", ret_v2);
	int fd;

	if (!dir)
		return -ENOTSUP;
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* Is `word` a line of the file? */
static int has_line(int dirfd, const char *file, const char *word)
{
	AUTO(buf_done) struct buf b = { 0 };
	AUTO(strv_done) struct strv lines = { 0 };
	int r = read_file(dirfd, file, 4096, &b);

	if (r == 0)
		r = strv_split(&lines, b.data ? b.data : "", "\n");
	return r < 0 ? (r == -ENODEV ? -ENOENT : r) : strv_has(&lines, word);
}

/* A task that is in an uninterruptible sleep, or that was just forked, keeps a v1 freezer FREEZING for ever; thawing it
 * shortly lets that task get ahead. */
static int freeze_v1(int dirfd, int64_t deadline)
{
	int wait_ms = 1, waited = 0, r = write_existing(dirfd, "freezer.state", "FROZEN");

	while (r == 0) {
		r = has_line(dirfd, "freezer.state", "FROZEN");
		if (r)
			return r < 0 ? r : 0;
		if (clock_mono_ns() > deadline)
			return -ETIMEDOUT;
		poll(NULL, 0, wait_ms); /* a freezer cannot be waited for */
		waited += wait_ms;
		wait_ms = wait_ms < 16 ? wait_ms * 2 : 16;
		if (waited >= RETRY_AFTER) {
			waited = 0;
			write_existing(dirfd, "freezer.state", "THAWED");
		}
		r = write_existing(dirfd, "freezer.state", "FROZEN");
	}
	return r;
}

/* cgroup.events tells of every change by POLLPRI (cgroup-v2.rst). */
static int wait_v2(int dirfd, const char *line, int64_t deadline)
{
	autoclose int fd = openat(dirfd, "cgroup.events", O_RDONLY | O_CLOEXEC);
	struct pollfd p = { fd, POLLPRI, 0 };
	char text[256];

	if (fd < 0)
		return -errno;
	for (;;) {
		int64_t left = (deadline - clock_mono_ns()) / NS_PER_MS;
		ssize_t n = pread(fd, text, sizeof(text) - 1, 0);

		if (n < 0)
			return errno == ENODEV ? -ENOENT : -errno;
		text[n] = '\0';
		if (strstr(text, line))
			return 0;
		if (left <= 0)
			return -ETIMEDOUT;
		poll(&p, 1, (int)left);
	}
}

static int set_frozen(int dirfd, bool v2, bool frozen)
{
	int64_t deadline = clock_mono_ns() + CGROUP_DEADLINE_MS * NS_PER_MS;
	int r;

	if (!v2)
		return frozen ? freeze_v1(dirfd, deadline) : write_existing(dirfd, "freezer.state", "THAWED");
	r = write_existing(dirfd, "cgroup.freeze", frozen ? "1" : "0");
	return r < 0 ? r : wait_v2(dirfd, frozen ? "frozen 1\n" : "frozen 0\n", deadline);
}

static int change(const struct strv *record, bool frozen, struct err *e)
{
	bool v2;
	autoclose int fd = open_freezer(record, &v2);
	int r = fd < 0 ? fd : set_frozen(fd, v2, frozen);

	if (r < 0 && frozen && fd >= 0)
		set_frozen(fd, v2, false);
	if (r == -ENOTSUP)
		return err_set(e, ENOTSUP, "this host has no freezer for cgroups");
	return r < 0 ? err_sys(e, -r, "cannot %s the processes", frozen ? "freeze" : "thaw") : 0;
}

int cgroup_freeze(const struct strv *record, struct err *e)
{
	return change(record, true, e);
}

int cgroup_thaw(const struct strv *record, struct err *e)
{
	return change(record, false, e);
}

int cgroup_is_frozen(const struct strv *record)
{
	bool v2;
	autoclose int fd = open_freezer(record, &v2);
	int r;

	if (fd < 0)
		return fd == -ENOTSUP ? 0 : fd;
	if (v2)
		return has_line(fd, "cgroup.events", "frozen 1");
	r = has_line(fd, "freezer.state", "THAWED");
	return r < 0 ? r : !r; /* FREEZING is on the way there */
}
