/* steps_oci_mounts.c - the `mounts` of an OCI config, in the new namespaces
 *
 * A file system is made detached and then attached to a place that was opened once, so what is at that place is known.
 * What fsconfig(2) does not take goes by mount(2).
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/path.h"
#include "container/container_int.h"
#include "container/mount_options.h"
#include "sys/mount.h"

#define MAX_VALUE 255 /* of fsconfig(2) */

static bool is_at(const struct step *s, const char *path)
{
	return !strcmp(s->what, path);
}

static bool is_type(const char *type, const char *name)
{
	return !strcmp(type, name);
}

/* --- file systems */

/* Quotes and backslashes are understood only by parsers of whole option strings. */
static bool needs_mount2(const struct fs_request *rq)
{
	if (rq->super & MS_I_VERSION || strpbrk(rq->opts, "\"\\") ||
	    (rq->source && strlen(rq->source) > MAX_VALUE))
		return true;
	for (const char *p = rq->opts; *p; p += *p == ',') {
		size_t n = strcspn(p, ",");

		if (n > MAX_VALUE)
			return true;
		p += n;
	}
	return false;
}

/* Attaches the file system at `place`; returns a descriptor of the mount. */
static int make_at(const struct fs_request *rq, unsigned attr, int place, const struct container *c,
		   const char *path)
{
	autoclose int mnt = -1;
	int r;

	if (needs_mount2(rq)) {
		r = mount_make_at(rq, attr, place);
		return r < 0 ? r : open_in_root(c->root, path, O_PATH, 0);
	}
	mnt = mount_make(rq, attr);
	r = mnt < 0 ? mnt : mount_attach(mnt, place);
	return r < 0 ? r : take_fd(&mnt);
}

static int place_of_fs(const struct container *c, const char *type, const char *path, struct err *e)
{
	/* A4, A5: what is written there is meant for the kernel */
	if (is_type(type, "proc") || is_type(type, "sysfs") || !strcmp(path, "/dev"))
		return place_fixed(c, path, true, e);
	return place_of_mount(c, path, true, e);
}

/* As runc: without a mode of its own a tmpfs takes that of the directory it covers. */
static char *tmpfs_options(const char *data, int place, bool there)
{
	struct stat st;

	if (!there || strstr(data, "mode=") || fstat(place, &st) < 0)
		return strdup(data);
	return str_printf("mode=%04o%s%s", (unsigned)st.st_mode & 07777, *data ? "," : "", data);
}

static bool is_there(const struct container *c, const char *path)
{
	autoclose int fd = open_in_root(c->root, path, O_PATH | O_DIRECTORY, 0);

	return fd >= 0;
}

/* A tmpfs that begins with what it covers is filled before anybody sees it. */
static int copy_then_attach(const struct fs_request *rq, unsigned attr, int place, struct err *e)
{
	autoclose int mnt = mount_make(rq, attr);
	int r;

	if (mnt < 0)
		return err_sys(e, -mnt, "cannot make it");
	r = copy_up(place, mnt, e);
	if (r < 0)
		return r;
	r = mount_attach(mnt, place);
	return r < 0 ? err_sys(e, -r, "cannot attach it") : take_fd(&mnt);
}

static int mount_tmpfs(const struct container *c, const struct step *s, const struct mount_options *o,
		       struct fs_request *rq, unsigned attr, struct err *e)
{
	bool there = (strstr(o->data, "mode=") && !o->copy_up) || is_there(c, s->what);
	autoclose int place = place_of_fs(c, rq->type, s->what, e);
	autofree char *data = place < 0 ? NULL : tmpfs_options(o->data, place, there);
	int mnt;

	if (place < 0)
		return place;
	if (!data)
		return err_set(e, ENOMEM, "out of memory");
	rq->opts = data;
	if (o->copy_up && there && !needs_mount2(rq))
		return copy_then_attach(rq, attr, place, e);
	mnt = make_at(rq, attr, place, c, s->what);
	return mnt < 0 ? err_sys(e, -mnt, "cannot mount \"tmpfs\" on \"%s\"", s->what) : mnt;
}

static int mount_other(const struct container *c, const struct step *s, struct fs_request *rq, unsigned attr,
		       struct err *e)
{
	autoclose int place = place_of_fs(c, rq->type, s->what, e);
	int mnt = place < 0 ? place : make_at(rq, attr, place, c, s->what);

	if (place < 0 || mnt >= 0)
		return mnt;
	return err_sys(e, -mnt, "cannot mount \"%s\" on \"%s\"%s%s%s", rq->type, s->what,
		       *rq->opts ? " with the options \"" : "", rq->opts, *rq->opts ? "\"" : "");
}

