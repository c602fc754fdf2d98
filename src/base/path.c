/* path.c - paths in trees that somebody else may change */
#include "base/path.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/auto.h"

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

int open_in_root_nolinks(int rootfd, const char *path, int flags, mode_t mode)
{
	return open_resolved(rootfd, path, flags, mode, IN_ROOT | RESOLVE_NO_SYMLINKS);
}

int open_beneath(int dirfd, const char *path, int flags)
{
	return open_resolved(dirfd, path, flags, 0, RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV);
}

/* The first component of *path, with *path moved behind it; NULL at the end. */
static char *next_component(char **path)
{
	char *p = *path + strspn(*path, "/"), *end;

	if (!*p)
		return NULL;
	end = p + strcspn(p, "/");
	*path = *end ? end + 1 : end;
	*end = '\0';
	return p;
}

/* Adds the component `name` to the path `sofar` and opens it, made as a directory if it is missing. */
static int step_in_root(int rootfd, const char *sofar, const char *name, mode_t mode)
{
	size_t n = strlen(sofar);
	autofree char *whole = malloc(n + strlen(name) + 2);
	int fd;

	if (!whole)
		return -ENOMEM;
	stpcpy(stpcpy(stpcpy(whole, sofar), "/"), name);
	fd = open_in_root(rootfd, whole, O_PATH | O_DIRECTORY, 0);
	if (fd == -ENOENT) {
		autoclose int parent = open_in_root(rootfd, *sofar ? sofar : "/", O_PATH | O_DIRECTORY, 0);

		if (parent < 0)
			return parent;
		if (mkdirat(parent, name, mode) < 0 && errno != EEXIST)
			return -errno;
		fd = open_in_root(rootfd, whole, O_PATH | O_DIRECTORY, 0);
	}
	return fd;
}

int mkdir_in_root(int rootfd, const char *path, mode_t mode)
{
	int fd = open_in_root(rootfd, path, O_PATH | O_DIRECTORY, 0);
	autofree char *copy = NULL, *sofar = NULL;
	char *rest, *name;

	if (fd != -ENOENT) /* mostly it is there */
		return fd;
	copy = strdup(path);
	sofar = calloc(1, strlen(path) + 2);
	rest = copy;
	fd = open_in_root(rootfd, "/", O_PATH | O_DIRECTORY, 0);
	if (!copy || !sofar) {
		if (fd >= 0)
			close(fd);
		return -ENOMEM;
	}
	while (fd >= 0 && (name = next_component(&rest))) {
		close(fd);
		fd = step_in_root(rootfd, sofar, name, mode);
		stpcpy(stpcpy(sofar + strlen(sofar), "/"), name);
	}
	return fd;
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
	int fd;

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

int sync_dir(int dirfd)
{
	return fsync(dirfd) < 0 ? -errno : 0;
}
