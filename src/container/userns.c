/* userns.c - a user namespace as a descriptor, for ID-mapped mounts */
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/io.h"
#include "container/container_int.h"
#include "sys/ns.h"
#include "sys/pidfd.h"

uint32_t userns_outside(const char *map, uint32_t inside)
{
	unsigned from, to, n;
	uint32_t root = 0;
	int end;

	for (; sscanf(map, "%u %u %u\n%n", &from, &to, &n, &end) == 3; map += end) {
		if (!from)
			root = to;
		if (inside >= from && inside - from < n)
			return to + (inside - from);
	}
	return root;
}

/* A namespace exists through a process in it, until a descriptor holds it. */
int userns_make(const char *uid_map, const char *gid_map)
{
	autoclose int pidfd = -1;
	int hold[2], status, fd, r = pipe_cloexec(hold);
	char byte;
	pid_t pid;

	if (r < 0)
		return r;
	pid = ns_clone(CLONE_NEWUSER, -1, &pidfd);
	if (pid == 0) {
		close(hold[1]);
		_exit(read(hold[0], &byte, 1) < 0);
	}
	close(hold[0]);
	fd = pid < 0 ? pid : ns_write_map(pid, "uid_map", uid_map);
	if (fd == 0)
		fd = ns_write_map(pid, "gid_map", gid_map);
	if (fd == 0)
		fd = ns_open(pid, "user");
	close(hold[1]); /* which ends it */
	if (pid > 0 && pidfd_wait_end(pidfd, 5000) == 0)
		pidfd_reap(pidfd, &status);
	return fd;
}
