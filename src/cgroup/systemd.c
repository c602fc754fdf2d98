/* systemd.c - slices and scopes (systemd.slice(5), systemd.scope(5)) of the systemd driver */
#include "cgroup/systemd.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"

#define UNIT_NAME_MAX 255 /* systemd's */

/* The characters of unit names; '%' and '/' above all are none. */
static bool is_unit_text(const char *s)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789:-_.\\@";

	return strspn(s, allowed) == strlen(s);
}

static bool ends_with(const char *s, const char *end)
{
	size_t n = strlen(s), m = strlen(end);

	return n > m && !strcmp(s + n - m, end);
}

/* "a-b.slice" is in "a.slice": the path is "/a.slice/a-b.slice"; "-.slice" is the root. */
static int slice_path(const char *slice, struct buf *ret)
{
	size_t n = strlen(slice) - strlen(".slice");

	if (!strcmp(slice, "-.slice"))
		return 0;
	if (*slice == '-' || slice[n - 1] == '-' || strstr(slice, "--"))
		return -EINVAL;
	for (size_t i = 1; i <= n; i++)
		if (i == n || slice[i] == '-')
			buf_addf(ret, "/%.*s.slice", (int)i, slice);
	return 0;
}

void systemd_unit_done(struct systemd_unit *u)
{
	free(u->slice);
	free(u->name);
}

/* NULL: "ketch-ID.scope" in the default slice. */
int systemd_unit_of(const struct cgroup_oci_request *rq, struct systemd_unit *ret, struct err *e)
{
	AUTO(strv_done) struct strv parts = { 0 };
	AUTO(systemd_unit_done) struct systemd_unit u = { 0 };
	const char *slice, *prefix, *name;

	if (strv_split(&parts, rq->path ? rq->path : "", ":") < 0)
		return err_set(e, ENOMEM, "out of memory");
	if (rq->path && *rq->path && parts.n != 3)
		return err_set(
			e, EINVAL,
			"linux.cgroupsPath: \"%.200s\" is not \"SLICE:PREFIX:NAME\", as systemd's driver "
			"needs it",
			rq->path);
	slice = parts.n == 3 && *parts.v[0] ? parts.v[0] : rq->rootless ? "user.slice" : "system.slice";
	prefix = parts.n == 3 ? parts.v[1] : "ketch";
	name = parts.n == 3 ? parts.v[2] : rq->id;
	u.slice = strdup(slice);
	if (ends_with(name, ".slice"))
		return err_set(e, ENOTSUP, "linux.cgroupsPath: a container cannot be the slice \"%s\"", name);
	u.name = str_printf("%s%s%s.scope", prefix, *prefix ? "-" : "", name);
	if (!u.slice || !u.name)
		return err_set(e, ENOMEM, "out of memory");
	if (!*name || !is_unit_text(u.name) || strlen(u.name) > UNIT_NAME_MAX)
		return err_set(e, EINVAL, "linux.cgroupsPath: \"%.300s\" is not the name of a unit", u.name);
	if (!ends_with(slice, ".slice") || !is_unit_text(slice) || strlen(slice) > UNIT_NAME_MAX)
		return err_set(e, EINVAL, "linux.cgroupsPath: \"%.300s\" is not the name of a slice", slice);
	*ret = u;
	u = (struct systemd_unit){ 0 };
	return 0;
}

/* "/user.slice/user-1000.slice/user@1000.service" of the user's manager, in which we are ourselves. */
static int add_manager(const struct host_facts *h, struct buf *path, struct err *e)
{
	const char *own = strv_env_get(&h->own_cgroups, "unified"), *base = cgroup_base(h, "unified");
	const char *at = own && base ? strstr(own + strlen(base), "/user@") : NULL;

	if (!at)
		return err_set(e, ENOTSUP, "--systemd-cgroup: this process is not below a user's systemd");
	own += strlen(base);
	buf_add(path, own, (size_t)(at - own) + 1 + strcspn(at + 1, "/"));
	return 0;
}

int systemd_cgroup_path(const struct cgroup_oci_request *rq, char **ret, struct err *e)
{
	AUTO(buf_done) struct buf path = { 0 };
	AUTO(systemd_unit_done) struct systemd_unit u = { 0 };
	int r = systemd_unit_of(rq, &u, e);

	if (r == 0 && rq->rootless)
		r = add_manager(rq->facts, &path, e);
	if (r < 0)
		return r;
	if (slice_path(u.slice, &path) < 0)
		return err_set(e, EINVAL, "linux.cgroupsPath: \"%s\" is not the name of a slice", u.slice);
	buf_addf(&path, "/%s", u.name);
	*ret = buf_take(&path);
	return *ret ? 0 : err_set(e, ENOMEM, "out of memory");
}
