/* detect.c - mountinfo -> cgroup mode, controllers and their directories */
#include "cgroup/detect.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/vfs.h>

#include "base/auto.h"
#include "base/io.h"
#include "sys/mountinfo.h"

#define MOUNTINFO_MAX (16 * 1024 * 1024)

/* v1 controllers appear among the super options; so do options that are none. */
static const char *const v1_controllers[] = {
	"blkio",  "cpu",  "cpuacct", "cpuset",	 "devices",    "freezer", "hugetlb",
	"memory", "misc", "net_cls", "net_prio", "perf_event", "pids",	  "rdma",
};

bool cgroup_is_mounted(const char *path, const char *fs_type)
{
	struct statfs s;

	if (statfs(path, &s) < 0)
		return false;
	return (unsigned long)s.f_type == (strcmp(fs_type, "cgroup2") ? (unsigned long)CGROUP_SUPER_MAGIC
								      : (unsigned long)CGROUP2_SUPER_MAGIC);
}

struct detector {
	struct host_facts *h;
	bool (*is_mounted)(const char *path, const char *fs_type);
	const char *own; /* the text of /proc/self/cgroup; NULL: only what `ketch run` joins is wanted */
	char *unified, *unified_root;
};

/* The path behind "ID:LIST:" of the line whose LIST names the hierarchy, owned; NULL: none. */
static char *own_path(const char *text, const char *hierarchy)
{
	AUTO(strv_done) struct strv lines = { 0 };

	if (strv_split(&lines, text, "\n") < 0)
		return NULL;
	for (size_t i = 0; i < lines.n; i++) {
		const char *list = strchr(lines.v[i], ':'), *path = list ? strchr(list + 1, ':') : NULL;
		AUTO(strv_done) struct strv names = { 0 };
		autofree char *copy = path ? strndup(list + 1, (size_t)(path - list - 1)) : NULL;

		if (copy && strv_split(&names, copy, ",") == 0 && strv_has(&names, hierarchy))
			return strdup(path + 1);
	}
	return NULL;
}

/* Where this process is, as a directory below the mount; the mount itself when that does not show it. */
static int add_own(struct detector *d, const char *name, const char *root, const char *mount)
{
	const char *hierarchy = !strcmp(name, "unified")   ? ""
				: !strcmp(name, "systemd") ? "name=systemd"
							   : name;
	autofree char *path = own_path(d->own, hierarchy);
	size_t n = strcmp(root, "/") ? strlen(root) : 0;
	const char *rest = "";

	if (path && !strncmp(path, root, n) && (path[n] == '/' || !path[n]))
		rest = path + n;
	if (strstr(rest, "/..") || !strcmp(rest, "/"))
		rest = "";
	return strv_addf(&d->h->own_cgroups, "%s=%s%s", name, mount, rest);
}

static int add_controller(struct detector *d, const char *name, const char *root, const char *mount)
{
	int r;

	if (strv_env_get(&d->h->cgroups, name)) /* the first mount is the host's own */
		return 0;
	r = strv_addf(&d->h->cgroups, "%s=%s", name, mount);
	return r < 0 || !d->own ? r : add_own(d, name, root, mount);
}

static int add_v1(struct detector *d, const struct mount_line *m)
{
	int r = 0;

	for (size_t i = 0; i < ARRAY_LEN(v1_controllers) && r == 0; i++)
		if (mount_line_has_option(m, v1_controllers[i]))
			r = add_controller(d, v1_controllers[i], m->root, m->mount_point);
	if (r == 0 && d->own && mount_line_has_option(m, "name=systemd"))
		r = add_controller(d, "systemd", m->root, m->mount_point);
	return r;
}

static int add_v2(struct detector *d)
{
	AUTO(buf_done) struct buf names = { 0 };
	AUTO(strv_done) struct strv list = { 0 };
	autofree char *file = str_printf("%s/cgroup.controllers", d->unified);
	int r = file ? add_controller(d, "unified", d->unified_root, d->unified) : -ENOMEM;

	if (r < 0 || read_file(AT_FDCWD, file, 4096, &names) < 0)
		return r;
	r = strv_split(&list, names.data ? names.data : "", " \n");
	for (size_t i = 0; i < list.n && r == 0; i++)
		if (*list.v[i] && !strv_env_get(&d->h->cgroups, list.v[i]))
			r = strv_addf(&d->h->cgroups, "%s=%s", list.v[i], d->unified);
	return r;
}

static int add_line(struct detector *d, const char *line)
{
	AUTO(mount_line_done) struct mount_line m = { 0 };
	int r = mount_line_parse(line, &m);

	if (r == -EINVAL)
		return 0; /* not for us to judge: what we need is in other lines */
	if (r < 0)
		return r;
	if (strcmp(m.fs_type, "cgroup") && strcmp(m.fs_type, "cgroup2"))
		return 0;
	if (!d->is_mounted(m.mount_point, m.fs_type))
		return 0;
	if (!strcmp(m.fs_type, "cgroup"))
		return add_v1(d, &m);
	if (!d->unified) {
		d->unified = take_ptr(m.mount_point);
		d->unified_root = take_ptr(m.root);
	}
	return 0;
}

static bool has_v1_controllers(const struct host_facts *h)
{
	return h->cgroups.n > (strv_env_get(&h->cgroups, "systemd") ? 1 : 0);
}

int cgroup_detect_text(const char *mountinfo, const char *own,
		       bool (*is_mounted)(const char *path, const char *fs_type), struct host_facts *h)
{
	struct detector d = { .h = h, .is_mounted = is_mounted, .own = own };
	AUTO(strv_done) struct strv lines = { 0 };
	int r = strv_split(&lines, mountinfo, "\n");
	bool v1;

	for (size_t i = 0; i < lines.n && r == 0; i++)
		r = add_line(&d, lines.v[i]);
	v1 = has_v1_controllers(h);
	if (r == 0) {
		h->cgroup_mode =
			v1 ? (d.unified ? CGROUP_HYBRID : CGROUP_V1) : (d.unified ? CGROUP_V2 : CGROUP_NONE);
		if (d.unified && (!v1 || own))
			r = add_v2(&d);
	}
	h->cgroup2 = d.unified;
	free(d.unified_root);
	return r;
}

void cgroup_detect(struct host_facts *h)
{
	AUTO(buf_done) struct buf text = { 0 };

	if (read_file(AT_FDCWD, "/proc/self/mountinfo", MOUNTINFO_MAX, &text) == 0 && text.data)
		cgroup_detect_text(text.data, NULL, cgroup_is_mounted, h);
}

void cgroup_detect_all(struct host_facts *h)
{
	AUTO(buf_done) struct buf text = { 0 }, own = { 0 };

	read_file(AT_FDCWD, "/proc/self/cgroup", MOUNTINFO_MAX, &own);
	if (read_file(AT_FDCWD, "/proc/self/mountinfo", MOUNTINFO_MAX, &text) == 0 && text.data)
		cgroup_detect_text(text.data, own.data ? own.data : "", cgroup_is_mounted, h);
}
