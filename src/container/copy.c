/* copy.c - files go into the container, or come out of it, by a process of ours that has joined it
 *
 * It sees what the container sees: its mounts, its volumes, its user IDs.  It runs no code and loads no library of the
 * image (security.md A10), keeps nothing open but its streams and the root, and has no capability that files do not
 * ask for.  Paths are walked below the root only (files/place.h).  What is asked of the whole root is answered from a
 * copy of its mount (changes.h).
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/io.h"
#include "container/changes.h"
#include "container/container_int.h"
#include "files/receive.h"
#include "files/send.h"
#include "instance/file_request.h"
#include "sys/mount.h"

enum { STATUS_FAILED = 1 };

#define COPY_CAPS (1ULL << CAP_CHOWN | 1ULL << CAP_DAC_OVERRIDE | 1ULL << CAP_FOWNER | 1ULL << CAP_FSETID)

/* A layer has device nodes and capabilities of files, too. */
#define LAYER_CAPS (COPY_CAPS | 1ULL << CAP_SETFCAP | 1ULL << CAP_MKNOD)

/* The report's end without a word: everything is as it was asked for, the bytes begin. */
static void begin(const struct launch *l)
{
	close(l->report);
}

static __attribute__((noreturn)) void end(int r, const struct err *e)
{
	if (r < 0)
		write_full(STDERR_FILENO, e->msg,
			   strlen(e->msg)); /* if nobody listens, nobody wants to know */
	_exit(r < 0 ? STATUS_FAILED : 0);
}

