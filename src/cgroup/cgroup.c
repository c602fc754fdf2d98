/* cgroup.c - making, joining and reading the cgroups of one instance */
#include "cgroup/cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/io.h"
#include "base/parse.h"
#include "cgroup/systemd.h"

static int open_tasks(struct cgroups *cg, const char *dir)
{
	autofree char *path = str_printf("%s/tasks", dir);
	int *tasks = reallocarray(cg->tasks, cg->n_tasks + 1, sizeof(*tasks));
	int fd;

	if (tasks)
		cg->tasks = tasks;
	if (!path || !tasks)
		return -ENOMEM;
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	cg->tasks[cg->n_tasks++] = fd;
	return 0;
}

static int open_unified(struct cgroups *cg, const char *dir)
{
	cg->unified = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return cg->unified < 0 ? -errno : 0;
}

int cgroups_open_dir(struct cgroups *cg, const char *dir, bool v2)
{
	return v2 ? open_unified(cg, dir) : open_tasks(cg, dir);
}

/* mkdir -p; a hierarchy's root is there, so this ends. */
int cgroup_make_dirs(const char *dir)
{
	autofree char *parent = NULL;
	int r;

	if (mkdir(dir, 0755) == 0 || errno == EEXIST)
		return 0;
	if (errno != ENOENT)
		return -errno;
	parent = strndup(dir, (size_t)(strrchr(dir, '/') - dir));
	if (!parent || !*parent)
		return parent ? -ENOENT : -ENOMEM;
	r = cgroup_make_dirs(parent);
	if (r < 0)
		return r;
	return mkdir(dir, 0755) < 0 && errno != EEXIST ? -errno : 0;
}

static int read_in_dir(const char *dir, const char *file, struct buf *b)
{
	autofree char *path = str_printf("%s/%s", dir, file);

	return path ? read_file(AT_FDCWD, path, 65536, b) : -ENOMEM;
}

/* v1: a new cpuset is empty, and nobody can enter it; it gets what its parent has, which may be new as well. */
static int inherit_cpuset(const char *dir, const char *file, struct buf *ret)
{
	autofree char *parent = strdup(dir), *path = str_printf("%s/%s", dir, file);
	int r = parent && path ? read_in_dir(dir, file, ret) : -ENOMEM;

	if (r < 0 || (ret->len && *ret->data != '\n'))
		return r;
	buf_drop(ret, ret->len);
	*strrchr(parent, '/') = '\0';
	r = inherit_cpuset(parent, file, ret);
	return r < 0 ? r : write_existing(AT_FDCWD, path, ret->data);
}

static int prepare_cpuset(const char *dir)
{
	AUTO(buf_done) struct buf cpus = { 0 }, mems = { 0 };
	int r = inherit_cpuset(dir, "cpuset.cpus", &cpus);

	return r < 0 ? r : inherit_cpuset(dir, "cpuset.mems", &mems);
}

int cgroup_make(struct cgroups *cg, const char *dir, const char *controllers, bool v2, struct err *e)
{
	AUTO(strv_done) struct strv names = { 0 };
	int r = cgroup_make_dirs(dir);

	if (r < 0)
		return err_sys(e, -r, "cannot make the cgroup");
	r = strv_split(&names, controllers, ",");
	for (size_t i = 0; i < names.n && r == 0; i++)
		r = strv_addf(&cg->by_controller, "%s=%s", names.v[i], dir);
	if (r == 0 && !v2 && strv_has(&names, "cpuset"))
		r = prepare_cpuset(dir);
	if (r == 0)
		r = cgroups_open_dir(cg, dir, v2);
	return r < 0 ? err_sys(e, -r, "cannot use the cgroup") : 0;
}

static bool has_word(const char *list, const char *word)
{
	size_t n = strlen(word);

	for (const char *p = list; (p = strstr(p, word)); p += n)
		if ((p == list || p[-1] == ' ') && (!p[n] || p[n] == ' ' || p[n] == '\n'))
			return true;
	return false;
}

/* Only what is missing is written: writing waits until removed siblings are gone for good, reading does not. */
int cgroup_enable(const char *dir, const char *controllers, struct err *e)
{
	autofree char *file = str_printf("%s/cgroup.subtree_control", dir);
	AUTO(strv_done) struct strv names = { 0 };
	AUTO(buf_done) struct buf have = { 0 }, want = { 0 };
	int r;

	if (!file)
		return err_set(e, ENOMEM, "out of memory");
	if (mkdir(dir, 0755) < 0 && errno != EEXIST)
		return err_sys(e, errno, "cannot make the cgroup");
	r = read_file(AT_FDCWD, file, 4096, &have);
	if (r == 0)
		r = strv_split(&names, controllers, " ");
	for (size_t i = 0; i < names.n && r == 0; i++)
		if (!has_word(have.data ? have.data : "", names.v[i] + 1))
			buf_addf(&want, "%s%s", want.len ? " " : "", names.v[i]);
	if (r == 0 && want.len)
		r = buf_ok(&want) ? write_existing(AT_FDCWD, file, want.data) : -ENOMEM;
	return r < 0 ? err_sys(e, -r, "cannot enable controllers") : 0;
}

/* "tasks", not "cgroup.procs": a single thread that moves itself spares the kernel (since 5.4) the lock over all
 * forks, whose cold taking waits for an RCU grace period (11 ms). */
int cgroup_enter(const struct cgroups *cg)
{
	for (size_t i = 0; i < cg->n_tasks; i++)
		if (write(cg->tasks[i], "0", 1) < 0)
			return -errno;
	return 0;
}

void cgroups_done(struct cgroups *cg)
{
	for (size_t i = 0; i < cg->n_tasks; i++)
		close(cg->tasks[i]);
	free(cg->tasks);
	if (cg->unified >= 0)
		close(cg->unified);
	systemd_holder_end(cg);
	cgroup_claim_done(&cg->claim);
	strv_done(&cg->by_controller);
	*cg = (struct cgroups)CGROUPS_INIT;
}
