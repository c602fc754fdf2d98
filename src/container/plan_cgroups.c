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
#include "container/container_int.h"
#include "container/plan_int.h"

#define PERIOD_US 100000

/* Docker's default list; making any node is allowed (CAP_MKNOD), opening only these. */
static const char device_rules[] = "c *:* m,b *:* m,c 1:3 rwm,c 1:5 rwm,c 1:7 rwm,c 1:8 rwm,c 1:9 rwm,"
				   "c 5:0 rwm,c 5:1 rwm,c 5:2 rwm,c 136:* rwm";

static const char *base_of(const struct planner *pl, const char *controller)
{
	return strv_env_get(&pl->facts->cgroups, controller);
}

static bool is_v2(const struct planner *pl, const char *controller)
{
	const char *dir = base_of(pl, controller), *unified = base_of(pl, "unified");

	return dir && unified && !strcmp(dir, unified);
}

/* Is the controller of any use to this spec?  What statistics and the OOM flag need always is. */
static bool is_wanted(const struct planner *pl, const char *name)
{
	if (!strcmp(name, "cpu"))
		return pl->spec->resources.cpu_milli > 0;
	if (!strcmp(name, "devices"))
		return !pl->spec->privileged;
	if (!strcmp(name, "freezer")) /* the unified hierarchy kills and freezes without it */
		return !base_of(pl, "unified");
	return true;
}

/* The controllers of `candidates` that live in directory `base`, as "a,b". */
static char *controllers_at(const struct planner *pl, const char *const *candidates, const char *base)
{
	struct buf b = { 0 };

	for (; *candidates; candidates++) {
		const char *dir = base_of(pl, *candidates);

		if (dir && !strcmp(dir, base) && is_wanted(pl, *candidates))
			buf_addf(&b, "%s%s", b.len ? "," : "", *candidates);
	}
	return buf_take(&b);
}

static char *dir_of(const struct planner *pl, const char *controller)
{
	return str_printf("%s/ketch/%s", base_of(pl, controller), pl->spec->id);
}

static void set(struct planner *pl, const char *controller, const char *file, uint64_t value, uint64_t flags)
{
	autofree char *path = str_printf("%s/ketch/%s/%s", base_of(pl, controller), pl->spec->id, file);

	plan_step_take(pl, &op_cgroup_set, path, str_printf("%llu", (unsigned long long)value), flags);
}

/* --- making */

static const char *const all[] = {
	"unified", "memory", "cpu", "cpuacct", "pids", "devices", "freezer", NULL
};

static void make_unified(struct planner *pl)
{
	static const char *const handed_down[] = { "memory", "cpu", "pids", NULL };
	const char *base = base_of(pl, "unified");
	autofree char *ours = str_printf("%s/ketch", base);
	AUTO(buf_done) struct buf plus = { 0 };

	for (const char *const *c = handed_down; *c; c++)
		if (is_v2(pl, *c))
			buf_addf(&plus, "%s+%s", plus.len ? " " : "", *c);
	if (!plus.len)
		return;
	plan_step(pl, &op_cgroup_enable, base, NULL, plus.data, 0);
	plan_step(pl, &op_cgroup_enable, ours, NULL, plus.data, 0);
}

/* One directory for all controllers that are mounted together ("cpu,cpuacct"). */
static void make_all(struct planner *pl)
{
	for (const char *const *c = all; *c; c++) {
		const char *base = base_of(pl, *c);
		autofree char *names = base ? controllers_at(pl, all, base) : NULL;
		autofree char *dir = base ? dir_of(pl, *c) : NULL;

		/* only at the first of those that share the directory */
		if (!names || strncmp(names, *c, strlen(*c)) ||
		    (names[strlen(*c)] && names[strlen(*c)] != ','))
			continue;
		plan_step(pl, &op_cgroup_make, dir, NULL, names, is_v2(pl, *c) ? STEP_V2 : 0);
	}
}

/* --- limits */

static void limit_memory(struct planner *pl)
{
	uint64_t bytes = pl->spec->resources.memory_bytes;

	/* no swap beyond it: the ceiling is the same as that of a VM, whose memory is all it has */
	if (is_v2(pl, "memory")) {
		set(pl, "memory", "memory.max", bytes, 0);
		set(pl, "memory", "memory.swap.max", 0, STEP_OPTIONAL);
	} else {
		set(pl, "memory", "memory.limit_in_bytes", bytes, 0);
		set(pl, "memory", "memory.memsw.limit_in_bytes", bytes, STEP_OPTIONAL);
	}
}

static void limit_cpu(struct planner *pl)
{
	uint64_t quota = pl->spec->resources.cpu_milli * (PERIOD_US / 1000);
	autofree char *path = NULL;

	if (quota < 1000) /* the kernel's least */
		quota = 1000;
	if (!is_v2(pl, "cpu")) {
		set(pl, "cpu", "cpu.cfs_period_us", PERIOD_US, 0);
		set(pl, "cpu", "cpu.cfs_quota_us", quota, 0);
		return;
	}
	path = str_printf("%s/ketch/%s/cpu.max", base_of(pl, "cpu"), pl->spec->id);
	plan_step_take(pl, &op_cgroup_set, path, str_printf("%llu %d", (unsigned long long)quota, PERIOD_US),
		       0);
}

static void limit_devices(struct planner *pl)
{
	bool v2 = !base_of(pl, "devices") && base_of(pl, "unified") && pl->facts->cgroup_mode == CGROUP_V2;
	autofree char *dir = NULL;

	if (pl->spec->privileged || (!v2 && !base_of(pl, "devices")))
		return;
	dir = dir_of(pl, v2 ? "unified" : "devices");
	plan_step(pl, &op_devices, dir, NULL, device_rules, v2 ? STEP_V2 : 0);
}

/* A ceiling that was asked for and cannot be had is an error; the default limit of processes is a warning. */
static void limit_all(struct planner *pl)
{
	const struct resources *res = &pl->spec->resources;

	if (res->memory_bytes && !base_of(pl, "memory"))
		pl->r = err_set(pl->e, ENOTSUP, "--memory: this host has no memory cgroup controller");
	else if (res->cpu_milli && !base_of(pl, "cpu"))
		pl->r = err_set(pl->e, ENOTSUP, "--cpus: this host has no cpu cgroup controller");
	if (pl->r < 0)
		return;
	if (res->memory_bytes)
		limit_memory(pl);
	if (res->cpu_milli)
		limit_cpu(pl);
	if (res->pids && base_of(pl, "pids"))
		set(pl, "pids", "pids.max", res->pids, 0);
	else if (res->pids)
		plan_step(pl, &op_warn, "pids", NULL,
			  "this host has no pids cgroup controller: the number of processes is not limited",
			  0);
}

void plan_cgroups(struct planner *pl)
{
	if (base_of(pl, "unified"))
		make_unified(pl);
	make_all(pl);
	limit_all(pl);
	limit_devices(pl);
}

/* --- inside: read-only (security.md A8), and only the instance's own directories */

void plan_cgroup_mounts(struct planner *pl, uint64_t flags)
{
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
