/* copy_up.c - what covers a directory of the image begins with what the image has there
 *
 * Both trees are known by descriptor and walked without following links.
 */
#include "container/copy_up.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <search.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/io.h"

#define DEPTH	  100 /* directories in one another: each holds two descriptors */
#define XATTR_MAX 65536 /* the kernel's */

/* A file with further names, which stays what it is in the copy. */
struct seen {
	dev_t dev;
	ino_t ino;
	char *path; /* of the first copy, below the volume */
};

struct copy {
	int to; /* the volume */
	bool marks; /* those of an overlay, too */
	void *seen; /* tree of struct seen (tsearch) */
};

static int compare_seen(const void *x, const void *y)
{
	const struct seen *a = x, *b = y;

	if (a->ino != b->ino)
		return a->ino < b->ino ? -1 : 1;
	return a->dev < b->dev ? -1 : a->dev > b->dev;
}

static void free_seen(void *p)
{
	struct seen *s = p;

	free(s->path);
	free(s);
}

/* 1: `path` was made as a link to an earlier copy; 0: it is the first; -errno. */
static int link_if_seen(struct copy *cp, const struct stat *st, const char *path)
{
	struct seen key = { st->st_dev, st->st_ino, NULL }, *s, **found;

	found = tfind(&key, &cp->seen, compare_seen);
	if (found)
		return linkat(cp->to, (*found)->path, cp->to, path, 0) < 0 ? -errno : 1;
	s = malloc(sizeof(*s));
	if (!s)
		return -ENOMEM;
	*s = key;
	s->path = strdup(path);
	if (!s->path || !tsearch(s, &cp->seen, compare_seen)) {
		free_seen(s);
		return -ENOMEM;
	}
	return 0;
}

/* Attributes are read and written through /proc/self/fd, which also works for links and devices (O_PATH). */
static int copy_xattrs(const struct copy *cp, int from, int to)
{
	char from_path[32], to_path[32];
	autofree char *names = NULL, *value = NULL;
	ssize_t n, size;

	snprintf(from_path, sizeof(from_path), "/proc/self/fd/%d", from);
	snprintf(to_path, sizeof(to_path), "/proc/self/fd/%d", to);
	n = listxattr(from_path, NULL, 0);
	if (n <= 0)
		return n < 0 && errno != ENOTSUP ? -errno : 0;
	names = malloc((size_t)n);
	value = malloc(XATTR_MAX);
	if (!names || !value)
		return -ENOMEM;
	n = listxattr(from_path, names, (size_t)n);
	for (ssize_t i = 0; i < n; i += (ssize_t)strlen(names + i) + 1) {
		if (!cp->marks && !strncmp(names + i, "trusted.", 8)) /* the overlay's own */
			continue;
		size = getxattr(from_path, names + i, value, XATTR_MAX);
		if (size >= 0)
			size = setxattr(to_path, names + i, value, (size_t)size, 0);
		if (size < 0 && errno != ENOTSUP && errno != ENODATA)
			return -errno;
	}
	return n < 0 ? -errno : 0;
}

/* Owner first: changing it takes set-uid bits and capabilities away. */
static int copy_attributes(const struct copy *cp, int from, int to, const struct stat *st)
{
	struct timespec times[2] = { st->st_atim, st->st_mtim };
	char path[32];
	int r;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", to);
	if (fchownat(to, "", st->st_uid, st->st_gid, AT_EMPTY_PATH) < 0)
		return -errno;
	if (!S_ISLNK(st->st_mode) && chmod(path, st->st_mode & 07777) < 0)
		return -errno;
	r = copy_xattrs(cp, from, to);
	if (r == 0 && utimensat(to, "", times, AT_EMPTY_PATH) < 0)
		r = -errno;
	return r;
}

