/* plan_int.h - the planner's pieces */
#ifndef CONTAINER_PLAN_INT_H
#define CONTAINER_PLAN_INT_H

#include "instance/host.h"
#include "instance/plan.h"
#include "instance/spec.h"
#include "oci/runtime.h"

struct planner {
	const struct instance_spec *spec;
	const struct host_facts *facts;
	struct plan *plan;
	struct err *e;
	int r; /* the first failure; after it nothing is added */
};

int container_plan(const struct instance_spec *s, const struct host_facts *h, struct plan *ret,
		   struct err *e);
void plan_step(struct planner *pl, const struct step_op *op, const char *what, const char *from,
	       const char *data, uint64_t flags);
/* Takes data; NULL means that memory was out. */
void plan_step_take(struct planner *pl, const struct step_op *op, const char *what, char *data,
		    uint64_t flags);

/* plan_cgroups.c: making them and their limits; showing them inside */
void plan_cgroups(struct planner *pl);
void plan_cgroup_mounts(struct planner *pl, uint64_t flags);
/* plan_mounts.c: binds, volumes and tmpfs of the user */
void plan_user_mounts(struct planner *pl);

/* namespaces.c: those of an OCI config */
void plan_oci_namespaces(struct planner *pl, const struct oci_linux *l);

#endif
