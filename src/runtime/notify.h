/* notify.h - NOTIFY_SOCKET (sd_notify(3)): a container may tell the service manager of its caller that it is ready
 *
 * The container gets a socket of its own in ROOT/ID/notify, bound to /run/notify; `start`, or `run` while it waits for the
 * end, listens there until it is ready or has ended, and passes on that word alone, with the process ID as the host
 * counts it.
 */
#ifndef RUNTIME_NOTIFY_H
#define RUNTIME_NOTIFY_H

#include "oci/runtime.h"
#include "runtime/record.h"

/* create: adds the mount and the variable to the config.  dir: ROOT/ID as a path. */
int notify_add(struct oci_spec *s, const char *dir, struct err *e);
/* The directory behind that mount. */
int notify_make_directory(int dir, struct err *e);
struct notify {
	int sock; /* -1: nobody wants to know, or it has been told */
	int pid;
};
#define NOTIFY_NONE ((struct notify){ .sock = -1 })

/* start, before the program begins: the socket, bound, for the container's process `pid`. */
int notify_open(int dir, int pid, struct notify *ret, struct err *e);
/* n->sock is readable: a message is read; when it says READY=1, that is passed on and the socket closed. */
void notify_hear(struct notify *n);
/* Returns when that is done, and the service manager has dealt with it (sd_notify_barrier(3)), or the container has ended. */
void notify_wait(struct notify *n, int pidfd);
void notify_done(struct notify *n);

#endif
