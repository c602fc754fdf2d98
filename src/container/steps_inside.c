/* steps_inside.c - steps in the new namespaces: the root, what the user mounts there, and its process */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/io.h"
#include "base/path.h"
#include "container/container_int.h"
#include "sys/loopback.h"
#include "sys/mount.h"

static int apply_root_attach(void *ctx, const struct step *s, struct err *e)
{
	struct container *c = ctx;
	autoclose int here = -1;
	int r = mount_set_all(MS_PRIVATE);

	if (r < 0)
		return err_sys(e, -r, "cannot make the mounts private");
	here = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (here < 0)
		return err_sys(e, errno, "cannot open /");
	/* both go on top of the old root, which leaves with what is on it.  The small one is for files of ours
	 * that are bound inside: kernels before 6.15 clone only mounts that are attached */
	c->scratch =
		mount_new("tmpfs", "mode=0755,size=1m,nr_inodes=32", MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
	r = c->scratch < 0 ? c->scratch : mount_attach(c->scratch, here);
	if (r < 0)
		return err_sys(e, -r, "cannot mount a tmpfs");
	c->root = tree_get(c, s->from);
	r = mount_attach(c->root, here);
	return r < 0 ? err_sys(e, -r, "cannot mount the root") : 0;
}
const struct step_op op_root_attach = { "root-attach", STAGE_INSIDE, apply_root_attach };

static int apply_loopback(void *ctx, const struct step *s, struct err *e)
{
	int r = loopback_up();

	return r < 0 ? err_sys(e, -r, "cannot bring up the interface") : 0;
}
const struct step_op op_loopback = { "loopback", STAGE_INSIDE, apply_loopback };

static int apply_hostname(void *ctx, const struct step *s, struct err *e)
{
	return sethostname(s->data, strlen(s->data)) < 0 ? err_sys(e, errno, "cannot set \"%s\"", s->data)
							 : 0;
}
const struct step_op op_hostname = { "hostname", STAGE_INSIDE, apply_hostname };

/* Through the procfs that was just mounted, before it is made read-only (security.md A5). */
static int apply_sysctl(void *ctx, const struct step *s, struct err *e)
{
	struct container *c = ctx;
	autoclose int fd = open_in_root_nolinks(c->root, s->what, O_WRONLY, 0);

	if (fd == -ENOENT) /* a kernel without it has nothing to be relaxed */
		return 0;
	if (fd < 0)
		return err_sys(e, -fd, "cannot open it");
	return write(fd, s->data, strlen(s->data)) < 0 ? err_sys(e, errno, "cannot set \"%s\"", s->data) : 0;
}
const struct step_op op_sysctl = { "sysctl", STAGE_INSIDE, apply_sysctl };

/* --- what the user mounts */

static int apply_tmpfs(void *ctx, const struct step *s, struct err *e)
{
	struct container *c = ctx;
	autoclose int place = place_of_user(c, s->what, true, e);
	autoclose int mnt = -1;
	int r = 0;

	if (place < 0)
		return place;
	mnt = mount_new("tmpfs", s->data, s->from ? 0 : (unsigned)s->flags);
	if (mnt >= 0 && s->from) { /* first the content: it may become read-only */
		r = copy_up(place, mnt, e);
		if (r < 0)
			return r;
		r = mount_change(mnt, s->flags, 0, false);
	}
	if (r == 0)
		r = mnt < 0 ? mnt : mount_attach(mnt, place);
	return r < 0 ? err_sys(e, -r, "cannot mount a tmpfs with options \"%s\"", s->data ? s->data : "") : 0;
}
const struct step_op op_tmpfs = { "tmpfs", STAGE_INSIDE, apply_tmpfs };

static int attach_source(struct container *c, const struct step *s, struct err *e)
{
	int tree = tree_get(c, s->from), r;
	autoclose int place = -1;
	struct stat st;

	if (tree < 0 || fstat(tree, &st) < 0)
		return err_set(e, EBADF, "the source is missing");
	place = place_of_user(c, s->what, S_ISDIR(st.st_mode), e);
	if (place < 0)
		return place;
	r = mount_attach(tree, place);
	return r < 0 ? err_sys(e, -r, "cannot mount") : 0;
}

static int apply_bind(void *ctx, const struct step *s, struct err *e)
{
	return attach_source(ctx, s, e);
}
const struct step_op op_bind = { "bind", STAGE_INSIDE, apply_bind };

/* --- the end of the way */

/* Before the root becomes read-only. */
static int apply_make_cwd(void *ctx, const struct step *s, struct err *e)
{
	struct container *c = ctx;
	int fd = mkdir_in_root(c->root, s->what, 0755);

	if (fd < 0)
		return err_sys(e, -fd, "cannot make the working directory");
	close(fd);
	return 0;
}
const struct step_op op_make_cwd = { "make-cwd", STAGE_INSIDE, apply_make_cwd };

static int apply_root_read_only(void *ctx, const struct step *s, struct err *e)
{
	struct container *c = ctx;
	int r = mount_change(c->root, MOUNT_ATTR_RDONLY, 0, false);

	return r < 0 ? err_sys(e, -r, "cannot make it read-only") : 0;
}
const struct step_op op_root_read_only = { "root-read-only", STAGE_INSIDE, apply_root_read_only };

/* Where the root cannot be exchanged (a ramdisk): it is moved over the old one and entered. */
static int enter_over(int root)
{
	autoclose int old = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	int r = old < 0 ? -errno : mount_attach(root, old);

	return r < 0 ? r : mount_enter_root(root);
}

static int apply_root_enter(void *ctx, const struct step *s, struct err *e)
{
	struct container *c = ctx;
	int r;

	if (s->flags & STEP_CHROOT) /* in a namespace that others use, too: nothing of theirs is changed */
		r = mount_enter_root(c->root);
	else
		r = s->flags & STEP_MOVE ? enter_over(c->root) : mount_pivot(c->root);

	/* a guest whose root is its initramfs: that can only be covered.  There the VM is the wall. */
	if (r == -EINVAL && c->boot->facts.in_guest)
		r = mount_enter_root(c->root);
	if (r == -EXDEV)
		return err_set(e, EXDEV, "ketch runs in a chroot, where the host's root would stay in reach");
	return r < 0 ? err_sys(e, -r, "cannot change the root") : 0;
}
const struct step_op op_root_enter = { "root-enter", STAGE_INSIDE, apply_root_enter };

/* Returns only when the process could not be started, and then not even that: the report has been made. */
static int apply_process(void *ctx, const struct step *s, struct err *e)
{
	const struct container *c = ctx;
	const struct launch *l = c->launch;
	int status = 125;

	if (l->process->hold)
		hold_become(l, e);
	else if (l->init)
		pid1_run(c, l, &status, e);
	else
		process_become(c, l, &status, e);
	launch_report(l, status, e);
	_exit(status);
}
const struct step_op op_process = { "process", STAGE_INSIDE, apply_process };
