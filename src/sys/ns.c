/* ns.c - processes in new namespaces, and joining those of others */
#include "sys/ns.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <linux/sockios.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/auto.h"
#include "sys/pidfd.h"

#include "base/io.h"

pid_t ns_clone(uint64_t flags, int cgroup_fd, int *ret_pidfd)
{
	int pidfd = -1;
	struct clone_args a = {
		.flags = flags | CLONE_PIDFD,
		.pidfd = (uint64_t)(uintptr_t)&pidfd,
		/* a sibling has that of the caller: clone3 wants none named */
		.exit_signal = flags & CLONE_PARENT ? 0 : SIGCHLD,
	};
	long pid;

	if (cgroup_fd >= 0) {
		a.flags |= CLONE_INTO_CGROUP;
		a.cgroup = (uint64_t)cgroup_fd;
	}
	pid = syscall(SYS_clone3, &a, sizeof(a));
	if (pid < 0)
		return -errno;
	if (pid > 0)
		*ret_pidfd = pidfd;
	return (pid_t)pid;
}

int ns_join(int fd, int flags)
{
	return setns(fd, flags) < 0 ? -errno : 0;
}

int ns_unshare(int flags)
{
	return unshare(flags) < 0 ? -errno : 0;
}

int ns_write_map(pid_t pid, const char *file, const char *lines)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, file);
	return write_existing(AT_FDCWD, path, lines);
}

/* The number is part of the kernel's interface (USER_NS_INIT_INO of linux/nsfs.h, since 6.18; the same since 3.8). */
bool ns_is_first_user(void)
{
	struct stat st;

	return stat("/proc/self/ns/user", &st) < 0 || st.st_ino == 0xEFFFFFFD;
}

int ns_open(pid_t pid, const char *kind)
{
	char path[64];
	int fd;

	if (pid)
		snprintf(path, sizeof(path), "/proc/%d/ns/%s", (int)pid, kind);
	else
		snprintf(path, sizeof(path), "/proc/self/ns/%s", kind);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int ns_of_socket(int fd)
{
	int netns = ioctl(fd, SIOCGSKNS);

	return netns < 0 ? -errno : netns;
}

int ns_run_apart(int (*fn)(const void *arg), const void *arg, int timeout_ms)
{
	autoclose int pidfd = -1;
	int status, r;
	pid_t pid = ns_clone(CLONE_NEWNS | CLONE_FILES, -1, &pidfd);

	if (pid < 0)
		return pid;
	if (pid == 0)
		_exit(-fn(arg));
	r = pidfd_wait_end(pidfd, timeout_ms);
	if (r == 0)
		r = pidfd_reap(pidfd, &status);
	return r < 0 ? r : -status; /* the errno, which is below 128 */
}