/* Keeps the mount for later steps: devices are made in /dev, and op_seal names it by its place. */
static int keep(struct container *c, const struct step *s, int mnt, struct err *e)
{
	if (is_at(s, "/dev"))
		c->dev = mnt;
	if (is_at(s, "/proc"))
		c->proc = mnt;
	if (s->flags & STEP_SEAL)
		return tree_add(c, s->place, mnt) < 0 ? err_set(e, ENOMEM, "out of memory") : 0;
	if (mnt != c->dev && mnt != c->proc)
		close(mnt);
	return 0;
}

static int mount_fs(struct container *c, const struct step *s, const struct mount_options *o, struct err *e)
{
	autofree char *type = strdup(s->from);
	char *source = type ? strchr(type, ' ') : NULL;
	struct fs_request rq = { .type = type, .opts = o->data, .super = o->super };
	unsigned attr = (unsigned)((o->set & ~o->deep_clear) | o->deep_set);
	autoclose int mnt = -1;
	int r;

	if (!type)
		return err_set(e, ENOMEM, "out of memory");
	if (source) {
		*source++ = '\0';
		rq.source = source;
	}
	if (s->flags & STEP_SEAL)
		attr &= ~(unsigned)MOUNT_ATTR_RDONLY;
	else if (source && *source == '/' && (attr & MOUNT_ATTR_RDONLY))
		rq.super |= MS_RDONLY; /* a device that must not be written at all */
	mnt = is_type(type, "tmpfs") ? mount_tmpfs(c, s, o, &rq, attr, e) : mount_other(c, s, &rq, attr, e);
	r = mnt < 0 ? 0 : mount_propagate(mnt, o);
	if (r < 0)
		return err_sys(e, -r, "cannot set the propagation of \"%s\"", s->what);
	return mnt < 0 ? mnt : keep(c, s, take_fd(&mnt), e);
}

static int apply_mount_fs(void *ctx, const struct step *s, struct err *e)
{
	AUTO(mount_options_done) struct mount_options o = { 0 };
	int r = mount_options_parse(s->data ? s->data : "", &o);

	return r < 0 ? err_sys(e, -r, "options \"%s\"", s->data) : mount_fs(ctx, s, &o, e);
}
const struct step_op op_mount_fs = { "mount-fs", STAGE_INSIDE, apply_mount_fs };

/* --- binds */

static int check_bind(const struct step *s, int tree, struct stat *ret, struct err *e)
{
	struct statfs fs;

	if (fstat(tree, ret) < 0)
		return err_sys(e, errno, "cannot look at the source");
	if (is_at(s, "/proc") && (fstatfs(tree, &fs) < 0 || fs.f_type != PROC_SUPER_MAGIC))
		return err_set(e, EINVAL, "only a proc file system can be mounted on \"/proc\"");
	return 0;
}

static int apply_mount_bind(void *ctx, const struct step *s, struct err *e)
{
	struct container *c = ctx;
	autoclose int own = s->data ? bind_make(s->from, s->data, e) : -1, place = -1;
	int mnt = s->data ? own : tree_get(c, s->from), r;
	struct stat st;

	if (mnt < 0)
		return s->data ? mnt : err_set(e, EBADF, "the source is missing");
	r = check_bind(s, mnt, &st, e);
	if (r < 0)
		return r;
	place = place_of_mount(c, s->what, S_ISDIR(st.st_mode), e);
	if (place < 0)
		return place;
	r = mount_attach(mnt, place);
	if (r < 0)
		return err_sys(e, -r, "cannot mount on \"%s\"", s->what);
	if (is_at(s, "/dev")) {
		c->dev = mnt;
		own = -1;
	}
	return 0;
}
const struct step_op op_mount_bind = { "mount-bind", STAGE_INSIDE, apply_mount_bind };

/* --- changes */

static int apply_remount(void *ctx, const struct step *s, struct err *e)
{
	AUTO(mount_options_done) struct mount_options o = { 0 };
	const struct container *c = ctx;
	autoclose int place = open_in_root(c->root, s->what, O_PATH, 0);
	int r = place < 0 ? place : mount_options_parse(s->data, &o);

	if (r == 0 && !o.bind && (*o.data || o.super))
		r = mount_reconfigure(
			&(struct fs_request){ .type = "none", .opts = o.data, .super = o.super }, place);
	if (r == 0)
		r = mount_apply(place, &o);
	return r < 0 ? err_sys(e, -r, "cannot remount \"%s\" with the options \"%s\"", s->what, s->data) : 0;
}
const struct step_op op_remount = { "remount", STAGE_INSIDE, apply_remount };

static int apply_seal(void *ctx, const struct step *s, struct err *e)
{
	const struct container *c = ctx;
	int r = mount_change(tree_get(c, s->from), MOUNT_ATTR_RDONLY, 0, false);

	return r < 0 ? err_sys(e, -r, "cannot make \"%s\" read-only", s->what) : 0;
}
const struct step_op op_seal = { "seal", STAGE_INSIDE, apply_seal };
