/* container.h - the container back end: processes of this kernel, kept apart by namespaces and cgroups
 *
 * The same code runs in ketch-monitor on the host and in ketch-guest, PID 1 of a VM (facts.in_guest).
 *
 * start() makes SIGPIPE ignored for the whole process: a workload may close its stdin at any time.
 */
#ifndef CONTAINER_CONTAINER_H
#define CONTAINER_CONTAINER_H

#include "instance/backend.h"

extern const struct backend container_backend;

/* Whoever speaks with a running instance has become another, for the machine around it was restored (ketch-guest): nothing is read
 * of any process from now on, and nothing said, until container_attach. */
void container_detach(struct running *r);
/* START of stream 0, which lives: says STARTED once more.  All others end: who asked for them is not there. */
void container_attach(struct running *r);
/* Was START of stream 0 seen?  Else nothing has been made yet but cgroups and mounts that nobody is in. */
bool container_has_begun(const struct running *r);

#endif
