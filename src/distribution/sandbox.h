/* sandbox.h - ketch-registry gives up what it does not need, before it reads the first byte from the network
 *
 * It keeps the network, for that is what it is for; names of hosts are looked up by whatever the machine has for that.
 * What goes: its user (where there is another), every capability, all files but those that look-ups and TLS read and
 * the directory of blobs (Landlock, where the kernel has it), other programs, processes, mounts and namespaces.
 */
#ifndef DISTRIBUTION_SANDBOX_H
#define DISTRIBUTION_SANDBOX_H

#include <sys/types.h>

#include "base/err.h"

/* uid: user and group to become, 0: stay.  blobs_fd: -1: none.  There must be no thread yet.
 * A sanitized program needs more memory than the sandbox allows. */
int registry_sandbox_enter(uid_t uid, int blobs_fd, struct err *e);

#endif
