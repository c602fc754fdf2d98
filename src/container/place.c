/* place.c - where a mount goes: opened once, in the new root, as a descriptor (security.md A3) */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/path.h"
#include "container/container_int.h"

#define PROC_MAGIC 0x9fa0

static int check_kind(int fd, bool dir)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (dir)
		return S_ISDIR(st.st_mode) ? 0 : -ENOTDIR;
	return S_ISDIR(st.st_mode) ? -EISDIR : 0;
}

int place_in(int dir, const char *name, mode_t mode)
{
	autoclose int fd = -1;
	struct stat st;

	if (mknodat(dir, name, S_IFREG | mode, 0) < 0 && errno != EEXIST)
		return -errno;
	fd = openat(dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	return S_ISLNK(st.st_mode) || S_ISDIR(st.st_mode) ? -EEXIST : take_fd(&fd);
}

/* Without any link on the way; what is missing is made. */
static int open_fixed(int root, const char *path, bool dir)
{
	int fd = open_in_root_nolinks(root, path, O_PATH, 0);
	const char *slash = strrchr(path, '/');
	autofree char *above = NULL;
	autoclose int parent = -1;

	if (fd != -ENOENT)
		return fd;
	above = strndup(path, slash > path ? (size_t)(slash - path) : 1);
	parent = above ? open_fixed(root, above, true) : -ENOMEM;
	if (parent < 0)
		return parent;
	if (!dir)
		return place_in(parent, slash + 1, 0644);
	if (mkdirat(parent, slash + 1, 0755) < 0 && errno != EEXIST)
		return -errno;
	fd = openat(parent, slash + 1, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* An image in which /dev or /proc is a link would have our mounts land somewhere else (security.md A4). */
int place_fixed(const struct container *c, const char *path, bool dir, struct err *e)
{
	int fd = open_fixed(c->root, path, dir), r;

	if (fd == -ELOOP)
		return err_set(e, ELOOP, "%s of the image is, or is behind, a symbolic link", path);
	if (fd < 0)
		return err_sys(e, -fd, "cannot open %s", path);
	r = check_kind(fd, dir);
	if (r < 0) {
		close(fd);
		return err_sys(e, -r, "%s of the image cannot be mounted on", path);
	}
	return fd;
}

static int place_at(const struct container *c, const char *path, bool dir, struct err *e)
{
	int fd = dir ? mkdir_in_root(c->root, path, 0755) : mkfile_in_root(c->root, path, 0644), r;

	if (fd < 0)
		return err_sys(e, -fd, "cannot make the mount point %s", path);
	r = check_kind(fd, dir);
	if (r < 0) {
		close(fd);
		return err_sys(e, -r, "cannot mount on %s", path);
	}
	return fd;
}

/* A5: what is written below /proc must reach the kernel */
static bool is_in_proc(int fd)
{
	struct statfs fs;

	return fstatfs(fd, &fs) < 0 || fs.f_type == PROC_MAGIC;
}

int place_of_user(const struct container *c, const char *path, bool dir, struct err *e)
{
	int fd = place_at(c, path, dir, e);

	if (fd >= 0 && is_in_proc(fd)) {
		close(fd);
		return err_set(e, EPERM, "cannot mount on %s: it is inside /proc", path);
	}
	return fd;
}

/* Only the top of a mount can be the root. */
static bool is_root(const struct container *c, int fd)
{
	struct statx x, y;

	return statx(fd, "", AT_EMPTY_PATH, STATX_MNT_ID, &x) == 0 &&
	       (x.stx_attributes & STATX_ATTR_MOUNT_ROOT) &&
	       statx(c->root, "", AT_EMPTY_PATH, STATX_MNT_ID, &y) == 0 && x.stx_mnt_id == y.stx_mnt_id;
}

/* Which files of /proc may be covered was checked by name; a link of the image that leads into /proc or to the root
 * itself was not. */
int place_of_mount(const struct container *c, const char *path, bool dir, struct err *e)
{
	bool proc = !strncmp(path, "/proc/", 6);
	autoclose int fd = proc ? place_at(c, path, dir, e) : place_of_user(c, path, dir, e);

	if (fd >= 0 && dir && is_root(c, fd))
		return err_set(e, EBUSY, "cannot mount on %s: it is the root itself", path);
	return take_fd(&fd);
}
