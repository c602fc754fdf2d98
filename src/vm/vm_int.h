/* vm_int.h - shared inside vm/ */
#ifndef VM_VM_INT_H
#define VM_VM_INT_H

#include "vm/driver.h"

extern const struct step_op op_share;

/* plan.c: the `plan` of vm_backend. */
int vm_plan(const struct instance_spec *s, const struct host_facts *h, struct plan *ret, struct err *e);

/* cgroups.c: the steps that make them and set their ceilings. */
int vm_plan_cgroups(const struct instance_spec *s, const struct host_facts *h, struct plan *p, struct err *e);

/* The descriptor that a step names: "fd:NAME" of the boot document, "share:TAG" (the VMM's end of a share),
 * "agent", "console"; borrowed.  -ENOENT. */
int machine_named_fd(const struct machine *m, const char *name);
/* Puts the calling process, a new child, into the instance's cgroups where that was not done by clone3. */
int machine_enter_cgroups(const struct machine *m, struct err *e);
/* For clone3(CLONE_INTO_CGROUP); -1: not v2. */
int machine_cgroup_fd(const struct machine *m);

#endif
