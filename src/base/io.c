/* io.c - whole reads and writes, files written so that they are old or new and never half */
#include "base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"

#define READ_FIRST 4096 /* most files of procfs and cgroups are smaller: no page of memory more than that */
#define READ_STEP  65536

static int wait_fd(int fd, short events)
{
	struct pollfd p = { .fd = fd, .events = events };

	return poll(&p, 1, -1) < 0 && errno != EINTR ? -errno : 0;
}

int write_full(int fd, const void *data, size_t n)
{
	const char *p = data;

	while (n) {
		ssize_t k = write(fd, p, n);

		if (k < 0) {
			if (errno == EAGAIN && wait_fd(fd, POLLOUT) == 0)
				continue;
			if (errno == EINTR)
				continue;
			return -errno;
		}
		p += k;
		n -= (size_t)k;
	}
	return 0;
}

int pwrite_full(int fd, const void *data, size_t n, off_t offset)
{
	const char *p = data;

	while (n) {
		ssize_t k = pwrite(fd, p, n, offset);

		if (k < 0 && errno != EINTR)
			return -errno;
		if (k > 0) {
			p += k;
			offset += k;
			n -= (size_t)k;
		}
	}
	return 0;
}

ssize_t read_full(int fd, void *data, size_t n)
{
	size_t got = 0;

	while (got < n) {
		ssize_t k = read(fd, (char *)data + got, n - got);

		if (k < 0) {
			if (errno == EAGAIN && wait_fd(fd, POLLIN) == 0)
				continue;
			if (errno == EINTR)
				continue;
			return -errno;
		}
		if (!k)
			break;
		got += (size_t)k;
	}
	return (ssize_t)got;
}

int read_to_end(int fd, size_t max, struct buf *b)
{
	for (size_t step = READ_FIRST;; step = READ_STEP) {
		size_t left = max > b->len ? max - b->len : 0;
		size_t want = left < step ? left + 1 : step;
		char *p = buf_room(b, want);
		ssize_t k;

		if (!p)
			return -ENOMEM;
		k = read_full(fd, p, want);
		if (k < 0)
			return (int)k;
		b->len += (size_t)k;
		b->data[b->len] = '\0';
		if (b->len > max)
			return -EFBIG;
		if ((size_t)k < want)
			return 0;
	}
}

/* As much as there was when it was opened: one call says all. */
static int read_known(int fd, off_t size, size_t max, struct buf *b)
{
	char *p = (uint64_t)size > max ? NULL : buf_room(b, (size_t)size);
	ssize_t k;

	if (!p)
		return (uint64_t)size > max ? -EFBIG : -ENOMEM;
	k = read_full(fd, p, (size_t)size);
	if (k < 0)
		return (int)k;
	b->len += (size_t)k;
	b->data[b->len] = '\0';
	return 0;
}

int read_file(int dirfd, const char *path, size_t max, struct buf *b)
{
	autoclose int fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat st;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return S_ISDIR(st.st_mode) ? -EISDIR : -EINVAL;
	return st.st_size > 0 ? read_known(fd, st.st_size, max, b) : read_to_end(fd, max, b);
}

int read_given_file(const char *path, size_t max, struct buf *b)
{
	autoclose int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);

	return fd < 0 ? -errno : read_to_end(fd, max, b);
}

/* The lock goes with who holds it, so what a killed writer has left is simply written over.  Where a file system has no
 * locks there is nobody to be kept out by one. */
static void lock_whole(int fd)
{
	struct flock fl = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	while (fcntl(fd, F_OFD_SETLKW, &fl) < 0 && errno == EINTR)
		;
}

/* An empty file that no other writer of this name has: who waited for one finds it renamed, and opens the next. */
static int open_temporary(int dirfd, const char *tmp, mode_t mode)
{
	for (;;) {
		autoclose int fd = openat(dirfd, tmp, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, mode);
		struct stat mine, there;

		if (fd < 0)
			return -errno;
		lock_whole(fd);
		if (fstat(fd, &mine) < 0)
			return -errno;
		if (fstatat(dirfd, tmp, &there, AT_SYMLINK_NOFOLLOW) < 0 || mine.st_ino != there.st_ino ||
		    mine.st_dev != there.st_dev)
			continue;
		return ftruncate(fd, 0) < 0 ? -errno : take_fd(&fd);
	}
}

static int write_file(int dirfd, const char *path, mode_t mode, const struct buf *data, bool durable)
{
	char tmp[512];
	int r, fd;

	if (snprintf(tmp, sizeof(tmp), "%s" WRITE_FILE_TMP, path) >= (int)sizeof(tmp))
		return -ENAMETOOLONG;
	fd = open_temporary(dirfd, tmp, mode);
	if (fd < 0)
		return fd;
	r = write_full(fd, data->data, data->len);
	if (r == 0 && durable && fsync(fd) < 0)
		r = -errno;
	if (r == 0 && renameat(dirfd, tmp, dirfd, path) < 0)
		r = -errno;
	if (r < 0)
		unlinkat(dirfd, tmp, 0);
	close(fd);
	return r;
}

int write_file_atomic(int dirfd, const char *path, mode_t mode, const void *data, size_t n)
{
	const struct buf b = { .data = (char *)(uintptr_t)data, .len = n };

	return write_file(dirfd, path, mode, &b, true);
}

int write_file_swap(int dirfd, const char *path, mode_t mode, const void *data, size_t n)
{
	const struct buf b = { .data = (char *)(uintptr_t)data, .len = n };

	return write_file(dirfd, path, mode, &b, false);
}

int write_existing(int dirfd, const char *path, const char *s)
{
	autoclose int fd = openat(dirfd, path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
	ssize_t k;

	if (fd < 0)
		return -errno;
	do
		k = write(fd, s, strlen(s));
	while (k < 0 && errno == EINTR);
	return k < 0 ? -errno : 0;
}

int copy_fd(int from, int to)
{
	char data[65536];
	ssize_t k;

	do
		k = copy_file_range(from, NULL, to, NULL, 1 << 30, 0);
	while (k > 0);
	if (k == 0)
		return 0;
	for (;;) {
		int r;

		k = read_full(from, data, sizeof(data));
		if (k <= 0)
			return (int)k;
		r = write_full(to, data, (size_t)k);
		if (r < 0)
			return r;
	}
}

int read_ready(int fd, int wait_ms, char *said, size_t size)
{
	struct pollfd p = { fd, POLLIN, 0 };
	int ready = poll(&p, 1, wait_ms);
	ssize_t n = ready == 1 ? read(fd, said, size - 1) : 0;

	if (n == 2 && !memcmp(said, "ok", 2))
		return 0;
	if (n > 0)
		said[n] = '\0';
	else
		snprintf(said, size, "%s", ready ? "it ended at its start" : "it does not start");
	return -EIO;
}

int fd_set_nonblock(int fd, bool on)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0)
		return -errno;
	flags = on ? flags | O_NONBLOCK : flags & ~O_NONBLOCK;
	return fcntl(fd, F_SETFL, flags) < 0 ? -errno : 0;
}

int fd_set_cloexec(int fd, bool on)
{
	return fcntl(fd, F_SETFD, on ? FD_CLOEXEC : 0) < 0 ? -errno : 0;
}

int pipe_cloexec(int fd[2])
{
	return pipe2(fd, O_CLOEXEC) < 0 ? -errno : 0;
}

int fd_move_above_stdio(int fd)
{
	int up;

	if (fd < 0 || fd > 2)
		return fd;
	up = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	if (up < 0)
		up = -errno;
	close(fd);
	return up;
}
