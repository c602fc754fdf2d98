/* oci_plan_mounts.c - the `mounts` of an OCI config: which steps, and which places are refused; pure
 *
 * A bind is one step inside; or two, where its source has to become a detached mount on the host before.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>

#include "base/auto.h"
#include "container/container_int.h"
#include "container/mount_options.h"
#include "container/plan_int.h"

/* One entry of `mounts`, looked at. */
struct entry {
	const struct oci_mount *m;
	size_t i;
	char *dest; /* clean: absolute, without "." and ".." */
	char *options; /* joined by commas */
	struct mount_options o;
	bool bind;
};

static void entry_done(struct entry *en)
{
	free(en->dest);
	free(en->options);
	mount_options_done(&en->o);
}

/* "/a/./b//../c" -> "/a/c". */
static char *clean_path(const char *path)
{
	AUTO(strv_done) struct strv parts = { 0 };
	AUTO(buf_done) struct buf out = { 0 };

	if (strv_split(&parts, path, "/") < 0)
		return NULL;
	for (size_t i = 0; i < parts.n; i++) {
		const char *p = parts.v[i], *slash;

		if (!*p || !strcmp(p, "."))
			continue;
		if (strcmp(p, "..")) {
			buf_addf(&out, "/%s", p);
			continue;
		}
		slash = out.len ? strrchr(out.data, '/') : NULL;
		if (slash) {
			out.len = (size_t)(slash - out.data);
			out.data[out.len] = '\0';
		}
	}
	if (!out.len)
		buf_addc(&out, '/');
	return buf_take(&out);
}

static char *join(const struct strv *options)
{
	struct buf b = { 0 };

	for (size_t i = 0; i < options->n; i++)
		buf_addf(&b, "%s%s", i ? "," : "", options->v[i]);
	return buf_take(&b);
}

static bool is_type(const struct entry *en, const char *type)
{
	return !en->bind && en->m->type && !strcmp(en->m->type, type);
}

static int entry_open(struct planner *pl, size_t i, struct entry *ret)
{
	const struct oci_mount *m = &pl->oci->spec->mounts[i];
	struct entry en = { .m = m, .i = i };
	int r;

	en.dest = clean_path(m->destination);
	en.options = join(&m->options);
	r = en.dest && en.options ? mount_options_parse(en.options, &en.o) : -ENOMEM;
	en.bind = en.o.bind || (m->type && !strcmp(m->type, "bind"));
	if (r < 0) {
		entry_done(&en);
		if (pl->r == 0)
			pl->r = err_sys(pl->e, -r, "mounts[%zu].options", i);
		return r;
	}
	*ret = en;
	return 0;
}

/* --- binds */

static bool has_maps(const struct entry *en)
{
	return en->m->n_uid_mappings || en->m->n_gid_mappings;
}

static char *map_lines(const struct oci_id_mapping *m, size_t n)
{
	struct buf b = { 0 };

	for (size_t i = 0; i < n; i++)
		buf_addf(&b, "%u %u %u\n", m[i].container_id, m[i].host_id, m[i].size);
	return buf_take(&b);
}

/* The IDs of the mount's own maps, else of the container's user namespace. */
static void add_idmap(struct planner *pl, const struct entry *en, const char *tree)
{
	const struct oci_linux *l = &pl->oci->spec->lnx;
	const struct oci_namespace *ns = oci_namespace_find(l, OCI_NS_USER);
	bool own = has_maps(en);
	autofree char *uids = own ? map_lines(en->m->uid_mappings, en->m->n_uid_mappings)
				  : map_lines(l->uid_mappings, l->n_uid_mappings);
	autofree char *gids = own ? map_lines(en->m->gid_mappings, en->m->n_gid_mappings)
				  : map_lines(l->gid_mappings, l->n_gid_mappings);
	autofree char *maps = str_printf("%s/%s", uids, gids);

	if (!uids || !gids)
		pl->r = err_set(pl->e, ENOMEM, "out of memory");
	else if (pl->oci->rootless)
		plan_refuse(pl, "an ID-mapped mount needs the rights of the host's root");
	else
		plan_step(pl, &op_idmap, tree, !own && ns && ns->path && *ns->path ? ns->path : NULL, maps,
			  en->o.idmap == IDMAP_DEEP ? STEP_DEEP : 0);
}

/* The options of a bind behind the propagation that it begins with. */
static char *bind_options(const struct planner *pl, const struct entry *en)
{
	const char *base = plan_oci_propagation(pl);

	return str_printf("%s%s%s", base ? base : "", base && *en->options ? "," : "", en->options);
}

/* On the host: a new user namespace has no right to the host's trees, nor to map IDs of them; and what is to stay
 * shared with the host has to be copied before the container's namespace becomes a slave of the host's. */