static int copy_link(int from, int to_dir, const char *name)
{
	char target[4096];
	ssize_t n = readlinkat(from, "", target, sizeof(target));

	if (n < 0 || n == sizeof(target))
		return n < 0 ? -errno : -ENAMETOOLONG;
	target[n] = '\0';
	return symlinkat(target, to_dir, name) < 0 ? -errno : 0;
}

static int copy_regular(int from_dir, int to_dir, const char *name)
{
	autoclose int in = openat(from_dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	autoclose int out = openat(to_dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

	return in < 0 || out < 0 ? -errno : copy_fd(in, out);
}

/* Makes `name` in to_dir as it is in from_dir, without its attributes. */
static int copy_node(int from_dir, int to_dir, const char *name, int from, const struct stat *st)
{
	switch (st->st_mode & S_IFMT) {
	case S_IFREG:
		return copy_regular(from_dir, to_dir, name);
	case S_IFLNK:
		return copy_link(from, to_dir, name);
	case S_IFDIR:
		return mkdirat(to_dir, name, 0700) < 0 ? -errno : 0;
	default:
		return mknodat(to_dir, name, st->st_mode & S_IFMT, st->st_rdev) < 0 ? -errno : 0;
	}
}

static int copy_children(struct copy *cp, int from, int to, const char *path, int depth);

static int copy_entry(struct copy *cp, int from_dir, int to_dir, const char *name, const char *path,
		      int depth)
{
	autoclose int from = openat(from_dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC), to = -1;
	struct stat st;
	int r = 0;

	if (from < 0 || fstat(from, &st) < 0)
		return -errno;
	if (!S_ISDIR(st.st_mode) && st.st_nlink > 1)
		r = link_if_seen(cp, &st, path);
	if (r)
		return r < 0 ? r : 0;
	r = copy_node(from_dir, to_dir, name, from, &st);
	if (r < 0)
		return r;
	to = openat(to_dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (to < 0)
		return -errno;
	if (S_ISDIR(st.st_mode))
		r = copy_children(cp, from, to, path, depth - 1);
	return r < 0 ? r : copy_attributes(cp, from, to, &st);
}

static int copy_children(struct copy *cp, int from, int to, const char *path, int depth)
{
	int fd = openat(from, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), r = 0;
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *de;

	if (!d)
		return -errno;
	if (!depth)
		r = -ELOOP;
	while (r == 0 && (de = readdir(d))) {
		autofree char *sub = str_printf("%s%s%s", path, *path ? "/" : "", de->d_name);

		if (!sub)
			r = -ENOMEM;
		else if (strcmp(de->d_name, ".") && strcmp(de->d_name, ".."))
			r = copy_entry(cp, from, to, de->d_name, sub, depth);
	}
	closedir(d);
	return r;
}

/* 1, 0 or -errno. */
static int is_empty(int dir)
{
	int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), n = 0;
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *de;

	if (!d)
		return -errno;
	while ((de = readdir(d)))
		n += strcmp(de->d_name, ".") && strcmp(de->d_name, "..") && strcmp(de->d_name, "lost+found");
	closedir(d);
	return n == 0;
}

static int copy_all(int from, int to, bool marks)
{
	struct copy cp = { .to = to, .marks = marks };
	struct stat st;
	int r = fstat(from, &st) < 0 ? -errno : copy_children(&cp, from, to, "", DEPTH);
	if (r == 0)
		r = copy_attributes(&cp, from, to, &st);
	tdestroy(cp.seen, free_seen);
	return r;
}

int copy_up(int from, int to, struct err *e)
{
	int r = is_empty(to);

	if (r <= 0)
		return r < 0 ? err_sys(e, -r, "cannot read what is to be filled") : 0;
	r = copy_all(from, to, false);
	return r < 0 ? err_sys(e, -r, "cannot copy what the image has there") : 0;
}

int copy_layer(int from, int to, struct err *e)
{
	int r = copy_all(from, to, true);

	return r < 0 ? err_sys(e, -r, "cannot copy what it has written") : 0;
}
