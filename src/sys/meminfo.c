/* meminfo.c - how much memory this machine has, and how much of it is to be had */
#include "sys/meminfo.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "base/io.h"
#include "base/parse.h"

/* "NAME:   1234 kB", of which the kernel means KiB. */
static int find_line(const char *text, const char *name, uint64_t *ret)
{
	size_t n = strlen(name);
	uint64_t kib;

	for (const char *l = text; l; l = strchr(l, '\n'), l = l ? l + 1 : NULL) {
		autofree char *number = NULL;

		if (strncmp(l, name, n) || l[n] != ':')
			continue;
		l += n + 1;
		l += strspn(l, " ");
		number = strndup(l, strspn(l, "0123456789"));
		if (!number || strncmp(l + strlen(number), " kB", 3) || parse_u64(number, &kib) < 0 ||
		    __builtin_mul_overflow(kib, (uint64_t)1024, ret))
			return -EINVAL;
		return 0;
	}
	return -EINVAL;
}

int meminfo_parse(const char *text, uint64_t *ret_total_bytes, uint64_t *ret_available_bytes)
{
	uint64_t total, available;
	int r = find_line(text, "MemTotal", &total);

	if (r == 0)
		r = find_line(text, "MemAvailable", &available);
	if (r < 0)
		return r;
	*ret_total_bytes = total;
	*ret_available_bytes = available;
	return 0;
}

int meminfo_read(uint64_t *ret_total_bytes, uint64_t *ret_available_bytes)
{
	AUTO(buf_done) struct buf b = { 0 };
	int r = read_file(AT_FDCWD, "/proc/meminfo", 65536, &b);

	return r < 0 ? r : meminfo_parse(b.data ? b.data : "", ret_total_bytes, ret_available_bytes);
}
