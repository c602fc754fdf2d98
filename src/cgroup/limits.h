/* limits.h - the limits of an instance (instance/spec.h), by the flags that ask for them, and in the words of
 * linux.resources, so that `ketch run` and ketch-oci set the same files; pure
 */
#ifndef CGROUP_LIMITS_H
#define CGROUP_LIMITS_H

#include "instance/host.h"
#include "instance/spec.h"
#include "oci/runtime.h"

/* Does any limit need the controller, by its name on v1 or v2 ("blkio" or "io")? */
bool limits_want(const struct resources *r, const char *controller);
/* The flag of the limit that is set in this file of a cgroup; NULL: of none that is given. */
const char *limits_flag_of_file(const struct resources *r, const char *file);
/* -ENOTSUP: a limit whose controller this host lacks, by its flag; that of processes, which has a default, may be missing. */
int limits_check(const struct resources *r, const struct host_facts *h, struct err *e);
/* Each limit that is given and that cgroup v2, where the host has it, does not know. */
void limits_each_ignored(const struct resources *r, const struct host_facts *h,
			 void (*each)(void *arg, const char *flag), void *arg);
/* r for this host: what limits_each_ignored names, and processes without their controller, are left out.  *ret is to be
 * freed by limits_done and borrows the strings of r.  0 or -ENOMEM. */
int limits_to_oci(const struct resources *r, const struct host_facts *h, struct oci_resources *ret);
void limits_done(struct oci_resources *r);

#endif
