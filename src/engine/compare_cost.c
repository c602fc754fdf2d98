/* compare_cost.c - what an idle instance costs its host: processes, memory, disk, and who faces the kernel */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/io.h"
#include "base/parse.h"
#include "engine/compare_int.h"
#include "engine/engine_int.h"

#define FAMILY_MAX 256
#define DEPTH_MAX  64

struct family {
	int pids[FAMILY_MAX];
	int n;
};

static bool is_number(const char *s)
{
	return *s && strspn(s, "0123456789") == strlen(s);
}

/* The number behind "Key:" in the text of a /proc file. */
static uint64_t key_value(const char *text, const char *key, int base)
{
	const char *at = strstr(text, key);

	return at ? strtoull(at + strlen(key), NULL, base) : 0;
}

static int read_proc(int pid, const char *file, struct buf *ret)
{
	autofree char *path = str_printf("/proc/%d/%s", pid, file);

	return path ? read_file(AT_FDCWD, path, 64 * 1024, ret) : -ENOMEM;
}

/* --- the processes of one instance */

static void add_pid(struct family *f, int pid)
{
	for (int i = 0; i < f->n; i++)
		if (f->pids[i] == pid)
			return;
	if (pid > 0 && f->n < FAMILY_MAX)
		f->pids[f->n++] = pid;
}

static int parent_of(int pid)
{
	AUTO(buf_done) struct buf b = { 0 };

	return read_proc(pid, "status", &b) == 0 && b.data ? (int)key_value(b.data, "\nPPid:", 10) : 0;
}

/* One look at all processes: children of those that are in it come in.  Returns whether any came. */
static bool add_children(struct family *f)
{
	DIR *d = opendir("/proc");
	struct dirent *entry;
	int before = f->n;

	while (d && (entry = readdir(d))) {
		int parent = is_number(entry->d_name) ? parent_of(atoi(entry->d_name)) : 0;

		for (int i = 0; i < f->n && parent > 1; i++)
			if (f->pids[i] == parent)
				add_pid(f, atoi(entry->d_name));
	}
	if (d)
		closedir(d);
	return f->n > before;
}

static void add_cgroup(struct family *f, const char *dir)
{
	autofree char *path = str_printf("%s/cgroup.procs", dir);
	AUTO(buf_done) struct buf b = { 0 };
	AUTO(strv_done) struct strv pids = { 0 };

	if (!path || read_file(AT_FDCWD, path, 64 * 1024, &b) < 0 || !b.data ||
	    strv_split(&pids, b.data, "\n") < 0)
		return;
	for (size_t i = 0; i < pids.n; i++)
		if (is_number(pids.v[i]))
			add_pid(f, atoi(pids.v[i]));
}

static void find_family(const struct instance_state *s, struct family *f)
{
	*f = (struct family){ 0 };
	add_pid(f, s->monitor_pid);
	add_pid(f, s->pid);
	for (size_t i = 0; i < s->cgroups.n; i++)
		add_cgroup(f, s->cgroups.v[i]);
	while (add_children(f))
		;
}

int compare_host_processes(void)
{
	DIR *d = opendir("/proc");
	struct dirent *entry;
	int n = 0;

	while (d && (entry = readdir(d)))
		n += is_number(entry->d_name);
	if (d)
		closedir(d);
	return n;
}

/* --- memory */

static uint64_t pss_bytes(int pid)
{
	AUTO(buf_done) struct buf b = { 0 };

	return read_proc(pid, "smaps_rollup", &b) == 0 && b.data ? key_value(b.data, "\nPss:", 10) * 1024 : 0;
}

static uint64_t cgroup_bytes(const struct strv *cgroups)
{
	static const char *const files[] = { "memory.current", "memory.usage_in_bytes" };

	for (size_t i = 0; i < cgroups->n * ARRAY_LEN(files); i++) {
		autofree char *path =
			str_printf("%s/%s", cgroups->v[i / ARRAY_LEN(files)], files[i % ARRAY_LEN(files)]);
		AUTO(buf_done) struct buf b = { 0 };

		if (path && read_file(AT_FDCWD, path, 64, &b) == 0 && b.data)
			return strtoull(b.data, NULL, 10);
	}
	return 0;
}

static void look_at_face(int pid, struct host_cost *c)
{
	AUTO(buf_done) struct buf b = { 0 };

	if (read_proc(pid, "status", &b) < 0 || !b.data)
		return;
	c->uid = (uint32_t)key_value(b.data, "\nUid:", 10);
	c->capabilities = __builtin_popcountll(key_value(b.data, "\nCapEff:", 16));
	c->seccomp = (int)key_value(b.data, "\nSeccomp:", 10);
}

/* --- disk */

/* Blocks of a tree.  Takes dir. */
static uint64_t tree_bytes(int dir, int depth)
{
	DIR *d = depth < DEPTH_MAX ? fdopendir(dir) : NULL;
	struct dirent *entry;
	uint64_t total = 0;

	if (!d) {
		close(dir);
		return 0;
	}
	while ((entry = readdir(d))) {
		struct stat st;
		int sub;

		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..") ||
		    fstatat(dirfd(d), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		total += (uint64_t)st.st_blocks * 512;
		if (!S_ISDIR(st.st_mode))
			continue;
		sub = openat(dirfd(d), entry->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (sub >= 0)
			total += tree_bytes(sub, depth + 1);
	}
	closedir(d);
	return total;
}

static uint64_t image_disk_bytes(struct engine *en, const struct instance_spec *s)
{
	struct image im = { 0 };
	uint64_t bytes = 0;

	if (image_find(en->images, s->image_id, &im, NULL) < 0)
		return 0;
	bytes = s->isolation == ISOLATION_VM && !s->vm.layer_disks ? image_root_bytes(en->images, im.id)
								   : im.size_bytes;
	image_done(&im);
	return bytes;
}

int compare_cost(struct engine *en, const struct instance_spec *spec, struct host_cost *ret, struct err *e)
{
	struct instance in = { 0 };
	struct host_cost c = { 0 };
	struct family f;
	int dir, r = engine_find(en, spec->id, &in, e);

	if (r < 0)
		return r;
	find_family(&in.state, &f);
	c.processes = f.n;
	for (int i = 0; i < f.n; i++)
		c.pss_bytes += pss_bytes(f.pids[i]);
	c.cgroup_bytes = cgroup_bytes(&in.state.cgroups);
	look_at_face(in.state.pid, &c);
	dir = truth_dir_open(en, spec->id);
	c.writable_bytes = dir < 0 ? 0 : tree_bytes(dir, 0);
	c.image_bytes = image_disk_bytes(en, spec);
	instance_done(&in);
	*ret = c;
	return 0;
}
