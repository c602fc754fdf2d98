/* runtime_linux.c - what can be wrong with "linux" (config-linux.md), but for resources and sysctl */
#include <errno.h>
#include <string.h>

#include "base/auto.h"
#include "oci/runtime_int.h"

#define MAX_PATH 4095 /* bytes */
#define MAX_NAME 64 /* bytes of a host name (__NEW_UTS_LEN) */

/* --- namespaces */

static int check_namespaces(const struct oci_spec *s, struct err *e)
{
	const struct oci_linux *l = &s->lnx;

	for (size_t i = 0; i < l->n_namespaces; i++) {
		const struct oci_namespace *ns = &l->namespaces[i];

		if (oci_namespace_find(l, (enum oci_namespace_type)ns->type) != ns)
			return err_set(e, EINVAL, "linux.namespaces[%zu].type: \"%s\" is given twice", i,
				       oci_namespace_types[ns->type]);
		if (ns->path && *ns->path &&
		    oci_check_absolute(e, ns->path, "linux.namespaces[%zu].path", i) < 0)
			return -EINVAL;
	}
	return 0;
}

static bool is_mapped(const struct oci_id_mapping *v, size_t n, uint32_t id)
{
	for (size_t i = 0; i < n; i++)
		if (id >= v[i].container_id && id - v[i].container_id < v[i].size)
			return true;
	return n == 0;
}

static int check_id_maps(const struct oci_spec *s, struct err *e)
{
	const struct oci_linux *l = &s->lnx;
	const struct oci_user *u = &s->process.user;

	if ((l->n_uid_mappings || l->n_gid_mappings) && !oci_namespace_find(l, OCI_NS_USER))
		return err_set(e, EINVAL, "linux.%s: there is no user namespace",
			       l->n_uid_mappings ? "uidMappings" : "gidMappings");
	if (oci_check_mappings(e, l->uid_mappings, l->n_uid_mappings, "linux.uidMappings") < 0 ||
	    oci_check_mappings(e, l->gid_mappings, l->n_gid_mappings, "linux.gidMappings") < 0)
		return -EINVAL;
	if (!s->has_process || !oci_namespace_is_new(l, OCI_NS_USER))
		return 0;
	if (!is_mapped(l->uid_mappings, l->n_uid_mappings, u->uid))
		return err_set(e, EINVAL, "process.user.uid: %u is not in linux.uidMappings", u->uid);
	if (!is_mapped(l->gid_mappings, l->n_gid_mappings, u->gid))
		return err_set(e, EINVAL, "process.user.gid: %u is not in linux.gidMappings", u->gid);
	return 0;
}

/* What only a namespace of the container's own can hold. */
static int check_hostname(const struct oci_spec *s, struct err *e)
{
	const struct {
		const char *name, *key;
	} names[] = { { s->hostname, "hostname" }, { s->domainname, "domainname" } };

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (!names[i].name || !*names[i].name)
			continue;
		if (!oci_namespace_find(&s->lnx, OCI_NS_UTS))
			return err_set(e, EINVAL, "%s: there is no UTS namespace", names[i].key);
		if (strlen(names[i].name) > MAX_NAME)
			return err_set(e, EINVAL, "%s: longer than %d bytes", names[i].key, MAX_NAME);
	}
	return 0;
}

static int check_time_offsets(const struct oci_spec *s, struct err *e)
{
	const struct oci_range part = { 0, 999999999 };
	const struct oci_linux *l = &s->lnx;
	bool any = l->monotonic.secs || l->monotonic.nanosecs || l->boottime.secs || l->boottime.nanosecs;

	if (any && !oci_namespace_is_new(l, OCI_NS_TIME))
		return err_set(e, EINVAL, "linux.timeOffsets: there is no new time namespace");
	if (oci_check_range(e, l->monotonic.nanosecs, part, "linux.timeOffsets.monotonic.nanosecs") < 0)
		return -EINVAL;
	return oci_check_range(e, l->boottime.nanosecs, part, "linux.timeOffsets.boottime.nanosecs");
}

/* --- paths, devices */

static int check_path_list(const struct strv *list, const char *key, struct err *e)
{
	int r = 0;

	for (size_t i = 0; i < list->n && r == 0; i++)
		r = oci_check_absolute(e, list->v[i], "linux.%s[%zu]", key, i);
	return r;
}

