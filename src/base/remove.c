/* remove.c - removing a tree that somebody else made, however deep it is
 *
 * Each level that is descended into costs a descriptor and stack.  A workload can make a tree of any depth, so a
 * directory below MAX_DEPTH is moved up to the top and removed from there.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/path.h"

#define MAX_DEPTH 64

struct removal {
	int top; /* the tree itself */
	dev_t dev;
	unsigned moved; /* directories that were moved up, with names out of this number */
};

static int remove_children(struct removal *rm, int dirfd, int depth);

static int move_up(struct removal *rm, int dirfd, const char *name)
{
	char up[32];

	do {
		snprintf(up, sizeof(up), ".ketch-deep-%u", rm->moved++);
		if (renameat2(dirfd, name, rm->top, up, RENAME_NOREPLACE) == 0)
			return 0;
	} while (errno == EEXIST);
	return -errno;
}

static int remove_entry(struct removal *rm, int dirfd, const char *name, int depth)
{
	autoclose int fd = -1;
	struct stat st;
	int r;

	if (unlinkat(dirfd, name, 0) == 0 || errno == ENOENT)
		return 0;
	if (errno != EISDIR)
		return -errno;
	if (!depth)
		return move_up(rm, dirfd, name);
	fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (st.st_dev != rm->dev)
		return -EXDEV;
	r = remove_children(rm, take_fd(&fd), depth - 1);
	if (r < 0)
		return r;
	return unlinkat(dirfd, name, AT_REMOVEDIR) < 0 && errno != ENOENT ? -errno : 0;
}

/* Takes dirfd. */
static int remove_children(struct removal *rm, int dirfd, int depth)
{
	DIR *d = fdopendir(dirfd);
	struct dirent *de;
	int r = 0;

	if (!d) {
		r = -errno;
		close(dirfd);
		return r;
	}
	while (r == 0 && (de = readdir(d)))
		if (strcmp(de->d_name, ".") && strcmp(de->d_name, ".."))
			r = remove_entry(rm, dirfd, de->d_name, depth);
	closedir(d);
	return r;
}

static int empty_tree(struct removal *rm)
{
	unsigned moved;
	int r;

	do {
		int fd = openat(rm->top, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

		moved = rm->moved;
		r = fd < 0 ? -errno : remove_children(rm, fd, MAX_DEPTH);
	} while (r == 0 && rm->moved != moved);
	return r;
}

int remove_tree(int dirfd, const char *name)
{
	autoclose int top = -1;
	struct removal rm;
	struct stat st;
	int r;

	if (unlinkat(dirfd, name, 0) == 0 || errno == ENOENT)
		return 0;
	if (errno != EISDIR)
		return -errno;
	top = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (top < 0 || fstat(top, &st) < 0)
		return -errno;
	rm = (struct removal){ .top = top, .dev = st.st_dev };
	r = empty_tree(&rm);
	if (r < 0)
		return r;
	return unlinkat(dirfd, name, AT_REMOVEDIR) < 0 && errno != ENOENT ? -errno : 0;
}
