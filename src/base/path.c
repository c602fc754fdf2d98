/* path.c - paths in trees that somebody else may change */
#include "base/path.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/limits.h>
#include <linux/openat2.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/buf.h"
#include "base/strv.h"

#define IN_ROOT (RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS)

static int open_resolved(int rootfd, const char *path, int flags, mode_t mode, uint64_t resolve)
{
	struct open_how how = {
		.flags = (unsigned)flags | O_CLOEXEC,
		.mode = flags & (O_CREAT | O_TMPFILE) ? mode : 0,
		.resolve = resolve,
	};

	/* EAGAIN: a rename raced with ".."; the kernel asks us to try again */
	for (int tries = 0; tries < 128; tries++) {
		long fd = syscall(SYS_openat2, rootfd, path, &how, sizeof(how));

		if (fd >= 0)
			return (int)fd;
		if (errno != EAGAIN && errno != EINTR)
			return -errno;
	}
	return -EAGAIN;
}

int open_in_root(int rootfd, const char *path, int flags, mode_t mode)
{
	return open_resolved(rootfd, path, flags, mode, IN_ROOT);
}

int open_again(int path_fd, mode_t type, int flags)
{
	char name[32];
	struct stat st;
	int fd;

	if (fstat(path_fd, &st) < 0)
		return -errno;
	if ((st.st_mode & S_IFMT) != type)
		return -ENOENT;
	snprintf(name, sizeof(name), "/proc/self/fd/%d", path_fd);
	fd = open(name, flags | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int open_in_root_nolinks(int rootfd, const char *path, int flags, mode_t mode)
{
	return open_resolved(rootfd, path, flags, mode, IN_ROOT | RESOLVE_NO_SYMLINKS);
}

int open_beneath(int dirfd, const char *path, int flags)
{
	return open_resolved(dirfd, path, flags, 0, RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV);
}

/* The path without its last component ("/" for what is directly below the root), and that component; NULL: it has
 * none, or memory is out. */
static char *split_last(const char *path, const char **ret_name)
{
	size_t end = strlen(path), start;

	while (end && path[end - 1] == '/')
		end--;
	for (start = end; start && path[start - 1] != '/'; start--)
		;
	*ret_name = path + start;
	return end ? strndup(start ? path : "/", start ? start : 1) : NULL;
}

/* From the end: mostly all is there, else all but the last. */
int mkdir_in_root(int rootfd, const char *path, mode_t mode)
{
	int fd = open_in_root(rootfd, *path ? path : "/", O_PATH | O_DIRECTORY, 0);
	autofree char *dir = NULL, *name = NULL;
	autoclose int parent = -1;
	const char *last;

	if (fd != -ENOENT)
		return fd;
	dir = split_last(path, &last);
	name = dir ? strndup(last, strcspn(last, "/")) : NULL;
	if (!name)
		return -ENOENT;
	parent = mkdir_in_root(rootfd, dir, mode);
	if (parent < 0)
		return parent;
	if (mkdirat(parent, name, mode) < 0 && errno != EEXIST)
		return -errno;
	return open_in_root(rootfd, path, O_PATH | O_DIRECTORY, 0);
}

/* Where the link at `path` points, as a path below the root again; NULL if it is no link (or too long). */
static char *link_target_in_root(int rootfd, const char *path)
{
	autoclose int fd = open_in_root(rootfd, path, O_PATH | O_NOFOLLOW, 0);
	char target[4096];
	const char *slash = strrchr(path, '/');
	ssize_t n = fd < 0 ? -1 : readlinkat(fd, "", target, sizeof(target));
	size_t dir = slash ? (size_t)(slash - path) : 0;
	char *whole;

	if (n <= 0 || n == sizeof(target))
		return NULL;
	if (*target == '/')
		dir = 0;
	whole = calloc(1, dir + 1 + (size_t)n + 1);
	if (whole) {
		memcpy(whole, path, dir);
		whole[dir] = '/';
		memcpy(whole + dir + 1, target, (size_t)n);
	}
	return whole;
}

static int make_file(int rootfd, const char *path, mode_t mode)
{
	autofree char *copy = strdup(path);
	char *slash = copy ? strrchr(copy, '/') : NULL;
	int fd;

	if (!copy)
		return -ENOMEM;
	if (slash && slash != copy) {
		*slash = '\0';
		fd = mkdir_in_root(rootfd, copy, 0755);
		if (fd < 0)
			return fd;
		close(fd);
	}
	fd = open_in_root(rootfd, path, O_CREAT | O_WRONLY | O_NOFOLLOW | O_NONBLOCK, mode);
	if (fd < 0)
		return fd;
	close(fd);
	return open_in_root(rootfd, path, O_PATH, 0);
}

int mkfile_in_root(int rootfd, const char *path, mode_t mode)
{
	autofree char *at = strdup(path);

	/* a link to nothing (an image's resolv.conf, say): what it points to is made */
	for (int links = 0; at && links < 8; links++) {
		int fd = open_in_root(rootfd, at, O_PATH, 0);
		char *target;

		if (fd != -ENOENT)
			return fd;
		target = link_target_in_root(rootfd, at);
		if (!target)
			return make_file(rootfd, at, mode);
		free(at);
		at = target;
	}
	return at ? -ELOOP : -ENOMEM;
}

int mkdir_open(int dirfd, const char *path, mode_t mode)
{
	autofree char *copy = strdup(path);
	int fd = openat(dirfd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd >= 0 || errno != ENOENT)
		return fd >= 0 ? fd : -errno;
	if (!copy)
		return -ENOMEM;
	for (char *p = copy + 1; *copy && *p; p++) {
		if (*p != '/')
			continue;
		*p = '\0';
		if (mkdirat(dirfd, copy, mode) < 0 && errno != EEXIST)
			return -errno;
		*p = '/';
	}
	if (mkdirat(dirfd, path, mode) < 0 && errno != EEXIST)
		return -errno;
	fd = openat(dirfd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int open_no_dir(void)
{
	const char *tmp = getenv("TMPDIR");
	autofree char *path = str_printf("%s/ketch-none.XXXXXX", tmp && *tmp == '/' ? tmp : "/tmp");
	int fd;

	if (!path || !mkdtemp(path))
		return path ? -errno : -ENOMEM;
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	fd = fd < 0 ? -errno : fd;
	rmdir(path);
	return fd;
}

int sync_dir(int dirfd)
{
	return fsync(dirfd) < 0 ? -errno : 0;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

int list_dir(int dirfd, struct strv *ret)
{
	int fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), r = 0;
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *de;

	if (!d) {
		r = -errno;
		if (fd >= 0)
			close(fd);
		return r;
	}
	while (r == 0 && (de = readdir(d)))
		if (de->d_name[0] != '.')
			r = strv_add(ret, de->d_name);
	closedir(d);
	if (ret->n)
		qsort(ret->v, ret->n, sizeof(*ret->v), compare_names);
	return r;
}

char *fd_path(int fd)
{
	char link[32], path[PATH_MAX];
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, path, sizeof(path));
	return n < 0 || n == (ssize_t)sizeof(path) ? NULL : strndup(path, (size_t)n);
}
