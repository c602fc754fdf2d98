/* vm_int.h - shared inside vm/ */
#ifndef VM_VM_INT_H
#define VM_VM_INT_H

#include "vm/driver.h"

extern const struct step_op op_share;

/* steps.c: a VMM's command line, made word by word; the first failure stays. */
struct vmm_planner {
	struct plan *plan;
	int r;
};
/* An option with its value; "": without. */
__attribute__((format(printf, 3, 4))) void vmm_plan_arg(struct vmm_planner *pl, const char *option,
							const char *fmt, ...);
/* It finds the descriptor `from` (machine_named_fd) under this number. */
void vmm_plan_fd(struct vmm_planner *pl, int number, const char *from);
void vmm_plan_kernel_arg(struct vmm_planner *pl, const char *words);
extern const struct step_op op_vmm_arg, op_kernel_arg, op_vmm_fd;
/* User and group of the VMM of the instance with this id. */
uid_t vmm_uid(const char *id);
/* Closes what the VMM, now started, has. */
void machine_drop_vmm_ends(struct machine *m);
/* The driver of a checked spec. */
const struct vm_driver *vm_driver_of(const struct instance_spec *s);

/* plan.c: the `plan` of vm_backend. */
int vm_plan(const struct instance_spec *s, const struct host_facts *h, struct plan *ret, struct err *e);

/* cgroups.c: the steps that make them and set their ceilings. */
int vm_plan_cgroups(const struct instance_spec *s, const struct host_facts *h, struct plan *p, struct err *e);

/* The descriptor that a step names: "fd:NAME" of the boot document, "share:TAG" (the VMM's end of a share),
 * "agent", "console", "control"; borrowed.  -ENOENT. */
int machine_named_fd(const struct machine *m, const char *name);
/* Puts the calling process, a new child, into the instance's cgroups where that was not done by clone3, and gives it the
 * score by which the kernel chooses whom to kill for want of memory. */
int machine_enter_cgroups(const struct machine *m, struct err *e);
/* For clone3(CLONE_INTO_CGROUP); -1: not v2. */
int machine_cgroup_fd(const struct machine *m);

#endif
