/* child.h - the programs around a VM (hypervisor, file servers): started with few rights, watched to their end */
#ifndef VM_CHILD_H
#define VM_CHILD_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/loop.h"

#define CHILD_MAX_FDS 256

/* A descriptor that the program gets under a number of its own. */
struct child_fd {
	int fd; /* ours, borrowed */
	int as; /* >= 3 */
};

struct child_spec {
	const char *name; /* for messages: "qemu" */
	char *const *argv; /* argv[0] is a path */
	const struct child_fd *fds;
	size_t n_fds; /* at most CHILD_MAX_FDS */
	int say_fd; /* becomes stderr */
	int cgroup_fd; /* v2: started inside; -1: none */
	uint64_t clone_flags; /* CLONE_NEWPID, or 0 */
	/* In the new process, before exec: joins cgroups (v1), enters namespaces, sheds rights. */
	int (*prepare)(void *arg, struct err *e);
	void *arg;
};

struct child {
	const char *name;
	pid_t pid; /* 0: not there (any more) */
	int pidfd;
	struct loop *loop;
	struct watch watch;
	void (*ended)(void *arg, struct child *c, int status); /* exit status, or 128 + signal */
	void *arg;
};

/* Starts it; `ended` is called from the loop, once.  Whatever happens to us, it dies with us. */
int child_start(struct child *c, const struct child_spec *s, struct loop *l, struct err *e);
/* SIGKILL; nothing when it is not there. */
void child_kill(struct child *c);
/* Kills it and waits for its end; for the last clean-up. */
void child_done(struct child *c);

#endif
