/* end.c - killing what is in cgroups and removing them, frozen, nested or half gone as they may be */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/io.h"
#include "base/parse.h"
#include "cgroup/cgroup.h"
#include "sys/pidfd.h"

#define DEPTH 32 /* of cgroups that a privileged container may have made in its own */

typedef int visit_fn(int dirfd, const char *name, int parent);

/* Calls fn for the cgroup `name` of parent and all below it, the deepest first.  The first error, or 0. */
static int for_each_below(int parent, const char *name, int depth, visit_fn *fn)
{
	int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW), r = 0, k;
	struct dirent *de;
	DIR *d;

	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	d = depth ? fdopendir(fd) : NULL;
	if (!d) {
		close(fd);
		return -ELOOP;
	}
	while ((de = readdir(d))) {
		if (de->d_type != DT_DIR || de->d_name[0] == '.')
			continue;
		k = for_each_below(fd, de->d_name, depth - 1, fn);
		r = r ? r : k;
	}
	k = fn(fd, name, parent);
	closedir(d);
	return r ? r : k;
}

static int for_each(const struct strv *dirs, visit_fn *fn)
{
	int r = 0;

	for (size_t i = 0; i < dirs->n; i++) {
		int k = for_each_below(AT_FDCWD, dirs->v[i], DEPTH, fn);

		r = r ? r : k;
	}
	return r;
}

/* A frozen process dies only when it is thawed. */
static int thaw(int dirfd, const char *name, int parent)
{
	write_existing(dirfd, "freezer.state", "THAWED"); /* v1; elsewhere the file is missing */
	write_existing(dirfd, "cgroup.freeze", "0"); /* v2 */
	return 0;
}

static bool lists_pid(int dirfd, uint32_t pid)
{
	AUTO(buf_done) struct buf b = { 0 };
	AUTO(strv_done) struct strv lines = { 0 };
	uint32_t other;

	if (read_file(dirfd, "cgroup.procs", 1 << 24, &b) < 0 || !b.data ||
	    strv_split(&lines, b.data, "\n") < 0)
		return false;
	for (size_t i = 0; i < lines.n; i++)
		if (parse_u32(lines.v[i], &other) == 0 && other == pid)
			return true;
	return false;
}

/* The number may have gone to somebody else since it was read: what is signalled is a descriptor, taken first
 * and then found to be still in this cgroup (security.md A13). */
static void kill_listed(int dirfd, uint32_t pid)
{
	autoclose int fd = pidfd_open_pid((pid_t)pid);

	if (fd >= 0 && pid != (uint32_t)getpid() && lists_pid(dirfd, pid))
		pidfd_signal(fd, SIGKILL);
}

/* Returns -EBUSY while there are processes. */
static int kill_members(int dirfd, const char *name, int parent)
{
	AUTO(buf_done) struct buf b = { 0 };
	AUTO(strv_done) struct strv lines = { 0 };
	uint32_t pid;
	int r;

	r = read_file(dirfd, "cgroup.procs", 1 << 24, &b);
	if (r < 0 || !b.len)
		return r == -ENODEV || r == -ENOENT ? 0 : r; /* removed meanwhile */
	if (write_existing(dirfd, "cgroup.kill", "1") == 0) /* v2, Linux 5.14 */
		return -EBUSY;
	r = strv_split(&lines, b.data, "\n");
	for (size_t i = 0; i < lines.n && r == 0; i++)
		if (parse_u32(lines.v[i], &pid) == 0)
			kill_listed(dirfd, pid);
	return -EBUSY;
}

static int remove_one(int dirfd, const char *name, int parent)
{
	return unlinkat(parent, name, AT_REMOVEDIR) < 0 && errno != ENOENT ? -errno : 0;
}

void cgroup_kill(const struct strv *dirs)
{
	for_each(dirs, thaw);
	for_each(dirs, kill_members);
}

int cgroup_kill_and_remove(const struct strv *dirs, struct err *e)
{
	int64_t end = clock_mono_ns() + CGROUP_DEADLINE_MS * (NS_PER_S / 1000);
	int wait_ms = 1, r;

	/* mostly they are empty already */
	while ((r = for_each(dirs, remove_one)) < 0 && clock_mono_ns() < end) {
		cgroup_kill(dirs);
		/* cgroups cannot be polled for "gone": a dying process leaves them a little after its parent
		 * has heard of the end */
		poll(NULL, 0, wait_ms);
		wait_ms = wait_ms < 100 ? wait_ms * 2 : 100;
	}
	return r < 0 ? err_sys(e, -r, "cannot remove the cgroups of the instance") : 0;
}

int cgroup_clear(const struct host_facts *h, const char *id, struct err *e)
{
	AUTO(strv_done) struct strv dirs = { 0 };

	for (size_t i = 0; i < h->cgroups.n; i++) {
		const char *eq = strchr(h->cgroups.v[i], '=');
		autofree char *dir = eq ? str_printf("%s/ketch/%s", eq + 1, id) : NULL;

		if (dir && !strv_has(&dirs, dir) && strv_add(&dirs, dir) < 0)
			return err_set(e, ENOMEM, "out of memory");
	}
	return cgroup_kill_and_remove(&dirs, e);
}
