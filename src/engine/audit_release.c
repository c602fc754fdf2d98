/* audit_release.c - rules that are about to go: what a monitor becomes when its instance has ended takes them back
 *
 * The lock of the instance is free from the moment at which that program begins, its rules stand for some milliseconds more.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/io.h"
#include "engine/audit_int.h"
#include "sys/pidfd.h"

#define CMDLINE_MAX    65536
#define RELEASE_WAIT_S 30

/* "network-release", and the id behind it. */
static bool is_releaser(const char *pid, const char *id)
{
	static const char verb[] = "network-release";
	AUTO(buf_done) struct buf words = { 0 };
	autofree char *path = str_printf("/proc/%s/cmdline", pid);

	if (!path || read_file(AT_FDCWD, path, CMDLINE_MAX, &words) < 0)
		return false;
	for (const char *p = words.data, *end = p + words.len; p && p < end; p += strlen(p) + 1) {
		const char *next = p + strlen(p) + 1;

		if (!strcmp(p, verb) && next < end && !strcmp(next, id))
			return true;
	}
	return false;
}

/* Its descriptor, or -1. */
static int find_releaser(const char *id)
{
	DIR *d = opendir("/proc");
	const struct dirent *entry;
	int fd = -1;

	while (d && fd < 0 && (entry = readdir(d))) {
		if (entry->d_name[0] < '1' || entry->d_name[0] > '9' || !is_releaser(entry->d_name, id))
			continue;
		fd = pidfd_open_pid(atoi(entry->d_name));
	}
	if (d)
		closedir(d);
	return fd < 0 ? -1 : fd;
}

bool audit_await_release(const char *id)
{
	autoclose int fd = find_releaser(id);

	if (fd < 0)
		return false;
	pidfd_wait_end(fd, RELEASE_WAIT_S * 1000);
	return true;
}
