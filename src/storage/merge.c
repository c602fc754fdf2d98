/* merge.c - two layers of an overlay become one */
#include "storage/merge.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/path.h"
#include "base/strv.h"

#define DEPTH	   100 /* directories in one another that both have: each holds two descriptors */
#define XATTR_MAX  65536 /* the kernel's */
#define MARKS	   "trusted.overlay."
#define OPAQUE	   MARKS "opaque"
#define OPAQUE_YES "y"
#define ORIGIN	   MARKS "origin"

/* --- attributes of a directory */

static int list_xattrs(int fd, char **ret_names, size_t *ret_n)
{
	autofree char *names = malloc(XATTR_MAX);
	ssize_t n = names ? flistxattr(fd, names, XATTR_MAX) : -1;

	if (!names)
		return -ENOMEM;
	if (n < 0 && errno != ENOTSUP)
		return -errno;
	*ret_n = n < 0 ? 0 : (size_t)n;
	*ret_names = take_ptr(names);
	return 0;
}

/* Marks of the overlay say something of the layer that they are in. */
static bool is_mark(const char *name)
{
	return !strncmp(name, MARKS, strlen(MARKS));
}

static int set_xattrs(int to, int from)
{
	autofree char *names = NULL, *value = malloc(XATTR_MAX);
	size_t n;
	int r = value ? list_xattrs(from, &names, &n) : -ENOMEM;

	for (const char *p = names; r == 0 && p < names + n; p += strlen(p) + 1) {
		ssize_t size = is_mark(p) ? -1 : fgetxattr(from, p, value, XATTR_MAX);

		if (is_mark(p))
			continue;
		if (size < 0 || fsetxattr(to, p, value, (size_t)size, 0) < 0)
			r = -errno;
	}
	return r;
}

static int drop_xattrs(int to, int from)
{
	autofree char *names = NULL;
	size_t n;
	int r = list_xattrs(to, &names, &n);

	for (const char *p = names; r == 0 && p < names + n; p += strlen(p) + 1)
		if (!is_mark(p) && fgetxattr(from, p, NULL, 0) < 0 && fremovexattr(to, p) < 0)
			r = -errno;
	return r;
}

/* The lower directory is to be what was seen in the upper one; hidden, until that goes. */
static int set_attributes(int to, int from, const struct stat *st)
{
	const struct timespec times[] = { st->st_atim, st->st_mtim };
	int r = fchown(to, st->st_uid, st->st_gid) < 0 || fchmod(to, st->st_mode & 07777) < 0 ? -errno : 0;

	if (r == 0)
		r = drop_xattrs(to, from);
	if (r == 0)
		r = set_xattrs(to, from);
	return r == 0 && futimens(to, times) < 0 ? -errno : r;
}

static bool is_opaque(int fd)
{
	char value[2];

	return fgetxattr(fd, OPAQUE, value, sizeof(value)) == 1 && *value == *OPAQUE_YES;
}

/* --- entries */

static int open_dir(int dirfd, const char *name)
{
	int fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

static int list_names(int dirfd, struct strv *ret)
{
	int fd = open_dir(dirfd, "."), r = 0;
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *de;

	if (!d) {
		r = -errno;
		if (fd >= 0)
			close(fd);
		return r;
	}
	while (r == 0 && (errno = 0, de = readdir(d)))
		if (strcmp(de->d_name, ".") != 0 && strcmp(de->d_name, "..") != 0)
			r = strv_add(ret, de->d_name);
	if (r == 0)
		r = -errno;
	closedir(d);
	return r;
}

static int merge_children(int lower, int upper, int depth);

/* In place of something else than a directory, or of one that is not seen: it goes as a whole. */
static int move_over(int lower, int upper, const char *name)
{
	int r = remove_tree(lower, name);

	return r == 0 && renameat(upper, name, lower, name) < 0 ? -errno : r;
}

static int merge_directory(int lower, int upper, const char *name, const struct stat *was, int depth)
{
	autoclose int up = open_dir(upper, name), low = -1;
	int r;

	if (up < 0)
		return up;
	if (!S_ISDIR(was->st_mode)) /* that one hid what is below it */
		return fsetxattr(up, OPAQUE, OPAQUE_YES, strlen(OPAQUE_YES), 0) < 0
			       ? -errno
			       : move_over(lower, upper, name);
	if (is_opaque(up))
		return move_over(lower, upper, name);
	low = open_dir(lower, name);
	r = low < 0 ? low : depth < DEPTH ? merge_children(low, up, depth + 1) : -ELOOP;
	return r == 0 && unlinkat(upper, name, AT_REMOVEDIR) < 0 ? -errno : r;
}

static bool is_whiteout(const struct stat *st)
{
	return S_ISCHR(st->st_mode) && !st->st_rdev;
}

/* A directory that stands on no other is listed as it is, whiteouts and all, unless it says that it was copied up; empty:
 * from where is not known (ovl_fill_inode, ovl_get_fh in the kernel's fs/overlayfs). */
static int expect_whiteouts(int dir)
{
	return fsetxattr(dir, ORIGIN, "", 0, XATTR_CREATE) < 0 && errno != EEXIST ? -errno : 0;
}

static int merge_entry(int lower, int upper, const char *name, int depth)
{
	struct stat is, was;

	if (fstatat(upper, name, &is, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	if (is_whiteout(&is) && expect_whiteouts(lower) < 0)
		return -errno;
	if (fstatat(lower, name, &was, AT_SYMLINK_NOFOLLOW) < 0) {
		if (errno != ENOENT)
			return -errno;
	} else if (S_ISDIR(is.st_mode)) {
		return merge_directory(lower, upper, name, &was, depth);
	} else if (S_ISDIR(was.st_mode)) {
		return move_over(lower, upper, name);
	}
	return renameat(upper, name, lower, name) < 0 ? -errno : 0;
}

static int merge_children(int lower, int upper, int depth)
{
	AUTO(strv_done) struct strv names = { 0 };
	struct stat st;
	int r = fstat(upper, &st) < 0 ? -errno : list_names(upper, &names);
	const struct timespec times[] = { st.st_atim, st.st_mtim };

	for (size_t i = 0; i < names.n && r == 0; i++) {
		r = merge_entry(lower, upper, names.v[i], depth);
		futimens(upper, times); /* it is still the one that is seen */
	}
	return r < 0 ? r : set_attributes(lower, upper, &st);
}

int merge_directories(int lower, int upper)
{
	return merge_children(lower, upper, 0);
}
