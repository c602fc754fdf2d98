/* attributes.h - what an OCI process has besides its rights: OOM score, scheduling, CPUs, personality
 *
 * All act on the calling process, and are inherited.  But for the score, call them late in the child, but before a
 * filter or the loss of capabilities could forbid them.
 */
#ifndef CONTAINER_ATTRIBUTES_H
#define CONTAINER_ATTRIBUTES_H

#include <stdbool.h>

#include "base/err.h"
#include "base/strv.h"
#include "oci/runtime.h"

/* scheduler, ioPriority. */
int attributes_apply(const struct oci_process *p, struct err *e);
/* oomScoreAdj, in the maker before it clones, for the child to inherit: /proc/self of a process that is not dumpable
 * is the host's root's, so in a user namespace the child could not set it.  proc: the root of a procfs (sys/procfs.h).
 * A score below what this host lets us set is borne (attributes_warnings tells).  *ret_before: to be set again. */
int attributes_set_score(int64_t want, int proc, int64_t *ret_before, struct err *e);
/* Before, in the runtime: a sentence for each attribute that this host cannot give.  can_raise: with
 * CAP_SYS_RESOURCE, in the first user namespace. */
int attributes_warnings(const struct oci_process *p, bool can_raise, struct strv *ret);
/* execCPUAffinity.initial (before the process enters its cgroups) or .final (in them); NULL and "": nothing to do. */
int attributes_set_cpus(const char *list, const char *key, struct err *e);
/* linux.personality.domain; NULL: nothing to do. */
int attributes_set_personality(const char *domain, struct err *e);

#endif
