/* audit.c - what is left of instances that nobody stands behind, from the kernel's own lists
 *
 * An instance is alive while its lock is held, which we can ask of those of this store, or while a process has it open
 * (truth.c).  Whatever bears the id of another is left over:
 * processes with files of it, mounts, loop devices, cgroups, its run directory.  First what may be left is listed, then
 * who is alive, and last what has gone meanwhile is dropped: so one that begins or ends under way is never named.
 */
#include "engine/audit.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/io.h"
#include "cgroup/cgroup.h"
#include "engine/audit_int.h"
#include "engine/engine_int.h"
#include "sys/mountinfo.h"
#include "sys/process_info.h"

#define MAX_LINK     4096
#define MAX_MOUNTS   (16 << 20)
#define INSTANCES    "/instances/"
#define LOCK_OF_LINK "/lock"

const char *audit_id_at(const char *text, char id[AUDIT_ID_LEN + 1])
{
	if (strspn(text, "0123456789abcdef") != AUDIT_ID_LEN)
		return NULL;
	memcpy(id, text, AUDIT_ID_LEN);
	id[AUDIT_ID_LEN] = '\0';
	return text + AUDIT_ID_LEN;
}

/* The id in a path below the directories of instances, or what runs. */
static bool id_of_path(const struct audit *a, const char *path, char id[AUDIT_ID_LEN + 1])
{
	const char *const tops[] = { a->instances, a->run };

	for (size_t i = 0; i < ARRAY_LEN(tops); i++)
		if (!strncmp(path, tops[i], strlen(tops[i])) && audit_id_at(path + strlen(tops[i]), id))
			return true;
	return false;
}

void audit_suspect_take(struct audit *a, const char *id, const char *path, char *what)
{
	struct suspect *s = reallocarray(a->suspects, a->n + 1, sizeof(*s)), *new;

	if (s)
		a->suspects = s;
	if (!s || !what) {
		free(what);
		a->oom = true;
		return;
	}
	new = &s[a->n++];
	*new = (struct suspect){ .path = strdup(path), .what = what };
	memcpy(new->id, id, AUDIT_ID_LEN + 1);
}

void audit_suspect_of_any_take(struct audit *a, const char *id, const char *path, char *what)
{
	size_t n = a->n;

	audit_suspect_take(a, id, path, what);
	if (a->n > n)
		a->suspects[n].of_any_store = true;
}

/* --- what may be left */

typedef void (*take_fn)(struct audit *a, const char *id, const char *path, char *what);

static void add_children(struct audit *a, const char *dir, const char *what, take_fn take)
{
	DIR *d = opendir(dir);
	const struct dirent *entry;
	char id[AUDIT_ID_LEN + 1];

	while (d && (entry = readdir(d))) {
		autofree char *path = NULL;

		if (!audit_id_at(entry->d_name, id))
			continue;
		path = str_printf("%s/%s", dir, entry->d_name);
		if (path)
			take(a, id, path, str_printf("%s %s", what, path));
	}
	if (d)
		closedir(d);
}

/* Each hierarchy once: with cgroup v2 all controllers are in one; that of v2 alone also where v1 has the controllers. */
static void add_cgroups(struct audit *a, const struct host_facts *h)
{
	AUTO(strv_done) struct strv tops = { 0 };

	if (h->cgroup2)
		a->oom |= strv_add(&tops, h->cgroup2) < 0;
	for (size_t i = 0; i < h->cgroups.n; i++) {
		const char *top = strchr(h->cgroups.v[i], '=') + 1;

		if (!strv_has(&tops, top))
			a->oom |= strv_add(&tops, top) < 0;
	}
	for (size_t i = 0; i < tops.n; i++) {
		autofree char *dir = str_printf("%s" CGROUP_PARENT, tops.v[i]);

		if (dir)
			add_children(a, dir, "cgroup", audit_suspect_of_any_take);
	}
}

static void add_mount(struct audit *a, const char *line)
{
	struct mount_line m = { 0 };
	char id[AUDIT_ID_LEN + 1];

	if (mount_line_parse(line, &m) < 0)
		return;
	if (id_of_path(a, m.mount_point, id))
		audit_suspect_take(a, id, m.mount_point, str_printf("mount %s", m.mount_point));
	mount_line_done(&m);
}

static void add_mounts(struct audit *a)
{
	AUTO(buf_done) struct buf b = { 0 };
	char *rest, *line;

	if (read_file(AT_FDCWD, "/proc/self/mountinfo", MAX_MOUNTS, &b) < 0)
		return;
	rest = b.data;
	while ((line = strsep(&rest, "\n")))
		add_mount(a, line);
}

static void add_loops(struct audit *a)
{
	DIR *d = opendir("/sys/block");
	const struct dirent *entry;
	char id[AUDIT_ID_LEN + 1];

	while (d && (entry = readdir(d))) {
		AUTO(buf_done) struct buf b = { 0 };
		autofree char *path = NULL;

		if (strncmp(entry->d_name, "loop", 4) != 0)
			continue;
		path = str_printf("/sys/block/%s/loop/backing_file", entry->d_name);
		if (path && read_file(AT_FDCWD, path, MAX_LINK, &b) == 0 && b.len &&
		    id_of_path(a, b.data, id))
			audit_suspect_take(a, id, path, str_printf("loop device /dev/%s", entry->d_name));
	}
	if (d)
		closedir(d);
}

