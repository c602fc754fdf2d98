/* jail.h - what ketch-vmm gives up before its guest runs, in numbered stages
 *
 *	1 descriptors	only those of the configuration, and stdio
 *	2 namespaces	mount, network, IPC, UTS of its own (the PID namespace is made by whoever starts us: its first
 *			process is ketch-vmm)
 *	3 root		an empty read-only directory
 *	4 user		a user and group of its own, no capability in any of the five sets, no_new_privs, not dumpable
 *	5 Landlock	no file system at all, where the kernel has it
 *	6 limits	few descriptors and threads, no core
 *	7 system calls	vmm/seal.h, in each thread
 *
 * Stages 1 to 5 come before the machine is made and before there is a second thread, 6 when all descriptors and threads
 * are there.
 */
#ifndef VMM_JAIL_H
#define VMM_JAIL_H

#include <sys/types.h>

#include "base/err.h"

/* Stage 1: closes all but 0-2 and fds[0..n), which become close-on-exec.  0 or -errno (one of them is not open). */
int jail_keep_fds(const int *fds, unsigned n, struct err *e);
/* Stages 2 to 5; `uid` is user and group. */
int jail_enter(uid_t uid, struct err *e);
/* Stage 6. */
int jail_limit(struct err *e);

#endif
