/* steps.h - the steps of cgroup plans, applied: what the rows of the back ends call */
#ifndef CGROUP_STEPS_H
#define CGROUP_STEPS_H

#include "cgroup/cgroup.h"
#include "cgroup/plan.h"

int cgroup_step_enable(const struct step *s, struct err *e);
int cgroup_step_make(const struct step *s, struct cgroups *cg, struct err *e);
int cgroup_step_scope(const struct step *s, struct cgroups *cg, struct err *e);
int cgroup_step_set(const struct step *s, struct err *e);
/* 1: this host lets no device rules be set (no right to load programs); silent with STEP_MAY_FAIL. */
int cgroup_step_devices(const struct step *s, const struct cgroups *cg, struct err *e);

#endif