static bool is_root(const struct container *c, const struct place *p)
{
	struct stat root, st;

	return fstat(c->root, &root) == 0 && fstatat(p->dir_fd, p->name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	       st.st_dev == root.st_dev && st.st_ino == root.st_ino;
}

static int send_files(const struct container *c, const struct launch *l, struct err *e)
{
	const struct file_request *rq = l->copy->request;
	AUTO(place_done) struct place from = { .dir_fd = -1 };
	char as[PATH_NAME_MAX + 1];
	int r = place_name(rq->path, as);

	if (r == 0)
		r = place_find(c->root, rq->path, rq->follow, &from);
	if (r == 0)
		r = files_check(&from);
	if (r < 0)
		return err_sys(e, -r, "%.200s", rq->path);
	begin(l);
	if (is_root(c, &from))
		r = files_send_root(&from, as, STDOUT_FILENO, e);
	else
		r = files_send(&from, as, STDOUT_FILENO, e);
	end(r, e);
}

static int receive_files(const struct container *c, const struct launch *l, struct err *e)
{
	const struct file_request *rq = l->copy->request;
	const struct reception rc = { .in_fd = STDIN_FILENO,
				      .archive = rq->archive,
				      .flags = rq->keep_owner ? RESTORE_OWNER | RESTORE_SETID : 0 };
	AUTO(destination_done) struct destination to = { .place = { .dir_fd = -1 } };
	int r = files_find_destination(c->root, rq->path, &to, e);

	if (r < 0)
		return r;
	begin(l);
	r = files_receive(&to, &rc, e);
	end(r, e);
}

/* The root as the container's writes made it: nothing that is mounted in it covers anything. */
static int clone_root(const struct container *c, struct err *e)
{
	int fd = mount_clone(c->root, false);

	return fd < 0 ? err_sys(e, -fd, "cannot see the root without its mounts") : fd;
}

/* root is an O_PATH descriptor.  A machine that is slow to go may be killed. */
static int sync_all(int root, struct err *e)
{
	autoclose int dir = openat(root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return dir < 0 || syncfs(dir) < 0 ? err_sys(e, errno, "it cannot be made durable") : 0;
}

/* A layer that another instance has written is written here: on top of the image, below what is mounted. */
static int receive_layer(const struct container *c, const struct launch *l, struct err *e)
{
	const struct reception rc = { .in_fd = STDIN_FILENO,
				      .archive = true,
				      .flags = RESTORE_OWNER | RESTORE_SETID | RESTORE_TOP | RESTORE_LAYER };
	autoclose int root = clone_root(c, e);
	const struct destination to = { .place = { .dir_fd = root, .name = "." }, .kind = TO_DIRECTORY };
	int keep[] = { l->report, root }, r = root < 0 ? root : 0;

	if (r == 0)
		r = ours_become(l, keep, ARRAY_LEN(keep), LAYER_CAPS, e);
	if (r < 0)
		return r;
	begin(l);
	r = files_receive(&to, &rc, e);
	if (r == 0)
		r = sync_all(root, e);
	end(r, e);
}

/* --- FILES_HOLD */

/* The file system of the writable layer, where it is the instance's alone: a guest has merged the root itself. */
static int own_disk(const struct container *c, int *ret_fd)
{
	int upper = boot_fd(c->boot, "upper");

	*ret_fd = upper < 0 ? -1 : openat(upper, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return boot_fd(c->boot, "rootfs") >= 0;
}

/* Its processes stand still already.  A guest's disk is frozen, so that its file is whole at any moment from now on. */
static int stop_writes(const struct container *c, struct err *e)
{
	autoclose int disk = -1;
	bool own = own_disk(c, &disk);

	if (disk < 0)
		return err_set(e, EBADF, "the writable layer is missing");
	if ((own ? ioctl(disk, FIFREEZE, 0) : syncfs(disk)) < 0)
		return err_sys(e, errno, "its files cannot be made durable");
	return 0;
}

void copy_thaw(const struct container *c)
{
	autoclose int disk = -1;

	if (own_disk(c, &disk) && disk >= 0)
		ioctl(disk, FITHAW, 0); /* EINVAL: it was not frozen */
}

static int hold_writes(const struct container *c, const struct launch *l, struct err *e)
{
	int keep[] = { l->report }, r = stop_writes(c, e);
	char unused[64];

	if (r == 0)
		r = ours_become(l, keep, 1, 0, e);
	if (r < 0)
		return r;
	begin(l);
	while (read(STDIN_FILENO, unused, sizeof(unused)) > 0)
		;
	end(0, e);
}

/* --- the whole root */

static int send_tree(const struct launch *l, const struct views *v, struct err *e)
{
	int r;

	begin(l);
	if (l->copy->request->kind == FILES_TREE)
		r = files_send_below(v->merged, STDOUT_FILENO, e);
	else if (l->copy->request->kind == FILES_CHANGES)
		r = changes_list(v, l->copy->request->stamps, STDOUT_FILENO, e);
	else
		r = changes_send(v, STDOUT_FILENO, e);
	end(r, e);
}

/* Where its writes are. */
static int written(const struct container *c)
{
	int all = tree_get(c, "written");

	return all < 0 ? boot_fd(c->boot, "upper") : all;
}

static int tree_become(const struct container *c, const struct launch *l, struct err *e)
{
	struct views v = { clone_root(c, e), written(c), tree_get(c, "lower") };
	int keep[] = { l->report, v.merged, v.upper, v.lower };
	size_t n = v.lower < 0 ? 3 : 4;
	int r = v.merged < 0 ? v.merged : 0;

	if (r == 0 && v.upper < 0)
		r = err_set(e, EBADF, "the writable layer is missing");
	if (r == 0)
		r = ours_become(l, keep, n, COPY_CAPS, e);
	return r < 0 ? r : send_tree(l, &v, e);
}

/* Those of files are set only where the owners of the archive are kept. */
static uint64_t copy_caps(const struct file_copy *cp)
{
	return COPY_CAPS | (cp->in && cp->request->keep_owner ? 1ULL << CAP_SETFCAP : 0);
}

int copy_become(const struct container *c, const struct launch *l, int *ret_status, struct err *e)
{
	int keep[] = { l->report, c->root }, r;

	*ret_status = STATUS_FAILED;
	if (l->copy->request->kind == FILES_HOLD)
		return hold_writes(c, l, e);
	if (l->copy->request->kind == FILES_LAYER && l->copy->in)
		return receive_layer(c, l, e);
	if (l->copy->request->kind != FILES_COPY)
		return tree_become(c, l, e);
	r = ours_become(l, keep, ARRAY_LEN(keep), copy_caps(l->copy), e);
	if (r < 0)
		return r;
	return l->copy->in ? receive_files(c, l, e) : send_files(c, l, e);
}