static bool is_opened_before(const struct planner *pl, const struct entry *en)
{
	return !pl->oci->rootless &&
	       (plan_oci_own_users(pl) || en->o.idmap || has_maps(en) || !plan_oci_propagation(pl));
}

static void add_source(struct planner *pl, const struct entry *en)
{
	autofree char *tree = str_printf("mounts[%zu]", en->i);
	autofree char *options = bind_options(pl, en);

	pl->place = tree;
	plan_step(pl, &op_bind_open, tree, en->m->source, options, 0);
	if (en->o.idmap || has_maps(en))
		add_idmap(pl, en, tree);
	pl->place = NULL;
}

void plan_oci_sources(struct planner *pl)
{
	for (size_t i = 0; i < pl->oci->spec->n_mounts && pl->r == 0; i++) {
		AUTO(entry_done) struct entry en = { 0 };

		if (entry_open(pl, i, &en) == 0 && en.bind && !en.o.remount && is_opened_before(pl, &en))
			add_source(pl, &en);
	}
}

static void add_bind(struct planner *pl, const struct entry *en)
{
	autofree char *options = bind_options(pl, en);

	if (is_opened_before(pl, en)) {
		plan_step(pl, &op_mount_bind, en->dest, pl->place, NULL, 0);
		return;
	}
	if (en->o.idmap || has_maps(en))
		add_idmap(pl, en, pl->place);
	plan_step(pl, &op_mount_bind, en->dest, en->m->source, options, 0);
}

/* --- cgroups: the container's own directories, bound (security.md A8) */

static void add_unified(struct planner *pl, const struct entry *en, const struct strv *cgroups)
{
	bool own = oci_namespace_find(&pl->oci->spec->lnx, OCI_NS_CGROUP) != NULL;
	const char *all = cgroup_base(pl->facts, "unified"),
		   *dir = own ? strv_env_get(cgroups, "unified") : NULL;

	/* who has no right to a cgroup of his own stays in that he is in */
	plan_step(pl, &op_host_bind, en->dest, dir ? dir : all, dir && pl->oci->rootless ? all : NULL,
		  en->o.set);
}

/* "cpu,cpuacct": where the hierarchy of this controller is seen, by the name that the host gives it. */
static const char *hierarchy_name(const struct planner *pl, const char *key)
{
	const char *base = cgroup_base(pl->facts, key);

	return base && strcmp(key, "unified") ? strrchr(base, '/') + 1 : key;
}

/* cgroup: "memory=/sys/fs/cgroup/memory/x". */
static void add_hierarchy(struct planner *pl, const struct entry *en, const char *cgroup, struct strv *made)
{
	const char *dir = strchr(cgroup, '=') + 1;
	autofree char *key = strndup(cgroup, (size_t)(dir - 1 - cgroup));
	const char *name = key ? hierarchy_name(pl, key) : "";
	autofree char *place = str_printf("%s/%s", en->dest, name);
	autofree char *link = str_printf("%s/%s", en->dest, key ? key : "");

	if (!key || !place || !link) {
		pl->r = err_set(pl->e, ENOMEM, "out of memory");
		return;
	}
	if (!strv_has(made, place)) {
		plan_step(pl, &op_host_bind, place, dir,
			  pl->oci->rootless ? cgroup_base(pl->facts, key) : NULL, en->o.set);
		if (strv_add(made, place) < 0)
			pl->r = err_set(pl->e, ENOMEM, "out of memory");
	}
	if (strchr(name, ',')) /* mounted together: each by its own name too */
		plan_step(pl, &op_link, link, name, NULL, 0);
}

static void add_hierarchies(struct planner *pl, const struct entry *en, const struct strv *cgroups)
{
	AUTO(strv_done) struct strv made = { 0 };

	plan_step(pl, &op_mount, en->dest, "tmpfs", "mode=755", en->o.set & ~(uint64_t)MOUNT_ATTR_RDONLY);
	for (size_t i = 0; i < cgroups->n && pl->r == 0; i++)
		if (strstr(cgroups->v[i], "=/")) /* not systemd's unit */
			add_hierarchy(pl, en, cgroups->v[i], &made);
	if (en->o.set & MOUNT_ATTR_RDONLY)
		plan_step(pl, &op_read_only, en->dest, NULL, NULL, 0);
}

/* --- other file systems */

/* A mount in which something has still to be made becomes read-only at the end. */
static bool is_sealed(const struct entry *en)
{
	return !en->bind && !en->o.remount && ((en->o.set | en->o.deep_set) & MOUNT_ATTR_RDONLY) &&
	       (is_type(en, "tmpfs") || !strcmp(en->dest, "/dev"));
}

/* linux.mountLabel: SELinux labels the files of a mount as a whole, but those of the kernel's own have theirs; quoted, for
 * a label has commas in it. */
