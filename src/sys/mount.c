/* mount.c - mounts by descriptor: made detached, changed, then attached to a place that was opened once */
#include "sys/mount.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/auto.h"

static int config_string(int fs, const char *key, const char *value)
{
	return fsconfig(fs, FSCONFIG_SET_STRING, key, value, 0) < 0 ? -errno : 0;
}

static int config_option(int fs, char *opt)
{
	char *eq = strchr(opt, '=');

	if (eq) {
		*eq = '\0';
		return config_string(fs, opt, eq + 1);
	}
	return fsconfig(fs, FSCONFIG_SET_FLAG, opt, NULL, 0) < 0 ? -errno : 0;
}

/* Those that mount(2) takes as bits, by the names that every file system knows. */
static int config_flags(int fs, unsigned long flags)
{
	static const struct {
		const char *name;
		unsigned long flag;
	} rows[] = {
		{ "ro", MS_RDONLY },	 { "sync", MS_SYNCHRONOUS },  { "dirsync", MS_DIRSYNC },
		{ "mand", MS_MANDLOCK }, { "lazytime", MS_LAZYTIME },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if ((flags & rows[i].flag) && fsconfig(fs, FSCONFIG_SET_FLAG, rows[i].name, NULL, 0) < 0)
			return -errno;
	return 0;
}

static int config_all(int fs, const struct fs_request *rq)
{
	autofree char *copy = strdup(rq->opts ? rq->opts : "");
	int r = copy ? config_string(fs, "source", rq->source ? rq->source : rq->type) : -ENOMEM;
	char *rest = copy, *opt;

	if (r == 0)
		r = config_flags(fs, rq->super);
	while (r == 0 && (opt = strsep(&rest, ",")))
		r = *opt ? config_option(fs, opt) : 0;
	return r;
}

int mount_make(const struct fs_request *rq, unsigned attr)
{
	autoclose int fs = fsopen(rq->type, FSOPEN_CLOEXEC);
	int r = fs < 0 ? -errno : config_all(fs, rq), fd;

	if (r < 0)
		return r;
	if (fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return -errno;
	fd = fsmount(fs, FSMOUNT_CLOEXEC, attr);
	return fd < 0 ? -errno : fd;
}

int mount_new(const char *type, const char *opts, unsigned attr)
{
	return mount_make(&(struct fs_request){ .type = type, .opts = opts }, attr);
}

/* MOUNT_ATTR_* as bits of mount(2). */
static unsigned long attr_bits(unsigned attr)
{
	unsigned long bits =
		attr & (MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);

	if (attr & MOUNT_ATTR_NODIRATIME)
		bits |= MS_NODIRATIME;
	if (attr & MOUNT_ATTR_NOSYMFOLLOW)
		bits |= MS_NOSYMFOLLOW;
	if ((attr & MOUNT_ATTR__ATIME) == MOUNT_ATTR_NOATIME)
		return bits | MS_NOATIME;
	return bits | ((attr & MOUNT_ATTR__ATIME) == MOUNT_ATTR_STRICTATIME ? MS_STRICTATIME : MS_RELATIME);
}

static int mount_with_bits(const struct fs_request *rq, int place, unsigned long bits)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", place);
	return mount(rq->source ? rq->source : rq->type, path, rq->type, bits, rq->opts) < 0 ? -errno : 0;
}

int mount_make_at(const struct fs_request *rq, unsigned attr, int place)
{
	return mount_with_bits(rq, place, rq->super | attr_bits(attr));
}

int mount_reconfigure(const struct fs_request *rq, int place)
{
	return mount_with_bits(rq, place, rq->super | MS_REMOUNT);
}

int mount_at(const char *type, const char *place, const char *opts)
{
	return mount(type, place, type, 0, opts) < 0 ? -errno : 0;
}

static int clone_tree(int fd, const char *path, unsigned flags, bool deep)
{
	int r = open_tree(fd, path,
			  flags | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | (deep ? (unsigned)AT_RECURSIVE : 0));

	return r < 0 ? -errno : r;
}

int mount_clone(int fd, bool deep)
{
	return clone_tree(fd, "", AT_EMPTY_PATH, deep);
}

int mount_clone_path(const char *path, bool deep)
{
	return clone_tree(AT_FDCWD, path, 0, deep);
}

static int set_attr(int mnt, struct mount_attr *a, bool deep)
{
	return mount_setattr(mnt, "", AT_EMPTY_PATH | (deep ? AT_RECURSIVE : 0), a, sizeof(*a)) < 0 ? -errno
												    : 0;
}

int mount_change(int mnt, uint64_t set, uint64_t clear, bool deep)
{
	struct mount_attr a = { .attr_set = set, .attr_clr = clear };

	return set_attr(mnt, &a, deep);
}

int mount_set_propagation(int mnt, uint64_t type, bool deep)
{
	struct mount_attr a = { .propagation = type };

	return set_attr(mnt, &a, deep);
}

int mount_set_idmap(int mnt, int userns, bool deep)
{
	struct mount_attr a = { .attr_set = MOUNT_ATTR_IDMAP, .userns_fd = (uint64_t)userns };

	return set_attr(mnt, &a, deep);
}

int mount_attach(int mnt, int target)
{
	return move_mount(mnt, "", target, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0 ? -errno
												      : 0;
}

int mount_set_all(uint64_t propagation)
{
	return mount(NULL, "/", NULL, MS_REC | propagation, NULL) < 0 ? -errno : 0;
}

/* 1 when something is mounted on top of "/"; "/.." is the way to see it. */
static int root_is_covered(void)
{
	struct statx root, top;

	if (statx(AT_FDCWD, "/", 0, STATX_MNT_ID, &root) < 0 ||
	    statx(AT_FDCWD, "/..", 0, STATX_MNT_ID, &top) < 0)
		return -errno;
	return root.stx_mnt_id != top.stx_mnt_id;
}

/* pivot_root(2) with "." twice puts the old root on top of the new one, and what was on top of the old root goes
 * with it: all of that has to be taken away, else ".." leads out. */
static int uncover_root(void)
{
	int r = root_is_covered();

	for (int i = 0; r == 1 && i < 64; i++)
		r = umount2(".", MNT_DETACH) < 0 ? -errno : root_is_covered();
	return r == 1 ? -EBUSY : r;
}

/* Under chroot(2), what pivot_root exchanged was only this process's root: the mount namespace's own is still the
 * host's, and whoever joins the namespace lands there.  To join one's own namespace shows where that is. */
static int check_namespace_root(int root)
{
	autoclose int self = (int)syscall(SYS_pidfd_open, getpid(), 0);
	struct statx ours, top;

	if (self < 0 || setns(self, CLONE_NEWNS) < 0 ||
	    statx(root, "", AT_EMPTY_PATH, STATX_MNT_ID, &ours) < 0 ||
	    statx(AT_FDCWD, "/", 0, STATX_MNT_ID, &top) < 0)
		return -errno;
	return ours.stx_mnt_id == top.stx_mnt_id ? 0 : -EXDEV;
}

int mount_pivot(int root)
{
	int r;

	if (fchdir(root) < 0)
		return -errno;
	if (syscall(SYS_pivot_root, ".", ".") < 0)
		return -errno;
	r = uncover_root();
	if (r == 0)
		r = check_namespace_root(root);
	if (r < 0)
		return r;
	return chdir("/") < 0 ? -errno : 0;
}

int mount_enter_root(int root)
{
	if (fchdir(root) < 0 || chroot(".") < 0)
		return -errno;
	return chdir("/") < 0 ? -errno : 0;
}
