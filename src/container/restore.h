/* restore.h - the first process of a container is made by CRIU, out of images (boot.h, "processes")
 *
 * CRIU runs in the cgroups of the container and in a mount namespace of its own, in which all that the images name as coming
 * from outside is mounted (the stage); it is the parent of nobody: what it restores is our child at once.
 */
#ifndef CONTAINER_RESTORE_H
#define CONTAINER_RESTORE_H

#include "container/container_int.h"
#include "criu/criu.h"

struct restoring {
	struct criu criu;
	struct criu_job job; /* its pidfd tells the end */
	int net; /* a network namespace that was made for it; -1 */
	char *stage; /* absolute path */
	struct container *c; /* borrowed */
};
#define RESTORING_INIT ((struct restoring){ .criu.images = -1, .job = { -1, -1 }, .net = -1 })

/* Is it to be restored, and not started? */
bool restore_is_asked(const struct container *c);
/* Starts CRIU; stdio: the process's ends of the pipes (-1: none), borrowed.  *ret: RESTORING_INIT before, restore_done
 * afterwards. */
int restore_begin(struct container *c, const int stdio[3], struct restoring *ret, struct err *e);
/* CRIU has ended.  Returns the pid of the first process. */
pid_t restore_end(struct restoring *r, int *ret_pidfd, struct err *e);
void restore_done(struct restoring *r);

#endif
