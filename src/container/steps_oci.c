/* steps_oci.c - what else an OCI config asks for in the new namespaces: its root, kernel settings, devices */
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
#include "base/path.h"
#include "container/container_int.h"
#include "container/mount_options.h"
#include "sys/mount.h"

/* --- the root */

/* From here on nothing that is mounted in the container's namespace reaches the host. */
static int apply_host_slave(void *ctx, const struct step *s, struct err *e)
{
	int r = mount_set_all(MS_SLAVE);

	return r < 0 ? err_sys(e, -r, "cannot take the mounts out of the host's hands") : 0;
}
const struct step_op op_host_slave = { "host-slave", STAGE_INSIDE, apply_host_slave };

/* The root is mounted over its own directory, where hooks look for it. */
static int apply_root_mount(void *ctx, const struct step *s, struct err *e)
{
	autoclose int here = open(s->what, O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct container *c = ctx;
	int r;

	if (here < 0)
		return err_sys(e, errno, "\"%s\"", s->what);
	c->root = s->from ? tree_get(c, s->from) : mount_clone_path(s->what, true);
	/* the host's changes below it are seen, as under runc; pivot_root(2) takes no shared root */
	r = c->root < 0 ? c->root : mount_set_propagation(c->root, MS_SLAVE, true);
	if (r == 0)
		r = mount_attach(c->root, here);
	return r < 0 ? err_sys(e, -r, "cannot mount \"%s\"", s->what) : 0;
}
const struct step_op op_root_mount = { "root-mount", STAGE_INSIDE, apply_root_mount };

static int apply_propagation(void *ctx, const struct step *s, struct err *e)
{
	const struct container *c = ctx;
	struct propagation p;
	int r = propagation_parse(s->data, &p);

	if (r == 0)
		r = mount_set_propagation(c->root, p.type, p.deep);
	return r < 0 ? err_sys(e, -r, "cannot make it \"%s\"", s->data) : 0;
}
const struct step_op op_propagation = { "propagation", STAGE_INSIDE, apply_propagation };

/* --- the kernel's settings */

/* A5: a procfs that nothing can lie on top of.  That of /proc is one, seen from its own root; without it, one that is
 * attached nowhere. */
static int open_setting(struct container *c, const char *path)
{
	autofree char *below = str_printf("sys/%s", path);

	if (c->proc < 0)
		c->proc = mount_new("proc", NULL, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
	if (c->proc < 0)
		return c->proc;
	return below ? open_beneath(c->proc, below, O_WRONLY) : -ENOMEM;
}

static int apply_kernel_set(void *ctx, const struct step *s, struct err *e)
{
	autoclose int fd = open_setting(ctx, s->what);

	if (fd < 0)
		return err_sys(e, -fd, "cannot open /proc/sys/%s", s->what);
	return write(fd, s->data, strlen(s->data)) < 0 ? err_sys(e, errno, "cannot set \"%s\"", s->data) : 0;
}
const struct step_op op_kernel_set = { "kernel-set", STAGE_INSIDE, apply_kernel_set };

static int apply_domainname(void *ctx, const struct step *s, struct err *e)
{
	return setdomainname(s->data, strlen(s->data)) < 0 ? err_sys(e, errno, "cannot set \"%s\"", s->data)
							   : 0;
}
const struct step_op op_domainname = { "domainname", STAGE_INSIDE, apply_domainname };

/* --- devices */

static int apply_dev_open(void *ctx, const struct step *s, struct err *e)
{
	struct container *c = ctx;

	c->dev = place_fixed(c, s->what, true, e);
	return c->dev < 0 ? c->dev : 0;
}
const struct step_op op_dev_open = { "dev-open", STAGE_INSIDE, apply_dev_open };

/* "c 10:229 666 0 0": type, numbers, mode (octal), owner, group. */
struct node {
	mode_t mode;
	dev_t rdev;
	uid_t uid;
	gid_t gid;
};

static int node_parse(const char *text, struct node *ret)
{
	unsigned major, minor, mode, uid, gid;
	char type;

	if (sscanf(text, "%c %u:%u %o %u %u", &type, &major, &minor, &mode, &uid, &gid) != 6)
		return -EINVAL;
	ret->mode = (mode & 07777) | (type == 'b' ? S_IFBLK : type == 'p' ? S_IFIFO : S_IFCHR);
	ret->rdev = type == 'p' ? 0 : makedev(major, minor);
	ret->uid = uid;
	ret->gid = gid;
	return 0;
}

static bool is_node(const struct stat *st, const struct node *n)
{
	return (st->st_mode & S_IFMT) == (n->mode & S_IFMT) && st->st_rdev == n->rdev;
}

/* Where the entry goes: its directory, made if missing; *own is the descriptor to close. */
static int open_parent(struct container *c, const char *path, int *own)
{
	const char *name = strrchr(path, '/') + 1;
	autofree char *dir = strndup(path, (size_t)(name - path));

	if (!dir)
		return -ENOMEM;
	if (!strcmp(dir, "/dev/") && c->dev >= 0)
		return c->dev;
	return *own = mkdir_in_root(c->root, dir, 0755);
}

/* The host's device of this name, once it is known to be the right one.  Read-only: it can be written to, but its mode
 * and owner are the host's. */
static int bind_node(int dir, const char *name, const char *from, const struct node *n, struct err *e)
{
	autoclose int fd = open(from, O_PATH | O_NOFOLLOW | O_CLOEXEC), place = -1, mnt = -1;
	struct stat st;
	int r;

	if (fd < 0 || fstat(fd, &st) < 0)
		return err_sys(e, errno, "\"%s\" of the host", from);
	if (!is_node(&st, n))
		return err_set(e, ENODEV, "\"%s\" of the host is another device", from);
	place = place_in(dir, name, 0666);
	if (place < 0)
		return err_sys(e, -place, "cannot make \"%s\"", from);
	mnt = mount_clone(fd, false);
	r = mnt < 0 ? mnt
		    : mount_change(mnt, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOEXEC | MOUNT_ATTR_NOSUID, 0, false);
	if (r == 0)
		r = mount_attach(mnt, place);
	return r < 0 ? err_sys(e, -r, "cannot bind \"%s\" of the host", from) : 0;
}

static int make_node(int dir, const char *name, const struct node *n)
{
	struct stat st;

	if (mknodat(dir, name, n->mode, n->rdev) < 0) {
		if (errno != EEXIST)
			return -errno;
		if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			return -errno;
		return is_node(&st, n) ? 0 : -EEXIST;
	}
	if ((n->uid || n->gid) && fchownat(dir, name, n->uid, n->gid, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	return 0;
}

static int apply_node(void *ctx, const struct step *s, struct err *e)
{
	const char *name = strrchr(s->what, '/') + 1;
	autoclose int own = -1;
	int dir = open_parent(ctx, s->what, &own), r;
	struct node n;

	r = dir < 0 ? dir : node_parse(s->data, &n);
	if (r < 0)
		return err_sys(e, -r, "cannot make \"%s\"", s->what);
	if (!(s->flags & STEP_BIND)) {
		r = make_node(dir, name, &n);
		if (r != -EPERM || !s->from)
			return r < 0 ? err_sys(e, -r, "cannot make \"%s\"", s->what) : 0;
	}
	return bind_node(dir, name, s->from, &n, e);
}
const struct step_op op_node = { "node", STAGE_INSIDE, apply_node };

static int apply_link(void *ctx, const struct step *s, struct err *e)
{
	autoclose int own = -1;
	int dir = open_parent(ctx, s->what, &own);

	if (dir < 0 || symlinkat(s->from, dir, strrchr(s->what, '/') + 1) < 0)
		return err_sys(e, dir < 0 ? -dir : errno, "cannot make \"%s\"", s->what);
	return 0;
}
const struct step_op op_link = { "link", STAGE_INSIDE, apply_link };
