/* ops.h - what the verbs of an OCI runtime do to a container's cgroups, found by what was recorded of them
 *
 * A record is cgroup_plan_oci's: "controller=/absolute/directory", one entry for each v1 controller and one "unified=".
 */
#ifndef CGROUP_OPS_H
#define CGROUP_OPS_H

#include "base/err.h"
#include "base/strv.h"
#include "cgroup/cgroup.h"
#include "cgroup/walk.h"

/* Where the files of a controller are: its own v1 directory, else the unified one (*ret_v2); borrowed.  NULL: nowhere. */
const char *cgroup_record_dir(const struct strv *record, const char *controller, bool *ret_v2);
/* The directories of a record, each once: as cgroup_kill_and_remove takes them. */
int cgroup_record_dirs(const struct strv *record, struct strv *ret);

/* Is there a process in these directories (absolute; missing ones are fine) or below them?  1, 0 or -errno. */
int cgroup_has_processes(const struct strv *dirs);
/* All processes in the container's cgroup and below it, in ascending order.  0 or -errno. */
int cgroup_pids(const struct strv *record, struct pidv *ret);

#endif
