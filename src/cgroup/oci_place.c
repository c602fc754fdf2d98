/* oci_place.c - where an OCI container's cgroup is in each hierarchy */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "cgroup/oci_int.h"
#include "cgroup/systemd.h"

/* Without empty and "." components; ".." could leave the hierarchy, and the root itself cannot be a container's. */
static int clean_path(const char *path, char **ret, struct err *e)
{
	AUTO(strv_done) struct strv parts = { 0 };
	AUTO(buf_done) struct buf b = { 0 };

	if (strv_split(&parts, path, "/") < 0)
		return err_set(e, ENOMEM, "out of memory");
	for (size_t i = 0; i < parts.n; i++) {
		if (!strcmp(parts.v[i], ".."))
			return err_set(e, EINVAL, "linux.cgroupsPath: \"..\" is not allowed in it");
		if (*parts.v[i] && strcmp(parts.v[i], "."))
			buf_addf(&b, "/%s", parts.v[i]);
	}
	if (!b.len && !b.failed)
		return err_set(e, EINVAL,
			       "linux.cgroupsPath: \"%s\" is the root, where everything else is, too", path);
	*ret = buf_take(&b);
	return *ret ? 0 : err_set(e, ENOMEM, "out of memory");
}

/* Relative paths are below the caller's own cgroup; on v2 beside it: one that has processes cannot hand controllers down
 * (no internal processes, cgroup-v2.rst). */
static char *parent_of_relative(const struct host_facts *h, const char *name, const char *base)
{
	const char *own = strv_env_get(&h->own_cgroups, name);
	bool v2 = !strcmp(name, "unified") && h->cgroup_mode == CGROUP_V2;

	if (!own || !strcmp(own, base))
		return strdup(base);
	return v2 ? strndup(own, (size_t)(strrchr(own, '/') - own)) : strdup(own);
}

static bool is_behind_unified(const struct host_facts *h, const char *name)
{
	return strcmp(name, "unified") && cgroup_is_v2(h, name);
}

static int add_dir(const struct cgroup_oci_request *rq, const char *entry, const char *path, bool absolute,
		   struct strv *dirs)
{
	const char *base = strchr(entry, '=') + 1;
	autofree char *name = strndup(entry, (size_t)(base - 1 - entry)), *parent = NULL;

	if (!name)
		return -ENOMEM;
	if (is_behind_unified(rq->facts, name))
		return 0;
	parent = absolute ? strdup(base) : parent_of_relative(rq->facts, name, base);
	return parent ? strv_addf(dirs, "%s=%s%s", name, parent, path) : -ENOMEM;
}

int oci_place_dirs(const struct cgroup_oci_request *rq, struct strv *ret_dirs, struct err *e)
{
	const char *given = rq->path && *rq->path ? rq->path : rq->id;
	AUTO(strv_done) struct strv dirs = { 0 };
	autofree char *path = NULL;
	int r;

	if (rq->systemd)
		r = systemd_cgroup_path(rq, &path, e);
	else
		r = clean_path(given, &path, e);
	if (r < 0)
		return r;
	for (size_t i = 0; i < rq->facts->cgroups.n && r == 0; i++)
		r = add_dir(rq, rq->facts->cgroups.v[i], path, rq->systemd || *given == '/', &dirs);
	if (r < 0)
		return err_set(e, ENOMEM, "out of memory");
	*ret_dirs = dirs;
	dirs = (struct strv){ 0 };
	return 0;
}

int oci_place_parents(const char *base, const char *dir, struct strv *ret)
{
	size_t n = strlen(base);
	int r = strv_add(ret, base);

	for (const char *p = strchr(dir + n + 1, '/'); p && r == 0; p = strchr(p + 1, '/'))
		r = strv_addf(ret, "%.*s", (int)(p - dir), dir);
	return r;
}
