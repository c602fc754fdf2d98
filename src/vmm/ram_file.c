/* ram_file.c - guest RAM in files */
#include "vmm/ram_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/io.h"

#define RUN_BYTES (1u << 20) /* at most, of one call */
#define MOST_MAPPED                                                                                          \
	16384 /* runs of a difference: the kernel has 65530 mappings a process; the others are copied */
#define LEAST_MAPPED 4 /* pages: a mapping costs more than a copy below */

static uint8_t *base_of(const struct ram *r)
{
	return r->slots[0].host; /* the mapping is one */
}

uint64_t ram_file_map_bytes(uint64_t ram_bytes)
{
	return (ram_bytes / RAM_PAGE + 63) / 64 * sizeof(uint64_t);
}

static bool has(const uint64_t *pages, uint64_t i)
{
	return pages[i / 64] >> i % 64 & 1;
}

/* The next run of pages from *at on: its length, 0 when there is none. */
static uint64_t next_run(const uint64_t *pages, uint64_t n, uint64_t most, uint64_t *at)
{
	uint64_t i = *at, end;

	while (i < n && !has(pages, i))
		i = pages[i / 64] >> i % 64 ? i + 1 : (i / 64 + 1) * 64;
	for (end = i; end < n && end - i < most && has(pages, end);)
		end++;
	*at = i;
	return end > i ? end - i : 0;
}

/* --- mapping, writing, reading */

/* All of it: a file system that is full says so, and only then less is written. */
static int move(int fd, uint8_t *host, uint64_t page, uint64_t n, bool reading)
{
	off_t at = (off_t)(page * RAM_PAGE);
	size_t left = n * RAM_PAGE;

	while (left) {
		struct iovec v = { host + at, left };
		ssize_t done = reading ? preadv(fd, &v, 1, at) : pwritev(fd, &v, 1, at);

		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			return done < 0 ? -errno : -EIO;
		at += done;
		left -= (size_t)done;
	}
	return 0;
}

static int map_run(int fd, uint8_t *host, uint64_t page, uint64_t n, unsigned *mapped)
{
	if (n >= LEAST_MAPPED && *mapped < MOST_MAPPED) {
		uint8_t *at = mmap(host + page * RAM_PAGE, n * RAM_PAGE, PROT_READ | PROT_WRITE,
				   MAP_PRIVATE | MAP_NORESERVE | MAP_FIXED, fd, (off_t)(page * RAM_PAGE));

		(*mapped)++;
		return at == MAP_FAILED ? -errno : 0;
	}
	return move(fd, host, page, n, true);
}

static int map_difference(int fd, uint8_t *host, uint64_t bytes, unsigned *mapped)
{
	const uint64_t n = bytes / RAM_PAGE, map_bytes = ram_file_map_bytes(bytes);
	autofree uint64_t *pages = malloc(map_bytes);
	uint64_t run, at = 0;
	int r = 0;

	if (!pages)
		return -ENOMEM;
	if (pread(fd, pages, map_bytes, (off_t)bytes) != (ssize_t)map_bytes)
		return -EIO;
	while (r == 0 && (run = next_run(pages, n, n, &at))) {
		r = map_run(fd, host, at, run, mapped);
		at += run;
	}
	return r;
}

static int check_size(int fd, uint64_t want, struct err *e)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return err_sys(e, errno, "saved memory");
	if (!S_ISREG(st.st_mode) || (uint64_t)st.st_size != want)
		return err_set(e, EINVAL, "the saved memory has %lld bytes, the machine needs %llu",
			       (long long)st.st_size, (unsigned long long)want);
	return 0;
}

int ram_file_map(const int *fds, unsigned n, uint64_t bytes, uint8_t **ret, struct err *e)
{
	unsigned mapped = 0;
	uint8_t *host;
	int r = 0;

	for (unsigned i = 0; i < n && r == 0; i++)
		r = check_size(fds[i], i ? bytes + ram_file_map_bytes(bytes) : bytes, e);
	if (r < 0)
		return r;
	host = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_NORESERVE, fds[0], 0);
	if (host == MAP_FAILED)
		return err_sys(e, errno, "saved memory");
	for (unsigned i = 1; i < n && r == 0; i++)
		r = map_difference(fds[i], host, bytes, &mapped);
	if (r < 0) {
		munmap(host, bytes);
		return err_sys(e, -r, "saved memory");
	}
	*ret = host;
	return 0;
}

static bool is_zero(const uint8_t *page)
{
	return !page[0] && !memcmp(page, page + 1, RAM_PAGE - 1);
}

/* Writes n pages without those that are zero. */
static int64_t write_sparse(int fd, uint8_t *host, uint64_t page, uint64_t n)
{
	int64_t written = 0;

	for (uint64_t i = 0, end; i < n; i = end + 1) {
		for (end = i; end < n && !is_zero(host + (page + end) * RAM_PAGE);)
			end++;
		if (end > i) {
			int r = move(fd, host, page + i, end - i, false);

			if (r < 0)
				return r;
			written += (int64_t)(end - i);
		}
	}
	return written;
}

int64_t ram_file_write(int fd, const struct ram *r, const uint64_t *pages, bool skip_zero)
{
	const uint64_t n = ram_size(r) / RAM_PAGE;
	uint64_t run, at = 0;
	int64_t sum = 0;

	while ((run = next_run(pages, n, RUN_BYTES / RAM_PAGE, &at))) {
		int64_t k = skip_zero ? write_sparse(fd, base_of(r), at, run)
				      : move(fd, base_of(r), at, run, false);

		if (k < 0)
			return k;
		sum += skip_zero ? k : (int64_t)run;
		at += run;
	}
	return sum;
}

int ram_file_write_map(int fd, const struct ram *r, const uint64_t *pages)
{
	const uint64_t bytes = ram_size(r);
	const struct iovec v = { (void *)pages, ram_file_map_bytes(bytes) };

	return pwritev(fd, &v, 1, (off_t)bytes) == (ssize_t)v.iov_len ? 0 : -EIO;
}

int64_t ram_file_read(int fd, const struct ram *r, const uint64_t *pages)
{
	const uint64_t n = ram_size(r) / RAM_PAGE;
	uint64_t run, at = 0;
	int64_t sum = 0;

	while ((run = next_run(pages, n, RUN_BYTES / RAM_PAGE, &at))) {
		int k = move(fd, base_of(r), at, run, true);

		if (k < 0)
			return k;
		sum += (int64_t)run;
		at += run;
	}
	return sum;
}

int64_t ram_file_forget(const struct ram *r, const uint64_t *pages)
{
	const uint64_t n = ram_size(r) / RAM_PAGE;
	uint64_t run, at = 0;
	int64_t sum = 0;

	while ((run = next_run(pages, n, n, &at))) {
		if (madvise(base_of(r) + at * RAM_PAGE, run * RAM_PAGE, MADV_DONTNEED) < 0)
			return -errno;
		sum += (int64_t)run;
		at += run;
	}
	return sum;
}
