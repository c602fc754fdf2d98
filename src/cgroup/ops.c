/* ops.c - a container's cgroups by their record: directories and processes */
#include "cgroup/ops.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "base/io.h"
#include "cgroup/systemd.h"

const char *cgroup_record_dir(const struct strv *record, const char *controller, bool *ret_v2)
{
	const char *dir = strv_env_get(record, controller);

	*ret_v2 = !dir || !strcmp(controller, "unified");
	return dir ? dir : strv_env_get(record, "unified");
}

int cgroup_record_dirs(const struct strv *record, struct strv *ret)
{
	int r = 0;

	for (size_t i = 0; i < record->n && r == 0; i++) {
		const char *eq = strchr(record->v[i], '=');

		if (eq && eq[1] == '/' && !strv_has(ret, eq + 1))
			r = strv_add(ret, eq + 1);
	}
	return r;
}

static int read_procs(int dirfd, const char *name, int parent, void *ctx)
{
	return cgroup_read_procs(dirfd, ctx);
}

int cgroup_has_processes(const struct strv *dirs)
{
	AUTO(pidv_done) struct pidv pids = { 0 };
	int r = cgroup_walk(dirs, read_procs, &pids);

	return r < 0 ? r : pids.n > 0;
}

static int compare_pids(const void *a, const void *b)
{
	pid_t x = *(const pid_t *)a, y = *(const pid_t *)b;

	return (x > y) - (x < y);
}

/* One hierarchy tells: every process of the container is in all of them. */
static int main_dir(const struct strv *record, struct strv *ret)
{
	static const char *const best_first[] = { "unified", "freezer", "pids", "memory", "devices" };

	for (size_t i = 0; i < ARRAY_LEN(best_first); i++) {
		const char *dir = strv_env_get(record, best_first[i]);

		if (dir)
			return strv_add(ret, dir);
	}
	for (size_t i = 0; i < record->n; i++)
		if (strstr(record->v[i], "=/"))
			return strv_add(ret, strchr(record->v[i], '=') + 1);
	return 0;
}

int cgroup_pids(const struct strv *record, struct pidv *ret)
{
	AUTO(strv_done) struct strv dir = { 0 };
	AUTO(pidv_done) struct pidv pids = { 0 };
	int r = main_dir(record, &dir);
	size_t hidden = 0;

	if (r == 0)
		r = cgroup_walk(&dir, read_procs, &pids);
	if (r < 0)
		return r;
	if (pids.n)
		qsort(pids.v, pids.n, sizeof(*pids.v), compare_pids);
	while (hidden < pids.n && !pids.v[hidden])
		hidden++;
	pids.n -= hidden;
	if (hidden)
		memmove(pids.v, pids.v + hidden, pids.n * sizeof(*pids.v));
	*ret = pids;
	pids = (struct pidv){ 0 };
	return 0;
}

static int signal_members(int dirfd, const char *name, int parent, void *ctx)
{
	int r = cgroup_signal_members(dirfd, *(int *)ctx);

	return r < 0 ? r : 0;
}

static int count_members(int dirfd, const char *name, int parent, void *ctx)
{
	AUTO(pidv_done) struct pidv pids = { 0 };
	int r = cgroup_read_procs(dirfd, &pids);

	*(int *)ctx += (int)pids.n;
	return r;
}

int cgroup_signal_all(const struct strv *record, int signo, struct err *e)
{
	AUTO(strv_done) struct strv dir = { 0 };
	bool was_frozen = cgroup_is_frozen(record) == 1;
	int r = main_dir(record, &dir), n = 0;

	/* no freezer, or one that does not succeed: the signal goes out all the same */
	if (!was_frozen)
		cgroup_freeze(record, NULL);
	if (r == 0)
		r = cgroup_walk(&dir, count_members, &n);
	if (r == 0)
		r = cgroup_walk(&dir, signal_members, &signo);
	if (!was_frozen || signo == SIGKILL)
		cgroup_thaw(record, NULL);
	return r < 0 ? err_sys(e, -r, "cannot signal the processes of the cgroup") : n;
}

int cgroup_record_remove(const struct strv *record, struct err *e)
{
	const char *scope = strv_env_get(record, "scope"), *user = strv_env_get(record, "user-scope");
	AUTO(strv_done) struct strv dirs = { 0 };

	if (cgroup_record_dirs(record, &dirs) < 0)
		return err_set(e, ENOMEM, "out of memory");
	if (scope || user) {
		/* killed first: systemd would ask them to end, and wait.  Where it cannot be asked, the cgroup's removal
		 * ends the unit as well */
		cgroup_kill(&dirs);
		systemd_scope_stop(scope ? scope : user, !scope, NULL);
	}
	return cgroup_kill_and_remove(&dirs, e);
}

/* --- joining */

/* How /proc names the directory: its longest end that the path of `init` begins with tells where init is below it. */
static char *dir_of_init(const char *dir, pid_t init)
{
	autofree char *file = str_printf("/proc/%d/cgroup", (int)init);
	AUTO(buf_done) struct buf b = { 0 };
	char *path, *end;

	if (!file || read_file(AT_FDCWD, file, 65536, &b) < 0 || !b.data)
		return NULL;
	path = strncmp(b.data, "0::", 3) ? strstr(b.data, "\n0::") : b.data - 1;
	if (!path)
		return NULL;
	path += strlen("\n0::");
	end = strchr(path, '\n');
	if (end)
		*end = '\0';
	for (const char *tail = dir; tail && tail[1]; tail = strchr(tail + 1, '/')) {
		size_t n = strlen(tail);

		if (!strncmp(path, tail, n) && (path[n] == '/' || !path[n]))
			return str_printf("%s%s", dir, path + n);
	}
	return NULL;
}

/* Has it controllers in its children? */
static bool hands_down(int dirfd)
{
	AUTO(buf_done) struct buf b = { 0 };

	return read_file(dirfd, "cgroup.subtree_control", 4096, &b) == 0 && b.len > 1;
}

int cgroup_open_of(const char *dir, pid_t pid)
{
	autofree char *other = dir_of_init(dir, pid);
	int fd = other ? open(other, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -ENOENT;

	return fd == -1 ? -errno : fd;
}

static int follow_init(struct cgroups *cg, const char *dir, pid_t init)
{
	int fd = init > 0 && hands_down(cg->unified) ? cgroup_open_of(dir, init) : -ENOENT;

	if (fd == -ENOENT)
		return 0;
	if (fd < 0)
		return fd;
	close(cg->unified);
	cg->unified = fd;
	return 0;
}

int cgroups_open(const struct strv *record, pid_t init, struct cgroups *ret, struct err *e)
{
	const char *unified = strv_env_get(record, "unified");
	AUTO(cgroups_done) struct cgroups cg = CGROUPS_INIT;
	AUTO(strv_done) struct strv dirs = { 0 };
	int r = cgroup_record_dirs(record, &dirs);

	if (r == 0)
		r = strv_copy(&cg.by_controller, record);
	for (size_t i = 0; i < dirs.n && r == 0; i++) {
		r = cgroups_open_dir(&cg, dirs.v[i], unified && !strcmp(dirs.v[i], unified));
		/* with a process in it none can be removed: it never was, for who made the container had no right to */
		if (r == -ENOENT)
			r = 0;
	}
	if (r == 0 && cg.unified >= 0)
		r = follow_init(&cg, unified, init);
	if (r < 0)
		return err_sys(e, -r, "cannot open the container's cgroups");
	*ret = cg;
	cg = (struct cgroups)CGROUPS_INIT;
	return 0;
}
