/* criu.h - the program criu (criu(8)), told by its command line what to dump or to restore */
#ifndef CRIU_CRIU_H
#define CRIU_CRIU_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/strv.h"
#include "cgroup/cgroup.h"

/* Descriptor i of a run is CRIU_FD + i in criu: out of the way of those that it opens itself. */
#define CRIU_FD	     200
#define CRIU_FDS_MAX 8

/* One run. */
struct criu {
	struct strv argv;
	char *work; /* absolute: where the log will be */
	char *log; /* its name there */
	int images; /* the directory */
	int fds[CRIU_FDS_MAX]; /* borrowed; the first three are our standard streams */
	size_t n_fds;
	int passed; /* one of fds that only criu is to keep: closed when it runs; 0: none */
	bool terminal; /* there is one whose other end is outside: CRIU is told all of this by RPC (criu/call.h) */
	/* What comes of that. */
	pid_t restored; /* the first process, for which there is no --pidfile then */
	int master; /* the other end of the terminal; -1: none */
};

/* Where a restored container is made: in these cgroups, with its root as a mount that nobody else sees. */
struct criu_place {
	const struct cgroups *cgroups;
	const char *rootfs; /* absolute */
	bool own_cgroupns;
	bool no_new_privs; /* CRIU 3.17 forgets it; its children inherit it */
};

/* verb: "dump", "pre-dump" or "restore".  images: the directory, taken, also after a failure; work: that of the log,
 * borrowed.  c: uninitialised memory, also after a failure the caller's to criu_done. */
int criu_init_take(struct criu *c, const char *verb, int images, int work, struct err *e);
/* Adds an argument.  0 or -ENOMEM. */
int criu_add(struct criu *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Passes a descriptor on: its number there, or -E2BIG. */
int criu_add_fd(struct criu *c, int fd);
/* Runs it to its end, however long that takes: killed half-way it would leave the processes stopped.  place NULL: here.
 * A failure is named by the first error in the log's end. */
int criu_run(struct criu *c, const struct criu_place *place, struct err *e);
void criu_done(struct criu *c);

#endif
