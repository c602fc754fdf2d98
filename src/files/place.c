/* place.c - a path in a tree that somebody else may change, as a directory and a name in it */
#include "files/place.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/path.h"

#define LINKS_MAX 40 /* as the kernel's */

void place_done(struct place *p)
{
	if (p->dir_fd >= 0)
		close(p->dir_fd);
	p->dir_fd = -1;
}

/* The last component; *ret_n is its length, 0 for "/" and "". */
static const char *last_of(const char *path, size_t *ret_n)
{
	size_t end = strlen(path), start;

	while (end && path[end - 1] == '/')
		end--;
	for (start = end; start && path[start - 1] != '/';)
		start--;
	*ret_n = end - start;
	return path + start;
}

static bool is_dots(const char *name, size_t n)
{
	return (n == 1 && name[0] == '.') || (n == 2 && name[0] == '.' && name[1] == '.');
}

int place_name(const char *path, char ret[PATH_NAME_MAX + 1])
{
	size_t n;
	const char *name = last_of(path, &n);

	if (n > PATH_NAME_MAX)
		return -ENAMETOOLONG;
	if (is_dots(name, n))
		n = 0;
	memcpy(ret, name, n);
	ret[n] = '\0';
	return 0;
}

/* One look: the directory of `path`, and its name there. */
static int find_once(int rootfd, char *path, struct place *ret)
{
	size_t n;
	const char *name = last_of(path, &n);
	bool is_dir = !n || is_dots(name, n) || name[n];

	if (n > PATH_NAME_MAX)
		return -ENAMETOOLONG;
	if (is_dir) {
		strcpy(ret->name, ".");
	} else {
		memcpy(ret->name, name, n + 1);
		path[name - path] = '\0';
	}
	ret->dir_fd = open_in_root(rootfd, *path ? path : "/", O_PATH | O_DIRECTORY, 0);
	return ret->dir_fd < 0 ? ret->dir_fd : 0;
}

/* Puts the target of the link at *at into `path`, which is the path of its directory.  1: it was a link. */
static int step_through(const struct place *at, char path[PATH_BYTES_MAX + 1])
{
	char target[PATH_BYTES_MAX + 1];
	ssize_t n = readlinkat(at->dir_fd, at->name, target, sizeof(target) - 1);
	size_t dir = strlen(path);

	if (n < 0)
		return errno == EINVAL || errno == ENOENT ? 0 : -errno;
	target[n] = '\0';
	if (*target == '/')
		dir = 0;
	if (dir + (size_t)n + 2 > PATH_BYTES_MAX)
		return -ENAMETOOLONG;
	if (*target != '/')
		path[dir++] = '/';
	memcpy(path + dir, target, (size_t)n + 1);
	return 1;
}

int place_find(int rootfd, const char *path, bool follow, struct place *ret)
{
	struct place at = { .dir_fd = -1 };
	char now[PATH_BYTES_MAX + 1];
	int r;

	if (strlen(path) > PATH_BYTES_MAX)
		return -ENAMETOOLONG;
	strcpy(now, path);
	for (int links = 0; links <= LINKS_MAX; links++) {
		r = find_once(rootfd, now, &at);
		if (r == 0 && follow && strcmp(at.name, "."))
			r = step_through(&at, now);
		if (r == 0) {
			*ret = at;
			return 0;
		}
		place_done(&at);
		if (r < 0)
			return r;
	}
	return -ELOOP;
}
