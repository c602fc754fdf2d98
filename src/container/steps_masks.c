/* steps_masks.c - steps in the new namespaces: paths that are hidden or only to be read
 *
 * A file is covered by the null device, a directory by an empty one, both read-only.  The first cover of each kind is
 * kept and copied: only what is attached can be copied before Linux 6.15.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/path.h"
#include "container/container_int.h"
#include "sys/mount.h"

#define COVER (MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC)

static int open_null(int dir, const char *name)
{
	autoclose int fd = openat(dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	return S_ISCHR(st.st_mode) && st.st_rdev == makedev(1, 3) ? take_fd(&fd) : -ENODEV;
}

/* Whatever is called "null" in the container's /dev, it must be that (security.md A4); else the host's is taken. */
static int clone_null(const struct container *c)
{
	autoclose int own = c->dev < 0 ? -1 : open_null(c->dev, "null");
	autoclose int host = own < 0 ? open_null(AT_FDCWD, "/dev/null") : -1;
	int fd = own < 0 ? host : own;

	return fd < 0 ? fd : mount_clone(fd, false);
}

static int clone_empty(const struct container *c)
{
	autoclose int fd = -1;

	if (mkdirat(c->scratch, "empty", 0555) < 0 && errno != EEXIST)
		return -errno;
	fd = openat(c->scratch, "empty", O_PATH | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : mount_clone(fd, false);
}

static int make_cover(const struct container *c, bool dir)
{
	autoclose int mnt = -1;
	int r;

	if (dir && c->scratch < 0)
		return mount_new("tmpfs", "size=4k,nr_inodes=1,mode=555", COVER);
	mnt = dir ? clone_empty(c) : clone_null(c);
	r = mnt < 0 ? mnt : mount_change(mnt, COVER, 0, false);
	return r < 0 ? r : take_fd(&mnt);
}

static int cover(struct container *c, bool dir, int place)
{
	int *first = dir ? &c->cover_dir : &c->cover_file, r;
	autoclose int mnt = *first < 0 ? make_cover(c, dir) : mount_clone(*first, false);

	r = mnt < 0 ? mnt : mount_attach(mnt, place);
	if (r == 0 && *first < 0)
		*first = take_fd(&mnt);
	return r;
}

static int open_place(const struct container *c, const struct step *s)
{
	return s->flags & STEP_FOLLOW ? open_in_root(c->root, s->what, O_PATH, 0)
				      : open_in_root_nolinks(c->root, s->what, O_PATH, 0);
}

static int apply_mask(void *ctx, const struct step *s, struct err *e)
{
	struct container *c = ctx;
	autoclose int place = open_place(c, s);
	struct stat st;
	int r;

	if (place == -ENOENT || place == -ENOTDIR)
		return 0;
	if (place < 0 || fstat(place, &st) < 0)
		return err_sys(e, place < 0 ? -place : errno, "cannot open \"%s\"", s->what);
	r = cover(c, S_ISDIR(st.st_mode), place);
	return r < 0 ? err_sys(e, -r, "cannot cover \"%s\"", s->what) : 0;
}
const struct step_op op_mask = { "mask", STAGE_INSIDE, apply_mask };

static int apply_read_only(void *ctx, const struct step *s, struct err *e)
{
	struct container *c = ctx;
	autoclose int place = open_place(c, s), mnt = -1;
	int r;

	if (place == -ENOENT || place == -ENOTDIR)
		return 0;
	/* a mount is changed as it is; what is only a part of one becomes a mount first */
	if (place >= 0 && mount_change(place, MOUNT_ATTR_RDONLY, 0, true) == 0)
		return 0;
	mnt = place < 0 ? place : mount_clone(place, true);
	r = mnt < 0 ? mnt : mount_change(mnt, MOUNT_ATTR_RDONLY, 0, true);
	if (r == 0)
		r = mount_attach(mnt, place);
	return r < 0 ? err_sys(e, -r, "cannot make \"%s\" read-only", s->what) : 0;
}
const struct step_op op_read_only = { "read-only", STAGE_INSIDE, apply_read_only };
