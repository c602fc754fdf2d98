/* process_info.c - what procfs tells of one process and of a network namespace */
#include "sys/process_info.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/io.h"

#define FLAG_KERNEL 0x00200000 /* PF_KTHREAD */

/* "12 (a (b) c) S 1 ...": the name may hold anything, so it ends at the last parenthesis. */
int process_info_parse(const char *stat, struct process_info *ret)
{
	const char *open = strchr(stat, '('), *close = strrchr(stat, ')');
	struct process_info p = { 0 };
	uint64_t user, system;
	int64_t rss_pages;
	unsigned flags;
	size_t n;

	if (!open || !close || close < open)
		return -EINVAL;
	n = (size_t)(close - open - 1);
	if (n >= sizeof(p.comm))
		n = sizeof(p.comm) - 1;
	memcpy(p.comm, open + 1, n);
	if (sscanf(close + 1,
		   " %c %d %*d %*d %d %*d %u %*u %*u %*u %*u %" SCNu64 " %" SCNu64 " %*d %*d %*d %*d %" SCNu64
		   " %*d %" SCNu64 " %" SCNu64 " %" SCNd64,
		   &p.state, &p.ppid, &p.tty, &flags, &user, &system, &p.threads, &p.start_ticks,
		   &p.vsz_bytes, &rss_pages) != 10)
		return -EINVAL;
	p.of_kernel = flags & FLAG_KERNEL;
	p.cpu_ticks = user + system;
	p.rss_bytes = rss_pages > 0 ? (uint64_t)rss_pages * (uint64_t)sysconf(_SC_PAGESIZE) : 0;
	*ret = p;
	return 0;
}

int process_info_read(int dirfd, struct process_info *ret)
{
	AUTO(buf_done) struct buf b = { 0 };
	int r = read_file(dirfd, "stat", 4096, &b);

	if (r < 0)
		return r == -ENOENT ? -ESRCH : r;
	return process_info_parse(b.data ? b.data : "", ret);
}

/* Threads of the kernel are in the first PID namespace alone, and nothing else passes for one.  2 starts all others. */
bool proc_shows_all(void)
{
	autoclose int dir = open("/proc/2", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct process_info p = { 0 };

	return dir >= 0 && process_info_read(dir, &p) == 0 && p.of_kernel;
}

/* "  eth0: 1234 5 0 0 0 0 0 0 5678 9 ...": received bytes first, sent bytes ninth. */
void netdev_parse(const char *text, uint64_t *ret_received, uint64_t *ret_sent)
{
	*ret_received = *ret_sent = 0;
	for (const char *l = text; l; l = strchr(l, '\n'), l = l ? l + 1 : NULL) {
		size_t name = strcspn(l, ":\n");
		uint64_t received, sent;

		if (l[name] != ':' ||
		    (name >= 2 && !strncmp(l + name - 2, "lo", 2) && strspn(l, " ") == name - 2))
			continue;
		if (sscanf(l + name + 1, "%" SCNu64 " %*u %*u %*u %*u %*u %*u %*u %" SCNu64, &received,
			   &sent) == 2) {
			*ret_received += received;
			*ret_sent += sent;
		}
	}
}
