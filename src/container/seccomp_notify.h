/* seccomp_notify.h - hands the listener of a filter with SCMP_ACT_NOTIFY to the agent at linux.seccomp.listenerPath
 *
 * The way (runtime-spec config-linux.md, "Container process state"):
 *
 *	runtime		seccomp_notify_connect, in the host's mount namespace, before anything is made
 *	container	fd = seccomp_install(..., NEW_LISTENER); writes the number of fd to the runtime: write(2) is the one
 *			call that no filter with a listener asks about
 *	runtime		pidfd_get_fd(pidfd, number), which no filter binds; seccomp_notify_state, seccomp_notify_send
 *
 * What the container calls meanwhile waits in the kernel until the agent answers.
 */
#ifndef CONTAINER_SECCOMP_NOTIFY_H
#define CONTAINER_SECCOMP_NOTIFY_H

#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"

/* A connected socket. */
int seccomp_notify_connect(const char *listener_path, struct err *e);
/* Appends the ContainerProcessState.  metadata: listenerMetadata or NULL; pid: of the process under the filter, as the
 * runtime sees it; state: the JSON of the container's state. */
void seccomp_notify_state(pid_t pid, const char *metadata, const char *state, struct buf *ret);
/* Sends both to the agent. */
int seccomp_notify_send(int sock, int notify_fd, const struct buf *process_state, struct err *e);

#endif
