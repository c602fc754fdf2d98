/* notify.h - NOTIFY_SOCKET (sd_notify(3)): a container may tell the service manager of its caller that it is ready
 *
 * The container gets a socket of its own in ROOT/ID/notify, bound to /run/notify; `start` listens there until it is
 * ready or has ended, and passes on that word alone, with the process ID as the host counts it.
 */
#ifndef RUNTIME_NOTIFY_H
#define RUNTIME_NOTIFY_H

#include "oci/runtime.h"
#include "runtime/record.h"

/* create: adds the mount and the variable to the config.  dir: ROOT/ID as a path. */
int notify_add(struct oci_spec *s, const char *dir, struct err *e);
/* The directory behind that mount. */
int notify_make_directory(int dir, struct err *e);
/* start, before the program begins: the socket, bound; -1 in *ret: nobody wants to know. */
int notify_open(int dir, int *ret, struct err *e);
/* After: returns when the container has said READY=1, which then has been passed on, or has ended. */
void notify_wait(int sock, int pidfd, int pid);

#endif
