/* overlay.c - the layers under the writable layer, merged into one detached mount
 *
 * Mostly it is made at once, the layers named by descriptor.  Two cases need a mount namespace of their own, in
 * which the layers are attached under short names:
 *	- more layers than the 255 bytes that fsconfig(2) takes can name (about 60);
 *	- ID-mapped layers, which are mounts of our making: an overlay takes only mounts of the namespace that it is
 *	  mounted from (detached ones since Linux 6.15).
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "container/container_int.h"
#include "sys/mount.h"
#include "sys/ns.h"

#define MAX_VALUE 255
#define MERGE_MS  10000

/* Layers are foreign data: an xattr in them must not send a lookup elsewhere.  xino: layers are file systems of their own,
 * and what stays on one file system (tar --one-file-system) must not stop at the border of a layer. */
#define OPTIONS "redirect_dir=nofollow,metacopy=off,index=off,xino=on"

/* --- at once */

/* "9:8": descriptors as seen from /proc/self/fd, the topmost layer first. */
static int name_layers(const struct container *c, const struct strv *layers, struct buf *ret)
{
	for (size_t i = 0; i < layers->n; i++) {
		int fd = source_fd(c, layers->v[i]);

		if (fd < 0)
			return fd;
		buf_addf(ret, "%s%d", i ? ":" : "", fd);
	}
	return buf_ok(ret) ? 0 : -ENOMEM;
}

/* upper -1: without a writable layer. */
static int merge_here(const char *lower, int upper, int work)
{
	autofree char *opts =
		upper < 0 ? str_printf("lowerdir=%s," OPTIONS, lower)
			  : str_printf("lowerdir=%s,upperdir=%d,workdir=%d," OPTIONS, lower, upper, work);
	autoclose int cwd = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	int r;

	if (!opts)
		return -ENOMEM;
	if (cwd < 0 || chdir("/proc/self/fd") < 0)
		return -errno;
	r = mount_new("overlay", opts, 0);
	return fchdir(cwd) < 0 ? -errno : r;
}

/* --- in a namespace of its own */

/* What the child needs; it shares our descriptors, and leaves the result in one that we keep for it. */
struct merge {
	int *layers; /* detached mounts */
	size_t n;
	int writable; /* detached mount of the directory that holds upper and work; -1: none */
	int result;
};

