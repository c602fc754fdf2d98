/* oci_int.h - what the files of the OCI planner share */
#ifndef CGROUP_OCI_INT_H
#define CGROUP_OCI_INT_H

#include "cgroup/devices.h"
#include "cgroup/oci.h"

struct oci_planner {
	const struct cgroup_oci_request *rq;
	const struct oci_resources *resources; /* never NULL; without what is ignored */
	const struct resources *limits; /* their flags are the places of the steps; NULL: of an OCI config */
	const struct strv *dirs; /* "controller=directory" */
	struct plan *plan;
	bool fresh; /* the cgroups are new: no earlier value is in the way of another */
	struct err *e;
	int r; /* the first failure; after it nothing is added */
};

/* One kind of limits, the controllers it needs and its place in config.json. */
struct oci_kind {
	const char *v1, *v2; /* controllers; v2 NULL: cgroup v2 has no such thing */
	const char *place;
	bool (*asks)(const struct oci_resources *r);
	void (*set)(struct oci_planner *pl, const char *dir, bool v2);
};

extern const struct oci_kind oci_limits[], oci_io[]; /* ended by an empty row */

/* oci_place.c.  "controller=directory" for all that is mounted, in the order of making; v2 controllers are behind
 * "unified". */
int oci_place_dirs(const struct cgroup_oci_request *rq, struct strv *ret_dirs, struct err *e);
/* The directories whose children must have the v2 controllers: all above dir, the root of the hierarchy first. */
int oci_place_parents(const char *base, const char *dir, struct strv *ret);

/* The first failure of a planner. */
__attribute__((format(printf, 3, 4))) void oci_fail(struct oci_planner *pl, int no, const char *fmt, ...);
/* Adds a step "warn". */
__attribute__((format(printf, 2, 3))) void oci_warn(struct oci_planner *pl, const char *fmt, ...);
/* Adds a step "set". */
__attribute__((format(printf, 5, 6))) void oci_set(struct oci_planner *pl, const char *dir, const char *file,
						   uint64_t flags, const char *fmt, ...);
/* The same; where `file` is missing, "FILE=VALUE" is set in its stead. */
void oci_set_either(struct oci_planner *pl, const char *file, const char *value, const char *otherwise);
/* Is a number given, and does it ask for anything?  0 is what callers send for "nothing". */
static inline bool oci_given(const struct opt_i64 *n)
{
	return n->set && n->v != 0;
}

/* Sets `resources` in the directories, but for devices and `unified`. */
void oci_set_limits(struct oci_planner *pl);

/* oci_ignored.c: takes out of r what this host has nothing for, with warnings. */
void oci_leave_out(struct oci_planner *pl, struct oci_resources *r);

/* The rules of linux.resources.devices and the default ones behind them; appended.  False: a failure. */
bool oci_device_rules(struct oci_planner *pl, struct device_rules *ret);
void oci_set_devices(struct oci_planner *pl);

/* The weight (cpu.weight) of a number of CPU shares: 2 -> 1, 1024 -> 100, 262144 -> 10000, as runc 1.4 and crun 1.23
 * reckon; before, the default of 1024 was less than half of every neighbour's. */
uint64_t oci_cpu_weight(uint64_t shares);

#endif
