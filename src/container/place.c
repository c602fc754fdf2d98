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

static int make_entry(int parent, const char *name, bool dir)
{
	int fd;

	if (dir)
		return mkdirat(parent, name, 0755) < 0 && errno != EEXIST ? -errno : 0;
	fd = openat(parent, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (fd < 0)
		return errno == EEXIST ? 0 : -errno;
	close(fd);
	return 0;
}

static int make_fixed(int root, const char *path, bool dir)
{
	autofree char *copy = strdup(path);
	char *slash = copy ? strrchr(copy, '/') : NULL;
	autoclose int parent = -1;

	if (!slash)
		return -ENOMEM;
	*slash = '\0';
	parent = open_in_root_nolinks(root, *copy ? copy : "/", O_PATH | O_DIRECTORY, 0);
	return parent < 0 ? parent : make_entry(parent, slash + 1, dir);
}

static int check_kind(int fd, bool dir)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (dir)
		return S_ISDIR(st.st_mode) ? 0 : -ENOTDIR;
	return S_ISDIR(st.st_mode) ? -EISDIR : 0;
}

/* An image in which /dev or /proc is a link would have our mounts land somewhere else (security.md A4). */
int place_fixed(const struct container *c, const char *path, bool dir, struct err *e)
{
	int fd = open_in_root_nolinks(c->root, path, O_PATH, 0), r;

	if (fd == -ENOENT) {
		r = make_fixed(c->root, path, dir);
		if (r < 0)
			return err_sys(e, -r, "cannot make %s", path);
		fd = open_in_root_nolinks(c->root, path, O_PATH, 0);
	}
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

int place_of_user(const struct container *c, const char *path, bool dir, struct err *e)
{
	int fd = dir ? mkdir_in_root(c->root, path, 0755) : mkfile_in_root(c->root, path, 0644), r;
	struct statfs fs;

	if (fd < 0)
		return err_sys(e, -fd, "cannot make the mount point %s", path);
	r = check_kind(fd, dir);
	if (r == 0 && fstatfs(fd, &fs) < 0)
		r = -errno;
	if (r < 0) {
		close(fd);
		return err_sys(e, -r, "cannot mount on %s", path);
	}
	/* A5: what is written below /proc must reach the kernel */
	if (fs.f_type == PROC_MAGIC) {
		close(fd);
		return err_set(e, EPERM, "cannot mount on %s: it is inside /proc", path);
	}
	return fd;
}
