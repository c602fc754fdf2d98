/* lsm.h - the security label that a process gets with its program */
#ifndef CONTAINER_LSM_H
#define CONTAINER_LSM_H

#include "base/err.h"

/* From the next execve on the calling process has the AppArmor profile and the SELinux label; NULL and "": as it is.
 * proc: the root of a procfs (sys/procfs.h), -1 will do when both are empty.  Where the kernel lacks the module it is an
 * error, but for the profile "unconfined". */
int lsm_label_set_exec(int proc, const char *apparmor_profile, const char *selinux_label, struct err *e);

#endif
