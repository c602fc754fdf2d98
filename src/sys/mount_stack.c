/* mount_stack.c - directories stacked by overlayfs into one read-only mount
 *
 * In a child with a mount namespace of its own, under names short enough for mount(2)'s one page of options.
 */
#include "sys/mount_stack.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/buf.h"
#include "sys/mount.h"
#include "sys/ns.h"

/* Layers are foreign data: an xattr in them must not send a lookup elsewhere.  xino: one st_dev for all of them. */
#define OPTIONS	 ",redirect_dir=nofollow,metacopy=off,index=off,xino=on"
#define STACK_MS 10000

struct stack {
	int *mounts;
	size_t n;
	int result; /* a descriptor that becomes the result: the child shares our table */
};

static int place(int dir, const char *name, int mnt)
{
	autoclose int at = -1;

	if (mkdirat(dir, name, 0700) < 0)
		return -errno;
	at = openat(dir, name, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return at < 0 ? -errno : mount_attach(mnt, at);
}

static int place_all(const struct stack *s, int dir, struct buf *opts)
{
	int r = 0;

	buf_adds(opts, "lowerdir=");
	for (size_t i = s->n; i > 0 && r == 0; i--) { /* overlay wants the uppermost first */
		char name[24];

		snprintf(name, sizeof(name), "%zu", i);
		r = place(dir, name, s->mounts[i - 1]);
		buf_addf(opts, "%s:", name);
	}
	/* an empty one below all: overlay wants two, and whiteouts of the lowest must go, too */
	buf_adds(opts, "empty" OPTIONS);
	if (r == 0 && (mkdirat(dir, "empty", 0755) < 0 || mkdirat(dir, "merged", 0755) < 0))
		r = -errno;
	return r == 0 && !buf_ok(opts) ? -ENOMEM : r;
}

/* In the child.  Closes all it opens. */
static int stack_in_child(const void *arg)
{
	const struct stack *s = arg;
	AUTO(buf_done) struct buf opts = { 0 };
	autoclose int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	autoclose int dir = mount_new("tmpfs", "mode=0700", 0), merged = -1, mnt = -1;
	int r = dir < 0 ? dir : mount_set_all(MS_PRIVATE);

	if (r == 0)
		r = root < 0 ? -EBADF : mount_attach(dir, root);
	if (r == 0)
		r = place_all(s, dir, &opts);
	if (r == 0 && fchdir(dir) < 0)
		r = -errno;
	if (r == 0)
		r = mount_at("overlay", "merged", opts.data);
	if (r < 0)
		return r;
	merged = openat(dir, "merged", O_PATH | O_DIRECTORY | O_CLOEXEC);
	mnt = merged < 0 ? -errno : mount_clone(merged, false);
	return mnt < 0 ? mnt : dup3(mnt, s->result, O_CLOEXEC) < 0 ? -errno : 0;
}

int mount_stack(const int *dirs, size_t n)
{
	autofree int *mounts = calloc(n + 1, sizeof(*mounts));
	autoclose int result = open("/dev/null", O_RDONLY | O_CLOEXEC);
	struct stack s = { .mounts = mounts, .result = result };
	int r = !mounts ? -ENOMEM : result < 0 ? -errno : 0;

	for (; s.n < n && r == 0; s.n += r == 0) {
		mounts[s.n] = mount_clone(dirs[s.n], false);
		r = mounts[s.n] < 0 ? mounts[s.n] : 0;
	}
	if (r == 0)
		r = ns_run_apart(stack_in_child, &s, STACK_MS);
	for (size_t i = 0; i < s.n; i++)
		close(mounts[i]);
	return r < 0 ? r : take_fd(&result);
}

int mount_stack_try(const int dirs[2])
{
	autoclose int cwd = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC), mnt = -1;
	char opts[80];

	snprintf(opts, sizeof(opts), "lowerdir=%d:%d", dirs[0], dirs[1]);
	if (cwd < 0 || chdir("/proc/self/fd") < 0)
		return -errno;
	mnt = mount_new("overlay", opts, 0);
	return fchdir(cwd) < 0 ? -errno : mnt < 0 ? mnt : 0;
}
