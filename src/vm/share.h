/* share.h - bind mounts and volumes of a VM: one virtiofsd for each, which sees nothing else of the host */
#ifndef VM_SHARE_H
#define VM_SHARE_H

#include "instance/host.h"
#include "instance/plan.h"
#include "instance/spec.h"

/* Has the mount a source on the host? */
bool share_is_needed(const struct mount_spec *m);
/* How many do? */
size_t share_count(const struct instance_spec *s);
/* Can this host serve those of the spec? */
int share_check(const struct instance_spec *s, const struct host_facts *h, struct err *e);
/* Memory that their servers need. */
uint64_t share_overhead_bytes(const struct instance_spec *s);
/* Adds a step for each mount that needs one; its ctx is the struct machine. */
int share_plan(const struct instance_spec *s, struct plan *p);

#endif
