/* criu_mounts.c - the mounts of a container that come from outside: CRIU names them in the images by their place inside
 * ("external", criu(8)) and is told on restore what to mount there
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/auto.h"
#include "base/io.h"
#include "base/path.h"
#include "cgroup/plan.h"
#include "runtime/criu.h"
#include "sys/mountinfo.h"

#define MOUNTINFO_MAX (16 * 1024 * 1024)

static bool has_type(const struct oci_mount *m, const char *type)
{
	return m->type && !strcmp(m->type, type);
}

static bool is_bind(const struct oci_mount *m)
{
	return (has_type(m, "bind") || strv_has(&m->options, "bind") || strv_has(&m->options, "rbind")) &&
	       !strv_has(&m->options, "remount");
}

static bool is_cgroup(const struct oci_mount *m)
{
	return !is_bind(m) && (has_type(m, "cgroup") || has_type(m, "cgroup2"));
}

/* --- dump */

/* In whichever place: on v1 there is one for each hierarchy. */
static int add_cgroups_of(struct criu *c, pid_t pid)
{
	AUTO(buf_done) struct buf b = { 0 };
	AUTO(strv_done) struct strv lines = { 0 };
	char path[32];
	int r;

	snprintf(path, sizeof(path), "/proc/%d/mountinfo", (int)pid);
	r = read_file(AT_FDCWD, path, MOUNTINFO_MAX, &b);
	if (r == 0)
		r = strv_split(&lines, b.data ? b.data : "", "\n");
	for (size_t i = 0; i < lines.n && r == 0; i++) {
		AUTO(mount_line_done) struct mount_line m = { 0 };

		if (mount_line_parse(lines.v[i], &m) == 0 &&
		    (!strcmp(m.fs_type, "cgroup") || !strcmp(m.fs_type, "cgroup2")))
			r = criu_add(c, "--external=mnt[%s]:%s", m.mount_point, m.mount_point);
	}
	return r;
}

int criu_add_mounts_of(struct criu *c, const struct oci_spec *s, pid_t pid, struct err *e)
{
	autoclose int root = -1;
	char path[32];
	int r;

	snprintf(path, sizeof(path), "/proc/%d/root", (int)pid);
	root = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	r = root < 0 ? -errno : add_cgroups_of(c, pid);
	/* mounts that the host shares with the container */
	if (r == 0)
		r = criu_add(c, "--enable-external-masters");
	for (size_t i = 0; i < s->n_mounts && r == 0; i++)
		if (is_bind(&s->mounts[i]))
			r = criu_add_external(c, root, s->mounts[i].destination, NULL);
	return r < 0 ? err_sys(e, -r, "cannot tell the mounts of the container") : 0;
}

/* --- restore */

static bool is_below_another(const struct oci_spec *s, size_t i)
{
	const char *dest = s->mounts[i].destination;

	for (size_t k = 0; k < i; k++) {
		const char *above = s->mounts[k].destination;
		size_t n = strlen(above);

		if (!strncmp(dest, above, n) && dest[n] == '/')
			return true;
	}
	return false;
}

/* In the root: what lies in other file systems comes with the images, or is there. */
static int make_place(const struct criu_sources *from, size_t i)
{
	const struct oci_mount *m = &from->spec->mounts[i];
	struct stat st;
	int fd;

	if (is_below_another(from->spec, i))
		return 0;
	if (is_bind(m) && stat(m->source, &st) == 0 && !S_ISDIR(st.st_mode))
		fd = mkfile_in_root(from->rootfs, m->destination, 0755);
	else
		fd = mkdir_in_root(from->rootfs, m->destination, 0755);
	if (fd >= 0)
		close(fd);
	return fd < 0 ? fd : 0;
}

static int add_bind(struct criu *c, const struct criu_sources *from, const struct oci_mount *m)
{
	autofree char *source = m->source ? realpath(m->source, NULL) : NULL;

	return source ? criu_add_external(c, from->rootfs, m->destination, source) : -ENOENT;
}

/* As the planner mounts them (container/oci_plan_mounts.c). */
static int add_unified(struct criu *c, const struct criu_sources *from, const struct oci_mount *m)
{
	bool own = oci_namespace_find(&from->spec->lnx, OCI_NS_CGROUP) != NULL;
	const char *dir = own ? strv_env_get(from->cgroups, "unified") : NULL,
		   *all = cgroup_base(from->facts, "unified");

	return dir || all ? criu_add_external(c, from->rootfs, m->destination, dir ? dir : all) : -ENOENT;
}

static int add_hierarchy(struct criu *c, const struct criu_sources *from, const struct oci_mount *m,
			 const char *cgroup)
{
	const char *dir = strchr(cgroup, '=') + 1, *base;
	autofree char *key = strndup(cgroup, (size_t)(dir - 1 - cgroup)), *place = NULL;

	if (*dir != '/') /* a unit of systemd */
		return 0;
	base = key && strcmp(key, "unified") ? cgroup_base(from->facts, key) : NULL;
	place = key ? str_printf("%s/%s", m->destination, base ? strrchr(base, '/') + 1 : key) : NULL;
	return place ? criu_add_external(c, from->rootfs, place, dir) : -ENOMEM;
}

static int add_hierarchies(struct criu *c, const struct criu_sources *from, const struct oci_mount *m)
{
	int r = 0;

	for (size_t i = 0; i < from->cgroups->n && r == 0; i++)
		r = add_hierarchy(c, from, m, from->cgroups->v[i]);
	return r;
}

static int add_mount_for(struct criu *c, const struct criu_sources *from, size_t i)
{
	const struct oci_mount *m = &from->spec->mounts[i];
	int r = make_place(from, i);

	if (r < 0 || (!is_bind(m) && !is_cgroup(m)))
		return r;
	if (is_bind(m))
		return add_bind(c, from, m);
	if (from->facts->cgroup_mode == CGROUP_V2 || has_type(m, "cgroup2"))
		return add_unified(c, from, m);
	return add_hierarchies(c, from, m);
}

int criu_add_mounts_for(struct criu *c, const struct criu_sources *from, struct err *e)
{
	int r;

	for (size_t i = 0; i < from->spec->n_mounts; i++) {
		r = add_mount_for(c, from, i);
		if (r < 0)
			return err_sys(e, -r, "config.json: mounts[%zu]", i);
	}
	r = criu_add(c, "--enable-external-masters");
	return r < 0 ? err_set(e, ENOMEM, "out of memory") : 0;
}
