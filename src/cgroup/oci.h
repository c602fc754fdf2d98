/* oci.h - the cgroup of an OCI container: where linux.cgroupsPath puts it, and linux.resources in it; pure
 *
 * Drivers: cgroupfs ("/a/b": below the root of each hierarchy; "a/b": below the caller's own cgroup; NULL: ID below
 * the caller's own) and systemd ("slice:prefix:name", systemd.c).  On v1 the container joins every controller that is
 * mounted, since callers read its statistics there; on a hybrid host also the unified hierarchy.
 */
#ifndef CGROUP_OCI_H
#define CGROUP_OCI_H

#include "cgroup/plan.h"
#include "oci/runtime.h"

struct cgroup_oci_request {
	const struct host_facts *facts;
	const char *id;
	const char *path; /* linux.cgroupsPath or NULL */
	bool systemd;
	bool rootless; /* what may not be written is left out, unless a limit was asked for */
	const struct oci_resources *resources;
	const struct strv *annotations; /* "org.systemd.property.*" */
	const struct cgroup_rows *rows;
};

/* Adds the steps that make the cgroups and set what `resources` asks.  A resource whose controller this host lacks is an
 * error that begins with its place: "linux.resources.memory: ..."; what cgroup v2 has not is ignored with a warning.
 * *ret_dirs ("memory=/sys/fs/cgroup/memory/x", "unified=...") gets every directory, in the order of making, and behind them
 * systemd's unit ("scope=ketch-x.scope"): what the state records, before any is made. */
int cgroup_plan_oci(const struct cgroup_oci_request *rq, struct plan *p, struct strv *ret_dirs,
		    struct err *e);
/* Only the settings, in directories that exist (update). */
int cgroup_plan_update(const struct cgroup_oci_request *rq, const struct strv *dirs, struct plan *p,
		       struct err *e);

#endif