static char *with_label(const struct planner *pl, const struct entry *en)
{
	const char *label = pl->oci->spec->lnx.mount_label;

	if (!pl->facts->selinux || !label || !*label || is_type(en, "proc") || is_type(en, "sysfs") ||
	    is_type(en, "mqueue"))
		return strdup(en->options);
	return str_printf("%s%scontext=\"%s\"", en->options, *en->options ? "," : "", label);
}

static void add_fs(struct planner *pl, const struct entry *en)
{
	const struct oci_mount *m = en->m;
	bool source = m->source && *m->source;
	autofree char *from = str_printf("%s%s%s", m->type, source ? " " : "", source ? m->source : "");
	autofree char *options = with_label(pl, en);

	plan_step(pl, &op_mount_fs, en->dest, from, options && *options ? options : NULL,
		  is_sealed(en) ? STEP_SEAL : 0);
	if (!options)
		pl->r = err_set(pl->e, ENOMEM, "out of memory");
}

static void add_one(struct planner *pl, const struct entry *en, const struct strv *cgroups)
{
	int mode = pl->facts->cgroup_mode;

	if (en->o.remount)
		plan_step(pl, &op_remount, en->dest, NULL, en->options, 0);
	else if (en->bind)
		add_bind(pl, en);
	else if ((is_type(en, "cgroup") && mode == CGROUP_V2) ||
		 (is_type(en, "cgroup2") && cgroup_base(pl->facts, "unified")))
		add_unified(pl, en, cgroups);
	else if (is_type(en, "cgroup"))
		add_hierarchies(pl, en, cgroups);
	else
		add_fs(pl, en);
}

/* --- places */

/* Files of /proc that are commonly replaced by others (LXCFS); nothing that the runtime or the kernel's own tools
 * would be fooled by (security.md A5). */
static bool is_replaceable(const char *dest)
{
	static const char *const names[] = {
		"cpuinfo",
		"diskstats",
		"meminfo",
		"stat",
		"swaps",
		"uptime",
		"loadavg",
		"slabinfo",
		"net/dev",
		"pressure/cpu",
		"pressure/io",
		"pressure/memory",
		"sys/kernel/ns_last_pid",
		"sys/crypto/fips_enabled",
	};

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (!strcmp(dest + strlen("/proc/"), names[i]))
			return true;
	return false;
}

static void check_place(struct planner *pl, const struct entry *en)
{
	autofree char *place = str_printf("mounts[%zu].destination", en->i);

	pl->place = place;
	if (!strcmp(en->dest, "/"))
		plan_refuse(pl, "nothing can be mounted on \"/\"");
	else if (!strcmp(en->dest, "/proc") && !en->bind && !en->o.remount && !is_type(en, "proc"))
		plan_refuse(pl, "only a proc file system can be mounted on \"/proc\"");
	else if (!strncmp(en->dest, "/proc/", 6) && !en->o.remount && !(en->bind && is_replaceable(en->dest)))
		plan_refuse(pl, "\"%.100s\" is inside /proc", en->dest);
	pl->place = NULL;
}

void plan_oci_mounts(struct planner *pl, const struct strv *cgroups)
{
	for (size_t i = 0; i < pl->oci->spec->n_mounts && pl->r == 0; i++) {
		autofree char *place = str_printf("mounts[%zu]", i);
		AUTO(entry_done) struct entry en = { 0 };

		if (entry_open(pl, i, &en) < 0)
			return;
		check_place(pl, &en);
		pl->place = place;
		add_one(pl, &en, cgroups);
		pl->place = NULL;
	}
}

void plan_oci_seals(struct planner *pl)
{
	for (size_t i = 0; i < pl->oci->spec->n_mounts && pl->r == 0; i++) {
		autofree char *place = str_printf("mounts[%zu]", i);
		AUTO(entry_done) struct entry en = { 0 };

		if (entry_open(pl, i, &en) < 0)
			return;
		pl->place = place;
		if (is_sealed(&en))
			plan_step(pl, &op_seal, en.dest, place, NULL, 0);
		pl->place = NULL;
	}
}

/* --- /dev */

enum dev_kind plan_oci_dev(const struct planner *pl)
{
	enum dev_kind kind = DEV_OF_ROOT;

	for (size_t i = 0; i < pl->oci->spec->n_mounts; i++) {
		const struct oci_mount *m = &pl->oci->spec->mounts[i];
		autofree char *dest = clean_path(m->destination);

		if (!dest || strcmp(dest, "/dev") || strv_has(&m->options, "remount"))
			continue;
		if (strv_has(&m->options, "bind") || strv_has(&m->options, "rbind") ||
		    (m->type && !strcmp(m->type, "bind")))
			return DEV_OF_HOST;
		kind = DEV_OWN;
	}
	return kind;
}
