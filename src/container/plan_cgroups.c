/* plan_cgroups.c - which cgroups an instance gets and what is set in them; pure
 *
 * A controller is v2 when facts name the directory of "unified" for it, else v1.  On v1 only those in use are
 * joined: each costs.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>

#include "base/auto.h"
#include "cgroup/limits.h"
#include "container/container_int.h"
#include "container/plan_int.h"

/* Docker's default list; making any node is allowed (CAP_MKNOD), opening only these. */
static const char device_rules[] = "c *:* m,b *:* m,c 1:3 rwm,c 1:5 rwm,c 1:7 rwm,c 1:8 rwm,c 1:9 rwm,"
				   "c 5:0 rwm,c 5:1 rwm,c 5:2 rwm,c 136:* rwm";

static const char *base_of(const struct planner *pl, const char *controller)
{
	return cgroup_base(pl->facts, controller);
}

/* Is the controller of any use to this spec?  What statistics and the OOM flag need always is. */
static bool is_wanted(const struct planner *pl, const char *name)
{
	static const char *const by_limit[] = { "cpu", "cpuset", "blkio", "io" };

	for (size_t i = 0; i < ARRAY_LEN(by_limit); i++)
		if (!strcmp(by_limit[i], name))
			return limits_want(&pl->spec->resources, name);
	if (!strcmp(name, "devices"))
		return !pl->spec->privileged;
	if (!strcmp(name, "freezer")) /* the unified hierarchy kills and freezes without it */
		return !base_of(pl, "unified");
	return true;
}

/* In a guest nobody else is there to be put beside. */
static const char *parent_of(const struct planner *pl)
{
	return pl->facts->in_guest ? NULL : pl->spec->sandbox.cgroup_parent;
}

static char *dir_of(const struct planner *pl, const char *controller)
{
	return cgroup_dir(pl->facts, controller, parent_of(pl), pl->spec->id);
}

static const char *const all[] = { "unified", "memory", "cpu",	   "cpuacct", "pids", "io",
				   "cpuset",  "blkio",	"devices", "freezer", NULL };

static void limit_devices(struct planner *pl)
{
	bool v2 = !base_of(pl, "devices") && base_of(pl, "unified") && pl->facts->cgroup_mode == CGROUP_V2;
	const struct sandbox *b = &pl->spec->sandbox;
	AUTO(buf_done) struct buf rules = { 0 };
	autofree char *dir = NULL;

	if (pl->spec->privileged || (!v2 && !base_of(pl, "devices")))
		return;
	dir = dir_of(pl, v2 ? "unified" : "devices");
	buf_adds(&rules, device_rules);
	for (size_t i = 0; i < b->n_devices; i++)
		buf_addf(&rules, ",%s %lld:%lld %s", b->devices[i].type, (long long)b->devices[i].major,
			 (long long)b->devices[i].minor, b->devices[i].access);
	for (size_t i = 0; i < b->device_rules.n; i++)
		buf_addf(&rules, ",%s", b->device_rules.v[i]);
	plan_step(pl, &op_devices, dir, NULL, rules.data, v2 ? STEP_V2 : 0);
}

void plan_cgroups(struct planner *pl)
{
	const char *wanted[ARRAY_LEN(all)];
	struct cgroup_request rq = { pl->facts, pl->spec->id,	       parent_of(pl), &pl->spec->resources,
				     wanted,	&container_cgroup_rows };
	size_t n = 0;

	for (const char *const *c = all; *c; c++)
		if (is_wanted(pl, *c))
			wanted[n++] = *c;
	wanted[n] = NULL;
	if (pl->r == 0)
		pl->r = cgroup_plan(&rq, pl->plan, pl->e);
	if (pl->spec->resources.pids && !base_of(pl, "pids"))
		plan_step(pl, &op_warn, "pids", NULL,
			  "this host has no pids cgroup controller: the number of processes is not limited",
			  0);
	limit_devices(pl);
}

/* --- an init system has a tree of its own, below the limits, which it cannot reach */

#define MOST_CGROUPS                                                                                         \
	"10000" /* that it may make: each takes memory of the kernel; systemd has one for each unit */

static char *system_path(const struct planner *pl, const char *name)
{
	const char *parent = parent_of(pl) ? parent_of(pl) : CGROUP_PARENT;

	return str_printf("%s%s/%s/%s", pl->facts->cgroup2, parent, pl->spec->id, name);
}

void plan_system_cgroup(struct planner *pl)
{
	static const char *const handed_down[] = { "memory", "cpu", "pids", "io", "cpuset" };
	autofree char *above = NULL, *dir = NULL, *most = NULL;
	AUTO(buf_done) struct buf plus = { 0 };

	if (!pl->spec->sandbox.system)
		return;
	above = dir_of(pl, "unified"); /* NULL beside v1, where no controller is in it */
	dir = system_path(pl, "system");
	most = system_path(pl, "cgroup.max.descendants");
	for (size_t i = 0; i < ARRAY_LEN(handed_down); i++)
		if (cgroup_is_v2(pl->facts, handed_down[i]) && is_wanted(pl, handed_down[i]))
			buf_addf(&plus, "%s+%s", plus.len ? " " : "", handed_down[i]);
	if (plus.len)
		plan_step(pl, &op_cgroup_enable, above, NULL, plus.data, 0);
	plan_step(pl, &op_cgroup_own, dir, NULL, NULL, 0);
	plan_step(pl, &op_cgroup_set, most, NULL, MOST_CGROUPS, 0);
}

/* --- inside: read-only (security.md A8), and only the instance's own directories */

void plan_cgroup_mounts(struct planner *pl, uint64_t flags)
{
	if (pl->spec->sandbox.system) {
		autofree char *dir = system_path(pl, "system");

		plan_step(pl, &op_host_bind, "/sys/fs/cgroup", dir, NULL,
			  flags & ~(uint64_t)MOUNT_ATTR_RDONLY);
		return;
	}
	if (pl->facts->cgroup_mode == CGROUP_V2 && base_of(pl, "unified")) {
		autofree char *dir = dir_of(pl, "unified");

		plan_step(pl, &op_host_bind, "/sys/fs/cgroup", dir, NULL, flags);
		return;
	}
	plan_step(pl, &op_mount, "/sys/fs/cgroup", "tmpfs", "mode=755,size=64k",
		  flags & ~(uint64_t)MOUNT_ATTR_RDONLY);
	for (const char *const *c = all; *c; c++) {
		autofree char *place = str_printf("/sys/fs/cgroup/%s", *c), *dir = NULL;

		if (!base_of(pl, *c) || !is_wanted(pl, *c))
			continue;
		dir = dir_of(pl, *c);
		plan_step(pl, &op_host_bind, place, dir, NULL, flags);
	}
	if (flags & MOUNT_ATTR_RDONLY)
		plan_step(pl, &op_read_only, "/sys/fs/cgroup", NULL, NULL, 0);
}
