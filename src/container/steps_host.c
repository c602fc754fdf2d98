/* steps_host.c - steps in the monitor: cgroups, the root and other mounts made detached, nothing visible yet */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "cgroup/steps.h"
#include "container/container_int.h"
#include "sys/mount.h"
#include "sys/subid.h"

#define MAX_FILTER 4096 /* BPF_MAXINSNS */

static int warn(struct container *c, const char *sentence, struct err *e)
{
	return strv_add(&c->state->warnings, sentence) < 0 ? err_set(e, ENOMEM, "out of memory") : 0;
}

static int apply_warn(void *ctx, const struct step *s, struct err *e)
{
	return warn(ctx, s->data, e);
}
const struct step_op op_warn = { "warn", STAGE_HOST, apply_warn };

/* --- cgroups */

static int apply_cgroup_enable(void *ctx, const struct step *s, struct err *e)
{
	return cgroup_step_enable(s, e);
}
const struct step_op op_cgroup_enable = { "cgroup-enable", STAGE_HOST, apply_cgroup_enable };

/* Who is root inside may make cgroups in it and move processes (cgroup-v2.rst, "Delegation"). */
static int delegate(int dir, uid_t uid, gid_t gid)
{
	static const char *const files[] = { "cgroup.procs", "cgroup.threads", "cgroup.subtree_control" };

	if (fchown(dir, uid, gid) < 0)
		return -errno;
	for (size_t i = 0; i < ARRAY_LEN(files); i++)
		if (fchownat(dir, files[i], uid, gid, AT_SYMLINK_NOFOLLOW) < 0)
			return -errno;
	return 0;
}