static int attach_as(int dir, const char *name, int mnt)
{
	autoclose int place = -1;

	if (mkdirat(dir, name, 0700) < 0)
		return -errno;
	place = openat(dir, name, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return place < 0 ? -errno : mount_attach(mnt, place);
}

static int attach_all(const struct merge *m, int dir, struct buf *opts)
{
	int r = m->writable < 0 ? 0 : attach_as(dir, "w", m->writable);

	buf_adds(opts, "lowerdir=");
	for (size_t i = 0; i < m->n && r == 0; i++) {
		char name[24];

		snprintf(name, sizeof(name), "%zu", i);
		r = attach_as(dir, name, m->layers[i]);
		buf_addf(opts, "%s%s", i ? ":" : "", name);
	}
	buf_adds(opts, m->writable < 0 ? "," OPTIONS : ",upperdir=w/upper,workdir=w/work," OPTIONS);
	return r == 0 && !buf_ok(opts) ? -ENOMEM : r;
}

/* In the child.  Closes all it opens: the table of descriptors is ours. */
static int merge_in_child(const void *arg)
{
	const struct merge *m = arg;
	AUTO(buf_done) struct buf opts = { 0 };
	autoclose int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	autoclose int dir = mount_new("tmpfs", "mode=0700", 0), merged = -1, mnt = -1;
	int r = dir < 0 ? dir : mount_set_all(MS_PRIVATE);

	if (r == 0)
		r = root < 0 ? -EBADF : mount_attach(dir, root);
	if (r == 0)
		r = attach_all(m, dir, &opts);
	if (r == 0 && (mkdirat(dir, "merged", 0700) < 0 || fchdir(dir) < 0))
		r = -errno;
	if (r == 0)
		r = mount_at("overlay", "merged", opts.data);
	if (r < 0)
		return r;
	merged = openat(dir, "merged", O_PATH | O_DIRECTORY | O_CLOEXEC);
	mnt = merged < 0 ? -errno : mount_clone(merged, false);
	return mnt < 0 ? mnt : dup3(mnt, m->result, O_CLOEXEC) < 0 ? -errno : 0;
}

/* What the instance wrote itself has the owners as the host counts them. */
static bool is_of_image(const char *name)
{
	return !strncmp(name, "fd:layer/", 9);
}

static int clone_layer(const struct container *c, const char *name, struct err *e)
{
	int fd = source_fd(c, name), mnt = fd < 0 ? fd : mount_clone(fd, false), r;

	if (mnt < 0)
		return err_sys(e, -mnt, "cannot clone %s", name);
	r = c->own_users && is_of_image(name) ? mount_set_idmap(mnt, tree_get(c, "userns"), false) : 0;
	if (r < 0) {
		close(mnt);
		return err_sys(e, -r, "--userns: the file system of %s cannot shift owners", name);
	}
	return mnt;
}

static int merge_aside(const struct container *c, const struct strv *layers, int upper, struct err *e)
{
	autoclose int result = open("/dev/null", O_RDONLY | O_CLOEXEC);
	autoclose int above = upper < 0 ? -1 : openat(upper, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
	autoclose int writable = above < 0 ? -errno : mount_clone(above, false);
	autofree int *mounts = calloc(layers->n, sizeof(*mounts));
	struct merge m = { .layers = mounts, .writable = writable, .result = result };
	int r = !mounts || result < 0 || (upper >= 0 && writable < 0)
			? err_set(e, EBADF, "the writable layer is missing")
			: 0;

	for (; m.n < layers->n && r == 0; m.n++) {
		mounts[m.n] = clone_layer(c, layers->v[m.n], e);
		if (mounts[m.n] < 0) {
			r = mounts[m.n];
			break;
		}
	}
	if (r == 0) {
		r = ns_run_apart(merge_in_child, &m, MERGE_MS);
		if (r < 0)
			err_sys(e, -r, "cannot mount the layers");
	}
	for (size_t i = 0; i < m.n; i++)
		close(mounts[i]);
	return r < 0 ? r : take_fd(&result);
}

/* The writable layer keeps the owners as the host counts them: the overlay writes there with the monitor's
 * rights, which an ID-mapped mount would refuse.  So only its top changes owner. */
static int own_upper(const struct container *c, int upper)
{
	if (!c->own_users)
		return 0;
	return fchownat(upper, "", c->root_uid, c->root_gid, AT_EMPTY_PATH) < 0 ? -errno : 0;
}

static int make(const struct container *c, const struct strv *layers, struct err *e)
{
	AUTO(buf_done) struct buf lower = { 0 };
	int upper = source_fd(c, "fd:upper"), work = source_fd(c, "fd:work"), r;

	if (upper < 0 || work < 0)
		return err_set(e, EBADF, "the writable layer is missing");
	r = own_upper(c, upper);
	if (r < 0)
		return err_sys(e, -r, "cannot change the owner of the writable layer");
	r = name_layers(c, layers, &lower);
	if (r < 0)
		return err_sys(e, -r, "a layer is missing");
	if (c->own_users || lower.len > MAX_VALUE)
		return merge_aside(c, layers, upper, e);
	r = merge_here(lower.data, upper, work);
	return r < 0 ? err_sys(e, -r, "cannot mount the layers") : r;
}

/* Layers that the instance has written and no longer writes, the topmost first. */
static int add_sealed(const struct container *c, struct strv *ret)
{
	size_t n = 0;
	int r = 0;

	while (boot_fd_n(c->boot, "sealed", n) >= 0)
		n++;
	while (n-- && r == 0)
		r = strv_addf(ret, "fd:sealed/%zu", n);
	return r;
}

int overlay_make(const struct container *c, const struct strv *of_image, struct err *e)
{
	AUTO(strv_done) struct strv all = { 0 };

	if (add_sealed(c, &all) < 0 || strv_add_all(&all, of_image) < 0)
		return err_set(e, ENOMEM, "out of memory");
	return make(c, &all, e);
}

/* The image's layers as the boot document has them, topmost first; in a guest one holds them all. */
static int list_layers(const struct container *c, struct strv *ret)
{
	size_t n = 0;
	int r = 0;

	while (boot_fd_n(c->boot, "layer", n) >= 0)
		n++;
	while (n-- && r == 0)
		r = strv_addf(ret, "fd:layer/%zu", n);
	return r;
}

static int merge_lower(const struct container *c, const struct strv *layers, struct err *e)
{
	AUTO(buf_done) struct buf names = { 0 };
	int r;

	if (layers->n == 1) /* an overlay takes one only below a writable layer */
		return clone_layer(c, layers->v[0], e);
	r = name_layers(c, layers, &names);
	if (r < 0)
		return err_sys(e, -r, "a layer is missing");
	if (c->own_users || names.len > MAX_VALUE)
		return merge_aside(c, layers, -1, e);
	r = merge_here(names.data, -1, -1);
	return r < 0 ? err_sys(e, -r, "cannot mount the layers") : r;
}

/* Made anew each time: what is written meanwhile is to be seen. */
int overlay_open_written(struct container *c, struct err *e)
{
	AUTO(strv_done) struct strv layers = { 0 };
	int mnt;

	if (strv_add(&layers, "fd:upper") < 0 || add_sealed(c, &layers) < 0)
		return err_set(e, ENOMEM, "out of memory");
	tree_drop(c, "written");
	if (layers.n == 1)
		return 0;
	mnt = merge_lower(c, &layers, e);
	if (mnt < 0)
		return mnt;
	return tree_add(c, "written", mnt) < 0 ? err_set(e, ENOMEM, "out of memory") : 0;
}

int overlay_open_lower(struct container *c, struct err *e)
{
	AUTO(strv_done) struct strv layers = { 0 };
	int mnt;

	if (tree_get(c, "lower") >= 0)
		return 0;
	if (list_layers(c, &layers) < 0)
		return err_set(e, ENOMEM, "out of memory");
	if (!layers.n)
		return 0;
	mnt = merge_lower(c, &layers, e);
	if (mnt < 0)
		return mnt;
	return tree_add(c, "lower", mnt) < 0 ? err_set(e, ENOMEM, "out of memory") : 0;
}
