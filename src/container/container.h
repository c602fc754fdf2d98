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

#endif
