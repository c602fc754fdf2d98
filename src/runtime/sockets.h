/* sockets.h - what callers get over unix sockets and files: terminals, pidfds, pid files */
#ifndef RUNTIME_SOCKETS_H
#define RUNTIME_SOCKETS_H

#include <sys/types.h>

#include "base/err.h"
#include "runtime/record.h"

/* Connects to the unix socket `path` (relative to cwd); option: for the message.  A descriptor, or -errno. */
int socket_connect(int cwd, const char *path, const char *option, struct err *e);
/* Sends pidfd there (--pidfd-socket). */
int socket_send_pidfd(int cwd, const char *path, int pidfd, struct err *e);
/* Connects to the agent of its seccomp filter, if it has one; else *ret is -1. */
int listener_connect(const struct record *r, int *ret, struct err *e);
/* Writes the number whole or not at all. */
int pid_file_write(int cwd, const char *path, pid_t pid, struct err *e);

#endif
