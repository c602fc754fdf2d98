/* cgroup.h - clearing the cgroups of an instance whose monitor is gone */
#ifndef CONTAINER_CGROUP_H
#define CONTAINER_CGROUP_H

#include "base/err.h"
#include "instance/host.h"

/* Ends every process in the cgroups `ketch/ID` of all hierarchies (thawed first) and removes the cgroups; found by
 * the id alone, so it works when nothing was recorded.  Missing is success.  Bounded: a few seconds, then -EBUSY. */
int cgroup_clear(const struct host_facts *h, const char *id, struct err *e);

#endif
