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

static int add_controller(struct host_facts *h, const char *name, const char *path)
{
	if (strv_env_get(&h->cgroups, name)) /* the first mount is the host's own */
		return 0;
	return strv_addf(&h->cgroups, "%s=%s", name, path);
}

static int add_v1(struct host_facts *h, const struct mount_line *m)
{
	int r = 0;

	for (size_t i = 0; i < ARRAY_LEN(v1_controllers) && r == 0; i++)
		if (mount_line_has_option(m, v1_controllers[i]))
			r = add_controller(h, v1_controllers[i], m->mount_point);
	return r;
}

static int add_v2(struct host_facts *h, const char *path)
{
	AUTO(buf_done) struct buf names = { 0 };
	AUTO(strv_done) struct strv list = { 0 };
	autofree char *file = str_printf("%s/cgroup.controllers", path);
	int r = file ? strv_addf(&h->cgroups, "unified=%s", path) : -ENOMEM;

	if (r < 0 || read_file(AT_FDCWD, file, 4096, &names) < 0)
		return r;
	r = strv_split(&list, names.data ? names.data : "", " \n");
	for (size_t i = 0; i < list.n && r == 0; i++)
		if (*list.v[i])
			r = add_controller(h, list.v[i], path);
	return r;
}

static int add_line(const char *line, bool (*is_mounted)(const char *path, const char *fs_type),
		    struct host_facts *h, char **unified)
{
	AUTO(mount_line_done) struct mount_line m = { 0 };
	int r = mount_line_parse(line, &m);

	if (r == -EINVAL)
		return 0; /* not for us to judge: what we need is in other lines */
	if (r < 0)
		return r;
	if (strcmp(m.fs_type, "cgroup") && strcmp(m.fs_type, "cgroup2"))
		return 0;
	if (!is_mounted(m.mount_point, m.fs_type))
		return 0;
	if (!strcmp(m.fs_type, "cgroup"))
		return add_v1(h, &m);
	if (!*unified)
		*unified = take_ptr(m.mount_point);
	return 0;
}

int cgroup_detect_text(const char *mountinfo, bool (*is_mounted)(const char *path, const char *fs_type),
		       struct host_facts *h)
{
	AUTO(strv_done) struct strv lines = { 0 };
	autofree char *unified = NULL;
	int r = strv_split(&lines, mountinfo, "\n");

	for (size_t i = 0; i < lines.n && r == 0; i++)
		r = add_line(lines.v[i], is_mounted, h, &unified);
	if (r < 0)
		return r;
	if (h->cgroups.n) {
		h->cgroup_mode = unified ? CGROUP_HYBRID : CGROUP_V1;
		return 0;
	}
	h->cgroup_mode = unified ? CGROUP_V2 : CGROUP_NONE;
	return unified ? add_v2(h, unified) : 0;
}

void cgroup_detect(struct host_facts *h)
{
	AUTO(buf_done) struct buf text = { 0 };

	if (read_file(AT_FDCWD, "/proc/self/mountinfo", MOUNTINFO_MAX, &text) == 0 && text.data)
		cgroup_detect_text(text.data, cgroup_is_mounted, h);
}