/* --- processes: who is alive, and who uses what */

/* The memory of a machine is used by all who went on from it, also when the instance it was of is removed. */
static bool is_memory(const char *instances)
{
	char id[AUDIT_ID_LEN + 1];
	const char *rest = instances ? audit_id_at(instances + strlen(INSTANCES), id) : NULL;

	return rest && (!strncmp(rest, "/snapshots/", 11) || !strncmp(rest, ".gone/snapshots/", 16));
}

static void see_link(struct audit *a, const char *pid, const char *path)
{
	struct process_info info = { .comm = "?" };
	char link[MAX_LINK], id[AUDIT_ID_LEN + 1];
	ssize_t n = readlink(path, link, sizeof(link) - 1);
	const char *instances, *rest;
	autofree char *proc = NULL;
	autoclose int fd = -1;

	if (n <= 0)
		return;
	link[n] = '\0';
	instances = strstr(link, INSTANCES);
	rest = instances ? audit_id_at(instances + strlen(INSTANCES), id) : NULL;
	if (rest && !strcmp(rest, LOCK_OF_LINK) && !strv_has(&a->alive, id)) /* also those of other stores */
		a->oom |= strv_add(&a->alive, id) < 0;
	if (!id_of_path(a, link, id) || is_memory(instances))
		return;
	proc = str_printf("/proc/%s", pid);
	fd = proc ? open(proc, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	if (fd >= 0)
		process_info_read(fd, &info);
	audit_suspect_take(a, id, path, str_printf("process %s (%s) with %s", pid, info.comm, link));
}

static void see_process(struct audit *a, const char *pid)
{
	static const char *const links[] = { "cwd", "root", "exe" };
	autofree char *dir = str_printf("/proc/%s/fd", pid);
	DIR *d = dir ? opendir(dir) : NULL;
	const struct dirent *entry;

	for (size_t i = 0; i < ARRAY_LEN(links); i++) {
		autofree char *path = str_printf("/proc/%s/%s", pid, links[i]);

		if (path)
			see_link(a, pid, path);
	}
	while (d && (entry = readdir(d))) {
		autofree char *path = str_printf("%s/%s", dir, entry->d_name);

		if (path)
			see_link(a, pid, path);
	}
	if (d)
		closedir(d);
}

static void see_processes(struct audit *a)
{
	DIR *d = opendir("/proc");
	const struct dirent *entry;

	while (d && (entry = readdir(d)))
		if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9' && atoi(entry->d_name) != getpid())
			see_process(a, entry->d_name);
	if (d)
		closedir(d);
}

/* --- the verdict */

static bool is_gone(const struct suspect *s)
{
	return !s->path || faccessat(AT_FDCWD, s->path, F_OK, AT_SYMLINK_NOFOLLOW) < 0;
}

static bool is_of_store(struct engine *en, const char *id)
{
	return faccessat(en->instances_fd, id, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

bool audit_is_dead(const struct audit *a, struct engine *en, const char *id)
{
	return !strv_has(&a->alive, id) && !truth_is_locked(en, id);
}

/* Who does not see everybody knows nothing of other stores. */
static bool is_left(const struct audit *a, struct engine *en, const struct suspect *s)
{
	if (s->of_any_store && !a->sees_all && !is_of_store(en, s->id))
		return false;
	return audit_is_dead(a, en, s->id) && !is_gone(s);
}

static void audit_done(struct audit *a)
{
	for (size_t i = 0; i < a->n; i++) {
		free(a->suspects[i].path);
		free(a->suspects[i].what);
	}
	free(a->suspects);
	strv_done(&a->alive);
	strv_done(&a->owners);
	free(a->instances);
	free(a->run);
}

/* One that is not there is what it is called. */
static char *real_directory(const char *path, const char *below)
{
	autofree char *real = realpath(path, NULL);

	return real || errno == ENOENT ? str_printf("%s%s", real ? real : path, below) : NULL;
}

int engine_audit(struct engine *en, struct strv *ret, bool *ret_sees_all, struct err *e)
{
	AUTO(audit_done)
	struct audit a = {
		.instances = real_directory(en->root, INSTANCES),
		.run = real_directory(en->run_root, "/"),
		.sees_all = proc_shows_all(),
	};

	if (!a.instances || !a.run)
		return err_sys(e, errno, "directories of the store");
	add_children(&a, en->run_root, "run directory", audit_suspect_take);
	add_cgroups(&a, engine_facts(en));
	add_mounts(&a);
	add_loops(&a);
	audit_networks(&a, en);
	see_processes(&a);
	for (size_t i = 0; i < a.n; i++)
		if (is_left(&a, en, &a.suspects[i]))
			a.oom |= strv_add(ret, a.suspects[i].what) < 0;
	audit_pools(&a, en, ret);
	audit_rules(&a, en, ret);
	*ret_sees_all = a.sees_all;
	return a.oom ? err_set(e, ENOMEM, "out of memory") : audit_layers(en, ret, e);
}
