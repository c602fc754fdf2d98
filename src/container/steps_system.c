/* steps_system.c - steps in the new namespaces: /proc, /sys, /dev, files of /etc
 *
 * Every file system is new or a descriptor of the host's that was checked: nothing comes from the image.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/io.h"
#include "base/parse.h"
#include "base/path.h"
#include "cgroup/devices.h"
#include "container/container_int.h"
#include "sys/mount.h"

#define MAX_DEV_DEPTH 4 /* directories in the host's /dev */

/* --- file systems */

static int attach_at(struct container *c, int mnt, const char *path, struct err *e)
{
	autoclose int place = place_fixed(c, path, true, e);
	int r = place < 0 ? place : mount_attach(mnt, place);

	if (place < 0)
		return place;
	return r < 0 ? err_sys(e, -r, "cannot mount") : 0;
}

static int apply_mount(void *ctx, const struct step *s, struct err *e)
{
	struct container *c = ctx;
	autoclose int mnt = mount_new(s->from, s->data, (unsigned)s->flags);
	int r;

	if (mnt < 0)
		return err_sys(e, -mnt, "cannot make a file system %s", s->from);
	r = attach_at(c, mnt, s->what, e);
	if (r == 0 && !strcmp(s->what, "/dev"))
		c->dev = take_fd(&mnt);
	return r;
}
const struct step_op op_mount = { "mount", STAGE_INSIDE, apply_mount };

static int apply_mount_tree(void *ctx, const struct step *s, struct err *e)
{
	struct container *c = ctx;

	return attach_at(c, tree_get(c, s->from), s->what, e);
}
const struct step_op op_mount_tree = { "mount-tree", STAGE_INSIDE, apply_mount_tree };

/* A directory of the host's cgroup or sys file system; the host's root is still "/".  data: what is bound instead when
 * it is missing. */
static int apply_host_bind(void *ctx, const struct step *s, struct err *e)
{
	struct container *c = ctx;
	int mnt = mount_clone_path(s->from, false), r;

	if (mnt == -ENOENT && s->data)
		mnt = mount_clone_path(s->data, false);
	if (mnt < 0)
		return err_sys(e, -mnt, "cannot bind %s", s->from);
	r = mount_change(mnt, s->flags, 0, false);
	r = r < 0 ? err_sys(e, -r, "cannot bind %s", s->from) : attach_at(c, mnt, s->what, e);
	close(mnt);
	return r;
}
const struct step_op op_host_bind = { "host-bind", STAGE_INSIDE, apply_host_bind };

/* --- /dev: names are those of our own plan, the directory is our own tmpfs */

static const char *in_dev(const struct step *s)
{
	return s->what + strlen("/dev/");
}

static int apply_dev_node(void *ctx, const struct step *s, struct err *e)
{
	struct container *c = ctx;
	struct device_rule d;

	if (device_rule_parse(s->data, &d) < 0)
		return err_set(e, EINVAL, "bad device \"%s\"", s->data);
	if (mknodat(c->dev, in_dev(s), S_IFCHR | 0666, makedev((unsigned)d.major, (unsigned)d.minor)) < 0)
		return err_sys(e, errno, "cannot make it");
	return 0;
}
const struct step_op op_dev_node = { "dev-node", STAGE_INSIDE, apply_dev_node };

static int apply_dev_link(void *ctx, const struct step *s, struct err *e)
{
	struct container *c = ctx;

	if (symlinkat(s->from, c->dev, in_dev(s)) == 0)
		return 0;
	/* a /dev of the root's own may have it; but ptmx must be that of the container's own terminals */
	if (errno == EEXIST && strcmp(s->what, "/dev/ptmx"))
		return 0;
	if (errno != EEXIST || unlinkat(c->dev, in_dev(s), 0) < 0 ||
	    symlinkat(s->from, c->dev, in_dev(s)) < 0)
		return err_sys(e, errno, "cannot make it");
	return 0;
}
const struct step_op op_dev_link = { "dev-link", STAGE_INSIDE, apply_dev_link };

/* In a user namespace nodes cannot be made: the host's is bound, once it is known to be the right one. */
static int bind_dev(struct container *c, const struct step *s, struct err *e)
{
	autoclose int fd = open(s->from, O_PATH | O_NOFOLLOW | O_CLOEXEC), place = -1, mnt = -1;
	struct device_rule d;
	struct stat st;
	int r;

	if (fd < 0 || fstat(fd, &st) < 0)
		return err_sys(e, errno, "cannot open %s", s->from);
	if (device_rule_parse(s->data, &d) < 0 || !S_ISCHR(st.st_mode) ||
	    st.st_rdev != makedev((unsigned)d.major, (unsigned)d.minor))
		return err_set(e, ENODEV, "%s of this host is not device %s", s->from, s->data);
	place = openat(c->dev, in_dev(s), O_CREAT | O_EXCL | O_RDONLY | O_CLOEXEC, 0666);
	if (place < 0)
		return err_sys(e, errno, "cannot make it");
	mnt = mount_clone(fd, false);
	r = mnt < 0 ? mnt : mount_attach(mnt, place);
	return r < 0 ? err_sys(e, -r, "cannot bind %s", s->from) : 0;
}

