/* share.h - bind mounts and volumes of a VM: one virtiofsd for each, which sees nothing else of the host */
#ifndef VM_SHARE_H
#define VM_SHARE_H

#include "instance/plan.h"
#include "instance/spec.h"

/* Has the mount a source on the host? */
bool share_is_needed(const struct mount_spec *m);
/* Adds a step for each mount that needs one; its ctx is the struct machine. */
int share_plan(const struct instance_spec *s, struct plan *p);

#endif
