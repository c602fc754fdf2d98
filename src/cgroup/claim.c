/* claim.c - of two who make a container in the same cgroup at the same moment, one has it
 *
 * The lock is flock(2) on the directory, which is the one thing that all makers see, whatever state directories, mounts
 * and network they have.  It is held until there are processes in the cgroup, which tell whose it is from then on, and
 * by whoever removes a cgroup that it may share.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/clock.h"
#include "cgroup/ops.h"

#define LEAVE_MS 2000 /* for processes that are dying */
#define TRIES	 100 /* each time somebody else has removed it meanwhile */

static bool is_still(int fd, const char *dir)
{
	struct stat opened, named;

	return fstat(fd, &opened) == 0 && stat(dir, &named) == 0 && opened.st_ino == named.st_ino &&
	       opened.st_dev == named.st_dev;
}

/* The locked directory; -EBUSY: somebody else has it; -ENOENT. */
static int lock(const char *dir)
{
	autoclose int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		return errno == EWOULDBLOCK ? -EBUSY : -errno;
	return is_still(fd, dir) ? take_fd(&fd) : -ENOENT; /* removed before it was locked */
}

int cgroup_claim(struct cgroups *cg, const char *dir, struct err *e)
{
	int fd = -ENOENT;

	if (cg->claim.held)
		return 0;
	for (int tries = 0; tries < TRIES && fd == -ENOENT; tries++) {
		int r = cgroup_make_dirs(dir);

		fd = r < 0 ? r : lock(dir);
	}
	if (fd == -EBUSY)
		return err_set(e, EBUSY, "this cgroup is in use: another container is being made in it");
	if (fd < 0)
		return err_sys(e, -fd, "cannot make the cgroup");
	cg->claim.fd = fd;
	return 0;
}

void cgroup_claim_done(struct cgroup_claim *c)
{
	if (c->fd >= 0)
		close(c->fd);
	*c = CGROUP_CLAIM_INIT;
}

static int remove_empty(int dirfd, const char *name, int parent, void *ctx)
{
	return unlinkat(parent, name, AT_REMOVEDIR) < 0 && errno != ENOENT ? -errno : 0;
}

int cgroup_record_leave(const struct strv *record)
{
	int64_t end = clock_mono_ns() + LEAVE_MS * (NS_PER_S / 1000);
	AUTO(strv_done) struct strv dirs = { 0 };
	autoclose int fd = -1;
	int r = cgroup_record_dirs(record, &dirs), wait_ms = 1;

	if (r < 0 || !dirs.n)
		return r;
	for (;;) {
		if (fd < 0)
			fd = lock(dirs.v[0]); /* a process that is dying may still have it from its maker */
		r = fd == -EBUSY ? -EBUSY : cgroup_walk(&dirs, remove_empty, NULL);
		if (r == 0 || clock_mono_ns() >= end)
			return r;
		poll(NULL, 0, wait_ms); /* as in cgroup_kill_and_remove */
		wait_ms = wait_ms < 100 ? wait_ms * 2 : 100;
	}
}
