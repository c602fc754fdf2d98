/* pagemap.c - /proc/self/pagemap: by a scan that skips what is not there (Linux 6.7), else page by page
 *
 * Documentation/admin-guide/mm/pagemap.rst has both.  A scan of RAM of which little was touched takes a quarter of the time.
 */
#include "vmm/pagemap.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/uio.h>

#include "base/auto.h"

#define PIECES 512 /* entries at a time: 4 KiB of stack */
#define RUNS   128 /* of a scan, at a time */
/* an entry, read */
#define ENTRY_PRESENT (UINT64_C(1) << 63)
#define ENTRY_SWAPPED (UINT64_C(1) << 62)
#define ENTRY_FILE    (UINT64_C(1) << 61)
/* categories of a scan */
#define IS_FILE	   (UINT64_C(1) << 2)
#define IS_PRESENT (UINT64_C(1) << 3)
#define IS_SWAPPED (UINT64_C(1) << 4)

struct region {
	uint64_t start, end, categories; /* addresses */
};

int pagemap_open(void)
{
	return open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
}

static uint64_t first_address(const struct ram *r)
{
	return (uintptr_t)r->slots[0].host; /* the mapping is one */
}

static void set_run(uint64_t *pages, uint64_t at, uint64_t end)
{
	for (; at < end; at++)
		pages[at / 64] |= UINT64_C(1) << at % 64;
}

/* -ENOTTY where the kernel has no such thing. */
static int scan(int fd, const struct ram *r, bool own_only, uint64_t *pages)
{
	const uint64_t first = first_address(r), end = first + ram_size(r);
	struct region runs[RUNS];
	struct pagemap_scan s = {
		.size = sizeof(s),
		.start = first,
		.end = end,
		.regions = (uintptr_t)runs,
		.n_regions = RUNS,
		.inverted = own_only ? IS_FILE : 0,
		.all_of = own_only ? IS_FILE : 0,
		.any_of = IS_PRESENT | IS_SWAPPED,
		.told = IS_PRESENT,
	};

	for (; s.start < end; s.start = s.walk_end) {
		int n = ioctl(fd, PAGEMAP_SCAN_REQUEST, &s);

		if (n < 0)
			return -errno;
		for (int i = 0; i < n; i++)
			set_run(pages, (runs[i].start - first) / RAM_PAGE, (runs[i].end - first) / RAM_PAGE);
	}
	return 0;
}

static bool is_there(uint64_t entry, bool own_only)
{
	if (entry & ENTRY_SWAPPED)
		return true;
	return (entry & ENTRY_PRESENT) && !(own_only && (entry & ENTRY_FILE));
}

static int read_all(int fd, const struct ram *r, bool own_only, uint64_t *pages)
{
	const uint64_t n = ram_size(r) / RAM_PAGE, first = first_address(r) / RAM_PAGE;
	uint64_t entries[PIECES] = { 0 };

	for (uint64_t at = 0; at < n; at += PIECES) {
		uint64_t some = n - at < PIECES ? n - at : PIECES;
		struct iovec v = { entries, some * sizeof(entries[0]) };

		if (preadv(fd, &v, 1, (off_t)((first + at) * sizeof(entries[0]))) != (ssize_t)v.iov_len)
			return -EIO;
		for (uint64_t i = 0; i < some; i++)
			if (is_there(entries[i], own_only))
				set_run(pages, at + i, at + i + 1);
	}
	return 0;
}

int pagemap_find(int fd, const struct ram *r, bool own_only, uint64_t *pages)
{
	const size_t bytes = (ram_size(r) / RAM_PAGE + 63) / 64 * sizeof(uint64_t);
	int err;

	memset(pages, fd < 0 ? 0xff : 0, bytes);
	if (fd < 0)
		return 0;
	err = scan(fd, r, own_only, pages);
	return err == -ENOTTY ? read_all(fd, r, own_only, pages) : err;
}
