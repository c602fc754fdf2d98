/* oci.h - a container as the OCI runtime-spec describes it, for ketch-oci: it outlives who made it
 *
 * The same steps, launch and last moments as under ketch-monitor; another planner in front.
 */
#ifndef CONTAINER_OCI_H
#define CONTAINER_OCI_H

#include "instance/boot.h"
#include "instance/plan.h"
#include "oci/runtime.h"

struct oci_request {
	const struct oci_spec *spec;
	const struct host_facts *facts;
	const char *id;
	bool systemd_cgroup;
	bool no_pivot; /* the host's root is a ramdisk: MS_MOVE and chroot instead */
	bool rootless;
};

/* Pure.  "fd:rootfs" in the steps is the bundle's root (O_PATH), "fd:seccomp" the compiled filter; relative sources of
 * mounts are relative to the current directory, which is the bundle.  *ret_cgroups as cgroup_plan_oci. */
int container_plan_oci(const struct oci_request *rq, struct plan *ret, struct strv *ret_cgroups,
		       struct err *e);

#endif