static int copy_nodes(int from, int to, int depth);

/* Other file systems in /dev, of which the container has its own. */
static bool is_own_place(const char *name)
{
	return !strcmp(name, "pts") || !strcmp(name, "shm") || !strcmp(name, "mqueue");
}

/* Makes `name` as it is in `from`; what is ours already stays. */
static int copy_node(int from, int to, const char *name, int depth)
{
	autoclose int sub = -1, made = -1;
	struct stat st;

	if (fstatat(from, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode)) {
		if (mknodat(to, name, st.st_mode, st.st_rdev) < 0)
			return errno == EEXIST ? 0 : -errno;
		return fchownat(to, name, st.st_uid, st.st_gid, AT_SYMLINK_NOFOLLOW) < 0 ? -errno : 0;
	}
	if (!S_ISDIR(st.st_mode) || !depth || is_own_place(name))
		return 0;
	sub = openat(from, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (mkdirat(to, name, 0755) < 0 && errno != EEXIST)
		return -errno;
	made = openat(to, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return sub < 0 || made < 0 ? -errno : copy_nodes(sub, made, depth - 1);
}

/* --privileged: every device of the host, with its mode and owner. */
static int copy_nodes(int from, int to, int depth)
{
	int fd = openat(from, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), r = 0;
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *de;

	if (!d)
		return -errno;
	while (r == 0 && (de = readdir(d)))
		if (de->d_name[0] != '.')
			r = copy_node(from, to, de->d_name, depth);
	closedir(d);
	return r;
}

static int apply_dev_host(void *ctx, const struct step *s, struct err *e)
{
	struct container *c = ctx;
	autoclose int from = -1;
	int r;

	if (s->data)
		return bind_dev(c, s, e);
	from = open(s->from, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	r = from < 0 ? -errno : copy_nodes(from, c->dev, MAX_DEV_DEPTH);
	return r < 0 ? err_sys(e, -r, "cannot make the devices of the host") : 0;
}
const struct step_op op_dev_host = { "dev-host", STAGE_INSIDE, apply_dev_host };

static int apply_console(void *ctx, const struct step *s, struct err *e)
{
	struct container *c = ctx;
	autoclose int place = -1, mnt = -1;
	int r;

	if (!c->launch->process->tty)
		return 0;
	r = c->launch->oci ? terminal_make(c, c->launch, e) : 0;
	if (r < 0)
		return r;
	place = place_in(c->dev, in_dev(s), 0600);
	if (place < 0)
		return err_sys(e, -place, "cannot make it");
	mnt = mount_clone(c->terminal >= 0 ? c->terminal : c->launch->stdio[0], false);
	r = mnt < 0 ? mnt : mount_attach(mnt, place);
	return r < 0 ? err_sys(e, -r, "cannot bind the terminal") : 0;
}
const struct step_op op_console = { "console", STAGE_INSIDE, apply_console };

/* --- small files of ours */

static int write_hex(int fd, const char *hex)
{
	size_t n = strlen(hex) / 2;
	autofree char *bytes = malloc(n + 1);

	if (!bytes)
		return -ENOMEM;
	return hex_decode(hex, (unsigned)n, bytes) < 0 ? -EINVAL : write_full(fd, bytes, n);
}

static int copy_file(int fd, const char *path)
{
	autoclose int from = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

	if (from < 0)
		return errno == ENOENT ? 0 : -errno;
	return copy_fd(from, fd);
}

/* What the host has in `from`, and the text behind it. */
static int write_text(int fd, const struct step *s)
{
	int r = s->from ? copy_file(fd, s->from) : 0;

	if (r < 0 || !s->data)
		return r;
	return s->flags & STEP_HEX ? write_hex(fd, s->data) : write_full(fd, s->data, strlen(s->data));
}

int etc_file_write(int dir, const struct step *s)
{
	autoclose int fd =
		openat(dir, strrchr(s->what, '/') + 1, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);

	return fd < 0 ? -errno : write_text(fd, s);
}

static int apply_etc_file(void *ctx, const struct step *s, struct err *e)
{
	struct container *c = ctx;
	int r = etc_file_write(c->scratch, s);
	autoclose int fd = -1, place = -1, mnt = -1;

	if (r < 0)
		return err_sys(e, -r, "cannot write it");
	fd = openat(c->scratch, strrchr(s->what, '/') + 1, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	place = fd < 0 ? err_sys(e, errno, "cannot open it") : place_of_user(c, s->what, false, e);
	if (place < 0)
		return place;
	mnt = mount_clone(fd, false);
	r = mnt < 0 ? mnt : mount_attach(mnt, place);
	return r < 0 ? err_sys(e, -r, "cannot bind it") : 0;
}
const struct step_op op_etc_file = { "etc-file", STAGE_INSIDE, apply_etc_file };
