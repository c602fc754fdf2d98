/* making.h - a container on its way to being there: what create and restore have in common; within this room only
 *
 * Intent before effect: the directory, then the record with the names of the cgroups, then they themselves, then the
 * process.  Killed anywhere, what is there is named by what was written before.
 */
#ifndef RUNTIME_MAKING_H
#define RUNTIME_MAKING_H

#include "cgroup/cgroup.h"
#include "instance/boot.h"
#include "instance/plan.h"
#include "runtime/runtime.h"

/* What is made on the way, all of it freed at the end. */
struct making {
	const struct runtime *rt;
	const struct create_args *args;
	struct oci_spec spec;
	struct buf config; /* its text */
	struct host_facts facts;
	struct plan plan;
	struct record record;
	struct boot boot;
	int dir; /* ROOT/ID */
	int fifo, console, rootfs, filter, listener;
	struct cgroup_claim claim; /* held: what is in the cgroups is ours */
	pid_t pid;
};

/* Reads the bundle and plans; enters its directory.  m: uninitialised memory, also after a failure the caller's to
 * making_done. */
int making_open(struct making *m, const struct runtime *rt, const char *id, const struct create_args *a,
		struct err *e);
/* ROOT/ID with its record and a copy of the config.  m->dir < 0 afterwards: it is somebody else's, or nothing. */
int making_make_directory(struct making *m, struct err *e);
/* Compiles the seccomp filter, kept as a file for exec, and connects to its agent. */
int making_make_filter(struct making *m, struct err *e);
/* Connects to where the master of the terminal goes, if there is one. */
int making_open_console(struct making *m, struct err *e);
/* After a failure: nothing of it stays.  *pidfd: its process, or -1. */
void making_undo(struct making *m, int *pidfd);
void making_done(struct making *m);

#endif