static int apply_cgroup_own(void *ctx, const struct step *s, struct err *e)
{
	autofree char *above = strndup(s->what, (size_t)(strrchr(s->what, '/') - s->what));
	struct container *c = ctx;
	int fd, r = above ? 0 : -ENOMEM;

	/* the record first: beside v1 nobody has made the one above */
	if (r == 0 && !strv_has(&c->state->cgroups, above))
		r = strv_add(&c->state->cgroups, above);
	if (r == 0)
		r = cgroup_make_dirs(s->what);
	fd = r < 0 ? r : open(s->what, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_sys(e, r < 0 ? -r : errno, "cannot make the cgroup");
	if (c->cgroups.unified >= 0)
		close(c->cgroups.unified);
	c->cgroups.unified = fd;
	free(c->system_cgroup);
	c->system_cgroup = strdup(s->what);
	if (!c->system_cgroup)
		return err_set(e, ENOMEM, "out of memory");
	r = c->own_users ? delegate(fd, c->root_uid, c->root_gid) : 0;
	return r < 0 ? err_sys(e, -r, "cannot hand over the cgroup") : 0;
}
const struct step_op op_cgroup_own = { "cgroup-own", STAGE_HOST, apply_cgroup_own };

static int apply_cgroup_scope(void *ctx, const struct step *s, struct err *e)
{
	struct container *c = ctx;

	return cgroup_step_scope(s, &c->cgroups, e);
}
static const struct step_op op_cgroup_scope = { "cgroup-scope", STAGE_HOST, apply_cgroup_scope };

static int apply_cgroup_make(void *ctx, const struct step *s, struct err *e)
{
	struct container *c = ctx;

	/* the record first: what is made is then found by whoever cleans up */
	if (strv_add(&c->state->cgroups, s->what) < 0)
		return err_set(e, ENOMEM, "out of memory");
	return cgroup_step_make(s, &c->cgroups, e);
}
const struct step_op op_cgroup_make = { "cgroup-make", STAGE_HOST, apply_cgroup_make };

static int apply_cgroup_set(void *ctx, const struct step *s, struct err *e)
{
	return cgroup_step_set(s, e);
}
const struct step_op op_cgroup_set = { "cgroup-set", STAGE_HOST, apply_cgroup_set };

static int apply_devices(void *ctx, const struct step *s, struct err *e)
{
	struct container *c = ctx;
	int r = cgroup_step_devices(s, &c->cgroups, e);

	if (r <= 0)
		return r;
	return warn(c,
		    "this host does not let device rules be set: only the missing CAP_MKNOD and /dev keep "
		    "devices away",
		    e);
}
const struct step_op op_devices = { "devices", STAGE_HOST, apply_devices };

const struct cgroup_rows container_cgroup_rows = {
	.enable = &op_cgroup_enable,
	.make = &op_cgroup_make,
	.set = &op_cgroup_set,
	.devices = &op_devices,
	.scope = &op_cgroup_scope,
	.warn = &op_warn,
};

/* --- what the process will get */

static int apply_seccomp(void *ctx, const struct step *s, struct err *e)
{
	struct container *c = ctx;
	int fd = source_fd(c, s->from);
	struct stat st;
	size_t n;

	if (fd < 0 || fstat(fd, &st) < 0)
		return err_set(e, EBADF, "the seccomp filter is missing");
	n = (size_t)st.st_size / sizeof(struct sock_filter);
	if (!n || n > MAX_FILTER || n * sizeof(struct sock_filter) != (size_t)st.st_size)
		return err_set(e, EINVAL, "the seccomp filter has a wrong size");
	c->filter.filter = calloc(n, sizeof(struct sock_filter));
	if (!c->filter.filter)
		return err_set(e, ENOMEM, "out of memory");
	if (pread(fd, c->filter.filter, (size_t)st.st_size, 0) != st.st_size)
		return err_set(e, EIO, "cannot read the seccomp filter");
	c->filter.len = (unsigned short)n;
	return 0;
}
const struct step_op op_seccomp = { "seccomp", STAGE_HOST, apply_seccomp };

/* That of root or "ketch" in /etc/subuid; ID 100000 and on when there is none. */
static int default_maps(struct container *c, const char *file)
{
	static const char *const users[] = { "root", "ketch", NULL };
	struct subid_range range = { .first = 100000 };

	subid_find(file, users, USERNS_IDS, &range);
	c->uid_map = str_printf("0 %u %u\n", range.first, USERNS_IDS);
	c->gid_map = c->uid_map ? strdup(c->uid_map) : NULL;
	return c->gid_map ? 0 : -ENOMEM;
}

static int apply_userns(void *ctx, const struct step *s, struct err *e)
{
	struct container *c = ctx;
	int fd, r = s->from ? default_maps(c, s->from) : 0;

	if (r < 0 || !c->uid_map || !c->gid_map)
		return err_set(e, ENOMEM, "out of memory");
	c->own_users = true;
	c->root_uid = userns_outside(c->uid_map, 0);
	c->root_gid = userns_outside(c->gid_map, 0);
	c->tty_gid = userns_outside(c->gid_map, 5);
	fd = userns_make(c->uid_map, c->gid_map);
	if (fd < 0)
		return err_sys(e, -fd, "--userns: cannot make a user namespace");
	return tree_add(c, "userns", fd) < 0 ? err_set(e, ENOMEM, "out of memory") : 0;
}
const struct step_op op_userns = { "userns", STAGE_HOST, apply_userns };

/* --- the root */

static int apply_overlay(void *ctx, const struct step *s, struct err *e)
{
	AUTO(strv_done) struct strv layers = { 0 };
	struct container *c = ctx;
	int mnt;

	if (strv_split(&layers, s->from, " ") < 0)
		return err_set(e, ENOMEM, "out of memory");
	mnt = overlay_make(c, &layers, e);
	if (mnt < 0)
		return mnt;
	return tree_add(c, "root", mnt) < 0 ? err_set(e, ENOMEM, "out of memory") : 0;
}
const struct step_op op_overlay = { "overlay", STAGE_HOST, apply_overlay };

/* The root is there already: in a guest the layers are merged, a bundle of OCI has it as a directory. */
static int apply_root_open(void *ctx, const struct step *s, struct err *e)
{
	struct container *c = ctx;
	int fd = source_fd(c, s->from), mnt = fd < 0 ? fd : mount_clone(fd, s->flags & STEP_DEEP);

	if (mnt < 0)
		return err_sys(e, -mnt, "cannot open the root");
	return tree_add(c, "root", mnt) < 0 ? err_set(e, ENOMEM, "out of memory") : 0;
}
const struct step_op op_root_open = { "root-open", STAGE_HOST, apply_root_open };

static uint64_t propagation_of(const struct strv *words)
{
	return strv_has(words, PROPAGATION_SHARED)  ? MS_SHARED
	       : strv_has(words, PROPAGATION_SLAVE) ? MS_SLAVE
						    : MS_PRIVATE;
}

/* A source of the user, as a detached mount: no path of his is resolved again after the engine opened it. */
static int apply_source_open(void *ctx, const struct step *s, struct err *e)
{
	AUTO(strv_done) struct strv words = { 0 };
	struct container *c = ctx;
	int fd = source_fd(c, s->from), r = strv_split(&words, s->data ? s->data : "", ",");
	autoclose int mnt = r < 0 ? r : fd < 0 ? fd : mount_clone(fd, !strv_has(&words, "shallow"));

	if (mnt < 0)
		return err_sys(e, -mnt, "cannot open the source of %s", s->what);
	r = mount_set_propagation(mnt, propagation_of(&words), true);
	if (r == 0 && s->flags)
		r = mount_change(mnt, s->flags, 0, !strv_has(&words, "top"));
	if (r == 0 && strv_has(&words, "volume") && c->own_users) /* ours, so its owners may be shifted */
		r = mount_set_idmap(mnt, tree_get(c, "userns"), false);
	if (r < 0)
		return err_sys(e, -r, "cannot prepare the source of %s", s->what);
	return tree_add(c, s->from, take_fd(&mnt)) < 0 ? err_set(e, ENOMEM, "out of memory") : 0;
}
const struct step_op op_source_open = { "source-open", STAGE_HOST, apply_source_open };

/* The terminals of the instance are made here and handed in, so that every pty is opened through our own
 * descriptor and never through what /dev/pts has become inside (security.md A4, A15). */
static int apply_terminals(void *ctx, const struct step *s, struct err *e)
{
	AUTO(buf_done) struct buf opts = { 0 };
	struct container *c = ctx;
	int mnt;

	buf_addf(&opts, "newinstance,ptmxmode=0666,mode=0620,gid=%u", c->own_users ? c->tty_gid : 5);
	if (c->own_users)
		buf_addf(&opts, ",uid=%u", c->root_uid);
	if (!buf_ok(&opts))
		return err_set(e, ENOMEM, "out of memory");
	mnt = mount_new("devpts", opts.data, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC);
	if (mnt < 0)
		return err_sys(e, -mnt, "cannot make terminals");
	return tree_add(c, "pts", mnt) < 0 ? err_set(e, ENOMEM, "out of memory") : 0;
}
const struct step_op op_terminals = { "terminals", STAGE_HOST, apply_terminals };
