/* systemd.h - the systemd driver: the container's cgroup is a scope unit, "SLICE:PREFIX:NAME" in linux.cgroupsPath */
#ifndef CGROUP_SYSTEMD_H
#define CGROUP_SYSTEMD_H

#include "cgroup/oci.h"

/* The path of the unit below the root of each hierarchy: "/a.slice/a-b.slice/PREFIX-NAME.scope". */
int systemd_cgroup_path(const struct cgroup_oci_request *rq, char **ret, struct err *e);

#endif
