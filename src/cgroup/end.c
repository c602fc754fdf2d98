/* end.c - killing what is in cgroups and removing them, frozen, nested or half gone as they may be */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/io.h"
#include "cgroup/cgroup.h"
#include "cgroup/walk.h"
#include "sys/pidfd.h"

#define BATCH 64 /* descriptors of processes open at a time */

static bool has_pid(const struct pidv *pids, pid_t pid)
{
	for (size_t i = 0; i < pids->n; i++)
		if (pids->v[i] == pid)
			return true;
	return false;
}

/* A number may have gone to somebody else since it was read: what is signalled are descriptors, taken first
 * and then found to be still in this cgroup (security.md A13). */
static void signal_some(int dirfd, const pid_t *pids, size_t n, int signo)
{
	AUTO(pidv_done) struct pidv now = { 0 };
	int fds[BATCH];

	for (size_t i = 0; i < n; i++)
		fds[i] = pids[i] == getpid() ? -1 : pidfd_open_pid(pids[i]);
	cgroup_read_procs(dirfd, &now);
	for (size_t i = 0; i < n; i++) {
		if (fds[i] < 0)
			continue;
		if (has_pid(&now, pids[i]))
			pidfd_signal(fds[i], signo);
		close(fds[i]);
	}
}

int cgroup_signal_members(int dirfd, int signo)
{
	AUTO(pidv_done) struct pidv pids = { 0 };
	int r = cgroup_read_procs(dirfd, &pids);

	if (r < 0 || !pids.n)
		return r;
	if (signo == SIGKILL && write_existing(dirfd, "cgroup.kill", "1") == 0) /* v2, Linux 5.14 */
		return (int)pids.n;
	for (size_t i = 0; i < pids.n; i += BATCH)
		signal_some(dirfd, pids.v + i, pids.n - i < BATCH ? pids.n - i : BATCH, signo);
	return (int)pids.n;
}

/* A frozen process dies only when it is thawed. */
static void thaw(int dirfd)
{
	write_existing(dirfd, "freezer.state", "THAWED"); /* v1; elsewhere the file is missing */
	write_existing(dirfd, "cgroup.freeze", "0"); /* v2 */
}

/* Returns -EBUSY while there are processes. */
static int kill_members(int dirfd, const char *name, int parent, void *ctx)
{
	int r = cgroup_signal_members(dirfd, SIGKILL);

	thaw(dirfd);
	return r > 0 ? -EBUSY : r;
}

static int remove_one(int dirfd, const char *name, int parent, void *ctx)
{
	return unlinkat(parent, name, AT_REMOVEDIR) < 0 && errno != ENOENT ? -errno : 0;
}

void cgroup_kill(const struct strv *dirs)
{
	cgroup_walk(dirs, kill_members, NULL);
}

/* Those that are empty and have none below: mostly all. */
static bool remove_empty(const struct strv *dirs)
{
	bool all = true;

	for (size_t i = 0; i < dirs->n; i++)
		all &= rmdir(dirs->v[i]) == 0 || errno == ENOENT;
	return all;
}

int cgroup_kill_and_remove(const struct strv *dirs, struct err *e)
{
	int64_t end = clock_mono_ns() + CGROUP_DEADLINE_MS * (NS_PER_S / 1000);
	int wait_ms = 1, r;

	if (remove_empty(dirs))
		return 0;
	while ((r = cgroup_walk(dirs, remove_one, NULL)) < 0 && clock_mono_ns() < end) {
		cgroup_kill(dirs);
		/* cgroups cannot be polled for "gone": a dying process leaves them a little after its parent
		 * has heard of the end */
		poll(NULL, 0, wait_ms);
		wait_ms = wait_ms < 100 ? wait_ms * 2 : 100;
	}
	return r < 0 ? err_sys(e, -r, "cannot remove the cgroups of the instance") : 0;
}

static int add_dir(struct strv *dirs, const char *base, const char *parent, const char *id)
{
	autofree char *dir = str_printf("%s%s/%s", base, parent ? parent : CGROUP_PARENT, id);

	if (!dir)
		return -ENOMEM;
	return strv_has(dirs, dir) ? 0 : strv_add(dirs, dir);
}

int cgroup_clear(const struct host_facts *h, const char *parent, const char *id, struct err *e)
{
	AUTO(strv_done) struct strv dirs = { 0 };
	int r = h->cgroup2 ? add_dir(&dirs, h->cgroup2, parent, id) : 0;

	for (size_t i = 0; i < h->cgroups.n && r == 0; i++)
		r = add_dir(&dirs, strchr(h->cgroups.v[i], '=') + 1, parent, id);
	return r < 0 ? err_set(e, ENOMEM, "out of memory") : cgroup_kill_and_remove(&dirs, e);
}
