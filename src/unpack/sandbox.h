/* sandbox.h - ketch-image gives up all that it does not need, before it reads the first foreign byte
 *
 * It was started in mount, PID, network, IPC and UTS namespaces of its own.  What stays: one directory, which is
 * its whole file system and from which nothing leads out; descriptors; seven capabilities; some eighty
 * system calls, no program to execute and no way to connect to anything.
 */
#ifndef UNPACK_SANDBOX_H
#define UNPACK_SANDBOX_H

#include "base/err.h"

/* stage_fd: a detached mount.  It becomes the root directory.  A sanitized program needs calls and memory that the sandbox
 * denies: it keeps the files and the capabilities only. */
int sandbox_enter(int stage_fd, struct err *e);

#endif
