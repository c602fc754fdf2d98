/* procfs.c - files of the calling process in a procfs that is proven to be one */
#include "sys/procfs.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/path.h"

#define ROOT_INODE 1 /* PROC_ROOT_INO */

static int check_root(int proc)
{
	struct statfs fs;
	struct stat st;

	if (fstatfs(proc, &fs) < 0 || fstat(proc, &st) < 0)
		return -errno;
	return fs.f_type == PROC_SUPER_MAGIC && st.st_ino == ROOT_INODE ? 0 : -EXDEV;
}

int procfs_open_self(int proc, const char *file, int flags)
{
	char path[128], pid[24];
	autoclose int fd = -1;
	struct statfs fs;
	int r = check_root(proc);
	ssize_t n;

	if (r < 0)
		return r;
	/* "self" says what number this procfs has for us; open_beneath would not follow it */
	n = readlinkat(proc, "self", pid, sizeof(pid) - 1);
	if (n < 0)
		return -errno;
	pid[n] = '\0';
	if (strspn(pid, "0123456789") != (size_t)n ||
	    (size_t)snprintf(path, sizeof(path), "%s/%s", pid, file) >= sizeof(path))
		return -EXDEV;
	fd = open_beneath(proc, path, flags);
	if (fd < 0)
		return fd;
	if (fstatfs(fd, &fs) < 0)
		return -errno;
	return fs.f_type == PROC_SUPER_MAGIC ? take_fd(&fd) : -EXDEV;
}
