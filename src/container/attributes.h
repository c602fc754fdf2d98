/* attributes.h - what an OCI process has besides its rights: OOM score, scheduling, CPUs, personality
 *
 * All act on the calling process, and are inherited.  Call them late in the child, but before a filter or the loss of
 * capabilities could forbid them.
 */
#ifndef CONTAINER_ATTRIBUTES_H
#define CONTAINER_ATTRIBUTES_H

#include <stdbool.h>

#include "base/err.h"
#include "base/strv.h"
#include "oci/runtime.h"

/* oomScoreAdj, scheduler, ioPriority.  proc: the root of a procfs (sys/procfs.h); -1 will do where oomScoreAdj is not
 * given.  An OOM score below what this host lets us set is borne (attributes_warnings tells). */
int attributes_apply(const struct oci_process *p, int proc, struct err *e);
/* Before, in the runtime: a sentence for each attribute that this host cannot give.  can_raise: with
 * CAP_SYS_RESOURCE, in the first user namespace. */
int attributes_warnings(const struct oci_process *p, bool can_raise, struct strv *ret);
/* Is a procfs needed? */
bool attributes_need_proc(const struct oci_process *p);

/* execCPUAffinity.initial (before the process enters its cgroups) or .final (in them); NULL and "": nothing to do. */
int attributes_set_cpus(const char *list, const char *key, struct err *e);
/* linux.personality.domain; NULL: nothing to do. */
int attributes_set_personality(const char *domain, struct err *e);

#endif