static int check_hidden_paths(const struct oci_spec *s, struct err *e)
{
	const struct oci_linux *l = &s->lnx;
	bool any = l->masked_paths.n || l->readonly_paths.n;

	if (any && !oci_namespace_find(l, OCI_NS_MOUNT))
		return err_set(e, EINVAL, "linux.%s: there is no mount namespace",
			       l->masked_paths.n ? "maskedPaths" : "readonlyPaths");
	if (check_path_list(&l->masked_paths, "maskedPaths", e) < 0)
		return -EINVAL;
	for (size_t i = 0; i < l->masked_paths.n; i++)
		if (oci_is_root(l->masked_paths.v[i]))
			return err_set(e, EINVAL, "linux.maskedPaths[%zu]: the root cannot be masked", i);
	return check_path_list(&l->readonly_paths, "readonlyPaths", e);
}

static int check_device(const struct oci_device *d, size_t i, struct err *e)
{
	static const char *const types[] = { "c", "b", "u", "p", NULL };

	if (oci_check_name(e, d->type, types, "linux.devices[%zu].type", i) < 0 ||
	    oci_check_absolute(e, d->path, "linux.devices[%zu].path", i) < 0 ||
	    oci_check_optional(e, &d->file_mode, (struct oci_range){ 0, 07777 },
			       "linux.devices[%zu].fileMode", i) < 0 ||
	    oci_check_optional(e, &d->uid, OCI_IDS, "linux.devices[%zu].uid", i) < 0 ||
	    oci_check_optional(e, &d->gid, OCI_IDS, "linux.devices[%zu].gid", i) < 0)
		return -EINVAL;
	if (!strcmp(d->type, "p"))
		return 0;
	if (!d->major.set || !d->minor.set)
		return err_set(e, EINVAL, "linux.devices[%zu].%s: missing", i,
			       d->major.set ? "minor" : "major");
	if (oci_check_optional(e, &d->major, OCI_MAJORS, "linux.devices[%zu].major", i) < 0)
		return -EINVAL;
	return oci_check_optional(e, &d->minor, OCI_MINORS, "linux.devices[%zu].minor", i);
}

static int check_devices(const struct oci_spec *s, struct err *e)
{
	int r = 0;

	for (size_t i = 0; i < s->lnx.n_devices && r == 0; i++)
		r = check_device(&s->lnx.devices[i], i, e);
	return r;
}

static int check_cgroups_path(const struct oci_spec *s, struct err *e)
{
	const char *path = s->lnx.cgroups_path;

	if (!path)
		return 0;
	if (strlen(path) > MAX_PATH)
		return err_set(e, EINVAL, "linux.cgroupsPath: longer than %d bytes", MAX_PATH);
	for (const char *p = path; *p; p += strspn(p, "/")) {
		size_t n = strcspn(p, "/");

		if (n == 2 && p[0] == '.' && p[1] == '.')
			return err_set(e, EINVAL, "linux.cgroupsPath: \"..\" in a path");
		p += n;
	}
	return 0;
}

/* --- the rest */

static int check_words(const struct oci_spec *s, struct err *e)
{
	static const char *const propagations[] = { "",	       "shared",     "slave",
						    "private", "unbindable", "rshared",
						    "rslave",  "rprivate",   "runbindable",
						    NULL };
	static const char *const domains[] = { "LINUX", "LINUX32", NULL };
	const struct oci_linux *l = &s->lnx;

	if (l->rootfs_propagation &&
	    oci_check_name(e, l->rootfs_propagation, propagations, "linux.rootfsPropagation") < 0)
		return -EINVAL;
	if (l->personality_domain &&
	    oci_check_name(e, l->personality_domain, domains, "linux.personality.domain") < 0)
		return -EINVAL;
	if (l->personality_flags.n)
		return err_set(e, EINVAL, "linux.personality.flags[0]: there are no such flags");
	return oci_check_label(e, l->mount_label, "linux.mountLabel");
}

/* Text for others: here only that it is an object. */
static int check_raw(const struct oci_spec *s, struct err *e)
{
	const struct {
		const char *text, *key;
	} raw[] = { { s->lnx.seccomp, "seccomp" }, { s->lnx.intel_rdt, "intelRdt" } };

	for (size_t i = 0; i < ARRAY_LEN(raw); i++)
		if (raw[i].text && raw[i].text[0] != '{')
			return err_set(e, EINVAL, "linux.%s: wrong type, an object is wanted", raw[i].key);
	return 0;
}

int oci_check_linux(const struct oci_spec *s, struct err *e)
{
	static int (*const checks[])(const struct oci_spec *s, struct err *e) = {
		check_namespaces, check_id_maps,      check_hostname, check_time_offsets, check_hidden_paths,
		check_devices,	  check_cgroups_path, check_words,    check_raw,
	};
	int r = 0;

	for (size_t i = 0; i < ARRAY_LEN(checks) && r == 0; i++)
		r = checks[i](s, e);
	if (r == 0)
		r = oci_check_sysctl(&s->lnx, e);
	return r < 0 ? r : oci_check_resources(&s->lnx.resources, "linux.resources.", e);
}
